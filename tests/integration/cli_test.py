#!/usr/bin/env python3
"""The signet command as an operator uses it: the real binary, its output, its exit codes, what it leaves on the disk.

Usage: cli_test.py --signet BINARY [TestClass...]. Homes are made in temporary directories; ports are free ones.
"""

import argparse
import atexit
import base64
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import stat
import string
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[2]
ACCOUNT = SOURCE / "samples" / "demo" / "account.xml.in"
PFX = SOURCE / "tests" / "vectors" / "pfx"
TEST_KEY = SOURCE / "tests" / "support" / "test_keys" / "test-rsa-2048-1.pem"
START_TIMEOUT = 60.0  # seconds; sanitizers on a busy machine

# Exit codes, as `signet --help` documents them.
DONE, REFUSED, USAGE, NOT_FOUND, DENIED, UNAVAILABLE, INTERNAL, PENDING, BROKEN = range(9)

# A user whom files' modes bind; root is none.
UNPRIVILEGED = os.getuid() or 65534
AS_UNPRIVILEGED = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] if os.getuid() == 0 else []

SIGNET = None


def free_port():
    """One of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, patience=START_TIMEOUT):
    """Returns what the condition gives once that is something. It is asked ever less often, as it may start a command each time."""
    deadline, pause = time.monotonic() + patience, 0.01
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain until {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)
    return value


class Home:
    """A gateway's home and the command in it."""

    def __init__(self, directory, environment=None):
        self.directory = pathlib.Path(directory)
        self.path = self.directory / "home"
        self.environment = environment or {}
        self.gateway = None
        self.ports = {}  # of the gateway's listeners, by name
        self.port = 0  # of the first one
        self.log_to = None  # something else than the file `log`

    def run(self, *arguments, expect=None, environment=None, standard_input=b""):
        """Runs the command and returns what came of it, as text. `expect` is the exit code that the test relies on."""
        command = [SIGNET, "--home", str(self.path), *map(str, arguments)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, input=standard_input,
                              env={**os.environ, **self.environment, **(environment or {})}, timeout=120)
        done.out = done.stdout.decode("utf-8", "replace")
        done.err = done.stderr.decode("utf-8", "replace")
        if expect is not None and done.returncode != expect:
            raise AssertionError(f"{' '.join(command)}\nended with {done.returncode}, not {expect}:\n{done.out}{done.err}")
        return done

    def json(self, *arguments, expect=DONE):
        """The same with --output json: the value printed, or the error's."""
        done = self.run("--output", "json", *arguments, expect=expect)
        text = done.out if done.out.strip() else done.err.splitlines()[-1]
        return json.loads(text)

    def start(self, *arguments):
        self.serve("serve", "--listen", "127.0.0.1:0", *arguments)

    def serve(self, *command):
        """Runs a command that serves, until it listens."""
        file = self.directory / "ports.json"
        file.unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.gateway = subprocess.Popen([SIGNET, "--home", str(self.path), *command, "--ports-file", str(file)], stdout=log,
                                            stderr=self.log_to or log, stdin=subprocess.DEVNULL, env={**os.environ, **self.environment})
        deadline = time.monotonic() + START_TIMEOUT
        while not file.exists():
            if self.gateway.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("the gateway did not start: " + self.log.read_text())
            time.sleep(0.01)
        listeners = json.loads(file.read_text())
        self.ports = {listener["name"]: listener["port"] for listener in listeners}
        self.port = listeners[0]["port"]

    def stop(self):
        """Asks it to end. Returns the exit code."""
        if self.gateway is None:
            return None
        if self.gateway.poll() is None:
            self.gateway.send_signal(signal.SIGTERM)
        code = self.gateway.wait(timeout=60)
        self.gateway = None
        return code

    def kill(self):
        self.gateway.kill()
        self.gateway.wait()
        self.gateway = None

    @property
    def log(self):
        return self.directory / "gateway.log"

    def events(self, name=None):
        """What the gateway logged, or of that the events of one name."""
        lines = self.log.read_text().split("\n")[:-1]  # the last one may be under way
        return [event for event in map(json.loads, lines) if name in (None, event["event"])]

    def wait_for_event(self, name, count=1):
        """The `count`th event of this name."""
        wait_until(lambda: len(self.events(name)) >= count, f"there is {name} in {self.log}")
        return self.events(name)[count - 1]

    def audit(self, operation=None):
        """The records of the audit log, or those of one operation."""
        records = map(json.loads, (self.path / "audit.log").read_text().splitlines())
        return [record for record in records if operation in (None, record.get("operation"))]

    def metrics(self):
        """Values by name and labels, as they are written: signet_ready{check="disk"}. The gateway has to have an operations listener."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['operations']}/metrics", timeout=60) as answer:
            lines = [line.rpartition(" ") for line in answer.read().decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in lines}


class Template:
    """A directory with a home as most tests begin with it: made once, by the test that wants it first, then copied. To start the command
    costs more than all that a test looks at."""
    made = {}

    @classmethod
    def copy(cls, name, make, directory):
        """`make` is called with the Home to be filled. No gateway may serve it."""
        if name not in cls.made:
            template = Home(tempfile.mkdtemp(prefix="signet-template."))
            atexit.register(shutil.rmtree, template.directory, ignore_errors=True)
            make(template)
            cls.made[name] = template.directory
        shutil.copytree(cls.made[name], directory, dirs_exist_ok=True)


class CommandTest(unittest.TestCase):
    """Each test has a directory and a home of its own."""

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="signet-cli."))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.home = Home(self.directory)
        self.addCleanup(self.home.stop)

    def initialise(self, home):
        home.run("init", expect=DONE)

    def fill_home(self, home):
        """What all tests of a class begin with: `home`, and files beside it."""
        self.initialise(home)

    def copy_template(self):
        Template.copy(type(self).__name__, self.fill_home, self.directory)

    def make_home(self):
        """What `signet init` makes."""
        Template.copy("home", lambda home: home.run("init", expect=DONE), self.directory)

    def make_company(self, home, name):
        """A key, and its certificate, both called as the company is; the certificate also as <name>.cer."""
        def make(template):
            template.run("init", expect=DONE)
            template.run("vault", "key", "create", name, "--kind", "P-256", expect=DONE)
            template.run("certificate", "create", name, "--key", name, "--common-name", name, "--certificate-file",
                         template.directory / f"{name}.cer", expect=DONE)
        Template.copy(f"company {name}", make, home.directory)

    def account_xml(self, home, host="acme", guest="globex", url="http://127.0.0.1:1/as2", agreement="trade"):
        """Writes an account whose guest's certificate is at hand as <guest>.cer."""
        text = string.Template(ACCOUNT.read_text()).substitute(
            host=host, guest=guest, host_certificate=host, guest_certificate=guest, agreement=agreement,
            content_type="application/EDI-X12", guest_url=url)
        file = home.directory / "account.xml"
        file.write_text(text)
        return file

    def with_account(self, home=None):
        """Home of acme, with globex's certificate lying beside it. Returns the account's file."""
        home = home or self.home
        self.make_company(home, "acme")
        other = Home(home.directory / "other")
        other.directory.mkdir()
        self.make_company(other, "globex")
        shutil.copy(other.directory / "globex.cer", home.directory)
        return self.account_xml(home)


class Help(CommandTest):
    GROUPS = ["init", "serve", "apply", "export", "lint", "send", "message", "certificate", "crl", "binding", "rollover", "cem", "vault", "principal", "token",
              "authority", "evidence", "audit", "inspect", "simulate", "status", "tracking"]

    def test_help_has_the_commands_and_an_example(self):
        """That of every command is looked at by unit/cli/help_test.cc, in one process."""
        told = self.home.run("--help", expect=DONE).out
        self.assertEqual(sorted(re.findall(r"^  ([a-z-]+)", told.split("\nSubcommands:\n")[1], re.M)), sorted(self.GROUPS))
        for command in ["vault", "vault key", "vault key list", "serve"]:
            self.assertRegex(self.home.run(*command.split(), "--help", expect=DONE).out, r"Example: signet .*" + command)

    def test_the_exit_codes_are_documented(self):
        told = self.home.run("--help", expect=DONE).out
        self.assertIn("Exit codes: 0 done; 1 refused", told)
        table = re.findall(r"^\| (\d) \|", (SOURCE / "README.md").read_text(), re.M)
        self.assertEqual([int(code) for code in table], list(range(BROKEN + 1)))
        for code in table[1:]:
            self.assertRegex(told, rf"[;\n ]{code} [a-z]")

    def test_what_is_not_understood_is_a_usage_error(self):
        for arguments in ["", "brew", "vault", "vault key", "init --no-such-option", "--output xml message list",
                          "serve --listen", "send order.edi"]:
            with self.subTest(arguments):
                done = self.home.run(*arguments.split(), expect=USAGE)
                self.assertNotEqual(done.err + done.out, "")
                self.assertFalse(self.home.path.exists())

    def test_a_usage_error_names_what_is_wrong_and_where_to_read_on(self):
        for arguments, told in [("brew", "no command 'brew'; 'signet --help'"),
                                ("vault brew", "no command 'brew'; 'signet vault --help'"),
                                ("vault key brew x", "no command 'brew'; 'signet vault key --help'"),
                                ("", "'signet --help'"), ("vault key", "'signet vault key --help'"),
                                ("init --no-such-option", "--no-such-option; 'signet init --help'"),
                                ("message list --limit many", "many; 'signet message list --help'")]:
            with self.subTest(arguments):
                done = self.home.run(*arguments.split(), expect=USAGE)
                self.assertEqual(done.out, "")
                self.assertRegex(done.err, "^signet: .*" + re.escape(told))
                error = self.home.json(*arguments.split(), expect=USAGE)["error"]
                self.assertEqual(error["kind"], "InvalidInput")
                self.assertIn(told, error["message"])

    def test_a_file_that_is_not_there_is_not_found(self):
        self.make_home()
        for arguments in ["lint {}", "apply {}", "send --agreement trade {}", "inspect {}", "certificate add acme {}",
                          "vault key import acme {}", "vault secret set acme --value-file {}", "simulate send simulated {}",
                          "simulate serve simulated --script {}"]:
            for path, expect in [("no-such", NOT_FOUND), ("no-such/file", NOT_FOUND), (".", USAGE)]:
                with self.subTest(arguments, path=path):
                    words = arguments.format(self.directory / path).split()
                    if words[0] == "simulate" and path == ".":
                        continue  # whether there is such a partner is looked at first
                    error = self.home.json(*words, expect=expect)["error"]
                    self.assertIn(error["kind"], ["NotFound"] if expect == NOT_FOUND else ["InvalidInput"], error)
        self.home.run("export", "--file", self.directory / "no-such" / "account.xml", expect=NOT_FOUND)

    def test_a_file_that_is_not_there_is_told_with_where_it_was_looked_for(self):
        done = subprocess.run([SIGNET, "lint", "no-such.xml"], cwd=self.directory, capture_output=True, text=True)
        self.assertIn(f"no-such.xml: No such file or directory; looked for in {self.directory}", done.stderr)
        self.assertIn(f"{self.directory} is a folder, where a file is expected", self.home.run("lint", self.directory, expect=USAGE).err)

    def test_seconds_and_counts_have_bounds_that_can_be_read(self):
        for arguments in ["simulate serve x --delay -1", "simulate serve x --count -1", "simulate send x y --delay 0",
                          "simulate send x y --patience 86401", "inspect x --memory 0", "inspect x --memory 65537",
                          "message wait x --timeout -1", "send --agreement x y --wait long", "certificate create x --key x --common-name x --days 0"]:
            with self.subTest(arguments):
                error = self.home.json(*arguments.split(), expect=USAGE)["error"]["message"]
                self.assertIn("expected ", error)
                self.assertIn(f"got {arguments.split()[-1]}", error)

    def test_the_version_is_printed(self):
        self.assertRegex(self.home.run("--version", expect=DONE).out, r"^Signet/?\s?\d+\.\d+")


class Init(CommandTest):
    def test_a_store_that_is_damaged_is_not_to_be_tried_again(self):
        self.make_home()
        (self.home.path / "store" / "signet.db").write_bytes(b"no database at all, " * 1000)
        error = self.home.json("message", "list", expect=BROKEN)["error"]
        self.assertEqual(error["message"].count("signet.db"), 1, error)

    def test_a_home_without_its_master_key_says_what_is_missing(self):
        self.make_home()
        key = self.home.path / "master.key"
        away = key.rename(self.directory / "away")
        missing = self.home.run("message", "list", expect=BROKEN).err
        self.assertIn("its store is there, but neither master.key nor master.scrypt", missing)
        self.assertIn("put it back from your copy", missing)
        self.assertIn("put it back from your copy", self.home.run("init", expect=REFUSED).err)
        away.rename(key)
        self.home.run("message", "list", expect=DONE)

    def test_makes_a_home_that_only_its_owner_can_read(self):
        made = self.home.json("init")
        self.assertEqual(made["home"], str(self.home.path))
        self.assertEqual(stat.S_IMODE(self.home.path.stat().st_mode), 0o700)
        self.assertEqual(stat.S_IMODE((self.home.path / "master.key").stat().st_mode), 0o600)
        for file in self.home.path.rglob("*"):
            self.assertEqual(file.stat().st_mode & 0o077, 0, file)

    def test_refuses_to_make_it_twice_and_changes_nothing(self):
        self.home.run("init", expect=DONE)
        key = (self.home.path / "master.key").read_bytes()
        error = self.home.json("init", expect=REFUSED)
        self.assertEqual(error["error"]["kind"], "AlreadyExists")
        self.assertIn("nothing was changed: use it, or name another", error["error"]["message"])
        self.assertEqual((self.home.path / "master.key").read_bytes(), key)

    def test_one_that_cannot_be_written_says_whose_it_is_and_what_to_do(self):
        self.make_home()
        self.directory.chmod(0o755)
        for path in [self.home.path, *self.home.path.rglob("*")]:
            os.chown(path, UNPRIVILEGED, -1)
        self.home.path.chmod(0o555)
        command = [*AS_UNPRIVILEGED, SIGNET, "--home", str(self.home.path), "message", "list"]
        run = lambda: subprocess.run(command, capture_output=True, text=True)
        done = run()
        self.assertEqual(done.returncode, DENIED)
        self.assertIn("its mode is 555, and its user must read and write it; 'chmod u+rwX'", done.stderr)
        self.home.path.chmod(0o755)
        self.assertEqual(run().returncode, DONE)
        if os.getuid() == 0:
            os.chown(self.home.path, 0, 0)
            done = run()
            self.assertEqual(done.returncode, DENIED)
            self.assertIn(f"it belongs to user 0, and this is user {UNPRIVILEGED}; run as the former", done.stderr)

    def test_one_that_was_cut_short_is_not_used_and_is_begun_anew(self):
        passphrase = self.directory / "passphrase"
        passphrase.write_text("short\n")
        self.home.run("init", "--passphrase-file", passphrase, expect=USAGE)  # after its first files
        (self.home.path / "master.key").write_bytes(b"half a k")  # as of a process that was killed
        for command in [["message", "list"], ["serve", "--listen", "127.0.0.1:0"]]:
            self.assertIn(f"'signet --home {self.home.path} init' again", self.home.run(*command, expect=NOT_FOUND).err)
        self.home.run("init", expect=DONE)
        self.home.run("vault", "key", "create", "acme", "--kind", "P-256", expect=DONE)
        self.assertFalse((self.home.path / "init.unfinished").exists())
        self.home.run("init", expect=REFUSED)
        self.assertEqual(len(self.home.json("vault", "key", "list")), 1)

    def test_killed_at_any_instant_it_leaves_a_home_or_what_init_completes(self):
        for attempt in range(20):
            home = Home(self.directory / str(attempt))
            home.directory.mkdir()
            making = subprocess.Popen([SIGNET, "--home", str(home.path), "init"], stdout=subprocess.DEVNULL)
            made = lambda: sum(len(directories) + len(files) for _, directories, files in os.walk(home.path))
            while made() < attempt and making.poll() is None:
                pass  # each attempt dies a little later
            making.kill()
            making.wait()
            self.assertIn(home.run("init").returncode, (DONE, REFUSED) if making.returncode != DONE else (REFUSED,))
            home.run("vault", "key", "create", "acme", "--kind", "P-256", expect=DONE)

    def test_a_directory_with_something_else_in_it_is_not_touched(self):
        self.home.path.mkdir()
        (self.home.path / "serve.toml").write_text("mine")
        self.assertIn("nothing was changed", self.home.run("init", expect=REFUSED).err)
        self.assertEqual([file.name for file in self.home.path.iterdir()], ["serve.toml"])

    def test_a_file_is_no_home(self):
        self.home.path.write_text("x")
        for command in [["init"], ["message", "list"]]:
            self.assertIn(f"{self.home.path} is not a directory", self.home.run(*command, expect=USAGE).err)

    def test_every_command_without_a_home_says_how_to_make_one(self):
        for arguments in [["message", "list"], ["export"], ["vault", "key", "list"], ["certificate", "list"],
                          ["serve", "--listen", "127.0.0.1:0"]]:
            with self.subTest(arguments):
                done = self.home.run(*arguments, expect=NOT_FOUND)
                self.assertIn("init", done.err)
                self.assertFalse(self.home.path.exists())

    def test_the_home_may_come_from_the_environment(self):
        done = subprocess.run([SIGNET, "init"], env={**os.environ, "SIGNET_HOME": str(self.home.path)}, stdout=subprocess.PIPE)
        self.assertEqual(done.returncode, DONE)
        self.assertTrue((self.home.path / "master.key").exists())

    def test_a_passphrase_locks_the_vault(self):
        passphrase = self.directory / "passphrase"
        passphrase.write_text("correct horse battery staple\n")
        told = self.home.run("init", "--passphrase-file", passphrase, expect=DONE).out
        self.assertIn("master.scrypt", told)
        self.assertIn("passphrase", told)
        self.assertFalse((self.home.path / "master.key").exists())
        for file in self.home.path.rglob("*"):
            if file.is_file():
                self.assertNotIn(b"correct horse", file.read_bytes(), file)

        locked = self.home.run("vault", "key", "list", expect=DENIED)
        self.assertIn("SIGNET_PASSPHRASE_FILE", locked.err)
        wrong = self.directory / "wrong"
        wrong.write_text("incorrect horse battery staple\n")
        refused = self.home.run("vault", "key", "list", environment={"SIGNET_PASSPHRASE_FILE": str(wrong)}, expect=REFUSED)
        self.assertIn("passphrase", refused.err)
        self.home.environment = {"SIGNET_PASSPHRASE_FILE": str(passphrase)}
        self.home.run("vault", "key", "create", "acme", "--kind", "P-256", expect=DONE)
        self.assertEqual(len(self.home.json("vault", "key", "list")), 1)

    def test_a_short_passphrase_is_refused(self):
        passphrase = self.directory / "passphrase"
        passphrase.write_text("short\n")
        self.home.run("init", "--passphrase-file", passphrase, expect=USAGE)
        self.assertFalse((self.home.path / "master.scrypt").exists())


class Account(CommandTest):
    def test_lint_accepts_a_good_account_and_says_so(self):
        file = self.with_account()
        self.assertEqual(self.home.json("lint", file), {"problems": [], "keysLookedFor": True, "secretsLookedFor": True})
        self.assertIn("no problems found", self.home.run("lint", file, expect=DONE).out)

    def test_lint_reports_every_problem_at_once_with_its_place(self):
        file = self.with_account()
        text = file.read_text().replace("<hostPartner>acme</hostPartner>", "<hostPartner>nobody</hostPartner>")
        text = text.replace("<encryptionCertificateName>acme<", "<encryptionCertificateName>missing<")
        file.write_text(text)
        problems = self.home.json("lint", file, expect=REFUSED)["problems"]
        errors = [problem for problem in problems if problem["severity"] == "error"]
        self.assertGreaterEqual(len(errors), 2)
        for problem in errors:
            self.assertEqual(problem["file"], str(file))
            self.assertGreater(problem["line"], 0)
            self.assertGreater(problem["column"], 0)
            self.assertNotEqual(problem["advice"], "")
        told = self.home.run("lint", file, expect=REFUSED).out
        self.assertIn("nobody", told)
        self.assertIn("missing", told)
        self.assertRegex(told, re.escape(str(file)) + r":\d+:\d+: error: ")

    def test_lint_and_apply_know_which_secrets_there_are(self):
        file = self.with_account()
        file.write_text(file.read_text().replace(
            "<receiveAgreement>", '<receiveAgreement><x:requireBasicAuthentication userName="globex" keyVault="signet"'
            ' secretName="globex-password"/>', 1))
        for command in ["lint", "apply"]:
            problems = self.home.json(command, file, expect=REFUSED)["problems"]
            self.assertTrue([problem for problem in problems if problem["path"].endswith("@secretName")], problems)
            self.assertIn("signet vault secret set --vault signet globex-password", problems[0]["advice"])

        self.home.run("vault", "secret", "set", "globex-password", "--disabled", standard_input=b"pass", expect=DONE)
        warned = self.home.json("lint", file)["problems"]
        self.assertEqual([problem["severity"] for problem in warned], ["warning"])
        self.home.run("vault", "secret", "update", "globex-password", "--enable", expect=DONE)
        self.assertTrue(self.home.json("apply", file)["applied"])

    def test_lint_works_without_a_home_and_beside_a_locked_one(self):
        file = self.with_account()
        elsewhere = Home(self.directory / "nowhere")
        elsewhere.directory.mkdir()
        self.assertEqual(elsewhere.json("lint", file), {"problems": [], "keysLookedFor": False, "secretsLookedFor": False})
        passphrase = self.directory / "passphrase"
        passphrase.write_text("correct horse battery staple\n")
        elsewhere.run("init", "--passphrase-file", passphrase, expect=DONE)
        self.assertFalse(elsewhere.json("lint", file)["secretsLookedFor"])
        self.assertIn("keys and secrets were not looked for", elsewhere.run("lint", file, expect=DONE).out)

    def test_lint_refuses_what_is_no_account(self):
        file = self.directory / "x.xml"
        for text in ["", "not XML", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<integrationAccount/>", "<a>\xff</a>"]:
            file.write_bytes(text.encode("latin-1"))
            self.assertTrue(self.home.json("lint", file, expect=REFUSED)["problems"], text)
        self.home.run("lint", self.directory / "no-such.xml", expect=NOT_FOUND)

    def test_apply_shows_the_changes_applies_them_and_is_idempotent(self):
        file = self.with_account()
        first = self.home.json("apply", file)
        self.assertTrue(first["applied"])
        self.assertIn(("added", "agreement", "trade"), [(c["change"], c["kind"], c["name"]) for c in first["changes"]])
        again = self.home.json("apply", file)
        self.assertFalse(again["applied"])
        self.assertEqual(again["changes"], [])
        self.assertIn("nothing to change", self.home.run("apply", file, expect=DONE).out)

    def test_a_dry_run_shows_the_same_and_changes_nothing(self):
        file = self.with_account()
        before = self.home.run("export", expect=DONE).out
        dry = self.home.json("apply", file, "--dry-run")
        self.assertFalse(dry["applied"])
        self.assertEqual(self.home.run("export", expect=DONE).out, before)
        wet = self.home.json("apply", file)
        self.assertEqual(dry["changes"], wet["changes"])

    def test_a_change_is_shown_with_what_it_was_and_what_it_will_be(self):
        file = self.with_account()
        self.home.run("apply", file, expect=DONE)
        file.write_text(file.read_text().replace("<compressMessage>true<", "<compressMessage>false<"))
        change = self.home.json("apply", file)["changes"][0]
        self.assertEqual((change["change"], change["kind"], change["name"]), ("changed", "agreement", "trade"))
        self.assertEqual(change["settings"], [{"path": "sendAgreement/validationSettings/compressMessage",
                                               "before": "true", "after": "false"}])

    def test_an_account_with_an_error_changes_nothing_at_all(self):
        file = self.with_account()
        self.home.run("apply", file, expect=DONE)
        before = self.home.run("export", expect=DONE).out
        text = file.read_text().replace('name="trade"', 'name="trade-2"')
        file.write_text(text.replace("<guestPartner>globex<", "<guestPartner>nobody<"))
        refused = self.home.json("apply", file, expect=REFUSED)
        self.assertFalse(refused["applied"])
        self.assertTrue(refused["problems"])
        self.assertEqual(self.home.run("export", expect=DONE).out, before)

    def test_a_private_certificate_of_another_key_is_refused(self):
        file = self.with_account()
        self.home.run("vault", "key", "create", "another", "--kind", "P-256", expect=DONE)
        file.write_text(file.read_text().replace("<keyName>acme<", "<keyName>another<"))
        for command in ["lint", "apply"]:
            problem = self.home.json(command, file, expect=REFUSED)["problems"][0]
            self.assertEqual((problem["severity"], problem["path"]), ("error", "certificate[acme]/key"))
            self.assertRegex(problem["found"], "^signet/another, which the certificate .* was not issued for$")
        self.assertIn("nothing was changed", self.home.run("apply", file, expect=REFUSED).out)

    def test_a_key_that_is_not_in_the_vault_is_missed_by_lint_and_apply(self):
        file = self.with_account()
        good = file.read_text()
        for key in ["<keyName>no-such</keyName>", f"<keyName>acme</keyName><keyVersion>{'0' * 32}</keyVersion>"]:
            file.write_text(good.replace("<keyName>acme</keyName>", key))
            for command in ["lint", "apply"]:
                problem = self.home.json(command, file, expect=REFUSED)["problems"][0]
                self.assertEqual((problem["expected"], problem["path"]), ("a key in the vault", "certificate[acme]/key"))
                self.assertGreater(problem["line"], 0)
        self.assertEqual([entry["name"] for entry in self.home.json("certificate", "list")], ["acme"])

    def test_export_gives_back_what_was_applied(self):
        file = self.with_account()
        self.home.run("apply", file, expect=DONE)
        exported = self.directory / "exported.xml"
        self.assertIn(str(exported), self.home.run("export", "--file", exported, expect=DONE).out)
        self.assertEqual(self.home.run("export", expect=DONE).out, exported.read_text())
        self.assertEqual(self.home.json("export")["xml"], exported.read_text())
        self.assertEqual(self.home.json("apply", exported)["changes"], [])
        other = self.directory / "other.xml"
        self.assertEqual(self.home.json("export", "--file", other)["file"], str(other))
        self.assertEqual(other.read_text(), exported.read_text())
        # In another home that has the same key's certificate, the same document comes out again.
        self.assertEqual(self.home.json("lint", exported)["problems"], [])

    def test_export_overwrites_nothing(self):
        self.make_home()
        mine = self.directory / "mine.xml"
        mine.write_text("mine")
        self.assertIn("is there already", self.home.run("export", "--file", mine, expect=REFUSED).err)
        self.assertEqual(mine.read_text(), "mine")
        missing = self.home.run("export", "--file", self.directory / "no-such" / "x.xml", expect=NOT_FOUND)
        self.assertIn("no-such/x.xml: ", missing.err)


class Certificates(CommandTest):
    def test_are_added_listed_shown_and_deleted(self):
        self.with_account()
        added = self.home.json("certificate", "add", "globex", self.directory / "globex.cer")
        self.assertIn("globex", json.dumps(added))
        self.assertEqual(sorted(entry["name"] for entry in self.home.json("certificate", "list")), ["acme", "globex"])
        shown = self.home.json("certificate", "show", "globex")
        self.assertIn("CN=globex", json.dumps(shown))
        self.home.json("certificate", "delete", "globex")
        self.home.run("certificate", "show", "globex", expect=NOT_FOUND)
        self.home.run("certificate", "delete", "globex", expect=NOT_FOUND)

    def test_are_shown_with_what_they_may_be_used_for_and_without_empty_lines(self):
        self.with_account()
        self.home.json("certificate", "add", "globex", self.directory / "globex.cer")
        usage = self.home.json("certificate", "show", "globex")["keyUsage"]
        self.assertIn("digitalSignature", usage)
        text = self.home.run("certificate", "show", "globex", expect=DONE).out.split("-----BEGIN")[0]
        self.assertIn("key usage    " + ", ".join(usage), text)
        for line in text.splitlines():
            self.assertRegex(line, r"^[a-zA-Z0-9 -]{12} \S")
        # One that says nothing of either.
        bare = self.directory / "bare.cer"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null", "-out", bare, "-subj",
                        "/CN=bare", "-config", "/dev/stdin"], input=b"[req]\ndistinguished_name=dn\n[dn]\n", check=True,
                       stderr=subprocess.DEVNULL)
        self.home.run("certificate", "add", "bare", bare, expect=DONE)
        as_json = self.home.json("certificate", "show", "bare")
        self.assertIsNone(as_json["keyUsage"])
        self.assertEqual((as_json["keyType"], as_json["keyBits"]), ("RSA", 2048))
        self.assertNotIn("curve", as_json)
        as_json = self.home.json("certificate", "show", "globex")
        self.assertEqual((as_json["keyType"], as_json["curve"]), ("EC", "P-256"))
        text = self.home.run("certificate", "show", "bare", expect=DONE).out
        self.assertIn("any: the certificate does not say", text)
        self.assertNotIn("also named", text)

    def test_one_that_an_agreement_names_is_not_deleted_and_the_agreement_is_named(self):
        self.home.run("apply", self.with_account(), expect=DONE)
        for name in ["acme", "globex"]:
            error = self.home.json("certificate", "delete", name, expect=REFUSED)["error"]
            self.assertIn("trade", error["message"])
            self.home.run("certificate", "show", name, expect=DONE)

    def test_a_private_key_in_the_file_is_warned_of_and_not_stored(self):
        self.with_account()
        both = self.directory / "both.pem"
        both.write_text((self.directory / "globex.cer").read_text() + TEST_KEY.read_text())
        warnings = self.home.json("certificate", "add", "both", both)["warnings"]
        self.assertTrue([warning for warning in warnings if f"{both} also holds a private key, which was not stored" in warning])
        self.assertNotIn("key", self.home.json("certificate", "show", "both"))
        self.assertEqual(self.home.json("certificate", "add", "alone", self.directory / "globex.cer")["warnings"], [])

    def test_of_a_bundle_one_certificate_is_taken(self):
        self.with_account()
        for name, files, expect in [("one", ["globex.cer"], DONE), ("two", ["globex.cer", "acme.cer"], USAGE)]:
            bundle = self.directory / f"{name}.p7b"
            named = [word for file in files for word in ("-certfile", self.directory / file)]
            subprocess.run(["openssl", "crl2pkcs7", "-nocrl", *named, "-out", bundle], check=True)
            self.home.run("certificate", "add", name, bundle, expect=expect)
        self.assertIn("PKCS#7", self.home.run("certificate", "add", "--help", expect=DONE).out)

    def test_one_in_use_is_replaced_only_where_that_is_asked_for(self):
        self.home.run("apply", self.with_account(), expect=DONE)
        before = self.home.json("certificate", "show", "globex")
        again = self.home.json("certificate", "add", "globex", self.directory / "globex.cer")
        self.assertEqual(again["change"], "unchanged")
        create = ["certificate", "create", "acme", "--key", "acme", "--common-name", "acme"]
        self.home.run("vault", "key", "create", "acme", "--kind", "P-256", expect=DONE)  # a new version
        for arguments in [["certificate", "add", "globex", self.directory / "acme.cer"], create]:
            refused = self.home.json(*arguments, expect=REFUSED)["error"]
            self.assertEqual(refused["kind"], "AlreadyExists")
            self.assertIn("agreement 'trade'", refused["message"])
            self.assertIn("--replace", refused["message"])
        self.assertEqual(self.home.json("certificate", "show", "globex"), before)

        replaced = self.home.json("certificate", "add", "globex", self.directory / "acme.cer", "--replace")
        self.assertEqual((replaced["change"], replaced["usedBy"]), ("replaced", ["agreement 'trade'"]))
        self.assertEqual(replaced["replaced"]["thumbprint"], before["thumbprint"])
        self.assertNotEqual(replaced["thumbprint"], before["thumbprint"])
        told = self.home.run(*create, "--replace", expect=DONE).out
        self.assertRegex(told, r"certificate acme replaced\nbefore +[0-9A-F]{40}\nnow +[0-9A-F]{40}\n")
        self.assertIn("agreement 'trade'", told)

    def test_a_certificate_file_that_cannot_be_written_leaves_the_account_as_it_was(self):
        self.home.run("init", expect=DONE)
        self.home.run("vault", "key", "create", "acme", "--kind", "P-256", expect=DONE)
        mine = self.directory / "mine.cer"
        mine.write_text("mine")
        create = lambda file, expect: self.home.run("certificate", "create", "acme", "--key", "acme", "--common-name", "Acme",
                                                    "--certificate-file", file, expect=expect)
        self.assertIn("no-such/x.cer: ", create(self.directory / "no-such" / "x.cer", NOT_FOUND).err)
        self.assertIn("is there already", create(mine, REFUSED).err)
        self.assertEqual(mine.read_text(), "mine")
        self.assertEqual(self.home.json("certificate", "list"), [])
        create(self.directory / "acme.cer", DONE)

    def test_a_certificate_that_is_refused_leaves_no_file(self):
        self.home.run("init", expect=DONE)
        self.home.run("vault", "key", "create", "acme", "--kind", "P-256", expect=DONE)
        file = self.directory / "acme.cer"
        self.home.run("certificate", "create", "a/b", "--key", "acme", "--common-name", "Acme", "--certificate-file", file,
                      expect=USAGE)
        self.assertEqual(list(self.directory.glob("*.cer*")), [])

    def test_one_that_nobody_uses_is_replaced(self):
        self.with_account()
        self.home.run("certificate", "add", "spare", self.directory / "globex.cer", expect=DONE)
        replaced = self.home.json("certificate", "add", "spare", self.directory / "acme.cer")
        self.assertEqual((replaced["change"], replaced["usedBy"]), ("replaced", []))

    def test_one_that_listeners_show_stays_with_its_key(self):
        account = self.with_account()  # which lacks it
        self.home.run("vault", "key", "create", "tls", "--kind", "P-256", expect=DONE)
        self.home.run("certificate", "create", "tls", "--key", "tls", "--common-name", "acme.example", expect=DONE)
        settings = self.home.path / "serve.toml"
        settings.write_text('tls-certificate = "tls"\n')
        for arguments in [["certificate", "delete", "tls"], ["apply", account], ["apply", account, "--dry-run"],
                          ["certificate", "add", "tls", self.directory / "globex.cer", "--replace"],
                          ["certificate", "create", "tls", "--key", "tls", "--common-name", "acme.example"]]:
            with self.subTest(arguments):
                self.assertIn(f"tls-certificate in {settings}", self.home.run(*arguments, expect=REFUSED).err)
        settings.write_text("tls-certificate = \n")
        self.assertIn(str(settings), self.home.run("certificate", "delete", "tls", expect=USAGE).err)
        self.assertIn("tls", [entry["name"] for entry in self.home.json("certificate", "list")])
        settings.write_text("")
        self.assertTrue(self.home.json("apply", account)["applied"])
        self.home.run("certificate", "show", "tls", expect=NOT_FOUND)

    def test_a_name_or_a_file_that_will_not_do_is_refused(self):
        self.with_account()
        self.home.run("certificate", "add", "a/b", self.directory / "globex.cer", expect=USAGE)
        self.home.run("certificate", "add", "x" * 81, self.directory / "globex.cer", expect=USAGE)
        self.home.run("certificate", "add", "x", ACCOUNT, expect=USAGE)
        self.home.run("certificate", "add", "x", self.directory / "missing.cer", expect=NOT_FOUND)
        self.home.run("certificate", "add", "x", self.directory / "globex.cer", "--key", "acme", expect=REFUSED)
        self.home.run("certificate", "add", "x", self.directory / "globex.cer", "--key", "no-such", expect=NOT_FOUND)
        self.assertEqual([entry["name"] for entry in self.home.json("certificate", "list")], ["acme"])


class Vault(CommandTest):
    def setUp(self):
        super().setUp()
        self.make_home()

    def passphrase(self, text):
        file = self.directory / "passphrase"
        file.write_text(text + "\n")
        return file

    def test_keys_are_created_listed_and_shown_without_their_private_half(self):
        self.home.run("vault", "key", "create", "acme", "--kind", "P-384", expect=DONE)
        self.home.run("vault", "key", "create", "acme", "--kind", "P-384", expect=DONE)  # a new version
        listed = self.home.json("vault", "key", "list")
        self.assertEqual(len(listed), 1)
        for text in [self.home.run("vault", "key", "show", "acme", expect=DONE).out,
                     json.dumps(self.home.json("vault", "key", "show", "acme"))]:
            self.assertIn("384", text)
            self.assertNotIn("PRIVATE", text)
        self.home.run("vault", "key", "show", "no-such", expect=NOT_FOUND)
        kinds = "RSA-2048, RSA-3072, RSA-4096, EC-P-256, EC-P-384, EC-P-521"
        self.assertIn(kinds, self.home.run("vault", "key", "create", "acme", "--kind", "RSA-1024", expect=USAGE).err)
        self.assertIn(kinds, " ".join(self.home.run("vault", "key", "create", "--help", expect=DONE).out.split()))
        self.assertEqual(self.home.json("vault", "key", "create", "named", "--kind", "EC-P-256")["kind"], "EC-P-256")
        self.home.run("vault", "key", "create", "not a name", expect=USAGE)

    def test_what_a_key_may_do_and_when_is_changed_later(self):
        made = self.home.json("vault", "key", "create", "acme", "--kind", "P-256", "--expires", "2040-01-01T00:00:00Z")
        update = lambda *options, expect=DONE: self.home.json("vault", "key", "update", "acme", *options, expect=expect)
        self.assertFalse(update("--disable")["enabled"])
        self.assertIn("disabled", self.home.run("vault", "key", "list", expect=DONE).out)
        self.home.run("certificate", "create", "acme", "--key", "acme", "--common-name", "Acme", expect=DENIED)
        enabled = update("--enable")
        self.assertTrue(enabled["enabled"])
        self.assertEqual(enabled["expires"], made["expires"], "what is not mentioned stays")
        self.assertEqual(enabled["keyOps"], made["keyOps"])
        self.assertEqual(enabled["publicKey"], made["publicKey"])
        self.assertEqual(enabled["keyOps"], ["sign", "verify", "decrypt"])
        self.assertEqual(update("--ops", "sign,verify")["keyOps"], ["sign", "verify"])
        self.assertEqual(update("--not-before", "2030-05-06T07:08:09Z")["notBefore"], "2030-05-06T07:08:09.000Z")
        self.home.run("certificate", "create", "acme", "--key", "acme", "--common-name", "Acme", expect=DENIED)
        dateless = update("--not-before", "none", "--expires", "none")
        self.assertIsNone(dateless["notBefore"])
        self.assertIsNone(dateless["expires"])
        self.home.run("certificate", "create", "acme", "--key", "acme", "--common-name", "Acme", expect=DONE)
        self.assertEqual(self.home.json("vault", "key", "show", "acme")["updated"], dateless["updated"])

    def test_tags_are_kept_replaced_and_taken_away(self):
        self.home.run("vault", "secret", "set", "acme", "--tag", "owner=edi", standard_input=b"x", expect=DONE)
        made = self.home.json("vault", "key", "create", "acme", "--kind", "P-256", "--tag", "owner=edi", "--tag", "stage=a=b")
        self.assertEqual(made["tags"], {"owner": "edi", "stage": "a=b"})
        for kind in ["key", "secret"]:
            with self.subTest(kind):
                update = lambda *options: self.home.json("vault", kind, "update", "acme", *options)
                self.assertEqual(update("--enable")["tags"]["owner"], "edi", "what is not mentioned stays")
                self.assertEqual(update("--tag", "stage=live")["tags"], {"stage": "live"})
                self.assertIn("stage=live", self.home.run("vault", kind, "show", "acme", expect=DONE).out)
                for refused in [["--tag", "none", "--tag", "a=b"], ["--tag", "a=1", "--tag", "a=2"], ["--tag", "=x"], ["--tag", ""],
                                ["--tag", "a=" + "x" * 257], [word for i in range(16) for word in ("--tag", f"{i}=")]]:
                    self.home.run("vault", kind, "update", "acme", *refused, expect=USAGE)
                self.assertEqual(update("--tag", "none")["tags"], {})

    def make_both(self, name="acme"):
        self.home.run("vault", "key", "create", name, "--kind", "P-256", expect=DONE)
        self.home.run("vault", "secret", "set", name, standard_input=b"x", expect=DONE)

    def test_what_is_deleted_is_recovered_or_purged(self):
        self.make_both()
        value = self.passphrase("value")
        make = {"key": ["create", "acme", "--kind", "P-256"], "secret": ["set", "acme", "--value-file", value]}
        for kind in ["key", "secret"]:
            with self.subTest(kind):
                run = lambda *words, expect=DONE: self.home.json("vault", kind, *words, expect=expect)
                gone = run("delete", "acme")
                self.assertLess(gone["deleted"], gone["scheduledPurge"])
                self.assertEqual(run("deleted"), [gone])
                self.assertIn("acme ", self.home.run("vault", kind, "deleted", expect=DONE).out)
                self.assertEqual(run("list"), [])
                run("show", "acme", expect=NOT_FOUND)
                self.assertEqual(run(*make[kind], expect=REFUSED)["error"]["kind"], "DeletedButRecoverable")
                self.assertEqual(run("recover", "acme")["version"], gone["version"])
                run("recover", "acme", expect=NOT_FOUND)
                run("purge", "acme", expect=NOT_FOUND)
                run("delete", "acme")
                run("purge", "acme")
                self.assertEqual(run("deleted"), [])
        self.make_both()

    def test_purge_protection_stays_on(self):
        self.assertEqual(self.home.json("vault", "settings", "show"), {"vault": "signet", "retentionDays": 90, "purgeProtection": False})
        self.make_both()
        self.home.run("vault", "settings", "set", expect=USAGE)
        self.home.run("vault", "settings", "set", "--retention-days", "6", expect=USAGE)
        self.home.run("vault", "settings", "set", "--retention-days", "30", "--purge-protection", expect=DONE)
        self.home.run("vault", "settings", "set", "--retention-days", "7", expect=REFUSED)
        self.assertEqual(self.home.json("vault", "settings", "set", "--retention-days", "31")["purgeProtection"], True)
        self.home.run("vault", "key", "delete", "acme", expect=DONE)
        self.assertIn("purge protection", self.home.run("vault", "key", "purge", "acme", expect=DENIED).err)

    def test_a_key_that_a_certificate_links_to_is_not_deleted(self):
        self.make_both()
        self.home.run("certificate", "create", "acme-2026", "--key", "acme", "--common-name", "Acme", expect=DONE)
        self.assertIn("certificate 'acme-2026'", self.home.run("vault", "key", "delete", "acme", expect=REFUSED).err)
        self.home.run("certificate", "delete", "acme-2026", expect=DONE)
        self.home.run("vault", "key", "delete", "acme", expect=DONE)

    def test_a_backup_is_taken_back_and_nothing_else_is(self):
        self.make_both()
        other = Home(self.directory / "other")
        other.run("init", expect=DONE)
        for kind in ["key", "secret"]:
            with self.subTest(kind):
                run = lambda *words, expect=DONE: self.home.json("vault", kind, *words, expect=expect)
                before = run("show", "acme")
                file = self.directory / f"{kind}.backup"
                run("backup", "acme", "--file", file)
                run("backup", "acme", "--file", file, expect=REFUSED)
                self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
                self.assertEqual(run("restore", file, expect=REFUSED)["error"]["kind"], "AlreadyExists")
                other.run("vault", kind, "restore", file, expect=USAGE)
                edited = self.directory / f"{kind}.edited"
                blob = file.read_bytes()
                edited.write_bytes(blob[:-1] + bytes([blob[-1] ^ 1]))
                run("delete", "acme")
                self.assertEqual(run("restore", file, expect=REFUSED)["error"]["kind"], "DeletedButRecoverable")
                run("purge", "acme")
                run("restore", edited, expect=USAGE)
                run("restore", file)
                self.assertEqual(run("show", "acme"), before)
        self.home.run("vault", "key", "restore", self.directory / "secret.backup", expect=USAGE)

    def test_keys_are_rotated_by_hand_and_by_policy(self):
        self.make_both()
        show = lambda: self.home.json("vault", "key", "rotation", "show", "acme")
        self.assertEqual(show(), {"expiryTime": None, "rotate": None, "notify": "timeBeforeExpiry P30D"})
        first = self.home.json("vault", "key", "show", "acme")
        self.home.json("vault", "key", "rotation", "set", "acme", "--expiry", "P90D", "--rotate", "timeBeforeExpiry P30D", "--notify", "none")
        self.assertEqual(show(), {"expiryTime": "P90D", "rotate": "timeBeforeExpiry P30D", "notify": None})
        for wrong in [[], ["--expiry", "90"], ["--expiry", "P1D"], ["--rotate", "P30D"], ["--rotate", "timeBeforeExpiry P90D"]]:
            self.home.run("vault", "key", "rotation", "set", "acme", *wrong, expect=USAGE)
        rotated = self.home.json("vault", "key", "rotate", "acme")
        self.assertNotEqual(rotated["version"], first["version"])
        self.assertIsNotNone(rotated["expires"])
        self.home.run("vault", "key", "update", "acme", "--expires", "2020-01-01", expect=DONE)
        self.home.start()
        self.assertEqual(self.home.stop(), 0)
        versions = self.home.json("vault", "key", "show", "acme")["versions"]
        self.assertEqual(len(versions), 3, "the gateway rotated what was due")
        self.assertIn('"event":"key-rotated"', self.home.log.read_text())
        self.assertIn("by its rotation policy", (self.home.path / "audit.log").read_text())

    def test_what_is_over_already_is_warned_of(self):
        passphrase = self.passphrase("secret")
        for arguments in [["key", "create", "old", "--kind", "P-256"], ["key", "update", "old"],
                          ["key", "import", "java", PFX / "java.p12", "--passphrase-file", passphrase],
                          ["secret", "set", "globex", "--value-file", passphrase], ["secret", "update", "globex"]]:
            with self.subTest(arguments):
                over = self.home.json("vault", *arguments, "--expires", "2020-01-01T00:00:00Z")
                self.assertIn("expired at 2020-01-01", over["warnings"][0])
                self.assertIn("\nwarning: the ", self.home.run("vault", *arguments, "--expires", "2020-01-01T00:00:00Z").out)
                self.assertEqual(self.home.json("vault", *arguments, "--expires", "2040-01-01T00:00:00Z")["warnings"], [])

    def test_one_version_of_a_key_is_changed_and_no_other(self):
        old = self.home.json("vault", "key", "create", "acme", "--kind", "P-256")["version"]
        new = self.home.json("vault", "key", "create", "acme", "--kind", "P-256")["version"]
        self.assertEqual(self.home.json("vault", "key", "update", "acme", "--key-version", old, "--disable")["version"], old)
        self.assertFalse(self.home.json("vault", "key", "show", "acme", "--key-version", old)["enabled"])
        self.assertTrue(self.home.json("vault", "key", "show", "acme")["enabled"])
        self.assertEqual(self.home.json("vault", "key", "update", "acme", "--expires", "2040-01-01T00:00:00Z")["version"], new)
        versions = [(version["version"], version["enabled"], version["notBefore"], version["expires"])
                    for version in self.home.json("vault", "key", "show", "acme")["versions"]]
        self.assertEqual(versions, [(new, True, None, "2040-01-01T00:00:00.000Z"), (old, False, None, None)])
        self.assertEqual(self.home.json("vault", "key", "update", "acme", "--disable")["version"], new)

    def test_a_change_that_will_not_do_is_refused_and_changes_nothing(self):
        self.home.run("vault", "key", "create", "acme", "--kind", "P-256", expect=DONE)
        before = self.home.json("vault", "key", "show", "acme")
        self.home.run("vault", "key", "update", "no-such", "--disable", expect=NOT_FOUND)
        self.home.run("vault", "key", "update", "acme", "--key-version", "0" * 32, "--disable", expect=NOT_FOUND)
        for options in [[], ["--enable", "--disable"], ["--ops", "fly"], ["--expires", "tomorrow"], ["--not-before", ""],
                        ["--not-before", "2031-01-01T00:00:00Z", "--expires", "2030-01-01T00:00:00Z"],
                        ["--ops", "wrapKey"]]:
            with self.subTest(options):
                self.assertNotEqual(self.home.run("vault", "key", "update", "acme", *options, expect=USAGE).err, "")
        self.assertEqual(self.home.json("vault", "key", "show", "acme"), before)

    def test_keys_of_other_producers_are_imported(self):
        for name, file, passphrase in [("gnutls", "gnutls.p12", "secret"), ("java", "java.p12", "secret"),
                                       ("openssl", "ossl-aes256.pfx", "secret"), ("tripledes", "ossl-3des.pfx", "secret"),
                                       ("empty", "ossl-emptypass.pfx", ""), ("certfirst", "pem-pkcs8-certfirst.pem", None),
                                       ("encrypted", "pem-pkcs8-encrypted.pem", "secret")]:
            with self.subTest(file):
                certificate = self.directory / f"{name}.cer"
                options = [] if passphrase is None else ["--passphrase-file", self.passphrase(passphrase)]
                self.home.json("vault", "key", "import", name, PFX / file, *options, "--certificate-file", certificate)
                self.home.run("certificate", "add", name, certificate, "--key", name, expect=DONE)
        self.assertEqual(len(self.home.json("vault", "key", "list")), 7)

    def test_a_certificate_file_that_cannot_be_written_leaves_the_vault_as_it_was(self):
        mine = self.directory / "mine.cer"
        mine.write_text("mine")
        take = lambda file, certificate, expect: self.home.run(
            "vault", "key", "import", "x", file, "--passphrase-file", self.passphrase("secret"), "--certificate-file",
            certificate, expect=expect)
        self.assertIn("no-such/x.cer: ", take(PFX / "java.p12", self.directory / "no-such" / "x.cer", NOT_FOUND).err)
        self.assertIn("is there already", take(PFX / "java.p12", mine, REFUSED).err)
        self.assertIn("holds no certificate", take(TEST_KEY, self.directory / "x.cer", NOT_FOUND).err)
        self.assertEqual(mine.read_text(), "mine")
        self.assertEqual(self.home.json("vault", "key", "list"), [])
        self.home.run("vault", "key", "import", "no_name", PFX / "java.p12", "--passphrase-file", self.passphrase("secret"),
                      "--certificate-file", self.directory / "x.cer", expect=USAGE)
        self.assertFalse((self.directory / "x.cer").exists(), "no key, no certificate")

    def test_what_is_no_usable_key_is_refused_and_leaves_nothing(self):
        for file, passphrase in [("ossl-nokey.pfx", "secret"), ("pem-pkcs1.pem", None), ("pem-wrongkey.pem", None),
                                 ("ossl-aes256.pfx", "wrong"), ("ossl-aes256.pfx", None), ("README.md", None)]:
            with self.subTest((file, passphrase)):
                options = [] if passphrase is None else ["--passphrase-file", self.passphrase(passphrase)]
                error = self.home.run("--output", "json", "vault", "key", "import", "x", PFX / file, *options)
                self.assertIn(error.returncode, (REFUSED, USAGE))
                self.assertIn("message", json.loads(error.err.splitlines()[-1])["error"])
        self.assertEqual(self.home.json("vault", "key", "list"), [])

    def test_a_passphrase_that_is_wrong_or_missing_is_told_with_what_to_do(self):
        take = lambda *options: self.home.run("vault", "key", "import", "x", PFX / "java.p12", *options, expect=REFUSED).err
        self.assertIn("the one is needed that it was exported with", take("--passphrase-file", self.passphrase("wrong")))
        self.assertIn("is encrypted: its passphrase is needed; give it by --passphrase-file", take())

    def test_policies_are_set_and_shown(self):
        self.assertIn("decrypt,sign,get,list", self.home.run("vault", "policy", "show", expect=DONE).out)
        self.home.run("vault", "policy", "set", "--principal", "gateway", "--key-permissions", "get,list", expect=DONE)
        shown = json.dumps(self.home.json("vault", "policy", "show"))
        self.assertIn("gateway", shown)
        self.assertNotIn("decrypt", shown)
        self.home.run("vault", "policy", "set", "--principal", "gateway", "--key-permissions", "fly", expect=USAGE)

    def test_a_policy_keeps_what_is_not_mentioned_and_ends_by_name_only(self):
        def policy():
            return {entry["principal"]: (entry["keyPermissions"], entry["secretPermissions"])
                    for entry in self.home.json("vault", "policy", "show")}

        usual = ["decrypt", "sign", "get", "list"]
        self.assertEqual(policy(), {"gateway": (usual, ["get"])})
        self.home.run("vault", "policy", "set", "--secrets", "get,list", expect=DONE)
        self.assertEqual(policy(), {"gateway": (usual, ["get", "list"])})
        self.home.run("vault", "policy", "set", "--key-permissions", "none", "--secret-permissions", "list", expect=DONE)
        self.assertEqual(policy(), {"gateway": ([], ["list"])})
        for options in [[], ["--key-permissions", ""], ["--secrets", " "], ["--secrets", "sign"], ["--secrets", "none,get"]]:
            with self.subTest(options):
                refused = self.home.run("vault", "policy", "set", *options, expect=USAGE).err
                self.assertIn("'none'" if options != ["--secrets", "sign"] else "'sign'", refused)
        self.assertEqual(policy(), {"gateway": ([], ["list"])})
        self.home.run("vault", "policy", "set", "--secrets", "None", expect=DONE)
        self.assertEqual(policy(), {})

    def test_certificates_are_made_requested_merged_and_imported(self):
        def run(*arguments, expect=DONE):
            return self.home.run("vault", "certificate", *arguments, expect=expect)

        def value(*arguments):
            return self.home.json("vault", "certificate", *arguments)

        made = value("create", "own", "--subject", "CN=as2.acme.example, O=Acme", "--kind", "P-256", "--tag", "team=edi")
        self.assertEqual(made["status"], "completed")
        refused = run("create", "two", "--subject", "CN=b", "--issuer", "self", "--request-file", self.home.path, expect=REFUSED)
        self.assertIn("is there already", refused.err)
        run("show", "two", expect=NOT_FOUND)
        shown = value("show", "own")
        self.assertEqual((shown["subject"], shown["tags"]), ("CN=as2.acme.example,O=Acme", {"team": "edi"}))
        self.assertEqual(shown["policy"]["issuer"]["name"], "Self")
        self.assertEqual([key["version"] for key in self.home.json("vault", "key", "list")], [shown["version"]])
        self.home.run("vault", "secret", "delete", "own", expect=DENIED)

        csr, key, certificate = (self.directory / name for name in ("c.csr", "ca.key", "c.cer"))
        run("create", "requested", "--subject", "CN=b", "--kind", "P-256", "--issuer", "unknown", "--request-file", csr)
        run("create", "requested", "--subject", "CN=b", expect=REFUSED)
        openssl = lambda *arguments: subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                self.directory / "ca.cer", "-subj", "/CN=CA")
        run("merge", "requested", self.directory / "ca.cer", expect=USAGE)
        openssl("x509", "-req", "-in", csr, "-CA", self.directory / "ca.cer", "-CAkey", key, "-CAcreateserial", "-out", certificate)
        self.assertEqual(value("list"), [value("versions", "own")[0]])
        self.assertEqual(len(value("list", "--pending")), 2)
        merged = value("merge", "requested", self.directory / "ca.cer", certificate)
        self.assertEqual((merged["subject"], len(merged["pem"])), ("CN=b", 2))
        self.assertEqual(value("pending", "requested")["status"], "completed")

        imported = value("import", "taken", PFX / "ossl-aes256.pfx", "--passphrase-file", self.passphrase("secret"))
        self.assertEqual(imported["policy"]["issuer"]["name"], "Unknown")
        run("import", "x", PFX / "ossl-aes256.pfx", "--passphrase-file", self.passphrase("wrong"), expect=REFUSED)
        run("import", "x", PFX / "ossl-nokey.pfx", "--passphrase-file", self.passphrase("secret"), expect=USAGE)

        blob = self.directory / "own.backup"
        run("backup", "own", blob)
        self.assertEqual(stat.S_IMODE(blob.stat().st_mode), 0o600)
        version = value("show", "own")["version"]
        run("delete", "own")
        self.assertEqual([item["name"] for item in value("deleted")], ["own"])
        run("create", "own", expect=REFUSED)
        run("recover", "own")
        run("delete", "own")
        run("purge", "own")
        run("show", "own", expect=NOT_FOUND)
        self.assertEqual(value("restore", blob)["version"], version)
        run("restore", blob, expect=REFUSED)

        self.assertEqual(value("policy", "own", "--months", "6")["x509_props"]["validity_months"], 6)
        self.assertFalse(value("update", "own", "--disable")["enabled"])
        run("contacts", "set", "edi@acme.example")
        self.assertEqual([contact["email"] for contact in value("contacts", "show")], ["edi@acme.example"])
        run("issuer", "set", "ca", "--provider", "Test", "--password-file", self.passphrase("open sesame"))
        self.assertNotIn("sesame", json.dumps(value("issuer", "list")))
        self.home.run("vault", "policy", "set", "--certificate-permissions", "get,managecontacts", expect=DONE)
        self.assertEqual(self.home.json("vault", "policy", "show")[0]["certificatePermissions"], ["get", "managecontacts"])

    def test_secrets_are_set_listed_shown_changed_and_deleted_and_never_printed(self):
        printed = ""

        def run(*arguments, expect=DONE, **more):
            nonlocal printed
            done = self.home.run("vault", "secret", *arguments, expect=expect, **more)
            printed += done.out + done.err
            return done

        value = self.directory / "value"
        value.write_text("first-battery-staple\n")
        run("set", "globex", "--value-file", value, "--content-type", "password", "--expires", "2030-01-01T00:00:00Z")
        run("set", "globex", "--value-file", "/dev/stdin", standard_input=b"second-battery-staple")
        run("set", "Initech", standard_input=b"third-battery-staple\r\n")
        shown = self.home.json("vault", "secret", "show", "globex")
        self.assertEqual([(version["enabled"], version["expires"]) for version in shown["versions"]],
                         [(True, None), (True, "2030-01-01T00:00:00.000Z")])
        self.assertEqual(shown["contentType"], "", "of the newest version")
        first = self.home.json("vault", "secret", "show", "globex", "--secret-version", shown["versions"][1]["version"])
        self.assertEqual((first["contentType"], first["expires"][:4]), ("password", "2030"))
        self.assertEqual([secret["name"] for secret in self.home.json("vault", "secret", "list")], ["globex", "Initech"])
        run("show", "globex")
        run("list")

        run("update", "globex", "--disable", "--content-type", "old")
        changed = self.home.json("vault", "secret", "show", "globex")
        self.assertEqual((changed["enabled"], changed["contentType"]), (False, "old"))
        run("update", "globex", "--enable", "--not-before", "2020-01-01T00:00:00Z")
        self.assertEqual(self.home.json("vault", "secret", "show", "globex")["contentType"], "old", "what is not mentioned stays")

        run("delete", "globex")
        run("show", "globex", expect=NOT_FOUND)
        run("delete", "globex", expect=NOT_FOUND)
        self.assertNotIn("staple", printed)
        content = b"".join(file.read_bytes() for file in sorted(self.home.path.rglob("*")) if file.is_file())
        self.assertIn(b"Initech", content, "names are there, so the search would find a value")
        self.assertNotIn(b"staple", content)

    def test_what_is_no_secret_is_refused(self):
        for arguments, given in [(["empty"], b""), (["line-end"], b"\n"), (["long"], b"x" * 25_601), (["no/name"], b"x"),
                                 (["x", "--not-before", "tomorrow"], b"x"), (["x", "--content-type", "a\nb"], b"x"),
                                 (["x", "--not-before", "2027-01-01T00:00:00Z", "--expires", "2026-01-01T00:00:00Z"], b"x")]:
            with self.subTest(arguments):
                self.home.run("vault", "secret", "set", *arguments, standard_input=given, expect=USAGE)
        self.home.run("vault", "secret", "set", "x", "--value-file", self.directory / "missing", expect=NOT_FOUND)
        self.home.run("vault", "secret", "update", "x", expect=USAGE)
        self.home.run("vault", "secret", "update", "x", "--disable", expect=NOT_FOUND)
        self.assertEqual(self.home.json("vault", "secret", "list"), [])

    def test_no_private_key_lies_open_anywhere_in_the_home(self):
        pem = TEST_KEY.read_text()
        self.home.run("vault", "key", "import", "acme", TEST_KEY, expect=DONE)
        self.home.run("certificate", "create", "acme", "--key", "acme", "--common-name", "Acme", expect=DONE)
        self.home.start()
        self.assertEqual(self.home.stop(), 0)

        key = rsa_numbers(pem)
        content = b"".join(file.read_bytes() for file in sorted(self.home.path.rglob("*")) if file.is_file())
        content += self.home.log.read_bytes()
        self.assertIn(key["modulus"], content, "the public half is there, so the search would find a private one")
        for name in ["private exponent", "prime 1", "prime 2", "exponent 1", "exponent 2", "coefficient"]:
            number = key[name]
            for form in [number, number[::-1], number.hex().encode(), number.hex().upper().encode()]:
                self.assertNotIn(form[:32], content, name)
                self.assertNotIn(form[-32:], content, name)
            for shift in range(3):  # base64 at each of the three ways to be aligned
                self.assertNotIn(base64.b64encode(number[shift:])[:40], content, name)
        for line in pem.splitlines()[2:-2]:
            self.assertNotIn(line.encode(), content)


def rsa_numbers(pem):
    """The numbers of an RSA key in PKCS#8 PEM, as octets."""

    def read(der):
        """The first element: its tag, its content, what follows."""
        size, begin = der[1], 2
        if size >= 0x80:
            begin += size & 0x7F
            size = int.from_bytes(der[2:begin], "big")
        return der[0], der[begin:begin + size], der[begin + size:]

    _, info, _ = read(base64.b64decode("".join(pem.splitlines()[1:-1])))
    _, _, rest = read(info)  # version
    _, _, rest = read(rest)  # algorithm
    _, octets, _ = read(rest)
    _, rest, _ = read(octets)
    names = ["version", "modulus", "public exponent", "private exponent", "prime 1", "prime 2", "exponent 1", "exponent 2",
             "coefficient"]
    numbers = {}
    for name in names:
        _, number, rest = read(rest)
        numbers[name] = number.lstrip(b"\0")
    return numbers


class Serve(CommandTest):
    def setUp(self):
        super().setUp()
        self.make_home()

    def test_ends_cleanly_on_sigterm_and_on_sigint(self):
        for how in [signal.SIGTERM, signal.SIGINT]:
            self.home.start()
            self.home.gateway.send_signal(how)
            self.assertEqual(self.home.gateway.wait(timeout=60), 0)
            self.assertIn('"event":"stopped"', self.home.log.read_text())

    def test_logs_one_line_of_json_per_event(self):
        self.home.start()
        self.assertEqual(self.home.stop(), 0)
        events = [json.loads(line)["event"] for line in self.home.log.read_text().splitlines()]
        self.assertIn("listening", events)
        self.assertIn("serving", events)

    def test_an_unknown_setting_in_serve_toml_is_refused_by_name(self):
        (self.home.path / "serve.toml").write_text('listn = ["127.0.0.1:0"]\n')
        done = self.home.run("serve", expect=USAGE)
        self.assertIn("'listn'", done.err)
        self.assertIn("serve.toml", done.err)

    def test_a_value_in_serve_toml_that_will_not_do_is_refused(self):
        for text in ['stranger-answer = "shout"\n', 'body-limit = "much"\n', 'workers = -1\n', 'host = ""\n']:
            (self.home.path / "serve.toml").write_text(text)
            self.assertIn("serve.toml", self.home.run("serve", "--listen", "127.0.0.1:0", expect=USAGE).err)

    def test_a_setting_of_the_command_line_that_will_not_do_is_refused(self):
        for option, value in [("--workers", "100000"), ("--path", "as2"), ("--receipt-path", "/as2"), ("--host", "a b"),
                              ("--listen", "127.0.0.1:70000"), ("--listen", "localhost:0"), ("--minimum-free-disk", "-1"),
                              ("--expiry-notice", "-1"), ("--expiry-notice", "soon")]:
            with self.subTest((option, value)):
                error = self.home.run("serve", option, value, expect=USAGE).err
                self.assertIn(option.strip("-"), error)
                self.assertLess(len(error), 300)

    def test_serve_toml_is_heeded_and_the_command_line_wins(self):
        (self.home.path / "serve.toml").write_text('listen = ["127.0.0.1:1"]\npath = "/inbound"\nlog-level = "debug"\n')
        self.home.start()  # with --listen, which wins
        self.assertEqual(self.post("/as2"), 404)
        self.assertEqual(self.post("/inbound"), 400)
        self.assertEqual(self.home.stop(), 0)

    def post(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.home.port, timeout=60)
        try:
            connection.request("POST", path, b"x")
            return connection.getresponse().status
        finally:
            connection.close()

    def test_an_address_that_cannot_be_taken_is_named(self):
        self.home.start()
        other = Home(self.directory / "other")
        other.directory.mkdir()
        other.run("init", expect=DONE)
        done = other.run("serve", "--listen", f"127.0.0.1:{self.home.port}", expect=UNAVAILABLE)
        self.assertIn(f"listener 'as2' cannot have 127.0.0.1 port {self.home.port}: Address already in use; end what listens there", done.err)
        self.assertIn("expected a listener", other.run("serve", "--listen", "nonsense", expect=USAGE).err)

    def test_a_tls_listener_needs_a_certificate(self):
        done = self.home.run("serve", "--listen-tls", "127.0.0.1:0", expect=USAGE)
        self.assertIn("--tls-certificate", done.err)
        self.home.run("serve", "--listen-tls", "127.0.0.1:0", "--tls-certificate", "no-such", expect=NOT_FOUND)

    def test_one_home_has_one_gateway(self):
        self.home.start()
        second = self.home.run("serve", "--listen", "127.0.0.1:0")
        self.assertNotEqual(second.returncode, DONE)
        self.assertNotEqual(second.err, "")


class TwoCompanies(CommandTest):
    """Two homes: Acme sends by the command, Globex serves."""

    DOCUMENT = b"ISA*00*\x00\xff the order~\n"

    def fill_home(self, home):
        globex = Home(home.directory / "globex")
        globex.directory.mkdir()
        self.make_company(home, "acme")
        self.make_company(globex, "globex")
        shutil.copy(globex.directory / "globex.cer", home.directory)
        shutil.copy(home.directory / "acme.cer", globex.directory)
        globex.run("apply", self.account_xml(globex, host="globex", guest="acme"), expect=DONE)

    def setUp(self):
        super().setUp()
        self.copy_template()
        self.globex = Home(self.directory / "globex")
        self.addCleanup(self.globex.stop)
        self.document = self.directory / "order.edi"
        self.document.write_bytes(self.DOCUMENT)
        self.start()

    def start(self):
        self.globex.start()
        self.home.run("apply", self.account_xml(self.home, url=f"http://127.0.0.1:{self.globex.port}/as2"), expect=DONE)

    def send(self, *arguments, expect=DONE):
        return self.home.json("send", "--agreement", "trade", self.document, *arguments, expect=expect)

    def received(self, message_id):
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            record = self.globex.json("message", "list", "--message-id", message_id)[0]
            if record["state"] != "accepted" or time.monotonic() > deadline:
                return record
            time.sleep(0.01)


class Exchange(TwoCompanies):
    def test_a_message_is_sent_listed_shown_and_read_on_both_sides(self):
        sent = self.send("--subject", "Order 7")
        self.assertEqual(sent["state"], "confirmed")
        self.assertIn("processed", sent["disposition"])
        received = self.received(sent["messageId"])
        self.assertEqual(received["state"], "delivered")
        self.assertEqual(received["mic"], sent["mic"])
        self.assertEqual(received["subject"], "Order 7")
        self.assertEqual(pathlib.Path(received["deliveredTo"]).read_bytes(), self.document.read_bytes())

        by_prefix = self.globex.json("message", "show", received["id"][:8])
        self.assertEqual(by_prefix["id"], received["id"])
        self.assertEqual(self.globex.json("message", "show", sent["messageId"])["id"], received["id"])
        self.assertEqual(self.globex.run("message", "body", received["id"], expect=DONE).stdout, self.document.read_bytes())
        self.assertEqual(self.home.run("message", "body", sent["id"], expect=DONE).stdout, self.document.read_bytes())
        for home, message in [(self.home, sent), (self.globex, received)]:
            receipt = home.run("message", "receipt", message["id"], expect=DONE).out
            self.assertIn(f"Original-Message-ID: {sent['messageId']}", receipt)
            self.assertIn(sent["mic"], receipt)

        file = self.directory / "mdn.txt"
        self.assertIn(str(file), self.home.run("message", "receipt", sent["id"], "--file", file, expect=DONE).out)
        self.assertIn(b"Disposition: ", file.read_bytes())
        self.assertEqual(self.home.run("message", "receipt", sent["id"], "--file", file).returncode, REFUSED, "it is there already")

    def test_what_a_message_holds_is_there_for_programs(self):
        sent = self.send()
        for what in ["body", "receipt", "wire"]:
            with self.subTest(what):
                octets = self.home.run("message", what, sent["id"], expect=DONE).stdout
                inside = self.home.json("message", what, sent["id"])
                self.assertEqual((inside["id"], inside["size"]), (sent["id"], len(octets)))
                self.assertEqual(base64.b64decode(inside["octets"]), octets)
                file = self.directory / f"{what}.out"
                beside = self.home.json("message", what, sent["id"], "--file", file)
                self.assertEqual((beside["file"], beside["size"], file.read_bytes()), (str(file), len(octets), octets))
                self.assertNotIn("octets", beside)
                self.home.json("message", what, sent["id"], "--file", file, expect=REFUSED)
                self.home.json("message", what, "0123456789", expect=NOT_FOUND)
        self.assertEqual(self.home.json("message", "body", sent["id"])["contentType"], "application/EDI-X12")
        self.assertEqual(self.home.json("message", "receipt", sent["id"])["httpStatus"], 200)
        self.assertIn({"name": "Message-ID", "value": sent["messageId"]}, self.home.json("message", "wire", sent["id"])["headers"])

    def test_message_ids_name_our_host(self):
        machine = "".join(c for c in socket.gethostname() if c.isalnum() or c in "-._")
        self.assertTrue(self.send()["messageId"].endswith(f"@{machine}>"), "unless told otherwise")
        (self.home.path / "serve.toml").write_text('host = "as2.acme.example"\n')
        self.assertRegex(self.send()["messageId"], "^<[0-9a-f]{32}@as2.acme.example>$")
        self.assertRegex(self.send("--host", "edi.acme.example")["messageId"], "@edi.acme.example>$")
        (self.home.path / "serve.toml").write_text('hsot = "as2.acme.example"\n')
        self.assertIn("hsot", self.send(expect=USAGE)["error"]["message"])

    def test_messages_are_listed_by_what_they_are(self):
        first = self.send()["messageId"]
        second = self.send()["messageId"]
        self.received(second)
        ids = lambda *options: [record["messageId"] for record in self.globex.json("message", "list", *options)]
        self.assertEqual(ids(), [second, first])
        self.assertEqual(ids("--limit", "1"), [second])
        for limit in ["-1", "0", "many"]:
            self.assertIn(f"--limit: expected a whole number of 1 or more, got {limit};",
                          self.globex.run("message", "list", "--limit", limit, expect=USAGE).err)
        self.assertEqual(ids("--direction", "outbound"), [])
        self.assertEqual(ids("--state", "refused"), [])
        self.assertEqual(ids("--agreement", "trade", "--message-id", first), [first])
        self.assertIn(first, self.globex.run("message", "list", expect=DONE).out)
        self.globex.run("message", "list", "--direction", "sideways", expect=USAGE)
        self.globex.run("message", "list", "--state", "unwell", expect=USAGE)
        self.globex.run("message", "show", "0123456789", expect=NOT_FOUND)

    def test_an_agreement_with_messages_that_are_not_handed_over_is_not_removed_without_a_warning(self):
        (self.globex.path / "delivery" / "trade").write_text("a file where the folder should be")
        sent = self.send()
        self.assertEqual(self.globex.json("message", "list", "--message-id", sent["messageId"])[0]["state"], "accepted")
        account = self.globex.directory / "account.xml"
        text = account.read_text()
        account.write_text(re.sub(r"<agreements>.*</agreements>", "", text, flags=re.S))
        dry = self.globex.json("apply", account, "--dry-run")
        self.assertRegex(dry["warnings"][0], "'trade'.* 1;")
        self.assertIn("warning: messages of agreement 'trade'", self.globex.run("apply", account, expect=DONE).out)
        account.write_text(text)
        self.assertEqual(self.globex.json("apply", account)["warnings"], [])
        (self.globex.path / "delivery" / "trade").unlink()
        waited = self.globex.json("message", "wait", sent["messageId"], "--timeout", str(2 * int(START_TIMEOUT)))
        self.assertEqual(waited["state"], "delivered", "once it is back, without a new start")

    def test_an_agreement_with_messages_that_are_not_sent_is_not_removed_without_a_warning(self):
        self.globex.stop()
        self.send("--queue")
        self.send("--queue")
        account = self.home.directory / "account.xml"
        account.write_text(re.sub(r"<agreements>.*</agreements>", "", account.read_text(), flags=re.S))
        warnings = self.home.json("apply", account, "--dry-run")["warnings"]
        self.assertEqual(len(warnings), 1)
        self.assertRegex(warnings[0], "'trade' that are not sent yet: 2; without it they fail")
        self.home.run("apply", account, expect=DONE)
        # ... which is true.
        queued = self.home.json("message", "list", "--state", "queued")[0]
        self.home.start()
        failed = self.home.json("message", "wait", queued["id"], "--timeout", str(int(START_TIMEOUT)), expect=REFUSED)
        self.assertIn("'trade' is gone", failed["reason"])


class Send(TwoCompanies):
    """What becomes of what is sent, and of what cannot be."""

    def test_the_exit_code_is_0_only_for_a_receipt_that_proves_delivery(self):
        self.globex.run("vault", "policy", "set", "--principal", "gateway", "--key-permissions", "get,list", expect=DONE)
        deadline = time.monotonic() + START_TIMEOUT  # the running gateway takes it up within its refresh interval
        while (refused := self.home.run("--output", "json", "send", "--agreement", "trade", self.document)).returncode == DONE:
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(refused.returncode, PENDING)
        record = json.loads(refused.out)
        self.assertEqual(record["state"], "queued")
        self.assertIn("503", record["reason"])

        self.globex.stop()
        gone = self.send(expect=PENDING)
        self.assertEqual(gone["state"], "queued")
        self.assertIn(str(self.globex.port), gone["reason"])

    def test_a_failure_of_tls_has_a_code_and_nothing_is_sent(self):
        plain = f"http://127.0.0.1:{self.globex.port}/as2"
        self.assertIsNone(self.send()["reasonCode"])
        account = self.account_xml(self.home, url=plain.replace("http:", "https:"))
        self.home.run("apply", account, expect=DONE)
        postponed = self.send(expect=PENDING)
        self.assertEqual((postponed["state"], postponed["reasonCode"]), ("queued", "tls-not-spoken"))
        self.assertTrue(postponed["reason"].startswith("tls-not-spoken: https://127.0.0.1:"), postponed["reason"])

        once = account.read_text().replace("</agreement>", '<x:retry attempts="1"/></agreement>')
        account.write_text(once)
        self.home.run("apply", account, expect=DONE)
        failed = self.send(expect=REFUSED)
        self.assertEqual((failed["state"], failed["reasonCode"], failed["disposition"]), ("failed", "tls-not-spoken", ""))
        self.assertIn("tls-not-spoken: ", self.home.run("message", "show", failed["id"], expect=DONE).out)
        self.assertEqual(len(self.globex.json("message", "list")), 1, "the first, which went by plain HTTP")

    def test_what_is_queued_is_sent_by_the_gateway_that_serves_the_home(self):
        queued = self.send("--queue")
        self.assertEqual(queued["state"], "queued")
        self.assertEqual(self.home.json("message", "wait", queued["id"], "--timeout", "0", expect=PENDING)["state"], "queued")
        self.home.start()
        confirmed = self.home.json("message", "wait", queued["id"], "--timeout", str(int(START_TIMEOUT)))
        self.assertEqual(confirmed["state"], "confirmed")
        self.assertEqual(confirmed["attempts"], 1)
        # ... and at once, when it is queued while the gateway runs.
        second = self.send("--queue")
        self.assertEqual(self.home.json("message", "wait", second["id"], "--timeout", str(int(START_TIMEOUT)))["state"], "confirmed")
        wire = self.home.run("message", "wire", second["id"], expect=DONE).out
        self.assertIn(f"Message-ID: {second['messageId']}", wire)
        self.home.run("message", "resend", second["id"], expect=REFUSED)  # the partner has it
        self.home.run("message", "cancel", second["id"], expect=REFUSED)

    def test_the_gateway_goes_on_at_once_with_what_a_command_was_killed_over(self):
        with socket.create_server(("127.0.0.1", 0)) as partner:
            self.home.run("apply", self.account_xml(self.home, url=f"http://127.0.0.1:{partner.getsockname()[1]}/as2"), expect=DONE)
            self.home.start()
            sending = subprocess.Popen([SIGNET, "--home", str(self.home.path), "send", "--agreement", "trade", str(self.document)],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            first, _ = partner.accept()  # and is not answered
            message = self.home.json("message", "list")[0]
            self.assertEqual(message["state"], "sending")
            partner.settimeout(1)
            with self.assertRaises(TimeoutError):
                partner.accept()  # one attempt at a time
            sending.kill()
            sending.wait()
            partner.settimeout(START_TIMEOUT)
            second, _ = partner.accept()
            for connection in first, second:
                head = connection.recv(65536)
                self.assertIn(f"Message-ID: {message['messageId']}".encode(), head)
                connection.close()

    def hand_receipts_over(self):
        account = self.home.directory / "account.xml"
        account.write_text(account.read_text().replace(
            "<sendAgreement>",
            "<sendAgreement><mdnSettings><sendInboundMDNToMessageBox>true</sendInboundMDNToMessageBox></mdnSettings>"))
        self.home.run("apply", account, expect=DONE)

    def test_a_receipt_is_handed_over_by_the_gateway_where_the_agreement_says_so(self):
        without = self.send()
        self.hand_receipts_over()
        sent = self.send()
        self.assertEqual(sent["deliveredTo"], "", "no gateway runs")
        self.home.start()
        while_it_runs = self.send()
        for message in [sent, while_it_runs]:
            deadline = time.monotonic() + START_TIMEOUT
            while not (record := self.home.json("message", "show", message["id"]))["deliveredTo"]:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)
            file = pathlib.Path(record["deliveredTo"])
            self.assertEqual(file.parent, self.home.path / "delivery" / "trade")
            self.assertEqual(file.read_bytes(), self.home.run("message", "receipt", message["id"], expect=DONE).stdout)
            sidecar = json.loads(pathlib.Path(str(file) + ".json").read_text())
            self.assertEqual((sidecar["kind"], sidecar["provesDelivery"], sidecar["originalMessageId"]),
                             ("receipt", True, message["messageId"]))
            self.assertEqual(record["state"], "confirmed")
        self.assertEqual(self.home.stop(), 0)
        self.assertEqual(self.home.json("message", "show", without["id"])["deliveredTo"], "")
        self.assertEqual(len(list((self.home.path / "delivery" / "trade").glob("*.mdn"))), 2)

    def test_a_queued_message_can_be_cancelled_and_sent_after_all(self):
        queued = self.send("--queue")
        cancelled = self.home.json("message", "cancel", queued["id"], "--reason", "ordered twice")
        self.assertEqual((cancelled["state"], cancelled["reason"]), ("cancelled", "ordered twice"))
        self.assertEqual(self.home.json("message", "wait", queued["id"], expect=REFUSED)["state"], "cancelled")
        self.home.start()
        self.assertEqual(self.home.json("message", "resend", queued["id"])["state"], "queued")
        confirmed = self.home.json("message", "wait", queued["id"], "--timeout", str(int(START_TIMEOUT)))
        self.assertEqual(confirmed["state"], "confirmed")
        self.assertEqual(confirmed["messageId"], queued["messageId"])
        self.home.run("message", "cancel", "0123456789", expect=NOT_FOUND)

    def test_messages_are_listed_by_time(self):
        self.send()
        count = lambda *options: len(self.home.json("message", "list", *options))
        self.assertEqual(count("--since", "2020-01-01"), 1)
        self.assertEqual(count("--until", "2020-01-01"), 0)
        self.home.run("message", "list", "--since", "yesterday", expect=USAGE)

    def test_what_keeps_a_message_from_being_made_has_exit_codes_of_its_own(self):
        self.home.run("send", "--agreement", "no-such", self.document, expect=NOT_FOUND)
        self.home.run("send", "--agreement", "trade", self.directory / "missing.edi", expect=NOT_FOUND)
        self.home.run("vault", "policy", "set", "--principal", "gateway", "--key-permissions", "get,list", expect=DONE)
        denied = self.home.json("send", "--agreement", "trade", self.document, expect=DENIED)
        self.assertEqual(denied["error"]["kind"], "PermissionDenied")
        self.assertIn("'sign'", denied["error"]["message"])
        self.assertEqual(self.home.json("message", "list"), [])

    def test_what_the_partner_is_told_of_a_document_is_checked_before_anything_is_stored(self):
        account = self.home.directory / "account.xml"
        account.write_text(account.read_text().replace(
            "<messageContentType>", "<transmitFileNameInMimeHeader>true</transmitFileNameInMimeHeader><messageContentType>"))
        self.home.run("apply", account, expect=DONE)
        for options in [["--content-type", "x"], ["--content-type", "a/"], ["--content-type", "a/b\r\nEvil: x"],
                        ["--content-type", "a/b; c=\"d"], ["--content-type", "a/b; c=\u00fc"], ["--content-type", "a/" + "b" * 1000],
                        ["--name", "../../etc/passwd"], ["--name", "orders\\order.edi"], ["--name", "a\nb"], ["--name", ".."]]:
            with self.subTest(options):
                self.assertIn("expected a", self.send(*options, expect=USAGE)["error"]["message"])
        self.assertEqual(self.home.json("message", "list"), [])
        self.assertEqual(self.globex.json("message", "list"), [])
        sent = self.send("--content-type", "application/edifact; charset=utf-8", "--name", "\u00fcber order (1).edi")
        received = self.received(sent["messageId"])
        self.assertEqual(received["fileName"], "\u00fcber order (1).edi")
        self.assertIn("application/edifact", received["contentType"])

    def test_a_strangers_message_leaves_its_reason_in_the_record_and_the_log(self):
        self.globex.run("apply", self.account_xml(self.globex, host="globex", guest="acme", agreement="trade"), expect=DONE)
        text = (self.globex.directory / "account.xml").read_text()
        text = text.replace("<value>acme</value>", "<value>acme-old-name</value>")
        (self.globex.directory / "account.xml").write_text(text)
        self.globex.run("apply", self.globex.directory / "account.xml", expect=DONE)
        sent = self.send(expect=REFUSED)
        self.assertIn("unknown-trading-relationship", sent["reason"])
        received = self.received(sent["messageId"])
        self.assertEqual(received["state"], "refused")
        self.assertIn("no agreement for messages from 'acme' to 'globex'", received["reason"])
        self.globex.stop()
        logged = [json.loads(line) for line in self.globex.log.read_text().splitlines() if received["requestId"] in line]
        self.assertTrue(any("no agreement" in line.get("reason", "") for line in logged), logged)


class Evidence(TwoCompanies):
    """Acme has sent a message, and its partner's gateway has ended since."""

    def fill_home(self, home):
        super().fill_home(home)
        globex = Home(home.directory / "globex")
        globex.start()
        try:
            home.run("apply", self.account_xml(home, url=f"http://127.0.0.1:{globex.port}/as2"), expect=DONE)
            document = home.directory / "order.edi"
            document.write_bytes(self.DOCUMENT)
            (home.directory / "sent.json").write_text(json.dumps(home.json("send", "--agreement", "trade", document)))
            globex.wait_for_event("message-delivered")
        finally:
            globex.stop()

    def start(self):
        self.sent = json.loads((self.directory / "sent.json").read_text())

    def send_again(self):
        super().start()
        self.send()

    def export(self, home, message):
        """Exports a message's evidence and unpacks it. Returns the folder."""
        archive = self.directory / f"{message}.tar"
        home.run("evidence", "export", message, "--to", archive, expect=DONE)
        folder = self.directory / f"evidence-{message}"
        folder.mkdir()
        subprocess.run(["tar", "xf", str(archive), "-C", str(folder)], check=True)
        return folder

    def readme_says(self, folder):
        """The exit code of the README's commands, typed word for word."""
        commands = [line for line in (folder / "README.txt").read_text().splitlines() if line.startswith("    ")]
        self.assertTrue(any("openssl cms -verify" in line for line in commands))
        return subprocess.run(["sh", "-e"], input="\n".join(commands).encode(), cwd=folder, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode

    def chains(self, home, *arguments, expect=DONE):
        verified = home.json("audit", "verify", *arguments, expect=expect)
        return verified, {chain["name"]: chain for chain in verified["chains"]}

    def test_a_third_party_verifies_what_both_sides_export(self):
        sent = self.sent
        received = self.received(sent["messageId"])
        for home, message in [(self.home, sent["id"]), (self.globex, received["id"])]:
            folder = self.export(home, message)
            self.assertEqual(self.readme_says(folder), 0)
            self.assertEqual((folder / "payload").read_bytes(), self.document.read_bytes())
            self.assertEqual(json.loads((folder / "manifest.json").read_text())["message"]["mic"], sent["mic"])
            content = (folder / "content.mime").read_bytes()
            (folder / "content.mime").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
            self.assertNotEqual(self.readme_says(folder), 0)

    def test_an_export_goes_into_a_new_file_or_nowhere(self):
        sent = self.sent
        archive = self.directory / "evidence.tar"
        self.home.run("evidence", "export", sent["id"], "--to", archive, expect=DONE)
        before = archive.read_bytes()
        self.home.run("evidence", "export", sent["id"], "--to", archive, expect=REFUSED)
        self.assertEqual(archive.read_bytes(), before)
        self.home.run("evidence", "export", "unknown-message", "--to", self.directory / "none.tar", expect=NOT_FOUND)
        self.assertFalse((self.directory / "none.tar").exists())

    def test_the_chains_verify_and_a_head_that_was_kept_is_found_later(self):
        verified, chains = self.chains(self.home)
        self.assertTrue(verified["intact"])
        self.assertEqual(chains["evidence"]["records"], 2)
        heads = [part for chain in chains.values() for part in ("--head", chain["head"])]
        self.send_again()
        self.assertEqual(self.chains(self.home, *heads)[0]["headsMissing"], [])
        verified, _ = self.chains(self.home, "--head", "0f" * 32, expect=REFUSED)
        self.assertEqual(verified["headsMissing"], ["0f" * 32])
        self.home.run("audit", "verify", "--head", "not-a-hash", expect=USAGE)

    def test_a_line_that_is_edited_dropped_or_moved_is_named(self):
        log = self.home.path / "audit.log"
        good = log.read_bytes().splitlines(True)
        self.assertGreater(len(good), 3)
        edited = [good[0], good[1].replace(b'"success"', b'"SUCCESS"'), *good[2:]]
        self.assertNotEqual(edited, good)
        for lines, place in [(edited, 3), (good[:1] + good[2:], 2), ([good[1], good[0], *good[2:]], 1)]:
            log.write_bytes(b"".join(lines))
            verified, chains = self.chains(self.home, expect=REFUSED)
            self.assertFalse(verified["intact"])
            self.assertEqual(chains["audit-log"]["line"], place)
            self.assertIn(f"line {place} ", self.home.run("audit", "verify", expect=REFUSED).out)
        log.write_bytes(b"".join(good))
        self.assertTrue(self.chains(self.home)[0]["intact"])

    def test_an_audit_log_that_was_removed_emptied_or_cut_is_noticed_at_the_next_start(self):
        log = self.home.path / "audit.log"
        good = log.read_bytes()
        noticed = re.compile('"event":"audit-log-cut".*"reason":"the audit log (was emptied or removed|lacks the line)')
        self.assertNotRegex(self.home.run("message", "list", expect=DONE).err, noticed)
        for spoil, verdict in [(log.unlink, "was removed"), (lambda: log.write_bytes(b""), "was emptied"),
                               (lambda: log.write_bytes(good.splitlines(keepends=True)[0]), "cut off")]:
            log.unlink(missing_ok=True)
            log.write_bytes(good)
            log.chmod(0o600)
            spoil()
            chain = self.chains(self.home, expect=REFUSED)[1]["audit-log"]
            self.assertFalse(chain["intact"])
            self.assertIn(verdict, chain["reason"])
            self.assertRegex(self.home.run("message", "list", expect=DONE).err, noticed)
            self.assertRegex(self.home.run("message", "list", expect=DONE).err, noticed)  # until it is put back
            if verdict != "cut off":
                self.assertEqual(json.loads(log.read_text())["operation"], "auditLogCut")
        log.write_bytes(good)
        self.assertNotRegex(self.home.run("message", "list", expect=DONE).err, noticed)

    def test_a_log_in_the_place_of_one_that_is_gone_says_so_without_any_evidence(self):
        home = Home(self.directory / "bare")
        home.directory.mkdir()
        home.run("init", expect=DONE)
        log = home.path / "audit.log"
        good = log.read_bytes()
        log.write_bytes(b"")
        for _ in range(2):
            self.assertIn('"event":"audit-log-cut"', home.run("message", "list", expect=DONE).err)
        chain = self.chains(home, expect=REFUSED)[1]["audit-log"]
        self.assertEqual((chain["intact"], chain["line"]), (False, 1))
        self.assertIn("the log before it was emptied or removed", chain["reason"])
        log.write_bytes(good)
        self.assertNotIn("audit-log-cut", home.run("message", "list", expect=DONE).err)
        self.assertTrue(self.chains(home)[0]["intact"])

    def test_an_audit_log_whose_end_was_cut_off_is_found_by_the_evidence(self):
        log = self.home.path / "audit.log"
        good = log.read_bytes().splitlines(True)
        log.write_bytes(b"".join(good[:-1]))
        _, chains = self.chains(self.home, expect=REFUSED)
        self.assertFalse(chains["audit-log"]["intact"])
        self.assertEqual(chains["audit-log"]["line"], len(good))
        self.assertIn("cut off", chains["audit-log"]["reason"])
        self.assertTrue(chains["evidence"]["intact"])
        self.send_again()  # what is appended since hides nothing
        self.assertFalse(self.chains(self.home, expect=REFUSED)[1]["audit-log"]["intact"])

    def test_the_chains_are_verified_without_a_key(self):
        (self.home.path / "master.key").unlink()
        self.assertTrue(self.chains(self.home)[0]["intact"])
        self.home.run("message", "list", expect=BROKEN)

    def test_there_is_nothing_to_verify_without_a_home(self):
        done = Home(self.directory / "nowhere").run("audit", "verify", expect=NOT_FOUND)
        self.assertIn("not a gateway's home", done.err)
        self.assertFalse((self.directory / "nowhere").exists())

    def test_what_will_go_is_said_and_then_goes(self):
        sent = self.sent
        report = self.home.json("evidence", "expire", "--dry-run")
        self.assertEqual([(each["agreement"], each["messages"], each["settledBefore"]) for each in report], [("trade", 0, None)])
        account = (self.home.directory / "account.xml").read_text()
        self.assertIn("</agreement>", account)
        (self.home.directory / "account.xml").write_text(account.replace("</agreement>", '<x:retention days="1"/></agreement>'))
        self.home.run("apply", self.home.directory / "account.xml", expect=DONE)
        self.assertEqual(self.home.json("evidence", "expire")[0]["messages"], 0, "its day is not over")
        self.home.run("message", "wire", sent["id"], expect=DONE)
        self.home.run("evidence", "expire", "--agreement", "unknown", expect=NOT_FOUND)

        two_days = 2 * 86_400 * 1_000_000
        with contextlib.closing(sqlite3.connect(self.home.path / "store" / "signet.db")) as database, database:
            database.execute("UPDATE messages SET settled = settled - ?", (two_days,))
        expected = self.home.json("evidence", "expire", "--dry-run")[0]
        self.assertEqual(expected["messages"], 1)
        self.assertGreater(expected["octets"], len(self.document.read_bytes()))
        self.home.run("message", "wire", sent["id"], expect=DONE)
        gone = self.home.json("evidence", "expire", "--agreement", "trade")[0]
        self.assertEqual((gone["messages"], gone["octets"]), (1, expected["octets"]))
        for copy in ("wire", "body", "receipt"):
            self.home.run("message", copy, sent["id"], expect=NOT_FOUND)
        self.home.run("evidence", "export", sent["id"], "--to", self.directory / "gone.tar", expect=NOT_FOUND)
        self.assertEqual(self.home.json("evidence", "expire")[0]["messages"], 0)
        self.assertTrue(self.chains(self.home)[0]["intact"])


class Simulate(CommandTest):
    """Acme's home, and a partner that `signet simulate` makes of its agreement."""

    # What `signet send` ends with for each behaviour of the partner that it sends to.
    ANSWERS = {DONE: ["correct", "warning-disposition", "late-mdn", "early-mdn", "duplicate-mdn", "slow", "drip"],
               REFUSED: ["wrong-signer", "wrong-mic", "no-mic", "wrong-message-id", "unsigned-mdn", "tampered-mdn", "error-disposition",
                         "failed-disposition", "contradictory-mdn", "garbage", "http-404"],
               PENDING: ["no-mdn", "reset", "reset-mid-body", "reset-mid-answer", "not-http", "http-503-then-correct", "http-500"]}

    def fill_home(self, home):
        home.run("apply", self.with_account(home), expect=DONE)

    def setUp(self):
        super().setUp()
        self.copy_template()
        self.partner = self.directory / "sim"
        self.document = self.directory / "order.edi"
        self.document.write_bytes(b"ISA*00*\x00\xff the order~\n")

    def make_partner(self, *options):
        url = f"http://127.0.0.1:{free_port()}/as2"
        return self.home.json("simulate", "init", self.partner, "--for", "trade", "--url", url, *options)

    def serve_partner(self, *options):
        """@returns the process, once it listens, and its output's lines"""
        partner = subprocess.Popen([SIGNET, "--output", "json", "simulate", "serve", self.partner, *options],
                                   stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.addCleanup(partner.stdout.close)
        self.addCleanup(partner.wait)
        self.addCleanup(partner.kill)
        lines = map(json.loads, partner.stdout)
        self.assertEqual(next(lines)["event"], "listening")
        return partner, lines

    def send(self, expect):
        return self.home.json("send", "--agreement", "trade-simulated", self.document, expect=expect)

    def test_each_answer_has_its_exit_code(self):
        self.make_partner("--apply")
        expected = [(name, code) for code, names in self.ANSWERS.items() for name in names]
        partner, lines = self.serve_partner("--delay", "0.2", "--behaviour", ",".join(name for name, _ in expected),
                                            "--count", str(len(expected)))
        for name, code in expected:
            with self.subTest(name):
                self.send(expect=code)
        self.assertEqual(partner.wait(timeout=60), DONE, "it ends after so many messages")
        # One that is cut off while it still comes is never read, and so not told of as a message.
        self.assertEqual([line["behaviour"] for line in lines if line["event"] == "message"],
                         [name for name, _ in expected if name != "reset-mid-body"])

    def test_the_help_tells_of_each_behaviour(self):
        told = self.home.run("simulate", "serve", "--help", expect=DONE).out
        for name in {name for names in self.ANSWERS.values() for name in names} - {"http-404", "http-500"}:
            self.assertIn(f"\n  {name} ", told)

    def test_without_apply_the_account_is_changed_by_apply_alone(self):
        before = self.home.run("export", expect=DONE).out
        self.assertFalse(self.make_partner()["applied"])
        self.assertEqual(self.home.run("export", expect=DONE).out, before)
        changes = self.home.json("apply", self.partner / "gateway-account.xml")["changes"]
        self.assertEqual({change["change"] for change in changes}, {"added"})
        self.serve_partner()
        self.send(expect=DONE)
        self.assertEqual(sorted(self.home.json("simulate", "remove")["removed"]),
                         sorted(change["name"] for change in changes))
        self.assertEqual(self.home.run("export", expect=DONE).out, before)
        self.assertEqual(self.home.json("simulate", "remove")["removed"], [])

    def test_its_messages_are_judged_by_the_exit_code(self):
        self.home.start()
        self.make_partner("--gateway-url", f"http://127.0.0.1:{self.home.port}/as2", "--apply")
        send = lambda *options, expect: self.home.json("simulate", "send", self.partner, self.document, *options, expect=expect)
        self.assertTrue(send(expect=DONE)["handled"])
        refused = send("--behaviour", "wrong-signer", expect=DONE)
        self.assertIn("authentication-failed", refused["disposition"])
        states = [message["state"] for message in self.home.json("message", "list", "--direction", "inbound")]
        self.assertEqual(states[0], "refused")

        class Silent(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        with http.server.HTTPServer(("127.0.0.1", 0), Silent) as silent:
            threading.Thread(target=silent.serve_forever, daemon=True).start()
            verdict = send("--behaviour", "wrong-signer", "--gateway-url", f"http://127.0.0.1:{silent.server_port}/as2", expect=REFUSED)
            silent.shutdown()
        self.assertFalse(verdict["handled"])
        self.assertIn("without a word", verdict["verdict"])

    def test_a_port_may_be_any(self):
        self.make_partner()
        ports = self.directory / "ports.json"
        self.serve_partner("--listen", "127.0.0.1:0", "--ports-file", ports)
        self.assertGreater(json.loads(ports.read_text())[0]["port"], 0)

    def test_its_keys_are_called_test_keys(self):
        self.make_partner("--apply")
        partner = Home(self.directory)
        partner.path = self.partner
        for entry in self.home.json("certificate", "list") + partner.json("certificate", "list"):
            if entry["name"] != "acme" and entry["name"] != "globex":
                self.assertIn("test-key", entry["name"])
                self.assertIn("TEST KEY", json.dumps(entry))
        self.assertEqual({key["name"] for key in partner.json("vault", "key", "list")}, {"partner-test-key", "stranger-test-key"})

    def test_it_runs_in_no_home_that_is_real(self):
        for arguments in [["serve", self.home.path], ["send", self.home.path, self.document], ["serve", self.directory / "none"]]:
            self.assertIn("signet simulate init", self.home.run("simulate", *arguments, expect=NOT_FOUND).err)

    def test_it_stays_on_this_machine_unless_told_otherwise(self):
        self.make_partner()
        for address in ["0.0.0.0:0", "[::]:0"]:
            self.assertIn("--allow-remote", self.home.run("simulate", "serve", self.partner, "--listen", address, expect=USAGE).err)

    def test_what_it_cannot_play_is_refused(self):
        self.assertIn("'wrong-mik'; there are correct",
                      self.home.run("simulate", "serve", self.partner, "--behaviour", "wrong-mik", expect=USAGE).err)
        self.assertIn("'wrong-mic'; there are correct",
                      self.home.run("simulate", "send", self.partner, self.document, "--behaviour", "wrong-mic", expect=USAGE).err)
        init = lambda *options, expect: self.home.run("simulate", "init", self.partner, *options, expect=expect).err
        self.assertIn("'none'", init("--for", "none", expect=NOT_FOUND))
        self.assertIn("http only", init("--for", "trade", "--url", "https://127.0.0.1/as2", expect=REFUSED))
        self.assertFalse(self.partner.exists(), "nothing is left behind")
        self.make_partner("--apply")
        self.assertIn("nothing was changed", init("--for", "trade", expect=REFUSED))
        shutil.rmtree(self.partner)
        self.assertIn("simulated partner already", init("--for", "trade-simulated", expect=USAGE))


def main(description=__doc__):
    """Runs the tests of the file that was started, this one or one that imports it."""
    global SIGNET
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--signet", required=True, help="the signet binary")
    options, rest = parser.parse_known_args()
    SIGNET = str(pathlib.Path(options.signet).resolve())
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
