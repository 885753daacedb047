"""The audit log, read and verified without the gateway's code: each line names the SHA-256 of the line before it."""

import hashlib
import json


class AuditLog:
    def __init__(self, path):
        self.records = []
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

    def messages(self, operation):
        """Ids of the messages that a key did this for."""
        return {record["message"] for record in self.records if record["operation"] == operation and record["result"] == "success"}
