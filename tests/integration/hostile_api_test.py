#!/usr/bin/env python3
"""What no client of good will sends to the vault's REST services: refused with the documented code, never an answer of 500, and nothing changed.

Usage: hostile_api_test.py --signet BINARY [TestClass...].
"""

import concurrent.futures
import json
import random
import socket
import subprocess

import cli_test
from api_test import VERSION, from_base64url, to_base64url
from cli_test import DONE
from vault_api_test import VaultTest, ec_jwk, rsa_jwk


class HostileTest(VaultTest):
    """A vault with a key and a secret, of two versions each, another of each that is deleted, and a certificate."""

    OPTIONS = ["--api-calls-per-second", "1000"]

    def setUp(self):
        super().setUp()
        for kind in ["key", "secret"]:
            for name in ["x", "x", "gone"]:
                self.make(kind, name)
            self.done(self.delete(f"/{kind}s/gone"))
        self.certificate()
        self.before = self.everything()

    def everything(self):
        """All that the vault shows."""
        lists = [self.done(self.vault.get(f"/{name}")) for name in ["keys", "secrets", "certificates", "deletedkeys", "deletedsecrets"]]
        return lists + [self.done(self.vault.get(target)) for target in ["/keys/x/versions", "/secrets/x/versions", "/secrets/x", "/keys/x", "/keys/x/rotationpolicy"]]

    def tearDown(self):
        self.assertEqual(self.everything(), self.before)
        self.assertNotIn("api-call-failed", self.home.log.read_text())
        self.home.run("audit", "verify", expect=DONE)
        super().tearDown()

    def bad(self, answer, status=400, code="BadParameter"):
        self.refused(answer, status, code)


# All that takes a body.
WRITERS = [("POST", "/keys/new/create"), ("PUT", "/keys/new"), ("PATCH", "/keys/x"), ("POST", "/keys/x//sign"), ("POST", "/keys/x//verify"),
           ("POST", "/keys/x//encrypt"), ("POST", "/keys/x//unwrapkey"), ("POST", "/keys/restore"), ("PUT", "/keys/x/rotationpolicy"),
           ("PUT", "/secrets/new"), ("PATCH", "/secrets/x"), ("POST", "/secrets/restore")]


class Bodies(HostileTest):
    def send(self, method, target, body, **options):
        return self.vault.call(method, f"{target}?{VERSION}", body, **options)

    def test_what_is_no_json_object_is_refused(self):
        for method, target in WRITERS:
            for body in [b"no JSON", b"[]", b"1", b'"x"', b"null", b"{", b'{"a":}', b"{} {}", b"{'a':1}", b'{"a":NaN}', b'{"a":1e999}', b'{"value":"\xff"}',
                         b'{"value":"\\ud800"}', b"\xef\xbb\xbf[]", b"\0", b'{"a":"\0"}', b"<xml/>"]:
                self.bad(self.send(method, target, body))

    def test_depth_and_size_are_bounded(self):
        for method, target in WRITERS:
            self.bad(self.send(method, target, b'{"a":' + b"[" * 500_000))
            self.bad(self.send(method, target, b'{"a":' * 33 + b"1" + b"}" * 33))
            self.bad(self.send(method, target, b'{"value":"' + b"x" * 1024 * 1024 + b'"}'), 413, "RequestBodyTooLarge")
        self.bad(self.send("PUT", "/secrets/new", json.dumps({"value": "x" * (25 * 1024 + 1)}).encode()))
        self.bad(self.send("PUT", "/secrets/new", {"value": ""}))

    def test_a_body_in_pieces_is_bounded_too(self):
        pieces = (b"x" * 65_536 for _ in range(32))
        self.bad(self.send("PUT", "/secrets/new", pieces), 413, "RequestBodyTooLarge")  # without a length: chunked

    def test_a_type_of_another_kind_is_refused(self):
        for content_type in ["text/plain", "application/xml", "application/x-www-form-urlencoded", ""]:
            answer = self.send("PUT", "/secrets/new", b'{"value":"x"}', headers={"Content-Type": content_type})
            self.bad(answer, 415, "UnsupportedMediaType")

    def test_members_of_wrong_types_are_refused(self):
        for wrong in [5, 1.5, True, [], {}, [1], {"a": 1}]:
            self.bad(self.send("PUT", "/secrets/new", {"value": wrong}))
            self.bad(self.send("POST", "/keys/new/create", {"kty": wrong}))
            self.bad(self.send("POST", "/secrets/restore", {"value": wrong}))
            self.bad(self.send("POST", "/keys/restore", {"value": wrong}))
            self.bad(self.send("POST", "/keys/x//sign", {"alg": "ES256", "value": wrong}))
            self.bad(self.send("POST", "/keys/x//sign", {"alg": wrong, "value": to_base64url(bytes(32))}))
        for name, wrong in [("attributes", 1), ("attributes", []), ("attributes", {"enabled": "yes"}), ("attributes", {"exp": "2030-01-01"}),
                            ("attributes", {"nbf": 1.5}), ("attributes", {"exp": 2**64}), ("attributes", {"exp": 2**63 - 1}), ("attributes", {"nbf": -1}),
                            ("attributes", {"nbf": 20, "exp": 10}), ("attributes", {"nbf": 10, "exp": 10}), ("tags", []), ("tags", {"a": None}),
                            ("tags", {"a": 1}), ("tags", {"": "x"}), ("tags", {"a" * 257: "x"}), ("tags", {"a": "x" * 257}),
                            ("tags", {str(i): "x" for i in range(16)})]:
            self.bad(self.send("PUT", "/secrets/new", {"value": "x", name: wrong}))
            self.bad(self.send("PATCH", "/secrets/x", {name: wrong}))
            self.bad(self.send("POST", "/keys/new/create", {"kty": "EC", name: wrong}))
            self.bad(self.send("PATCH", "/keys/x", {name: wrong}))
            self.bad(self.send("PUT", "/keys/new", {"key": ec_jwk(), name: wrong}))
        for wrong in ["sign", {}, [1], ["fly"], ["encrypt"], [None]]:
            self.bad(self.send("PATCH", "/keys/x", {"key_ops": wrong}))
        for wrong in [5, "x" * 256, "a\nb", "\u20ac"]:
            self.bad(self.send("PUT", "/secrets/new", {"value": "x", "contentType": wrong}))

    def test_null_and_unknown_members_say_nothing(self):
        before = self.done(self.vault.get("/secrets/x/versions"))
        changed = self.done(self.send("PATCH", "/secrets/x", {"attributes": None, "tags": None, "contentType": None, "nonsense": [{}]}))
        self.assertNotIn("tags", changed)
        self.assertEqual(len(self.done(self.vault.get("/secrets/x/versions"))["value"]), len(before["value"]))
        self.before = self.everything()  # but for the time of the change

    def test_digests_signatures_and_ciphertexts_that_do_not_fit_are_refused(self):
        for octets in [0, 31, 33, 64, 5000]:
            self.bad(self.send("POST", "/keys/x//sign", {"alg": "ES256", "value": to_base64url(bytes(octets))}))
        for value in ["a", "ab=", "a b", "+/", "\u20ac", "AAAA\n"]:
            self.bad(self.send("POST", "/keys/x//sign", {"alg": "ES256", "value": value}))
        for algorithm in ["RS256", "PS512", "HS256", "none", "", "ES256K", "RSA-OAEP"]:
            self.bad(self.send("POST", "/keys/x//sign", {"alg": algorithm, "value": to_base64url(bytes(32))}))
        for octets in [0, 1, 63, 65, 5000]:
            answer = self.send("POST", "/keys/x//verify", {"alg": "ES256", "digest": to_base64url(bytes(32)), "value": to_base64url(bytes(octets))})
            self.assertEqual(self.done(answer), {"value": False})
        for verb in ["encrypt", "wrapkey"]:
            answer = self.send("POST", f"/keys/x//{verb}", {"alg": "RSA-OAEP", "value": "AAAA"})
            self.refused(answer, 403, "Forbidden")


class Names(HostileTest):
    METHODS = [("GET", "/keys/{}"), ("GET", "/keys/{}/versions"), ("POST", "/keys/{}/create"), ("DELETE", "/keys/{}"), ("POST", "/keys/{}/backup"),
               ("POST", "/keys/{}/rotate"), ("GET", "/keys/{}/rotationpolicy"), ("GET", "/deletedkeys/{}"), ("POST", "/deletedkeys/{}/recover"),
               ("DELETE", "/deletedkeys/{}"), ("PUT", "/secrets/{}"), ("GET", "/secrets/{}"), ("DELETE", "/secrets/{}"), ("POST", "/secrets/{}/backup"),
               ("DELETE", "/deletedsecrets/{}"), ("POST", "/deletedsecrets/{}/recover")]
    BODIES = {"/keys/{}/create": {"kty": "EC"}, "/secrets/{}": {"value": "x"}}

    def test_a_name_of_other_characters_is_refused(self):
        for name in ["a_b", "a.b", "%2e%2e", "..%2fx", "x%2fy", "x%5cy", "..%5cx", "x%00", "%00", "x%0a", "x%20y", "%C3%A4", "%FF", "x%3Fy", "x%23y", "x;y",
                     "x'--", "%25%30%30", "%2525", "a" * 128, "a" * 4000, "x%7f", "*", "x%", "x%zz"]:
            for method, pattern in self.METHODS:
                body = self.BODIES.get(pattern) if method in ["PUT", "POST"] else None
                self.bad(self.vault.call(method, f"{pattern.format(name)}?{VERSION}", body))

    def test_a_version_of_another_form_is_refused(self):
        for version in ["0", "g" * 32, "A" * 32, "0" * 31, "0" * 33, "latest", "%2e", "x%00"]:
            for target in [f"/keys/x/{version}", f"/secrets/x/{version}"]:
                self.bad(self.vault.get(target))
            self.bad(self.vault.post(f"/keys/x/{version}/sign", {"alg": "ES256", "value": to_base64url(bytes(32))}))
        for target, code in [("/keys/x/", "KeyNotFound"), ("/secrets/x/", "SecretNotFound")]:
            self.bad(self.vault.get(target + "0" * 32), 404, code)

    def test_a_path_that_leads_elsewhere_leads_nowhere(self):
        for path in ["/keys/../secrets/x", "/keys/./x", "/keys/x/..", "//keys/x", "/%2e%2e/keys", "/keys%2fx", "/keys\\x"]:
            self.bad(self.vault.get(path))
        for path in ["/Keys/x", "/KEYS", "/keys/x/sign/y/z", "/deletedkeys/gone/versions", "/keys//create", "/secrets//", "/", "/keys/x/y/z", "/deletedsecrets/gone/backup"]:
            answer = self.vault.call("POST", f"{path}?{VERSION}", {})
            self.assertIn(self.error_code(answer, answer[0]), ["NotFound", "MethodNotAllowed"], path)

    def test_queries_that_say_two_things_are_refused(self):
        for query in ["maxresults=1&maxresults=2", "maxresults=0", "maxresults=26", "maxresults=1e1", "maxresults=%20", "maxresults=99999999999999999999",
                      "$skiptoken=", "$skiptoken=!", "$skiptoken=YQ==", "api%2Dversion=7.5"]:
            for collection in ["keys", "secrets", "deletedkeys", "deletedsecrets", "keys/x/versions", "secrets/x/versions"]:
                self.bad(self.vault.get(f"/{collection}?{query}"))

    def test_a_token_for_a_page_that_nobody_gave_shows_nothing_more(self):
        for token in ["zzzz", "x\0", "\u20ac", "' OR 1=1 --", "%", "a" * 3000]:
            answer = self.vault.get(f"/secrets?$skiptoken={to_base64url(token.encode())}")
            self.assertLessEqual(len(self.done(answer)["value"]), 2)

    def test_what_is_not_http_is_answered_in_json_too(self):
        head = f"GET /keys?{VERSION} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n"
        for request in [head + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", head + "Content-Length: -1\r\n\r\n", head + " folded: x\r\n\r\n",
                        head.replace("HTTP/1.1", "HTTP/9.9") + "\r\n", head + "Host: elsewhere\r\n\r\n"]:
            with socket.create_connection(("127.0.0.1", self.vault.port), 60) as plain, \
                 self.vault.context.wrap_socket(plain, server_hostname="localhost") as connection:
                connection.sendall(request.encode())
                answer = b""
                while part := connection.recv(65_536):
                    answer += part
            fields, _, body = answer.partition(b"\r\n\r\n")
            self.assertRegex(fields, rb"^HTTP/1.1 [45]0")
            self.assertIn("message", json.loads(body)["error"])


class Blobs(HostileTest):
    def setUp(self):
        super().setUp()
        self.blobs = {kind: from_base64url(self.done(self.vault.post(f"/{kind}s/x/backup"))["value"]) for kind in ["key", "secret"]}
        self.blobs["certificate"] = from_base64url(self.done(self.vault.post("/certificates/c1/backup"))["value"])
        for kind in ["key", "secret"]:  # their names are free
            self.done(self.delete(f"/{kind}s/x"))
            self.done(self.delete(f"/deleted{kind}s/x"), 204)
        self.before = self.everything()

    def everything(self):
        return [self.done(self.vault.get(f"/{name}")) for name in ["keys", "secrets", "certificates", "deletedkeys", "deletedsecrets"]]

    def restore(self, kind, blob):
        return self.vault.post(f"/{kind}s/restore", {"value": to_base64url(blob)})

    def test_a_blob_of_another_kind_is_refused(self):
        for kind in self.blobs:
            for other in self.blobs:
                if kind != other:
                    self.bad(self.restore(other, self.blobs[kind]))

    def test_a_blob_that_was_edited_is_refused(self):
        numbers = random.Random(1)
        for kind in ["key", "secret"]:
            blob = self.blobs[kind]
            edited = [b"", b"\0", blob[:-1], blob[1:], blob + b"\0", blob * 2, blob[::-1], bytes(len(blob)), self.blobs["key"][:40] + self.blobs["secret"][40:]]
            for place in [0, 1, 2, 15, 31, len(blob) - 1, *(numbers.randrange(len(blob)) for _ in range(40))]:
                edited.append(blob[:place] + bytes([blob[place] ^ 1 << numbers.randrange(8)]) + blob[place + 1:])
            for one in edited:
                self.bad(self.restore(kind, one))

    def test_what_is_not_in_base64url_is_refused(self):
        for kind in self.blobs:
            text = to_base64url(self.blobs[kind])
            for value in [text + "=", text + "\n", " " + text, text[:-1] + "+", text[:-1] + "/", "\u20ac", text + "A" * (5 - len(text) % 4), None]:
                self.bad(self.vault.post(f"/{kind}s/restore", {"value": value}))
            self.bad(self.vault.post(f"/{kind}s/restore", {}))

    def test_the_blob_itself_is_taken(self):
        for kind in ["key", "secret"]:
            self.done(self.restore(kind, self.blobs[kind]))
            self.refused(self.restore(kind, self.blobs[kind]), 409, "Conflict")
        self.before = self.everything()


class Jwks(HostileTest):
    def take(self, jwk, **members):
        return self.vault.put("/keys/new", {"key": jwk, **members})

    @staticmethod
    def shifted(number, by):
        octets = from_base64url(number)
        return to_base64url((int.from_bytes(octets, "big") + by).to_bytes(len(octets), "big"))

    def test_rsa_keys_that_lack_something_are_refused(self):
        jwk = rsa_jwk()
        for name in jwk:
            self.bad(self.take({other: value for other, value in jwk.items() if other != name}))
            for wrong in [None, 5, [], {}, "", "=", "A", "\u20ac"]:
                self.bad(self.take({**jwk, name: wrong}))
        for jwk in [None, 5, "x", [], {}, [jwk]]:
            self.bad(self.take(jwk))
        self.bad(self.vault.put("/keys/new", {}))

    def test_rsa_keys_whose_numbers_make_none_are_refused(self):
        jwk, other = rsa_jwk(), rsa_jwk(str(cli_test.TEST_KEY).replace("2048-1", "2048-2"))
        one = to_base64url(b"\x01")
        for change in [{"n": self.shifted(jwk["n"], -1)}, {"n": self.shifted(jwk["n"], 2)}, {"n": other["n"]}, {"n": jwk["p"]}, {"e": one}, {"e": to_base64url(b"\x02")},
                       {"e": to_base64url(b"\x03")}, {"e": to_base64url(b"\0")}, {"e": jwk["n"]}, {"d": other["d"]}, {"d": one}, {"d": self.shifted(jwk["d"], 2)},
                       {"p": other["p"]}, {"p": jwk["q"]}, {"p": one, "q": jwk["n"]}, {"p": jwk["n"], "q": one}, {"p": self.shifted(jwk["p"], 2)},
                       {"dp": other["dp"]}, {"dp": jwk["dq"], "dq": jwk["dp"]}, {"dq": one}, {"qi": one}, {"qi": other["qi"]},
                       {"p": to_base64url(b"\xff" * 200_000)}, {"d": to_base64url(b"\xff" * 200_000)}, {"qi": to_base64url(b"\xff" * 200_000)},
                       {"n": to_base64url(b"\xff" * 200_000)}]:
            self.bad(self.take({**jwk, **change}))

    def test_rsa_keys_of_other_sizes_are_refused(self):
        for bits in ["1024", "2040", "2056"]:
            file = self.directory / "small.pem"
            subprocess.run(["openssl", "genrsa", "-out", file, bits], check=True, capture_output=True)
            self.bad(self.take(rsa_jwk(file)))

    def test_ec_keys_that_are_none_are_refused(self):
        jwk, other = ec_jwk(), ec_jwk()
        longer = ec_jwk("P-384", 48)
        order = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"
        for change in [{"x": other["x"]}, {"y": other["y"]}, {"d": other["d"]}, {"x": other["x"], "y": other["y"]}, {"d": to_base64url(bytes(32))},
                       {"d": to_base64url(bytes.fromhex(order))}, {"x": to_base64url(bytes(32)), "y": to_base64url(bytes(32))}, {"x": jwk["x"][:-4]},
                       {"d": to_base64url(b"\0" + from_base64url(jwk["d"]))}, {"crv": "P-384"}, {"crv": "P-256K"}, {"crv": "secp256r1"}, {"crv": ""}, {"crv": 5},
                       {"x": longer["x"], "y": longer["y"]}, {"y": to_base64url(b"\xff" * 32)}, {"kty": "RSA"}, {"kty": "oct"}, {"kty": "OKP"}, {"kty": "EC-HSM"},
                       {"key_ops": ["encrypt"]}, {"key_ops": ["fly"]}, {"key_ops": "sign"}]:
            self.bad(self.take({**jwk, **change}))
        for name in ["x", "y", "d", "crv", "kty"]:
            self.bad(self.take({member: value for member, value in jwk.items() if member != name}))
        for members in [{"Hsm": True}, {"Hsm": "no"}, {"tags": 1}, {"attributes": {"exp": -5}}]:
            self.bad(self.take(jwk, **members))


class Throttling(VaultTest):
    OPTIONS = ["--api-calls-per-second", "1"]

    def test_who_calls_too_often_is_told_how_long_to_wait(self):
        with concurrent.futures.ThreadPoolExecutor(30) as callers:
            answers = list(callers.map(lambda _: self.vault.get("/keys"), range(60)))
        self.assertEqual({answer[0] for answer in answers}, {200, 429})
        _, body, headers = next(answer for answer in answers if answer[0] == 429)
        self.assertEqual(body["error"]["code"], "Throttled")
        self.assertRegex(headers["Retry-After"], r"^[1-9][0-9]*$")
        self.assertLessEqual(int(headers["Retry-After"]), 10)


if __name__ == "__main__":
    cli_test.main(__doc__)
