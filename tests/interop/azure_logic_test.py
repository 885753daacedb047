#!/usr/bin/env python3
"""What Azure's own clients make of an account, unmodified: the command sees it, and partners exchange messages by it.

Usage: azure_logic_test.py --signet BINARY. SIGNET_AZURE_SDK_DIRECTORY is where install_npm.sh has put the packages.
"""

import base64
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
import cli_test
from api_test import ApiTest
from cli_test import DONE

PACKAGES = pathlib.Path(os.environ["SIGNET_AZURE_SDK_DIRECTORY"])
DOCUMENT = b"ISA*00*          *00*          *ZZ*ACME           *ZZ*GLOBEX~\r\nIEA*1*000000001~\r\n" * 100


class ManagementPlane(ApiTest):
    """A gateway, and what the clients need to know of it."""

    HOST = "vault.example"

    def setUp(self):
        super().setUp()
        deployer = self.home.json("principal", "add", "deployer", "--roles", "Reader,Writer,Administrator")
        token = self.token_of("deployer")
        _, subscriptions, _ = self.management.call("GET", "/subscriptions?api-version=2022-12-01", token=token)
        subscription, = subscriptions["value"]
        self.environment = {
            **os.environ, "ARM": self.management.origin, "MANAGER_TOKEN": token, "READER_TOKEN": token, "OID": deployer["objectId"],
            "SUBSCRIPTION": subscription["subscriptionId"], "TENANT": subscription["tenantId"],
            "BASE": self.hosted.origin, "VAULT_TOKEN": self.token, "NODE_EXTRA_CA_CERTS": str(self.directory / "api.cer")}

    def client(self, program, *arguments, **environment):
        """What it prints."""
        done = subprocess.run(["node", PACKAGES / program, *arguments], env={**self.environment, **environment},
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, f"{program} {arguments}: {done.stdout}{done.stderr}")
        return done.stdout


class IntegrationAccount(ManagementPlane):
    def certificate(self, name):
        """base64 of DER; its key lies in <name>.key."""
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-subj", f"/CN={name}",
                               "-keyout", self.directory / f"{name}.key", "-outform", "DER"], check=True, capture_output=True)
        return base64.b64encode(made.stdout).decode()

    def test_the_client_and_the_command_see_one_account(self):
        self.environment |= {"HOST_CER": self.certificate("host"), "GUEST_CER": self.certificate("guest")}
        self.home.run("vault", "key", "import", "host", self.directory / "host.key", expect=DONE)
        self.client("arm_logic.js", "made")
        xml = self.home.run("export", expect=DONE).out
        self.assertIn('<agreement name="host-guest">', xml)
        self.assertIn('<partner name="guest">', xml)
        file = self.directory / "account.xml"
        file.write_text(xml.replace("<mdnText>Thanks</mdnText>", "<mdnText>From the XML</mdnText>")
                        .replace("</agreement>", '<x:connection url="https://guest.example/as2"/></agreement>'))
        self.home.run("apply", file, expect=DONE)
        applied = self.home.run("export", expect=DONE).out
        self.client("arm_logic.js", "applied")
        self.assertEqual(self.home.run("export", expect=DONE).out, applied)
        self.client("arm_logic.js", "logged")
        self.assertIn('"order":7', self.home.run("tracking", "export", expect=DONE).out.replace(" ", ""))
        self.client("arm_logic.js", "removed")
        self.assertNotIn("host-guest", self.home.run("export", expect=DONE).out)
        self.home.run("audit", "verify", expect=DONE)


class Company(ManagementPlane):
    """One of two companies: a gateway of its own, set up by Azure's clients alone."""

    def runTest(self):
        """None of its own."""

    def make_certificate_in_vault(self, name):
        """As the partner gets it: base64 of DER."""
        return self.client("trade.js", "certificate", name).strip()

    def agree(self, name, certificate, partner, partner_certificate, url):
        self.client("trade.js", "agreement", name, partner, OWN_CER=certificate, PARTNER_CER=partner_certificate, URL=url)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.home.port}/as2"


class CarriesMessages(unittest.TestCase):
    def company(self):
        company = Company()
        self.addCleanup(company.doCleanups)
        company.setUp()
        return company

    def test_an_agreement_made_by_the_clients_carries_documents_both_ways(self):
        acme, globex = self.company(), self.company()
        certificates = {"acme": acme.make_certificate_in_vault("acme"), "globex": globex.make_certificate_in_vault("globex")}
        acme.agree("acme", certificates["acme"], "globex", certificates["globex"], globex.url)
        globex.agree("globex", certificates["globex"], "acme", certificates["acme"], acme.url)
        self.send(acme, globex, certificates["globex"])
        self.send(globex, acme, certificates["acme"])
        for company in (acme, globex):
            company.home.run("audit", "verify", expect=DONE)

    def send(self, sender, receiver, receivers_certificate):
        document = sender.directory / "order.x12"
        document.write_bytes(DOCUMENT)
        sent = sender.home.json("send", "--agreement", "trade", document)
        self.assertEqual(sent["state"], "confirmed")  # which takes a receipt that proves delivery
        self.assert_receipt_is_signed(sender, sent["id"], receivers_certificate)

        def received():
            return [record for record in receiver.home.json("message", "list") if record["messageId"] == sent["messageId"]]
        receiver.wait_until(lambda: received()[0]["state"] == "delivered")
        self.assertEqual(pathlib.Path(received()[0]["deliveredTo"]).read_bytes(), DOCUMENT)

    def assert_receipt_is_signed(self, sender, message, by):
        """As openssl sees it."""
        receipt, certificate = sender.directory / "receipt.http", sender.directory / "partner.pem"
        sender.home.run("message", "receipt", message, "--file", receipt, expect=DONE)
        certificate.write_text(f"-----BEGIN CERTIFICATE-----\n{by}\n-----END CERTIFICATE-----\n")
        verified = subprocess.run(["openssl", "cms", "-verify", "-in", receipt, "-certfile", certificate, "-CAfile", certificate,
                                   "-nointern", "-purpose", "any"], capture_output=True, text=True)
        self.assertEqual(verified.returncode, 0, verified.stderr)
        self.assertIn("automatic-action/MDN-sent-automatically; processed", verified.stdout)


if __name__ == "__main__":
    cli_test.main(__doc__)
