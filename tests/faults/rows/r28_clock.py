"""R28: the clock jumps while messages come: a day on, a day back, over the end of 32 bits, ten years."""

import time

from faketime import FakeClock, run_at
from row import Outcome
from sim.client import Load, post_once
from sim.messages import Mdn, new_message_id
from sim.openssl import Identity

DAY = 86_400
END_OF_32_BITS = 2**31 - 1  # 2038-01-19 03:14:07


def measure(bench):
    clock = FakeClock(bench.directory)
    steps = {"a day on": DAY, "a day back": -DAY, "the end of 32 bits": END_OF_32_BITS - int(time.time()) - 1, "ten years": 3652 * DAY,
             "now": 0}
    faults, figures = jumps(bench, clock, steps)
    verdicts = verdicts_over_time(bench, clock)
    faults += [f"{when}: {'taken' if taken else 'refused'} under a certificate of one year" for when, taken, wanted in verdicts
               if taken != wanted]
    return Outcome(f"{figures}; {sum(taken == wanted for _, taken, wanted in verdicts)} of {len(verdicts)} verdicts on a certificate "
                   f"as its dates are, {len(faults)} faults", "Ledger clean, messages taken at each time, verdicts right", faults)


def trade_issued_before(bench, clock, days):
    """Both certificates were issued 40 days ago and hold so many days."""
    directory = bench.directory / f"{days}-days"
    directory.mkdir()
    partner, gateway = (issue(directory, name, days) for name in ("partner", "gateway"))
    trade = bench.trade(messages=4, directory=directory, partner=partner, own_key=(gateway.key, gateway.certificate))
    trade.gateway.start(environment=clock.environment)
    return trade


def issue(directory, name, days):
    key, certificate = directory / f"{name}.key", directory / f"{name}.crt"
    run_at(-40 * DAY, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-keyout", key, "-out", certificate, "-days", days,
           "-subj", f"/CN={name}")
    return Identity(name, key, certificate)


def jumps(bench, clock, steps):
    trade = trade_issued_before(bench, clock, days=9000)
    load = Load(trade.gateway.address, trade.ledger, trade.messages, connections=4, rate=20, seed=bench.seed).start()
    faults = []
    with trade.back_end.collecting():
        for name, ahead in steps.items():
            clock.show(ahead)
            if load.receipt_after(time.monotonic() + bench.share(1.5, 10.0)) >= 60.0:
                faults.append(f"{name}: no receipts any more")
        load.stop()
    trade.settle()
    faults += trade.check()
    refused = {status for _, _, status in load.answers} - {200}
    if refused:
        faults.append(f"answers with status {refused}")
    if trade.gateway.errors():
        faults.append(f"the log complains: {trade.gateway.errors()[0]}")
    return faults, f"{len(trade.ledger.all())} messages over {len(steps)} jumps"


def verdicts_over_time(bench, clock):
    """When, whether a message was taken, whether it should have been."""
    trade = trade_issued_before(bench, clock, days=365)
    verdicts = []
    for when, ahead, wanted in (("a day back", -DAY, True), ("now", 0, True), ("324 days on", 324 * DAY, True),
                                ("326 days on", 326 * DAY, False), ("ten years on", 3652 * DAY, False),
                                ("50 days back", -50 * DAY, False), ("now again", 0, True)):
        clock.show(ahead)
        answer = post_once(trade.gateway.address, trade.messages[0].request(new_message_id()))
        verdicts.append((when, answer.status == 200 and Mdn(answer.headers, answer.body).processed, wanted))
    return verdicts
