"""What was sent, what was answered, what the business got; and whether the three agree."""

import collections
import concurrent.futures
import contextlib
import dataclasses
import json
import os
import pathlib
import threading

from .messages import Mdn
from .openssl import OpensslFailed


@dataclasses.dataclass
class Entry:
    """One Message-ID."""
    message_id: str
    prepared: object
    attempts: int = 0
    answers: list = dataclasses.field(default_factory=list)  # complete HTTP answers, in the order in which they came
    given_up: bool = False  # no answer came, and it is not sent again

    @property
    def receipts(self):
        return [answer for answer in self.answers if answer.status == 200]

    @property
    def settled(self):
        """Answered for good, be it by a refusal; 5xx and 429 say "later"."""
        return any(answer.status < 500 and answer.status != 429 for answer in self.answers)


@dataclasses.dataclass
class Delivery:
    payload: bytes
    facts: dict  # the sidecar


class BackEnd:
    """The business behind the gateway: takes away what is handed over, and remembers it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.deliveries = collections.defaultdict(list)  # by Message-ID
        self.faults = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def collecting(self, interval=0.05):
        """Collects all the time, as a business does."""
        ending = threading.Event()

        def collect():
            while not ending.wait(interval):
                self.collect()

        thread = threading.Thread(target=collect)
        thread.start()
        try:
            yield self
        finally:
            ending.set()
            thread.join()

    def collect(self):
        with self._lock:
            for payload in sorted(self.folder.glob("*")):
                if payload.suffix != ".json" and not payload.name.startswith("."):
                    self._take(payload)
        return self

    def _take(self, payload):
        sidecar = payload.with_name(payload.name + ".json")
        try:
            facts = json.loads(sidecar.read_text())
        except (OSError, ValueError) as error:
            self.faults.append(f"{payload.name} has no readable sidecar: {error}")
            return
        self.deliveries[facts["messageId"]].append(Delivery(payload.read_bytes(), facts))
        payload.unlink()
        sidecar.unlink()

    def count(self):
        return sum(len(deliveries) for deliveries in self.deliveries.values())


class Ledger:
    """Thread-safe."""

    def __init__(self):
        self.entries = {}
        self._lock = threading.Lock()

    def enter(self, message_id, prepared):
        entry = Entry(message_id, prepared)
        with self._lock:
            self.entries[message_id] = entry
        return entry

    def find(self, message_id):
        with self._lock:
            return self.entries.get(message_id)

    def all(self):
        with self._lock:
            return list(self.entries.values())

    def count(self, condition):
        return sum(1 for entry in self.all() if condition(entry))

    def check(self, back_end, gateway_certificate, store=None, audited=None, verified=100):
        """Everything in which the sides disagree, as sentences; the empty list is what should come.

        `store` has the Message-IDs that the gateway keeps as accepted or delivered, `audited` the ids of the messages that its
        audit log says it used its key for. Of the receipts, the signatures of `verified` are checked, evenly chosen, and
        everything else of all.
        """
        faults = list(back_end.faults)
        receipts = []
        for entry in self.all():
            mdns = self._read_receipts(entry, faults)
            receipts += mdns
            delivered = back_end.deliveries.get(entry.message_id, [])
            faults += [f"{entry.message_id}: {fault}" for fault in self._disagreements(entry, mdns, delivered)]
            if store is not None and delivered and entry.message_id not in store:
                faults.append(f"{entry.message_id}: delivered and not in the store")
            if audited is not None and any(delivery.facts["id"] not in audited for delivery in delivered):
                faults.append(f"{entry.message_id}: delivered, and the audit log has no use of the key for it")
        faults += [f"{message_id}: delivered and never sent" for message_id in set(back_end.deliveries) - set(self.entries)]
        return faults + signature_faults(receipts[::max(1, len(receipts) // verified)], gateway_certificate)

    @staticmethod
    def _read_receipts(entry, faults):
        """The different receipts of one message; what is none goes to the faults."""
        mdns = {}
        for answer in entry.receipts:
            try:
                mdns.setdefault(answer.body, Mdn(answer.headers, answer.body))
            except ValueError as error:
                faults.append(f"{entry.message_id}: a receipt that is none: {error}")
        return list(mdns.values())

    @staticmethod
    def _disagreements(entry, mdns, delivered):
        processed = [mdn for mdn in mdns if mdn.processed]
        if any(mdn.original_message_id != entry.message_id for mdn in mdns):
            yield "a receipt for another message"
        if any(mdn.mic != entry.prepared.mic for mdn in processed):
            yield "a receipt with another MIC"
        if processed and len(processed) != len(mdns):
            yield "receipts that contradict each other"
        if processed and not delivered:
            yield "LOST: the receipt says processed and nothing was delivered"
        if len(delivered) > 1:
            yield f"DOUBLED: delivered {len(delivered)} times"
        if mdns and not processed and delivered:
            yield f"delivered, and the receipt says {mdns[0].disposition}"
        if any(delivery.payload != entry.prepared.payload for delivery in delivered):
            yield "other octets were delivered than were sent"


def signature_faults(mdns, certificate):
    def fault_of(mdn):
        try:
            mdn.verify(certificate)
        except (ValueError, OpensslFailed) as error:
            return f"{mdn.original_message_id}: the receipt's signature does not hold: {error}"
        return None

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(filter(None, pool.map(fault_of, mdns)))
