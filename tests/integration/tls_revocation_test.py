#!/usr/bin/env python3
"""Certificates that are shown in TLS, and issued and revoked by the certificate service: what a gateway does that looks them up.

Usage: tls_revocation_test.py --signet BINARY [TestClass...].
"""

import json
import shutil
import time

import cli_test
from certificate_service_test import free_port
from cli_test import DONE, PENDING, REFUSED, START_TIMEOUT, Home
from operations_test import GatewayTest

PASSWORD = "correct horse battery"


class Service:
    """A home of its own with the certificate service, which publishes its lists."""

    def __init__(self, directory):
        directory.mkdir()
        self.home = Home(directory)
        self.home.run("init", expect=DONE)
        self.place = f"127.0.0.1:{free_port()}"
        (self.home.path / "serve.toml").write_text(f'publication-host = "{self.place}"\n')
        for name, roles in [("writer", "Reader,Writer"), ("approver", "Reader,Approver"), ("admin", "Reader,Administrator")]:
            self.home.run("principal", "add", name, "--roles", roles, expect=DONE)
        self.call("admin", "group", "create", "Partners", "--type", "As2CertificateType", "--subject", "CN=Partners CA,O=Globex", "--months", "12",
                  "--key-size", "2048", "--issuer-months", "36", "--issuer-key-size", "2048")
        self.issuer = self.certificate(self.call("admin", "issuer", "create", "Partners")["certificate"])
        self.application = self.call("writer", "application", "register", "--as2-name", "globex", "--url", "https://localhost/as2", "--purpose", "tls")[
            "applicationId"]
        self.call("admin", "application", "approve", self.application)
        self.requests = {}
        self.home.start("--listen-publication", self.place)

    def call(self, who, *arguments):
        return self.home.json("authority", *arguments, "--as", who, expect=DONE)

    @staticmethod
    def certificate(text):
        return f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"

    def issue(self, name):
        """Returns the folder with a PFX and its passphrase in pass.txt, and the certificate as PEM."""
        folder = self.home.directory / name
        folder.mkdir()
        password = folder / "pass.txt"
        password.write_text(PASSWORD + "\n")
        request = self.call("writer", "request", "key-pair", "--application", self.application, "--group", "Partners", "--subject", f"CN={name}",
                            "--password-file", password)["requestId"]
        certificate = self.certificate(self.call("approver", "request", "approve", request)["certificate"]["certificate"])
        self.call("writer", "request", "fetch", request, "--application", self.application, "--to", folder)
        self.requests[name] = request
        [pfx] = folder.glob("*.pfx")
        return pfx, password, certificate

    def revoke(self, name):
        """Returns the list that says so."""
        self.call("approver", "revoke", self.requests[name], "--reason", "keyCompromise")
        self.call("admin", "crl", "save", "Partners", "--to", self.home.directory)
        [file] = self.home.directory.glob("*.crl")
        return file


class TlsTest(GatewayTest):
    """Acme (self.home) and Globex (self.globex), whose TLS certificates are the service's. What signs messages is self-signed, and looked up
    nowhere."""

    def setUp(self):
        super().setUp()
        self.make_partners()
        self.service = Service(self.directory / "service")
        self.addCleanup(self.service.home.stop)
        self.addCleanup(self.globex.stop)
        (self.directory / "issuer.cer").write_text(self.service.issuer)

    def take_in(self, name):
        """Globex gets a certificate of the service with its key; Acme has it at hand as <name>.cer."""
        pfx, password, certificate = self.service.issue(name)
        self.globex.run("vault", "key", "import", name, pfx, "--passphrase-file", password, expect=DONE)
        for directory in [self.directory, self.globex.directory]:
            (directory / f"{name}.cer").write_text(certificate)
        self.globex.run("certificate", "add", name, self.globex.directory / f"{name}.cer", "--key", name, expect=DONE)

    def own(self, home, name):
        """A self-signed TLS certificate."""
        home.run("vault", "key", "create", name, "--kind", "P-256", expect=DONE)
        home.run("certificate", "create", name, "--key", name, "--common-name", "localhost", "--dns-name", "localhost",
                 "--certificate-file", home.directory / f"{name}.cer", expect=DONE)

    def change(self, account, *changes):
        """Of an account's file."""
        text = account.read_text()
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new, 1)
        account.write_text(text)
        return account

    def with_certificates(self, *names):
        added = "".join(f'<certificate name="{name}"><publicCertificate x:file="{name}.cer"/></certificate>' for name in names)
        return "</certificates>", added + "</certificates>"

    @staticmethod
    def tls_port(home):
        return next(entry["port"] for entry in json.loads((home.directory / "ports.json").read_text()) if entry["name"] == "as2-tls")

    def allow(self):
        """Acme may fetch the service's lists."""
        self.settings(f'crl-allow-url = ["http://{self.service.place}/"]\n')

    def take_list(self, file):
        self.home.run("crl", "import", file, expect=DONE)

    def wait_for_list(self):
        deadline = time.monotonic() + START_TIMEOUT
        while not self.home.json("crl", "list")["lists"]:
            self.assertLess(time.monotonic(), deadline, "no list came")
            time.sleep(0.05)

    def arrived(self, home):
        return len(home.json("message", "list", "--direction", "inbound"))


class Server(TlsTest):
    """The certificate of the partner's server, which an authority vouches for: checkCertificateRevocationListOnSend."""

    def start(self, policy, allowed=True):
        self.take_in("server")
        (self.globex.path / "serve.toml").write_text('tls-certificate = "server"\n')
        self.globex.run("apply", self.change(self.account_xml(self.globex, "globex", "acme"), ("</certificates>", self.with_key("server"))), expect=DONE)
        self.globex.start("--listen-tls", "127.0.0.1:0")
        if allowed:
            self.allow()
        account = self.account_xml(self.home, url=f"https://localhost:{self.tls_port(self.globex)}/as2")
        self.change(account, self.with_certificates("issuer"),
                    ("<compressMessage>", "<checkCertificateRevocationListOnSend>true</checkCertificateRevocationListOnSend><compressMessage>"),
                    ("</agreement>", f'<x:retry firstInterval="500ms" factor="1" attempts="100"/><x:revocation policy="{policy}"/></agreement>'))
        self.trust(account)
        self.home.run("apply", account, expect=DONE)
        self.home.start()

    def with_key(self, name):
        return (f'<certificate name="{name}"><publicCertificate x:file="{name}.cer"/><key><keyVault>signet</keyVault><keyName>{name}</keyName></key>'
                "</certificate></certificates>")

    def trust(self, account, mode="certificateAuthorities", name="issuer"):
        text = account.read_text()
        begin = text.index("<x:connection ")
        end = text.index("/>", begin)
        account.write_text(f'{text[:end]}><x:tlsTrust mode="{mode}"><x:certificate name="{name}"/></x:tlsTrust></x:connection>{text[end + 2:]}')

    def send(self, *options, expect=DONE):
        document = self.directory / "invoice.edi"
        document.write_bytes(b"ISA*00*the invoice~\n")
        return self.home.json("send", "--agreement", "trade", document, *options, expect=expect)

    def wait(self, message, expect=DONE):
        return self.home.json("message", "wait", message["id"], "--timeout", "60", expect=expect)

    def wait_for_reason(self, message, code):
        deadline = time.monotonic() + START_TIMEOUT
        while (found := self.home.json("message", "show", message["id"]))["reasonCode"] != code:
            self.assertLess(time.monotonic(), deadline, found)
            time.sleep(0.05)
        return found

    def test_the_list_is_fetched_once_the_server_was_seen_and_what_waits_goes_out(self):
        self.start("hardFail")
        waits = self.send(expect=PENDING)  # the command fetches nothing
        self.assertEqual((waits["state"], waits["reasonCode"]), ("queued", "tls-revocation-unknown"))
        self.assertIn("no revocation list of 'CN=Partners CA,O=Globex' is at hand", waits["reason"])
        self.assertEqual(self.wait(waits)["state"], "confirmed")
        self.assertEqual(self.arrived(self.globex), 1)
        self.assertEqual(self.wait(self.send("--queue"))["revocationUnchecked"], "")

    def test_one_that_is_revoked_gets_nothing_until_the_partner_has_another(self):
        self.start("hardFail")
        self.assertEqual(self.wait(self.send("--queue"))["state"], "confirmed")
        self.take_list(self.service.revoke("server"))
        time.sleep(1.5)  # the gateway has taken it up; the connection to the server is open still
        waits = self.send("--queue")
        found = self.wait_for_reason(waits, "tls-revoked")
        self.assertEqual(found["state"], "queued")
        self.assertIn("the certificate of the partner's server (CN=server", found["reason"])
        self.assertIn("keyCompromise", found["reason"])
        self.assertEqual(self.send(expect=PENDING)["reasonCode"], "tls-revoked", "over a new connection, too")
        self.assertEqual(self.arrived(self.globex), 1, "nothing has left")
        self.take_in("server-2")
        (self.globex.path / "serve.toml").write_text('tls-certificate = "server-2"\n')
        self.globex.gateway.send_signal(1)
        self.wait_for_event("settings-reloaded", home=self.globex)
        self.assertEqual(self.wait(waits)["state"], "confirmed")

    def test_without_a_list_hard_fail_lets_messages_wait_and_says_what_to_allow(self):
        self.start("hardFail", allowed=False)
        waits = self.send("--queue")
        self.wait_for_reason(waits, "tls-revocation-unknown")
        deadline = time.monotonic() + START_TIMEOUT
        while "name it, or what it lies below, in crl-allow-url" not in (reason := self.home.json("message", "show", waits["id"])["reason"]):
            self.assertLess(time.monotonic(), deadline, reason)
            time.sleep(0.05)
        self.assertEqual(self.arrived(self.globex), 0, "nothing has left")
        self.allow()
        self.reload()
        self.assertEqual(self.wait(waits)["state"], "confirmed")

    def test_without_a_list_soft_fail_goes_on_and_says_so_but_not_to_one_that_is_revoked(self):
        self.start("softFail", allowed=False)
        sent = self.wait(self.send("--queue"))
        self.assertEqual(sent["state"], "confirmed")
        self.assertIn("the certificate of the partner's server", sent["revocationUnchecked"])
        event = self.wait_for_event("revocation-not-checked")
        self.assertEqual((event["id"], event["role"]), (sent["id"], "tlsServer"))
        self.take_list(self.service.revoke("server"))
        time.sleep(1.5)
        self.wait_for_reason(self.send("--queue"), "tls-revoked")
        self.assertEqual(self.arrived(self.globex), 1)

    def test_a_pinned_one_is_looked_up_ahead(self):
        self.start("hardFail")
        account = self.directory / "account.xml"
        text = account.read_text()
        account.write_text(text.replace('mode="certificateAuthorities"><x:certificate name="issuer"/>', 'mode="pinned"><x:certificate name="server"/>')
                           .replace(*self.with_certificates("server"), 1))
        self.home.run("apply", account, expect=DONE)
        self.wait_for_list()
        self.assertEqual(self.send()["state"], "confirmed")
        self.assertEqual(self.home.run("crl", "check", "server").returncode, DONE)
        self.service.revoke("server")
        self.home.run("crl", "fetch", expect=DONE)
        self.assertEqual(self.wait_for_event("certificate-revoked")["certificate"], "server")
        self.assertEqual(self.send(expect=PENDING)["reasonCode"], "tls-revoked")


class Client(TlsTest):
    """The certificate that a partner shows to our listener: checkCertificateRevocationListOnReceive."""

    def start(self, policy, allowed=True):
        self.take_in("client")
        self.own(self.home, "acme-tls")
        shutil.copy(self.directory / "acme-tls.cer", self.globex.directory)
        self.settings("")
        if allowed:
            self.allow()
        with open(self.home.path / "serve.toml", "a") as settings:
            settings.write('tls-certificate = "acme-tls"\ntls-client-certificates = "wanted"\n')
        account = self.change(self.account_xml(self.home), self.with_certificates("issuer", "client"), ("</certificates>", (
            '<certificate name="acme-tls"><publicCertificate x:file="acme-tls.cer"/><key><keyVault>signet</keyVault><keyName>acme-tls</keyName></key>'
            "</certificate></certificates>")), ("<receiveAgreement>", (
                "<receiveAgreement><validationSettings><checkCertificateRevocationListOnReceive>true</checkCertificateRevocationListOnReceive>"
                "</validationSettings>")), ("</receiveAgreement>", (
                    '<x:requireClientCertificate><x:certificate name="client"/></x:requireClientCertificate></receiveAgreement>')),
            ("</agreement>", f'<x:revocation policy="{policy}"/></agreement>'))
        self.home.run("apply", account, expect=DONE)
        self.home.start("--listen-tls", "127.0.0.1:0")
        theirs = self.change(self.account_xml(self.globex, "globex", "acme", f"https://localhost:{self.tls_port(self.home)}/as2"),
                             self.with_certificates("acme-tls"), ("</certificates>", (
                                 '<certificate name="client"><publicCertificate x:file="client.cer"/><key><keyVault>signet</keyVault>'
                                 "<keyName>client</keyName></key></certificate></certificates>")))
        text = theirs.read_text()
        begin = text.index("<x:connection ")
        end = text.index("/>", begin)
        theirs.write_text(f'{text[:end]} clientCertificateName="client"><x:tlsTrust mode="pinned"><x:certificate name="acme-tls"/></x:tlsTrust>'
                          f"</x:connection>{text[end + 2:]}")
        self.globex.run("apply", theirs, expect=DONE)

    def received(self, sent):
        return self.home.json("message", "list", "--message-id", sent["messageId"])[0]

    def expect_refused(self, reason):
        sent = self.send_from_globex(expect=REFUSED)
        self.assertIn("HTTP 403", sent["reason"])
        self.assertNotIn("revoked", sent["reason"], "the partner is not told which check failed")
        received = self.received(sent)
        self.assertEqual((received["state"], received["payloadSize"]), ("refused", 0))
        self.assertIn(reason, received["reason"])

    def test_one_that_is_revoked_is_refused_from_the_moment_that_the_list_says_so(self):
        self.start("hardFail")
        self.wait_for_list()
        sent = self.send_from_globex()
        self.assertEqual((sent["state"], self.received(sent)["revocationUnchecked"]), ("confirmed", ""))
        self.service.revoke("client")
        self.home.run("crl", "fetch", expect=DONE)
        self.wait_for_event("certificate-revoked")
        self.expect_refused("that the sender has shown in TLS (CN=client")

    def test_without_a_list_hard_fail_refuses(self):
        self.start("hardFail", allowed=False)
        self.expect_refused("cannot be said, and x:revocation says hardFail")

    def test_while_the_first_list_is_on_its_way_the_partner_is_asked_to_come_again(self):
        self.service.home.gateway.send_signal(19)  # it takes connections, and answers nobody
        self.start("hardFail")
        sent = self.send_from_globex(expect=PENDING)
        self.assertIn("HTTP 503", sent["reason"])
        self.service.home.gateway.send_signal(18)
        self.wait_for_list()
        self.assertEqual(self.send_from_globex()["state"], "confirmed")

    def test_without_a_list_soft_fail_goes_on_and_says_so_but_not_with_one_that_is_revoked(self):
        self.start("softFail", allowed=False)
        received = self.received(self.send_from_globex())
        self.assertIn("that the sender has shown in TLS", received["revocationUnchecked"])
        self.assertEqual(self.wait_for_event("revocation-not-checked")["role"], "tlsClient")
        self.take_list(self.service.revoke("client"))
        self.wait_for_event("certificate-revoked")
        self.expect_refused("keyCompromise")


if __name__ == "__main__":
    cli_test.main(__doc__)
