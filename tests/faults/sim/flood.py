"""The sim partner as a crowd: so many connections, and so cheap, that a gateway is overrun and the crowd is not."""

import heapq
import itertools
import selectors
import socket
import time

from .client import Sender
from .messages import new_message_id
from .wire import Headers, Message


BEGUN_AT_A_TIME = 4  # posts, before it looks for answers again: to begin one takes as long as the gateway needs to refuse it


class Flood(Sender):
    """Connections that post together, `rate` requests a second, or as fast as they are answered.

    Each has one message at a time, and posts it again at its next turn where the answer was "later", or none.
    """

    def __init__(self, address, ledger, messages, *, connections, rate=None):
        super().__init__(address, ledger, messages)
        self._period = 0.0 if rate is None else connections / rate
        self._selector = selectors.DefaultSelector()
        now = time.monotonic()
        self._turns = [(now + self._period * i / connections, i, _Poster()) for i in range(connections)]  # a heap
        self._numbers = itertools.count(connections)
        self._busy = 0

    def _send(self):
        with self._selector:
            while (self._turns or self._busy) and not self._aborted:
                now = time.monotonic()
                for _ in range(BEGUN_AT_A_TIME):
                    if self._turns and self._turns[0][0] <= now:
                        self._begin(heapq.heappop(self._turns)[2])
                until_turn = self._turns[0][0] - now if self._turns else 0.1
                for key, events in self._selector.select(min(max(until_turn, 0.0), 0.1)):
                    self._go_on(key.data, events)

    def _begin(self, poster):
        if poster.entry is None:
            if self._stopping:
                poster.close(self._selector)
                return
            poster.entry = self.ledger.enter(new_message_id(), next(self._messages))
        self._busy += 1
        poster.begin(self._selector, self._address())

    def _go_on(self, poster, events):
        try:
            answer = poster.go_on(self._selector, events)
        except OSError:
            self.lost += 1
            poster.close(self._selector)
            self._end_turn(poster)
            return
        if answer is None:
            return
        self.answers.append((poster.started, answer.seconds, answer.status))
        poster.entry.answers.append(answer)
        if poster.entry.settled:
            poster.entry = None
        if not answer.keeps_connection or poster.unsent:
            poster.close(self._selector)
        self._end_turn(poster)

    def _end_turn(self, poster):
        self._busy -= 1
        due = max(time.monotonic(), poster.started + self._period)
        heapq.heappush(self._turns, (due, next(self._numbers), poster))


class _Poster:
    """A connection of a flood, and the message that it posts."""

    def __init__(self):
        self.entry = None
        self.started = 0.0
        self.unsent = memoryview(b"")
        self._socket = None
        self._received = bytearray()

    def begin(self, selector, address):
        self.entry.attempts += 1
        self.unsent = memoryview(self.entry.prepared.request(self.entry.message_id))
        self._received.clear()
        self.started = time.monotonic()
        both = selectors.EVENT_READ | selectors.EVENT_WRITE
        if self._socket is not None:
            selector.modify(self._socket, both, self)
            return
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.connect_ex(address)  # what comes of it, the first send says
        selector.register(self._socket, both, self)

    def go_on(self, selector, events):
        """@returns the answer once it is whole. @raises OSError  there will be none."""
        if events & selectors.EVENT_WRITE and self.unsent:
            self.unsent = self.unsent[self._socket.send(self.unsent):]
            if not self.unsent:
                selector.modify(self._socket, selectors.EVENT_READ, self)
        if not events & selectors.EVENT_READ:
            return None
        octets = self._socket.recv(65536)
        if not octets:
            raise ConnectionResetError("the connection was closed instead of an answer")
        self._received += octets
        return self._answer()

    def _answer(self):
        head_size = self._received.find(b"\r\n\r\n")
        if head_size < 0:
            return None
        start, _, fields = self._received[:head_size].decode("latin-1").partition("\r\n")
        headers = Headers.parse(fields)
        body_size = int(headers.get("Content-Length", "0"))
        if len(self._received) < head_size + 4 + body_size:
            return None
        body = bytes(self._received[head_size + 4:head_size + 4 + body_size])
        return Message(start, headers, body, time.monotonic() - self.started)

    def close(self, selector):
        if self._socket is not None:
            selector.unregister(self._socket)
            self._socket.close()
            self._socket = None
