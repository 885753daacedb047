"""The business's documents: put into a pick-up folder, sent by the gateway, opened by the partner."""

import time

# Sends what lies in the folder at once, and sends again soon.
SEND = '<x:pickup stableFor="1ms"/>'
RETRY = '<x:retry firstInterval="100ms" factor="1" attempts="50"/>'


class Documents:
    """What was put into one gateway's folder, each under another name."""

    def __init__(self, gateway):
        self._gateway = gateway
        self._put = []

    def __len__(self):
        return len(self._put)

    def put(self):
        """As a program does that knows the gateway: written under another name first."""
        folder = self._gateway.pickup_folder
        folder.mkdir(parents=True, exist_ok=True)
        self._put.append(f"document {len(self._put)}".encode())
        part = folder / "document.part"
        part.write_bytes(self._put[-1])
        part.rename(folder / f"{len(self._put)}.edi")

    def left(self):
        """The files that are still there."""
        folder = self._gateway.pickup_folder
        return [file.name for file in folder.rglob("*") if file.is_file()] if folder.exists() else []

    def settle(self, patience):
        """Waits for every document's message to be confirmed, and for the folder to be empty. @returns what is not"""
        deadline = time.monotonic() + patience
        while True:
            states = [message["state"] for message in self._gateway.messages("--direction", "outbound")]
            left = self.left()
            if states == ["confirmed"] * len(self) and not left:
                return []
            if time.monotonic() > deadline:
                return [f"of {len(self)} documents there are {len(states)} messages, {states.count('confirmed')} of them confirmed, "
                        f"and files: {left}"]
            time.sleep(0.1)

    def check(self, server):
        """Between what was put into the folder and what the partner could open."""
        there = sorted(received.payload for received in server.opened.values())
        lost = [document.decode() for document in self._put if document not in there]
        faults = server.check() + [f"the partner does not have {document}" for document in lost]
        if len(there) != len(set(there)):
            faults.append(f"the partner has {len(there)} messages of {len(set(there))} documents")
        return faults
