"""What listens on the sim partner's side."""

import asyncio
import threading

from .wire import HEAD_LIMIT, LostAnswer, read_message


class Listener:
    """Listens on a free port of the loopback, `port`, from a thread of its own, as long as it is entered. A subclass says in `_answer(request, writer)`
    what becomes of each request; a LostAnswer or ConnectionError there ends the connection."""

    _tls = None  # an SSLContext, where it speaks TLS

    def __init__(self):
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self):
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    async def _serve(self):
        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        self._tasks = set()
        server = await asyncio.start_server(lambda *streams: self._keep(self._converse(*streams)), "127.0.0.1", 0, limit=HEAD_LIMIT, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._ending.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, coroutine):
        """Runs it beside all else; the end of the listener ends it."""
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, reader, writer):
        try:
            while (request := await read_message(reader)) is not None:
                await self._answer(request, writer)
        except (LostAnswer, ConnectionError):
            pass
        finally:
            writer.transport.abort()
