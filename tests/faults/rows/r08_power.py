"""R8: the power is cut under load, and while documents go out: the gateway dies, and with it everything written and not synced."""

import documents
import power
from row import Outcome
from sim.client import Load
from sim.openssl import Identity
from sim.server import PartnerServer

DOCUMENTS_A_CUT = 3


def measure(bench):
    cuts, sent, lost_files, delivered, faults = inbound(bench)
    more_cuts, documents_sent, more_lost_files, more_faults = outbound(bench)
    faults += more_faults
    if not (lost_files and more_lost_files):
        faults.append("no cut took anything away: the disk does not forget")
    return Outcome(f"{cuts + more_cuts} cuts, {sent} messages in and {documents_sent} documents out, {lost_files + more_lost_files} files "
                   f"not as they were, {delivered} deliveries, {len(faults)} faults", "0 lost, 0 doubled, 0 lying receipts", faults)


def inbound(bench):
    cuts = bench.share(4, 100)
    trade = bench.trade(messages=bench.share(8, 24), size=20_000)
    # Some messages are large enough for files of their own.
    trade.messages += trade.composer.prepare(2, 400_000, seed=bench.seed + 1)
    gateway = trade.gateway
    disk = power.Disk(gateway.home, bench.power_module, bench.directory / "durable")
    gateway.start(environment=disk.power_up())
    load = Load(gateway.address, trade.ledger, trade.messages, connections=8, rate=50, seed=bench.seed, gives_up=0.1).start()
    lost_files = 0
    for _ in range(cuts):
        bench.pause(0.3, bench.share(0.8, 2.0))
        gateway.kill()
        lost_files += disk.cut()
        trade.back_end.collect()  # only now, so that what the business took does not come back
        gateway.start(environment=disk.power_up())
    load.stop()
    gateway.kill()
    lost_files += disk.cut()
    trade.settle()
    return cuts + 1, trade.ledger.count(lambda entry: True), lost_files, trade.back_end.count(), trade.check()


def outbound(bench):
    """What lies in the pick-up folder when the power is back is durable; what becomes of it there is not, unless the gateway syncs it."""
    cuts = bench.share(4, 60)
    directory = bench.directory / "outbound"
    directory.mkdir()
    own, partner = (Identity.create(directory, name) for name in ("gateway", "partner"))
    with PartnerServer(partner, own.certificate) as server:
        trade = bench.trade(directory=directory, partner=partner, own_key=(own.key, own.certificate), url=server.url,
                            send=documents.SEND, rest=documents.RETRY)
        gateway, folder = trade.gateway, documents.Documents(trade.gateway)
        disk = power.Disk(gateway.home, bench.power_module, directory / "durable")
        lost_files = 0
        for _ in range(cuts):
            for _ in range(DOCUMENTS_A_CUT):
                folder.put()
            gateway.start(environment=disk.power_up())
            bench.pause(0.05 * bench.slack, 0.3 * bench.slack)
            gateway.kill()
            lost_files += disk.cut()
        gateway.start()
        faults = folder.settle(patience=60.0)
        gateway.terminate()
        faults += folder.check(server)
    return cuts, len(folder), lost_files, faults + trade.check()
