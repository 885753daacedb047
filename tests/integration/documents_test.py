#!/usr/bin/env python3
"""How documents come to a gateway and leave it: pick-up folders and webhooks, with the real binary and the sample receiver.

Usage: documents_test.py --signet BINARY [TestClass...].
"""

import importlib.util
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

import cli_test
from cli_test import DONE, free_port, wait_until
from operations_test import GatewayTest

RECEIVER = cli_test.SOURCE / "samples" / "webhook" / "receiver.py"
ORDER = b"UNB+UNOC:3+GLOBEX+ACME'\n"


def files(folder):
    """Names of the files that are in a folder, if it is there."""
    return sorted(file.name for file in folder.iterdir() if file.is_file()) if folder.exists() else []


class TwoGateways(GatewayTest):
    """acme (self.home) receives, globex (self.globex) sends."""

    def setUp(self):
        super().setUp()
        self.acme_account = self.make_partners()
        self.addCleanup(self.globex.stop)

    def apply(self, home, account, inside, element):
        """Applies an account with one element more at the beginning of a receiveAgreement or sendAgreement."""
        text = account.read_text()
        for part in [f"<{inside}>", f"</{inside}>"]:
            self.assertEqual(text.count(part), 1)
        account.write_text(text.replace(f"</{inside}>", f"{element}</{inside}>"))
        home.run("apply", account, expect=DONE)

    def globex_account(self, port):
        account = self.account_xml(self.globex, "globex", "acme", f"http://127.0.0.1:{port}/as2")
        text = account.read_text()
        self.assertIn("</agreement>", text)
        account.write_text(text.replace("</agreement>", '<x:retry firstInterval="100ms" factor="1"/></agreement>'))
        return account


class PickUp(TwoGateways):
    """<x:pickup>"""

    ELEMENT = '<x:pickup folder="{}" stableFor="100ms" keepSent="true"/>'

    def setUp(self):
        super().setUp()
        self.folder = self.directory / "out"
        self.folder.mkdir()

    def serve_globex(self, port):
        self.apply(self.globex, self.globex_account(port), "sendAgreement", self.ELEMENT.format(self.folder))
        self.globex.start()

    def received(self):
        """The payloads that acme has."""
        folder = self.home.path / "delivery" / "trade"
        return [(folder / name).read_bytes() for name in files(folder) if not name.startswith(".") and not name.endswith(".json")]

    def test_what_is_put_there_reaches_the_partner(self):
        self.home.run("apply", self.acme_account, expect=DONE)
        self.home.start()
        self.serve_globex(self.home.port)
        for number in range(3):
            (self.folder / f"{number}.tmp").write_bytes(ORDER + b"%d" % number)
            (self.folder / f"{number}.tmp").rename(self.folder / f"{number}.edi")
        wait_until(lambda: len(files(self.folder / "sent")) == 3, "three documents are in `sent`")
        wait_until(lambda: len(self.received()) == 3, "acme has them")
        self.assertEqual(sorted(self.received()), [ORDER + b"%d" % number for number in range(3)])
        self.assertEqual(files(self.folder) + files(self.folder / "processing") + files(self.folder / "failed"), [])
        name = files(self.folder / "sent")[0]
        message = self.globex.json("message", "show", name[:32])
        self.assertEqual((message["state"], message["fileName"]), ("confirmed", name[33:]))

    def test_what_the_partner_refuses_lies_beside_the_reason(self):
        self.home.start()  # with no agreement
        self.serve_globex(self.home.port)
        (self.folder / "order.edi").write_bytes(ORDER)
        wait_until(lambda: len(files(self.folder / "failed")) == 2, "the document and the reason are in `failed`")
        document, reason = files(self.folder / "failed")
        self.assertEqual((self.folder / "failed" / document).read_bytes(), ORDER)
        self.assertEqual(reason, document + ".reason.txt")
        text = (self.folder / "failed" / reason).read_text()
        self.assertIn(f"signet message resend {document[:32]}", text)

        self.home.run("apply", self.acme_account, expect=DONE)
        self.assertEqual(self.globex.run("message", "resend", document[:32]).returncode, DONE)
        wait_until(self.received, "acme has it after all")

    def test_a_gateway_that_is_killed_sends_it_once(self):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))  # and does not listen
            self.serve_globex(nobody.getsockname()[1])
            (self.folder / "order.edi").write_bytes(ORDER)
            self.wait_for_event("message-postponed", home=self.globex)
            self.globex.gateway.kill()
            self.globex.gateway.wait()
        self.assertEqual(len(files(self.folder / "processing")), 1)
        self.home.run("apply", self.acme_account, expect=DONE)
        self.home.start()
        account = self.globex_account(self.home.port)
        self.apply(self.globex, account, "sendAgreement", self.ELEMENT.format(self.folder))
        self.globex.start()
        wait_until(lambda: files(self.folder / "sent"), "it is in `sent`")
        wait_until(self.received, "acme has it")
        self.globex.stop()
        self.assertEqual(self.received(), [ORDER])
        self.assertEqual(len(self.globex.json("message", "list")), 1)


class WebhookHandOver(TwoGateways):
    """<x:webhook>, and samples/webhook/receiver.py at its other end."""

    SECRET = "a-secret-of-the-test"

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/as2"
        self.folder = self.directory / "in"
        self.folder.mkdir()
        self.receiver = None
        self.addCleanup(self.stop_receiver)
        self.home.run("vault", "secret", "set", "hook", standard_input=self.SECRET.encode(), expect=DONE)
        self.apply(self.home, self.acme_account, "receiveAgreement",
                   f'<x:delivery><x:webhook url="{self.url}" keyVault="signet" secretName="hook"/></x:delivery>')
        self.home.start()
        self.globex.run("apply", self.globex_account(self.home.port), expect=DONE)

    def start_receiver(self, secret=SECRET):
        self.receiver = subprocess.Popen(
            [sys.executable, RECEIVER, "--listen", f"127.0.0.1:{self.port}", "--url", self.url, "--folder", self.folder],
            env={**os.environ, "SIGNET_WEBHOOK_SECRET": secret}, stderr=subprocess.DEVNULL)

    def stop_receiver(self):
        if self.receiver:
            self.receiver.kill()
            self.receiver.wait()
            self.receiver = None

    def send(self):
        document = self.directory / "order.edi"
        document.write_bytes(ORDER)
        return self.globex.json("send", "--agreement", "trade", document)

    def test_hands_over_once_the_receiver_takes_it(self):
        self.start_receiver(secret="another")
        sent = self.send()
        self.assertEqual(sent["state"], "confirmed")
        failed = self.wait_for_event("delivery-failed")
        if "HTTP 403" not in failed["reason"]:  # the receiver was not up yet
            failed = self.wait_for_event("delivery-failed", 2)
        self.assertIn("the signature is not one by our secret", failed["reason"])
        self.assertEqual(files(self.folder), [])
        self.stop_receiver()
        self.start_receiver()
        delivered = self.wait_for_event("message-delivered")
        self.assertEqual(delivered["delivered_to"], self.url)
        self.assertEqual((self.folder / delivered["id"]).read_bytes(), ORDER)
        message = self.home.json("message", "show", delivered["id"])
        self.assertEqual((message["state"], message["deliveredTo"]), ("delivered", self.url))
        self.assertNotIn(self.SECRET, self.home.log.read_text())

    def test_a_gateway_that_lacks_the_permission_says_so_and_goes_on_with_it(self):
        self.home.run("vault", "policy", "set", "--secret-permissions", "list", expect=DONE)
        self.start_receiver()
        self.send()
        failed = self.wait_for_event("delivery-failed")
        self.assertEqual(failed["kind"], "PermissionDenied")
        self.assertIn("get", failed["reason"])
        self.home.run("vault", "policy", "set", "--secret-permissions", "get", expect=DONE)
        self.wait_for_event("message-delivered")


class SampleReceiver(unittest.TestCase):
    def test_wants_a_folder_that_is_there(self):
        missing = str(pathlib.Path(tempfile.gettempdir()) / "signet-no-such-folder" / "in")
        done = subprocess.run([sys.executable, RECEIVER, "--url", "http://127.0.0.1:1/", "--listen", "127.0.0.1:0", "--folder", missing],
                              env={**os.environ, "SIGNET_WEBHOOK_SECRET": "x"}, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn(missing + " is not there", done.stderr)

    """What samples/webhook/receiver.py refuses."""

    URL = "https://erp.acme.example/as2"

    def setUp(self):
        spec = importlib.util.spec_from_file_location("receiver", RECEIVER)
        self.receiver = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.receiver)
        # As tests/unit/delivery/webhook_delivery_test.cc has it, whose signature was made for this very text.
        self.now = 1795000000
        self.headers = {
            "content-type": "text/plain", "content-digest": "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:",
            "idempotency-key": '"1"', "signet-message": "{}",
        }
        names = " ".join(f'"{name}"' for name in self.receiver.SIGNED)
        parameters = f'({names});created={self.now};keyid="hook";alg="hmac-sha256"'
        derived = {"@method": "POST", "@target-uri": self.URL, **self.headers}
        base = "\n".join([f'"{name}": {derived[name]}' for name in self.receiver.SIGNED] + [f'"@signature-params": {parameters}'])
        signature = self.receiver.hmac.new(b"secret", base.encode(), "sha256").digest()
        self.headers |= {"Content-Digest": self.headers["content-digest"], "Signature-Input": "sig1=" + parameters,
                         "Signature": f"sig1=:{self.receiver.base64.b64encode(signature).decode()}:"}

    def verify(self, body=b"hello", url=URL, secret=b"secret", age=0, **changed):
        headers = {**self.headers, **{name.replace("_", "-"): value for name, value in changed.items()}}
        self.receiver.verify(headers, body, url, secret, self.now + age)

    def test_takes_what_was_signed(self):
        self.verify()
        self.verify(age=299)

    def test_refuses_what_was_not(self):
        for change in [{"body": b"hullo"}, {"url": "https://erp.acme.example/other"}, {"secret": b"another"}, {"age": 301}, {"age": -301},
                       {"Signature": "sig1=:AAAA:"}, {"Signature": ""}, {"Signature_Input": ""}, {"signet_message": '{"id":"2"}'},
                       {"Signature_Input": self.headers["Signature-Input"].replace(' "signet-message"', "")},
                       {"idempotency_key": '"2"'}, {"content_type": "text/html"}]:
            with self.subTest(change), self.assertRaises(self.receiver.Refused):
                self.verify(**change)


if __name__ == "__main__":
    cli_test.main(__doc__)
