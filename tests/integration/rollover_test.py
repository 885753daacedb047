#!/usr/bin/env python3
"""The life of certificates: what there is, who is told of its end, and how one takes the place of another under load.

Usage: rollover_test.py --signet BINARY [TestClass...].
"""

import base64
import datetime
import hashlib
import http.client
import http.server
import json
import re
import ssl
import subprocess
import threading
import time

import cli_test
from account_api_test import AccountTest
from cli_test import DONE, NOT_FOUND, REFUSED, USAGE, TwoCompanies, wait_until
from issuance_test import MailServer


def at(seconds):
    """So many seconds from now, as the command takes it."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def days(number):
    return at(number * 86400)


def make_certificate(directory, name, begin, end):
    """A self-signed certificate of another company's, valid between two days from now; `req` makes none that began before."""
    run = lambda *command: subprocess.run(["openssl", *map(str, command)], cwd=directory, check=True, capture_output=True)
    stamp = lambda number: days(number).replace("-", "").replace(":", "").replace("T", "")
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
    (directory / "ca.cnf").write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nnew_certs_dir=.\npolicy=p\nunique_subject=no\n"
                                      "[p]\ncommonName=supplied\n")
    (directory / "index").touch()
    run("ca", "-batch", "-config", "ca.cnf", "-selfsign", "-keyfile", f"{name}.key", "-in", f"{name}.csr", "-out", f"{name}.cer", "-notext",
        "-md", "sha256", "-create_serial", "-startdate", stamp(begin), "-enddate", stamp(end))
    return directory / f"{name}.cer"


def thumbprint(certificate):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest().upper()


class RolloverTest(TwoCompanies):
    def add_next(self, home, name):
        """A second key and certificate of a company's: acme-2."""
        home.run("vault", "key", "create", f"{name}-2", "--kind", "P-256", expect=DONE)
        file = home.directory / f"{name}-2.cer"
        home.run("certificate", "create", f"{name}-2", "--key", f"{name}-2", "--common-name", name, "--certificate-file", file, expect=DONE)
        return file

    def plan(self, home, successor, replaced, use, retire, *options, expect=DONE):
        return home.json("rollover", "plan", successor, "--replaces", replaced, "--use-from", use, "--retire-at", retire, *options, expect=expect)


class UnderLoad(RolloverTest):
    """Both companies send all the time, while each of Acme's roles, and the same roles at Globex, change at their own times."""

    USE, RETIRE, LATE = 12, 26, 4  # seconds; Globex takes each step so many seconds before it would be too late

    def go_on(self, home, sent, stop):
        while not stop.wait(0.5):
            sent.append(home.json("send", "--agreement", "trade", self.document, expect=None))

    def test_no_message_fails_though_the_partner_switches_late(self):
        self.home.start()
        self.globex.run("apply", self.account_xml(self.globex, host="globex", guest="acme", url=f"http://127.0.0.1:{self.home.port}/as2"), expect=DONE)
        file = self.add_next(self.home, "acme")
        self.globex.run("certificate", "add", "acme-2", file, expect=DONE)
        sent, stop = [], threading.Event()
        senders = [threading.Thread(target=self.go_on, args=(home, sent, stop)) for home in (self.home, self.globex)]
        for sender in senders:
            sender.start()
        begin = time.monotonic()
        self.plan(self.home, "acme-2", "acme", at(self.USE), at(self.RETIRE))
        left = lambda moment: moment - (time.monotonic() - begin)
        self.plan(self.globex, "acme-2", "acme", at(left(self.RETIRE - self.LATE)), at(left(self.RETIRE)), "--accept-from", at(left(self.USE - self.LATE)))
        states = []
        while left(self.RETIRE + 4) > 0:
            states.append(self.home.json("rollover", "show", "trade", "acme-2")["state"])
            time.sleep(1)
        stop.set()
        for sender in senders:
            sender.join()
        self.assertEqual({message.get("state") for message in sent}, {"confirmed"}, [one for one in sent if one.get("state") != "confirmed"][:2])
        for home in (self.home, self.globex):
            self.assertEqual(home.json("message", "list", "--state", "refused"), [])
        self.assertGreater(len(sent), 10)
        self.assertEqual(list(dict.fromkeys(states)), ["accepted", "in-use", "retired"])
        self.the_old_one_goes()

    def the_old_one_goes(self):
        """Without it, everything goes on."""
        for home in (self.home, self.globex):
            self.assertTrue(home.json("rollover", "complete", "trade", "acme-2")["changed"])
            home.run("certificate", "delete", "acme", expect=DONE)
            self.assertEqual(home.json("rollover", "list"), [])
        self.home.run("vault", "key", "delete", "acme", expect=DONE)
        self.assertEqual(self.send()["state"], "confirmed")
        self.assertEqual(self.globex.json("send", "--agreement", "trade", self.document)["state"], "confirmed")


class Steps(RolloverTest):
    def exported(self):
        return self.home.run("export", expect=DONE).out

    def test_it_is_planned_advanced_and_completed_and_written_down(self):
        self.add_next(self.home, "acme")
        before = self.exported()
        dry = self.plan(self.home, "acme-2", "acme", days(10), days(30), "--dry-run")
        self.assertFalse(dry["changed"])
        self.assertTrue(dry["changes"])
        self.assertEqual(self.exported(), before)
        self.assertEqual(self.home.audit("planRollover"), [])

        self.assertTrue(self.plan(self.home, "acme-2", "acme", days(10), days(30), "--accept-from", days(5))["changed"])
        record = self.home.audit("planRollover")[-1]
        self.assertEqual((record["principal"], record["result"]), ("operator", "success"))
        self.assertIn("acme-2", record["detail"])
        shown = self.home.json("rollover", "list")[0]
        self.assertEqual((shown["agreement"], shown["certificate"], shown["replaces"], shown["owner"], shown["state"]),
                         ("trade", "acme-2", ["acme"], "us", "planned"))
        for state in ("accepted", "in-use", "retired"):
            self.assertIn("acme-2", self.home.run("certificate", "delete", "acme-2", expect=REFUSED).err)
            self.home.run("rollover", "advance", "trade", "acme-2", expect=DONE)
            self.assertEqual(self.home.json("rollover", "show", "trade", "acme-2")["state"], state)
        self.home.run("rollover", "advance", "trade", "acme-2", expect=REFUSED)
        self.home.run("rollover", "complete", "trade", "acme-2", expect=DONE)
        self.assertEqual(self.exported(), before.replace("<encryptionCertificateName>acme<", "<encryptionCertificateName>acme-2<"))
        self.assertIn("completeRollover", (self.home.path / "audit.log").read_text())
        self.home.run("rollover", "show", "trade", "acme-2", expect=NOT_FOUND)

    def test_the_way_back_is_open_at_every_step(self):
        self.add_next(self.home, "acme")
        before = self.exported()
        for steps in range(4):
            self.plan(self.home, "acme-2", "acme", days(10), days(30), "--accept-from", days(5))
            for _ in range(steps):
                self.home.run("rollover", "advance", "trade", "acme-2", expect=DONE)
            self.home.run("rollover", "cancel", "trade", "acme-2", expect=DONE)
            self.assertEqual(self.exported(), before, steps)
        self.assertEqual(self.send()["state"], "confirmed")

    def test_plans_that_leave_a_gap_are_refused(self):
        for name, begin, end, why in [("early", 20, 400, "early"), ("short", -10, 20, "short")]:
            self.home.run("certificate", "add", name, make_certificate(self.directory, name, begin, end), expect=DONE)
            refused = self.plan(self.home, name, "globex", days(10), days(30), expect=REFUSED)
            self.assertFalse(refused["changed"])
            self.assertIn(why, json.dumps(refused["errors"]))
        self.plan(self.home, "early", "globex", days(30), days(10), expect=USAGE)
        self.plan(self.home, "early", "globex", days(30), days(40), "--accept-from", days(35), expect=USAGE)
        self.plan(self.home, "early", "nobody", days(30), days(40), expect=NOT_FOUND)
        self.plan(self.home, "early", "globex", "soon", days(40), expect=USAGE)
        self.assertIn("roles", self.plan(self.home, "early", "globex", days(30), days(40), "--role", "decrypt", expect=NOT_FOUND)["error"]["message"])
        self.assertEqual(self.home.json("rollover", "list"), [])
        self.assertNotIn("x:certificate", self.exported())

    def test_dates_that_are_written_by_hand_are_warned_of(self):
        self.add_next(self.home, "acme")
        self.plan(self.home, "acme-2", "acme", days(10), days(30))
        file = self.directory / "account.xml"
        text = self.exported()
        file.write_text(text)
        self.assertNotIn("active and valid at", self.home.run("lint", file, expect=DONE).out)
        file.write_text(text.replace(days(30)[:10], days(5)[:10]))
        told = self.home.run("lint", file, expect=DONE).out
        self.assertIn("warning", told)
        self.assertIn("active and valid at " + days(5)[:10], told)

    def test_ours_needs_a_key_that_can_be_used(self):
        self.home.run("certificate", "add", "bare", make_certificate(self.directory, "bare", -10, 400), expect=DONE)
        self.assertIn("no key", json.dumps(self.plan(self.home, "bare", "acme", days(10), days(30), expect=REFUSED)["errors"]))
        self.add_next(self.home, "acme")
        self.home.run("vault", "key", "update", "acme-2", "--disable", expect=DONE)
        self.assertIn("a key that the gateway can use", json.dumps(self.plan(self.home, "acme-2", "acme", days(10), days(30), expect=REFUSED)["errors"]))

    def test_the_partner_gets_the_new_one_by_file_or_by_mail(self):
        mail = MailServer()
        self.addCleanup(mail.end)
        (self.home.path / "serve.toml").write_text(f'smtp-url = "smtp://127.0.0.1:{mail.port}"\nsmtp-tls = "none"\nsmtp-from = "signet@acme.example"\n')
        made = self.add_next(self.home, "acme").read_text()
        self.plan(self.home, "acme-2", "acme", days(10), days(30))
        file = self.directory / "for-globex.cer"
        self.home.run("rollover", "publish", "trade", "acme-2", "--certificate-file", file, expect=DONE)
        self.assertEqual(file.read_text(), made)
        self.home.run("rollover", "publish", "trade", "acme-2", "--mail", "as2@globex.example", expect=DONE)
        self.assertEqual(mail.mails[0]["to"], ["as2@globex.example"])
        self.assertIn(made.replace("\n", "\r\n"), mail.mails[0]["text"])
        self.assertIn(days(10)[:10], mail.mails[0]["text"])
        self.assertEqual([one["result"] for one in self.home.audit("publishCertificate")], ["success", "success"])
        self.home.run("rollover", "publish", "trade", "acme-2", expect=USAGE)
        self.home.run("rollover", "publish", "trade", "acme", "--mail", "as2@globex.example", expect=NOT_FOUND)


class Published(RolloverTest):
    """What Globex' partner gets by a GET of the AS2 endpoint."""

    def get(self, credentials=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.globex.port, timeout=30)
        named = {name.replace("_", "-"): value for name, value in {"AS2_From": "acme", "AS2_To": "globex", **headers}.items()}
        if credentials:
            named["Authorization"] = "Basic " + base64.b64encode(credentials.encode()).decode()
        self.addCleanup(connection.close)
        connection.request("GET", "/as2", headers=named)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()

    def test_a_partner_who_proves_who_he_is_fetches_what_is_and_what_will_be(self):
        harmless = self.get()
        self.assertEqual((harmless[0], harmless[1].split(";")[0]), (200, "text/plain"))
        self.globex.run("vault", "secret", "set", "acme-password", standard_input=b"open sesame", expect=DONE)
        file = self.globex.directory / "account.xml"
        file.write_text(file.read_text().replace("</receiveAgreement>", '<x:requireBasicAuthentication userName="acme" keyVault="signet" secretName="acme-password"/>'
                                                 "</receiveAgreement>"))
        self.globex.run("apply", file, expect=DONE)
        self.add_next(self.globex, "globex")
        self.plan(self.globex, "globex-2", "globex", days(10), days(30))
        self.assertEqual(self.get()[0], 401)
        self.assertEqual(self.get("acme:open sesam")[0], 401)
        stranger = self.get("acme:open sesame", AS2_From="nobody")
        self.assertEqual((stranger[0], stranger[2].split(b"\n")[0]), (harmless[0], harmless[2].split(b"\n")[0]))
        status, kind, body = self.get("acme:open sesame")
        self.assertEqual((status, kind.split(";")[0]), (200, "application/pkcs7-mime"))
        found = subprocess.run(["openssl", "pkcs7", "-inform", "DER", "-print_certs"], input=body, check=True, capture_output=True).stdout.decode()
        self.assertEqual(found.count("BEGIN CERTIFICATE"), 2)
        for name in ("globex-2", "globex"):
            pem = (self.globex.directory / f"{name}.cer").read_text().strip()
            self.assertIn(pem, found)
        self.assertLess(found.index((self.globex.directory / "globex-2.cer").read_text().strip()), found.index((self.globex.directory / "globex.cer").read_text().strip()))


class Notices(RolloverTest):
    """A partner's certificate ends in five days."""

    def setUp(self):
        super().setUp()
        self.mail = MailServer()
        self.addCleanup(self.mail.end)
        self.posts = []
        self.webhook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        threading.Thread(target=self.webhook.serve_forever, daemon=True).start()
        self.addCleanup(self.webhook.server_close)
        self.addCleanup(self.webhook.shutdown)
        (self.home.path / "serve.toml").write_text(f'''smtp-url = "smtp://127.0.0.1:{self.mail.port}"
            smtp-tls = "none"
            smtp-from = "signet@acme.example"
            expiry-contact = ["edi@acme.example"]
            notice-webhook = "http://127.0.0.1:{self.webhook.server_address[1]}/events"
            notice-webhook-secret = "signet/hook"
            operations-listen = "127.0.0.1:0"
            ''')
        self.home.run("vault", "secret", "set", "hook", standard_input=b"shared secret", expect=DONE)

    def handler(test):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                test.posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass
        return Handler

    def told_of(self):
        """Thumbprints, as the mails and the posts have them."""
        return [re.search(r"\b[0-9A-F]{64}\b", mail["text"])[0] for mail in self.mail.mails], [post["data"]["thumbprintSha256"] for post in self.posts]

    def wait_until_told_of(self, *thumbprints):
        """Of these, in this order, and of nothing else."""
        wait_until(lambda: all(thumbprints[-1] in told for told in self.told_of()), "the last one is told of")
        self.assertEqual(self.told_of(), (list(thumbprints), list(thumbprints)))

    def test_contacts_and_webhook_are_told_once(self):
        ending = make_certificate(self.directory, "globex-old", -300, 5)
        self.home.run("certificate", "add", "globex", ending, "--replace", expect=DONE)
        self.home.start()
        self.wait_until_told_of(thumbprint(ending))
        self.assertEqual(self.mail.mails[0]["to"], ["edi@acme.example"])
        self.assertIn("Subject: Certificate globex expires on " + days(5)[:10], self.mail.mails[0]["text"])
        self.assertIn("agreement 'trade': verifyMessage", self.mail.mails[0]["text"])
        event = self.posts[0]
        self.assertEqual((event["type"], event["data"]["notice"], event["data"]["owner"]), ("Signet.CertificateNearExpiry", 7, "other"))
        self.home.stop()
        second = make_certificate(self.directory, "client", -300, 5)
        self.home.run("principal", "certificate", "add", "administrator", second, expect=DONE)
        self.home.start()  # which looks at once; what was queued before would be told of before the second one
        self.wait_until_told_of(thumbprint(ending), thumbprint(second))

    def test_of_what_is_replaced_nobody_is_told(self):
        # Of one round, what has the lower thumbprint is told of first.
        replaced, used = sorted((make_certificate(self.directory, name, -300, 5) for name in ("one", "two")), key=thumbprint)
        self.home.run("certificate", "add", "old", replaced, expect=DONE)
        self.home.run("certificate", "add", "globex", used, "--replace", expect=DONE)
        self.home.start()
        self.wait_until_told_of(thumbprint(used))

    def test_the_inventory_and_the_metric_have_what_is_in_use(self):
        self.home.run("certificate", "add", "old", make_certificate(self.directory, "old", -300, 5), expect=DONE)
        inventory = {entry["places"][0]["name"]: entry for entry in self.home.json("certificate", "inventory")}
        self.assertEqual(set(inventory), {"acme", "globex", "old"})
        self.assertEqual(sorted(use["role"] for use in inventory["acme"]["uses"]), ["decrypt", "signMdn", "signMessage"])
        self.assertEqual((inventory["acme"]["owner"], inventory["globex"]["owner"], inventory["old"]["used"]), ("us", "other", False))
        self.assertEqual([entry["places"][0]["name"] for entry in self.home.json("certificate", "inventory", "--within", "10")], ["old"])
        self.home.start()
        lines = [name for name in self.home.metrics() if name.startswith("signet_certificate_expiry_timestamp_seconds{")]
        self.assertEqual(len(lines), 2)
        self.assertTrue(all('kept_in="account"' in line for line in lines))


class Rest(AccountTest):
    def ask(self, method, path, body=None, token=None):
        return self.arm(method, path, body, token=token or self.writer, base="")

    def test_a_rollover_is_planned_shown_and_taken_back(self):
        self.add_agreement()
        self.home.run("certificate", "add", "guest-2", make_certificate(self.directory, "guest-2", -1, 400), expect=DONE)
        plan = {"certificate": "guest-2", "replaces": "guest", "useFrom": days(10), "retireAt": days(30)}
        self.assertEqual(self.error_code(self.ask("POST", "/rollovers", plan, self.reader), 403), "AuthorizationFailed")
        status, answer, _ = self.ask("POST", "/rollovers", {**plan, "dryRun": True})
        self.assertEqual((status, answer["changed"]), (200, False), answer)
        status, answer, _ = self.ask("POST", "/rollovers", plan)
        self.assertEqual((status, answer["changed"]), (200, True), answer)
        record = self.home.audit("planRollover")[-1]
        self.assertEqual(record["principal"], "writer")
        shown = self.ask("GET", "/rollovers/hg/guest-2", token=self.reader)[1]
        self.assertEqual((shown["state"], shown["owner"], shown["replaces"]), ("accepted", "partner", ["guest"]))
        self.assertEqual(self.ask("POST", "/rollovers/hg/guest-2/complete", {})[0], 409)
        self.assertEqual(self.ask("DELETE", "/rollovers/hg/guest-2")[0], 200)
        self.assertEqual(self.ask("DELETE", "/rollovers/hg/guest-2")[0], 404)
        status, answer, _ = self.ask("POST", "/rollovers", {**plan, "retireAt": days(5)})
        self.assertEqual(status, 400)

    def test_a_plan_with_a_gap_has_its_reasons(self):
        self.add_agreement()
        self.home.run("certificate", "add", "short", make_certificate(self.directory, "short", -1, 20), expect=DONE)
        status, answer, _ = self.ask("POST", "/rollovers", {"certificate": "short", "replaces": "guest", "useFrom": days(10), "retireAt": days(30)})
        self.assertEqual((status, answer["error"]["code"]), (400, "RolloverRefused"), answer)
        self.assertTrue(answer["error"]["details"])
        self.assertNotIn(str(self.home.path), json.dumps(answer), "no path of this host goes out")

    def test_the_inventory_has_listeners_principals_and_vaults(self):
        self.add_agreement()
        self.home.run("principal", "certificate", "add", "reader", make_certificate(self.directory, "client", -1, 30), expect=DONE)
        self.home.run("vault", "certificate", "create", "signer", "--subject", "CN=signer", "--issuer", "Self", expect=DONE)
        value = self.ask("GET", "/certificateInventory", token=self.reader)[1]["value"]
        roles = {(place["kind"], place["name"].rsplit("/", 1)[0]): {use["role"] for use in entry["uses"]} for entry in value for place in entry["places"]}
        self.assertEqual(roles[("account", "api")], {"tlsServer"})
        self.assertEqual(roles[("principal", "reader")], {"managementClient"})
        self.assertEqual(roles[("keyVault", "signet/signer")], {"current"})
        self.assertIn("encrypt", roles[("account", "guest")])


if __name__ == "__main__":
    cli_test.main(__doc__)
