"""Where a partner has receipts posted."""

import time

from .listener import Listener
from .messages import Mdn
from .wire import Message


class Inbox(Listener):
    """Takes receipts, and puts each with the message of the ledger that it is for, as if it had come in the answer."""

    def __init__(self, ledger):
        super().__init__()
        self.faults = []  # what was posted and is for no message
        self._ledger = ledger

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

    async def _answer(self, request, writer):
        self._take(request)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

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
