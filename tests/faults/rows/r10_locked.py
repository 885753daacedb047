"""R10: another process holds the database's lock for long."""

import contextlib
import sqlite3
import time

from row import Outcome
from sim.client import Load

LONGEST_REQUEST = 35.0  # seconds
RECOVERY = 5.0          # seconds from the lock's end to the next receipt


def measure(bench):
    rounds, held = bench.share((1, 20), (3, 30))
    trade = bench.trade(messages=4)
    gateway = trade.gateway.start()
    load = Load(gateway.address, trade.ledger, trade.messages, connections=8, rate=10, seed=bench.seed, pause=0.2,
                patience=LONGEST_REQUEST + 5).start()
    during, recoveries = [], []
    with trade.back_end.collecting():
        for _ in range(rounds):
            bench.pause(0.5, 1.0)
            with locked(gateway.home / "store" / "signet.db"):
                begun = time.monotonic()
                bench.pause(held, held)
                freed = time.monotonic()
            recoveries.append(load.receipt_after(freed))
            during += [(took, status) for sent, took, status in list(load.answers) if begun <= sent and sent + took <= freed]
        load.stop()
    trade.settle()
    faults = trade.check()
    longest = max((took for _, took, _ in load.answers), default=0.0)
    taken = sum(status == 200 for _, status in during)
    if longest > LONGEST_REQUEST:
        faults.append(f"a request took {longest:.0f} s")
    if taken:
        faults.append(f"{taken} messages got a receipt while nothing could be written")
    if not any(status == 503 for _, status in during):
        faults.append("nobody was told to come again")
    if max(recoveries) > RECOVERY * bench.slack:
        faults.append(f"the first receipt came {max(recoveries):.1f} s after the lock's end")
    return Outcome(f"lock held {rounds} x {held} s: {len(during)} answers meanwhile, the slowest request {longest:.1f} s, receipts again "
                   f"after {max(recoveries):.2f} s, {len(faults)} faults",
                   f"Ledger clean, no request > {LONGEST_REQUEST:.0f} s, recovery < {RECOVERY * bench.slack:.0f} s", faults)


@contextlib.contextmanager
def locked(database):
    with contextlib.closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")
