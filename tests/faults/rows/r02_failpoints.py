"""R2: the gateway dies exactly at each instant that has a name, while messages come in and while they go out, with receipts in the answers and
with receipts that are posted."""

import time

import documents
import failpoints
from gateway import GatewayFailed
from row import Outcome
from sim.client import Load
from sim.inbox import Inbox
from sim.ledger import Ledger
from sim.openssl import Identity
from sim.server import PartnerServer

# On neither way: a new store's schema, a settings file, a notice's mail, which goes out again after a death, a key in a token, what R22 dies
# at, and what tests/integration/cem_test.py does.
ELSEWHERE = {"migrate", "file.rename", "mail.send", "token.made", "master.written", "master.rename", "master.renamed", "master.removed",
             "exchange.decided", "exchange.taken-over", "exchange.announced", "exchange.settle"}
OUTBOUND_ONLY = {"post.send", "post.answered"}
# Those of the others that a message passes on its way out, from the pick-up folder to its receipt.
OUTBOUND_TOO = {"directory.rename-new", "file.sync", "commit", "committed", "audit.sync"}
# Those that a receipt passes on its way to a partner who has it posted, and one that a partner posts.
POSTING = {"commit", "committed", "post.send", "post.answered"}
POSTED = {"commit", "committed"}
ALLOW = '<x:receiptPolicy><x:allowUrl url="{url}"/><x:allowNetwork network="127.0.0.0/8"/></x:receiptPolicy>'
POSTED_TO_US = """<mdnSettings>
  <sendMDNAsynchronously>true</sendMDNAsynchronously><receiptDeliveryUrl>http://gateway.test/as2/receipts</receiptDeliveryUrl>
</mdnSettings>"""


def measure(bench):
    faults = [f"no failpoint is near {place}" for place in failpoints.steps_without_a_name()]
    names = [name for name in failpoints.names() if name not in ELSEWHERE]
    parts = [inbound(bench, [name for name in names if name not in OUTBOUND_ONLY]),
             outbound(bench, [name for name in names if name in OUTBOUND_ONLY | OUTBOUND_TOO]),
             inbound_posting(bench, [name for name in names if name in POSTING]),
             outbound_posted(bench, [name for name in names if name in POSTED])]
    deaths, messages = (sum(part[position] for part in parts) for position in (0, 1))
    faults += [fault for part in parts for fault in part[2]]
    return Outcome(f"{deaths} deaths at {len(names)} instants, {messages} messages in and out, {len(faults)} faults",
                   "every instant reached, 0 lost, 0 doubled", faults)


# ---- In


def inbound(bench, names):
    # Large enough for files of their own, which small ones do not have.
    trade = bench.trade(messages=4, size=400_000)
    deaths, faults = at_each(bench, names, lambda instant: die_receiving(trade, instant))
    trade.settle()
    return deaths, trade.back_end.count(), faults + trade.check()


def inbound_posting(bench, names):
    """The partner has his receipts posted."""
    ledger = Ledger()
    with Inbox(ledger) as inbox:
        trade = bench.trade(messages=2, ledger=ledger, receive=ALLOW.format(url=inbox.url), rest=documents.RETRY)
        deaths, faults = at_each(bench, names, lambda instant: die_receiving(trade, instant, inbox))
        trade.gateway.start()
        faults += inbox.settle(patience=60.0) + inbox.faults
        trade.settle()
    return deaths, trade.back_end.count(), faults + trade.check()


def at_each(bench, names, die_at):
    """Has it die at each, several times. @returns how often it did, and faults"""
    deaths, faults = 0, []
    for name in names:
        for time_passed in range(1, bench.share(1, 5) + 1):
            died = die_at(f"{name}:{time_passed}")
            deaths += died
            if not died and time_passed == 1:
                faults.append(f"nothing passed {name}")
    return deaths, faults


def die_receiving(trade, instant, inbox=None):
    """Whether the gateway died there. The partner sends again to the next one, until he has his receipts, be it by posts."""
    gateway = trade.gateway.start(environment={"SIGNET_FAIL_AT": instant}, wait=False)
    also = [("Receipt-Delivery-Option", inbox.url)] if inbox else []
    try:
        gateway.wait_until_serving()
        load = Load(gateway.address, trade.ledger, trade.messages, connections=2, count=4, also=also).start()
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


# ---- Out


def outbound(bench, names):
    return sending(bench, names, "outbound", send=documents.SEND)


def outbound_posted(bench, names):
    """The partner posts his receipts."""
    return sending(bench, names, "posted", send=POSTED_TO_US + documents.SEND)


def sending(bench, names, directory, send):
    directory = bench.directory / directory
    directory.mkdir()
    own, partner = (Identity.create(directory, name) for name in ("gateway", "partner"))
    with PartnerServer(partner, own.certificate, gateway_address=lambda: trade.gateway.address()) as server:
        trade = bench.trade(directory=directory, partner=partner, own_key=(own.key, own.certificate), url=server.url,
                            send=send, rest=documents.RETRY)
        folder = documents.Documents(trade.gateway)
        deaths, faults = at_each(bench, names, lambda instant: die_sending(trade.gateway, folder, instant))
        trade.gateway.start()
        faults += folder.settle(patience=60.0)
        trade.gateway.terminate()
        faults += folder.check(server)
    return deaths, len(folder), faults + trade.check()


def die_sending(gateway, folder, instant):
    """Whether the gateway died there while it sent one document more."""
    folder.put()
    gateway.start(environment={"SIGNET_FAIL_AT": instant}, wait=False)
    deadline = time.monotonic() + 60.0
    while folder.left() and time.monotonic() < deadline:
        if gateway.wait_until_dead(0.1):
            return True
    gateway.kill()
    return False
