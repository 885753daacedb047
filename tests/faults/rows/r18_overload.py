"""R18: ten times as much is offered as can be done."""

import time

from row import Outcome, Skip
from sim.client import Load, percentile
from sim.flood import Flood

OVERLOAD = 10          # times the peak rate are offered
LONGEST_REFUSAL = 0.1  # seconds
LEAST_SHARE = 0.8      # of the peak rate
BACK_TO_NORMAL = 5.0   # seconds
QUEUE = 32             # requests that may wait: fewer than are offered


def measure(bench):
    if bench.crowd is None:
        raise Skip("--crowd says where the program is that posts for hundreds of connections")
    trade = bench.trade(messages=16)
    gateway = trade.gateway.start("--queued-requests", QUEUE)
    seconds = bench.share(3, 60)
    with trade.back_end.collecting(interval=0.5):
        peak = rate_of(served(offer(bench, trade, 16, None, seconds)), seconds)
        crowd = bench.share(120, 500)
        # Each at least once a second: ten times the peak of a sanitizer's build may be no overload for the queue.
        flood = offer(bench, trade, crowd, max(OVERLOAD * peak, crowd), seconds)
        recovery = time_to_normal(trade)
    rate = rate_of(served(flood), seconds)
    refusals = [took for _, took, status in flood if status in (429, 503)]
    others = {status for _, _, status in flood} - {200, 429, 503}
    p99 = percentile(refusals, 0.99)
    trade.settle()
    faults = trade.check()
    if bench.timed and rate < LEAST_SHARE * peak:
        faults.append(f"{rate:.0f} messages a second of {peak:.0f}")
    if bench.timed and p99 > LONGEST_REFUSAL:
        faults.append(f"refusals took {p99:.2f} s")
    if not refusals:
        faults.append("nothing was refused: the overload was none")
    if others:
        faults.append(f"answers with status {others}")
    if recovery > BACK_TO_NORMAL * bench.slack:
        faults.append(f"normal again only after {recovery:.1f} s")
    return Outcome(f"{len(flood) / seconds:.0f}/s offered, {rate:.0f}/s of {peak:.0f}/s served, {len(refusals)} refused with p99 {p99 * 1000:.0f} ms, normal after "
                   f"{recovery:.2f} s, {len(faults)} faults",
                   (f">= {LEAST_SHARE * 100:.0f} % of the peak, refusals < {LONGEST_REFUSAL * 1000:.0f} ms" if bench.timed
                    else "no speed is judged under a sanitizer") +
                   f"; 0 lost, normal < {BACK_TO_NORMAL * bench.slack:.0f} s", faults)


def offer(bench, trade, connections, rate, seconds):
    """So many connections post so often, or whenever they are answered. @returns the answers of just that time"""
    flood = Flood(bench.crowd, trade.gateway.address, trade.ledger, trade.messages, connections=connections, rate=rate).start()
    end = time.monotonic() + seconds
    bench.pause(seconds, seconds)
    flood.stop(patience=120.0)
    return [answer for answer in flood.answers if answer[0] + answer[1] <= end]


def served(answers):
    return [answer for answer in answers if answer[2] == 200]


def rate_of(answers, seconds):
    return len(answers) / seconds


def time_to_normal(trade):
    """How long after the flood a message takes that comes alone."""
    started = time.monotonic()
    Load(trade.gateway.address, trade.ledger, trade.messages, connections=1, count=1).start().wait()
    return time.monotonic() - started
