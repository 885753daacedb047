"""R12: one message posted 32 times at once, again and again, some of the times with the gateway killed in between."""

import asyncio
import concurrent.futures
import time

from row import Outcome
from sim.client import post_all
from sim.messages import new_message_id
from sim.wire import Connection

PARALLEL = 32


def measure(bench):
    rounds, kills = bench.share((8, 2), (200, 20))
    trade = bench.trade(messages=4)
    trade.gateway.start()
    kill_in = set(bench.dice.sample(range(rounds), kills))
    with trade.back_end.collecting():
        for number in range(rounds):
            entry = trade.ledger.enter(new_message_id(), trade.messages[number % 4])
            post_until_answered(trade, entry, bench.dice.uniform(0.0, 0.25) if number in kill_in else None)
    trade.settle()
    faults = trade.check()
    bodies = [{answer.body for answer in entry.receipts} for entry in trade.ledger.all()]
    faults += [f"{len(answers)} different receipts for one message" for answers in bodies if len(answers) > 1]
    others = {answer.status for entry in trade.ledger.all() for answer in entry.answers} - {200, 503}
    faults += [f"an answer with status {status}" for status in others]
    deliveries = trade.back_end.count()
    if deliveries != rounds:
        faults.append(f"{deliveries} deliveries of {rounds} messages")
    return Outcome(f"{deliveries} deliveries in {rounds} rounds of {PARALLEL} posts with {kills} kills, "
                   f"{sum(len(answers) > 1 for answers in bodies)} rounds with differing receipts",
                   f"{rounds} deliveries, all receipts byte-equal", faults)


def post_until_answered(trade, entry, kill_after):
    """All posts at once; where the gateway is killed in the middle, all of them once more."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        posting = pool.submit(asyncio.run, post_in_parallel(trade.gateway, entry))
        if kill_after is not None:
            time.sleep(kill_after)
            trade.gateway.kill()
            posting.result()
            trade.gateway.start()
            posting = pool.submit(asyncio.run, post_in_parallel(trade.gateway, entry))
        posting.result()
    while not entry.settled:
        asyncio.run(post_in_parallel(trade.gateway, entry, count=1))


async def post_in_parallel(gateway, entry, count=PARALLEL):
    connections = [Connection(gateway.address) for _ in range(count)]
    entry.answers += filter(None, await post_all(connections, entry.prepared.request(entry.message_id)))
    for connection in connections:
        connection.close()
