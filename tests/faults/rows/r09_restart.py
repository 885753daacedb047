"""R9: graceful restarts under load."""

import time

from row import Outcome
from sim.client import Load

LONGEST_DRAIN = 10.0  # seconds from SIGTERM to the end
LONGEST_GAP = 2.0     # seconds beyond that until it serves again


def measure(bench):
    restarts = bench.share(3, 20)
    trade = bench.trade(messages=8)
    gateway = trade.gateway.start()
    load = Load(gateway.address, trade.ledger, trade.messages, connections=16, rate=50, seed=bench.seed).start()
    drains, gaps, faults = [], [], []
    with trade.back_end.collecting():
        for _ in range(restarts):
            bench.pause(0.5, bench.share(1.0, 2.0))
            started = time.monotonic()
            code = gateway.terminate()
            drains.append(time.monotonic() - started)
            gateway.start()
            gaps.append(time.monotonic() - started - drains[-1])
            if code != 0:
                faults.append(f"SIGTERM ended it with {code}:\n{gateway.log_tail(5)}")
        load.stop()
    trade.settle()
    faults += trade.check()
    if max(drains) > LONGEST_DRAIN:
        faults.append(f"it took {max(drains):.1f} s to end")
    if max(gaps) > LONGEST_GAP * bench.slack:
        faults.append(f"it took {max(gaps):.1f} s to serve again")
    return Outcome(f"{restarts} restarts, {len(trade.ledger.all())} messages, {load.lost} of them sent again, drained in "
                   f"{max(drains):.2f} s, back after {max(gaps):.2f} s more, {len(faults)} faults",
                   f"0 failed, drain < {LONGEST_DRAIN:.0f} s, back < {LONGEST_GAP * bench.slack:.0f} s", faults)
