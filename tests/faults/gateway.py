"""A gateway for the rows: a home made by the signet binary under test, and `signet serve` as a process that may be killed."""

import contextlib
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import string
import subprocess
import time

START_PATIENCE = 90.0  # seconds; sanitizers on a busy machine
WITH_US = ["setpriv", "--pdeathsig", "KILL"]  # however we end, no gateway is left behind
ACCOUNT = pathlib.Path(__file__).resolve().parent / "account.xml.in"


class GatewayFailed(AssertionError):
    pass


class Gateway:
    """AS2 name GATEWAY, with one agreement, "trade", with PARTNER."""

    def __init__(self, signet, directory, environment=None):
        self.signet = str(signet)
        self.directory = pathlib.Path(directory)
        self.home = self.directory / "home"
        self.certificate = self.directory / "gateway.cer"
        self.environment = environment or {}
        self.passphrase = self.passphrase_file = None
        self.log = self.directory / "gateway.log"
        self.ports_directory = self.directory / "ports"
        self.process = None
        self.pid = 0  # of the gateway itself, also where something is wrapped around it
        self._port = 0
        self._starts = itertools.count()

    # ---- The command

    def run(self, *arguments, wrapper=(), environment=None, patience=120.0):
        """The command in this home, its output as JSON. @raises GatewayFailed"""
        command = [*map(str, wrapper), self.signet, "--home", str(self.home), "--output", "json", *map(str, arguments)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                              env=self._environment(environment), timeout=patience)
        if done.returncode != 0:
            raise GatewayFailed(f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def chain_faults(self):
        """What `signet audit verify` has to say against the audit log and the evidence."""
        try:
            self.run("audit", "verify")
        except GatewayFailed as failed:
            return [str(failed)]
        return []

    def exit_code(self, *arguments, environment=None, patience=120.0):
        """The command's exit code, negative for a signal; what it says is nobody's."""
        return subprocess.run([self.signet, "--home", str(self.home), *map(str, arguments)], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=self._environment(environment), timeout=patience).returncode

    def secret_file(self, name, value):
        file = self.directory / f"{name}.secret"
        file.write_text(value + "\n")
        return file

    def use_passphrase(self, passphrase):
        """What the vault opens with from now on; none for a key file."""
        self.passphrase = passphrase
        self.passphrase_file = passphrase and self.secret_file("passphrase", passphrase)
        self.environment.pop("SIGNET_PASSPHRASE_FILE", None)
        if passphrase:
            self.environment["SIGNET_PASSPHRASE_FILE"] = str(self.passphrase_file)

    def unseal(self, passphrase):
        self.run("vault", "unseal", "--passphrase-file", self.secret_file("unseal", passphrase))

    def set_up(self, partner_certificate, url="http://127.0.0.1:1/as2", receive="", send="", rest="", own_key=None, passphrase=None):
        """Makes the home, its key and certificate, and applies the account. `url` is the partner's, `receive` and `send` go into
        the two directions' agreements, `rest` behind the connection, all as XML. `own_key` is a key's and its certificate's file; without it
        the key is made in the vault. With a passphrase the vault is under that."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.use_passphrase(passphrase)
        self.run("init", *(["--passphrase-file", self.passphrase_file] if passphrase else []))
        if own_key:
            self.run("vault", "key", "import", "gateway", own_key[0])
            shutil.copy(own_key[1], self.certificate)
        else:
            self.run("vault", "key", "create", "gateway", "--kind", "RSA-2048")
            self.run("certificate", "create", "gateway", "--key", "gateway", "--common-name", "GATEWAY", "--certificate-file",
                     self.certificate)
        account = self.directory / "account.xml"
        account.write_text(string.Template(ACCOUNT.read_text()).substitute(
            partner_certificate=partner_certificate, gateway_certificate=self.certificate, url=url, receive=receive,
            send=send, rest=rest))
        self.run("apply", account)
        return self

    def _environment(self, more):
        """A sanitizer's options are added to those that there are."""
        merged = {**os.environ, **self.environment, **(more or {})}
        merged = {name: value for name, value in merged.items() if value is not None}
        if "ASAN_OPTIONS" in os.environ and "ASAN_OPTIONS" in (more or {}):
            merged["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"] + ":" + more["ASAN_OPTIONS"]
        return merged

    def messages(self, *filters, limit=1_000_000):
        return self.run("message", "list", "--limit", limit, *filters)

    def stored(self):
        """The Message-IDs of what was accepted."""
        return {message["messageId"] for message in self.messages("--direction", "inbound")
                if message["state"] in ("accepted", "delivered")}

    @property
    def delivery_folder(self):
        return self.home / "delivery" / "trade"

    @property
    def pickup_folder(self):
        return self.home / "pickup" / "trade"

    # ---- The process

    def start(self, *options, wrapper=(), environment=None, wait=True, sealed=False):
        """Serves on a free port of the loopback. `wrapper` is a command that runs it, such as strace. `sealed`: without the passphrase.

        To be called in the main thread: the gateway ends with the thread that started it."""
        environment = {**(environment or {}), **({"SIGNET_PASSPHRASE_FILE": None} if sealed else {})}
        self._ports = self.ports_directory / f"{next(self._starts)}.json"
        self.ports_directory.mkdir(exist_ok=True)
        command = [*(WITH_US + list(map(str, wrapper)) if wrapper else []), *WITH_US, self.signet, "--home", str(self.home), "serve", "--listen", "127.0.0.1:0", "--ports-file",
                   str(self._ports), *map(str, options)]
        with open(self.log, "ab") as log:
            # From a directory of its own, so that a name without a directory is seen to be none of the home's.
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.directory,
                                            env=self._environment(environment))
        self.pid = self.process.pid
        return self.wait_until_serving() if wait else self

    def wait_until_serving(self, patience=START_PATIENCE):
        deadline = time.monotonic() + patience
        while not self._ports.exists():
            if self.process.poll() is not None:
                raise GatewayFailed(f"the gateway ended with {self.process.returncode} before it served:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise GatewayFailed(f"the gateway did not serve within {patience:.0f} s:\n{self.log_tail()}")
            time.sleep(0.005)
        self._port = json.loads(self._ports.read_text())[0]["port"]
        self.pid = self._find_pid()
        return self

    def _find_pid(self):
        """The gateway's own process, below a wrapper or not."""
        pending = [self.process.pid]
        for pid in pending:
            with contextlib.suppress(OSError):
                if pathlib.Path(f"/proc/{pid}/comm").read_text().startswith("signet"):
                    return pid
                for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                    pending += map(int, (task / "children").read_text().split())
        return self.process.pid

    def port_of(self, listener):
        return next(entry["port"] for entry in json.loads(self._ports.read_text()) if entry["name"] == listener)

    def address(self):
        return "127.0.0.1", self._port

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def wait_until_dead(self, patience):
        """Whether the gateway ends by itself before patience does."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        return not self.alive()

    def kill(self):
        """Ends it as a crash does."""
        return self._end(signal.SIGKILL)

    def terminate(self, patience=60.0):
        """Asks it to end, and returns its exit code."""
        return self._end(signal.SIGTERM, patience)

    def _end(self, number, patience=60.0):
        if self.process is None:
            return None
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise GatewayFailed(f"the gateway did not end within {patience:.0f} s") from None
        self.process = None
        return code

    def status(self, field):
        """A number out of /proc/<pid>/status: Threads, VmRSS or VmHWM (in KiB)."""
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+)", text, re.MULTILINE).group(1))

    def log_tail(self, lines=20):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def errors(self):
        return [line for line in self.log.read_text(errors="replace").splitlines() if '"level":"error"' in line]
