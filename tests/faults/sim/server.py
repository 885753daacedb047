"""The sim partner's receiving side: takes what a gateway sends and answers as well, or as badly, as it is told to."""

import asyncio
import dataclasses
import enum
import socket
import ssl
import struct
import time

from .listener import Listener
from .messages import Received, make_mdn
from .openssl import OpensslFailed
from .wire import Connection, Headers, LostAnswer


class Behaviour(enum.Enum):
    GOOD = "a signed receipt, as asked: in the answer, or posted to the URL of the request"
    UNSIGNED = "a receipt without a signature"
    WRONG_MIC = "a signed receipt with another message's MIC"
    REFUSES = "a signed receipt that says error"
    ERROR = "500"
    LATER = "503 with Retry-After"
    NO_RECEIPT = "200 and nothing else; the receipt never comes"
    BLACK_HOLE = "reads the request and never answers"
    SLOW = "answers one octet a second"
    RESET = "resets the connection in the middle of the receipt"


WITHOUT_RECEIPT = {
    Behaviour.ERROR: ("500 Internal Server Error",),
    Behaviour.LATER: ("503 Service Unavailable", [("Retry-After", "1")]),
    Behaviour.NO_RECEIPT: ("200 OK",),
}


@dataclasses.dataclass
class Arrival:
    """One request as it came."""
    when: float
    message_id: str
    headers: Headers
    body: bytes


class PartnerServer(Listener):
    """`behaviour` may be changed at any time, or be a function of the Message-ID and the number of times that it came before. `delay` is how
    long each answer takes, in seconds, unless it takes longer to make one. Receipts are posted to the URL that a request names; where
    `gateway_address` is given, to that host and port, which may change, and again until they are taken."""

    def __init__(self, partner, gateway_certificate, behaviour=Behaviour.GOOD, tls_identity=None, delay=0.0, gateway_address=None):
        super().__init__()
        self.behaviour = behaviour
        self.delay = delay
        self.arrivals = []  # every request, in order
        self.opened = {}    # by Message-ID: what could be opened, verified and was taken
        self.faults = []    # what could not
        self.async_answers = []  # (Message-ID, HTTP status or None) of the receipts that were posted
        self.go_over_to(partner, gateway_certificate)
        self._gateway_address = gateway_address
        if tls_identity is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(tls_identity.certificate, tls_identity.key)

    @property
    def url(self):
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/as2"

    def address(self):
        return "127.0.0.1", self.port

    def go_over_to(self, recipient, gateway_certificate, signer=None):
        """From now on messages have to be encrypted for this identity and signed by that certificate, and receipts are signed by `signer`."""
        self._partner, self._gateway_certificate, self._signer = recipient, gateway_certificate, signer or recipient

    def wait_async(self, count, patience=60.0):
        """Waits until so many receipts were posted. @raises TimeoutError"""
        deadline = time.monotonic() + patience
        while len(self.async_answers) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.async_answers)} of {count} receipts were posted within {patience:.0f} s")
            time.sleep(0.005)

    def attempts(self, message_id):
        return [arrival for arrival in self.arrivals if arrival.message_id == message_id]

    def check(self):
        """What a gateway must not do: send the same Message-ID with other octets."""
        faults = list(self.faults)
        requests = {}
        for arrival in self.arrivals:
            request = arrival.headers.octets() + arrival.body
            if requests.setdefault(arrival.message_id, request) != request:
                faults.append(f"{arrival.message_id}: sent again with other octets")
        return faults

    async def _answer(self, request, writer):
        message_id = request.headers.get("Message-ID")
        before = len(self.attempts(message_id))
        now = time.monotonic()
        self.arrivals.append(Arrival(now, message_id, request.headers, request.body))
        behaviour = self.behaviour(message_id, before) if callable(self.behaviour) else self.behaviour
        if behaviour is Behaviour.BLACK_HOLE:
            await self._ending.wait()
        if behaviour in WITHOUT_RECEIPT:
            await asyncio.sleep(self.delay)
            return await self._send(writer, *WITHOUT_RECEIPT[behaviour])

        received = await asyncio.to_thread(self._open, request)
        if received is None:
            return await self._send(writer, "400 Bad Request")
        headers, body = await asyncio.to_thread(self._receipt, received, behaviour)
        await asyncio.sleep(now + self.delay - time.monotonic())
        if received.async_url:
            self._keep(self._post_receipt(received, headers, body))
            return await self._send(writer, "202 Accepted")
        if behaviour is Behaviour.SLOW:
            return await self._drip(writer, self._octets("200 OK", headers, body))
        if behaviour is Behaviour.RESET:
            return await self._reset(writer, self._octets("200 OK", headers, body))
        await self._send(writer, "200 OK", headers, body)

    def _open(self, request):
        try:
            received = Received(request.headers, request.body, self._partner, self._gateway_certificate)
        except (OpensslFailed, ValueError) as error:
            self.faults.append(f"{request.headers.get('Message-ID')}: cannot be opened: {error}")
            return None
        self.opened[received.message_id] = received
        return received

    def _receipt(self, received, behaviour):
        mic = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" if behaviour is Behaviour.WRONG_MIC else received.mic
        disposition = "processed/error: unexpected-processing-error" if behaviour is Behaviour.REFUSES else "processed"
        signer = self._signer if received.wants_signed and behaviour is not Behaviour.UNSIGNED else None
        return make_mdn(received.message_id, mic, received.as2_to, received.as2_from, signer, disposition)

    @staticmethod
    def _octets(status, headers=(), body=b""):
        fields = [*headers, ("Content-Length", str(len(body)))]
        return f"HTTP/1.1 {status}\r\n".encode() + Headers(fields).octets() + b"\r\n" + body

    async def _send(self, writer, status, headers=(), body=b""):
        writer.write(self._octets(status, headers, body))
        await writer.drain()

    async def _drip(self, writer, octets):
        for octet in octets:
            writer.write(bytes([octet]))
            await writer.drain()
            await asyncio.sleep(1.0)

    async def _reset(self, writer, octets):
        writer.write(octets[:len(octets) // 2])
        await writer.drain()
        # To close with a linger time of zero is to send RST.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise ConnectionError("reset on purpose")

    async def _post_receipt(self, received, headers, body):
        host, _, port = received.async_url.split("/")[2].partition(":")
        connection = Connection(self._gateway_address or (lambda: (host, int(port or 80))))
        target = "/" + received.async_url.split("/", 3)[3]
        fields = [("Host", f"{host}:{port}"), *headers, ("Content-Length", str(len(body)))]
        request = f"POST {target} HTTP/1.1\r\n".encode() + Headers(fields).octets() + b"\r\n" + body
        try:
            while not (status := await self._status_of(connection, request)) or status >= 500:
                if self._gateway_address is None:
                    break
                await asyncio.sleep(0.1)
            self.async_answers.append((received.message_id, status))
        finally:
            connection.close()

    @staticmethod
    async def _status_of(connection, request):
        """Nothing for a lost answer."""
        try:
            return (await connection.request(request)).status
        except LostAnswer:
            return None


class RefusingPort:
    """A port that nobody listens on, and that stays so."""

    def __enter__(self):
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/as2"
        return self

    def __exit__(self, *_):
        self._socket.close()


class SilentPort:
    """A port whose queue of connections is full: who connects hears nothing."""

    def __enter__(self):
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(0)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/as2"
        self._waiting = []
        while self._connects():
            pass
        return self

    def _connects(self):
        self._waiting.append(socket.socket())
        self._waiting[-1].settimeout(0.3)
        try:
            self._waiting[-1].connect(self._socket.getsockname())
        except TimeoutError:
            return False
        return True

    def __exit__(self, *_):
        for waiting in [*self._waiting, self._socket]:
            waiting.close()
