"""R11: most partners are dead, each in its own way, while the gateway sends to all of them."""

import concurrent.futures
import contextlib
import dataclasses
import itertools
import os
import time

from row import Outcome
from sim.openssl import Identity
from sim.server import Behaviour, PartnerServer, RefusingPort, SilentPort

LEAST_SHARE = 0.95           # of the throughput that the good ones have alone
LEAST_SHARE_SANITIZED = 0.5  # no speed, and still far from what starving leaves
PATIENCE, SHORT_PATIENCE = "60s", "2s"  # with an answer; the short one is for those who never give any
ATTEMPTS, FIRST_INTERVAL, FACTOR = 3, 1, 2
SHORTENED = 0.8              # an interval is shortened by a fifth at most
# Seconds that an attempt may come later than agreed: the one before it takes as long as the gateway's patience, and then the partner's other
# message may have its turn first, or a thread is to become free, or the circuit breaker lets only one through now and then.
LONGEST_DELAY = 15.0

AGREEMENT = """
    <agreement name="{name}">
      <hostPartner>Gateway</hostPartner>
      <guestPartner>{name}</guestPartner>
      <receiveAgreement><securitySettings>
        <signingCertificateName>partner</signingCertificateName>
        <encryptionCertificateName>gateway</encryptionCertificateName>
      </securitySettings></receiveAgreement>
      <x:connection url="{url}" connectTimeout="{timeout}" totalTimeout="{timeout}"/>
      <x:retry attempts="{attempts}" firstInterval="{interval}s" factor="{factor}"/>
    </agreement>"""
PARTNER = """
    <partner name="{name}">
      <businessIdentities><businessIdentity><value>{name}</value></businessIdentity></businessIdentities>
    </partner>"""


@dataclasses.dataclass
class Kind:
    """A way to be dead."""
    name: str
    server: object
    reason: str   # what the record says in the end
    final: bool = False   # an answer that no further attempt changes
    silent: bool = False  # no answer: the gateway's patience ends it


def measure(bench):
    good, bad, good_messages, bad_messages = bench.share((2, 9, 4, 1), (10, 50, 21, 2))
    # What bounds the throughput is to be how long a good partner takes to answer, and not this machine.
    answer_time = bench.share(2.0, 5.0)
    trade = bench.trade(messages=1)
    with contextlib.ExitStack() as servers:
        good_one = servers.enter_context(PartnerServer(trade.partner, trade.gateway.certificate, delay=answer_time))
        kinds = ways_to_be_dead(trade)
        for kind in kinds:
            servers.enter_context(kind.server)
        good_names = [f"good-{number}" for number in range(good)]
        bad_names = {f"{kind.name}-{number}": kind for number, kind in zip(range(bad), itertools.cycle(kinds))}
        apply(trade, {name: good_one for name in good_names}, bad_names)

        quiet_ids = queue(bench, trade, good_names * good_messages)
        quiet = drain(trade, good_one, quiet_ids, patience=60.0 * bench.slack)
        faults = settle(trade, patience=20.0 * bench.slack)
        trade.gateway.terminate()

        bad_ids = queue(bench, trade, list(bad_names) * bad_messages)
        busy_ids = queue(bench, trade, good_names * good_messages)
        least = (LEAST_SHARE if bench.timed else LEAST_SHARE_SANITIZED) * quiet
        busy = drain(trade, good_one, busy_ids, patience=good * good_messages / least)
        figure = f"{good} good partners had {busy / quiet * 100:.0f} % of their {quiet:.1f}/s beside {bad} dead ones"
        bar = f">= {least / quiet * 100:.0f} %, each failed by its schedule and with its reason, same octets, 0 believed"
        if busy < least:
            return Outcome(figure, bar, [figure])
        faults += settle(trade, patience=60.0 * bench.slack)
        records = {record["messageId"]: record for record in trade.gateway.messages("--direction", "outbound")}
        trade.gateway.terminate()

    faults += good_one.check()
    faults += [f"a good partner's message is {records[message_id]['state']}: {records[message_id]['reason']}"
               for message_id in quiet_ids + busy_ids if records[message_id]["state"] != "confirmed"]
    for message_id in bad_ids:
        faults += judge_dead(records[message_id], bad_names[records[message_id]["agreement"]])
    delays = [0.0]
    for kind in kinds:
        faults += judge_schedule(kind, delays, LONGEST_DELAY * bench.slack)
    attempts = sum(records[message_id]["attempts"] for message_id in bad_ids)
    believed = sum(records[message_id]["state"] == "confirmed" for message_id in bad_ids)
    return Outcome(f"{figure}; {len(bad_ids)} messages to those failed after {attempts} attempts, up to {max(delays):.1f} s late, {believed} false receipts believed, "
                   f"{len(faults)} faults", bar, faults)


def ways_to_be_dead(trade):
    def server(behaviour, **more):
        return PartnerServer(trade.partner, trade.gateway.certificate, behaviour, **more)

    stranger = Identity.create(trade.gateway.directory, "stranger")
    return [
        Kind("refuses", RefusingPort(), "Failed to connect"),
        Kind("takes-no-connection", SilentPort(), "Connection timed out", silent=True),
        Kind("black-hole", server(Behaviour.BLACK_HOLE), "Operation timed out", silent=True),
        Kind("drips", server(Behaviour.SLOW), "Operation timed out", silent=True),
        Kind("out-of-order", server(Behaviour.ERROR), "HTTP 500"),
        Kind("resets", server(Behaviour.RESET), "reset by peer"),
        Kind("other-mic", server(Behaviour.WRONG_MIC), "received something else", final=True),
        Kind("unsigned", server(Behaviour.UNSIGNED), "not signed", final=True),
        Kind("bad-tls", server(Behaviour.GOOD, tls_identity=stranger), "tls-untrusted"),
    ]


def apply(trade, good, bad):
    """An agreement with each of them."""
    gateway = trade.gateway
    partners = agreements = ""
    for name, url, timeout in [*((name, server.url, PATIENCE) for name, server in good.items()),
                               *((name, kind.server.url, SHORT_PATIENCE if kind.silent else PATIENCE) for name, kind in bad.items())]:
        partners += PARTNER.format(name=name)
        agreements += AGREEMENT.format(name=name, url=url, timeout=timeout, attempts=ATTEMPTS, interval=FIRST_INTERVAL, factor=FACTOR)
    account = (gateway.directory / "account.xml").read_text()
    account = account.replace("</partners>", partners + "</partners>").replace("</agreements>", agreements + "</agreements>")
    (gateway.directory / "partners.xml").write_text(account)
    gateway.run("apply", gateway.directory / "partners.xml")


def queue(bench, trade, agreements):
    """Puts a message on disk for each, while no gateway runs. @returns their Message-IDs"""
    document = trade.gateway.directory / "order.edi"
    document.write_bytes(b"ISA*00*" + bench.dice.randbytes(10_000))

    def send(agreement):
        return trade.gateway.run("send", "--queue", "--agreement", agreement, document)["messageId"]

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(send, agreements))


def drain(trade, server, message_ids, patience):
    """Starts the gateway, and waits until the server has all of these or patience ends. @returns messages a second"""
    trade.gateway.start()
    started = time.monotonic()
    deadline = started + patience
    came = {}
    while len(came) < len(message_ids) and time.monotonic() < deadline:
        time.sleep(0.05)
        came = {arrival.message_id: arrival.when for arrival in list(server.arrivals) if arrival.message_id in message_ids}
    ended = max(came.values()) if len(came) == len(message_ids) else deadline
    return len(came) / (ended - min([started, *came.values()]) + server.delay)


def settle(trade, patience):
    """Waits until nothing is open any more."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not trade.gateway.messages("--direction", "outbound", "--state", "queued", limit=1):
            return []
        time.sleep(0.5)
    return [f"messages are open {patience:.0f} s after the good partners had all theirs"]


def judge_dead(record, kind):
    told = f"{record['state']} after {record['attempts']} attempts: {record['reason']}"
    if record["state"] == "confirmed":
        yield f"BELIEVED: a message to {record['agreement']} is confirmed"
    elif record["state"] != "failed" or kind.reason not in record["reason"]:
        yield f"a message to {record['agreement']} is {told}"
    elif record["attempts"] != (1 if kind.final else ATTEMPTS) or kind.final == ("given up" in record["reason"]):
        yield f"a message to {record['agreement']} is {told}"


def judge_schedule(kind, delays, longest_delay):
    """What arrived: the same octets each time, never sooner than agreed, and not much later. The delays are added to those given."""
    if not isinstance(kind.server, PartnerServer):
        return
    yield from kind.server.check()
    moments = {}
    for arrival in kind.server.arrivals:
        moments.setdefault(arrival.message_id, []).append(arrival.when)
    for message_id, times in moments.items():
        for number, (earlier, later) in enumerate(itertools.pairwise(times)):
            agreed = FIRST_INTERVAL * FACTOR ** number
            delays.append(later - earlier - agreed)
            if later - earlier < SHORTENED * agreed or delays[-1] > longest_delay:
                yield f"{message_id} came again at {kind.name} after {later - earlier:.2f} s, agreed were {agreed:.2f} s, or a fifth less"
