"""R3: hostile requests over raw sockets, each with the verdict that it must get, and a healthy gateway behind it."""

import time

import hostile
from row import Outcome
from sim.messages import Mdn

LONGEST = 2.0  # seconds for an answer


def measure(bench):
    trade = bench.trade(messages=1, **hostile.TRADE)
    gateway = trade.gateway.start()
    cases = hostile.http_cases() + hostile.large_cases() + hostile.as2_cases()
    bench.dice.shuffle(cases)
    faults = []
    for case in cases * bench.share(1, 4):
        started = time.monotonic()
        answer, rest = hostile.exchange(gateway.address(), case.octets)
        if time.monotonic() - started > LONGEST * bench.slack:
            faults.append(f"{case.name}: took {time.monotonic() - started:.1f} s")
        faults += [f"{case.name}: {fault}" for fault in judge(case, answer, rest)]
        if not hostile.is_well(gateway):
            faults.append(f"{case.name}: the gateway is not well behind it")
            break
    return Outcome(f"{len(cases)} requests, {len(faults)} wrong verdicts", "0 wrong, 0 crashes, healthy behind each", faults)


def judge(case, answer, rest):
    if answer is None:
        yield "no answer"
        return
    if case.status and answer.status != case.status:
        yield f"{answer.status} instead of {case.status}"
    if not case.status and answer.status >= 500:
        yield f"answered {answer.status}"
    if case.status and rest:
        yield f"the connection went on behind the refusal: {rest[:60]!r}"
    if case.smuggles and b"HTTP/1.1" in rest:
        yield "a smuggled request was answered"
    if case.accepted is not None and accepts(answer) != case.accepted:
        yield f"{'refused' if case.accepted else 'accepted'}, and should not have been"


def accepts(answer):
    """Whether it is a receipt that says processed. A repeat of a good request gets the receipt of the first one."""
    if answer.status != 200:
        return False
    try:
        return Mdn(answer.headers, answer.body).processed
    except ValueError:
        return False
