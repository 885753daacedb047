#!/usr/bin/env python3
"""The README's first steps, word for word: what a newcomer types works.

Usage: readme_test.py --signet BINARY.
"""

import argparse
import pathlib
import re
import socket
import subprocess
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TYPED_PORT = "4090"
# A newcomer's fingers take longer than a gateway needs to listen, or to hand a document over; a script has to wait.
UNTIL_LISTENING = "for attempt in $(seq 600); do (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && break; sleep 0.1; done\n"
UNTIL_DELIVERED = "for attempt in $(seq 300); do signet --home globex message list | grep -q delivered && break; sleep 0.2; done\n"


def first_steps():
    section = (SOURCE / "README.md").read_text().split("## Ten minutes", 1)[1]
    return re.search(r"```bash\n(.*?)```", section, re.S).group(1)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signet", required=True, help="the signet binary")
    signet = pathlib.Path(parser.parse_args().signet).resolve()
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="signet-readme.") as directory:
        root = pathlib.Path(directory)
        samples = root / "samples" / "first"
        samples.mkdir(parents=True)
        for file in (SOURCE / "samples" / "first").iterdir():
            (samples / file.name).write_bytes(file.read_bytes().replace(b":4090/", f":{port}/".encode()))
        (root / "build" / "release").mkdir(parents=True)
        (root / "build" / "release" / "signet").symlink_to(signet)
        steps = ""
        for line in first_steps().replace(TYPED_PORT, port).splitlines(keepends=True):
            steps += line
            if line.endswith("&\n"):
                steps += UNTIL_LISTENING.format(port=port)
            if line.startswith("signet send"):
                steps += UNTIL_DELIVERED
        done = subprocess.run(["bash", "-euo", "pipefail", "-m", "-c", steps + "\nwait %1 || true\n"], cwd=root, text=True, timeout=300,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        print(done.stdout)
        assert done.returncode == 0, f"the steps ended with {done.returncode}"
        for told in ["no problems found", "dry run: nothing was changed", "applied", "confirmed", "delivered", "-order.edi.json",
                     "automatic-action/MDN-sent-automatically; processed"]:
            assert told in done.stdout, f"nothing said '{told}'"
        delivered = [file for file in (root / "build/first/globex/delivery/globex-acme").iterdir() if file.suffix == ".edi"]
        assert [file.read_bytes() for file in delivered] == [(samples / "order.edi").read_bytes()], delivered


if __name__ == "__main__":
    main()
