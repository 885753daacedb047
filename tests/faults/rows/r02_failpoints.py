"""R2: the gateway dies exactly at each instant that has a name."""

import failpoints
from gateway import GatewayFailed
from row import Outcome
from sim.client import Load

# Not on the way of a message that comes in: a new store's schema, a settings file, and what is sent to partners.
ELSEWHERE = {"migrate", "file.rename", "post.send", "post.answered"}


def measure(bench):
    names = [name for name in failpoints.names() if name not in ELSEWHERE]
    times = bench.share(1, 5)
    faults = [f"no failpoint is near {place}" for place in failpoints.steps_without_a_name()]
    # Large enough for files of their own, which small ones do not have.
    trade = bench.trade(messages=4, size=400_000)
    deaths = 0
    for name in names:
        for time in range(1, times + 1):
            died = die_at(trade, f"{name}:{time}")
            deaths += died
            if not died and time == 1:
                faults.append(f"nothing passed {name}")
    trade.settle()
    faults += trade.check()
    return Outcome(f"{deaths} deaths at {len(names)} instants, {trade.back_end.count()} deliveries, {len(faults)} faults",
                   "every instant reached, 0 lost, 0 doubled", faults)


def die_at(trade, instant):
    """Whether the gateway died there. The partner sends again to the next one, until he has his receipts."""
    gateway = trade.gateway.start(environment={"SIGNET_FAIL_AT": instant}, wait=False)
    try:
        gateway.wait_until_serving()
        load = Load(gateway.address, trade.ledger, trade.messages, connections=2, count=4).start()
        died = gateway.wait_until_dead(5.0)
    except GatewayFailed:
        load, died = None, True  # what the last death left was handed over, and there it died again
    if died:
        gateway.kill()
        gateway.start()
    if load is not None:
        load.wait()
    trade.back_end.collect()
    gateway.kill()
    return died
