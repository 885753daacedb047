#!/usr/bin/env python3
"""The REST services of a running gateway, over TLS, as any HTTP client sees them.

Usage: api_test.py --signet BINARY [TestClass...].
"""

import base64
import hashlib
import http.client
import json
import socket
import ssl
import subprocess

import cli_test
import openapi
from cli_test import DONE, NOT_FOUND, REFUSED, USAGE, CommandTest, wait_until

VERSION = "api-version=7.5"


def to_base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Service:
    """One origin of the REST services, and how it is called."""

    def __init__(self, port, host, authorities, token=None):
        self.port, self.host, self.token = port, host, token
        self.context = ssl.create_default_context(cafile=str(authorities))

    @property
    def origin(self):
        return f"https://{self.host}:{self.port}"

    def call(self, method, target, body=None, token=True, headers=None):
        """Returns the status, the JSON of the body (or the octets of a file) and the fields, if they are what the documents say."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=60)
        # The name that is verified, and asked for, is the service's; the address is the loopback.
        connection._create_connection = lambda address, *rest: socket.create_connection(("127.0.0.1", self.port), 60)
        connection.host = self.host
        try:
            fields = {"Host": f"{self.host}:{self.port}", **(headers or {})}
            if token is True and self.token:
                fields["Authorization"] = f"Bearer {self.token}"
            elif isinstance(token, str):
                fields["Authorization"] = f"Bearer {token}"
            if isinstance(body, (dict, list)):
                body = json.dumps(body).encode()
            if body is not None:
                fields.setdefault("Content-Type", "application/json")
            connection.request(method, target, body, fields)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        is_file = bool(text) and not response.headers["Content-Type"].startswith("application/json")
        answer = text if is_file else json.loads(text) if text else None
        if problems := openapi.problems(method, target, response.status, answer):
            raise AssertionError("\n".join(problems))
        return response.status, answer, response.headers

    def get(self, target, **options):
        return self.call("GET", target + ("&" if "?" in target else "?") + VERSION, **options)

    def post(self, target, body=None, **options):
        return self.call("POST", f"{target}?{VERSION}", body if body is not None else {}, **options)

    def patch(self, target, body=None, **options):
        return self.call("PATCH", f"{target}?{VERSION}", body if body is not None else {}, **options)

    def put(self, target, body=None, **options):
        return self.call("PUT", f"{target}?{VERSION}", body if body is not None else {}, **options)


class ApiTest(CommandTest):
    """A gateway with the REST services, and a principal `app` that may do everything with the vault's keys and secrets."""

    HOST = "localhost"
    OPTIONS = []  # of serve, beside its listeners

    def setUp(self):
        super().setUp()
        self.copy_template()
        self.before_start()
        self.token = self.kept_token("app")
        self.start()

    def start(self):
        self.home.start("--listen-api", "127.0.0.1:0", "--listen-vault", "signet=127.0.0.1:0", "--api-certificate", "api",
                        "--api-host", self.HOST, *self.OPTIONS)
        self.vault = self.service(self.home.ports["vault:signet"], "localhost")
        self.hosted = self.service(self.home.ports["api"], f"signet.{self.HOST}")
        self.management = self.service(self.home.ports["api"], self.HOST)

    def before_start(self):
        """What a test of a class adds to what all of them begin with."""

    def fill_home(self, home):
        super().fill_home(home)
        self.make_certificate(home)
        self.add_principal(home, "app")
        home.run("vault", "policy", "set", "--principal", "app", "--key-permissions", "all", "--secret-permissions", "all", "--certificate-permissions", "all",
                 expect=DONE)

    def add_principal(self, home, name, *options):
        """With a token, kept in <name>.token."""
        home.run("principal", "add", name, *options, expect=DONE)
        (home.directory / f"{name}.token").write_text(home.json("token", "create", name)["token"])

    def kept_token(self, name):
        return (self.directory / f"{name}.token").read_text()

    def make_certificate(self, home):
        """A certificate of the API's for every name that it has in these tests; its key is made outside, as openssl wants it."""
        key, certificate = home.directory / "api.key", home.directory / "api.cer"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", f"subjectAltName=DNS:{self.HOST},DNS:*.{self.HOST},IP:127.0.0.1",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        home.run("vault", "key", "import", "api", key, expect=DONE)
        home.run("certificate", "add", "api", certificate, "--key", "api", expect=DONE)

    def service(self, port, host):
        return Service(port, host, self.directory / "api.cer", self.token)

    def token_of(self, principal, *options):
        return self.home.json("token", "create", principal, *options)["token"]

    def audit(self):
        return self.home.audit()

    def wait_until(self, condition, what="the gateway sees what another process changed in the vault: within a second"):
        return wait_until(condition, what)

    def error_code(self, answer, status):
        self.assertEqual(answer[0], status, answer[1])
        self.assertEqual(set(answer[1]), {"error"})
        self.assertIsInstance(answer[1]["error"]["message"], str)
        return answer[1]["error"]["code"]


class Keys(ApiTest):
    def create(self, name="k1", **settings):
        status, bundle, _ = self.vault.post(f"/keys/{name}/create", {"kty": "EC", **settings})
        self.assertEqual(status, 200, bundle)
        return bundle

    def test_a_key_is_made_shown_and_listed(self):
        made = self.create("Order-Key", attributes={"exp": 4102444800})
        kid = made["key"]["kid"]
        self.assertRegex(kid, rf"^{self.vault.origin}/keys/Order-Key/[0-9a-f]{{32}}$")
        self.assertEqual((made["key"]["kty"], made["key"]["crv"], made["key"]["key_ops"]), ("EC", "P-256", ["sign", "verify"]))
        self.assertEqual(len(from_base64url(made["key"]["x"])), 32)
        self.assertEqual((made["attributes"]["enabled"], made["attributes"]["exp"]), (True, 4102444800))
        version = kid.rsplit("/", 1)[1]
        for target in ["/keys/order-key", "/keys/order-key/", f"/keys/ORDER-KEY/{version}"]:
            self.assertEqual(self.vault.get(target)[:2], (200, made))
        second = self.create("order-key")
        self.assertRegex(second["key"]["kid"], "/keys/Order-Key/")
        _, versions, _ = self.vault.get("/keys/order-key/versions")
        self.assertEqual([item["kid"] for item in versions["value"]], [second["key"]["kid"], kid])
        _, keys, _ = self.vault.get("/keys")
        self.assertEqual([item["kid"] for item in keys["value"]], [f"{self.vault.origin}/keys/api", f"{self.vault.origin}/keys/Order-Key"])

    def test_a_signature_holds_and_another_digest_does_not(self):
        kid = self.create()["key"]["kid"]
        digest = to_base64url(hashlib.sha256(b"order").digest())
        status, signed, _ = self.vault.post("/keys/k1//sign", {"alg": "ES256", "value": digest})
        self.assertEqual((status, signed["kid"], len(from_base64url(signed["value"]))), (200, kid, 64))
        for given, holds in [(digest, True), (to_base64url(hashlib.sha256(b"other").digest()), False)]:
            status, verified, _ = self.vault.post(kid.removeprefix(self.vault.origin) + "/verify",
                                                  {"alg": "ES256", "digest": given, "value": signed["value"]})
            self.assertEqual((status, verified), (200, {"value": holds}))
        for body in [{"alg": "ES256", "value": digest[:-2]}, {"alg": "HS256", "value": digest}, {"alg": "ES256"},
                     {"alg": "ES256", "value": "no base64url="}, {"alg": 5, "value": digest}]:
            self.assertEqual(self.error_code(self.vault.post("/keys/k1//sign", body), 400), "BadParameter")

    def test_what_is_encrypted_and_wrapped_comes_back(self):
        self.create("rsa", kty="RSA", key_size=2048)
        for there, back in [("encrypt", "decrypt"), ("wrapkey", "unwrapkey")]:
            for algorithm in ["RSA1_5", "RSA-OAEP", "RSA-OAEP-256"]:
                value = to_base64url(b"0123456789abcdef")
                _, hidden, _ = self.vault.post(f"/keys/rsa//{there}", {"alg": algorithm, "value": value})
                status, shown, _ = self.vault.post(f"/keys/rsa//{back}", {"alg": algorithm, "value": hidden["value"]})
                self.assertEqual((status, shown["value"], shown["kid"]), (200, value, hidden["kid"]))
        self.assertEqual(self.error_code(self.vault.post("/keys/rsa//decrypt", {"alg": "RSA-OAEP", "value": to_base64url(bytes(256))}),
                                         400), "BadParameter")

    def test_a_change_leaves_what_it_does_not_mention(self):
        made = self.create(attributes={"exp": 4102444800}, tags={"team": "edi"})
        self.assertEqual(made["tags"], {"team": "edi"})
        status, changed, _ = self.vault.patch("/keys/k1/", {"attributes": {"enabled": False}, "key_ops": ["verify"]})
        self.assertEqual((status, changed["attributes"]["enabled"], changed["attributes"]["exp"], changed["tags"], changed["key"]["key_ops"]),
                         (200, False, 4102444800, {"team": "edi"}, ["verify"]))
        refused = self.vault.post("/keys/k1//verify", {"alg": "ES256", "digest": to_base64url(bytes(32)), "value": to_base64url(bytes(64))})
        self.assertEqual((self.error_code(refused, 403), refused[1]["error"]["innererror"]["code"]), ("Forbidden", "KeyDisabled"))
        self.assertEqual(self.vault.get("/keys/k1")[0], 200)
        self.assertNotIn("tags", self.vault.patch("/keys/k1", {"tags": {}})[1])
        for body in [{"tags": {"a": 1}}, {"tags": {str(i): "x" for i in range(16)}}, {"attributes": {"nbf": 4102444801}}]:
            self.assertEqual(self.error_code(self.vault.patch("/keys/k1", body), 400), "BadParameter")

    def test_what_cannot_be_made_is_refused(self):
        for body in [{}, {"kty": "oct"}, {"kty": "RSA-HSM"}, {"kty": "RSA", "key_size": 1024}, {"kty": "EC", "crv": "P-256K"},
                     {"kty": "EC", "attributes": {"exp": -1}}, {"kty": "EC", "attributes": {"nbf": 2000, "exp": 1000}},
                     {"kty": "EC", "key_ops": ["fly"]}, {"kty": "EC", "key_ops": "sign"}, {"kty": "EC", "attributes": []}]:
            self.assertEqual(self.error_code(self.vault.post("/keys/k/create", body), 400), "BadParameter", body)
        self.assertEqual(self.error_code(self.vault.post("/keys/a_b/create", {"kty": "EC"}), 400), "BadParameter")

    def test_what_is_not_there_is_not_found(self):
        self.create()
        for target in ["/keys/absent", "/keys/absent/versions", f"/keys/k1/{'0' * 32}"]:
            self.assertEqual(self.error_code(self.vault.get(target), 404), "KeyNotFound")
        self.assertEqual(self.error_code(self.vault.get("/no/such/path"), 404), "NotFound")
        status, _, headers = self.vault.call("DELETE", f"/keys?{VERSION}")
        self.assertEqual((status, headers["Allow"]), (405, "GET"))


class Secrets(ApiTest):
    def test_a_secret_is_set_shown_and_listed(self):
        _, first, _ = self.vault.put("/secrets/s1", {"value": "one", "contentType": "text/plain", "attributes": {}})
        status, second, _ = self.vault.put("/secrets/s1", {"value": "zwei \u20ac"})
        self.assertEqual(status, 200)
        self.assertEqual((first["value"], first["contentType"], second["value"]), ("one", "text/plain", "zwei \u20ac"))
        self.assertEqual(self.vault.get("/secrets/s1/")[1], second)
        self.assertEqual(self.vault.get(first["id"].removeprefix(self.vault.origin))[1], first)
        _, listed, _ = self.vault.get("/secrets")
        self.assertEqual([(item["id"], "value" in item) for item in listed["value"]], [(f"{self.vault.origin}/secrets/s1", False)])
        _, versions, _ = self.vault.get("/secrets/s1/versions")
        self.assertEqual([item["id"] for item in versions["value"]], [second["id"], first["id"]])

    def test_a_change_leaves_what_it_does_not_mention(self):
        _, made, _ = self.vault.put("/secrets/s1", {"value": "one", "contentType": "text/plain", "tags": {"a": "b"}})
        status, changed, _ = self.vault.patch(made["id"].removeprefix(self.vault.origin), {"attributes": {"enabled": False}})
        self.assertEqual((status, changed["contentType"], changed["tags"], changed["attributes"]["enabled"], "value" in changed),
                         (200, "text/plain", {"a": "b"}, False, False))
        refused = self.vault.get("/secrets/s1")
        self.assertEqual((self.error_code(refused, 403), refused[1]["error"]["innererror"]["code"]), ("Forbidden", "SecretDisabled"))
        self.vault.patch("/secrets/s1", {"attributes": {"enabled": True, "exp": 1000}})
        self.assertEqual(self.vault.get("/secrets/s1")[1]["value"], "one")  # dates are for those to heed who get it

    def test_a_list_comes_in_pages(self):
        names = sorted(f"s-{number}" for number in range(7))
        for name in names:
            self.vault.put(f"/secrets/{name}", {"value": "x"})
        target, seen = f"/secrets?maxresults=3&api%2Dversion=7.5", []
        while target:
            _, page, _ = self.vault.call("GET", target)
            self.assertLessEqual(len(page["value"]), 3)
            seen += [item["id"].rsplit("/", 1)[1] for item in page["value"]]
            self.assertTrue(page["nextLink"] is None or page["nextLink"].startswith(self.vault.origin + "/secrets?"))
            target = page["nextLink"] and page["nextLink"].removeprefix(self.vault.origin)
        self.assertEqual(seen, names)
        for size in ["0", "26", "-1", "many", ""]:
            self.assertEqual(self.error_code(self.vault.get(f"/secrets?maxresults={size}"), 400), "BadParameter")
        self.assertEqual(self.error_code(self.vault.get("/secrets?$skiptoken=%21"), 400), "BadParameter")

    def test_no_value_is_written_to_a_file(self):
        value = "correct horse battery staple"
        self.vault.put("/secrets/s1", {"value": value})
        self.vault.get("/secrets/s1")
        self.vault.put("/secrets/s1", {"value": value, "contentType": 5})
        self.home.stop()
        for file in [*self.home.path.rglob("*"), self.home.log]:
            if file.is_file():
                self.assertNotIn(value.encode(), file.read_bytes(), file)


class Access(ApiTest):
    """Who is let in, and what comes first."""

    HOST = "vault.example"

    def test_without_a_token_the_challenge_comes_before_everything_else(self):
        for method, target in [("GET", "/keys"), ("POST", "/keys/x/create?nonsense"), ("PUT", "/secrets/a_b"), ("DELETE", "/nowhere")]:
            for token in [None, "", "sgt_" + "A" * 43]:
                status, body, headers = self.hosted.call(method, target, body=b"", token=token)
                self.assertEqual((status, body["error"]["code"]), (401, "Unauthorized"))
                challenge = headers["WWW-Authenticate"]
                self.assertRegex(challenge, rf'^Bearer authorization="https://{self.HOST}:\d+/[0-9a-f-]{{36}}", resource="https://{self.HOST}"')
        self.assertRegex(self.management.call("GET", "/", token=None)[2]["WWW-Authenticate"], "^Bearer authorization_uri=")

    def test_a_token_that_is_over_revoked_or_of_a_disabled_principal_is_none(self):
        self.assertEqual(self.hosted.get("/keys")[0], 200)
        self.home.run("principal", "set", "app", "--disable", expect=DONE)
        self.assertEqual(self.hosted.get("/keys")[0], 401)
        self.home.run("principal", "set", "app", "--enable", expect=DONE)
        self.assertEqual(self.hosted.get("/keys")[0], 200)
        token, = self.home.json("token", "list", "app")
        self.home.run("token", "revoke", token["id"], expect=DONE)
        self.assertEqual(self.hosted.get("/keys")[0], 401)

    def test_a_principal_without_permission_learns_nothing(self):
        self.hosted.post("/keys/there/create", {"kty": "EC"})
        self.home.run("principal", "add", "nobody", "--roles", "Administrator", expect=DONE)
        other = Service(self.hosted.port, self.hosted.host, self.directory / "api.cer", self.token_of("nobody"))
        answers = [other.get("/keys/there"), other.get("/keys/absent"), other.post("/keys/there//sign", b"no JSON"),
                   other.call("GET", "/keys/there")]
        for answer in answers:
            self.assertEqual(self.error_code(answer, 403), "Forbidden")
            self.assertEqual(answer[1]["error"]["innererror"]["code"], "ForbiddenByPolicy")
        self.home.run("principal", "remove", "app", expect=DONE)
        self.home.run("principal", "add", "app", expect=DONE)
        token = self.token_of("app")
        self.wait_until(lambda: self.hosted.get("/keys", token=token)[0] == 403)

    def test_a_management_certificate_stands_for_a_token(self):
        own = [self.directory / "client.key", self.directory / "client.cer"]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=anybody", "-keyout", own[0], "-out", own[1]], check=True, capture_output=True)
        caller = Service(self.hosted.port, self.hosted.host, self.directory / "api.cer")
        caller.context.load_cert_chain(own[1], own[0])
        self.assertEqual(self.error_code(caller.get("/keys"), 401), "Unauthorized")
        self.home.run("principal", "certificate", "add", "app", own[0], expect=USAGE)  # the key's file
        added = self.home.json("principal", "certificate", "add", "app", own[1])
        self.assertEqual(caller.get("/keys")[0], 200)
        self.assertEqual(caller.get("/keys", token="sgt_wrong")[0], 401)  # a wrong token is not made good by it
        self.home.run("principal", "certificate", "add", "administrator", own[1], expect=REFUSED)
        self.home.run("principal", "certificate", "remove", added["thumbprintSha256"].lower(), expect=DONE)
        self.assertEqual(caller.get("/keys")[0], 401)

    def test_a_vault_is_an_origin(self):
        self.assertEqual(self.hosted.get("/keys")[1]["value"][0]["kid"], f"{self.hosted.origin}/keys/api")
        other = self.service(self.hosted.port, f"other.{self.HOST}")
        self.assertEqual(other.get("/keys")[0], 403)
        self.assertEqual(self.error_code(self.management.get("/keys"), 404), "NotFound")
        self.assertEqual(self.error_code(self.hosted.get("/keys", headers={"Host": "elsewhere.example"}), 404), "NotFound")

    def test_the_api_version_is_needed_by_a_name_that_may_be_encoded(self):
        for version in ["7.0", "7.5", "7.6-preview.2", "2025-07-01"]:
            self.assertEqual(self.hosted.call("GET", f"/keys?api%2Dversion={version}")[0], 200)
        for query in ["", "?api-version=", "?api-version=6.0", "?api-version=7.50", "?api-version=7.5&api-version=7.5"]:
            self.assertEqual(self.error_code(self.hosted.call("GET", f"/keys{query}"), 400), "BadParameter")

    def test_every_call_leaves_a_record(self):
        self.hosted.post("/keys/k1/create", {"kty": "EC"})
        self.hosted.get("/keys/absent")
        records = [record for record in self.audit() if "object" in record]
        self.assertEqual([(record["principal"], record["operation"], record["object"], record["result"]) for record in records],
                         [("app", "POST /keys/{name}/create", "k1", "success"),
                          ("app", "GET /keys/{name}/{version?}", "absent", "failed")])
        self.home.run("audit", "verify", expect=DONE)


class Administration(CommandTest):
    """signet principal, signet token."""

    def setUp(self):
        super().setUp()
        self.make_home()

    def test_a_home_begins_with_an_administrator_without_a_token(self):
        administrator, = self.home.json("principal", "list")
        self.assertEqual((administrator["name"], administrator["roles"]), ("administrator", ["Administrator"]))
        self.assertEqual(self.home.json("token", "list"), [])

    def test_principals_are_added_changed_and_removed(self):
        made = self.home.json("principal", "add", "deployer", "--roles", "reader,Writer")
        self.assertRegex(made["objectId"], r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.assertEqual(made["roles"], ["Reader", "Writer"])
        changed = self.home.json("principal", "set", "Deployer", "--disable")
        self.assertEqual((changed["enabled"], changed["roles"]), (False, ["Reader", "Writer"]))
        self.home.run("principal", "remove", "deployer", expect=DONE)
        self.home.run("principal", "show", "deployer", expect=NOT_FOUND)

    def test_names_that_are_taken_or_mean_somebody_else_are_refused(self):
        self.home.run("principal", "add", "administrator", expect=REFUSED)
        for name in ["operator", "Gateway", "a b", "", "x" * 65, "\u00e4"]:
            self.home.run("principal", "add", name, expect=USAGE)
        self.home.run("principal", "add", "x", "--roles", "King", expect=USAGE)

    def test_a_token_is_shown_once_and_kept_nowhere(self):
        token = self.home.json("token", "create", "administrator")["token"]
        self.assertRegex(token, r"^sgt_[A-Za-z0-9_-]{43}$")
        for file in self.home.path.rglob("*"):
            if file.is_file():
                self.assertNotIn(token.encode(), file.read_bytes())
        for expires in ["2020-01-01", "2099-01-01"]:
            self.home.run("token", "create", "administrator", "--expires", expires, expect=USAGE)
        self.home.run("token", "create", "stranger", expect=NOT_FOUND)
        self.home.run("token", "revoke", "0" * 32, expect=NOT_FOUND)

    def test_listeners_need_a_certificate(self):
        refused = self.home.run("serve", "--listen", "127.0.0.1:0", "--listen-api", "127.0.0.1:0")
        self.assertEqual(refused.returncode, USAGE)
        self.assertIn("--api-certificate", refused.err)


if __name__ == "__main__":
    cli_test.main(__doc__)
