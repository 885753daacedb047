#!/usr/bin/env python3
"""The integration account of a running gateway, over its management plane.

Usage: account_api_test.py --signet BINARY [TestClass...].
"""

import base64
import copy
import json
import pathlib
import ssl
import subprocess

import cli_test
from api_test import ApiTest
from cli_test import DONE

VERSION = "api-version=2019-05-01"
AGREEMENT = pathlib.Path(__file__).parent.parent / "unit" / "agreements" / "data" / "agreement.json"


class AccountTest(ApiTest):
    """An account `ia` in the resource group `g`, with two partners and their certificates."""

    def fill_home(self, home):
        super().fill_home(home)
        for name, roles in (("writer", "Reader,Writer"), ("reader", "Reader"), ("nobody", "")):
            self.add_principal(home, name, "--roles", roles)
        home.run("vault", "policy", "set", "--principal", "writer", "--key-permissions", "get", expect=DONE)
        for name in ["host", "guest"]:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-subj", f"/CN={name}", "-keyout",
                            home.directory / f"{name}.key", "-out", home.directory / f"{name}.cer"], check=True, capture_output=True)
        home.run("vault", "key", "import", "host", home.directory / "host.key", expect=DONE)

    def setUp(self):
        super().setUp()
        self.writer, self.reader, self.nobody = map(self.kept_token, ("writer", "reader", "nobody"))
        self.subscription = self.arm("GET", "/subscriptions", base="")[1]["value"][0]["subscriptionId"]
        self.group = f"/subscriptions/{self.subscription}/resourceGroups/g/providers/Microsoft.Logic/integrationAccounts"
        self.account = f"{self.group}/ia"
        self.vaults = f"/subscriptions/{self.subscription}/resourceGroups/signet/providers/Microsoft.KeyVault/vaults"
        self.expect(201, "PUT", "", {"location": "local", "sku": {"name": "Standard"}, "tags": {"team": "edi"}})

    def principal(self, name, roles):
        self.home.run("principal", "add", name, "--roles", roles, expect=DONE)
        return self.token_of(name)

    def arm(self, method, path, body=None, token=None, base=None):
        target = f"{self.account if base is None else base}{path}"
        return self.management.call(method, f"{target}{'&' if '?' in target else '?'}{VERSION}", body, token=token or self.writer)

    def expect(self, status, method, path, body=None, **options):
        answer = self.arm(method, path, body, **options)
        self.assertEqual(answer[0], status, answer[1])
        return answer[1]

    def add_partners(self):
        for name in ["host", "guest"]:
            self.expect(201, "PUT", f"/partners/{name}", self.partner(name.upper()))

    @staticmethod
    def partner(value):
        return {"location": "local", "properties": {"partnerType": "B2B", "metadata": {}, "content": {
            "b2b": {"businessIdentities": [{"qualifier": "AS2Identity", "value": value}]}}}}

    def add_certificates(self):
        """The host's, with a key in the vault, and the guest's, without."""
        der = {name: base64.b64encode(ssl.PEM_cert_to_DER_cert((self.directory / f"{name}.cer").read_text())).decode() for name in ["host", "guest"]}
        self.expect(201, "PUT", "/certificates/guest", {"properties": {"publicCertificate": der["guest"], "metadata": {"n": 1}}})
        host = {"properties": {"publicCertificate": der["host"], "key": {"keyVault": {"id": f"{self.vaults}/signet"}, "keyName": "host"}}}
        self.expect(201, "PUT", "/certificates/host", host)
        return der

    def add_agreement(self):
        self.add_partners()
        self.add_certificates()
        return self.expect(201, "PUT", "/agreements/hg", self.agreement())

    @staticmethod
    def agreement():
        return json.loads(AGREEMENT.read_text())


class Account(AccountTest):
    def test_the_account_has_the_name_that_it_was_first_put_under(self):
        shown = self.expect(200, "GET", "", token=self.reader)
        self.assertEqual(shown, {"id": self.account, "name": "ia", "type": "Microsoft.Logic/integrationAccounts", "location": "local",
                                 "tags": {"team": "edi"}, "sku": {"name": "Standard"}, "properties": {"state": "Enabled"}})
        self.expect(200, "PUT", "", {"sku": {"name": "Basic"}})
        self.assertEqual(self.expect(200, "PATCH", "", {"tags": {"a": "b"}})["tags"], {"a": "b"})
        self.assertEqual(self.expect(200, "GET", "")["sku"], {"name": "Basic"})
        for place in [self.group, f"/subscriptions/{self.subscription}/providers/Microsoft.Logic/integrationAccounts"]:
            self.assertEqual([account["name"] for account in self.expect(200, "GET", "", base=place)["value"]], ["ia"])
        self.expect(404, "GET", "", base=f"{self.group}/other")
        self.expect(409, "PUT", "", {}, base=f"{self.group}/other")
        self.expect(404, "GET", "", base=self.account.replace(self.subscription, "0" * 8))
        self.expect(400, "PUT", "", {"sku": {"name": "Golden"}})
        self.expect(204, "DELETE", "", base=f"{self.group}/other")
        self.add_partners()
        self.expect(409, "DELETE", "")

    def test_roles_decide(self):
        for token in [self.nobody, self.token_of("administrator")]:
            for method, path in [("GET", ""), ("PUT", "/partners/p"), ("DELETE", "/agreements/absent"), ("POST", "/listCallbackUrl")]:
                self.expect(403, method, path, {} if method in ("PUT", "POST") else None, token=token)
        for method, path in [("PUT", "/partners/p"), ("DELETE", "/partners/p"), ("POST", "/logTrackingEvents")]:
            self.expect(403, method, path, {} if method != "DELETE" else None, token=self.reader)


class Entries(AccountTest):
    def test_a_partner_is_made_changed_listed_and_deleted(self):
        self.add_partners()
        first = self.expect(200, "GET", "/partners/host", token=self.reader)
        self.assertEqual((first["id"], first["type"]), (f"{self.account}/partners/host", "Microsoft.Logic/integrationAccounts/partners"))
        sent = {"location": "west", "tags": {"k": "v"}, "properties": {"partnerType": "B2B", "metadata": {"a": {"b": [1, None]}},
                "content": {"b2b": {"businessIdentities": [{"qualifier": "ZZ", "value": "1"}, {"qualifier": "AS2Identity", "value": "H"}]}}}}
        changed = self.expect(200, "PUT", "/partners/host", sent)
        times = {name: changed["properties"].pop(name) for name in ["createdTime", "changedTime"]}
        self.assertEqual({name: changed[name] for name in sent}, sent)
        self.assertEqual(times["createdTime"], first["properties"]["createdTime"])
        self.assertGreater(times["changedTime"], times["createdTime"])
        page = self.expect(200, "GET", "/partners?$top=1")
        self.assertEqual([partner["name"] for partner in page["value"]], ["guest"])
        _, rest, _ = self.management.call("GET", page["nextLink"].removeprefix(self.management.origin), token=self.writer)
        self.assertEqual(([partner["name"] for partner in rest["value"]], "nextLink" in rest), (["host"], False))
        self.assertEqual(self.expect(200, "GET", "/partners?$filter=partnerType%20eq%20'NotSpecified'")["value"], [])
        self.expect(400, "GET", "/partners?$filter=name%20ne%20'x'")
        self.expect(200, "DELETE", "/partners/host")
        self.expect(204, "DELETE", "/partners/host")
        self.expect(404, "GET", "/partners/host")

    def test_everything_that_is_wrong_is_told(self):
        error = self.expect(400, "PUT", "/partners/p", {"properties": {"partnerType": "C2C", "content": {"b2b": {
            "businessIdentities": [{"qualifier": "ZZ"}]}}}})["error"]
        self.assertEqual([detail["target"] for detail in error["details"]],
                         ["/properties/partnerType", "/properties/content/b2b/businessIdentities/0/value"])
        self.expect(404, "GET", "/partners/p")
        self.expect(400, "PUT", "/partners/a%20b", self.partner("A"))

    def test_certificates_are_public_or_have_a_key(self):
        der = self.add_certificates()
        host = self.expect(200, "GET", "/certificates/host")["properties"]
        self.assertEqual((host["publicCertificate"], host["key"]["keyVault"]["id"], host["key"]["keyName"]),
                         (der["host"], f"{self.vaults}/signet", "host"))
        self.assertEqual(self.expect(200, "GET", "/certificates/guest")["properties"]["metadata"], {"n": 1})
        names = [certificate["name"] for certificate in self.expect(200, "GET", "/certificates")["value"]]
        self.assertEqual(names, ["api", "guest", "host"])
        key = {"keyVault": {"id": f"{self.vaults}/signet"}, "keyName": "host"}
        for wrong in [{"publicCertificate": der["guest"], "key": key}, {"publicCertificate": "AAAA"}, {"publicCertificate": 5}, {}, {"key": key},
                      {"publicCertificate": der["host"], "key": {**key, "keyName": "absent"}},
                      {"publicCertificate": der["host"], "key": {**key, "keyVault": {"id": "/subscriptions/x/vaults/signet"}}}]:
            self.expect(400, "PUT", "/certificates/new", {"properties": wrong})
        self.expect(200, "DELETE", "/certificates/guest")

    def test_a_key_or_a_secret_is_named_by_who_may_get_it(self):
        der = self.add_certificates()
        other = self.principal("other", "Reader,Writer")
        for name in ["host", "absent"]:
            key = {"keyVault": {"id": f"{self.vaults}/signet"}, "keyName": name}
            refused = self.expect(403, "PUT", "/certificates/new", {"properties": {"publicCertificate": der["host"], "key": key}}, token=other)
            self.assertEqual(refused["error"]["code"], "AuthorizationFailed")
        self.expect(200, "PUT", "/certificates/host", self.expect(200, "GET", "/certificates/host"), token=other)
        self.add_partners()
        sent = self.agreement()
        sent["properties"]["metadata"] = {"x:connection/@url": "https://mine.example/", "x:connection/x:basicAuthentication/@userName": "me",
                                          "x:connection/x:basicAuthentication/@keyVault": "signet",
                                          "x:connection/x:basicAuthentication/@secretName": "absent"}
        self.expect(403, "PUT", "/agreements/hg", sent)
        self.expect(404, "GET", "/agreements/hg")

    def test_the_certificate_that_listeners_show_stays(self):
        message = self.expect(409, "DELETE", "/certificates/api")["error"]["message"]
        self.assertIn("api-certificate", message)
        self.assertNotIn(str(self.home.path), message)

    def test_an_agreement_is_the_same_in_json_and_in_xml(self):
        made = self.add_agreement()
        sent = self.agreement()
        for member, value in sent["properties"].items():
            self.assertEqual(made["properties"][member], value)
        xml = self.home.run("export", expect=DONE).out
        self.assertIn('<agreement name="hg">', xml)
        self.assertIn("<micHashingAlgorithm>SHA2384</micHashingAlgorithm>", xml)
        file = self.directory / "account.xml"
        file.write_text(xml.replace("</agreement>", '<x:connection url="https://guest.example/as2"/></agreement>')
                        .replace("<mdnText>Thank you.</mdnText>", "<mdnText>Merci.</mdnText>"))
        self.home.run("apply", file, expect=DONE)
        shown = self.expect(200, "GET", "/agreements/hg")["properties"]
        self.assertEqual(shown["metadata"], {"x:connection/@url": "https://guest.example/as2"})
        self.assertEqual(shown["content"]["aS2"]["sendAgreement"]["protocolSettings"]["mdnSettings"]["mdnText"], "Merci.")
        self.assertEqual(shown["createdTime"], made["properties"]["createdTime"])
        applied = self.home.run("export", expect=DONE).out
        self.expect(200, "PUT", "/agreements/hg", {"properties": shown})
        self.assertEqual(self.home.run("export", expect=DONE).out, applied)

    def test_an_agreement_that_leaves_identities_to_its_partners_shows_them_and_goes_on_to_do_so(self):
        self.add_partners()
        self.add_certificates()
        before = self.home.run("export", expect=DONE).out
        minimal = before.replace("</integrationAccount>", """<agreements><agreement name="hg"><hostPartner>host</hostPartner>
            <guestPartner>guest</guestPartner><receiveAgreement><securitySettings><signingCertificateName>guest</signingCertificateName>
            <encryptionCertificateName>host</encryptionCertificateName></securitySettings></receiveAgreement></agreement></agreements>
            </integrationAccount>""")
        file = self.directory / "account.xml"
        file.write_text(minimal)
        self.home.run("apply", file, expect=DONE)
        exported = self.home.run("export", expect=DONE).out
        shown = self.expect(200, "GET", "/agreements/hg")
        self.assertEqual(shown["properties"]["hostIdentity"], {"qualifier": "AS2Identity", "value": "HOST"})
        send = shown["properties"]["content"]["aS2"]["sendAgreement"]
        self.assertEqual((send["senderBusinessIdentity"]["value"], send["receiverBusinessIdentity"]["value"]), ("HOST", "GUEST"))
        self.expect(200, "PUT", "/agreements/hg", shown)
        self.assertEqual(self.home.run("export", expect=DONE).out, exported)

    def test_what_apply_refuses_is_refused(self):
        self.add_agreement()
        before = self.home.run("export", expect=DONE).out
        for path, value in [(["hostPartner"], "absent"),
                            (["guestIdentity"], {"qualifier": "AS2Identity", "value": "another than the directions'"}),
                            (["content", "aS2", "sendAgreement", "protocolSettings", "securitySettings", "signingCertificateName"], "guest"),
                            (["content", "aS2", "receiveAgreement", "protocolSettings", "mdnSettings", "micHashingAlgorithm"], "MD5"),
                            (["metadata"], {"receiveAgreement/x:delivery/@folder": "/etc"}),
                            (["metadata"], {"x:connection/x:tlsTrust/@mode": "certificateAuthorities",
                                            "x:connection/x:tlsTrust/@caFile": "/etc/ssl/certs/ca-certificates.crt"})]:
            wrong = self.agreement()
            place = wrong["properties"]
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = value
            self.assertTrue(self.expect(400, "PUT", "/agreements/hg", wrong)["error"]["details"])
        self.assertEqual(self.home.run("export", expect=DONE).out, before)

    def test_what_an_agreement_names_stays(self):
        self.add_agreement()
        for path in ["/partners/host", "/partners/guest", "/certificates/host", "/certificates/guest"]:
            self.assertIn("agreement 'hg'", self.expect(409, "DELETE", path)["error"]["message"])
        self.expect(200, "DELETE", "/agreements/hg")
        self.expect(204, "DELETE", "/agreements/hg")
        self.expect(200, "DELETE", "/partners/host")

    def test_an_agreement_of_another_kind_is_kept_as_it_came(self):
        self.add_partners()
        sent = {"properties": {"agreementType": "X12", "hostPartner": "host", "guestPartner": "guest", "metadata": {"m": 1},
                               "hostIdentity": {"qualifier": "ZZ", "value": "1"}, "guestIdentity": {"qualifier": "ZZ", "value": "2"},
                               "content": {"x12": {"anything": [1, {"at": "all"}]}}}}
        self.expect(201, "PUT", "/agreements/x", sent)
        made = self.expect(200, "GET", "/agreements/x")["properties"]
        self.assertEqual({name: made[name] for name in sent["properties"]}, sent["properties"])
        self.assertEqual([entry["name"] for entry in self.expect(200, "GET", "/agreements?$filter=AgreementType%20eq%20'X12'")["value"]], ["x"])
        self.assertNotIn("agreement", self.home.run("export", expect=DONE).out.replace("<agreements/>", ""))
        self.expect(409, "DELETE", "/partners/host")
        broken = copy.deepcopy(sent)
        del broken["properties"]["content"]
        self.expect(400, "PUT", "/agreements/x", broken)
        self.expect(200, "DELETE", "/agreements/x")


class Callbacks(AccountTest):
    def read(self, url):
        return self.management.call("GET", url.removeprefix(self.management.origin), token=None)

    def test_a_signed_address_opens_one_resource_until_it_is_over(self):
        self.add_partners()
        url = self.expect(200, "POST", "/listCallbackUrl", {"keyType": "Primary"})["value"]
        self.assertEqual(self.read(url)[:2], (200, self.expect(200, "GET", "")))
        content = self.expect(200, "POST", "/partners/host/listContentCallbackUrl", {"keyType": "Secondary"})
        self.assertEqual(content["method"], "GET")
        self.assertEqual(set(content["queries"]), {"api-version", "se", "sp", "sv", "sig"})
        self.assertEqual(self.read(content["value"])[1], self.partner("HOST")["properties"]["content"])
        for other in [url.replace("/ia?", "/ia/partners/host?"), url.replace("sig=", "sig=A"), url.replace("se=2", "se=3"),
                      content["value"].replace("partners/host", "partners/guest"), url.split("?")[0] + "?" + VERSION]:
            self.assertEqual(self.read(other)[0], 401, other)
        self.assertEqual(self.management.call("PUT", url.removeprefix(self.management.origin), {}, token=None)[0], 401)
        for end in ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "soon"]:
            self.expect(400, "POST", "/listCallbackUrl", {"notAfter": end})

    def test_a_key_that_is_made_anew_closes_what_it_opened(self):
        first, second = (self.expect(200, "POST", "/listCallbackUrl", {"keyType": key})["value"] for key in ["Primary", "Secondary"])
        self.expect(403, "POST", "/regenerateAccessKey", {"keyType": "Primary"})
        owner = self.principal("owner", "Administrator")
        self.expect(200, "POST", "/regenerateAccessKey", {"keyType": "Primary"}, token=owner)
        self.assertEqual((self.read(first)[0], self.read(second)[0]), (401, 200))
        self.expect(400, "POST", "/regenerateAccessKey", {"keyType": "Third"}, token=owner)


class Actions(AccountTest):
    def test_the_keys_of_a_vault_are_listed_to_who_may(self):
        for name in ["a", "b"]:
            self.home.run("vault", "key", "create", name, expect=DONE)
        vault = {"keyVault": {"id": f"{self.vaults}/signet"}}
        self.expect(403, "POST", "/listKeyVaultKeys", vault)
        self.home.run("vault", "policy", "set", "--principal", "writer", "--key-permissions", "list", expect=DONE)
        self.wait_until(lambda: self.arm("POST", "/listKeyVaultKeys", vault)[0] == 200)
        keys = self.expect(200, "POST", "/listKeyVaultKeys", vault)["value"]
        self.assertEqual([key["kid"].rsplit("/", 1)[1] for key in keys], ["a", "api", "b", "host"])
        self.expect(400, "POST", "/listKeyVaultKeys", {"keyVault": {"id": "signet"}})

    def test_events_come_into_the_tracking_log(self):
        event = {"eventLevel": "Informational", "eventTime": "2026-11-28T08:00:00Z", "recordType": "Custom", "record": {"order": 7}}
        self.expect(200, "POST", "/logTrackingEvents", {"sourceType": "Microsoft.Logic/workflows", "events": [event]})
        for wrong in [{"eventTime": "then"}, {"eventLevel": "Loud"}, {"record": 5}]:
            self.expect(400, "POST", "/logTrackingEvents", {"sourceType": "x", "events": [event, {**event, **wrong}]})
        lines = [json.loads(line) for line in self.home.run("tracking", "export", expect=DONE).out.splitlines()]
        self.assertEqual([line.pop("logged")["principal"] for line in lines], ["writer"])
        self.assertEqual(lines, [{**event, "sourceType": "Microsoft.Logic/workflows"}])


if __name__ == "__main__":
    cli_test.main(__doc__)
