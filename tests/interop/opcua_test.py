#!/usr/bin/env python3
"""What the certificate service issues, used by somebody else's OPC UA client and server: node-opcua decides by the certificates, the issuer and
the revocation lists that signet hands out.

Usage: opcua_test.py --signet BINARY [TestClass...]. SIGNET_NODE_OPCUA_DIRECTORY has the peer, as install_npm.sh makes it.
"""

import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import cli_test  # noqa: E402: from beside this file
from cli_test import DONE, CommandTest  # noqa: E402

PEER = pathlib.Path(os.environ.get("SIGNET_NODE_OPCUA_DIRECTORY", pathlib.Path(__file__).parent / "node-opcua"))
PASSWORD = "a password of a test"


class OpcUa(CommandTest):
    """A server whose key the service made, and a client with a key of its own."""

    def setUp(self):
        super().setUp()
        self.make_home()
        for name, roles in (("admin", "Reader,Administrator"), ("writer", "Reader,Writer"), ("approver", "Reader,Approver")):
            self.home.run("principal", "add", name, "--roles", roles, expect=DONE)
        self.authority("admin", "group", "create", "Plant", "--subject", "CN=Plant CA, O=Acme", "--issuer-months", "48")
        self.issuer = self.new_issuer()

    def authority(self, principal, *arguments):
        return self.home.json("authority", *arguments, "--as", principal)

    def new_issuer(self):
        self.authority("admin", "issuer", "create", "Plant")
        return self.only_file("writer", "issuer", "save", "Plant", "--format", "pem")

    def only_file(self, principal, *arguments):
        """The file that a command puts into a folder."""
        folder = self.directory / f"files-{len(list(self.directory.iterdir()))}"
        folder.mkdir()
        self.authority(principal, *arguments, "--to", folder)
        file, = folder.iterdir()
        return file

    def crl(self):
        return self.only_file("writer", "crl", "save", "Plant")

    def application(self, name, *options):
        uri = f"urn:acme.example:{name}"
        made = self.authority("writer", "application", "register", "--uri", uri, "--name", name, "--product-uri", "urn:acme.example:product",
                              *options)
        self.authority("admin", "application", "approve", made["applicationId"])
        return made["applicationId"], uri

    def fetch(self, request, application):
        """@returns the certificate's file, and the key's where the service made it"""
        folder = self.directory / f"fetched-{request}"
        folder.mkdir()
        self.authority("approver", "request", "approve", request)
        self.authority("writer", "request", "fetch", request, "--application", application, "--to", folder)
        issuers = {pathlib.Path(self.issuer).stem}
        certificate, = (file for file in folder.glob("*.der") if file.stem not in issuers)
        return certificate, next(folder.glob("*.pem"), None)

    def side(self, certificate, key, uri, crl):
        """A side trusts the issuer, and what it says of its certificates. Certificates go over as PEM."""
        pem = certificate.with_suffix(".crt")
        subprocess.run(["openssl", "x509", "-inform", "DER", "-in", certificate, "-out", pem], check=True, capture_output=True)
        return {"certificate": str(pem), "key": str(key), "uri": uri, "trusted": [str(self.issuer)], "issuers": [], "crls": [str(crl)]}

    def server(self, crl):
        if not hasattr(self, "server_files"):
            application, uri = self.application("press7", "--type", "server", "--discovery-url", "opc.tcp://127.0.0.1:4840",
                                                "--capability", "DA")
            (self.directory / "password").write_text(PASSWORD + "\n")
            request = self.authority("writer", "request", "key-pair", "--application", application, "--group", "Plant", "--subject",
                                     "CN=Press 7", "--format", "PEM", "--password-file", self.directory / "password")["requestId"]
            certificate, sealed = self.fetch(request, application)
            key = self.directory / "press7.key"
            subprocess.run(["openssl", "pkey", "-in", sealed, "-passin", f"pass:{PASSWORD}", "-out", key], check=True, capture_output=True)
            self.server_files = certificate, key, uri
        return self.side(*self.server_files, crl)

    def client(self, crl):
        if not hasattr(self, "client_files"):
            application, uri = self.application("station1", "--type", "client")
            key, request = self.directory / "station1.key", self.directory / "station1.csr"
            subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=Station 1",
                            "-addext", f"subjectAltName=URI:{uri},IP:127.0.0.1"], check=True, capture_output=True)
            self.client_request = self.authority("writer", "request", "sign", "--application", application, "--group", "Plant",
                                                 request)["requestId"]
            certificate, _ = self.fetch(self.client_request, application)
            self.client_files = certificate, key, uri
        return self.side(*self.client_files, crl)

    def connect(self, **cases):
        """Each case is a server and a client. @returns by name, whether they connected and else why not"""
        file = self.directory / "cases.json"
        file.write_text(json.dumps([{"name": name, "server": server, "client": client, "policy": "Basic256Sha256"}
                                    for name, (server, client) in cases.items()]))
        done = subprocess.run(["node", PEER / "connect.js", file], capture_output=True, text=True, timeout=240)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        outcomes = {outcome["name"]: outcome for outcome in map(json.loads, done.stdout.splitlines())}
        self.assertEqual(set(outcomes), set(cases), done.stdout)
        for outcome in outcomes.values():
            if outcome["connected"]:
                self.assertEqual((outcome["mode"], outcome["policy"]), ("SignAndEncrypt", "Basic256Sha256"))
        return {name: outcome["error"] or "connected" for name, outcome in outcomes.items()}

    def test_client_and_server_connect_until_one_is_revoked_and_the_list_decides(self):
        before = self.crl()
        server, client = self.server(before), self.client(before)
        self.authority("approver", "revoke", self.client_request, "--reason", "keyCompromise")
        after = self.crl()
        self.assertNotEqual(before.read_bytes(), after.read_bytes())

        outcomes = self.connect(good=(server, client), revoked=(self.server(after), client),
                                earlier_list=(self.server(before), client), no_list=({**server, "crls": []}, client))
        self.assertEqual(outcomes["good"], "connected")
        self.assertEqual(outcomes["earlier_list"], "connected", "it is the list that decides")
        self.assertIn("BadSecurityChecksFailed", outcomes["revoked"])
        self.assertIn("BadCertificateRevocationUnknown", outcomes["no_list"])

    def test_with_a_renewed_issuer_certificates_of_both_issuers_connect(self):
        server_list = self.crl()
        server = self.server(server_list)
        first_issuer = self.issuer
        self.issuer = self.new_issuer()
        client = self.client(self.crl())
        both = {"trusted": [str(first_issuer), str(self.issuer)], "crls": [str(server_list), client["crls"][0]]}
        outcomes = self.connect(both=({**server, **both}, {**client, **both}), one=(server, {**client, **both}))
        self.assertEqual(outcomes["both"], "connected")
        self.assertNotEqual(outcomes["one"], "connected", "a server that was not told of the new issuer")


if __name__ == "__main__":
    cli_test.main(__doc__)
