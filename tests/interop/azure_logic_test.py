#!/usr/bin/env python3
"""Azure's own clients of the management plane (@azure/arm-logic, @azure/arm-keyvault), unmodified, against a gateway; and the command beside them.

Usage: azure_logic_test.py --signet BINARY. SIGNET_AZURE_SDK_DIRECTORY is where azure-sdk/install.sh has put the packages.
"""

import base64
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
import cli_test
from api_test import ApiTest
from cli_test import DONE

PACKAGES = pathlib.Path(os.environ["SIGNET_AZURE_SDK_DIRECTORY"])


class ManagementPlane(ApiTest):
    """What both clients need to know."""

    def setUp(self):
        super().setUp()
        deployer = self.home.json("principal", "add", "deployer", "--roles", "Reader,Writer,Administrator")
        management = self.service(self.management.port, self.HOST)
        management.token = self.token_of("deployer")
        _, subscriptions, _ = management.call("GET", "/subscriptions?api-version=2022-12-01")
        subscription, = subscriptions["value"]
        self.environment = {
            **os.environ, "ARM": management.origin, "TOKEN": management.token, "OID": deployer["objectId"],
            "SUBSCRIPTION": subscription["subscriptionId"], "TENANT": subscription["tenantId"],
            "NODE_EXTRA_CA_CERTS": str(self.directory / "api.cer")}

    def client(self, program, *arguments, **environment):
        done = subprocess.run(["node", PACKAGES / program, *arguments], env={**self.environment, **environment},
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, f"{program} {arguments}: {done.stdout}{done.stderr}")


class KeyVaults(ManagementPlane):
    def test_a_vault_is_made_and_its_policies_count(self):
        self.client("arm_keyvault.js")
        self.home.run("audit", "verify", expect=DONE)


class IntegrationAccount(ManagementPlane):
    def setUp(self):
        super().setUp()
        self.home.run("principal", "add", "looker", "--roles", "Reader", expect=DONE)
        self.home.run("vault", "policy", "set", "--principal", "deployer", "--key-permissions", "list", expect=DONE)
        self.environment |= {
            "VAULT": f"/subscriptions/{self.environment['SUBSCRIPTION']}/resourceGroups/signet/providers/Microsoft.KeyVault/vaults/signet",
            "HOST_CER": self.certificate("host"), "GUEST_CER": self.certificate("guest")}
        self.home.run("vault", "key", "import", "host", self.directory / "host.key", expect=DONE)

    def certificate(self, name):
        """base64 of DER; its key lies in <name>.key."""
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-subj", f"/CN={name}",
                               "-keyout", self.directory / f"{name}.key", "-outform", "DER"], check=True, capture_output=True)
        return base64.b64encode(made.stdout).decode()

    def step(self, name, **environment):
        self.client("arm_logic.js", name, **environment)

    def test_the_client_and_the_command_see_one_account(self):
        for name in ["account", "entries", "agreement"]:
            self.step(name)
        xml = self.home.run("export", expect=DONE).out
        self.assertIn('<agreement name="host-guest">', xml)
        self.assertIn('<partner name="guest">', xml)
        file = self.directory / "account.xml"
        file.write_text(xml.replace("<mdnText>Thanks</mdnText>", "<mdnText>From the XML</mdnText>")
                        .replace("</agreement>", '<x:connection url="https://guest.example/as2"/></agreement>'))
        self.home.run("apply", file, expect=DONE)
        applied = self.home.run("export", expect=DONE).out
        self.step("applied")
        self.assertEqual(self.home.run("export", expect=DONE).out, applied)
        self.step("actions")
        self.assertIn('"order":7', self.home.run("tracking", "export", expect=DONE).out.replace(" ", ""))
        self.step("denied", TOKEN=self.token_of("looker"))
        self.step("removal")
        self.assertNotIn("host-guest", self.home.run("export", expect=DONE).out)
        self.home.run("audit", "verify", expect=DONE)


if __name__ == "__main__":
    cli_test.main(__doc__)
