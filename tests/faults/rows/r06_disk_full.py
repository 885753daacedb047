"""R6: a disk fills up under load and is freed again: the store's, the spool's, the audit log's, the delivery folder's."""

import time

import mounts
from row import Outcome
from sim.client import Load

RECOVERY = 10.0  # seconds from the space's return to the next receipt
SIZE = 24        # MiB of the disk that fills


def measure(bench):
    mounts.enter()
    rounds = bench.share(1, 5)
    faults, recoveries, refused = [], [], 0
    for volume in ("store", "spool", "audit", "delivery"):
        try:
            outcome = fill_and_free(bench, volume, rounds)
        finally:
            mounts.leave()
        faults += [f"{volume}: {fault}" for fault in outcome.faults]
        recoveries += outcome.recoveries
        refused += outcome.refused
    return Outcome(f"4 disks filled {rounds} times each: {refused} answers of 503, receipts again after {max(recoveries):.2f} s, "
                   f"{len(faults)} faults", f"Ledger clean, 5xx other than 503 and 507: none, recovery < {RECOVERY:.0f} s", faults)


class Filled:
    def __init__(self):
        self.faults = []
        self.recoveries = []
        self.refused = 0


def fill_and_free(bench, volume, rounds):
    # Beyond 256 KiB a body is spooled to a file.
    trade = bench.trade(messages=3, size=400_000 if volume == "spool" else 10_000)
    directory = put_on_small_disk(bench, trade.gateway, volume)
    gateway = trade.gateway.start()
    load = Load(gateway.address, trade.ledger, trade.messages, connections=4, rate=10, seed=bench.seed, pause=0.2).start()
    outcome = Filled()
    with trade.back_end.collecting():
        for _ in range(rounds):
            bench.pause(0.5, 1.0)
            with mounts.filled(directory):
                bench.pause(1.5, bench.share(2.0, 5.0))
            outcome.recoveries.append(load.receipt_after(time.monotonic()))
        load.stop()
        trade.settle()
    outcome.faults += trade.check()
    statuses = [status for _, _, status in load.answers]
    outcome.refused = statuses.count(503) + statuses.count(507)
    others = set(statuses) - {200, 503, 507}
    if others:
        outcome.faults.append(f"answers with status {others}")
    if outcome.refused == 0 and volume != "delivery":  # where a hand-over simply waits
        outcome.faults.append("nothing was refused while the disk was full")
    if max(outcome.recoveries) > RECOVERY:
        outcome.faults.append(f"{max(outcome.recoveries):.1f} s from the space's return to the next receipt")
    return outcome


def put_on_small_disk(bench, gateway, volume):
    """@returns the directory whose disk can be filled"""
    home = gateway.home
    if volume == "audit":
        # The log lies in the home itself, so the home becomes small and all else is shown there from outside.
        outside = bench.directory / "outside"
        outside.mkdir()
        for name in ("store", "delivery"):
            (home / name).rename(outside / name)
        mounts.small(home, SIZE)
        for name in ("store", "delivery"):
            mounts.bind(outside / name, home / name)
        return home
    directory = {"store": home / "store", "spool": home / "store" / "spool", "delivery": home / "delivery"}[volume]
    mounts.small(directory, SIZE)
    return directory
