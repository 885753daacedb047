"""The sim partner's sending side: a load of messages over keep-alive connections, sent again while no answer comes."""

import asyncio
import itertools
import random
import threading
import time

from .messages import new_message_id
from .wire import Connection, LostAnswer, NotConnected

WAITING_PER_CONNECTION = 4  # messages of a load with a rate: a slow machine is not to be buried


class Sender:
    """Sends from a thread of its own; a gateway may come, go and move meanwhile. A subclass says how, in _send()."""

    def __init__(self, address, ledger, messages):
        self.ledger = ledger
        self.answers = []  # (when it was sent, seconds until the answer, status) of each
        self.lost = 0      # answers that did not come, of requests that were sent
        self._address = address
        self._messages = itertools.cycle(messages)
        self._stopping = False
        self._aborted = False
        self._failure = None
        self._thread = threading.Thread(target=self._send_guarded, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def stop(self, patience=60.0):
        """Makes no new messages, and waits for the answers of those there are. @raises TimeoutError  some do not come."""
        self._stopping = True
        return self.wait(patience)

    def wait(self, patience=120.0):
        """Waits until all messages are answered. @raises TimeoutError  some are not."""
        self._thread.join(patience)
        late = self._thread.is_alive()
        self._aborted = True
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        if late:
            raise TimeoutError(f"not all messages got an answer within {patience:.0f} s")
        return self

    def _send_guarded(self):
        try:
            self._send()
        except BaseException as error:  # raised again where somebody waits
            self._failure = error


class Load(Sender):
    """Goes on until stop(), or until `count` messages are made: as fast as they are answered, or so many a second as `rate` says, as
    long as not too many wait for an answer already. `address` gives the gateway's host and port. What gets no answer, or one that says
    "later", is sent again after `pause` seconds or somewhat more; but a share of `gives_up` of those without an answer never is.
    """

    def __init__(self, address, ledger, messages, *, connections=16, rate=None, count=None, seed=0, gives_up=0.0, source=None,
                 patience=60.0, pause=0.05, also=()):
        super().__init__(address, ledger, messages)
        self._connections = connections
        self._rate = rate
        self._count = count
        self._random = random.Random(seed)
        self._gives_up = gives_up
        self._source = source
        self._patience = patience
        self._pause = pause
        self._also = also
        self._open = 0  # messages that are neither settled nor given up

    def receipt_after(self, since, patience=60.0):
        """Waits for a receipt that comes after a moment. @returns the seconds from there, or the whole patience"""
        while time.monotonic() < since + patience:
            ends = [sent + took for sent, took, status in list(self.answers) if status == 200 and sent + took > since]
            if ends:
                return min(ends) - since
            time.sleep(0.02)
        return patience

    def _send(self):
        asyncio.run(self._run())

    async def _run(self):
        self._queue = asyncio.Queue()
        self._room = asyncio.Semaphore(self._connections * (1 if self._rate is None else WAITING_PER_CONNECTION))
        async with asyncio.TaskGroup() as group:
            feeder = group.create_task(self._feed())
            workers = [group.create_task(self._work()) for _ in range(self._connections)]
            while not self._aborted and not (feeder.done() and self._open == 0):
                await asyncio.sleep(0.01)
            for task in [feeder, *workers]:
                task.cancel()

    async def _feed(self):
        due = time.monotonic()
        made = 0
        while not self._stopping and made != self._count:
            if self._rate is not None:
                due = max(due + 1 / self._rate, time.monotonic())
                await asyncio.sleep(due - time.monotonic())
            await self._room.acquire()
            if self._stopping:
                return
            self._queue.put_nowait(self.ledger.enter(new_message_id(), next(self._messages)))
            self._open += 1
            made += 1

    async def _work(self):
        connection = Connection(self._address, source=self._source)
        try:
            while True:
                await self._post(connection, await self._queue.get())
        finally:
            connection.close()

    async def _post(self, connection, entry):
        entry.attempts += 1
        started = time.monotonic()
        try:
            answer = await connection.request(entry.prepared.request(entry.message_id, also=self._also), self._patience)
        except NotConnected:
            pass
        except LostAnswer:
            self.lost += 1
            entry.given_up = self._random.random() < self._gives_up
        else:
            entry.answers.append(answer)
            self.answers.append((started, answer.seconds, answer.status))
        if entry.settled or entry.given_up:
            self._open -= 1
            self._room.release()
        else:
            wait = self._pause * (1 + self._random.random())
            asyncio.get_running_loop().call_later(wait, self._queue.put_nowait, entry)


def percentile(seconds, share):
    """The value that a share of all is not above; 0 of none."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


async def post_all(connections, octets, patience=60.0):
    """The same request over several connections at once. @returns an answer, or None for a lost one, of each."""
    async def post(connection):
        try:
            return await connection.request(octets, patience)
        except LostAnswer:
            return None
    return await asyncio.gather(*map(post, connections))


def post_once(address, octets, patience=60.0):
    """One request over a connection of its own, outside of any load. @raises LostAnswer"""
    async def post():
        connection = Connection(address)
        try:
            return await connection.request(octets, patience)
        finally:
            connection.close()
    return asyncio.run(post())
