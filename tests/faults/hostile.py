"""Hostile requests: those of tests/vectors, larger ones that are made here, and a raw socket to send them by."""

import csv
import dataclasses
import pathlib
import socket

from sim.openssl import Identity
from sim.wire import Headers, Message

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors"
AS2 = VECTORS / "as2-hostile"
HTTP = VECTORS / "http"
GATEWAY_KEY = AS2 / "shared" / "gateway.key"
GATEWAY_CERTIFICATE = AS2 / "shared" / "gateway.crt"
PARTNER = Identity("partner", AS2 / "shared" / "partner.key", AS2 / "shared" / "partner.crt")

# What the vectors were made for: these keys, and an agreement that does not insist on encryption.
TRADE = {"partner": PARTNER, "own_key": (GATEWAY_KEY, GATEWAY_CERTIFICATE),
         "receive": "<validationSettings><encryptMessage>false</encryptMessage></validationSettings>"}


@dataclasses.dataclass
class Case:
    name: str
    octets: bytes
    status: int = 0       # that it must be refused with by the gate; 0: it passes the gate
    verdict: str = ""     # of EXPECTED.tsv, for an AS2 message that passes the gate
    smuggles: bool = False

    @property
    def accepted(self):
        """True or False where the verdict leaves no choice, else None."""
        if self.status or self.verdict.startswith(("reject", "400")):
            return False if not self.verdict.startswith("reject with the right disposition or accept") else None
        return True if self.verdict.startswith("accept:") else None


def as2_cases(*prefixes):
    with open(AS2 / "EXPECTED.tsv", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [Case(row["file"], (AS2 / row["file"]).read_bytes(), verdict=row["expected"]) for row in rows
            if row["file"].startswith(prefixes or ("",))]


def http_cases():
    with open(HTTP / "EXPECTED.tsv", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
    cases = []
    for row in rows:
        octets = (HTTP / (row["file"] + ".http")).read_bytes()
        cases.append(Case(row["file"], octets, int(row["status"]), smuggles=b"/smuggled" in octets))
    return cases


def large_cases():
    """Too large for files; the limits are those of the gate's header."""
    post = b"POST /as2 HTTP/1.1\r\nHost: gateway.test\r\n"
    chunked = post + b"Transfer-Encoding: chunked\r\n\r\n"
    return [
        Case("raw-header-1m", post + b"X: " + b"a" * 1_000_000 + b"\r\n\r\n", 431),
        Case("raw-headers-20000", post + b"".join(b"X%d: 1\r\n" % number for number in range(20_000)) + b"\r\n", 431),
        Case("raw-uri-64k", b"POST /" + b"a" * 65_536 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        Case("raw-method-long", b"A" * 100_000, 501),
        Case("raw-crlf-flood", b"\r\n" * 100_000, 400),
        Case("raw-chunk-ext-1m", chunked + b"1;" + b"a" * 1_000_000 + b"\r\nx\r\n0\r\n\r\n", 400),
        Case("raw-trailer-100k", chunked + b"0\r\n" + b"X: 1\r\n" * 20_000 + b"\r\n", 431),
        Case("raw-length-10g", post + b"Content-Length: 10000000000\r\n\r\n", 413),
        Case("raw-te-twice", post + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
             b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", 400, smuggles=True),
        Case("raw-te-space", post + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"
             b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", 400, smuggles=True),
        Case("raw-cl-dup-diff", post + b"Content-Length: 0\r\nContent-Length: 45\r\n\r\n"
             b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", 400, smuggles=True),
    ]


class RawClient:
    """One connection for whatever octets."""

    def __init__(self, address, patience=30.0):
        self._socket = socket.create_connection(address, timeout=patience)
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, octets):
        """As much as the gateway takes; it may have answered and closed before the end."""
        try:
            self._socket.sendall(octets)
        except OSError:
            pass

    def answer(self):
        """The next answer, or None where the connection ends instead."""
        while True:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if found:
                start, _, fields = head.decode("latin-1").partition("\r\n")
                headers = Headers.parse(fields)
                size = int(headers.get("Content-Length", "0"))
                if len(rest) >= size:
                    self._buffer = rest[size:]
                    if not start.startswith("HTTP/1.1 100"):
                        return Message(start, headers, rest[:size])
                    continue
            if not self._fill():
                return None

    def rest(self):
        """What comes until the gateway closes; it is told that we are done."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        while self._fill():
            pass
        return self._buffer

    def _fill(self):
        try:
            octets = self._socket.recv(65536)
        except ConnectionError:
            return False
        self._buffer += octets
        return bool(octets)


def exchange(address, octets, patience=30.0):
    """Sends octets over a connection of their own. @returns the first answer, and what came behind it."""
    with RawClient(address, patience) as client:
        client.send(octets)
        return client.answer(), client.rest()


def is_well(gateway):
    """Whether the gateway answers as if nothing had been."""
    if not gateway.alive():
        return False
    answer, _ = exchange(gateway.address(), b"GET /as2 HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n\r\n")
    return answer is not None and answer.status == 200
