"""The sim partner as a crowd: so many connections, and so cheap, that a gateway is overrun and the crowd is not."""

import pathlib
import subprocess
import tempfile
import uuid

from .wire import Headers, Message


class Flood:
    """Connections that post together, `rate` requests a second, or as fast as they are answered.

    Each has one message at a time, and posts it again at its next turn where the answer was "later", or none. `crowd` is the program
    that does it (crowd/crowd.cc): of two processors, this language would need one.
    """

    def __init__(self, crowd, address, ledger, messages, *, connections, rate=None):
        self.answers = []  # (when it was sent, seconds until the answer, status) of each, once the flood has ended
        self.lost = 0      # answers that did not come
        self._crowd = crowd
        self._address = address
        self._ledger = ledger
        self._messages = messages
        self._connections = connections
        self._period = 0.0 if rate is None else connections / rate
        self._name = uuid.uuid4().hex
        self._directory = tempfile.TemporaryDirectory(prefix="signet-crowd.")
        self._results = pathlib.Path(self._directory.name) / "results"
        self._process = None

    def start(self):
        requests = []
        for number, prepared in enumerate(self._messages):
            requests.append(pathlib.Path(self._directory.name) / str(number))
            requests[-1].write_bytes(prepared.request(self._message_id(0)))
        with open(self._results, "wb") as results:
            self._process = subprocess.Popen(
                [str(self._crowd), str(self._address()[1]), str(self._connections), str(self._period), *map(str, requests)],
                stdin=subprocess.PIPE, stdout=results)
        return self

    def stop(self, patience=60.0):
        """Begins no new messages, and waits for the answers of those there are. @raises TimeoutError  some do not come."""
        with self._directory:
            self._process.stdin.close()
            try:
                code = self._process.wait(patience)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
                raise TimeoutError(f"not all messages got an answer within {patience:.0f} s") from None
            if code != 0:
                raise RuntimeError(f"the crowd ended with {code}")
            self._read_results()
        return self

    def _message_id(self, number):
        return f"<{number:010}.{self._name}@partner.test>"

    def _read_results(self):
        entries = {}
        with open(self._results, "rb") as results:
            while line := results.readline().decode():
                kind, number, request, *facts = line.split()
                if number not in entries:
                    entries[number] = self._ledger.enter(self._message_id(int(number)), self._messages[int(request)])
                entries[number].attempts += 1
                if kind == "lost":
                    self.lost += 1
                    continue
                started, seconds, status, size = float(facts[0]), float(facts[1]), int(facts[2]), int(facts[3])
                self.answers.append((started, seconds, status))
                if size:
                    entries[number].answers.append(read_answer(results.read(size), seconds))


def read_answer(octets, seconds):
    head, _, body = octets.partition(b"\r\n\r\n")
    start, _, fields = head.decode("latin-1").partition("\r\n")
    return Message(start, Headers.parse(fields), body, seconds)
