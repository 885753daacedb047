"""Where a partner has receipts posted."""

import asyncio
import threading
import time

from .messages import Mdn
from .wire import HEAD_LIMIT, LostAnswer, Message, read_message


class Inbox:
    """Takes receipts on a free port of the loopback, from a thread of its own, and puts each with the message of the ledger that it is for,
    as if it had come in the answer."""

    def __init__(self, ledger):
        self.faults = []  # what was posted and is for no message
        self._ledger = ledger
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self):
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/receipts"

    def settle(self, patience):
        """Waits for a receipt for each message that was taken. @returns what has none"""
        deadline = time.monotonic() + patience
        while True:
            without = [entry.message_id for entry in self._ledger.all() if entry.answers and not entry.receipts]
            if not without or time.monotonic() > deadline:
                return [f"{message_id}: LOST: no receipt was posted" for message_id in without]
            time.sleep(0.05)

    async def _serve(self):
        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        server = await asyncio.start_server(self._converse, "127.0.0.1", 0, limit=HEAD_LIMIT)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._ending.wait()
        server.close()

    async def _converse(self, reader, writer):
        try:
            while (request := await read_message(reader)) is not None:
                self._take(request)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        except (LostAnswer, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    def _take(self, request):
        try:
            entry = self._ledger.find(Mdn(request.headers, request.body).original_message_id)
        except ValueError as error:
            self.faults.append(f"posted as a receipt: {error}")
            return
        if entry is None:
            self.faults.append("a receipt for no message of ours was posted")
        else:
            entry.answers.append(Message("HTTP/1.1 200 OK", request.headers, request.body))
