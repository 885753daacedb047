#!/usr/bin/env python3
"""Revocation lists: a gateway that looks its partner's certificates up, an authority made with `openssl ca`, and its HTTP server.

Usage: revocation_test.py --signet BINARY [TestClass...].
"""

import contextlib
import http.server
import json
import shutil
import subprocess
import threading
import time

import cli_test
from cli_test import DONE, NOT_FOUND, PENDING, REFUSED, UNAVAILABLE, USAGE, Home, wait_until
from operations_test import GatewayTest
from vault_api_test import read_der

CONFIGURATION = """
[req]
distinguished_name = dn
[dn]
[ca]
default_ca = here
[here]
dir = .
database = index.txt
serial = serial
crlnumber = crlnumber
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 60
default_crl_days = 7
policy = any
unique_subject = no
crl_extensions = list
[any]
commonName = supplied
[list]
authorityKeyIdentifier = keyid
[with-address]
basicConstraints = critical,CA:FALSE
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:{url}
[without-address]
basicConstraints = critical,CA:FALSE
authorityKeyIdentifier = keyid
"""


def der(tag, content):
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([size]) if size < 0x80 else bytes([0x80 | len(octets)]) + octets) + content


class Authority:
    """An authority whose certificates say that its list is at a URL."""

    def __init__(self, directory):
        self.directory = directory

    def make(self, url, name="Authority"):
        directory = self.directory
        directory.mkdir()
        (directory / "ca.cnf").write_text(CONFIGURATION.format(url=url))
        (directory / "index.txt").touch()
        (directory / "serial").write_text("1000\n")
        (directory / "crlnumber").write_text("10\n")
        (directory / "pass.txt").write_text("secret\n")
        self.openssl("req", "-config", "ca.cnf", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                     "-days", "60", "-keyout", "ca.key", "-out", "ca.pem", "-addext", "basicConstraints=critical,CA:TRUE",
                     "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-addext", "subjectKeyIdentifier=hash")
        return self

    def openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.directory, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def issue(self, name, extensions="with-address"):
        """The certificate is <name>.pem; returned is a PFX, whose passphrase is in pass.txt."""
        self.openssl("req", "-config", "ca.cnf", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.openssl("ca", "-config", "ca.cnf", "-batch", "-notext", "-extensions", extensions, "-in", f"{name}.csr", "-out", f"{name}.pem")
        self.openssl("pkcs12", "-export", "-in", f"{name}.pem", "-inkey", f"{name}.key", "-out", f"{name}.pfx", "-passout", "file:pass.txt")
        return self.directory / f"{name}.pfx"

    def revoke(self, name, reason="keyCompromise"):
        self.openssl("ca", "-config", "ca.cnf", "-revoke", f"{name}.pem", "-crl_reason", reason)

    def list(self, *options):
        """A new list, DER."""
        self.openssl("ca", "-config", "ca.cnf", "-gencrl", "-out", "list.pem", *options)
        return self.openssl("crl", "-in", "list.pem", "-outform", "DER")

    def list_without_end(self):
        """A new list, DER, signed as the others are, that does not say when the next one comes; `openssl ca` makes none of these."""
        (_, whole), = read_der(self.list())
        (_, signed), (_, algorithm), _ = read_der(whole)
        fields = read_der(signed)
        del fields[4]  # [RFC5280 5.1]: version, signature, issuer, thisUpdate, nextUpdate
        to_be_signed = der(0x30, b"".join(der(tag, content) for tag, content in fields))
        (self.directory / "list.tbs").write_bytes(to_be_signed)
        signature = self.openssl("dgst", "-sha256", "-sign", "ca.key", "list.tbs")
        return der(0x30, to_be_signed + der(0x30, algorithm) + der(0x03, b"\0" + signature))


class ListServer:
    """An HTTP server that answers as it is told, and counts who asks."""

    def __init__(self):
        self.held = threading.Event()  # what is held waits for this
        self.reset()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked.append(self.path)
                server.held.wait(60)
                status, headers, body = server.answers.get(self.path, (404, {}, b"no list"))
                with contextlib.suppress(ConnectionError):
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reset(self):
        self.asked = []
        self.answers = {}
        self.held.set()

    def serve(self, body, path="/ca.crl", status=200, **headers):
        self.answers[path] = (status, headers, body)

    def close(self):
        self.held.set()
        self.server.shutdown()
        self.server.server_close()


class RevocationTest(GatewayTest):
    """Acme (self.home) looks up, Globex (self.globex) has certificates of the authority. Both run a gateway."""

    HOST = "127.0.0.1"
    EXTENSIONS = "with-address"  # of Globex' certificates
    GLOBEX_SERVES = False  # it sends all the same

    @classmethod
    def setUpClass(cls):
        """One server for all tests of a class: its address is in the certificates that they begin with."""
        super().setUpClass()
        cls.lists = ListServer()
        cls.addClassCleanup(cls.lists.close)
        cls.base = f"http://{cls.HOST}:{cls.lists.port}/"

    def fill_home(self, home):
        super().fill_home(home)
        authority = Authority(home.directory / "authority").make(self.base + "ca.crl")
        shutil.copy(authority.directory / "ca.pem", home.directory / "ca.cer")
        home.run("vault", "key", "create", "acme", "--kind", "P-256", expect=DONE)
        home.run("certificate", "create", "acme", "--key", "acme", "--common-name", "acme", "--certificate-file", home.directory / "acme.cer", expect=DONE)
        globex = Home(home.directory / "globex")
        globex.directory.mkdir()
        globex.run("init", expect=DONE)
        self.take_in("globex", home, globex, authority)
        shutil.copy(home.directory / "acme.cer", globex.directory)
        # Its partner's address is said where it sends.
        globex.run("apply", self.account_xml(globex, "globex", "acme"), expect=DONE)

    def setUp(self):
        super().setUp()
        self.lists.reset()
        self.addCleanup(self.lists.held.set)
        self.authority = Authority(self.directory / "authority")
        self.globex = Home(self.directory / "globex")
        self.addCleanup(self.globex.stop)
        self.globex_knows = None  # the port that it sends to

    def take_in(self, name, home, globex, authority):
        """Globex gets a certificate from the authority, with its key; it lies beside both accounts."""
        pfx = authority.issue(name, self.EXTENSIONS)
        globex.run("vault", "key", "import", name, pfx, "--passphrase-file", authority.directory / "pass.txt", expect=DONE)
        for directory in [home.directory, globex.directory]:
            shutil.copy(authority.directory / f"{name}.pem", directory / f"{name}.cer")
        globex.run("certificate", "add", name, globex.directory / f"{name}.cer", "--key", name, "--replace", expect=DONE)

    def allow(self, *urls, networks=()):
        text = f"crl-allow-url = {json.dumps(list(urls))}\n" if urls else ""
        text += f"crl-allow-network = {json.dumps(list(networks))}\n" if networks else ""
        self.settings(text + 'operations-listen = "127.0.0.1:0"\n')

    def acme_account(self, policy="hardFail", receive=True, send=True, authority=True, more="", certificates=""):
        """Acme's account, with looks into lists as asked for; `more` goes into its sendAgreement, `certificates` to the others."""
        account = self.account_xml(self.home, url=f"http://127.0.0.1:{self.globex.port or 1}/as2")
        text = account.read_text()
        checks = lambda which: f"<checkCertificateRevocationListOn{which}>true</checkCertificateRevocationListOn{which}>"
        if receive:
            text = text.replace("<receiveAgreement>", f"<receiveAgreement><validationSettings>{checks('Receive')}</validationSettings>")
        if send:
            text = text.replace("<compressMessage>", f"{checks('Send')}<compressMessage>")
        text = text.replace("</agreement>", f'<x:retry firstInterval="100ms" factor="1"/><x:revocation policy="{policy}"/></agreement>')
        text = text.replace("</sendAgreement>", f"{more}</sendAgreement>")
        if authority:
            certificates += '<certificate name="authority"><publicCertificate x:file="ca.cer"/></certificate>'
        text = text.replace("</certificates>", f"{certificates}</certificates>", 1)
        account.write_text(text)
        return account

    def start(self, policy="hardFail", allowed=True, **options):
        """Acme's gateway, under the agreement, and Globex', if it serves."""
        if allowed:
            self.allow(self.base)
        if self.GLOBEX_SERVES:
            self.globex.start()
        applied = self.home.run("apply", self.acme_account(policy, **options), expect=DONE)
        self.home.start()
        return applied.out

    def send_from_globex(self, *arguments, **options):
        if self.globex_knows != self.home.port:
            self.let_globex_send()
            self.globex_knows = self.home.port
        return super().send_from_globex(*arguments, **options)

    def check(self, name="globex"):
        """Acme's verdict over a certificate, by the command."""
        done = self.home.run("--output", "json", "crl", "check", name)
        return json.loads(done.out)

    def wait_for_status(self, status, name="globex"):
        return wait_until(lambda: (found := self.check(name))["status"] == status and found, f"{name} is {status}")

    def checked(self, outcome, role):
        """How often a check for a role came out so."""
        return self.home.metrics().get(f'signet_revocation_checks_total{{agreement="trade",outcome="{outcome}",role="{role}"}}')

    def received(self, message):
        return self.home.json("message", "list", "--message-id", message["messageId"])[0]

    def send(self, *options, expect=DONE):
        document = self.directory / "invoice.edi"
        document.write_bytes(b"ISA*00*the invoice~\n")
        return self.home.json("send", "--agreement", "trade", document, *options, expect=expect)


class Receiving(RevocationTest):
    """checkCertificateRevocationListOnReceive"""

    def handed_over(self):
        return len(list((self.home.path / "delivery").glob("trade/*.edi")))

    def expect_refused(self, reason):
        before = self.handed_over()
        sent = self.send_from_globex(expect=REFUSED)
        self.assertEqual(sent["state"], "failed")
        self.assertIn("authentication-failed", sent["disposition"])
        received = self.received(sent)
        self.assertEqual(received["state"], "refused")
        self.assertIn(reason, received["reason"])
        self.assertNotIn(reason, sent["disposition"] + sent["reason"], "the partner is not told which check failed")
        self.assertEqual(self.handed_over(), before)
        return received

    def test_a_certificate_that_is_not_on_the_list_is_taken(self):
        self.lists.serve(self.authority.list())
        self.start()
        self.wait_for_status("not-revoked")
        sent = self.send_from_globex()
        self.assertEqual((sent["state"], self.received(sent)["revocationUnchecked"]), ("confirmed", ""))
        self.assertEqual(self.checked("usable", "verifyMessage"), 1)

    def test_one_that_is_revoked_is_refused_whatever_the_policy(self):
        self.authority.revoke("globex")
        self.lists.serve(self.authority.list())
        self.start("softFail")
        self.wait_for_status("revoked")
        self.expect_refused("is revoked: it is on its issuer's list since")
        self.assertIn("keyCompromise", self.wait_for_event("certificate-revoked")["reason"])
        self.home.run("apply", self.acme_account("hardFail"), expect=DONE)
        self.expect_refused("is revoked")
        self.assertEqual(self.home.metrics()['signet_certificate_revoked{certificate="globex"}'], 1)

    def test_it_is_refused_from_the_moment_that_the_list_says_so(self):
        self.lists.serve(self.authority.list())
        self.start()
        self.wait_for_status("not-revoked")
        sent = self.send_from_globex()
        self.home.json("message", "wait", self.received(sent)["id"], "--timeout", "60")
        self.authority.revoke("globex", "cessationOfOperation")
        self.lists.serve(self.authority.list())
        self.home.run("crl", "fetch", expect=DONE)  # not to wait for hours
        self.wait_for_event("certificate-revoked")  # the gateway has taken it up
        self.expect_refused("cessationOfOperation")

    def test_without_a_list_hard_fail_refuses(self):
        self.start("hardFail")
        self.wait_for_event("revocation-list-not-fetched")
        self.expect_refused("cannot be said, and x:revocation says hardFail")
        self.assertEqual(self.checked("no-list", "verifyMessage"), 1)
        self.assertEqual(self.home.metrics()['signet_revocation_known{certificate="globex"}'], 0)
        self.lists.serve(self.authority.list())
        self.wait_for_status("not-revoked")  # it is tried again by itself
        self.send_from_globex()

    def test_without_a_list_soft_fail_goes_on_and_says_so(self):
        self.start("softFail")
        self.wait_for_event("revocation-list-not-fetched")
        received = self.received(self.send_from_globex())
        self.assertIn(received["state"], ["accepted", "delivered"])
        self.assertIn("was not checked: no revocation list of 'CN=Authority'", received["revocationUnchecked"])
        self.assertIn("revocation", self.home.run("message", "show", received["id"], expect=DONE).out)
        event = self.wait_for_event("revocation-not-checked")
        self.assertEqual((event["id"], event["agreement"], event["role"]), (received["id"], "trade", "verifyMessage"))
        self.assertEqual(self.checked("unchecked", "verifyMessage"), 1)
        tracked = [json.loads(line) for line in self.home.run("tracking", "export", expect=DONE).out.splitlines()]
        message = next(event for event in tracked if event["trackingId"] == received["id"])
        self.assertEqual((message["eventLevel"], message["error"]["code"]), ("Warning", "revocation-not-checked"))

    def test_while_the_first_list_is_on_its_way_the_partner_is_asked_to_come_again(self):
        self.lists.held.clear()
        self.lists.serve(self.authority.list())
        self.start("hardFail")
        begin = time.monotonic()
        sent = self.send_from_globex(expect=PENDING)
        self.assertIn("HTTP 503", sent["reason"])
        self.assertEqual(sent["state"], "queued")
        self.home.run("apply", self.acme_account("softFail"), expect=DONE)
        self.send_from_globex()
        self.assertLess(time.monotonic() - begin, 30, "nobody waits for the list")
        self.lists.held.set()
        self.wait_for_status("not-revoked")


class Sending(RevocationTest):
    """checkCertificateRevocationListOnSend"""

    GLOBEX_SERVES = True

    def test_a_certificate_that_is_not_on_the_list_is_used(self):
        self.lists.serve(self.authority.list())
        self.start()
        self.wait_for_status("not-revoked")
        self.assertEqual(self.send()["state"], "confirmed")
        queued = self.send("--queue")
        self.assertEqual(self.home.json("message", "wait", queued["id"], "--timeout", "60")["state"], "confirmed")
        for role in ["encrypt", "verifyMdn", "signMessage"]:
            self.assertEqual(self.checked("usable", role), 1)

    def test_no_message_is_made_for_one_that_is_revoked_whatever_the_policy(self):
        self.authority.revoke("globex")
        self.lists.serve(self.authority.list())
        self.start("hardFail")
        self.wait_for_status("revoked")
        for policy in ["hardFail", "softFail"]:
            self.home.run("apply", self.acme_account(policy), expect=DONE)
            self.assertIn("is revoked", self.send(expect=REFUSED)["error"]["message"])
        self.assertEqual(self.home.json("message", "list"), [])

    def test_without_a_list_hard_fail_lets_messages_wait_and_none_is_lost(self):
        self.start("hardFail")
        self.wait_for_event("revocation-list-not-fetched")
        waits = self.send(expect=PENDING)
        self.assertEqual((waits["state"], waits["attempts"]), ("queued", 0))
        self.assertIn("x:revocation says hardFail", waits["reason"])
        queued = self.send("--queue")
        self.wait_for_event("message-postponed")
        self.assertEqual(self.globex.json("message", "list"), [], "nothing has left")
        self.lists.serve(self.authority.list())
        for message in [waits, queued]:
            self.assertEqual(self.home.json("message", "wait", message["id"], "--timeout", "60")["state"], "confirmed")

    def test_what_waits_fails_once_the_list_says_revoked(self):
        self.start("hardFail")
        self.wait_for_event("revocation-list-not-fetched")
        queued = self.send("--queue")
        self.wait_for_event("message-postponed")
        self.authority.revoke("globex")
        self.lists.serve(self.authority.list())
        failed = self.home.json("message", "wait", queued["id"], "--timeout", "60", expect=REFUSED)
        self.assertEqual(failed["state"], "failed")
        self.assertIn("that the message is encrypted for", failed["reason"])
        self.assertIn("is revoked", failed["reason"])
        self.assertEqual(self.globex.json("message", "list"), [], "nothing has left")

    def test_without_a_list_soft_fail_goes_on_and_says_so(self):
        self.start("softFail")
        self.wait_for_event("revocation-list-not-fetched")
        queued = self.send("--queue")
        sent = self.home.json("message", "wait", queued["id"], "--timeout", "60")
        self.assertEqual(sent["state"], "confirmed")
        self.assertIn("was not checked", sent["revocationUnchecked"])
        self.wait_for_event("revocation-not-checked")
        for role in ["encrypt", "verifyMdn"]:
            self.assertEqual(self.checked("unchecked", role), 1)

    def test_a_receipt_that_a_revoked_certificate_signed_proves_nothing(self):
        self.take_in("receipts", self.home, self.globex, self.authority)
        self.authority.revoke("receipts")
        self.lists.serve(self.authority.list())
        theirs = self.globex.directory / "account.xml"
        theirs.write_text(theirs.read_text().replace(
            "</receiveAgreement>", '<x:certificates role="signMdn"><x:certificate name="receipts"/></x:certificates></receiveAgreement>').replace(
            "</certificates>", '<certificate name="receipts"><publicCertificate x:file="receipts.cer"/><key><keyVault>signet</keyVault>'
            "<keyName>receipts</keyName></key></certificate></certificates>", 1))
        self.globex.run("apply", theirs, expect=DONE)
        self.start("softFail", more='<x:certificates role="verifyMdn"><x:certificate name="receipts"/></x:certificates>',
                   certificates='<certificate name="receipts"><publicCertificate x:file="receipts.cer"/></certificate>')
        self.wait_for_status("revoked", "receipts")
        failed = self.send(expect=REFUSED)
        self.assertEqual(failed["state"], "failed")
        self.assertIn("that signed the receipt", failed["reason"])
        self.assertIn("is revoked", failed["reason"])


class Fetching(RevocationTest):
    """Where lists come from, and which are believed."""

    def expect_not_fetched(self, reason):
        self.start("hardFail")
        event = self.wait_for_event("revocation-list-not-fetched")
        self.assertIn(reason, event["reason"])
        self.assertEqual(event["certificates"], "globex")
        found = self.wait_for_status("unknown")
        self.assertIn(reason, found["reason"], "the operator reads it where he looks")
        self.send_from_globex(expect=REFUSED)

    def test_a_list_by_another_key_is_not_believed(self):
        forger = Authority(self.directory / "forger").make(self.base + "ca.crl")
        self.lists.serve(forger.list())
        self.expect_not_fetched("is by none of the authorities")

    def test_a_list_whose_time_is_over_is_not_believed(self):
        self.lists.serve(self.authority.list("-crl_lastupdate", "20260101000000Z", "-crl_nextupdate", "20260108000000Z"))
        self.expect_not_fetched("is for the time from 2026-01-01")

    def test_a_list_that_has_no_end_is_no_list(self):
        self.lists.serve(self.authority.list_without_end())
        self.expect_not_fetched("does not say when the next one comes (nextUpdate)")

    def test_a_list_that_is_too_large_is_not_read(self):
        self.lists.serve(b"\x30" * (20 << 20))
        self.expect_not_fetched("larger than the 8388608 octets allowed")

    def test_no_redirect_is_followed(self):
        self.lists.serve(b"", status=302, Location=self.base + "elsewhere.crl")
        self.lists.serve(self.authority.list(), path="/elsewhere.crl")
        self.expect_not_fetched("no redirect is followed")
        self.assertNotIn("/elsewhere.crl", self.lists.asked)

    def test_a_server_that_is_away_is_tried_again(self):
        away = ListServer()
        away.close()
        url = f"http://{self.HOST}:{away.port}/ca.crl"
        self.authority = Authority(self.directory / "another").make(url, "Another")
        shutil.copy(self.authority.directory / "ca.pem", self.directory / "ca.cer")
        self.take_in("globex", self.home, self.globex, self.authority)
        self.allow(url)
        self.start("hardFail", allowed=False)
        self.wait_for_event("revocation-list-not-fetched", 2)

    def test_an_older_list_does_not_bring_a_certificate_back(self):
        before = self.authority.list()
        self.authority.revoke("globex")
        self.lists.serve(self.authority.list())
        self.start()
        self.wait_for_status("revoked")
        self.lists.serve(before)
        self.assertIn("newer", self.home.run("crl", "fetch", expect=REFUSED).out)
        self.assertEqual(self.check()["status"], "revoked")

    def test_nothing_is_asked_that_serve_toml_does_not_allow(self):
        self.lists.serve(self.authority.list())
        self.assertIn("which is not allowed", self.start(allowed=False))
        self.assertIn("crl-allow-url", self.wait_for_event("revocation-unknown")["reason"])
        self.send_from_globex(expect=REFUSED)
        self.assertEqual(self.lists.asked, [])
        self.allow(self.base + "other/")
        self.reload()
        time.sleep(1.5)
        self.assertEqual(self.lists.asked, [])
        self.allow(self.base + "ca.crl")
        self.reload(count=2)
        self.wait_for_status("not-revoked")
        self.send_from_globex()

    def test_the_log_warns_of_a_list_whose_address_is_not_allowed(self):
        self.start(allowed=False)
        file = self.directory / "given.crl"
        file.write_bytes(self.authority.list("-crlhours", "3"))
        self.home.run("crl", "import", file, expect=DONE)
        self.assertIn("crl-allow-url", self.wait_for_event("revocation-list-ends-soon")["reason"])
        self.assertEqual([one["result"] for one in self.home.audit("importRevocationList")], ["success"])

    def test_a_gateway_that_waits_for_a_list_ends_in_time(self):
        self.lists.held.clear()
        self.start()
        wait_until(lambda: self.lists.asked, "the gateway asks for the list")
        begin = time.monotonic()
        self.assertEqual(self.home.stop(), 0)
        self.assertLess(time.monotonic() - begin, 10)

    def test_a_gateway_that_was_killed_goes_by_what_it_had(self):
        self.lists.serve(self.authority.list())
        self.start()
        self.wait_for_status("not-revoked")
        self.home.gateway.kill()
        self.home.gateway.wait()
        asked = len(self.lists.asked)
        self.lists.answers.clear()
        self.home.start()
        self.let_globex_send()
        self.send_from_globex()
        self.assertEqual(len(self.lists.asked), asked, "nothing is due")

    def test_a_list_is_fetched_again_before_it_ends(self):
        self.lists.serve(self.authority.list("-crlsec", "40"))
        self.start()
        self.wait_for_status("not-revoked")
        self.lists.serve(self.authority.list())
        self.wait_for_event("revocation-list-taken", 2)
        self.send_from_globex()


class HostNames(RevocationTest):
    """A host's name may stand for any address."""

    HOST = "localhost"

    def test_a_name_does_not_lead_to_this_machine_unless_its_network_is_allowed(self):
        self.lists.serve(self.authority.list())
        self.start()
        self.assertIn("which is not allowed", self.wait_for_event("revocation-list-not-fetched")["reason"])
        self.assertEqual(self.lists.asked, [])
        self.allow(self.base, networks=["127.0.0.0/8", "::1/128"])
        self.reload()
        self.wait_for_status("not-revoked")


class Imported(RevocationTest):
    """Lists for certificates that do not say where theirs is."""

    EXTENSIONS = "without-address"

    def wait_for_metric(self, name):
        wait_until(lambda: self.home.metrics().get(name) == 1, f"{name} is 1")

    def test_a_list_that_is_imported_is_taken_up_by_a_running_gateway(self):
        self.assertIn("names no http or https address", self.start())
        self.assertIn("signet crl import", self.wait_for_event("revocation-unknown")["reason"])
        self.assertEqual(self.home.run("crl", "check", "globex").returncode, UNAVAILABLE)
        self.send_from_globex(expect=REFUSED)

        file = self.directory / "given.crl"
        file.write_bytes(self.authority.list())
        taken = self.home.json("crl", "import", file)
        self.assertEqual((taken["change"], taken["issuer"], taken["source"], taken["number"]), ("taken", "CN=Authority", "imported", "10"))
        self.assertEqual(self.home.json("crl", "import", file)["change"], "unchanged")
        self.assertEqual(self.check()["status"], "not-revoked")
        self.wait_for_metric('signet_revocation_known{certificate="globex"}')
        self.send_from_globex()
        self.assertNotIn("names no http", self.home.run("lint", self.directory / "account.xml", expect=DONE).out)

        self.authority.revoke("globex")
        file.write_bytes(self.authority.list())
        self.home.run("crl", "import", file, expect=DONE)
        self.wait_for_metric('signet_certificate_revoked{certificate="globex"}')
        self.send_from_globex(expect=REFUSED)
        self.assertEqual(self.home.run("crl", "check", "globex").returncode, REFUSED)
        self.assertEqual(self.lists.asked, [])

    def test_the_log_warns_before_it_ends(self):
        file = self.directory / "given.crl"
        file.write_bytes(self.authority.list("-crlhours", "3"))
        self.start()
        self.home.run("crl", "import", file, expect=DONE)
        self.assertEqual(self.wait_for_event("revocation-list-ends-soon")["certificate"], "globex")


class Commands(RevocationTest):
    """`signet crl`, and what lint, apply and status say."""

    def test_what_is_no_list_of_a_known_authority_is_refused(self):
        self.start()
        file = self.directory / "given.crl"
        file.write_bytes(b"no list")
        self.assertIn("given.crl", self.home.run("crl", "import", file, expect=USAGE).err)
        forger = Authority(self.directory / "forger").make(self.base)
        file.write_bytes(forger.list())
        self.assertIn("by none of the authorities", self.home.run("crl", "import", file, expect=REFUSED).err)
        self.home.run("crl", "import", self.directory / "nowhere", expect=NOT_FOUND)
        self.home.run("crl", "remove", "0123", expect=NOT_FOUND)
        self.home.run("crl", "check", "nobody", expect=NOT_FOUND)
        self.assertEqual(self.home.json("crl", "list")["lists"], [])

    def test_lists_are_listed_and_removed(self):
        older = self.authority.list()
        self.lists.serve(self.authority.list())
        self.start()
        self.wait_for_status("not-revoked")
        listed = self.home.json("crl", "list")
        [one] = listed["lists"]
        self.assertEqual((one["issuer"], one["source"], one["current"], one["entries"]), ("CN=Authority", self.base + "ca.crl", True, 0))
        self.assertEqual(listed["certificates"][0]["certificate"], "acme")
        self.assertEqual(listed["certificates"][0]["status"], "self-signed")
        [fetched] = listed["fetches"]
        self.assertEqual((fetched["failures"], fetched["urls"]), (0, self.base + "ca.crl"))
        self.assertIn("CN=Authority", self.home.run("crl", "list", expect=DONE).out)
        file = self.directory / "older.crl"
        file.write_bytes(older)
        self.assertIn("signet crl remove", self.home.run("crl", "import", file, expect=REFUSED).err)
        self.home.stop()
        self.home.run("crl", "remove", one["authority"], expect=DONE)
        self.home.run("crl", "import", file, expect=DONE)

    def test_lint_and_apply_say_which_looks_can_have_no_answer(self):
        self.start(authority=False)
        account = self.directory / "account.xml"
        problems = lambda: "\n".join(f"{one['path']}: {one['found']} {one['advice']}" for one in self.home.json("lint", account)["problems"])
        self.assertIn("does not have the certificate of its issuer, 'CN=Authority'", problems())
        self.assertIn("the certificate is refused, since x:revocation says hardFail", problems())
        self.acme_account("softFail", authority=False)
        self.assertIn("is used unchecked, since x:revocation says softFail", problems())
        self.acme_account()
        found = problems()
        self.assertNotIn("globex", found)
        self.assertIn("'acme', which is self-signed", found)
        self.allow()
        self.assertIn("which is not allowed", problems())
        self.acme_account(receive=False, send=False)
        self.assertEqual(problems(), "")

    def test_status_shows_how_certificates_stand(self):
        self.start()
        self.wait_for_event("revocation-list-not-fetched")
        standing = {one["certificate"]: one for one in self.home.json("status")["revocation"]}
        self.assertEqual(standing["acme"]["status"], "self-signed")
        self.assertEqual((standing["globex"]["status"], standing["globex"]["agreements"]), ("unknown", ["trade"]))
        self.assertIn("HTTP 404", standing["globex"]["reason"])
        self.assertIn("looked up in revocation lists", self.home.run("status", expect=DONE).out)
        self.lists.serve(self.authority.list())
        self.home.run("crl", "fetch", expect=DONE)
        standing = {one["certificate"]: one for one in self.home.json("status")["revocation"]}
        self.assertEqual(standing["globex"]["status"], "not-revoked")
        self.assertRegex(standing["globex"]["until"], r"^20\d\d-")


if __name__ == "__main__":
    cli_test.main(__doc__)
