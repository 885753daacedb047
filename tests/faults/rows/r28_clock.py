"""R28: the clock jumps while messages come: a day on, a day back, over the end of 32 bits, ten years. And a year passes in a minute, in
which certificates are renewed, replaced, and spoken of on their days."""

import datetime
import http.server
import json
import threading
import time

from faketime import FakeClock, run_at
from gateway import GatewayFailed
from row import Outcome
from sim.client import Load, post_once
from sim.messages import Composer, Mdn, new_message_id
from sim.openssl import Identity, OpensslFailed
from sim.server import PartnerServer

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
    year = Year(bench, clock)
    faults += year.pass_by()
    return Outcome(f"{figures}; {year.figure()}; {sum(taken == wanted for _, taken, wanted in verdicts)} of {len(verdicts)} verdicts on a certificate "
                   f"as its dates are, {len(faults)} faults", "Ledger clean, messages taken at each time, verdicts right; renewals, rollovers and notices on "
                   "their days, no message fails", faults)


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


class Webhook:
    """Keeps what is posted to it, with the day that it came on."""

    def __init__(self):
        self.day, self.posts = 0, []
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if event["type"].startswith("Signet.Certificate"):
                    webhook.posts.append((webhook.day, event["data"]["notice"], event["data"]["places"][0]["name"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/events"

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Year:
    """A partner and a gateway whose certificates both end in 325 days, and go over to others before that; a management certificate that
    ends on day 200 without a successor; and a vault's certificate of six months that is renewed."""

    PARTNER = {"accept": 30, "use": 60, "retire": 90}
    GATEWAY = {"accept": 100, "use": 150, "retire": 200}
    NOTICES = [(140, 60), (170, 30), (186, 14), (193, 7), (199, 1)]  # the day, and how long before the end
    RENEWED_BETWEEN = (143, 146)
    RESTART = 172
    LOOK_TIME = 2.5  # seconds; the gateway looks every second what is due
    PATIENCE = 20.0

    def __init__(self, bench, clock):
        self.clock, self.faults, self.messages = clock, [], 0
        self.began = time.time()
        directory = bench.directory / "year"
        directory.mkdir()
        self.identities = {name: issue(directory, name, days)
                           for name, days in [("partner", 365), ("partner-2", 900), ("gateway", 365), ("gateway-2", 900), ("administrator", 240)]}
        own = self.identities["gateway"]
        clock.show(0)
        self.server = PartnerServer(self.identities["partner"], own.certificate)
        self.server.__enter__()
        trade = bench.trade(messages=1, directory=directory, partner=self.identities["partner"], own_key=(own.key, own.certificate), url=self.server.url)
        self.gateway, self.webhook, self.directory = trade.gateway, Webhook(), directory
        self.steps = sorted({*range(0, 365, bench.share(14, 1)), *(day + by for plan in (self.PARTNER, self.GATEWAY) for day in plan.values()
                            for by in (-1, 0, 1)), *(day + by for day, _ in self.NOTICES for by in (-1, 0)), *self.RENEWED_BETWEEN, self.RESTART})
        self._composed = {}

    def pass_by(self):
        try:
            self._set_up()
            self._start()
            for day in self.steps:
                self._live(day)
        finally:
            self.webhook.close()
            self.gateway.terminate()
            self.server.__exit__()
        self.faults += self.server.check()
        wanted = [(day, days, "administrator") for day, days in self.NOTICES]
        if self.webhook.posts != wanted:
            self.faults.append(f"notices came on {self.webhook.posts}, and should have on {wanted}")
        if self.gateway.errors():
            self.faults.append(f"the log complains: {self.gateway.errors()[0]}")
        return self.faults

    def figure(self):
        return (f"a year in {time.time() - self.began:.0f} s: {self.messages} messages over 2 rollovers, {len(self.webhook.posts)} notices, "
                f"1 renewal")

    def _run(self, *arguments):
        return self.gateway.run(*arguments, environment=self.clock.environment)

    def _at(self, day):
        return datetime.datetime.fromtimestamp(self.began + day * DAY, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _set_up(self):
        """The two plans are made on the first day."""
        names = self.identities
        self._run("vault", "key", "import", "gateway-2", names["gateway-2"].key)
        self._run("certificate", "add", "gateway-2", names["gateway-2"].certificate, "--key", "gateway-2")
        self._run("certificate", "add", "partner-2", names["partner-2"].certificate)
        self._run("principal", "certificate", "add", "administrator", names["administrator"].certificate)
        self._run("vault", "secret", "set", "hook", "--value-file", self.gateway.secret_file("hook", "shared secret"))
        policy = self.directory / "policy.json"
        policy.write_text(json.dumps({
            "key_props": {"kty": "EC", "crv": "P-256"}, "x509_props": {"subject": "CN=renewed", "validity_months": 6},
            "issuer": {"name": "Self"}, "secret_props": {"contentType": "application/x-pem-file"},
            "lifetime_actions": [{"trigger": {"lifetime_percentage": 80}, "action": {"action_type": "AutoRenew"}}]}))
        self._run("vault", "certificate", "create", "renewed", "--policy", policy)
        for owner, plan in (("partner", self.PARTNER), ("gateway", self.GATEWAY)):
            self._run("rollover", "plan", f"{owner}-2", "--replaces", owner, "--accept-from", self._at(plan["accept"]), "--use-from",
                      self._at(plan["use"]), "--retire-at", self._at(plan["retire"]))

    def _start(self):
        self.gateway.start("--notice-webhook", self.webhook.url, "--notice-webhook-secret", "signet/hook", environment=self.clock.environment)

    def _live(self, day):
        """Some hours into the day, so that what is to be on it is."""
        self.webhook.day = day
        self.clock.show(day * DAY + 3 * 3600)
        if day == self.RESTART:
            self.gateway.terminate()
            self._start()
        self._exchange(day)
        if any(day == due for due, _ in self.NOTICES):
            self._wait(lambda: self.webhook.posts and self.webhook.posts[-1][0] == day)
        elif any(day == due - 1 for due, _ in self.NOTICES) or day == self.RESTART:
            time.sleep(self.LOOK_TIME)
        if day == self.RENEWED_BETWEEN[0]:
            time.sleep(self.LOOK_TIME)
            self._count_versions(day, 1)
        if day == self.RENEWED_BETWEEN[1]:
            self._wait(lambda: len(self._versions()) == 2)
            self._count_versions(day, 2)

    def _wait(self, condition):
        deadline = time.monotonic() + (self.PATIENCE if not self.faults else self.LOOK_TIME)
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.1)

    def _versions(self):
        return self._run("vault", "certificate", "versions", "renewed")

    def _count_versions(self, day, wanted):
        if len(self._versions()) != wanted:
            self.faults.append(f"on day {day} the renewed certificate has {len(self._versions())} versions, not {wanted}")

    def _exchange(self, day):
        """One message each way. The partner goes over at the last moment: to its own certificate the day before its old one is retired, and to
        the gateway's likewise. The gateway goes over on the day."""
        signer = "partner" if day < self.PARTNER["retire"] - 1 else "partner-2"
        recipient = "gateway" if day < self.GATEWAY["retire"] - 1 else "gateway-2"
        encrypted_for = "partner" if day < self.PARTNER["use"] else "partner-2"
        receipt_signer = "gateway" if day < self.GATEWAY["use"] else "gateway-2"
        self.server.go_over_to(self.identities[encrypted_for], self.identities[receipt_signer].certificate, self.identities[signer])
        self._send(day)
        prepared = self._compose(signer, recipient)
        answer = post_once(self.gateway.address, prepared.request(new_message_id()))
        self.messages += 1
        try:
            mdn = Mdn(answer.headers, answer.body)
            if not mdn.processed:
                self.faults.append(f"day {day}: {mdn.disposition}")
            mdn.verify(self.identities[receipt_signer].certificate)
        except (OpensslFailed, ValueError) as wrong:
            self.faults.append(f"day {day}: the receipt is not by {receipt_signer}: {wrong}")

    def _send(self, day):
        document = self.directory / "order.edi"
        document.write_text(f"ISA*{day}")
        self.messages += 1
        try:
            self._run("send", "--agreement", "trade", document)
        except GatewayFailed as failed:
            self.faults.append(f"day {day}: {failed}")

    def _compose(self, signer, recipient):
        if (signer, recipient) not in self._composed:
            composer = Composer(self.identities[signer], self.identities[recipient].certificate)
            self._composed[signer, recipient] = composer.prepare(1)[0]
        return self._composed[signer, recipient]
