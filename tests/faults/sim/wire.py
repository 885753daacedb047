"""HTTP/1.1 and MIME as far as AS2 needs them, on octets."""

import asyncio
import base64
import re
import time

HEAD_LIMIT = 256 * 1024


class LostAnswer(Exception):
    """The connection ended, or the patience, before an answer was complete. Nobody knows what became of the request."""


class NotConnected(LostAnswer):
    """Nothing was sent."""


class Headers:
    """Fields in their order; names in any case."""

    def __init__(self, fields=()):
        self.fields = list(fields)

    @classmethod
    def parse(cls, text):
        """From lines without the start line, folds replaced by a space."""
        fields = []
        for line in re.sub(r"\r\n[ \t]+", " ", text).split("\r\n"):
            if line:
                name, _, value = line.partition(":")
                fields.append((name, value.strip()))
        return cls(fields)

    def get(self, name, default=""):
        return next((value for known, value in self.fields if known.lower() == name.lower()), default)

    def octets(self):
        return "".join(f"{name}: {value}\r\n" for name, value in self.fields).encode()


class Message:
    """A request or an answer: its start line, fields and body."""

    def __init__(self, start, headers, body=b"", seconds=0.0):
        self.start = start
        self.headers = headers
        self.body = body
        self.seconds = seconds  # from the request's first octet to the answer's last

    @property
    def status(self):
        return int(self.start.split(" ")[1])

    @property
    def keeps_connection(self):
        return self.start.find("HTTP/1.0") < 0 and self.headers.get("Connection").lower() != "close"


async def read_message(reader):
    """The next message, or None where the peer has closed in good order.

    @raises LostAnswer  it ends in the middle of one.
    """
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            start, _, fields = head[:-4].decode("latin-1").partition("\r\n")
            if not start.startswith("HTTP/1.1 100"):
                break
        headers = Headers.parse(fields)
        if headers.get("Transfer-Encoding").lower() == "chunked":
            body = await read_chunks(reader)
        else:
            body = await reader.readexactly(int(headers.get("Content-Length", "0")))
        return Message(start, headers, body)
    except asyncio.IncompleteReadError as end:
        if not end.partial and end.expected is None:
            return None
        raise LostAnswer("the connection ended in the middle of a message") from end
    except (ConnectionError, asyncio.LimitOverrunError) as error:
        raise LostAnswer(str(error)) from error


async def read_chunks(reader):
    body = b""
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        body += await reader.readexactly(size)
        if (await reader.readexactly(2)) != b"\r\n":
            raise LostAnswer("a chunk does not end where its size says")
        if size == 0:
            return body


class Connection:
    """A keep-alive connection that is opened when needed. `address` is asked each time, since a gateway may move."""

    def __init__(self, address, source=None, tls=None):
        self._address = address
        self._source = (source, 0) if source else None
        self._tls = tls
        self._streams = None

    async def request(self, octets, patience=60.0):
        """@raises LostAnswer  there was none, or not all of it."""
        try:
            async with asyncio.timeout(patience):
                return await self._exchange(octets)
        except OSError as error:  # a TimeoutError too
            self.close()
            raise LostAnswer(str(error) or type(error).__name__) from error
        except BaseException:
            self.close()
            raise

    async def _exchange(self, octets):
        started = time.monotonic()
        if self._streams is None:
            await self._open()
        reader, writer = self._streams
        writer.write(octets)
        # A gateway may refuse before it has read all of a request, so its answer is awaited while we write.
        drained = asyncio.ensure_future(writer.drain())
        try:
            answer = await read_message(reader)
        finally:
            drained.cancel()
        if answer is None:
            raise LostAnswer("the connection was closed instead of an answer")
        answer.seconds = time.monotonic() - started
        if not answer.keeps_connection:
            self.close()
        return answer

    async def _open(self):
        host, port = self._address()
        try:
            self._streams = await asyncio.open_connection(host, port, limit=HEAD_LIMIT, local_addr=self._source, ssl=self._tls)
        except OSError as error:
            raise NotConnected(str(error)) from error

    def close(self):
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


def parameter(field, name):
    """A parameter of a Content-Type and its like, quoted or not; "" if it is not there."""
    found = re.search(rf';\s*{re.escape(name)}\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))', field, re.IGNORECASE)
    return (found.group(1) if found.group(1) is not None else found.group(2)) if found else ""


def split_entity(octets):
    """Header fields and content of a MIME entity."""
    if octets.startswith(b"\r\n"):
        return Headers(), octets[2:]
    head, _, content = octets.partition(b"\r\n\r\n")
    return Headers.parse(head.decode("latin-1")), content


def split_parts(body, content_type):
    """The parts of a multipart, octet for octet."""
    boundary = b"--" + parameter(content_type, "boundary").encode()
    pieces = (b"\r\n" + body).split(b"\r\n" + boundary)
    return [piece[2:] for piece in pieces[1:-1] if piece.startswith(b"\r\n")]


def decoded(headers, content):
    """The content without its transfer encoding, of which AS2 knows base64 and none."""
    if headers.get("Content-Transfer-Encoding").lower() == "base64":
        return base64.b64decode(content)
    return content
