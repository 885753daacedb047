"""R7: the N-th of each kind of system call fails, while messages come in and a document goes out."""

import errno
import time

import documents
import strace
from gateway import GatewayFailed
from row import Outcome, Skip
from sim.client import Load
from sim.openssl import Identity
from sim.server import PartnerServer

LONGEST_HANG = 10.0  # seconds
REFUSED_TO_START = {1, 2, 3, 4, 5, 8}  # exit codes of a command that says why it cannot; others are mistakes and signals
FILE_WRITE = "write to a file"  # of all that write() goes to, eventfds and a sanitizer's pipes never fail like a disk
# What may fail, and how. A call that is interrupted is to be made again by whoever made it.
FAILURES = [
    ("write", "EINTR"), (FILE_WRITE, "EIO"), (FILE_WRITE, "ENOSPC"), ("pwrite64", "EIO"), ("pwrite64", "ENOSPC"), ("fsync", "EIO"), ("fdatasync", "EIO"),
    ("renameat", "EIO"), ("renameat2", "EIO"), ("rename", "ENOSPC"), ("openat", "EMFILE"), ("openat", "EIO"), ("accept4", "EMFILE"),
    ("accept4", "EINTR"),
]


def measure(bench):
    strace.need()
    if bench.failing_module is None:
        raise Skip("--failing says where the module is that lets a write to a file fail")
    runs = [(call, error, when) for call, error in FAILURES for when in range(1, bench.share(12, 200) + 1)]
    if not bench.full:
        runs = bench.dice.sample(runs, 16)
    directory = bench.directory / "trade"
    directory.mkdir()
    own, partner = (Identity.create(directory, name) for name in ("gateway", "partner"))
    with PartnerServer(partner, own.certificate) as server:
        trade = bench.trade(messages=4, directory=directory, partner=partner, own_key=(own.key, own.certificate), url=server.url,
                            send=documents.SEND, rest=documents.RETRY)
        folder = documents.Documents(trade.gateway)
        starts_refused, longest, faults = run_each(bench, trade, folder, runs)
        trade.gateway.start()
        faults += folder.settle(patience=120.0)
        trade.settle()
        faults += folder.check(server) + trade.check()
    return Outcome(f"{len(runs)} failing calls, {starts_refused} starts refused, {len(trade.ledger.all())} messages and {len(folder)} documents, "
                   f"the longest run took {longest:.1f} s, {len(faults)} faults",
                   f"no loss, no lie, no crash, no hang > {LONGEST_HANG:.0f} s", faults)


def run_each(bench, trade, folder, runs):
    """@returns how many starts were refused, how long the longest run took, in seconds, and faults"""
    starts_refused, longest, faults = 0, 0.0, []
    for call, error, when in runs:
        name = f"{call} {error} {when}"
        begun = time.monotonic()
        try:
            if not run_once(bench, trade, folder, call, error, when):
                starts_refused += 1
        except (GatewayFailed, TimeoutError) as failed:
            faults.append(f"{name}: {failed}")
            trade.gateway.kill()  # or it would serve the home for all the other runs
        longest = max(longest, time.monotonic() - begun)
        faults += [f"{name}: {line}" for line in crashes(trade.gateway)]
    return starts_refused, longest, faults


def run_once(bench, trade, folder, call, error, when):
    """A start, two messages in, a document out, and an end, with one call failing in each thread. What is left of the document goes
    out in a later run. @returns whether it served"""
    gateway = trade.gateway
    folder.put()
    wrapper, environment = injection(bench, call, error, when)
    gateway.start(wrapper=wrapper, environment=environment, wait=False)
    try:
        gateway.wait_until_serving(LONGEST_HANG * bench.slack)
        Load(gateway.address, trade.ledger, trade.messages, connections=1, count=2, pause=0.05).start().wait(LONGEST_HANG * bench.slack)
    except (GatewayFailed, TimeoutError):
        if not refused_to_start(gateway):
            raise
        gateway.kill()
        return False
    wait_until_taken(folder, LONGEST_HANG * bench.slack)
    trade.back_end.collect()
    gateway.terminate(LONGEST_HANG * bench.slack)
    return True


def wait_until_taken(folder, patience):
    """@raises TimeoutError"""
    deadline = time.monotonic() + patience
    while folder.left():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{folder.left()} still lie in the pick-up folder")
        time.sleep(0.01)


def injection(bench, call, error, when):
    """@returns the wrapper and the environment of a gateway to which that happens"""
    if call == FILE_WRITE:
        return (), {"LD_PRELOAD": str(bench.failing_module), "SIGNET_FAILING_WRITE": f"{when} {getattr(errno, error)}"}
    return strace.wrapper("/dev/null", [call], *strace.failing(call, error, when)), strace.ENVIRONMENT


def refused_to_start(gateway):
    """It may have refused after it had written where it listens."""
    return gateway.process.poll() in REFUSED_TO_START and '"event":"serving"' not in gateway.log.read_text(errors="replace")


def crashes(gateway):
    """What the log has of sanitizers and of exceptions that nobody caught; the log begins anew."""
    text = gateway.log.read_text(errors="replace")
    gateway.log.write_text("")
    marks = ("AddressSanitizer", "runtime error:", "terminate called", "Segmentation fault", "mistake in Signet")
    return [line for line in text.splitlines() if any(mark in line for mark in marks)]
