"""R13: connections that are slow on purpose, while one good partner sends."""

import shutil
import subprocess

from row import Outcome
from sim.client import Load, percentile
from sim.slow import SlowClients

LONGEST_CUT = 30.0  # seconds
LONGEST_P99 = 0.5   # seconds
NEXT_TO_NOTHING = 0.02  # seconds: three times less than that is no slowness
MOST_GROWTH = 200   # MiB
GOOD_ADDRESS = "127.0.0.9"


def measure(bench):
    heads, bodies, readers = bench.share((100, 100, 4), (450, 450, 100))
    trade = bench.trade(messages=8)
    gateway = trade.gateway.start()
    watch = Watch(gateway)
    quiet = post_for(bench, trade, bench.share(3, 20))
    watch.remember()
    faults = []
    with SlowClients(gateway.address, heads, bodies, readers) as slow:
        slow.wait_all_open(heads + bodies + readers)
        opened = slow.open
        busy = post_for(bench, trade, bench.share(5, 30), watch)
        for kind, count in (("head", heads), ("body", bodies)):
            if not slow.wait_all_cut(kind, count, LONGEST_CUT):
                faults.append(f"{count - len(slow.cut_after[kind])} that drip a {kind} are not cut off after {LONGEST_CUT:.0f} s")
        longest_cut = max(max(times, default=0.0) for times in slow.cut_after.values())
    if bench.full and shutil.which("slowhttptest"):
        for mode in ("-H", "-B", "-X"):
            busy += under_slowhttptest(bench, trade, mode, watch)
    faults += judge(bench, quiet, busy, watch)
    if opened < (heads + bodies + readers) * 0.95:
        faults.append(f"only {opened} slow connections were opened")
    trade.settle()
    faults += trade.check()
    return Outcome(f"{opened} slow connections; good ones: {sum(status != 200 for _, _, status in busy)} errors, p99 "
                   f"{p99(busy) * 1000:.0f} ms, quiet {p99(quiet) * 1000:.0f} ms; slow ones cut after {longest_cut:.0f} s; "
                   f"{watch.threads} threads, RSS +{watch.growth:.0f} MiB",
                   f"0 errors, p99 {'<= 3x quiet and ' if bench.timed else ''}< {LONGEST_P99 * bench.slack * 1000:.0f} ms, cut <= {LONGEST_CUT:.0f} s, "
                   f"no more threads, RSS < +{MOST_GROWTH * bench.memory_slack:.0f} MiB", faults)


class Watch:
    """Threads and memory of the gateway, at most, since remember()."""

    def __init__(self, gateway):
        self._gateway = gateway
        self._quiet = (0, 0)
        self.threads = 0
        self.growth = 0.0  # MiB

    def remember(self):
        self._quiet = (self._gateway.status("Threads"), self._gateway.status("VmRSS"))
        self.look()

    def look(self):
        self.threads = max(self.threads, self._gateway.status("Threads"))
        self.growth = max(self.growth, (self._gateway.status("VmRSS") - self._quiet[1]) / 1024)

    @property
    def more_threads(self):
        return self.threads - self._quiet[0]


def post_for(bench, trade, seconds, watch=None):
    """Ten messages a second from an address of its own. @returns the answers' times"""
    load = Load(trade.gateway.address, trade.ledger, trade.messages, connections=4, rate=10, source=GOOD_ADDRESS).start()
    for _ in range(int(seconds * 4)):
        bench.pause(0.25, 0.25)
        if watch:
            watch.look()
    return load.stop().answers


def under_slowhttptest(bench, trade, mode, watch):
    host, port = trade.gateway.address()
    attack = subprocess.Popen(["slowhttptest", mode, "-c", "1000", "-r", "500", "-i", "5", "-x", "8", "-k", "20", "-l", "35", "-u",
                               f"http://{host}:{port}/as2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return post_for(bench, trade, 30, watch)
    finally:
        attack.terminate()
        attack.wait()


def p99(answers):
    return percentile([seconds for _, seconds, _ in answers], 0.99)


def judge(bench, quiet, busy, watch):
    errors = [status for _, _, status in busy if status != 200]
    if errors:
        yield f"the good partner got {len(errors)} errors, the first is {errors[0]}"
    if p99(busy) > LONGEST_P99 * bench.slack:
        yield f"the good partner's p99 is {p99(busy):.2f} s"
    if bench.timed and p99(busy) > max(3 * p99(quiet), NEXT_TO_NOTHING):
        yield f"the good partner's p99 is {p99(busy):.3f} s, and was {p99(quiet):.3f} s when all was quiet"
    if watch.more_threads > 0:
        yield f"{watch.more_threads} more threads than when all was quiet"
    if watch.growth > MOST_GROWTH * bench.memory_slack:
        yield f"RSS grew by {watch.growth:.0f} MiB"
