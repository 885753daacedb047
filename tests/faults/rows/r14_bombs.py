"""R14: small requests that want to become large, while one good partner sends."""

import os
import pathlib

import bombs
import hostile
from row import Outcome
from sim.client import Load, percentile

MOST_CPU = 2.0             # seconds for one request
MOST_CPU_COMPRESSED = 5.0  # for one that would expand to a gibibyte
LONGEST_P99 = 1.0          # seconds, of the good partner
PAYLOAD = 32               # MiB that the agreement takes at most
LIMITS = f'<x:limits maxMessageSize="{PAYLOAD}MiB" maxDecompressedSize="{PAYLOAD}MiB"/>'


def measure(bench):
    trade = bench.trade(messages=4, **{**hostile.TRADE, "receive": hostile.TRADE["receive"] + LIMITS})
    gateway = trade.gateway.start()
    cases = bombs.cases(trade.partner, gateway.certificate, mebibytes=bench.share(256, 1024))
    send_good(trade, count=3)
    before = gateway.status("VmHWM")
    faults, dearest = [], ("none", 0.0)
    for case in cases:
        used = cpu_seconds(gateway.pid)
        answer, _ = hostile.exchange(gateway.address(), case.octets, patience=120.0)
        used = cpu_seconds(gateway.pid) - used
        dearest = max(dearest, (case.name, used), key=lambda one: one[1])
        if used > (MOST_CPU_COMPRESSED if case.name.startswith("compressed") else MOST_CPU) * bench.slack:
            faults.append(f"{case.name}: {used:.1f} s of CPU")
        if answer is None or answer.status >= 500 and answer.status != case.status:
            faults.append(f"{case.name}: {'no answer' if answer is None else answer.status}")
        if not hostile.is_well(gateway):
            faults.append(f"{case.name}: the gateway is not well behind it")
            break
    growth = (gateway.status("VmHWM") - before) / 1024
    p99 = p99_of_good_partner_among(cases, trade, bench)
    trade.settle()
    for case in cases:
        if case.accepted and not trade.back_end.deliveries.pop(f"<{case.name}@partner.test>", None):
            faults.append(f"{case.name}: not delivered, though there is nothing wrong with it")
    faults += trade.check()
    if growth > 2 * PAYLOAD * bench.memory_slack:
        faults.append(f"memory rose by {growth:.0f} MiB")
    if bench.timed and p99 > LONGEST_P99:
        faults.append(f"the good partner's p99 was {p99:.1f} s")
    return Outcome(f"{len(cases)} bombs: at most {dearest[1]:.2f} s of CPU ({dearest[0]}), memory +{growth:.0f} MiB, good partner's p99 "
                   f"{p99 * 1000:.0f} ms, {len(faults)} faults",
                   f"< {MOST_CPU * bench.slack:.0f} s CPU ({MOST_CPU_COMPRESSED * bench.slack:.0f} s compressed), < +"
                   f"{2 * PAYLOAD * bench.memory_slack:.0f} MiB{f', p99 < {LONGEST_P99:.0f} s' if bench.timed else ''}", faults)


def cpu_seconds(pid):
    """User and system time of all its threads [proc(5), fields 14 and 15]."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def send_good(trade, count):
    Load(trade.gateway.address, trade.ledger, trade.messages, connections=1, count=count).start().wait()


def p99_of_good_partner_among(cases, trade, bench):
    load = Load(trade.gateway.address, trade.ledger, trade.messages, connections=2, rate=10).start()
    for case in cases * bench.share(1, 3):
        hostile.exchange(trade.gateway.address(), case.octets, patience=120.0)
    return percentile([took for _, took, _ in load.stop().answers], 0.99)
