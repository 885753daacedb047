"""R2: the gateway dies exactly at each instant that has a name, while messages come in and while they go out."""

import time

import failpoints
from gateway import GatewayFailed
from row import Outcome
from sim.client import Load
from sim.openssl import Identity
from sim.server import PartnerServer

# On neither way: a new store's schema, a settings file, and a notice's mail, which goes out again after a death.
ELSEWHERE = {"migrate", "file.rename", "mail.send"}
OUTBOUND_ONLY = {"post.send", "post.answered"}
# Those of the others that a message passes on its way out, from the pick-up folder to its receipt.
OUTBOUND_TOO = {"directory.rename-new", "file.sync", "commit", "committed", "audit.sync"}


def measure(bench):
    faults = [f"no failpoint is near {place}" for place in failpoints.steps_without_a_name()]
    names = [name for name in failpoints.names() if name not in ELSEWHERE]
    inbound_deaths, deliveries, inbound_faults = inbound(bench, [name for name in names if name not in OUTBOUND_ONLY])
    outbound_deaths, documents, outbound_faults = outbound(bench, [name for name in names if name in OUTBOUND_ONLY | OUTBOUND_TOO])
    faults += inbound_faults + outbound_faults
    return Outcome(f"{inbound_deaths + outbound_deaths} deaths at {len(names)} instants, {deliveries} deliveries, {documents} documents "
                   f"sent, {len(faults)} faults", "every instant reached, 0 lost, 0 doubled", faults)


# ---- In


def inbound(bench, names):
    # Large enough for files of their own, which small ones do not have.
    trade = bench.trade(messages=4, size=400_000)
    deaths, faults = at_each(bench, names, lambda instant: die_receiving(trade, instant))
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


def die_receiving(trade, instant):
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


# ---- Out


def outbound(bench, names):
    directory = bench.directory / "outbound"
    directory.mkdir()
    own, partner = (Identity.create(directory, name) for name in ("gateway", "partner"))
    with PartnerServer(partner, own.certificate) as server:
        trade = bench.trade(directory=directory, partner=partner, own_key=(own.key, own.certificate), url=server.url,
                            send='<x:pickup stableFor="1ms"/>', rest='<x:retry firstInterval="100ms" factor="1" attempts="50"/>')
        documents = []
        deaths, faults = at_each(bench, names, lambda instant: die_sending(trade.gateway, documents, instant))
        trade.gateway.start()
        faults += unsettled(trade.gateway, len(documents), patience=60.0)
        trade.gateway.terminate()
        faults += server.check() + disagreements(server, documents)
    return deaths, len(documents), faults + trade.check()


def die_sending(gateway, documents, instant):
    """Whether the gateway died there while it sent one document more."""
    folder = gateway.pickup_folder
    folder.mkdir(parents=True, exist_ok=True)
    documents.append(f"document {len(documents)}".encode())
    part = folder / "document.part"
    part.write_bytes(documents[-1])
    part.rename(folder / f"{len(documents)}.edi")
    gateway.start(environment={"SIGNET_FAIL_AT": instant}, wait=False)
    deadline = time.monotonic() + 60.0
    while files_left(gateway) and time.monotonic() < deadline:
        if gateway.wait_until_dead(0.1):
            return True
    gateway.kill()
    return False


def files_left(gateway):
    return [file.name for file in gateway.pickup_folder.rglob("*") if file.is_file()]


def unsettled(gateway, count, patience):
    """Waits for every document's message to be confirmed, and for the folder to be empty. @returns what is not"""
    deadline = time.monotonic() + patience
    while True:
        states = [message["state"] for message in gateway.messages("--direction", "outbound")]
        left = files_left(gateway)
        if states == ["confirmed"] * count and not left:
            return []
        if time.monotonic() > deadline:
            return [f"of {count} documents there are {len(states)} messages, {states.count('confirmed')} of them confirmed, and "
                    f"files: {left}"]
        time.sleep(0.1)


def disagreements(server, documents):
    """Between what was put into the folder and what the partner could open."""
    there = sorted(received.payload for received in server.opened.values())
    lost = [document.decode() for document in documents if document not in there]
    faults = [f"the partner does not have {document}" for document in lost]
    if len(there) != len(set(there)):
        faults.append(f"the partner has {len(there)} messages of {len(set(there))} documents")
    return faults
