"""R1: the gateway is killed at random moments under load."""

from row import Outcome
from sim.client import Load


def measure(bench):
    kills = bench.share(5, 200)
    trade = bench.trade(messages=bench.share(8, 24))
    gateway = trade.gateway.start()
    load = Load(gateway.address, trade.ledger, trade.messages, connections=16, rate=50, seed=bench.seed, gives_up=0.1).start()
    with trade.back_end.collecting():
        for _ in range(kills):
            bench.pause(0.2, bench.share(0.8, 2.5))
            gateway.kill()
            gateway.start()
        load.stop()
    trade.settle()
    faults = trade.check()
    sent = trade.ledger.count(lambda entry: True)
    if load.lost < kills / 4:
        faults.append(f"only {load.lost} answers were lost by {kills} kills: the kills missed the load")
    return Outcome(f"{kills} kills, {sent} messages, {load.lost} answers lost, {trade.back_end.count()} deliveries, "
                   f"{len(faults)} faults", "0 lost, 0 doubled, 0 lying receipts", faults)
