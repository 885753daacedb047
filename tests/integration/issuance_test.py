#!/usr/bin/env python3
"""Issuers that issue: a gateway, Pebble (an ACME server for tests), its DNS server, a mail server, all on the loopback.

Usage: issuance_test.py --signet BINARY [TestClass...]. Needs Debian's package pebble.
"""

import base64
import contextlib
import http.server
import json
import os
import pathlib
import shutil
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.request

import cli_test
from cli_test import DONE, START_TIMEOUT, USAGE, free_port, wait_until
from api_test import ApiTest

KEY_ID, HMAC_KEY = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


def wait_for_port(port, process):
    def listens():
        if process.poll() is not None:
            raise AssertionError(f"who should listen on {port} has ended")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True

    wait_until(listens, f"somebody listens on {port}")


class Pebble:
    """An ACME service whose proofs are asked for at `http_port`, and which takes every name for the loopback."""

    def __init__(self, directory, http_port, environment=None, **config):
        self.directory, self.http_port, self.config = directory, http_port, config
        self.usual = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "5", **(environment or {})}
        self.environment = dict(self.usual)
        self.port, self.management, self.dns = free_port(), free_port(), free_port()
        self.processes = []
        self.certificate = directory / "pebble.cer"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                        directory / "pebble.key", "-out", self.certificate], check=True, capture_output=True)
        self.start()

    @property
    def url(self):
        return f"https://localhost:{self.port}/dir"

    def start(self):
        names = ["pebble-challtestsrv", "-defaultIPv6", "", "-defaultIPv4", "127.0.0.1", "-dns01", f"127.0.0.1:{self.dns}",
                 "-management", f"127.0.0.1:{free_port()}", "-http01", "", "-https01", "", "-tlsalpn01", ""]
        config = {"listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.management}",
                  "certificate": str(self.certificate), "privateKey": str(self.directory / "pebble.key"), "httpPort": self.http_port,
                  "tlsPort": free_port(), "ocspResponderURL": "", **self.config}
        file = self.directory / "pebble.json"
        file.write_text(json.dumps({"pebble": config}))
        with open(self.directory / "pebble.log", "ab") as log:
            for command in [names, ["pebble", "-config", str(file), "-dnsserver", f"127.0.0.1:{self.dns}", "-strict"]]:
                self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                                       env={**os.environ, **self.environment}))
        wait_for_port(self.port, self.processes[-1])

    def restore(self):
        """Whatever a test has done to it, it serves as at first."""
        if not self.processes or self.environment != self.usual:
            self.stop()
            self.environment = dict(self.usual)
            self.start()

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes.clear()

    def ask(self, path):
        context = ssl.create_default_context(cafile=str(self.certificate))
        with urllib.request.urlopen(f"https://localhost:{self.management}/{path}", context=context, timeout=30) as answer:
            return answer.read()

    def log(self):
        return (self.directory / "pebble.log").read_text()


class MailServer(socketserver.ThreadingTCPServer):
    """Takes every mail (RFC 5321), but those for recipients of the domain `nobody.example`."""

    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A gateway that ends, or does not trust us, breaks off."""

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line):
            self.wfile.write(line.encode() + b"\r\n")

        def handle(self):
            mail = {"to": [], "user": None}
            self.say("220 mail.example")
            while line := self.rfile.readline():
                verb = line.strip().upper()
                if verb.startswith(b"EHLO"):
                    self.say("250-mail.example")
                    if self.server.context and not isinstance(self.connection, ssl.SSLSocket):
                        self.say("250-STARTTLS")
                    self.say("250 AUTH PLAIN")
                elif verb == b"STARTTLS":
                    self.say("220 go on")
                    self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
                    self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
                elif verb.startswith(b"AUTH PLAIN"):
                    given = line.split()[2:] or (self.say("334 ") or [self.rfile.readline().strip()])
                    mail["user"] = base64.b64decode(given[0]).split(b"\0")[1:]
                    self.say("235 welcome")
                elif verb.startswith(b"RCPT"):
                    address = line.decode().split("<")[1].split(">")[0]
                    if address.endswith("@nobody.example"):
                        self.say("550 nobody of that name")
                    else:
                        mail["to"].append(address)
                        self.say("250 fine")
                elif verb == b"DATA":
                    self.say("354 go on")
                    text = b""
                    while (part := self.rfile.readline()) != b".\r\n":
                        text += part
                    mail["text"] = text.decode()
                    self.server.mails.append(mail)
                    self.say("250 taken")
                elif verb == b"QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 fine")

    def __init__(self, context=None, port=0):
        super().__init__(("127.0.0.1", port), self.Handler)
        self.context, self.mails = context, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def end(self):
        self.shutdown()
        self.server_close()


class IssuanceTest(ApiTest):
    """A gateway whose issuer `ca` is Pebble. Classes say what Pebble and the gateway are started with."""

    PEBBLE_CONFIG = {}
    PEBBLE_ENVIRONMENT = {}
    ANSWERS = True  # whether the gateway answers where Pebble asks
    SERVE = []

    @classmethod
    def setUpClass(cls):
        """Pebble makes four RSA keys when it starts: one for all tests of a class, whose homes do not share an account."""
        super().setUpClass()
        directory = pathlib.Path(tempfile.mkdtemp(prefix="signet-pebble."))
        cls.addClassCleanup(shutil.rmtree, directory, ignore_errors=True)
        cls.challenge_port = free_port()
        cls.pebble = Pebble(directory, cls.challenge_port, cls.PEBBLE_ENVIRONMENT, **cls.PEBBLE_CONFIG)
        cls.addClassCleanup(cls.pebble.stop)

    def fill_home(self, home):
        super().fill_home(home)
        self.set_issuer(home=home)

    def setUp(self):
        cli_test.CommandTest.setUp(self)
        self.copy_template()
        self.pebble.restore()
        self.start()

    def set_issuer(self, name="ca", *options, provider="ACME", home=None):
        return (home or self.home).run("vault", "certificate", "issuer", "set", name, "--provider", provider, "--directory", self.pebble.url,
                             "--authorities", self.pebble.certificate, *options, expect=DONE)

    def start(self, *options):
        acme = ["--listen-acme", f"127.0.0.1:{self.challenge_port}"] if self.ANSWERS else []
        self.home.start("--listen-vault", "signet=127.0.0.1:0", "--api-certificate", "api", *acme, *self.SERVE, *options)
        self.token = self.kept_token("app")
        self.vault = self.service(self.home.ports["vault:signet"], "localhost")

    def kill(self):
        self.home.kill()

    @staticmethod
    def policy(**more):
        x509 = {"subject": "CN=as2.acme.example", "sans": {"dns_names": ["as2.acme.example", "edi.acme.example"]}}
        return {"key_props": {"kty": "EC", "crv": "P-256"}, "x509_props": x509, "secret_props": {"contentType": "application/x-pem-file"},
                "issuer": {"name": "ca"}, **more}

    def create(self, name="acme-tls", tags=None, **more):
        status, operation, _ = self.vault.post(f"/certificates/{name}/create", {"policy": self.policy(**more), "tags": tags or {}})
        self.assertEqual(status, 202, operation)
        return operation

    def pending(self, name="acme-tls"):
        status, operation, _ = self.vault.get(f"/certificates/{name}/pending")
        self.assertEqual(status, 200, operation)
        return operation

    def settled(self, name="acme-tls", seconds=START_TIMEOUT):
        return wait_until(lambda: (operation := self.pending(name))["status"] != "inProgress" and operation, f"{name} is settled", seconds)

    def versions(self, name="acme-tls"):
        status, page, _ = self.vault.get(f"/certificates/{name}/versions")
        self.assertEqual(status, 200, page)
        return page["value"]

    def bundle(self, name="acme-tls"):
        status, bundle, _ = self.vault.get(f"/certificates/{name}")
        self.assertEqual(status, 200, bundle)
        return bundle

    def events(self, event):
        return self.home.events(event)

    def show(self, name="acme-tls"):
        return self.home.json("vault", "certificate", "show", name)


class Issuing(IssuanceTest):
    def test_a_certificate_is_ordered_proved_and_issued(self):
        began = self.create(tags={"team": "edi"})
        self.assertEqual((began["status"], began["issuer"]), ("inProgress", {"name": "ca"}))
        self.assertEqual(self.vault.post("/certificates/acme-tls/create", {"policy": self.policy()})[0], 409)
        done = self.settled()
        self.assertEqual((done["status"], done["request_id"]), ("completed", began["request_id"]), done)
        self.assertEqual(done["target"], f"{self.vault.origin}/certificates/acme-tls")
        self.assertNotIn("error", done)
        bundle = self.bundle()
        self.assertEqual(bundle["tags"], {"team": "edi"})
        shown = self.show()
        self.assertEqual(len(shown["pem"]), 2)
        for number, pem in enumerate(shown["pem"]):
            (self.directory / f"{number}.pem").write_text(pem)
        (self.directory / "root.pem").write_bytes(self.pebble.ask("roots/0"))
        subprocess.run(["openssl", "verify", "-CAfile", self.directory / "root.pem", "-untrusted", self.directory / "1.pem",
                        "-verify_hostname", "edi.acme.example", self.directory / "0.pem"], check=True, capture_output=True)
        _, secret, _ = self.vault.get("/secrets/acme-tls")
        self.assertTrue(secret["value"].startswith("-----BEGIN PRIVATE KEY-----"))
        self.assertEqual(secret["value"].count("BEGIN CERTIFICATE"), 2)
        operations = [line["operation"] for line in self.audit() if line.get("certificate") == "acme-tls" and line["result"] == "success"]
        self.assertEqual([word for word in operations if word in ("createCertificate", "completeCertificate")],
                         ["createCertificate", "completeCertificate"])

    def test_the_challenges_listener_answers_nothing_else(self):
        for path, status in [("/", 404), ("/.well-known/acme-challenge/", 404), ("/.well-known/acme-challenge/none", 404), ("/as2", 404)]:
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"http://127.0.0.1:{self.challenge_port}{path}", timeout=30)
            self.assertEqual(refused.exception.code, status)

    def test_an_issuer_is_set_over_rest_as_azures_clients_can(self):
        """They have no word for a directory: the organisation's id stands for it."""
        body = {"provider": "DigiCert", "credentials": {}, "org_details": {"id": self.pebble.url}, "authorities": self.pebble.certificate.read_text()}
        status, issuer, _ = self.vault.put("/certificates/issuers/digicert", body)
        self.assertEqual((status, issuer["org_details"]["id"]), (200, self.pebble.url), issuer)
        self.create(issuer={"name": "digicert"})
        self.assertEqual(self.settled()["status"], "completed")

    def test_nothing_is_merged_into_an_order_and_its_operation_can_be_deleted(self):
        self.pebble.stop()
        self.create()
        refused = self.vault.post("/certificates/acme-tls/pending/merge", {"x5c": []})
        self.assertEqual(self.error_code(refused, 403), "Forbidden")
        status, operation, _ = self.vault.call("DELETE", "/certificates/acme-tls/pending?api-version=7.5")
        self.assertEqual((status, operation["status"]), (200, "inProgress"))
        self.assertEqual(self.error_code(self.vault.get("/certificates/acme-tls/pending"), 404), "PendingCertificateNotFound")
        self.assertEqual(self.error_code(self.vault.get("/certificates/acme-tls"), 404), "CertificateNotFound")

    def test_an_issuer_that_is_away_is_waited_for(self):
        self.pebble.stop()
        self.create()
        self.wait_until(lambda: "refused" in self.pending()["status_details"] or "connect" in self.pending()["status_details"])
        self.pebble.start()
        self.assertEqual(self.settled()["status"], "completed")

    def test_a_wish_to_cancel_is_granted_by_the_gateway(self):
        self.pebble.stop()
        self.create()
        status, operation, _ = self.vault.patch("/certificates/acme-tls/pending", {"cancellation_requested": True})
        self.assertEqual((status, operation["status"], operation["cancellation_requested"]), (200, "inProgress", True))
        self.assertEqual(self.settled()["status"], "cancelled")
        self.assertEqual(self.error_code(self.vault.patch("/certificates/acme-tls/pending", {"cancellation_requested": True}), 400),
                         "BadParameter")

    def test_what_cannot_be_ordered_is_refused(self):
        self.vault.put("/certificates/issuers/other", {"provider": "Test"})
        self.vault.put("/certificates/issuers/nowhere", {"provider": "ACME"})
        for issuer, status in [("other", 400), ("nowhere", 400), ("absent", 404)]:
            answer = self.vault.post("/certificates/c1/create", {"policy": self.policy(issuer={"name": issuer})})
            self.assertEqual(answer[0], status, answer[1])
        self.assertEqual(self.error_code(answer, 404), "CertificateIssuerNotFound")
        self.home.run("vault", "certificate", "issuer", "set", "ca", "--disable", expect=DONE)
        self.assertEqual(self.vault.post("/certificates/c1/create", {"policy": self.policy()})[0], 403)
        self.home.run("vault", "certificate", "issuer", "set", "ca", "--enable", expect=DONE)
        self.create("mail", x509_props={"subject": "CN=Acme", "sans": {"emails": ["edi@acme.example"]}})
        failed = self.settled("mail")
        self.assertEqual((failed["status"], failed["error"]["code"]), ("failed", "Request rejected"))

    def test_a_service_that_nobody_vouches_for_is_told_nothing(self):
        self.home.run("vault", "certificate", "issuer", "set", "ca", "--authorities", self.directory / "api.cer", expect=DONE)
        self.create()
        self.wait_until(lambda: "tls-untrusted" in self.pending()["status_details"])
        self.set_issuer()
        self.assertEqual(self.settled()["status"], "completed")

    def test_a_version_is_revoked_by_its_issuer(self):
        self.create()
        self.settled()
        serial = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=self.show()["pem"][0].encode(), check=True,
                                capture_output=True).stdout.decode().split("=")[1].strip().lower().lstrip("0")
        self.assertEqual(json.loads(self.pebble.ask(f"cert-status-by-serial/{serial}"))["Status"], "Valid")
        self.home.run("vault", "certificate", "revoke", "acme-tls", "--reason", "superseded", expect=DONE)
        self.assertEqual(json.loads(self.pebble.ask(f"cert-status-by-serial/{serial}"))["Status"], "Revoked")
        again = self.home.run("vault", "certificate", "revoke", "acme-tls")
        self.assertEqual((again.returncode, "alreadyRevoked" in again.err), (cli_test.DENIED, True), again.err)
        self.home.run("vault", "certificate", "create", "own", "--subject", "CN=own", expect=DONE)
        self.home.run("vault", "certificate", "revoke", "own", expect=USAGE)

    def die_half_way(self):
        """Kills the gateway when it has told the issuer to look for the proof, and lets it live again."""
        began = self.create()
        self.wait_until(lambda: "looks whether we hold" in self.pending()["status_details"])
        self.kill()
        self.ANSWERS = True
        self.start()
        done = self.settled()
        self.assertEqual((done["status"], done["request_id"]), ("completed", began["request_id"]), done)
        self.assertEqual(len(self.versions()), 1)

    def test_a_gateway_that_dies_half_way_goes_on_with_the_order(self):
        self.pebble.stop()
        self.pebble.environment.update({"PEBBLE_VA_NOSLEEP": "0", "PEBBLE_VA_SLEEPTIME": "3"})
        self.pebble.start()
        self.die_half_way()

    def test_an_order_whose_proof_failed_while_the_gateway_was_dead_is_placed_again(self):
        self.home.stop()
        self.ANSWERS = False
        self.start("--listen-acme", "127.0.0.1:0")  # where nobody asks
        self.die_half_way()
        self.assertEqual((len(self.events("certificate-ordered")), len(self.events("certificate-order-placed-again"))), (2, 1))


class Binding(IssuanceTest):
    """External account binding (RFC 8555 section 7.3.4)."""

    PEBBLE_CONFIG = {"externalAccountBindingRequired": True, "externalAccountMACKeys": {KEY_ID: HMAC_KEY}}

    def set_key(self, key):
        file = self.directory / "hmac.txt"
        file.write_text(key + "\n")
        self.set_issuer("ca", "--account", KEY_ID, "--password-file", file, provider="GlobalSign")

    def test_without_a_binding_nothing_is_issued_and_with_it_it_is(self):
        for key, told in [(None, "EAB"), ("AAAA" + HMAC_KEY[4:], "HTTP 40"), ("no key!", "HMAC key in base64url")]:
            if key:
                self.set_key(key)
            self.create()
            failed = self.settled()
            self.assertEqual((failed["status"], failed["error"]["code"] in ("Certificate issuer error", "Request rejected")), ("failed", True))
            self.assertIn(told, failed["error"]["message"])
        self.set_key(HMAC_KEY)
        self.create()
        self.assertEqual(self.settled()["status"], "completed")
        everything = self.home.log.read_text() + (self.home.path / "audit.log").read_text()
        self.assertNotIn(HMAC_KEY, everything)


class NoProof(IssuanceTest):
    """Nobody answers where the issuer asks."""

    ANSWERS = False

    def test_without_a_listener_the_operation_says_what_is_missing(self):
        self.create()
        failed = self.settled()
        self.assertEqual(failed["error"]["code"], "Certificate issuer error")
        self.assertIn("listen-acme", failed["error"]["message"])

    def test_a_challenge_that_fails_ends_the_order(self):
        self.home.stop()
        self.start("--listen-acme", "127.0.0.1:0")
        self.create()
        failed = self.settled()
        self.assertEqual((failed["status"], failed["error"]["code"]), ("failed", "Request rejected"))
        self.assertRegex(failed["error"]["message"], r"(as2|edi)\.acme\.example: .*onnection refused")
        self.assertNotIn("cer", self.bundle())


class Storm(IssuanceTest):
    PEBBLE_ENVIRONMENT = {"PEBBLE_WFE_NONCEREJECT": "50"}

    def test_nonces_that_are_refused_are_replaced(self):
        for name in ["c1", "c2", "c3"]:
            self.create(name)
        for name in ["c1", "c2", "c3"]:
            self.assertEqual(self.settled(name, 180)["status"], "completed")


class Renewal(IssuanceTest):
    PEBBLE_CONFIG = {"certificateValidityPeriod": 30}  # seconds

    def fill_home(self, home):
        super().fill_home(home)
        home.run("vault", "secret", "set", "hook", standard_input=b"shared secret", expect=DONE)
        home.run("vault", "certificate", "contacts", "set", "edi@acme.example", "gone@nobody.example", expect=DONE)

    def setUp(self):
        self.mail = MailServer()
        self.addCleanup(self.mail.end)
        self.posts = []
        self.webhook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.webhook_handler())
        threading.Thread(target=self.webhook.serve_forever, daemon=True).start()
        self.addCleanup(self.webhook.server_close)
        self.addCleanup(self.webhook.shutdown)
        self.SERVE = ["--smtp-url", f"smtp://127.0.0.1:{self.mail.port}", "--smtp-tls", "none", "--smtp-from", "signet@acme.example",
                      "--notice-webhook", f"http://127.0.0.1:{self.webhook.server_address[1]}/events", "--notice-webhook-secret", "signet/hook"]
        super().setUp()

    def webhook_handler(test):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                test.posts.append((json.loads(body), self.headers))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass
        return Handler

    @staticmethod
    def action(kind, percentage=60):
        return [{"trigger": {"lifetime_percentage": percentage}, "action": {"action_type": kind}}]

    def subjects(self):
        return [line for mail in self.mail.mails for line in mail["text"].splitlines() if line.startswith("Subject: ")]

    def test_a_certificate_is_renewed_once_before_its_end_and_its_contacts_are_told(self):
        self.create(tags={"team": "edi"}, lifetime_actions=self.action("AutoRenew"))
        self.settled()
        first = self.bundle()
        self.wait_until(lambda: len(self.versions()) == 2)
        self.vault.patch("/certificates/acme-tls/policy", {"lifetime_actions": self.action("EmailContacts", 99)})
        self.home.stop()
        self.start()
        second = self.bundle()
        self.assertEqual(second["tags"], {"team": "edi"})
        self.assertNotEqual(second["kid"], first["kid"])
        keys = [self.vault.get("/keys/acme-tls/" + bundle["kid"].rsplit("/", 1)[1])[1]["key"]["x"] for bundle in (first, second)]
        self.assertNotEqual(*keys)
        self.wait_until(lambda: len(self.subjects()) >= 2 and len(self.posts) >= 2)
        self.assertEqual(self.subjects()[:2], ["Subject: Certificate acme-tls of key vault signet is being renewed",
                                               "Subject: Certificate acme-tls of key vault signet was renewed"])
        self.assertEqual(self.mail.mails[0]["to"], ["edi@acme.example"])
        self.assertEqual([event["type"] for event, _ in self.posts[:2]],
                         ["Signet.CertificateRenewalBegins", "Microsoft.KeyVault.CertificateNewVersionCreated"])
        event, headers = self.posts[1]
        self.assertEqual((event["specversion"], event["data"]["Version"]), ("1.0", second["id"].rsplit("/", 1)[1]))
        self.assertIn('keyid="hook"', headers["Signature-Input"])
        self.assertEqual(len(self.versions()), 2)
        self.assertEqual([line["operation"] for line in self.audit() if line["operation"] == "renewCertificate"], ["renewCertificate"])

    def test_a_renewal_that_fails_is_told_and_tried_again_later(self):
        self.create(lifetime_actions=self.action("AutoRenew"))
        self.settled()
        self.home.run("vault", "certificate", "issuer", "set", "ca", "--disable", expect=DONE)
        self.wait_until(lambda: any("could not be renewed" in subject for subject in self.subjects()))
        self.home.stop()
        self.start()
        time.sleep(3)
        self.assertEqual(len(self.events("certificate-not-renewed")), 1)
        self.assertEqual(len(self.versions()), 1)

    def test_a_notice_is_given_once_where_nobody_renews(self):
        self.create(lifetime_actions=self.action("EmailContacts", 10))
        self.settled()
        self.wait_until(lambda: self.subjects())
        self.home.stop()
        self.start()
        time.sleep(3)
        self.assertEqual(len(self.subjects()), 1)
        self.assertRegex(self.subjects()[0], r"^Subject: Certificate acme-tls of key vault signet expires on \d{4}-\d\d-\d\d$")

    def test_a_mail_server_that_was_away_is_asked_again(self):
        port = self.mail.port
        self.mail.end()
        self.create(lifetime_actions=self.action("EmailContacts", 1))
        self.settled()
        self.wait_until(lambda: self.events("certificate-notice-delayed"))
        self.mail = MailServer(port=port)
        self.home.stop()
        self.start()
        self.wait_until(lambda: self.subjects())


class MailOverTls(IssuanceTest):
    PEBBLE_CONFIG = {"certificateValidityPeriod": 100}

    def setUp(self):
        # The mail server shows what Pebble shows: a certificate for localhost, which is made first.
        self.SERVE = []
        super().setUp()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pebble.certificate, self.pebble.directory / "pebble.key")
        self.mail = MailServer(context)
        self.addCleanup(self.mail.end)
        self.home.run("vault", "secret", "set", "smtp-password", standard_input=b"open sesame", expect=DONE)
        self.home.run("vault", "certificate", "contacts", "set", "edi@acme.example", expect=DONE)

    def restart(self, *options):
        self.home.stop()
        self.start("--smtp-url", f"smtp://localhost:{self.mail.port}", "--smtp-from", "signet@acme.example", "--smtp-user", "signet",
                   "--smtp-password", "signet/smtp-password", *options)

    def test_the_password_travels_to_a_server_that_is_vouched_for_alone(self):
        self.restart()
        self.create(lifetime_actions=[{"trigger": {"lifetime_percentage": 1}, "action": {"action_type": "EmailContacts"}}])
        self.settled()
        self.wait_until(lambda: self.events("certificate-notice-delayed"))
        self.assertEqual(self.mail.mails, [])
        self.restart("--smtp-authorities", str(self.pebble.certificate))
        self.wait_until(lambda: self.mail.mails)
        self.assertEqual(self.mail.mails[0]["user"], [b"signet", b"open sesame"])
        self.assertNotIn("sesame", self.home.log.read_text())


if __name__ == "__main__":
    cli_test.main(__doc__)
