#!/usr/bin/env python3
"""The certificate service from outside: over REST, by the command, and where anybody gets what is published; openssl is the judge.

Usage: certificate_service_test.py --signet BINARY [TestClass...].
"""

import base64
import concurrent.futures
import hashlib
import http.client
import json
import re
import shutil
import sqlite3
import ssl
import subprocess
import unittest
import urllib.parse
import urllib.request

import cli_test
from api_test import ApiTest
from cli_test import DENIED, DONE, NOT_FOUND, REFUSED, USAGE, free_port

VERSION = "api-version=2026-02-01"
PASSWORD = "correct horse battery"
ISSUING = {"issued": {"lifetimeMonths": 12, "keySize": 2048}, "issuer": {"lifetimeMonths": 36, "keySize": 2048}}
STATION = {"as2Name": "globex", "url": "https://as2.globex.example/as2", "purposes": ["sign", "encrypt"]}
PRESS = {"applicationUri": "urn:acme:press7", "applicationNames": [{"locale": "en", "text": "Press 7"}], "productUri": "urn:acme:press",
         "applicationType": "server", "discoveryUrls": ["opc.tcp://press7.acme.example:4840"], "serverCapabilities": ["DA"]}


class ServiceTest(ApiTest):
    """A gateway that publishes at `self.publication`, and a principal for each role."""

    RATE = []

    ROLES = {"reader": "Reader", "writer": "Reader,Writer", "approver": "Reader,Approver", "admin": "Reader,Administrator", "auditor": "Auditor",
             "both": "Reader,Writer,Approver,Administrator"}

    def fill_home(self, home):
        super().fill_home(home)
        for name, roles in self.ROLES.items():
            self.add_principal(home, name, "--roles", roles)

    def setUp(self):
        self.port = free_port()
        self.publication = f"127.0.0.1:{self.port}"
        self.OPTIONS = ["--listen-publication", self.publication, "--publication-host", self.publication, *self.RATE]
        super().setUp()
        with open(self.home.path / "serve.toml", "a") as settings:  # for the command
            settings.write(f'\npublication-host = "{self.publication}"\n')
        self.tokens = {name: self.kept_token(name) for name in self.ROLES}
        self.answers = []  # of all calls, as octets

    # ---- Over REST

    def rest(self, who, method, path, body=None, status=200):
        """Returns the answer's JSON, or its octets. Its fields are `self.fields`."""
        body = {} if body is None and method in ("POST", "PUT", "PATCH") else body
        target = f"/certificateService{path}{'&' if '?' in path else '?'}{VERSION}"
        got, answer, self.fields = self.management.call(method, target, body, token=self.tokens[who])
        self.assertEqual(got, status, answer)
        self.answers.append(answer if isinstance(answer, bytes) else json.dumps(answer).encode())
        return answer

    def found_group(self, name="Plant", **settings):
        """Returns the issuer's certificate as PEM."""
        self.rest("admin", "POST", "/groups", {"name": name, "subject": f"CN={name} CA,O=Acme", **ISSUING, **settings}, status=201)
        return self.pem(self.rest("admin", "POST", f"/groups/{name}/issuers/create", status=201)["certificate"])

    def approved_application(self, description):
        made = self.rest("writer", "POST", "/applications", description, status=201)["applicationId"]
        return self.rest("admin", "POST", f"/applications/{made}/approve")["applicationId"]

    def requested_pair(self, application, who="writer", **changes):
        return self.rest(who, "POST", "/requests/keyPair", {"applicationId": application, "group": "Plant", "subject": "CN=Press 7", "privateKeyPassword": PASSWORD,
                                                            **changes}, status=201)["requestId"]

    def issued(self, application, **changes):
        """Returns the request's id and the certificate as PEM."""
        request = self.requested_pair(application, **changes)
        return request, self.pem(self.rest("approver", "POST", f"/requests/{request}/approve")["certificate"]["certificate"])

    # ---- openssl

    def pem(self, certificate):
        return f"-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n"

    def openssl(self, *arguments, given=None, expect=0):
        done = subprocess.run(["openssl", *map(str, arguments)], input=given, capture_output=True, cwd=self.directory)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")

    def file(self, name, content):
        path = self.directory / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def verify(self, certificate, issuer, expect=0):
        """With the CRL from where the certificate says that it is."""
        leaf, authority = self.file("leaf.pem", certificate), self.file("issuer.pem", issuer)
        text = self.openssl("x509", "-in", leaf, "-noout", "-text")
        url = re.search(r"URI:(http://\S+\.crl)", text)[1]
        crl = self.file("crl.pem", self.openssl("crl", "-inform", "DER", "-in", self.file("crl.der", self.get(url))))
        return self.openssl("verify", "-x509_strict", "-crl_check", "-CAfile", authority, "-CRLfile", crl, leaf, expect=expect)

    def ocsp(self, certificate, issuer):
        leaf, authority = self.file("leaf.pem", certificate), self.file("issuer.pem", issuer)
        url = re.search(r"OCSP - URI:(\S+)", self.openssl("x509", "-in", leaf, "-noout", "-text"))[1]
        return self.openssl("ocsp", "-issuer", authority, "-cert", leaf, "-url", url, "-CAfile", authority)

    # ---- What is published

    def get(self, url):
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.read()

    def ask(self, method, target, body=None, **fields):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, target, body, {name.replace("_", "-"): value for name, value in fields.items()})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    # ---- The command

    def run_as(self, who, *arguments, expect=DONE):
        return self.home.json("authority", *arguments, "--as", who, expect=expect)


class Story(ServiceTest):
    def test_a_key_pair_from_its_request_to_its_revocation(self):
        issuer = self.found_group()
        application = self.approved_application(PRESS)
        request = self.requested_pair(application)
        self.assertEqual(self.rest("reader", "GET", f"/requests/{request}")["state"], "New")
        approved = self.rest("approver", "POST", f"/requests/{request}/approve")
        self.assertEqual((approved["state"], approved["submitted"]["by"], approved["approved"]["by"]), ("Approved", "writer", "approver"))
        certificate = self.pem(approved["certificate"]["certificate"])
        self.assertIn("OK", self.verify(certificate, issuer))
        self.assertIn("URI:urn:acme:press7", self.openssl("x509", "-in", "leaf.pem", "-noout", "-text"))

        pfx = self.rest("writer", "GET", f"/requests/{request}/privateKey?applicationId={application}")
        name = f"Press 7 [{approved['certificate']['thumbprint']}].pfx"
        self.assertIn(f'filename="{name}"', self.fields["Content-Disposition"])
        self.assertEqual(self.fields["Content-Type"], "application/x-pkcs12")
        shown = self.openssl("pkcs12", "-in", self.file("press.pfx", pfx), "-passin", f"pass:{PASSWORD}", "-nodes")
        self.assertIn("PRIVATE KEY", shown)
        self.assertEqual(shown.count("BEGIN CERTIFICATE"), 2)
        self.openssl("pkcs12", "-in", "press.pfx", "-passin", "pass:another password", "-nodes", expect=1)
        self.rest("reader", "GET", f"/requests/{request}/privateKey?applicationId={application}", status=403)
        self.rest("writer", "GET", f"/requests/{request}/privateKey?applicationId={request}", status=404)

        self.rest("writer", "POST", f"/requests/{request}/accept")
        self.rest("writer", "GET", f"/requests/{request}/privateKey?applicationId={application}", status=409)
        self.assertNotIn("privateKey", self.rest("writer", "GET", f"/requests/{request}/fetch?applicationId={application}"))
        self.assertIn("good", self.ocsp(certificate, issuer))

        self.rest("writer", "POST", f"/requests/{request}/revoke", {"reason": "keyCompromise"}, status=403)
        revoked = self.rest("approver", "POST", f"/requests/{request}/revoke", {"reason": "keyCompromise"})
        self.assertEqual((revoked["state"], revoked["revocationReason"], revoked["revoked"]["by"]), ("Revoked", "keyCompromise", "approver"))
        self.assertIn("certificate revoked", self.verify(certificate, issuer, expect=2))
        self.assertIn("Key Compromise", self.openssl("crl", "-in", "crl.pem", "-noout", "-text"))
        answer = self.ocsp(certificate, issuer)
        self.assertIn("revoked", answer)
        self.assertIn("keyCompromise", answer)
        self.rest("approver", "POST", f"/requests/{request}/revoke", status=409)

    def test_a_csr_of_a_station_that_keeps_its_key(self):
        issuer = self.found_group(certificateType="As2CertificateType")
        application = self.approved_application(STATION)
        request = self.openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "globex.key", "-subj", "/CN=Globex AS2",
                               "-addext", "subjectAltName=DNS:as2.globex.example", "-out", "globex.csr")
        request = (self.directory / "globex.csr").read_text()
        made = self.rest("writer", "POST", "/requests/sign", {"applicationId": application, "group": "Plant", "certificateRequest": request}, status=201)["requestId"]
        self.rest("approver", "POST", f"/requests/{made}/approve")
        for form, begin in [("der", b"0\x82"), ("pem", b"-----BEGIN CERTIFICATE"), ("base64", b"MII")]:
            octets = self.rest("reader", "GET", f"/requests/{made}/certificate?format={form}")
            self.assertTrue(octets.startswith(begin), form)
        self.rest("reader", "GET", f"/requests/{made}/certificate?format=jpeg", status=400)
        certificate = base64.b64decode(octets)
        leaf = self.openssl("x509", "-inform", "DER", "-in", self.file("globex.der", certificate))
        self.assertIn("OK", self.verify(leaf, issuer))
        public = self.openssl("pkey", "-in", "globex.key", "-pubout")
        self.assertEqual(self.openssl("x509", "-in", "leaf.pem", "-noout", "-pubkey"), public)
        self.rest("writer", "GET", f"/requests/{made}/privateKey?applicationId={application}", status=409)

    def test_nobody_decides_about_what_he_asked_for(self):
        self.found_group()
        own = self.rest("both", "POST", "/applications", PRESS, status=201)["applicationId"]
        self.rest("both", "POST", f"/applications/{own}/approve", status=403)
        self.rest("admin", "POST", f"/applications/{own}/approve")
        request = self.requested_pair(own, who="both")
        for verb, body in [("approve", {}), ("reject", {"reason": "x"})]:
            self.assertEqual(self.rest("both", "POST", f"/requests/{request}/{verb}", body, status=403)["error"]["code"], "AuthorizationFailed")
        self.assertEqual(self.rest("reader", "GET", f"/requests/{request}")["state"], "New")
        rejected = self.rest("approver", "POST", f"/requests/{request}/reject", {"reason": "wrong host"})
        self.assertEqual((rejected["state"], rejected["reason"]), ("Rejected", "wrong host"))
        self.rest("approver", "POST", f"/requests/{request}/approve", status=409)
        waiting = self.rest("writer", "POST", "/applications", {**PRESS, "applicationUri": "urn:acme:press8"}, status=201)["applicationId"]
        self.rest("writer", "POST", "/requests/keyPair", {"applicationId": waiting, "group": "Plant", "subject": "CN=x", "privateKeyPassword": PASSWORD}, status=409)

    def test_a_password_is_in_no_answer_no_record_and_no_file(self):
        self.found_group()
        application = self.approved_application(PRESS)
        request, _ = self.issued(application)
        self.rest("writer", "GET", f"/requests/{request}/fetch?applicationId={application}")
        self.rest("reader", "GET", f"/requests/{request}")
        self.rest("writer", "POST", "/requests/keyPair", {"applicationId": application, "group": "Plant", "subject": 5, "privateKeyPassword": PASSWORD}, status=400)
        self.assertTrue(any(request.encode() in answer for answer in self.answers))
        for answer in self.answers:
            self.assertNotIn(PASSWORD.encode(), answer)
        files = [file for file in self.home.path.rglob("*") if file.is_file()]
        self.assertTrue(any(request.encode() in file.read_bytes() for file in files), "what came with it is there, so the search would find it")
        for file in files:
            self.assertNotIn(PASSWORD.encode(), file.read_bytes(), file)
        self.assertNotIn(PASSWORD, self.home.log.read_text())

    def test_an_issuer_that_was_renewed_stays_where_it_was(self):
        first = self.found_group()
        application = self.approved_application(PRESS)
        _, old = self.issued(application)
        second = self.pem(self.rest("admin", "POST", "/groups/Plant/issuers/create", status=201)["certificate"])
        _, new = self.issued(application)
        self.assertIn("OK", self.verify(old, first))
        self.assertIn("OK", self.verify(new, second))
        trusted = self.rest("reader", "GET", "/groups/Plant/trustList")
        self.assertEqual((len(trusted["trustedCertificates"]), len(trusted["trustedCrls"])), (2, 2))
        self.assertEqual([issuer["active"] for issuer in self.rest("reader", "GET", "/groups/Plant/issuers")["value"]], [True, False])


class Audit(ServiceTest):
    def records(self, who="auditor", status=200, **query):
        target = f"/auditRecords?{urllib.parse.urlencode(query)}&{VERSION}"
        got, answer, _ = self.management.call("GET", target, token=self.tokens[who])
        self.assertEqual(got, status, answer)
        return answer

    def test_an_auditor_sees_who_did_what_and_nobody_else_does(self):
        self.found_group()
        request, _ = self.issued(self.approved_application(PRESS))
        self.rest("writer", "POST", f"/requests/{request}/approve", status=403)
        entry, = self.records(operation="approveRequest")["value"]
        self.assertEqual((entry["record"]["principal"], entry["record"]["result"]), ("approver", "success"))
        self.assertIn(request, json.dumps(entry))
        self.assertEqual(self.records(principal="WRITER", object=request)["value"][0]["record"]["principal"], "writer")
        for who in ["reader", "writer", "approver", "admin", "both"]:
            self.records(who, status=403)
        self.rest("auditor", "GET", "/groups", status=403)

    def test_pages_hold_every_line_once(self):
        self.found_group()
        lines, target = [], f"/auditRecords?$top=3&{VERSION}"
        while target:
            got, answer, _ = self.management.call("GET", target, token=self.tokens["auditor"])
            self.assertEqual(got, 200, answer)
            lines += [entry["line"] for entry in answer["value"]]
            target = answer.get("nextLink", "").removeprefix(self.management.origin)
            if len(lines) > 30:
                break
        self.assertGreater(len(lines), 3, "more than a page")
        self.assertEqual(lines, list(range(1, len(lines) + 1)))

    def test_the_export_is_the_log_and_its_chain_holds(self):
        got, log, fields = self.management.call("GET", f"/auditRecords/export?{VERSION}", token=self.tokens["auditor"])
        self.assertEqual((got, fields["Content-Type"]), (200, "application/x-ndjson"))
        self.assertTrue((self.home.path / "audit.log").read_bytes().startswith(log))
        lines = log.decode().splitlines()
        self.assertGreater(len(lines), 1)
        for before, line in zip(lines, lines[1:]):
            self.assertEqual(json.loads(line)["previous"], hashlib.sha256(before.encode()).hexdigest())
        self.home.run("audit", "export", "--file", self.directory / "audit.copy", "--as", "auditor", expect=DONE)
        self.assertTrue((self.directory / "audit.copy").read_bytes().startswith(log))
        self.home.run("audit", "export", "--file", self.directory / "none", "--as", "admin", expect=DENIED)
        self.assertFalse((self.directory / "none").exists())
        found = self.home.json("audit", "list", "--principal", "operator", "--limit", "2", "--as", "auditor")
        self.assertEqual(len(found["value"]), 2)
        self.home.run("audit", "verify", expect=DONE)


class Published(ServiceTest):
    RATE = ["--publication-requests-per-second", "10000"]

    def setUp(self):
        super().setUp()
        self.issuer = self.found_group()
        self.serial = self.rest("reader", "GET", "/groups/Plant/issuers")["value"][0]["serialNumber"]

    def test_a_crl_is_there_from_the_first_moment(self):
        status, der, fields = self.ask("GET", f"/certs/crl/{self.serial}/Plant.crl")
        self.assertEqual((status, fields["Content-Type"]), (200, "application/pkix-crl"))
        text = self.openssl("crl", "-inform", "DER", "-in", self.file("crl.der", der), "-noout", "-text", "-CAfile", self.file("issuer.pem", self.issuer))
        self.assertIn("verify OK", text)
        self.assertIn("No Revoked Certificates", text)
        self.assertRegex(fields["Cache-Control"], r"^max-age=\d+, public")
        self.assertEqual(self.ask("GET", f"/certs/crl/{self.serial}/Plant.crl", If_None_Match=fields["ETag"])[0], 304)
        status, body, head = self.ask("HEAD", f"/certs/crl/{self.serial.lower()}/plant.crl")
        self.assertEqual((status, body, head["Content-Length"]), (200, b"", str(len(der))))
        status, der, fields = self.ask("GET", f"/certs/issuer/{self.serial}/Plant.cer")
        self.assertEqual((status, fields["Content-Type"]), (200, "application/pkix-cert"))
        self.assertEqual(self.openssl("x509", "-inform", "DER", "-in", self.file("issuer.der", der)), self.openssl("x509", "-in", "issuer.pem"))

    def test_no_page_of_another_origin_may_read_anything(self):
        origin = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
        answers = [self.ask(method, target, **{name.replace("-", "_"): value for name, value in origin.items()}) for target in [f"/certs/crl/{self.serial}/Plant.crl", f"/certs/issuer/{self.serial}/Plant.cer", "/ocsp", "/"]
                   for method in ["GET", "OPTIONS"]]
        for method in ["GET", "OPTIONS"]:
            answers.append(self.management.call(method, f"/certificateService/groups?{VERSION}", token=self.tokens["reader"], headers=origin))
        for _, _, fields in answers:
            self.assertEqual([name for name in fields if name.lower().startswith("access-control-")], [])

    def test_nothing_else_is(self):
        for target in ["/", "/certs/crl/", f"/certs/crl/{self.serial}/Other.crl", "/certs/crl/00/Plant.crl", "/certificateService/groups?" + VERSION,
                       "/as2", "/metrics", "/health", "/subscriptions", "/auditRecords", "/.well-known/est/cacerts"]:
            for method in ["GET", "POST", "PUT"]:
                status, body, fields = self.ask(method, target, Authorization=f"Bearer {self.tokens['admin']}")
                self.assertIn(status, (404, 405), (method, target))
                self.assertNotIn("WWW-Authenticate", fields)
        self.assertEqual(self.ask("POST", "/ocsp", b"x" * 5000, Content_Type="application/ocsp-request")[0], 413)
        self.assertEqual(self.ask("POST", "/ocsp", b"x", Content_Type="text/plain")[0], 415)

    def test_ocsp_by_get_is_the_same_as_by_post_and_signed_once(self):
        _, certificate = self.issued(self.approved_application(PRESS))
        leaf, issuer = self.file("leaf.pem", certificate), self.file("issuer.pem", self.issuer)
        self.openssl("ocsp", "-issuer", issuer, "-cert", leaf, "-reqout", "request.der", "-no_nonce")
        request = (self.directory / "request.der").read_bytes()
        posted = self.ask("POST", "/ocsp", request, Content_Type="application/ocsp-request")
        self.assertEqual((posted[0], posted[2]["Content-Type"]), (200, "application/ocsp-response"))
        got = self.ask("GET", "/ocsp/" + urllib.parse.quote(base64.b64encode(request).decode(), safe=""))
        self.assertEqual(got[1], posted[1])
        signatures = self.signatures()
        for _ in range(20):
            self.assertEqual(self.ask("POST", "/ocsp", request, Content_Type="application/ocsp-request")[1], posted[1])
        self.assertEqual(self.signatures(), signatures)
        self.file("response.der", posted[1])
        self.assertIn("leaf.pem: good", self.openssl("ocsp", "-issuer", issuer, "-cert", leaf, "-respin", "response.der", "-CAfile", issuer))

    def test_ocsp_signs_nothing_about_serials_that_were_never_issued(self):
        issuer = self.file("issuer.pem", self.issuer)
        before = self.signatures()
        for serial in range(1, 20):
            self.openssl("ocsp", "-issuer", issuer, "-serial", serial, "-reqout", "request.der")
            status, answer, fields = self.ask("POST", "/ocsp", (self.directory / "request.der").read_bytes(), Content_Type="application/ocsp-request")
            self.assertEqual((status, answer, fields["Cache-Control"]), (200, bytes.fromhex("30030a0106"), "no-store"))  # unauthorized
        self.assertEqual(self.ask("POST", "/ocsp", b"nonsense", Content_Type="application/ocsp-request")[1], bytes.fromhex("30030a0101"))
        self.assertEqual(self.signatures(), before)

    def signatures(self):
        """How often the vault has signed for the certificate service."""
        return sum(record["operation"] == "sign" and record["principal"] == "authority" for record in self.audit())

    def test_lists_are_made_anew_in_time(self):
        def number():
            self.file("crl.der", self.ask("GET", f"/certs/crl/{self.serial}/Plant.crl")[1])
            return int(re.search(r"CRL Number: *(\d+|0x[0-9A-F]+)", self.openssl("crl", "-inform", "DER", "-in", "crl.der", "-noout", "-text").replace("\n", " "))[1], 0)
        self.assertEqual(number(), 1)
        self.home.stop()
        with sqlite3.connect(self.home.path / "store" / "signet.db") as database:
            self.assertEqual(database.execute("UPDATE authority_crls SET this_update = this_update - 4 * 86400000000, next_update = next_update - 4 * 86400000000").rowcount, 1)
        self.home.start(*self.OPTIONS)
        self.wait_until(lambda: number() == 2)


class Throttled(ServiceTest):
    RATE = ["--publication-requests-per-second", "1"]

    def test_an_address_that_asks_too_often_waits(self):
        answers = [self.ask("GET", "/certs/crl/00/Plant.crl") for _ in range(6)]
        self.assertEqual([status for status, _, _ in answers[:2]], [404, 404])
        self.assertEqual(answers[-1][0], 429)
        self.assertGreaterEqual(int(answers[-1][2]["Retry-After"]), 1)


class EstTest(ServiceTest):
    """A listener for enrolment, and an approved application."""

    GROUP = []

    def setUp(self):
        self.est_port = free_port()
        self.RATE = ["--listen-est", f"127.0.0.1:{self.est_port}", *self.GROUP]
        super().setUp()
        self.issuer = self.found_group()
        self.application = self.approved_application(PRESS)

    def restart(self):
        self.home.stop()
        self.start()

    def call(self, method, path, body=None, user=None, identity=None, **fields):
        context = ssl.create_default_context(cafile=str(self.directory / "api.cer"))
        if identity:
            context.load_cert_chain(*identity)
        if user:
            fields["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
        connection = http.client.HTTPSConnection("localhost", self.est_port, context=context, timeout=60)
        try:
            connection.request(method, f"/.well-known/est/{path}", body, {name.replace("_", "-"): value for name, value in fields.items()})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def request(self, name="press", subject="/CN=Press 7", uri="urn:acme:press7", key=None, hosts=("press7.acme.example",)):
        """Returns the PKCS#10 request in base64; the key is in NAME.key."""
        new = ["-key", key] if key else ["-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key"]
        self.openssl("req", "-new", *new, "-subj", subject, "-addext", "subjectAltName=" + ",".join([f"URI:{uri}", *(f"DNS:{host}" for host in hosts)]), "-outform", "DER", "-out", f"{name}.csr")
        return base64.encodebytes((self.directory / f"{name}.csr").read_bytes())

    def enroll(self, request, operation="simpleenroll", user=None, **options):
        return self.call("POST", f"Plant/{operation}", request, user=user or f"writer:{self.tokens['writer']}", Content_Type="application/pkcs10",
                         Content_Transfer_Encoding="base64", **options)

    def certificates(self, octets):
        text = self.openssl("pkcs7", "-inform", "DER", "-in", self.file("answer.p7", base64.b64decode(octets)), "-print_certs")
        return re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", text, re.S)

    def waiting(self):
        return [request["requestId"] for request in self.rest("reader", "GET", "/requests?state=New")["value"]]


class Est(EstTest):
    def test_a_device_enrols_and_enrols_again(self):
        status, octets, fields = self.call("GET", "Plant/cacerts")
        self.assertEqual((status, fields["Content-Type"], fields["Content-Transfer-Encoding"]), (200, "application/pkcs7-mime", "base64"))
        self.assertEqual([certificate.strip() for certificate in self.certificates(octets)], [self.openssl("x509", "-in", self.file("issuer.pem", self.issuer)).strip()])
        request = self.request()
        for _ in range(3):
            status, _, fields = self.enroll(request)
            self.assertEqual((status, fields["Retry-After"]), (202, "30"))
        waiting, = self.waiting()
        self.rest("approver", "POST", f"/requests/{waiting}/approve")
        status, octets, fields = self.enroll(request)
        self.assertEqual((status, fields["Content-Type"]), (200, "application/pkcs7-mime; smime-type=certs-only"))
        certificate, = self.certificates(octets)
        self.assertIn("OK", self.verify(certificate, self.issuer))
        self.assertEqual(self.rest("reader", "GET", f"/requests/{waiting}")["state"], "Accepted")
        self.assertEqual(self.certificates(self.enroll(request)[1]), [certificate])

        identity = (self.file("press.pem", certificate), self.directory / "press.key")
        again = self.request("next")
        self.assertEqual(self.call("POST", "Plant/simpleenroll", again, identity=identity, Content_Type="application/pkcs10")[0], 401)
        reenroll = lambda body: self.call("POST", "Plant/simplereenroll", body, identity=identity, Content_Type="application/pkcs10")
        self.assertEqual(reenroll(self.request("other", key="next.key", subject="/CN=Press 8"))[0], 403)
        self.assertEqual(reenroll(self.request("other", key="next.key", uri="urn:acme:press8"))[0], 403)
        self.assertEqual(reenroll(self.request("other", key="next.key", hosts=[]))[0], 403)
        self.assertEqual(reenroll(self.request("other", key="next.key", hosts=["press7.acme.example", "more.acme.example"]))[0], 403)
        self.assertEqual(reenroll(again)[0], 202)
        waiting, = self.waiting()
        self.assertRegex(self.rest("reader", "GET", f"/requests/{waiting}")["submitted"]["by"], "^est:[0-9A-F]+$")
        self.rest("approver", "POST", f"/requests/{waiting}/approve")
        self.assertEqual(len(self.certificates(reenroll(again)[1])), 1)
        others = [self.request(f"other{at}") for at in range(3)]
        self.assertEqual([reenroll(other)[0] for other in others], [202, 202, 409])
        self.assertEqual(reenroll(others[0])[0], 202)
        first, second = (request["requestId"] for request in self.rest("reader", "GET", "/requests?state=Accepted")["value"])
        self.rest("approver", "POST", f"/requests/{first}/revoke", {"reason": "superseded"})
        self.assertEqual(reenroll(others[0])[0], 401)
        self.rest("writer", "POST", f"/requests/{second}/requestRevocation", {"reason": "superseded"})
        identity = (self.file("next.pem", self.pem(self.rest("reader", "GET", f"/requests/{second}")["certificate"]["certificate"])), self.directory / "next.key")
        self.assertEqual(reenroll(others[0])[0], 401)

    def test_what_is_refused(self):
        request = self.request()
        for user in ["writer:sgt_wrong", f"admin:{self.tokens['writer']}", "writer:", "x"]:
            status, _, fields = self.enroll(request, user=user)
            self.assertEqual((status, fields["WWW-Authenticate"]), (401, 'Basic realm="est", charset="UTF-8"'), user)
        self.assertEqual(self.call("POST", "Plant/simpleenroll", request, Content_Type="application/pkcs10")[0], 401)
        self.assertEqual(self.enroll(request, user=f"reader:{self.tokens['reader']}")[0], 403)
        self.assertEqual(self.enroll(self.request("x", uri="urn:acme:unknown"))[0], 403)
        self.assertEqual(self.enroll(b"no request")[0], 400)
        self.assertEqual(self.call("POST", "Plant/simpleenroll", request, user=f"writer:{self.tokens['writer']}", Content_Type="text/plain")[0], 415)
        self.assertEqual(self.enroll(b"A" * 200000)[0], 413)
        for path in ["cacerts", "Other/cacerts", "Plant", "Plant/csrattrs", "Plant/serverkeygen", "Plant/cacerts/x"]:
            self.assertEqual(self.call("GET", path)[0], 404, path)
        self.assertEqual(self.call("POST", "Plant/cacerts", b"")[0], 405)
        self.assertEqual(self.waiting(), [])
        self.assertEqual(self.enroll(request)[0], 202)
        self.rest("approver", "POST", f"/requests/{self.waiting()[0]}/reject", {"reason": "wrong device"})
        for restart in [False, False, True]:
            if restart:
                self.restart()
            status, text, _ = self.enroll(request)
            self.assertEqual(status, 403)
            self.assertIn(b"wrong device", text)
        self.assertEqual(self.waiting(), [])

    def test_polls_at_once_make_one_request(self):
        request = self.request()
        with concurrent.futures.ThreadPoolExecutor(8) as several:
            self.assertEqual({status for status, _, _ in several.map(self.enroll, [request] * 8)}, {202})
        self.assertEqual(len(self.waiting()), 1)


class StrongSwan(EstTest):
    """It knows no labels."""

    GROUP = ["--est-group", "Plant"]

    def test_paths_without_a_label_are_of_that_group(self):
        self.assertEqual(self.call("GET", "cacerts")[0], 200)
        self.assertEqual(self.call("GET", "csrattrs")[0], 404)

    @unittest.skipUnless(shutil.which("pki"), "strongswan-pki is not installed")
    def test_strongswan_waits_for_the_approval(self):
        self.request()
        command = ["pki", "--est", "--url", f"https://localhost:{self.est_port}", "--in", "press.csr", "--cacert", "api.cer", "--cacert", self.file("issuer.pem", self.issuer),
                   "--userpass", f"writer:{self.tokens['writer']}", "--interval", "1", "--maxpolltime", "60", "--outform", "pem"]
        client = subprocess.Popen([str(word) for word in command], cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(client.kill)
        self.wait_until(lambda: self.waiting() or client.poll() is not None)
        if client.poll() is None:
            self.rest("approver", "POST", f"/requests/{self.waiting()[0]}/approve")
        out, err = client.communicate(timeout=120)
        self.assertEqual(client.returncode, 0, err)
        self.assertIn("OK", self.verify(out.decode(), self.issuer))


class Command(ServiceTest):
    def test_the_whole_story(self):
        self.run_as("admin", "group", "create", "Plant", "--type", "As2CertificateType", "--subject", "CN=Plant CA,O=Acme", "--months", "12", "--key-size", "2048",
                    "--issuer-months", "36", "--issuer-key-size", "2048")
        group = self.run_as("admin", "group", "set", "Plant", "--crl-days", "3")
        self.assertEqual(group["crlDistributionPoint"], f"http://{self.publication}/certs/crl/%serial%/%group%.crl")
        issuer = self.pem(self.run_as("admin", "issuer", "create", "Plant")["certificate"])
        application = self.run_as("writer", "application", "register", "--as2-name", "globex", "--url", STATION["url"], "--purpose", "sign",
                                  "--purpose", "encrypt")["applicationId"]
        self.run_as("admin", "application", "approve", application)
        password = self.file("pass.txt", PASSWORD + "\n")
        request = self.run_as("writer", "request", "key-pair", "--application", application, "--group", "Plant", "--subject", "CN=Globex", "--format", "PEM",
                              "--password-file", password)["requestId"]
        self.run_as("writer", "request", "approve", request, expect=DENIED)
        certificate = self.pem(self.run_as("approver", "request", "approve", request)["certificate"]["certificate"])
        self.assertIn("OK", self.verify(certificate, issuer))
        out = self.directory / "out"
        out.mkdir()
        files = self.run_as("writer", "request", "fetch", request, "--application", application, "--to", out)["files"]
        self.assertEqual(len(files), 3)
        key = next(file for file in out.iterdir() if file.suffix == ".pem")
        self.assertRegex(key.name, r"^Globex \[[0-9A-F]{40}\]\.pem$")
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        self.openssl("pkey", "-in", key, "-passin", f"pass:{PASSWORD}", "-noout")
        self.run_as("writer", "request", "accept", request)
        self.run_as("approver", "revoke", request, "--reason", "superseded")
        self.run_as("approver", "revoke", request, expect=REFUSED)
        self.assertIn("certificate revoked", self.verify(certificate, issuer, expect=2))
        trusted = self.directory / "trusted"
        trusted.mkdir()
        self.assertEqual(len(self.run_as("reader", "trust-list", "Plant", "--to", trusted)["files"]), 2)
        self.assertEqual([item["state"] for item in self.run_as("reader", "request", "list", "--state", "Revoked")["value"]], ["Revoked"])
        self.assertEqual(len(self.run_as("reader", "issued")), 1)
        acted = [record for record in self.audit() if record["operation"] == "actAs"]
        self.assertEqual({record["principal"] for record in acted}, {"operator"})
        self.assertIn("approver", {record["subject"] for record in acted})

    def test_refusals_have_their_exit_codes(self):
        self.run_as("nobody", "group", "list", expect=NOT_FOUND)
        self.run_as("reader", "group", "create", "Plant", "--subject", "CN=x", expect=DENIED)
        self.run_as("reader", "group", "show", "Plant", expect=NOT_FOUND)
        self.run_as("admin", "group", "create", "no good", "--subject", "CN=x", expect=USAGE)
        self.run_as("admin", "group", "create", "Plant", "--subject", "CN=x", "--hash", "md5", expect=USAGE)
        self.run_as("reader", "request", "show", "no-guid", expect=NOT_FOUND)
        self.home.run("principal", "set", "reader", "--disable", expect=DONE)
        self.run_as("reader", "group", "list", expect=DENIED)
        self.home.run("authority", "group", "list", expect=USAGE)


if __name__ == "__main__":
    cli_test.main(__doc__)
