#!/usr/bin/env python3
"""A vault under a passphrase: sealed and opened beside a running gateway, and under another master key.

Usage: sealing_test.py --signet BINARY [TestClass...].
"""

import http.client
import json
import socket
import ssl
import stat

import cli_test
from api_test import VERSION, ApiTest
from cli_test import DONE, NOT_FOUND, REFUSED, SOURCE, UNAVAILABLE, USAGE, CommandTest

PASSPHRASE = "correct horse battery staple"


class SealedTest(ApiTest):
    """A home under a passphrase, which the commands of the test have and the gateway perhaps not."""

    def setUp(self):
        CommandTest.setUp(self)
        self.copy_template()
        self.use_passphrase(self.home)
        self.token = self.kept_token("app")

    def initialise(self, home):
        self.use_passphrase(home)
        home.run("init", "--passphrase-file", self.passphrase, expect=DONE)

    def use_passphrase(self, home):
        self.passphrase = home.directory / "passphrase"
        self.passphrase.write_text(PASSPHRASE + "\n")
        home.environment["SIGNET_PASSPHRASE_FILE"] = str(self.passphrase)

    def secret(self, name, value):
        file = self.directory / name
        file.write_text(value + "\n")
        return file

    def serve(self, sealed):
        environment = dict(self.home.environment)
        if sealed:
            del self.home.environment["SIGNET_PASSPHRASE_FILE"]
        self.home.start("--listen-api", "127.0.0.1:0", "--listen-vault", "signet=127.0.0.1:0", "--api-certificate", "api",
                        "--operations-listen", "127.0.0.1:0")
        self.home.environment = environment
        self.vault = self.service(self.home.ports["vault:signet"], "localhost")

    def unseal(self, file=None, **options):
        return self.home.run("vault", "unseal", "--passphrase-file", file or self.passphrase, **options)


class Sealing(SealedTest):
    def test_every_route_of_a_sealed_vault_is_unavailable_and_says_when_to_come_again(self):
        self.serve(sealed=False)
        self.assertEqual(self.vault.put("/secrets/s", {"value": "v"})[0], 200)
        # Handshakes need the vault's key; a connection that is there stays.
        connection = ssl.create_default_context(cafile=str(self.directory / "api.cer")).wrap_socket(
            socket.create_connection(("127.0.0.1", self.vault.port), 60), server_hostname="localhost")
        self.addCleanup(connection.close)
        self.home.run("vault", "seal", expect=DONE)
        document = json.loads((SOURCE / "docs" / "openapi-vault.json").read_text())
        asked = 0
        for pattern, operations in document["paths"].items():
            target = "/".join("x" if part.startswith("{") else part for part in pattern.split("/"))
            for method in operations:
                if method not in ("get", "put", "post", "patch", "delete"):
                    continue
                body = b"{}" if method in ("put", "post", "patch") else b""
                connection.sendall(f"{method.upper()} {target}?{VERSION} HTTP/1.1\r\nHost: localhost:{self.vault.port}\r\nAuthorization: Bearer {self.token}\r\n"
                                   f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                answer = http.client.HTTPResponse(connection, method=method.upper())
                answer.begin()
                text = json.loads(answer.read())
                self.assertEqual((answer.status, text["error"]["code"], answer.getheader("Retry-After")), (503, "ServiceUnavailable", "60"),
                                 (method, target))
                asked += 1
        self.assertGreater(asked, 40)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.vault.get("/secrets/s")
        self.unseal(expect=DONE)
        self.assertEqual(self.vault.get("/secrets/s")[1]["value"], "v")

    def test_a_gateway_without_the_passphrase_starts_sealed_and_needs_no_restart(self):
        self.serve(sealed=True)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.vault.get("/keys")
        connection = http.client.HTTPConnection("127.0.0.1", self.home.ports["operations"], timeout=60)
        connection.request("GET", "/metrics")
        self.assertIn("signet_vault_sealed 1", connection.getresponse().read().decode())
        wrong = self.unseal(self.secret("wrong", "correct horse battery stable"), expect=REFUSED)
        self.assertIn("wrong master passphrase", wrong.err)
        self.assertIn("in 1 s", self.unseal(expect=UNAVAILABLE).err)
        self.wait_until(lambda: self.unseal().returncode == DONE)
        self.assertEqual(self.vault.get("/keys")[0], 200)
        self.assertEqual(self.home.run("vault", "unseal", standard_input=PASSPHRASE.encode(), expect=DONE).out, "the vault is open\n")

    def test_the_socket_is_the_owners_alone_and_goes_with_the_gateway(self):
        self.serve(sealed=True)
        socket_file = self.home.path / "control.sock"
        self.assertEqual(stat.S_IMODE(socket_file.stat().st_mode), 0o600)
        self.home.stop()
        self.assertFalse(socket_file.exists())
        self.assertIn("no gateway serves", self.unseal(expect=UNAVAILABLE).err)

    def test_a_home_that_is_none_is_not_found(self):
        for command in ["seal", "unseal", "rotate-master-key"]:
            self.assertEqual(cli_test.Home(self.directory / "nothing").run("vault", command).returncode, NOT_FOUND)


class MasterKeys(SealedTest):
    def rotate(self, *options, **how):
        return self.home.run("vault", "rotate-master-key", *options, **how)

    def test_a_running_gateway_goes_on_under_another_one(self):
        self.serve(sealed=False)
        self.assertEqual(self.vault.put("/secrets/s", {"value": "v"})[0], 200)
        backup = self.vault.post("/secrets/s/backup")[1]
        address = self.service(self.home.ports["api"], "localhost")
        self.rotate("--key-file", expect=DONE)
        self.assertEqual(self.vault.get("/secrets/s")[1]["value"], "v")
        self.assertEqual(self.vault.put("/secrets/t", {"value": "w"})[0], 200)
        self.assertEqual(self.vault.call("DELETE", f"/secrets/s?{VERSION}")[0], 200)
        self.assertEqual(self.vault.call("DELETE", f"/deletedsecrets/s?{VERSION}")[0], 204)
        self.assertEqual(self.vault.post("/secrets/restore", backup)[0], 200)
        self.assertEqual(self.vault.get("/secrets/s")[1]["value"], "v")
        self.assertEqual(sorted(file.name for file in self.home.path.glob("master.*")), ["master.key"])
        self.home.stop()
        self.serve(sealed=True)  # a key file is at hand
        self.assertEqual(self.vault.get("/secrets/t")[1]["value"], "w")

    def test_another_passphrase_is_asked_for_where_there_is_one(self):
        new = self.secret("new", "another battery, another horse")
        done = self.rotate(standard_input=b"another battery, another horse\n", expect=DONE)
        self.assertIn("master.scrypt", done.out)
        self.assertEqual(self.home.run("vault", "key", "list").returncode, REFUSED)
        self.home.environment["SIGNET_PASSPHRASE_FILE"] = str(new)
        self.home.run("vault", "key", "list", expect=DONE)
        self.assertEqual(self.rotate("--passphrase-file", self.secret("short", "short")).returncode, USAGE)
        self.assertEqual(self.rotate("--passphrase-file", new, "--key-file").returncode, USAGE)
        self.home.run("vault", "key", "list", expect=DONE)


if __name__ == "__main__":
    cli_test.main(__doc__)
