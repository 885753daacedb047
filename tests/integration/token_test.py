#!/usr/bin/env python3
"""Keys in a PKCS#11 token, SoftHSM's, through the command and a running gateway.

Usage: token_test.py --signet BINARY [TestClass...].
"""

import os
import pathlib
import shutil
import ssl
import subprocess

import cli_test
from api_test import VERSION, ApiTest, to_base64url
from cli_test import DONE, REFUSED, UNAVAILABLE, USAGE
from operations_test import Endpoints as OperationsTest

MODULE = "/usr/lib/softhsm/libsofthsm2.so"


class SoftHsm:
    """Tokens in a folder of the test's own."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        (self.directory / "tokens").mkdir(parents=True)
        configuration = self.directory / "softhsm2.conf"
        configuration.write_text(f"directories.tokendir = {self.directory}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
        self.environment = {"SOFTHSM2_CONF": str(configuration)}
        self.pin_file = self.directory / "pin"
        self.pin_file.write_text("1234567\n")
        self.pin_file.chmod(0o600)
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "acme", "--so-pin", "7654321", "--pin", "1234567"],
                       env={**os.environ, **self.environment}, check=True, stdout=subprocess.DEVNULL)
        [self.token] = (self.directory / "tokens").iterdir()

    def keys(self):
        """How many private keys there are."""
        return len([file for file in self.token.glob("*.object") if file.name != "token.object"])

    def take_away(self):
        self.token.rename(self.directory / "away")

    def put_back(self):
        (self.directory / "away").rename(self.token)

    @property
    def options(self):
        return ["--pkcs11-module", MODULE, "--token", "acme", "--pin-file", str(self.pin_file)]


class WithToken:
    """A home with the vault `hsm`, whose keys are in a token."""

    def set_up_token(self):
        self.hsm = SoftHsm(self.directory / "softhsm")
        self.home.environment = {**self.home.environment, **self.hsm.environment}
        self.home.run("vault", "create", "hsm", *self.hsm.options, expect=DONE)


class Command(cli_test.CommandTest, WithToken):
    def setUp(self):
        super().setUp()
        self.home.run("init", expect=DONE)
        self.set_up_token()

    def test_shows_where_the_keys_of_a_vault_are(self):
        shown = self.home.json("vault", "show", "hsm")
        self.assertEqual((shown["backEnd"], shown["token"]["name"], shown["token"]["available"]), ("pkcs11", "acme", True))
        self.assertRegex(shown["token"]["uri"], "^pkcs11:token=acme\\?.*module-path=")
        self.assertEqual(self.home.json("vault", "show", "signet"), {"name": "signet", "where": "here", "backEnd": "embedded"})
        self.assertIn("token 'acme'", self.home.run("vault", "show", "hsm", expect=DONE).out)
        policy = self.home.json("vault", "policy", "show", "--vault", "hsm")
        self.assertEqual(policy[0]["principal"], "gateway")

    def test_a_token_is_named_whole_and_let_in_by_a_private_pin_file(self):
        self.home.run("vault", "create", "other", "--token", "acme", expect=USAGE)
        self.home.run("vault", "create", "other", "--pkcs11-module", MODULE, "--token", "none", "--pin-file", self.hsm.pin_file,
                      expect=UNAVAILABLE)
        self.hsm.pin_file.chmod(0o644)
        refused = self.home.run("vault", "create", "other", *self.hsm.options, expect=UNAVAILABLE)
        self.assertIn("chmod 600", refused.err)
        self.assertNotIn("1234567", refused.err)

    def test_a_vault_with_keys_gets_no_token(self):
        self.home.run("vault", "key", "create", "k", "--kind", "P-256", expect=DONE)
        self.assertIn("keys already", self.home.run("vault", "create", "signet", *self.hsm.options, expect=REFUSED).err)

    def test_keys_come_into_the_token_and_go_from_there(self):
        made = self.home.json("vault", "key", "create", "k", "--vault", "hsm", "--kind", "P-256")
        self.assertTrue(made["inToken"])
        self.home.run("vault", "key", "import", "imported", cli_test.TEST_KEY, "--vault", "hsm", expect=DONE)
        self.assertEqual(self.hsm.keys(), 2)
        self.assertIn("in a token", self.home.run("vault", "key", "backup", "k", "--vault", "hsm", "--file", self.directory / "b",
                                                  expect=REFUSED).err)
        self.home.run("vault", "key", "delete", "k", "--vault", "hsm", expect=DONE)
        self.assertEqual(self.hsm.keys(), 2)
        self.home.run("vault", "key", "purge", "k", "--vault", "hsm", expect=DONE)
        self.assertEqual(self.hsm.keys(), 1)

    def test_certificates_are_not_exportable(self):
        create = ["vault", "certificate", "create", "c", "--vault", "hsm", "--subject", "CN=acme", "--issuer", "Self"]
        self.assertIn("--not-exportable", self.home.run(*create, expect=USAGE).err)
        self.home.run(*create, "--not-exportable", expect=DONE)
        self.assertEqual(self.hsm.keys(), 1)

    def test_the_pin_is_in_no_file_of_the_home(self):
        self.home.run("vault", "key", "create", "k", "--vault", "hsm", "--kind", "P-256", expect=DONE)
        for file in self.home.path.rglob("*"):
            if file.is_file():
                self.assertNotIn(b"1234567", file.read_bytes(), file)


class Exchange(OperationsTest, WithToken):
    """A gateway whose keys are in a token, all of them: that of its messages and that of its listener."""

    def make_partners(self, days=730):
        self.set_up_token()
        for name in ["acme", "tls"]:
            self.home.run("vault", "key", "create", name, "--vault", "hsm", "--kind", "RSA-2048", expect=DONE)
            self.home.run("certificate", "create", name, "--key", name, "--vault", "hsm", "--common-name", name, "--dns-name",
                          "localhost", "--days", str(days), "--certificate-file", self.directory / f"{name}.cer", expect=DONE)
        self.globex = cli_test.Home(self.directory / "globex")
        self.globex.directory.mkdir()
        self.make_company(self.globex, "globex")
        shutil.copy(self.globex.directory / "globex.cer", self.directory)
        shutil.copy(self.directory / "acme.cer", self.globex.directory)
        account = self.account_xml(self.home)
        text = account.read_text().replace("<keyVault>signet</keyVault>", "<keyVault>hsm</keyVault>")
        tls = """<certificate name="tls"><publicCertificate x:file="tls.cer"/><key><keyVault>hsm</keyVault>
                 <keyName>tls</keyName></key></certificate></certificates>"""
        account.write_text(text.replace("</certificates>", tls))
        return account

    def make_trading_partners(self, days=730):
        self.home.run("apply", self.make_partners(days), expect=DONE)

    def audited(self):
        return {(line["operation"], line.get("key")) for line in self.home.audit() if line["vault"] == "hsm" and line["result"] == "success"}

    def test_carries_messages_both_ways(self):
        self.start("--listen-tls", "127.0.0.1:0", "--tls-certificate", "tls")
        self.let_globex_send()
        self.assertEqual(self.send_from_globex()["state"], "confirmed")
        audited = self.audited()
        self.assertIn(("decrypt", "acme"), audited)
        self.assertIn(("sign", "acme"), audited)
        self.globex.start()
        self.home.run("apply", self.with_url(f"http://127.0.0.1:{self.globex.port}/as2"), expect=DONE)
        document = self.directory / "order.edi"
        document.write_bytes(b"ISA*00*")
        try:
            self.assertEqual(self.home.json("send", "--agreement", "trade", document)["state"], "confirmed")
        finally:
            self.globex.stop()

    def with_url(self, url):
        account = self.directory / "account.xml"
        account.write_text(account.read_text().replace("http://127.0.0.1:1/as2", url))
        return account

    def test_has_its_listeners_key_in_the_token(self):
        self.start("--listen-tls", "127.0.0.1:0", "--tls-certificate", "tls")
        port = self.home.ports["as2-tls"]
        context = ssl.create_default_context(cafile=str(self.directory / "tls.cer"))
        for version in [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]:
            context.minimum_version = context.maximum_version = version
            with cli_test.socket.create_connection(("127.0.0.1", port)) as plain, \
                    context.wrap_socket(plain, server_hostname="localhost") as connection:
                self.assertIsNotNone(connection.version())
        self.assertIn(("sign", "tls"), self.audited())

    def test_starts_without_its_token_and_goes_on_once_it_is_there(self):
        self.hsm.take_away()
        self.start("--listen-tls", "127.0.0.1:0", "--tls-certificate", "tls")
        self.let_globex_send()
        self.wait_for_readiness("vault", "token 'acme'")
        self.send_from_globex(expect=cli_test.PENDING)
        self.assertEqual(self.home.json("vault", "show", "hsm")["token"]["available"], False)
        self.hsm.put_back()
        self.wait_for_readiness("vault")
        self.assertEqual(self.send_from_globex()["state"], "confirmed")
        self.hsm.take_away()
        self.wait_for_readiness("vault", "token 'acme'")
        self.hsm.put_back()
        self.wait_for_readiness("vault")
        self.assertEqual(self.send_from_globex()["state"], "confirmed")


class Rest(ApiTest, WithToken):
    """The same vault by the contract of Key Vault."""
    HOST = "vault.example"

    def setUp(self):
        super().setUp()
        self.home.stop()
        self.set_up_token()
        self.home.run("vault", "policy", "set", "--vault", "hsm", "--principal", "app", "--key-permissions", "all", "--secret-permissions", "all",
                      "--certificate-permissions", "all", expect=DONE)
        self.home.start("--listen-api", "127.0.0.1:0", "--api-certificate", "api", "--api-host", self.HOST)
        self.hsm_vault = self.service(self.home.ports["api"], f"hsm.{self.HOST}")
        self.plain = self.service(self.home.ports["api"], f"signet.{self.HOST}")
        self.management = self.service(self.home.ports["api"], self.HOST)

    def test_its_keys_are_of_hardware_whatever_was_asked_for(self):
        for kty, answered in [("RSA", "RSA-HSM"), ("RSA-HSM", "RSA-HSM"), ("EC", "EC-HSM"), ("EC-HSM", "EC-HSM")]:
            status, key, _ = self.hsm_vault.post("/keys/k/create", {"kty": kty})
            self.assertEqual((status, key["key"]["kty"]), (200, answered))
            self.assertEqual(self.hsm_vault.get("/keys/k")[1]["key"]["kty"], answered)
        self.assertEqual(self.hsm.keys(), 4)
        for body in [{"kty": "RSA-HSM"}, {"kty": "EC-HSM"}]:
            self.assertEqual(self.error_code(self.plain.post("/keys/k/create", body), 400), "BadParameter")
        self.assertEqual(self.error_code(self.hsm_vault.post("/keys/k/backup"), 400), "BadParameter")

    def test_its_certificates_are_not_exportable(self):
        def policy(**key):
            return {"policy": {"issuer": {"name": "Self"}, "x509_props": {"subject": "CN=c"}, "key_props": key}}

        self.assertEqual(self.hsm_vault.post("/certificates/c/create", policy(kty="EC", exportable=True))[0], 400)
        self.assertEqual(self.hsm_vault.post("/certificates/c/create", policy(kty="EC-HSM", exportable=False))[0], 202)
        self.assertEqual(self.hsm_vault.get("/certificates/c/policy")[1]["key_props"]["kty"], "EC-HSM")
        self.assertEqual(self.plain.post("/certificates/c/create", policy(kty="EC-HSM", exportable=False))[0], 400)

    def test_its_resource_is_premium(self):
        self.home.run("principal", "set", "app", "--roles", "Reader", expect=DONE)

        def get(path, version):
            return self.management.call("GET", f"{path}?api-version={version}")

        self.wait_until(lambda: get("/subscriptions", "2022-12-01")[0] == 200)
        subscription = get("/subscriptions", "2022-12-01")[1]["value"][0]["subscriptionId"]
        vaults = f"/subscriptions/{subscription}/resourceGroups/signet/providers/Microsoft.KeyVault/vaults"
        for vault, sku in [("hsm", "premium"), ("signet", "standard")]:
            status, resource, _ = get(f"{vaults}/{vault}", "2023-07-01")
            self.assertEqual((status, resource["properties"]["sku"]["name"]), (200, sku))

    def test_a_gateway_that_starts_sealed_and_under_another_master_key_has_its_token(self):
        key = self.hsm_vault.post("/keys/k/create", {"kty": "EC"})[1]["key"]
        passphrase = self.directory / "passphrase"
        passphrase.write_text("correct horse battery staple\n")
        self.home.stop()
        self.home.run("vault", "rotate-master-key", "--passphrase-file", passphrase, expect=DONE)
        self.home.start("--listen-api", "127.0.0.1:0", "--api-certificate", "api", "--api-host", self.HOST)
        self.home.run("vault", "unseal", "--passphrase-file", passphrase, expect=DONE)
        vault = self.service(self.home.ports["api"], f"hsm.{self.HOST}")
        body = {"alg": "ES256", "value": to_base64url(bytes(32))}
        self.assertEqual(vault.post(key["kid"].removeprefix(self.hsm_vault.origin) + "/sign", body)[0], 200)
        self.assertEqual(vault.post("/keys/another/create", {"kty": "EC"})[1]["key"]["kty"], "EC-HSM")
        self.assertEqual(self.hsm.keys(), 2)
        self.assertEqual(vault.call("DELETE", f"/keys/k?{VERSION}")[0], 200)
        self.home.environment["SIGNET_PASSPHRASE_FILE"] = str(passphrase)
        self.home.run("vault", "key", "purge", "k", "--vault", "hsm", expect=DONE)
        self.assertEqual(self.hsm.keys(), 1)

    def test_a_token_that_is_away_is_unavailable(self):
        key = self.hsm_vault.post("/keys/k/create", {"kty": "EC"})[1]["key"]
        signing = key["kid"].removeprefix(self.hsm_vault.origin) + "/sign"
        body = {"alg": "ES256", "value": to_base64url(bytes(32))}
        self.assertEqual(self.hsm_vault.post(signing, body)[0], 200)
        self.hsm.take_away()
        self.assertEqual(self.hsm_vault.post(signing, body)[0], 503)
        self.assertEqual(self.hsm_vault.get("/keys/k")[0], 200)
        self.assertEqual(self.plain.post("/keys/k/create", {"kty": "EC"})[0], 200)
        self.hsm.put_back()
        self.assertEqual(self.hsm_vault.post(signing, body)[0], 200)


# Those of the class that it comes from are run where they are.
for name in [name for name in dir(OperationsTest) if name.startswith("test_")]:
    setattr(Exchange, name, None)


if __name__ == "__main__":
    cli_test.main(__doc__)
