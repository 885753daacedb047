#!/usr/bin/env python3
"""The REST services with tokens of an issuer: JSON Web Tokens that OpenSSL's command signs.

Usage: jwt_api_test.py --signet BINARY [TestClass...].
"""

import json
import signal
import subprocess
import time

import cli_test
from api_test import ApiTest, to_base64url
from cli_test import DONE, REFUSED, USAGE

ISSUER = "https://login.example/11111111-2222-3333-4444-555555555555/v2.0"
AUDIENCE = "https://vault.example"
APP = "7d0a3c52-9d1e-4a36-9e4b-0f4d1a3b8c11"  # as Entra names a service principal in `oid`


def openssl(*arguments, text=b""):
    return subprocess.run(["openssl", *map(str, arguments)], input=text, check=True, capture_output=True).stdout


class SigningKey:
    """A key of the issuer's: RSA, or EC on P-256. It is made unless its file is there."""

    def __init__(self, directory, kid, kind="RSA"):
        self.kid, self.kind, self.file = kid, kind, directory / f"issuer-{kid}.pem"
        what = ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"] if kind == "RSA" else ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        if not self.file.exists():
            openssl("genpkey", "-algorithm", *what, "-out", self.file)

    def jwk(self):
        if self.kind == "RSA":
            modulus = openssl("rsa", "-in", self.file, "-noout", "-modulus").decode().strip().partition("=")[2]
            return {"kty": "RSA", "kid": self.kid, "use": "sig", "n": to_base64url(bytes.fromhex(modulus)), "e": "AQAB"}
        point = openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")[-64:]
        return {"kty": "EC", "kid": self.kid, "crv": "P-256", "x": to_base64url(point[:32]), "y": to_base64url(point[32:])}

    def sign(self, algorithm="RS256", **claims):
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "oid": APP, "sub": "pairwise", "iat": now, "nbf": now, "exp": now + 3600, **claims}
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"typ": "JWT", "alg": algorithm, "kid": self.kid}
        signed = ".".join(to_base64url(json.dumps(part).encode()) for part in (header, claims))
        options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if algorithm == "PS256" else []
        signature = openssl("dgst", "-sha256", *options, "-sign", self.file, text=signed.encode())
        return f"{signed}.{to_base64url(two_numbers(signature) if algorithm == 'ES256' else signature)}"


def two_numbers(der):
    """An ECDSA signature as JWS has it (RFC 7518 section 3.4)."""
    octets, at = b"", 2
    for _ in range(2):
        length = der[at + 1]
        octets += int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(32, "big")
        at += 2 + length
    return octets


class JwtTest(ApiTest):
    """A gateway that takes an issuer's tokens; the subject APP is its principal `app`."""

    HOST = "vault.example"

    @property
    def OPTIONS(self):
        return ["--jwt-issuer", ISSUER, "--jwt-audience", AUDIENCE, "https://vault.example:8443", "--jwt-keys", self.key_file, "--jwt-claim", "oid"]

    def fill_home(self, home):
        super().fill_home(home)
        home.run("principal", "set", "app", "--jwt-subject", APP, "--roles", "Reader", expect=DONE)
        SigningKey(home.directory, "one")

    def before_start(self):
        self.key_file = self.directory / "issuer-keys.json"
        self.issuer = SigningKey(self.directory, "one")
        self.publish(self.issuer)

    def publish(self, *keys):
        self.key_file.write_text(json.dumps({"keys": [key.jwk() for key in keys]}))

    def status(self, token):
        return self.hosted.get("/keys", token=token)[0]

    def log_has(self, event):
        return lambda: self.home.events(event)


class Jwts(JwtTest):
    def test_a_token_of_the_issuer_is_as_good_as_one_of_ours(self):
        token = self.issuer.sign()
        self.assertEqual(self.status(token), 200)
        self.assertEqual(self.status(self.issuer.sign("PS256", aud=["x", "https://vault.example:8443"])), 200)
        self.assertEqual(self.hosted.post("/keys/k1/create", {"kty": "EC"}, token=token)[0], 200)
        subscriptions = self.management.call("GET", "/subscriptions?api-version=2022-12-01", token=token)
        self.assertEqual(subscriptions[0], 200)
        self.assertEqual(self.hosted.get("/keys")[0], 200)  # ours
        made = next(record for record in self.audit() if record.get("object") == "k1")
        self.assertEqual((made["principal"], made["operation"]), ("app", "POST /keys/{name}/create"))
        self.home.run("audit", "verify", expect=DONE)

    def test_permissions_and_roles_are_those_of_the_principal(self):
        self.home.run("principal", "add", "stranger", "--jwt-subject", "someone", expect=DONE)
        token = self.issuer.sign(oid="someone")
        self.assertEqual(self.error_code(self.hosted.get("/keys", token=token), 403), "Forbidden")
        refused = self.management.call("GET", "/subscriptions?api-version=2022-12-01", token=token)
        self.assertEqual(self.error_code(refused, 403), "AuthorizationFailed")

    def test_what_is_wrong_with_a_token_is_401_and_leaves_no_record(self):
        now = int(time.time())
        good = self.issuer.sign()
        header, claims, signature = good.split(".")
        unsigned = to_base64url(b'{"alg":"none","kid":"one"}')
        stranger = SigningKey(self.directory, "stranger")
        stranger.kid = "one"
        def calls():  # the vault's own records are of the key that TLS is spoken with
            return [record for record in self.audit() if record["operation"].startswith(("GET", "POST"))]
        before = calls()
        for wrong in [self.issuer.sign(iss="https://login.example/other/v2.0"), self.issuer.sign(iss=None), self.issuer.sign(aud="https://other.example"),
                      self.issuer.sign(aud=None), self.issuer.sign(exp=now - 1), self.issuer.sign(exp=None), self.issuer.sign(nbf=now + 600),
                      self.issuer.sign(oid=None), self.issuer.sign(oid="nobody"), self.issuer.sign(oid=APP.upper()), stranger.sign(),
                      f"{unsigned}.{claims}.", f"{header}.{claims}.", f"{header}.{claims[:-4]}.{signature}", f"{good}.{good}", good[:-4], ".", "a.b.c"]:
            for service, target in [(self.hosted, "/keys"), (self.management, "/subscriptions")]:
                answer = service.get(target, token=wrong)
                self.assertEqual(self.error_code(answer, 401), "Unauthorized", wrong)
                self.assertIn('error="invalid_token"', answer[2]["WWW-Authenticate"])
        self.assertEqual(calls(), before)

    def test_the_challenge_names_the_issuer(self):
        challenge = self.hosted.get("/keys", token=None)[2]["WWW-Authenticate"]
        self.assertEqual(challenge, f'Bearer authorization="{ISSUER}", resource="https://vault.example"')
        challenge = self.management.get("/subscriptions", token=None)[2]["WWW-Authenticate"]
        self.assertTrue(challenge.startswith(f'Bearer authorization_uri="{ISSUER}"'), challenge)

    def test_a_principal_is_looked_up_for_each_request(self):
        token = self.issuer.sign()
        self.assertEqual(self.status(token), 200)
        self.home.run("principal", "set", "app", "--disable", expect=DONE)
        self.assertEqual(self.status(token), 401)
        self.home.run("principal", "set", "app", "--enable", expect=DONE)
        self.assertEqual(self.status(token), 200)
        self.home.run("principal", "set", "app", "--jwt-subject", "", expect=DONE)
        self.assertEqual(self.status(token), 401)
        self.home.run("principal", "set", "app", "--jwt-subject", APP, expect=DONE)
        self.assertEqual(self.status(token), 200)
        self.home.run("principal", "remove", "app", expect=DONE)
        self.assertEqual(self.status(token), 401)

    def test_a_token_ends_while_the_connection_stays(self):
        token = self.issuer.sign(exp=int(time.time()) + 2)
        self.assertEqual(self.status(token), 200)
        self.wait_until(lambda: self.status(token) == 401)

    def test_a_new_key_counts_without_a_word_and_an_old_one_ends_with_sighup(self):
        next_key = SigningKey(self.directory, "two", "EC")
        self.publish(self.issuer, next_key)
        self.assertEqual(self.status(next_key.sign("ES256")), 200)
        self.publish(next_key)
        self.assertEqual(self.status(self.issuer.sign()), 200)
        self.home.gateway.send_signal(signal.SIGHUP)
        self.wait_until(lambda: self.status(self.issuer.sign()) == 401)
        self.assertEqual(self.status(next_key.sign("ES256")), 200)

    def test_a_file_without_a_key_changes_nothing(self):
        self.key_file.write_text('{"keys": []}')
        self.home.gateway.send_signal(signal.SIGHUP)
        self.wait_until(self.log_has("settings-not-reloaded"))
        self.assertEqual(self.status(self.issuer.sign()), 200)
        unknown = SigningKey(self.directory, "unknown")
        self.assertEqual(self.status(unknown.sign()), 401)
        self.wait_until(self.log_has("jwt-keys-not-read"))
        self.assertEqual(self.status(self.issuer.sign()), 200)

    def test_a_subject_is_one_principals(self):
        self.home.run("principal", "add", "other", "--jwt-subject", APP, expect=REFUSED)
        self.home.run("principal", "add", "other", expect=DONE)
        self.home.run("principal", "set", "other", "--jwt-subject", APP, expect=REFUSED)
        self.home.run("principal", "set", "other", "--jwt-subject", "x\ny", expect=USAGE)
        self.assertEqual(self.home.json("principal", "show", "app")["jwtSubject"], APP)
        self.assertNotIn("jwtSubject", self.home.json("principal", "show", "other"))


class JwtSettings(JwtTest):
    def refused(self, *options):
        done = self.home.run("serve", "--listen", "127.0.0.1:0", "--listen-api", "127.0.0.1:0", "--api-certificate", "api", *options)
        self.assertEqual(done.returncode, USAGE, done.err)
        return done.err

    def test_go_together_and_name_a_file_of_public_keys(self):
        self.home.stop()
        self.assertIn("go together", self.refused("--jwt-issuer", ISSUER))
        self.assertIn("go together", self.refused("--jwt-keys", self.key_file, "--jwt-issuer", ISSUER))
        self.assertIn("none.json", self.refused("--jwt-issuer", ISSUER, "--jwt-audience", "a", "--jwt-keys", self.directory / "none.json"))
        private = self.issuer.jwk() | {"d": "AQAB"}
        self.key_file.write_text(json.dumps({"keys": [private]}))
        self.assertIn("private part", self.refused("--jwt-issuer", ISSUER, "--jwt-audience", "a", "--jwt-keys", self.key_file))


if __name__ == "__main__":
    cli_test.main(__doc__)
