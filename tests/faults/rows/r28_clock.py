"""R28: the clock jumps while messages come: a day on, a day back, over the end of 32 bits, ten years. And a year passes in a minute, in
which certificates are renewed, replaced, and spoken of on their days."""

import datetime
import http.server
import json
import re
import socket
import ssl
import threading
import time
import urllib.request

from faketime import FakeClock, run_at
from gateway import GatewayFailed
from row import Outcome
from sim.client import Load, post_once
from sim.messages import Composer, Mdn, new_message_id
from sim.openssl import Identity, OpensslFailed, openssl
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
                   f"as its dates are, {len(faults)} faults", "Ledger clean, messages taken at each time, verdicts right; renewals, rollovers, notices and "
                   "revocation lists on their days, no message fails", faults)


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


class Lists:
    """A certificate service in the gateway's own home, that has issued two certificates which sign messages: one for the year, and one that is
    revoked in the middle of it. The gateway looks both up, in the list that the service publishes and makes anew in time."""

    GROUP = "Stations"
    LIST_DAYS = 30
    REVOKED = 203
    # Of the certificate that is revoked; and of messages that came before a list was fetched anew, since days pass faster here than lists are
    # fetched on a busy machine. These are sent again, as partners do, and must be taken then.
    COMPLAINTS = ('"event":"certificate-revoked"', "the revocation list of 'CN=Stations CA' has ended")

    def __init__(self, year, directory, clock):
        self.year, self.directory, self.clock = year, directory, clock
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.place = f"127.0.0.1:{probe.getsockname()[1]}"
        self.options = ("--listen-publication", self.place, "--publication-host", self.place)
        self.faults, self.numbers = [], set()

    def set_up(self, gateway, composed_for):
        (gateway.home / "serve.toml").write_text(f'publication-host = "{self.place}"\ncrl-allow-url = ["http://{self.place}/"]\n')
        for name, roles in (("writer", "Reader,Writer"), ("approver", "Reader,Approver"), ("admin", "Reader,Administrator")):
            self.year.run("principal", "add", name, "--roles", roles)
        self._call("admin", "group", "create", self.GROUP, "--type", "As2CertificateType", "--subject", "CN=Stations CA", "--months", "18", "--key-size",
                   "2048", "--issuer-months", "36", "--issuer-key-size", "2048", "--crl-days", str(self.LIST_DAYS))
        issuer = self._call("admin", "issuer", "create", self.GROUP)
        self.serial = issuer["serialNumber"]
        self._add("stations-ca", issuer["certificate"])
        application = self._call("writer", "application", "register", "--as2-name", "PARTNER", "--url", "https://partner.example/as2", "--purpose",
                                 "sign")["applicationId"]
        self._call("admin", "application", "approve", application)
        self.requests, self.messages = {}, {}
        for name in ("steady", "revocable"):
            key, asked = self.directory / f"{name}.key", self.directory / f"{name}.csr"
            openssl("req", "-newkey", "rsa:2048", "-noenc", "-keyout", key, "-subj", f"/CN={name}", "-out", asked)
            self.requests[name] = self._call("writer", "request", "sign", "--application", application, "--group", self.GROUP, asked)["requestId"]
            issued = self._call("approver", "request", "approve", self.requests[name])["certificate"]["certificate"]
            identity = Identity(name, key, self._add(name, issued))
            self.messages[name] = {recipient: Composer(identity, certificate).prepare(1)[0] for recipient, certificate in composed_for.items()}
        account = self.directory / "with-lists.xml"
        self.year.run("export", "--file", account)
        self._change(account, "</securitySettings>", "</securitySettings><validationSettings><checkCertificateRevocationListOnReceive>true"
                     "</checkCertificateRevocationListOnReceive></validationSettings>")
        self._change(account, "</receiveAgreement>", '<x:certificates role="verifyMessage"><x:certificate name="steady"/>'
                     '<x:certificate name="revocable"/></x:certificates></receiveAgreement>')
        self.year.run("apply", account)

    def live(self, day, address, recipient):
        """What the service published before the day is over is made anew at half of its time; both certificates are judged by it."""
        published = self._published()
        if day > 0 and day - self.day_of(published) >= self.LIST_DAYS / 2:
            self.year.wait(lambda: self._published()["number"] != published["number"])
        published = self._published()
        self.numbers.add(published["number"])
        if not self.day_of(published) <= day + 1 < self.day_of(published) + self.LIST_DAYS:
            self.faults.append(f"day {day}: the list that is published is of day {self.day_of(published):.0f}")
        if day == self.REVOKED:
            self._call("approver", "revoke", self.requests["revocable"], "--reason", "keyCompromise")
            self.year.run("crl", "fetch")
            self.year.wait(lambda: self.year.has_event("certificate-revoked"))
        for name, wanted in (("steady", True), ("revocable", day < self.REVOKED)):
            taken = self._taken(address, self.messages[name][recipient])
            if taken != wanted:
                self.faults.append(f"day {day}: a message signed with the certificate '{name}' was {'taken' if taken else 'refused'}")

    def day_of(self, published):
        return (published["this_update"] - self.year.began) / DAY

    def _published(self):
        with urllib.request.urlopen(f"http://{self.place}/certs/crl/{self.serial}/{self.GROUP}.crl", timeout=60) as answer:
            text = openssl("crl", "-inform", "DER", "-noout", "-lastupdate", "-crlnumber", octets=answer.read()).decode()
        return {"number": re.search(r"crlNumber=0x([0-9A-F]+)", text)[1],
                "this_update": ssl.cert_time_to_seconds(re.search(r"lastUpdate=(.*)", text)[1])}

    def _taken(self, address, prepared):
        """Whether it is, once the gateway knows: while a list comes, it asks to be sent the message again."""
        deadline = time.monotonic() + self.year.PATIENCE
        while True:
            answer = post_once(address, prepared.request(new_message_id()))
            if answer.status != 503 or time.monotonic() > deadline:
                return answer.status == 200 and Mdn(answer.headers, answer.body).processed
            time.sleep(0.2)

    def _call(self, who, *arguments):
        return self.year.run("authority", *arguments, "--as", who)

    def _add(self, name, certificate):
        file = self.directory / f"{name}.cer"
        file.write_text(f"-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n")
        self.year.run("certificate", "add", name, file)
        return file

    def _change(self, account, old, new):
        account.write_text(account.read_text().replace(old, new, 1))


class Year:
    """A partner and a gateway whose certificates both end in 325 days, and go over to others before that; a management certificate that
    ends on day 200 without a successor; a vault's certificate of six months that is renewed; and certificates of the certificate service, looked
    up in its lists, one of which is revoked."""

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
                            for by in (-1, 0, 1)), *(day + by for day, _ in self.NOTICES for by in (-1, 0)), *self.RENEWED_BETWEEN, self.RESTART, *(Lists.REVOKED + by for by in (-1, 0, 1))})
        self._composed = {}
        self.lists = Lists(self, directory, clock)

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
        complaints = [line for line in self.gateway.errors() if not any(expected in line for expected in self.lists.COMPLAINTS)]
        if complaints:
            self.faults.append(f"the log complains: {complaints[0]}")
        return self.faults + self.lists.faults

    def figure(self):
        return (f"a year in {time.time() - self.began:.0f} s: {self.messages} messages over 2 rollovers, {len(self.webhook.posts)} notices, "
                f"1 renewal, {len(self.lists.numbers)} revocation lists, 1 revocation")

    def run(self, *arguments):
        return self.gateway.run(*arguments, environment=self.clock.environment)

    def _at(self, day):
        return datetime.datetime.fromtimestamp(self.began + day * DAY, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def has_event(self, name):
        return f'"event":"{name}"' in self.gateway.log.read_text(errors="replace")

    def _set_up(self):
        """The two plans are made on the first day."""
        names = self.identities
        self.lists.set_up(self.gateway, {name: names[name].certificate for name in ("gateway", "gateway-2")})
        self.run("vault", "key", "import", "gateway-2", names["gateway-2"].key)
        self.run("certificate", "add", "gateway-2", names["gateway-2"].certificate, "--key", "gateway-2")
        self.run("certificate", "add", "partner-2", names["partner-2"].certificate)
        self.run("principal", "certificate", "add", "administrator", names["administrator"].certificate)
        self.run("vault", "secret", "set", "hook", "--value-file", self.gateway.secret_file("hook", "shared secret"))
        policy = self.directory / "policy.json"
        policy.write_text(json.dumps({
            "key_props": {"kty": "EC", "crv": "P-256"}, "x509_props": {"subject": "CN=renewed", "validity_months": 6},
            "issuer": {"name": "Self"}, "secret_props": {"contentType": "application/x-pem-file"},
            "lifetime_actions": [{"trigger": {"lifetime_percentage": 80}, "action": {"action_type": "AutoRenew"}}]}))
        self.run("vault", "certificate", "create", "renewed", "--policy", policy)
        for owner, plan in (("partner", self.PARTNER), ("gateway", self.GATEWAY)):
            self.run("rollover", "plan", f"{owner}-2", "--replaces", owner, "--accept-from", self._at(plan["accept"]), "--use-from",
                      self._at(plan["use"]), "--retire-at", self._at(plan["retire"]))

    def _start(self):
        self.gateway.start("--notice-webhook", self.webhook.url, "--notice-webhook-secret", "signet/hook", *self.lists.options, environment=self.clock.environment)

    def _live(self, day):
        """Some hours into the day, so that what is to be on it is."""
        self.webhook.day = day
        self.clock.show(day * DAY + 3 * 3600)
        if day == self.RESTART:
            self.gateway.terminate()
            self._start()
        self._exchange(day)
        if any(day == due for due, _ in self.NOTICES):
            self.wait(lambda: self.webhook.posts and self.webhook.posts[-1][0] == day)
        elif any(day == due - 1 for due, _ in self.NOTICES) or day == self.RESTART:
            time.sleep(self.LOOK_TIME)
        if day == self.RENEWED_BETWEEN[0]:
            time.sleep(self.LOOK_TIME)
            self._count_versions(day, 1)
        if day == self.RENEWED_BETWEEN[1]:
            self.wait(lambda: len(self._versions()) == 2)
            self._count_versions(day, 2)

    def wait(self, condition):
        deadline = time.monotonic() + (self.PATIENCE if not self.faults else self.LOOK_TIME)
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.1)

    def _versions(self):
        return self.run("vault", "certificate", "versions", "renewed")

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
        self.lists.live(day, self.gateway.address, recipient)
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
            self.run("send", "--agreement", "trade", document)
        except GatewayFailed as failed:
            self.faults.append(f"day {day}: {failed}")

    def _compose(self, signer, recipient):
        if (signer, recipient) not in self._composed:
            composer = Composer(self.identities[signer], self.identities[recipient].certificate)
            self._composed[signer, recipient] = composer.prepare(1)[0]
        return self._composed[signer, recipient]
