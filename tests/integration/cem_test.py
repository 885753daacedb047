#!/usr/bin/env python3
"""Certificate Exchange Messaging: two companies announce certificates to each other, and answer.

Usage: cem_test.py --signet BINARY --planted BINARY [TestClass...].
"""

import base64
import http.client
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import cli_test
from account_api_test import AccountTest
from cli_test import DONE, NOT_FOUND, REFUSED
from rollover_test import RolloverTest, at, days

PATIENCE = 60
OPTED_IN = '<x:certificateExchange enabled="true"/>'
PLANTED = None


class Companies(RolloverTest):
    """Acme and Globex, both serving, with agreements that exchange certificates."""

    OPT_IN = ("acme", "globex")

    def setUp(self):
        super().setUp()
        self.home.start()
        self.addCleanup(self.home.stop)
        self.apply(self.home, "acme", "globex", self.globex.port)
        self.apply(self.globex, "globex", "acme", self.home.port)

    def apply(self, home, host, guest, port):
        file = self.account_xml(home, host=host, guest=guest, url=f"http://127.0.0.1:{port}/as2")
        if host in self.OPT_IN:
            file.write_text(file.read_text().replace("</agreement>", OPTED_IN + "</agreement>"))
        home.run("apply", file, expect=DONE)

    def trade(self):
        """An order in both directions."""
        for home in (self.home, self.globex):
            sent = home.json("send", "--agreement", "trade", self.document, expect=None)
            self.assertEqual(sent.get("state"), "confirmed", sent)

    def wait_for(self, what, look):
        deadline = time.monotonic() + PATIENCE
        while True:
            found = look()
            if found:
                return found
            self.assertLess(time.monotonic(), deadline, f"{what} never came:\n{self.home.log.read_text()[-3000:]}\n{self.globex.log.read_text()[-3000:]}")
            time.sleep(0.1)

    def exchange(self, home, **wanted):
        """The one exchange that has these members, once it is there."""
        def look():
            return [one for one in home.json("cem", "list") if all(one[name] == value for name, value in wanted.items())]
        return self.wait_for(f"an exchange with {wanted}", look)[0]

    def announce(self, use=10, retire=20, expect=DONE):
        """Acme's next certificate, planned in so many days, and announced once Globex has told what it can do."""
        self.trade()
        self.file = self.add_next(self.home, "acme")
        self.plan(self.home, "acme-2", "acme", days(use), days(retire))
        return self.home.json("rollover", "announce", "trade", "acme-2", expect=expect)

    def post(self, home, path, headers, port=None):
        """A message as somebody else would post it. Returns the answer's status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", port or home.port, timeout=60)
        self.addCleanup(connection.close)
        connection.request("POST", "/as2", body=pathlib.Path(path).read_bytes(), headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def wire(self, home, message):
        """A sent message as it travelled: its headers, and a file with its body."""
        found = home.json("message", "wire", message)
        file = self.directory / f"{message}.wire"
        octets = base64.b64decode(found["octets"])
        file.write_bytes(octets.split(b"\r\n\r\n", 1)[1] if octets.startswith(b"AS2-") else octets)
        return {header["name"]: header["value"] for header in found["headers"]}, file


class Accepted(Companies):
    def test_a_partner_accepts_and_both_go_over_without_a_failure(self):
        announced = self.announce()
        self.assertEqual((announced["origin"], announced["state"], announced["certificate"]), ("us", "waiting", "acme-2"))
        self.assertEqual(announced["usages"], "digitalSignature, keyEncipherment")
        shown = self.home.json("rollover", "show", "trade", "acme-2")
        self.assertTrue(shown["awaitsAcceptance"])
        self.assertIn("awaitsAcceptance", self.home.run("export", expect=DONE).out)

        proposal = self.exchange(self.globex, state="waiting", origin="partner")
        thumbprint = self.home.json("certificate", "show", "acme-2")["thumbprintSha256"]
        self.assertEqual(proposal["thumbprintSha256"], thumbprint)
        self.assertIsNone(proposal["certificate"])
        self.assertEqual(sorted(one["name"] for one in self.globex.json("certificate", "list")), ["acme", "globex"], "nothing is believed by itself")
        message = self.globex.json("message", "show", proposal["message"])
        self.assertEqual((message["state"], message["deliveredTo"]), ("delivered", "certificate exchange"))
        self.assertEqual([file for file in (self.globex.path / "delivery" / "trade").iterdir() if file.is_file() and b"ediint" in file.read_bytes()], [], "it is nobody's document")
        self.trade()

        before = self.globex.run("export", expect=DONE).out
        dry = self.globex.json("cem", "accept", proposal["id"], "--name", "acme-2", "--dry-run")
        self.assertFalse(dry["changed"])
        self.assertTrue(dry["changes"])
        self.assertEqual(self.globex.run("export", expect=DONE).out, before)
        done = self.globex.json("cem", "accept", proposal["id"][:8], "--name", "acme-2", "--retire-at", days(30))
        self.assertTrue(done["changed"], done)
        self.assertEqual(done["warnings"], [])
        rollover = self.globex.json("rollover", "show", "trade", "acme-2")
        self.assertEqual((rollover["owner"], rollover["state"]), ("partner", "in-use"))
        self.assertEqual(sorted(role["role"] for role in rollover["roles"]), ["encrypt", "verifyMdn", "verifyMessage"])
        self.globex.run("cem", "accept", proposal["id"], expect=REFUSED)
        self.globex.run("cem", "reject", proposal["id"], "--reason", "too late", expect=REFUSED)

        answered = self.exchange(self.home, state="accepted", settled=True)
        self.assertEqual(answered["id"], announced["id"])
        shown = self.home.json("rollover", "show", "trade", "acme-2")
        self.assertEqual((shown["awaitsAcceptance"], shown["state"]), (False, "accepted"), "its date is still to come")
        self.trade()
        received = self.home.json("message", "list", "--direction", "inbound")[0]
        self.assertEqual(self.home.json("message", "show", received["id"])["recipientThumbprint"], thumbprint, "Globex encrypts for the new one")
        self.home.run("rollover", "advance", "trade", "acme-2", expect=DONE)
        self.trade()
        sent = self.home.json("message", "list", "--direction", "outbound")[0]
        self.assertEqual(self.home.json("message", "show", sent["id"])["signerThumbprint"], thumbprint)
        self.home.run("rollover", "advance", "trade", "acme-2", expect=DONE)
        self.globex.run("rollover", "advance", "trade", "acme-2", expect=DONE)
        self.trade()

        for home, operations in ((self.home, ["announceCertificate", "holdRollover", "releaseRollover"]),
                                 (self.globex, ["acceptCertificate", "planRollover"])):
            for operation in operations:
                self.assertEqual(len(home.audit(operation)), 1, operation)
            home.run("audit", "verify", expect=DONE)

    def test_what_is_not_accepted_is_not_used_though_its_date_passes(self):
        self.trade()
        self.add_next(self.home, "acme")
        self.plan(self.home, "acme-2", "acme", at(20), at(22))
        self.home.run("rollover", "announce", "trade", "acme-2", expect=DONE)
        proposal = self.exchange(self.globex, state="waiting", origin="partner")
        time.sleep(24)
        self.trade()
        self.assertEqual(self.home.json("rollover", "show", "trade", "acme-2")["state"], "accepted")
        self.globex.run("cem", "accept", proposal["id"], expect=DONE)
        self.exchange(self.home, state="accepted", settled=True)
        self.assertEqual(self.home.json("rollover", "show", "trade", "acme-2")["state"], "in-use", "now it is, and the old one ends later")
        self.trade()

    def test_announced_twice_or_to_whom_never_said_so(self):
        self.add_next(self.home, "acme")
        self.plan(self.home, "acme-2", "acme", days(10), days(20))
        refused = self.home.run("rollover", "announce", "trade", "acme-2")
        self.assertNotEqual(refused.returncode, DONE)
        self.assertIn("has not advertised CEM", refused.err)
        self.assertEqual(self.home.json("cem", "list"), [])
        self.trade()
        self.home.run("rollover", "announce", "trade", "acme-2", expect=DONE)
        self.assertIn("was announced before", self.home.run("rollover", "announce", "trade", "acme-2", expect=REFUSED).err)
        self.home.run("rollover", "announce", "trade", "acme-3", expect=NOT_FOUND)


class Rejected(Companies):
    def test_a_rejection_calls_the_rollover_off_and_both_go_on_as_before(self):
        before = self.home.run("export", expect=DONE).out
        self.announce()
        proposal = self.exchange(self.globex, state="waiting", origin="partner")
        self.globex.run("cem", "reject", proposal["id"], "--reason", "not the fingerprint we were told", expect=DONE)
        answered = self.exchange(self.home, state="rejected", settled=True)
        self.assertEqual(answered["reason"], "not the fingerprint we were told")
        self.assertEqual(self.home.json("rollover", "list"), [])
        strip = lambda text: re.sub(r"<certificate name=\"acme-2\">.*?</certificate>", "", text, flags=re.S).split()
        self.assertEqual(strip(self.home.run("export", expect=DONE).out), strip(before))
        self.wait_for("the log's word", lambda: "certificate-rejected" in self.home.log.read_text())
        self.trade()
        self.assertEqual(len(self.globex.audit("rejectCertificate")), 1)
        self.assertEqual(len(self.home.audit("cancelRollover")), 1)


class Refused(Companies):
    """What is nobody's word changes nothing."""

    def test_a_message_that_comes_again_changes_nothing(self):
        announced = self.announce()
        proposal = self.exchange(self.globex, state="waiting", origin="partner")
        headers, file = self.wire(self.home, announced["message"])
        status, body = self.post(self.globex, file, {**headers, "Message-ID": "<another@acme.example>"})
        self.assertEqual(status, 200)
        self.assertIn(b"processed", body)
        self.assertEqual([one["id"] for one in self.globex.json("cem", "list")], [proposal["id"]])
        self.globex.run("cem", "reject", proposal["id"], "--reason", "no", expect=DONE)
        answered = self.exchange(self.home, state="rejected", settled=True)
        self.post(self.globex, file, {**headers, "Message-ID": "<third@acme.example>"})
        self.assertEqual(self.globex.json("cem", "show", proposal["id"])["state"], "rejected")
        # The answer, too.
        headers, file = self.wire(self.globex, self.globex.json("cem", "show", proposal["id"])["response"])
        self.post(self.home, file, {**headers, "Message-ID": "<fourth@globex.example>"})
        self.assertEqual(self.home.json("cem", "show", answered["id"])["decided"], answered["decided"])

    def test_one_that_somebody_else_signed_is_refused(self):
        announced = self.announce()
        self.exchange(self.globex, state="waiting", origin="partner")
        payload = self.directory / "cem.mime"
        payload.write_bytes(self.home.run("message", "body", announced["message"], expect=DONE).stdout)
        kind = self.home.json("message", "show", announced["message"])["contentType"]
        mallory = cli_test.Home(self.directory / "mallory")
        mallory.directory.mkdir()
        self.make_company(mallory, "mallory")
        shutil.copy(self.globex.directory / "globex.cer", mallory.directory)
        forged = self.account_xml(mallory, host="mallory", guest="globex", url=f"http://127.0.0.1:{self.globex.port}/as2")
        forged.write_text(forged.read_text().replace("<value>mallory</value>", "<value>acme</value>"))
        mallory.run("apply", forged, expect=DONE)
        sent = mallory.json("send", "--agreement", "trade", payload, "--content-type", kind, expect=None)
        self.assertEqual(sent["state"], "failed", sent)
        self.assertIn("authentication-failed", sent["disposition"])
        self.assertEqual(len(self.globex.json("cem", "list")), 1)

    def test_one_about_nothing_that_was_announced_is_refused(self):
        self.trade()
        payload = self.directory / "cem.xml"
        payload.write_text('<EDIINTCertificateExchangeResponse xmlns="urn:ietf:params:xml:ns:ediintcertificateexchange" '
                           'xmlns:ds="http://www.w3.org/2000/09/xmldsig#" requestId="nothing"><TradingPartnerInfo><Name qualifier="AS2">globex</Name>'
                           '<MessageOriginated>2027-01-01T00:00:00Z</MessageOriginated></TradingPartnerInfo><TrustResponse><CertStatus>Accepted</CertStatus>'
                           '<CertificateReference><ds:X509IssuerName>CN=acme</ds:X509IssuerName><ds:X509SerialNumber>1</ds:X509SerialNumber>'
                           '</CertificateReference></TrustResponse></EDIINTCertificateExchangeResponse>')
        sent = self.globex.json("send", "--agreement", "trade", payload, "--content-type", "application/ediint-cert-exchange+xml", expect=None)
        self.assertEqual(sent["state"], "failed")
        self.assertIn("unexpected-processing-error", sent["disposition"])
        refused = self.home.json("message", "list", "--state", "refused")[0]
        self.assertIn("was not announced under this agreement", self.home.json("message", "show", refused["id"])["reason"])
        payload.write_text("<broken")
        sent = self.globex.json("send", "--agreement", "trade", payload, "--content-type", "application/ediint-cert-exchange+xml", expect=None)
        self.assertEqual(sent["state"], "failed")
        self.assertEqual(self.home.json("cem", "list"), [])


class NotOptedIn(Companies):
    OPT_IN = ("acme",)

    def test_a_partner_who_does_not_take_part_refuses_and_is_not_asked(self):
        self.trade()
        self.add_next(self.home, "acme")
        self.plan(self.home, "acme-2", "acme", days(10), days(20))
        self.assertIn("has not advertised CEM", self.home.run("rollover", "announce", "trade", "acme-2").err)
        payload = self.directory / "cem.xml"
        payload.write_text("<anything/>")
        sent = self.home.json("send", "--agreement", "trade", payload, "--content-type", "application/ediint-cert-exchange+xml", expect=None)
        self.assertEqual(sent["state"], "failed", sent)
        self.assertIn("unsupported format", sent["disposition"])
        refused = self.globex.json("message", "list", "--state", "refused")[0]
        self.assertIn("x:certificateExchange", self.globex.json("message", "show", refused["id"])["reason"])
        self.assertEqual(self.globex.json("cem", "list"), [])
        self.assertIn("does not exchange certificates", self.globex.run("rollover", "announce", "trade", "acme-2").err)

    def test_it_wants_signed_messages(self):
        file = self.home.directory / "account.xml"
        settings = "<validationSettings><signMessage>false</signMessage></validationSettings>"
        file.write_text(file.read_text().replace("<receiveAgreement>", "<receiveAgreement>" + settings))
        self.assertIn("x:certificateExchange is enabled", self.home.run("lint", file).out)


class Killed(Companies):
    """Whoever dies between a decision and what follows from it, the gateway goes on with it: once."""

    def die(self, home, at_point, *arguments):
        command = [PLANTED, "--home", str(home.path), *map(str, arguments)]
        done = subprocess.run(command, env={**os.environ, "SIGNET_FAIL_AT": at_point}, capture_output=True, timeout=120)
        self.assertEqual(done.returncode, -9, done.stdout + done.stderr)

    def test_nothing_is_left_half_done(self):
        self.trade()
        self.add_next(self.home, "acme")
        self.plan(self.home, "acme-2", "acme", days(10), days(20))
        self.die(self.home, "exchange.announced", "rollover", "announce", "trade", "acme-2")
        proposal = self.exchange(self.globex, state="waiting", origin="partner")
        self.assertTrue(self.home.json("rollover", "show", "trade", "acme-2")["awaitsAcceptance"])
        self.globex.stop()
        self.die(self.globex, "exchange.decided", "cem", "accept", proposal["id"], "--name", "acme-2")
        self.assertEqual((self.globex.json("cem", "show", proposal["id"])["state"], self.globex.json("cem", "show", proposal["id"])["settled"]), ("accepted", False))
        self.restart(self.globex)
        self.exchange(self.globex, state="accepted", settled=True)
        self.assertEqual(self.globex.json("rollover", "show", "trade", "acme-2")["owner"], "partner")
        self.exchange(self.home, state="accepted", settled=True)
        self.trade()
        responses = [one for one in self.home.json("message", "list", "--direction", "inbound") if one["deliveredTo"] == "certificate exchange"]
        self.assertEqual(len(responses), 1)
        self.assertEqual(len(self.globex.json("cem", "list")), 1)

    def test_after_the_account_has_it_and_before_the_partner_hears(self):
        self.announce()
        proposal = self.exchange(self.globex, state="waiting", origin="partner")
        self.die(self.globex, "exchange.taken-over", "cem", "accept", proposal["id"])
        self.exchange(self.globex, state="accepted", settled=True)
        self.exchange(self.home, state="accepted", settled=True)
        self.assertEqual(len(self.globex.audit("planRollover")), 1)
        self.trade()

    def restart(self, home):
        """At another port, which its partner is told."""
        home.start()
        self.apply_url(home.port)

    def apply_url(self, port):
        text = self.home.run("export", expect=DONE).out
        file = self.home.directory / "moved.xml"
        file.write_text(re.sub(r'url="http://127.0.0.1:\d+/as2"', f'url="http://127.0.0.1:{port}/as2"', text))
        self.home.run("apply", file, expect=DONE)


class Rest(AccountTest):
    def ask(self, method, path, body=None, token=None):
        return self.arm(method, path, body, token=token or self.writer, base="")

    def test_the_routes_want_their_roles(self):
        self.add_agreement()
        self.assertEqual(self.ask("GET", "/certificateExchanges", token=self.reader)[:2], (200, {"value": []}))
        self.assertEqual(self.ask("GET", "/certificateExchanges/0123456789abcdef", token=self.reader)[0], 404)
        for verb in ("accept", "reject"):
            status = self.ask("POST", f"/certificateExchanges/0123456789abcdef/{verb}", {"reason": "no"})
            self.assertEqual(self.error_code(status, 403), "AuthorizationFailed", "a Writer does not decide")
        status, answer, _ = self.ask("POST", "/rollovers/hg/guest-2/announce", {})
        self.assertGreaterEqual(status, 400)


if __name__ == "__main__":
    if "--planted" in sys.argv:
        at_option = sys.argv.index("--planted")
        PLANTED = sys.argv[at_option + 1]
        del sys.argv[at_option:at_option + 2]
    cli_test.main()
