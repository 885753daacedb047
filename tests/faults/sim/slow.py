"""Clients that are slow on purpose: they drip a head or a body, or ask for much and hardly read."""

import asyncio
import collections
import socket
import threading
import time

DRIP = 1.0  # seconds between two octets


class SlowClients:
    """Many of them, from a thread of their own, spread over loopback addresses as if they were from many machines."""

    def __init__(self, address, heads=0, bodies=0, readers=0, addresses=8):
        self.cut_after = collections.defaultdict(list)  # by kind: seconds from opening until the gateway closed
        self.open = 0
        self.refused = 0
        self._address = address
        self._kinds = [(self._drip_head, heads), (self._drip_body, bodies), (self._read_slowly, readers)]
        self._addresses = addresses
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._thread.join()

    def wait_all_open(self, count, patience=30.0):
        deadline = time.monotonic() + patience
        while self.open + self.refused < count and time.monotonic() < deadline:
            time.sleep(0.01)

    def wait_all_cut(self, kind, count, patience):
        """@returns whether so many of a kind were cut off in time."""
        deadline = time.monotonic() + patience
        while len(self.cut_after[kind]) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        return len(self.cut_after[kind]) >= count

    async def _run(self):
        tasks = []
        for attack, count in self._kinds:
            for number in range(count):
                tasks.append(asyncio.ensure_future(self._attack(attack, f"127.0.1.{1 + number % self._addresses}")))
                await asyncio.sleep(0.001)
        while not self._stopping.is_set():
            await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _attack(self, attack, source):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.setblocking(False)
        connection.bind((source, 0))
        started = time.monotonic()
        try:
            await asyncio.get_running_loop().sock_connect(connection, self._address())
            self.open += 1
            await attack(connection, started)
        except OSError:
            self.refused += 1
        finally:
            connection.close()

    async def _drip_head(self, connection, started):
        await self._drip(connection, started, "head", b"POST /as2 HTTP/1.1\r\nHost: gateway.test\r\nX-a: ")

    async def _drip_body(self, connection, started):
        await self._drip(connection, started, "body", b"POST /as2 HTTP/1.1\r\nHost: gateway.test\r\nAS2-From: PARTNER\r\n"
                         b"AS2-To: GATEWAY\r\nContent-Length: 100000\r\n\r\n")

    async def _drip(self, connection, started, kind, beginning):
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(connection, beginning)
        answered = asyncio.ensure_future(loop.sock_recv(connection, 4096))
        while not answered.done():
            await asyncio.wait([answered], timeout=DRIP)
            if not answered.done():
                try:
                    await loop.sock_sendall(connection, b"x")
                except OSError:
                    break
        answered.cancel()
        self.cut_after[kind].append(time.monotonic() - started)

    async def _read_slowly(self, connection, started):
        loop = asyncio.get_running_loop()
        request = b"GET /as2 HTTP/1.1\r\nHost: gateway.test\r\n\r\n"
        sending = asyncio.ensure_future(loop.sock_sendall(connection, request * 20_000))
        try:
            while not sending.done():
                await loop.sock_recv(connection, 1)
                await asyncio.wait([sending], timeout=DRIP)
            if sending.exception() is not None:
                self.cut_after["read"].append(time.monotonic() - started)
        finally:
            sending.cancel()
