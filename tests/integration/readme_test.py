#!/usr/bin/env python3
"""What the documents have a newcomer type, word for word: the README's first steps, behind them the simulator's page, and what the demo
has one try.

Usage: readme_test.py --signet BINARY [TestClass...].
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import cli_test

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TYPED_PORT = "4090"
# A newcomer's fingers take longer than a gateway needs to listen, or to hand a document over; a script has to wait.
UNTIL_LISTENING = "for attempt in $(seq 600); do (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && break; sleep 0.1; done\n"
UNTIL_DELIVERED = "for attempt in $(seq 300); do signet --home globex message list | grep -q delivered && break; sleep 0.2; done\n"


def typed(document, heading):
    """What is typed in a document's section."""
    section = (SOURCE / document).read_text().split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]
    return "".join(re.findall(r"```bash\n(.*?)```", section, re.S))


def free_ports(count):
    listeners = [socket.socket() for _ in range(count)]
    try:
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [str(listener.getsockname()[1]) for listener in listeners]
    finally:
        for listener in listeners:
            listener.close()


class Newcomer(unittest.TestCase):
    """Somebody in the repository's folder, with its samples and the binary where it is built."""

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="signet-readme."))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.ports = free_ports(4)
        self.samples = self.root / "samples" / "first"
        self.samples.mkdir(parents=True)
        for file in (SOURCE / "samples" / "first").iterdir():
            (self.samples / file.name).write_bytes(file.read_bytes().replace(f":{TYPED_PORT}/".encode(), f":{self.ports[0]}/".encode()))
        (self.root / "build" / "release").mkdir(parents=True)
        (self.root / "build" / "release" / "signet").symlink_to(cli_test.SIGNET)

    def first_steps(self):
        steps = ""
        for line in typed("README.md", "Ten minutes").replace(TYPED_PORT, self.ports[0]).splitlines(keepends=True):
            steps += line
            if line.endswith("&\n"):
                steps += UNTIL_LISTENING.format(port=self.ports[0])
            if line.startswith("signet send"):
                steps += UNTIL_DELIVERED
        return steps

    def run_steps(self, steps):
        """Types them, and ends what is left in the background. @returns what was on the screen"""
        ending = "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n"
        done = subprocess.run(["bash", "-euo", "pipefail", "-m", "-c", ending + steps], cwd=self.root, text=True,
                              timeout=600, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        print(done.stdout)
        self.assertEqual(done.returncode, 0, "the steps' exit code")
        return done.stdout


class Readme(Newcomer):
    def test_its_first_steps_work(self):
        screen = self.run_steps(self.first_steps())
        for told in ["no problems found", "dry run: nothing was changed", "applied", "confirmed", "delivered", "-order.edi.json",
                     "automatic-action/MDN-sent-automatically; processed"]:
            self.assertIn(told, screen)
        delivered = [file for file in (self.root / "build/first/globex/delivery/globex-acme").iterdir() if file.suffix == ".edi"]
        self.assertEqual([file.read_bytes() for file in delivered], [(self.samples / "order.edi").read_bytes()])


class Demo(unittest.TestCase):
    """`./dev demo` without --once, and somebody in another terminal who tries what its screen says."""

    def setUp(self):
        self.demo = subprocess.Popen([sys.executable, SOURCE / "samples" / "demo" / "demo.py", "--signet", cli_test.SIGNET], text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                                     env={**os.environ, "PYTHONUNBUFFERED": "1"})
        self.addCleanup(self.end)

    def end(self):
        if self.demo.poll() is None:
            self.demo.send_signal(signal.SIGINT)
        self.demo.stdout.read()
        self.demo.stdout.close()
        self.demo.wait()

    def screen(self):
        """Until it says how it ends."""
        told = ""
        for line in self.demo.stdout:
            told += line
            if "End with Ctrl-C" in line:
                return told
        raise AssertionError(f"it ended by itself:\n{told}")

    def test_what_its_screen_says_can_be_tried(self):
        screen = self.screen()
        steps = [line.strip() for line in screen.partition("try:")[2].splitlines() if line.startswith("  ") and line.strip()[0] != "#"]
        path, *steps = steps
        outcomes = []
        for step in steps:
            done = subprocess.run(["bash", "-c", f"{path}\n{step}"], text=True, timeout=300, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            print(f"$ {step}\n{done.stdout}")
            outcomes.append((step, done.returncode, done.stdout))
        told = lambda verb: [(code, text) for step, code, text in outcomes if verb in step]
        sent, kept = told(" send ")
        self.assertEqual(sent[0], cli_test.DONE)
        self.assertIn("processed", sent[1])
        self.assertEqual(kept[0], cli_test.PENDING, "the gateway has lost its key, and the message is kept")
        self.assertEqual([code for step, code, _ in outcomes if " send " not in step], [cli_test.DONE] * (len(steps) - 2))
        self.assertIn("lacks the key permission 'decrypt' on key vault 'signet'", told("tail ")[0][1])
        self.assertIn("integrationAccount", told(" export")[0][1])
        self.demo.send_signal(signal.SIGINT)
        self.assertIn("done", self.demo.stdout.read())
        self.assertEqual(self.demo.wait(), 0)


class Simulator(Newcomer):
    def test_what_its_page_has_one_type_works(self):
        _, gateway, partner, receipts = self.ports
        # The page goes by the default ports, of which a test has none.
        elsewhere = f" --url http://127.0.0.1:{partner}/as2 --receipt-url http://127.0.0.1:{receipts}/as2/receipts"
        steps = f"echo 'listen = [\"127.0.0.1:{gateway}\"]' >acme/serve.toml\n"
        for line in typed("docs/simulator.md", "Three commands").splitlines(keepends=True):
            line = line.replace(" --for acme-globex", " --for acme-globex" + elsewhere)
            command = line.partition("#")[0].rstrip()
            if re.match(r"signet (simulate )?send ", command):
                steps += f"code=0; {command} || code=$?; echo \"'{command}' ended with $code\"\n"
            else:
                steps += line
            if command.endswith("&"):
                steps += UNTIL_LISTENING.format(port=partner if "simulate" in command else gateway)
        screen = self.run_steps(self.first_steps() + steps + "signet export | grep -c simulated || true\n")
        for told in ["made a simulated partner", "'signet send --agreement acme-globex-simulated order.edi' ended with 1",
                     "the receipt's MIC", "wrong-mic, so the gateway must end the message as failed",
                     "'signet simulate send sim order.edi' ended with 0", "'signet simulate send sim order.edi --behaviour all' ended with 0",
                     "removed"]:
            self.assertIn(told, screen)
        self.assertNotIn("FAILED ", screen)
        self.assertTrue(screen.endswith("\n0\n"), "nothing is left of it in the account")
        self.assertFalse((self.root / "build/first/sim").exists())


if __name__ == "__main__":
    cli_test.main(__doc__)
