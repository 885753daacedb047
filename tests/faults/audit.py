"""The audit log and the evidence, read and verified without the gateway's code: each line names the SHA-256 of the line before it."""

import hashlib
import json
import sqlite3


class AuditLog:
    def __init__(self, path):
        self.records = []
        self.hashes = set()
        self.faults = []
        previous = "0" * 64
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            try:
                record = json.loads(line)
            except ValueError:
                self.faults.append(f"line {number} of the audit log is no record")
                break
            if record.get("previous") != previous:
                self.faults.append(f"line {number} of the audit log does not follow the line before it")
                break
            previous = hashlib.sha256(line).hexdigest()
            self.records.append(record)
            self.hashes.add(previous)

    def messages(self, operation):
        """Ids of the messages that a key did this for."""
        return {record["message"] for record in self.records if record["operation"] == operation and record["result"] == "success"}


# Of a message that is under way, any record may be the newest.
OPEN = {"queued", "sending", "awaiting-receipt"}


def evidence_faults(database, audit):
    """Whether the chain holds, its lines of the audit log are there, and each message is as its newest record says."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        records = connection.execute("SELECT number, line, id FROM evidence JOIN messages ON sequence = message ORDER BY number").fetchall()
        states = dict(connection.execute("SELECT id, state FROM messages WHERE agreement <> ''"))
    faults = []
    previous = "0" * 64
    newest = {}
    for expected, (number, line, message) in enumerate(records, 1):
        record = json.loads(line)
        if number != expected or record["previous"] != previous or record["message"] != message:
            return [f"record {expected} of the evidence does not follow the one before it"]
        if "audit" in record and record["audit"] not in audit.hashes:
            faults.append(f"record {number} of the evidence names a line that the audit log does not have")
        previous = hashlib.sha256(line.encode()).hexdigest()
        if record["event"] not in ("late-receipt", "receipt-posted", "receipt-not-posted", "copies-expired"):
            newest[message] = record["event"]
    return faults + [f"message {message} is {state}, and its newest record says {newest.get(message)}"
                     for message, state in states.items() if state not in OPEN and newest.get(message) != state]
