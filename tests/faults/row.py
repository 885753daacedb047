"""What a row of the scoreboard stands on: one bench for one run, with all that a row needs."""

import dataclasses
import pathlib
import random
import shutil
import sqlite3
import tempfile
import time

from audit import AuditLog, evidence_faults
from gateway import Gateway
from sim.ledger import BackEnd, Ledger
from sim.messages import Composer
from sim.openssl import Identity


class Skip(Exception):
    """This machine does not permit the row; the text says why."""


@dataclasses.dataclass
class Outcome:
    """What was measured, and what would have been good enough."""
    figure: str
    bar: str
    faults: list  # sentences; a row without any has passed

    @property
    def passed(self):
        return not self.faults


class Bench:
    """One run of one row: its directory, its dice, and everything that it started, which is ended with it."""

    def __init__(self, signet, seed, full):
        self.signet = pathlib.Path(signet).resolve()
        self.seed = seed
        self.dice = random.Random(seed)
        self.full = full
        # Bars in seconds are for a release build; a sanitizer's cost, and other tests beside it, are no slowness of the gateway's.
        sanitized = b"__asan_init" in self.signet.read_bytes() or b"__tsan_init" in self.signet.read_bytes()
        self.timed = not sanitized
        self.slack = 8.0 if sanitized else 1.0
        self.memory_slack = 3.0 if sanitized else 1.0
        self.power_module = None  # for R8: what makes a disk forget
        self.failing_module = None  # for R7: what lets a write to a file fail
        self.crowd = None  # for R18: what posts for hundreds of connections
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="signet-faults."))
        self._gateways = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for gateway in self._gateways:
            gateway.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def adopt(self, gateway):
        """Has a gateway end with the bench."""
        self._gateways.append(gateway)

    def share(self, quick, full):
        return full if self.full else quick

    def pause(self, shortest, longest):
        """Lets the load go on for a while, as long as the dice say."""
        time.sleep(self.dice.uniform(shortest, longest))

    def trade(self, messages=8, size=10_000, directory=None, partner=None, ledger=None, **account):
        """A gateway with its partner, and so many different messages prepared. The gateway does not serve yet. `account` is as
        Gateway.set_up() takes it."""
        directory = directory or self.directory / f"trade-{len(self._gateways)}"
        directory.mkdir(parents=True, exist_ok=True)
        partner = partner or Identity.create(directory, "partner")
        gateway = Gateway(self.signet, directory)
        self.adopt(gateway)
        gateway.set_up(partner.certificate, **account)
        composer = Composer(partner, gateway.certificate)
        return Trade(gateway, partner, composer, composer.prepare(messages, size, seed=self.seed), verified=self.share(20, 400),
                     ledger=ledger or Ledger())


class Trade:
    """A gateway, its partner's messages, their ledger, and the business behind the gateway."""

    def __init__(self, gateway, partner, composer, messages, verified, ledger):
        self.gateway = gateway
        self.partner = partner
        self.composer = composer
        self.messages = messages
        self.verified = verified  # receipts whose signatures are checked
        self.ledger = ledger
        self.back_end = BackEnd(gateway.delivery_folder)

    def settle(self, patience=120.0):
        """Has the gateway hand over what it still owes, after one more start if need be, and ends it in good order."""
        if not self.gateway.alive():
            self.gateway.start()
        deadline = time.monotonic() + patience
        while self.gateway.messages("--direction", "inbound", "--state", "accepted", limit=1) and time.monotonic() < deadline:
            self.back_end.collect()
        self.gateway.terminate()
        self.back_end.collect()

    def check(self):
        """The Ledger check, and what the store, the audit log and the evidence say of themselves. The gateway must have ended."""
        audit = AuditLog(self.gateway.home / "audit.log")
        database = self.gateway.home / "store" / "signet.db"
        return (self.ledger.check(self.back_end, self.gateway.certificate, self.gateway.stored(), audit.messages("decrypt"),
                                  self.verified) +
                audit.faults + integrity_faults(database) + evidence_faults(database, audit) + self.gateway.chain_faults())


def integrity_faults(database):
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        answer = connection.execute("PRAGMA integrity_check").fetchone()[0]
    return [] if answer == "ok" else [f"SQLite says of {database.name}: {answer}"]
