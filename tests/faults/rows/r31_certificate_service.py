"""R31: the commands of the certificate service die at each instant that has a name. After it everything is done or nothing: no state without its
list, no certificate without its request, no key and no secret without an owner once the service has looked after itself."""

import re
import shutil
import sqlite3
import time

from audit import AuditLog
from gateway import Gateway
from row import Outcome, integrity_faults
from sim.openssl import OpensslFailed, openssl

PASSWORD = "correct horse battery"
INSTANTS = ("audit.sync", "commit", "committed")
MOST_PASSES = 40  # of one instant by one command; none has so many
PATIENCE = 30.0  # seconds
HOURS = 3_600_000_000  # microseconds
ROLES = {"writer": "Reader,Writer", "approver": "Reader,Approver", "admin": "Reader,Administrator"}


class Template:
    """A home in which there is something for each command to do; cases are copies of it."""

    def __init__(self, bench):
        self.gateway = Gateway(bench.signet, bench.directory / "template")
        self.gateway.directory.mkdir()
        self.gateway.run("init")
        for name, roles in ROLES.items():
            self.gateway.run("principal", "add", name, "--roles", roles)
        for group in ("Plant", "Empty"):
            self.call("admin", "group", "create", group, "--type", "As2CertificateType", "--subject", f"CN={group} CA", "--months", "12", "--key-size",
                      "2048", "--issuer-months", "36", "--issuer-key-size", "2048")
        self.call("admin", "issuer", "create", "Plant")
        self.application = self.call("writer", "application", "register", "--as2-name", "globex", "--url", "https://globex.example/as2", "--purpose",
                                     "sign", "--purpose", "encrypt")["applicationId"]
        self.call("admin", "application", "approve", self.application)
        self.password = self.gateway.secret_file("password", PASSWORD)
        self.approved, self.to_be_revoked, self.new = (self.key_pair(name) for name in ("approved", "to-be-revoked", "new"))
        for request in (self.approved, self.to_be_revoked):
            self.call("approver", "request", "approve", request)
        self.call("writer", "request-revocation", self.to_be_revoked, "--reason", "superseded")
        key, self.csr = self.gateway.directory / "own.key", self.gateway.directory / "own.csr"
        openssl("req", "-newkey", "rsa:2048", "-noenc", "-keyout", key, "-subj", "/CN=own", "-out", self.csr)
        self.signing = self.call("writer", "request", "sign", "--application", self.application, "--group", "Plant", self.csr)["requestId"]

    def call(self, who, *arguments):
        return self.gateway.run("authority", *arguments, "--as", who)

    def key_pair(self, name):
        return self.call("writer", "request", "key-pair", "--application", self.application, "--group", "Plant", "--subject", f"CN={name}",
                         "--password-file", self.password)["requestId"]

    def commands(self):
        """What each is called, who does it, its arguments, and what it changes in State.summary()."""
        requests = lambda id, state: lambda before, after: after["requests"] == {**before["requests"], id: state}
        return [
            ("make an issuer", "admin", ("issuer", "create", "Empty"), lambda before, after: len(after["issuers"]) == len(before["issuers"]) + 1),
            ("renew the issuer", "admin", ("issuer", "create", "Plant"), lambda before, after: len(after["issuers"]) == len(before["issuers"]) + 1),
            ("ask for an issuer elsewhere", "admin", ("issuer", "request", "Empty", "--file", "issuer.csr"), lambda before, after: after["waiting"] == 1),
            ("ask for a key pair", "writer", ("request", "key-pair", "--application", self.application, "--group", "Plant", "--subject", "CN=another",
                                              "--password-file", self.password), lambda before, after: len(after["requests"]) == len(before["requests"]) + 1),
            ("ask for a certificate", "writer", ("request", "sign", "--application", self.application, "--group", "Plant", self.csr),
             lambda before, after: len(after["requests"]) == len(before["requests"]) + 1),
            ("approve a key pair", "approver", ("request", "approve", self.new), requests(self.new, "Approved")),
            ("approve a certificate", "approver", ("request", "approve", self.signing), requests(self.signing, "Approved")),
            ("reject", "approver", ("request", "reject", self.new, "--reason", "no"), requests(self.new, "Rejected")),
            ("accept", "writer", ("request", "accept", self.approved), requests(self.approved, "Accepted")),
            ("revoke", "approver", ("revoke", self.approved, "--reason", "keyCompromise"), requests(self.approved, "Revoked")),
            ("revoke what waits for it", "approver", ("revoke-group", "Plant"), requests(self.to_be_revoked, "Revoked")),
            ("renew the list", "admin", ("crl", "renew", "Plant"), lambda before, after: list(after["lists"].values()) == [2]),
        ]


class State:
    """What a home has of the certificate service, and what is wrong with that."""

    def __init__(self, home):
        self.faults = integrity_faults(home / "store" / "signet.db")
        with sqlite3.connect(f"file:{home / 'store' / 'signet.db'}?mode=ro", uri=True) as database:
            rows = lambda query: database.execute(query).fetchall()
            self.requests = rows("SELECT id, state, certificate, password_name, key_file_name FROM authority_requests")
            self.issued = rows("SELECT issuer_serial, serial, request, revoked FROM authority_certificates")
            self.issuers = rows("SELECT group_name, serial, certificate, active, lower(key_name), key_version FROM authority_issuers")
            self.waiting = rows("SELECT lower(key_name), key_version FROM authority_issuer_requests")
            self.lists = rows("SELECT issuer_serial, number, der FROM authority_crls")
            self.keys = rows("SELECT lower(name), version FROM key_versions WHERE enabled = 1 AND name LIKE 'issuer-%'")
            self.secrets = {name for name, in rows("SELECT name FROM secret_versions WHERE name LIKE 'request-%'")}
        self._check()

    def summary(self):
        """What a command changes, or leaves as it was."""
        return {"requests": {id: state for id, state, *_ in self.requests}, "issued": sorted(self.issued, key=str),
                "issuers": sorted(row[:2] + row[3:] for row in self.issuers), "waiting": len(self.waiting),
                "lists": {serial: number for serial, number, _ in self.lists}}

    def ownerless(self):
        """Keys and secrets that nothing in the state speaks of."""
        owned = {tuple(row[4:]) for row in self.issuers} | set(self.waiting)
        return [f"key {name}/{version}" for name, version in self.keys if (name, version) not in owned] + [
            f"secret {name}" for name in self.secrets - self._owned_secrets()]

    def _owned_secrets(self):
        return {name for *_, password, key_file in self.requests for name in (password, key_file) if name}

    def _fault(self, text):
        self.faults.append(text)

    def _check(self):
        certificates = {request: revoked for _, _, request, revoked in self.issued}
        for id, state, certificate, *_ in self.requests:
            wanted = state in ("Approved", "Accepted", "Revoked")
            if (certificate is not None) != wanted or (id in certificates) != wanted:
                self._fault(f"a request is {state}, {'with' if certificate else 'without'} a certificate, and {'is' if id in certificates else 'is not'} among those issued")
            if (certificates.get(id) is not None) != (state == "Revoked"):
                self._fault(f"a request is {state}, and its certificate is {'' if certificates.get(id) else 'not '}revoked")
        missing = self._owned_secrets() - self.secrets
        keys_missing = ({tuple(row[4:]) for row in self.issuers} | set(self.waiting)) - set(self.keys)
        for what in [*missing, *keys_missing]:
            self._fault(f"{what} is gone, and needed")
        for group in {row[0] for row in self.issuers}:
            if sum(row[3] for row in self.issuers if row[0] == group) != 1:
                self._fault(f"group {group} has not one active issuer")
        lists = {serial: (number, der) for serial, number, der in self.lists}
        for _, serial, certificate, *_ in self.issuers:
            if serial not in lists:
                self._fault("an issuer has no list")
                continue
            revoked = {one for issuer, one, _, when in self.issued if issuer == serial and when is not None}
            self._check_list(*lists[serial], certificate, revoked)

    def _check_list(self, number, der, issuer, revoked):
        try:
            text = openssl("crl", "-inform", "DER", "-noout", "-text", octets=der).decode()
        except OpensslFailed as failed:
            return self._fault(f"a list cannot be read: {failed}")
        has = {serial.upper().lstrip("0") for serial in re.findall(r"Serial Number: ([0-9A-F]+)", text)}
        said = int(re.search(r"X509v3 CRL Number:\s*(0x[0-9A-F]+|\d+)", text)[1], 0)
        if has != {serial.upper().lstrip("0") for serial in revoked}:
            self._fault(f"the list number {number} has {len(has)} certificates, and {len(revoked)} are revoked")
        if said != number:
            self._fault(f"a list says that its number is {said}, and the store {number}")


class Case:
    """A command that dies at the n-th passing of an instant, in a copy of the template."""

    def __init__(self, bench, template, command, instant, passing):
        self.name, self.who, arguments, self.is_done = command
        directory = bench.directory / "case"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        self.gateway = Gateway(bench.signet, directory)
        shutil.copytree(template.gateway.home, self.gateway.home)
        bench.adopt(self.gateway)
        self.arguments = [str(directory / one) if one == "issuer.csr" else one for one in arguments]
        self.where = f"{self.name}, dead at {instant}:{passing}"
        self.environment = {"SIGNET_FAIL_AT": f"{instant}:{passing}"}

    def run(self):
        """@returns whether it died, and what is wrong then."""
        before = State(self.gateway.home)
        code = self.gateway.exit_code("authority", *self.arguments, "--as", self.who, environment=self.environment)
        if code >= 0:
            return False, [] if code == 0 else [f"{self.name} ended with {code}"]
        faults = list(before.faults)
        after = State(self.gateway.home)
        faults += after.faults
        done = self.is_done(before.summary(), after.summary())
        if not done and after.summary() != before.summary():
            faults.append("it is done by half")
        faults += self._again(done, before)
        faults += self._look_after_itself()
        audit = AuditLog(self.gateway.home / "audit.log")
        return True, [f"{self.where}: {fault}" for fault in faults + audit.faults + self.gateway.chain_faults()]

    def _again(self, done, before):
        """What was not done is done by the same command; what was done, the second one leaves whole."""
        (self.gateway.directory / "issuer.csr").unlink(missing_ok=True)  # no command writes over a file that is there
        code = self.gateway.exit_code("authority", *self.arguments, "--as", self.who)
        after = State(self.gateway.home)
        if not done and code != 0:
            return after.faults + [f"it was not done, and the same again ends with {code}"]
        if not done and not self.is_done(before.summary(), after.summary()):
            return after.faults + ["it was not done, and the same again does not do it"]
        return after.faults

    def _look_after_itself(self):
        """What died in between has left something: `signet serve` clears it away once an hour has passed."""
        if not State(self.gateway.home).ownerless():
            return []
        with sqlite3.connect(self.gateway.home / "store" / "signet.db") as database:
            for table in ("key_versions", "secret_versions"):
                database.execute(f"UPDATE {table} SET created = created - ?", (2 * HOURS,))
        self.gateway.start()
        deadline = time.monotonic() + PATIENCE
        while State(self.gateway.home).ownerless() and time.monotonic() < deadline:
            time.sleep(0.1)
        self.gateway.terminate()
        state = State(self.gateway.home)
        return state.faults + [f"{what} is nobody's" for what in state.ownerless()]


def measure(bench):
    template = Template(bench)
    pairs = [(command, instant) for command in template.commands() for instant in INSTANTS]
    # Those that change a list go with each share: that is where state and list could part.
    always = [pair for pair in pairs if pair[0][0].startswith("revoke") and pair[1] == "committed"]
    others = [pair for pair in pairs if pair not in always]
    chosen = pairs if bench.full else always + bench.dice.sample(others, 5)
    deaths, faults, never = 0, [], []
    for command, instant in chosen:
        before = deaths
        for passing in range(1, MOST_PASSES):
            died, found = Case(bench, template, command, instant, passing).run()
            faults += found
            deaths += died
            if not died:
                break
        if deaths == before:
            never.append(f"{command[0]} passes no {instant}")
    return Outcome(f"{deaths} deaths of {len({command[0] for command, _ in chosen})} commands", "done or not done, each list as new as the state, no key without an owner", faults + never)
