"""R23: the audit log cannot be written; then no key is used. And its chain shows each edit, cut and swap."""

import os
import shutil

import strace
from audit import AuditLog
from gateway import Gateway, GatewayFailed
from row import Outcome
from sim.client import Load
from sim.messages import Mdn


def measure(bench):
    strace.need()
    trade = bench.trade(messages=4)
    log = trade.gateway.home / "audit.log"
    messages = bench.share(10, 1_700)
    faults = []
    for error, when in (("ENOSPC", "1+"), ("EIO", "2+3"), ("ENOSPC", "3+4")):
        wrapper = strace.wrapper(bench.directory / "trace.txt", ["write"], "-P", log, *strace.failing("write", error, when))
        trade.gateway.start(wrapper=wrapper, environment=strace.ENVIRONMENT)
        faults += send_while_failing(bench, trade, messages, always=when == "1+")
        trade.gateway.terminate()
    trade.settle()
    faults += [*trade.check(), *taken_for_the_log(trade.gateway, log)]
    audit = AuditLog(log)
    faults += unaudited(trade, audit)
    found = tampering_found(bench, trade.gateway.home)
    faults += [f"nobody noticed: {how}" for how, noticed in found.items() if not noticed]
    return Outcome(f"{len(trade.ledger.all())} messages while the log fails, {len(audit.records)} records, "
                   f"{sum(found.values())} of {len(found)} changes to the log found",
                   "no use of a key without a record, every change found", faults)


def send_while_failing(bench, trade, messages, always):
    """Sends so many; where every record fails, no message may be taken."""
    before = trade.back_end.collect().count()
    load = Load(trade.gateway.address, trade.ledger, trade.messages, connections=4, rate=50, seed=bench.seed, pause=0.2).start()
    bench.pause(messages / 50, messages / 50)
    try:
        load.stop(patience=2.0 if always else 120.0)
    except TimeoutError:
        if not always:
            raise
    taken = [status for _, _, status in load.answers if status == 200]
    if always and taken:
        yield f"{len(taken)} messages were answered by a receipt while no record could be written"
    if always and trade.back_end.collect().count() > before:
        yield "messages were delivered while no record could be written"


def taken_for_the_log(gateway, log):
    """A pipe without a reader in the log's place takes records, and keeps none of them: it must not serve there, nor wait for one."""
    away = log.with_name("audit.away")
    log.rename(away)
    os.mkfifo(log)
    try:
        gateway.start(wait=False).wait_until_serving()
        yield "it serves with a pipe in the place of its audit log"
    except GatewayFailed as failed:
        if "no regular file" not in str(failed):
            yield str(failed)
    finally:
        gateway.kill()
        away.replace(log)


def unaudited(trade, audit):
    """Delivered messages whose receipt was signed without a record."""
    signed_for = audit.messages("sign")
    for entry in trade.ledger.all():
        for delivery in trade.back_end.deliveries.get(entry.message_id, []):
            signed = any(Mdn(answer.headers, answer.body).signed for answer in entry.receipts)
            if signed and delivery.facts["id"] not in signed_for:
                yield f"{entry.message_id}: its receipt is signed, and the log has no use of the key for that"


def tampering_found(bench, home):
    """Whether `signet audit verify` and our own reading of the chain find what somebody might do to it."""
    copy = Gateway(bench.signet, bench.directory / "copy")
    shutil.copytree(home, copy.home)
    log = copy.home / "audit.log"
    lines = log.read_bytes().splitlines(keepends=True)
    at = bench.dice.randrange(1, len(lines) - 2)
    changes = {
        "an edited line": lines[:at] + [lines[at].replace(b'"gateway"', b'"operator"', 1)] + lines[at + 1:],
        "a line taken out": lines[:at] + lines[at + 1:],
        "two lines swapped": lines[:at] + [lines[at + 1], lines[at]] + lines[at + 2:],
        "a line put in": lines[:at] + [lines[at]] + lines[at:],
        "the end cut off": lines[:at],
    }
    found = {}
    for how, changed in changes.items():
        log.write_bytes(b"".join(changed))
        # A chain does not show by itself that its end is gone; that is for the evidence, which names its lines.
        found[how] = bool(copy.chain_faults()) and (bool(AuditLog(log).faults) or changed == lines[:at])
    log.write_bytes(b"".join(lines))
    return found | {"nothing, when nothing was changed": not copy.chain_faults()}
