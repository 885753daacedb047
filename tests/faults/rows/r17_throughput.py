"""R17: messages a second with durability on, and whether it is on."""

import strace
from row import Outcome
from sim.client import Load, percentile

LEAST_RATE = 100   # messages a second
LONGEST_P99 = 0.25  # seconds


def measure(bench):
    trade = bench.trade(messages=16)
    gateway = trade.gateway.start()
    with trade.back_end.collecting(interval=0.5):
        load = Load(gateway.address, trade.ledger, trade.messages, connections=16).start()
        seconds = bench.share(2, 60)
        bench.pause(seconds, seconds)
        load.stop()
    times = [took for _, took, status in load.answers if status == 200]
    rate, p99 = len(times) / seconds, percentile(times, 0.99)
    gateway.terminate()
    faults = []
    if bench.timed and rate < LEAST_RATE:
        faults.append(f"{rate:.0f} messages a second")
    if bench.timed and p99 > LONGEST_P99:
        faults.append(f"p99 {p99 * 1000:.0f} ms")
    if len(times) != len(load.answers):
        faults.append(f"{len(load.answers) - len(times)} errors")

    syncs = "not counted"
    if not strace.why_not():
        messages = bench.share(20, 200)
        counted = count_syncs(bench, trade, messages)
        syncs = f"{counted / messages:.1f} syncs of the store a message"
        if counted < messages:
            faults.append(f"{counted} syncs of the store for {messages} messages, one after the other: fast because not durable")
    trade.settle()
    faults += trade.check()
    speed = f">= {LEAST_RATE}/s, p99 < {LONGEST_P99 * 1000:.0f} ms" if bench.timed else "no speed is judged under a sanitizer"
    return Outcome(f"{rate:.0f}/s, p99 {p99 * 1000:.0f} ms, {syncs}", f"{speed}; >= 1 sync of the store a message", faults)


def count_syncs(bench, trade, messages):
    """Syncs of the store's files while so many messages are sent, each when the one before it is answered."""
    output = bench.directory / "syncs.txt"
    trade.gateway.start(wrapper=strace.wrapper(output, ["fsync", "fdatasync"], "-y"), environment=strace.ENVIRONMENT)
    Load(trade.gateway.address, trade.ledger, trade.messages, connections=1, count=messages).start().wait()
    trade.gateway.kill()
    store = str(trade.gateway.home / "store")
    return sum(1 for _, arguments, _ in strace.lines(output) if store in arguments)
