"""R8: the power is cut under load: the gateway dies, and with it everything written and not synced."""

import power
from row import Outcome
from sim.client import Load


def measure(bench):
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
    faults = trade.check()
    if not lost_files:
        faults.append("no cut took anything away: the disk does not forget")
    sent = trade.ledger.count(lambda entry: True)
    return Outcome(f"{cuts + 1} cuts, {sent} messages, {load.lost} answers lost, {lost_files} files not as they were, "
                   f"{trade.back_end.count()} deliveries, {len(faults)} faults", "0 lost, 0 doubled, 0 lying receipts", faults)
