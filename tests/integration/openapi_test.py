#!/usr/bin/env python3
"""Every operation of the OpenAPI documents, called as they say, answers what they say.

Usage: openapi_test.py --signet BINARY [TestClass...].
"""

import base64
import contextlib
import copy
import hashlib
import sqlite3
import subprocess
import time
import unittest
import urllib.parse

import cli_test
import openapi
from account_api_test import AccountTest
from api_test import ApiTest, to_base64url
from cli_test import DONE
from vault_api_test import ec_jwk

OCTETS = to_base64url(b"0123456789abcdef")
DIGEST = to_base64url(hashlib.sha256(b"order").digest())


class Client:
    """Calls a service by its document, as a client does that was generated from it. The service looks at each answer: api_test.Service."""

    def __init__(self, test, service, document, version, **parameters):
        self.test, self.service, self.version, self.parameters = test, service, version, parameters
        self.document = document
        self.operations = document.operations()
        self.answered = set()

    def __call__(self, operation, body=None, status=200, query=None, **parameters):
        method, template, described = self.operations[operation]
        path = urllib.parse.quote(template.format(**self.parameters, **parameters))
        target = f"{path}?{urllib.parse.urlencode({'api-version': self.version, **(query or {})})}"
        got, answer, _ = self.service.call(method.upper(), target, body)
        self.test.assertEqual(got, status, (operation, answer))
        if got < 300:
            self.answered.add(operation)
            self.test.assertEqual(self.problems_of_request(described.get("requestBody", {}), body), [], operation)
        return answer

    def problems_of_request(self, described, body):
        if body is None:
            return ["there is no body"] if described.get("required") else []
        return self.document.problems(body, self.document.schema_in(described), sent=True) if described else ["there is a body"]

    def check_all_answered(self):
        self.test.assertEqual(set(self.operations) - self.answered, set())


class Checker(unittest.TestCase):
    """What looks at the answers of all these tests would find what is wrong with one."""

    KEY = {"key": {"kid": "https://v/keys/k/0", "kty": "EC", "key_ops": ["sign"]},
           "attributes": {"created": 1, "updated": 1, "recoverableDays": 90, "recoveryLevel": "Recoverable"}}

    def problems(self, status=200, method="GET", target="/keys/k?api-version=7.5", **changes):
        answer = copy.deepcopy(self.KEY)
        for path, value in changes.items():
            *steps, last = path.split("__")
            place = answer
            for step in steps:
                place = place[step]
            place[last] = value
        return openapi.problems(method, target, status, answer)

    def test_an_answer_as_the_document_has_it_is_good(self):
        self.assertEqual(self.problems(), [])
        self.assertEqual(self.problems(tags={"team": "edi"}, managed=True), [])
        self.assertEqual(openapi.problems("GET", "/nowhere", 404, {"error": {"code": "NotFound", "message": ""}}), [])

    def test_every_other_one_is_not(self):
        for changes in [{"more": 1}, {"key__more": 1}, {"key__d": "AA"}, {"key__kty": "oct"}, {"key__key_ops": ["fly"]}, {"key__key_ops": "sign"},
                        {"key__n": "a+b"}, {"attributes": {}}, {"attributes__exp": "soon"}, {"attributes__enabled": None}, {"managed": 1}, {"tags": {"a": 1}},
                        {"status": 201}, {"status": 204}, {"status": 400}, {"target": "/keys/k//sign", "method": "POST"}, {"target": "/nowhere"}]:
            with self.subTest(changes):
                self.assertTrue(self.problems(**changes))

    def test_a_request_may_lack_what_only_answers_have(self):
        schema = {"$ref": "#/components/schemas/Issuer"}
        self.assertEqual(openapi.VAULT.problems({"provider": "Test", "credentials": {"pwd": "p"}, "attributes": {}, "org_details": None}, schema, sent=True), [])
        self.assertTrue(openapi.VAULT.problems({"credentials": {}}, schema, sent=True))
        self.assertTrue(openapi.VAULT.problems({"provider": "Test", "more": 1}, schema, sent=True))


class Vault(ApiTest):
    def test_every_operation_answers_as_its_document_says(self):
        call = Client(self, self.vault, openapi.VAULT, "7.5")
        self.keys(call)
        self.secrets(call)
        self.certificates(call)
        call.check_all_answered()

    def keys(self, call):
        version = call("createKey", {"kty": "RSA", "key_size": 2048, "tags": {"team": "edi"}}, name="k")["key"]["kid"].rsplit("/", 1)[1]
        for suffix, which in [("", {}), ("Version", {"version": version})]:
            which = {"name": "k", **which}
            call("getKey" + suffix, **which)
            call("updateKey" + suffix, {"attributes": {"enabled": True, "exp": 4102444800}}, **which)
            signed = call("sign" + suffix, {"alg": "RS256", "value": DIGEST}, **which)["value"]
            self.assertTrue(call("verify" + suffix, {"alg": "RS256", "digest": DIGEST, "value": signed}, **which)["value"])
            for there, back in [("encrypt", "decrypt"), ("wrapKey", "unwrapKey")]:
                hidden = call(there + suffix, {"alg": "RSA-OAEP-256", "value": OCTETS}, **which)["value"]
                call(back + suffix, {"alg": "RSA-OAEP-256", "value": hidden}, **which)
        policy = {"lifetimeActions": [{"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Rotate"}}], "attributes": {"expiryTime": "P90D"}}
        call("setKeyRotationPolicy", policy, name="k")
        call("getKeyRotationPolicy", name="k")
        call("rotateKey", name="k")
        self.assertEqual(len(call("listKeyVersions", query={"maxresults": 1}, name="k")["value"]), 1)
        call("listKeys")
        call("importKey", {"Hsm": False, "key": ec_jwk()}, name="imported")
        self.life(call, "Key", "k")
        call("getKey", status=404, name="absent")
        call("createKey", {"kty": "oct"}, status=400, name="k")

    def life(self, call, kind, name):
        """Of what is deleted softly."""
        backup = call(f"backup{kind}", name=name)
        call(f"delete{kind}", name=name)
        call(f"listDeleted{kind}s")
        call(f"getDeleted{kind}", name=name)
        call(f"restore{kind}", backup, status=409)
        call(f"recoverDeleted{kind}", name=name)
        call(f"delete{kind}", name=name)
        call(f"purgeDeleted{kind}", status=204, name=name)
        call(f"restore{kind}", backup)

    def secrets(self, call):
        sent = {"value": "correct horse", "contentType": "text/plain", "attributes": {"nbf": 1}, "tags": {}}
        version = call("setSecret", sent, name="s")["id"].rsplit("/", 1)[1]
        for suffix, which in [("", {}), ("Version", {"version": version})]:
            call("getSecret" + suffix, name="s", **which)
            self.assertNotIn("value", call("updateSecret" + suffix, {"tags": {"team": "edi"}}, name="s", **which))
        call("listSecrets")
        call("listSecretVersions", name="s")
        self.life(call, "Secret", "s")

    def certificates(self, call):
        policy = {"issuer": {"name": "Self"}, "x509_props": {"subject": "CN=c", "sans": {}}, "key_props": {"kty": "EC", "crv": "P-256"}}
        call("createCertificate", {"policy": policy, "attributes": {"enabled": True}}, status=202, name="c")
        call("getCertificateOperation", name="c")
        version = call("getCertificate", name="c")["id"].rsplit("/", 1)[1]
        call("getCertificateVersion", name="c", version=version)
        call("updateCertificate", {"policy": {"x509_props": {"validity_months": 6}}}, name="c")
        call("updateCertificateVersion", {"tags": {"team": "edi"}}, name="c", version=version)
        call("updateCertificatePolicy", {"lifetime_actions": [{"trigger": {"days_before_expiry": 9}, "action": {"action_type": "EmailContacts"}}]}, name="c")
        call("getCertificatePolicy", name="c")
        call("getKey", name="c")
        call("getSecret", name="c")
        call("listCertificateVersions", name="c")
        self.merge(call, {**policy, "issuer": {"name": "Unknown"}})
        call("listCertificates", query={"includePending": "true"})
        pfx = subprocess.run(["openssl", "pkcs12", "-export", "-in", self.directory / "api.cer", "-inkey", self.directory / "api.key", "-passout", "pass:p"],
                             check=True, capture_output=True).stdout
        call("importCertificate", {"value": base64.b64encode(pfx).decode(), "pwd": "p"}, name="i")
        call("setCertificateContacts", {"contacts": [{"email": "a@example.org", "name": "A"}]})
        call("getCertificateContacts")
        call("deleteCertificateContacts")
        call("setCertificateIssuer", {"provider": "Test", "credentials": {"account_id": "a", "pwd": "p"},
                                      "org_details": {"id": "o", "admin_details": [{"email": "a@example.org"}]}}, name="ca")
        call("updateCertificateIssuer", {"credentials": {}, "attributes": {"enabled": False}}, name="ca")
        call("getCertificateIssuer", name="ca")
        call("listCertificateIssuers")
        call("deleteCertificateIssuer", name="ca")
        self.life(call, "Certificate", "c")

    def merge(self, call, policy):
        """One operation is cancelled, another completed."""
        call("createCertificate", {"policy": policy}, status=202, name="x")
        call("getCertificate", name="x")
        call("updateCertificateOperation", {"cancellation_requested": True}, name="x")
        call("deleteCertificateOperation", name="x")
        request = base64.b64decode(call("createCertificate", {"policy": policy}, status=202, name="m")["csr"])
        der = subprocess.run(["openssl", "x509", "-req", "-inform", "DER", "-CA", self.directory / "api.cer", "-CAkey", self.directory / "api.key", "-set_serial", "7",
                              "-days", "2", "-outform", "DER"], input=request, check=True, capture_output=True).stdout
        call("mergeCertificate", {"x5c": [base64.b64encode(der).decode()]}, status=201, name="m")


class Management(AccountTest):
    OPTIONS = ["--service-certificate", "signer", "www=as2.example.com"]

    def test_every_operation_answers_as_its_document_says(self):
        self.add_agreement()
        self.home.run("principal", "add", "all", "--roles", "Reader,Writer,Administrator,CertificateBinder,Approver,Auditor", expect=DONE)
        self.home.run("vault", "policy", "set", "--principal", "all", "--key-permissions", "get,list", expect=DONE)
        self.management.token = self.token_of("all")
        call = Client(self, self.management, openapi.MANAGEMENT, "2019-05-01", subscription=self.subscription, group="g")
        self.wait_until(lambda: self.management.call("GET", "/subscriptions?api-version=2022-12-01")[0] == 200)
        tenant = call("listSubscriptions")["value"][0]["tenantId"]
        self.the_account(call)
        self.the_life_cycle(call)
        self.entries(call)
        self.the_vaults(call, tenant)
        self.the_service_certificates(call)
        self.the_certificate_service(call)
        call.check_all_answered()

    def the_account(self, call):
        call("putIntegrationAccount", {"sku": {"name": "Standard"}, "properties": {"state": "Enabled"}}, account="ia")
        call("updateIntegrationAccount", {"tags": {"team": "edi"}}, account="ia")
        call("getIntegrationAccount", account="ia")
        call("listIntegrationAccounts")
        call("listIntegrationAccountsOfGroup")
        call("listCallbackUrl", {"keyType": "Primary"}, account="ia")
        call("regenerateAccessKey", {"keyType": "Secondary"}, account="ia")
        vault = {"keyVault": {"id": f"{self.vaults}/signet"}}
        self.wait_until(lambda: self.arm("POST", "/listKeyVaultKeys", vault, token=self.management.token)[0] == 200)
        call("listKeyVaultKeys", vault, account="ia")
        event = {"eventLevel": "Informational", "eventTime": "2026-11-28T08:00:00Z", "recordType": "Custom", "record": {"order": 7}}
        call("logTrackingEvents", {"sourceType": "Microsoft.Logic/workflows", "events": [event]}, account="ia")
        call("putIntegrationAccount", {}, status=409, account="other")
        call("deleteIntegrationAccount", status=409, account="ia")
        call("deleteIntegrationAccount", status=204, account="other")

    def entries(self, call):
        for kind, name in [("Agreement", "hg"), ("Certificate", "guest"), ("Partner", "guest")]:
            which = {"account": "ia", "name": name}
            call(f"put{kind}", call(f"get{kind}", **which), **which)
            self.assertEqual(len(call(f"list{kind}s", query={"$top": 1}, account="ia")["value"]), 1)
            if kind != "Certificate":
                call(f"get{kind}Content", **which)
                call(f"list{kind}ContentCallbackUrl", {}, **which)
            call(f"put{kind}", {"properties": {}}, status=400, **which)
            call(f"delete{kind}", **which)
            call(f"delete{kind}", status=204, **which)
            call(f"get{kind}", status=404, **which)

    def the_vaults(self, call, tenant):
        policy = {"tenantId": tenant, "objectId": "00000000-0000-0000-0000-000000000007", "permissions": {"keys": ["get", "list"], "secrets": ["all"]}}
        properties = {"tenantId": tenant, "sku": {"family": "A", "name": "standard"}, "accessPolicies": [policy], "createMode": "default"}
        call("checkVaultNameAvailability", {"name": "kv1", "type": "Microsoft.KeyVault/vaults"})
        call("putVault", {"location": "local", "properties": properties}, status=201, name="kv1")
        call("updateVault", {"tags": {"team": "edi"}, "properties": {"softDeleteRetentionInDays": 7}}, name="kv1")
        call("changeAccessPolicies", {"properties": {"accessPolicies": [policy]}}, name="kv1", kind="remove")
        call("getVault", name="kv1")
        call("listVaults")
        call("listVaultsOfGroup")
        call("listResources", query={"$filter": "resourceType eq 'Microsoft.KeyVault/vaults'"})
        call("deleteVault", name="kv1")
        call("deleteVault", status=204, name="kv1")
        call("checkVaultNameAvailability", {"name": "kv1"})
        call("listDeletedVaults")
        location = call("getDeletedVault", name="kv1", location="local")["properties"]["location"]
        call("putVault", {"location": location, "properties": properties}, status=409, name="kv1")
        call("putVault", {"location": location, "properties": {**properties, "createMode": "recover"}}, name="kv1")
        call("deleteVault", name="kv1")
        call("purgeDeletedVault", name="kv1", location="local")
        call("purgeDeletedVault", status=404, name="kv1", location="local")

    def the_life_cycle(self, call):
        """tests/integration/rollover_test.py has more of it."""
        self.assertTrue(call("listCertificateInventory")["value"])
        new = self.directory / "new.cer"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-subj", "/CN=guest", "-keyout", self.directory / "new.key",
                        "-out", new], check=True, capture_output=True)
        self.home.run("certificate", "add", "guest-2", new, expect=DONE)
        day = lambda number: time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + number * 86400))
        plan = {"certificate": "guest-2", "replaces": "guest", "useFrom": day(10), "retireAt": day(30)}
        call("planRollover", {**plan, "useFrom": day(40)}, status=400)
        call("planRollover", {**plan, "replaces": "nobody"}, status=404)
        which = {"agreement": "hg", "certificate": "guest-2"}
        call("planRollover", {**plan, "dryRun": True})
        call("planRollover", plan)
        call("getRollover", **which)
        self.assertEqual(len(call("listRollovers")["value"]), 1)
        call("completeRollover", {}, status=409, **which)
        call("advanceRollover", {"dryRun": True}, **which)
        call("cancelRollover", **which)
        call("cancelRollover", status=404, **which)
        call("planRollover", plan)
        for _ in ("use", "retire"):
            call("advanceRollover", {}, **which)
        call("completeRollover", {}, **which)
        self.the_certificate_exchanges(call)

    def the_certificate_exchanges(self, call):
        """tests/integration/cem_test.py has them as they come; here two lie in the store."""
        call("getCertificateExchange", status=404, exchange="0123456789")
        call("acceptCertificateExchange", {}, status=404, exchange="0123456789")
        exported = self.directory / "exchanging.xml"
        text = self.home.run("export", expect=DONE).out.replace("</agreement>", '<x:connection url="http://127.0.0.1:9/as2"/><x:certificateExchange enabled="true"/></agreement>')
        exported.write_text(text)
        self.home.run("apply", exported, expect=DONE)
        self.home.run("vault", "key", "create", "host-2", "--kind", "RSA-2048", expect=DONE)
        self.home.run("certificate", "create", "host-2", "--key", "host-2", "--common-name", "host", expect=DONE)
        days = lambda number: time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + number * 86400))
        call("planRollover", {"certificate": "host-2", "replaces": "host", "useFrom": days(10), "retireAt": days(30)})
        call("announceRollover", {}, status=400, agreement="hg", certificate="host-2")
        der = subprocess.run(["openssl", "x509", "-in", self.directory / "new.cer", "-outform", "DER"], check=True, capture_output=True).stdout
        with contextlib.closing(sqlite3.connect(self.home.path / "store" / "signet.db", timeout=30)) as database, database:
            database.execute("INSERT INTO partner_features VALUES ('hg', 'CEM')")
            for number in ("1", "2"):
                database.execute("INSERT INTO certificate_exchanges (id, origin, agreement, request_id, usages, certificate, thumbprint, message, created, created_by, state, "
                                 "decided_by, reason, name, use_from, retire_at, response, settled, told) VALUES (?, 'partner', 'hg', ?, 'digitalSignature', ?, ?, 'm', 1, '', "
                                 "'waiting', '', '', '', 0, 0, '', 1, '')", (number * 32, number, der, hashlib.sha256(der).hexdigest().upper()))
        call("announceRollover", {"respondBy": days(9)}, agreement="hg", certificate="host-2")
        call("announceRollover", {}, status=409, agreement="hg", certificate="host-2")
        self.assertEqual(len(call("listCertificateExchanges")["value"]), 3)
        call("getCertificateExchange", exchange="1" * 8)
        call("acceptCertificateExchange", {"certificate": "guest-3", "dryRun": True}, exchange="1" * 32)
        call("rejectCertificateExchange", {"reason": "not known to us"}, exchange="2" * 32)
        call("rejectCertificateExchange", {"reason": "not known to us"}, status=409, exchange="2" * 32)

    def the_service_certificates(self, call):
        """tests/integration/service_certificates_test.py has more of them; here none is bound."""
        self.assertEqual([one["name"] for one in call("listServiceCertificates")["value"]], ["signer", "www"])
        call("getServiceCertificate", name="www")
        call("getServiceCertificate", status=404, name="other")
        refused = call("bindServiceCertificates", {"bindings": [{"name": "www", "thumbprint": "00" * 32, "thumbprintAlgorithm": "sha256"}]}, status=400)
        self.assertEqual(refused["error"]["details"][0]["target"], "www")
        self.home.run("vault", "certificate", "create", "signer", "--subject", "CN=signer", "--issuer", "Self", expect=DONE)
        thumbprint = self.home.json("vault", "certificate", "show", "signer")["thumbprintSha256"]
        self.assertFalse(call("bindServiceCertificates", {"bindings": [{"name": "signer", "thumbprint": thumbprint}], "dryRun": True})["changed"])
        call("bindServiceCertificates", {"bindings": [{"name": "signer", "thumbprint": thumbprint}]})
        call("unbindServiceCertificate", status=204, name="signer")
        call("unbindServiceCertificate", status=404, name="signer")

    def the_certificate_service(self, call):
        """`all` asks, and another one who may do everything decides. tests/integration/certificate_service_test.py has the story."""
        self.home.run("principal", "add", "other", "--roles", "Reader,Writer,Administrator,Approver,Auditor", expect=DONE)
        decides = Client(self, self.service(self.management.port, self.management.host), openapi.MANAGEMENT, "2026-02-01")
        decides.service.token = self.token_of("other")
        self.groups_and_issuers(call)
        which = {"id": self.applications(call, decides)}
        self.certificate_requests(call, decides, which["id"])
        call("unregisterApplication", **which)
        call("removeApplication", status=204, **which)
        self.assertTrue(call("listAuditRecords", query={"operation": "approveRequest", "principal": "OTHER", "$top": 1})["value"])
        self.assertIn(b"approveRequest", call("exportAuditRecords"))
        call("listAuditRecords", status=400, query={"from": "yesterday"})
        call.answered |= decides.answered

    def groups_and_issuers(self, call):
        settings = {"subject": "CN=Plant CA,O=Acme", "issued": {"lifetimeMonths": 12, "keySize": 2048, "hashAlgorithm": "sha-256"},
                    "issuer": {"lifetimeMonths": 36, "keySize": 2048}}
        call("createCertificateGroup", {"name": "Plant", **settings}, status=201)
        call("createCertificateGroup", {"name": "plant", **settings}, status=409)
        call("createCertificateGroup", {"name": "Other", **settings, "crlDistributionPoint": "http://%servicehost%/crl"}, status=400)
        call("updateCertificateGroup", {"crlLifetimeDays": 3}, name="Plant")
        self.assertEqual(call("getCertificateGroup", name="Plant")["crlLifetimeDays"], 3)
        self.assertEqual(len(call("listCertificateGroups")["value"]), 1)
        serial = call("createGroupIssuer", status=201, name="Plant")["serialNumber"]
        for issuer in [serial, "active"]:
            self.assertTrue(call("getGroupIssuerCertificate", query={"format": "pem"}, name="Plant", serial=issuer).startswith(b"-----BEGIN CERTIFICATE"))
            call("getGroupIssuerCrl", name="Plant", serial=issuer)
        call("getGroupIssuerCrl", status=404, name="Plant", serial="00")
        self.assertEqual(call("renewGroupIssuerCrl", name="Plant", serial=serial)["number"], 2)
        self.assertEqual(len(call("listGroupIssuers", name="Plant")["value"]), 1)
        self.assertEqual(len(call("getTrustList", name="Plant")["trustedCrls"]), 1)
        self.subordinate(call, settings)

    def subordinate(self, call, settings):
        """An issuer whose certificate comes from elsewhere."""
        call("createCertificateGroup", {"name": "Below", **settings, "subject": "CN=Below"}, status=201)
        call("getGroupIssuerRequest", status=404, name="Below")
        call("requestGroupIssuer", status=201, name="Below")
        request = base64.b64decode(call("getGroupIssuerRequest", name="Below")["certificateRequest"])
        extensions = self.directory / "authority.cnf"
        extensions.write_text("basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,digitalSignature,keyCertSign,cRLSign\n"
                              "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "900", "-subj", "/CN=Root", "-keyout", self.directory / "root.key",
                        "-out", self.directory / "root.pem", "-addext", "keyUsage=critical,keyCertSign,cRLSign"], check=True, capture_output=True)
        signed = subprocess.run(["openssl", "x509", "-req", "-inform", "DER", "-CA", self.directory / "root.pem", "-CAkey", self.directory / "root.key",
                                 "-set_serial", "0x7777777777777777", "-days", "800", "-extfile", extensions], input=request, check=True, capture_output=True).stdout
        call("installGroupIssuer", {"certificates": signed.decode() + (self.directory / "root.pem").read_text()}, status=201, name="Below")
        call("installGroupIssuer", {"certificates": "no certificate"}, status=400, name="Below")

    def applications(self, call, decides):
        station = {"as2Name": "globex", "url": "https://as2.globex.example/as2", "purposes": ["sign", "encrypt"]}
        press = {"applicationUri": "urn:acme:press7", "applicationNames": [{"locale": "en", "text": "Press 7"}], "productUri": "urn:acme:press",
                 "applicationType": "server", "discoveryUrls": ["opc.tcp://press7.acme.example:4840"], "serverCapabilities": ["DA"]}
        rejected = call("registerApplication", station, status=201)["applicationId"]
        decides("rejectApplication", {"reason": "unknown"}, id=rejected)
        decides("approveApplication", status=409, id=rejected)
        made = call("registerApplication", press, status=201)["applicationId"]
        call("updateApplication", press, id=made)
        call("approveApplication", status=403, id=made)
        decides("approveApplication", id=made)
        self.assertEqual(call("getApplication", id=made)["approved"]["by"], "other")
        call("getApplication", status=404, id="00000000-0000-4000-8000-000000000000")
        page = call("listApplications", query={"state": "all", "$top": 1})
        self.assertIn("nextLink", page)
        self.assertEqual(len(call("listApplications", query={"applicationName": "Press%"})["value"]), 1)
        return made

    def certificate_requests(self, call, decides, application):
        key_pair = {"applicationId": application, "group": "Plant", "subject": "CN=Press 7", "domainNames": ["press7"], "privateKeyFormat": "PEM",
                    "privateKeyPassword": "correct horse battery"}
        of = {"query": {"applicationId": application}}
        first = {"id": call("requestKeyPair", key_pair, status=201)["requestId"]}
        call("getRequestCertificate", status=409, **first)
        call("approveCertificateRequest", status=403, **first)
        decides("approveCertificateRequest", **first)
        self.assertIn("privateKey", call("fetchCertificate", **of, **first))
        self.assertIn(b"ENCRYPTED PRIVATE KEY", call("getRequestPrivateKey", **of, **first))
        call("getRequestCertificate", query={"format": "base64"}, **first)
        call("acceptCertificateRequest", **first)
        call("acceptCertificateRequest", status=409, **first)
        call("getRequestPrivateKey", status=409, **of, **first)
        call("requestRevocation", {"reason": "superseded"}, **first)
        self.assertEqual(len(decides("revokeCertificateGroup", {"allIssuers": True}, name="Plant")["value"]), 1)
        request = subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", self.directory / "press.key", "-subj", "/CN=Press 7",
                                  "-addext", "subjectAltName=URI:urn:acme:press7,DNS:press7"], check=True, capture_output=True).stdout.decode()
        sign = {"applicationId": application, "group": "Plant", "certificateRequest": request}
        second, third = ({"id": call("requestSigning", sign, status=201)["requestId"]} for _ in range(2))
        decides("approveCertificateRequest", **second)
        decides("revokeCertificate", {"reason": "keyCompromise"}, **second)
        decides("revokeCertificate", {}, status=409, **second)
        decides("rejectCertificateRequest", {"reason": "once is enough"}, **third)
        call("removeCertificateRequest", **third)
        call("purgeCertificateRequest", status=204, **third)
        self.assertEqual(call("getCertificateRequest", **second)["state"], "Revoked")
        self.assertEqual(len(call("listCertificateRequests", query={"state": "Revoked", "group": "Plant"})["value"]), 2)
        self.assertEqual(len(call("listIssuedCertificates", query={"group": "Plant"})["value"]), 2)


if __name__ == "__main__":
    cli_test.main(__doc__)
