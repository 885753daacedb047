#!/usr/bin/env python3
"""Vaults elsewhere: a second Signet that serves its vault alone, and servers that are none.

Usage: remote_vault_test.py --signet BINARY [TestClass...].
"""

import base64
import concurrent.futures
import contextlib
import datetime
import http.client
import http.server
import json
import signal
import sqlite3
import ssl
import subprocess
import threading
import time
import urllib.parse

import cli_test
from api_test import Service
from cli_test import DENIED, DONE, NOT_FOUND, PENDING, REFUSED, UNAVAILABLE, USAGE, CommandTest, Home, wait_until

KEYS = "get,list,sign,decrypt"
ORDER = b"UNB+UNOC:3+ACME+GLOBEX'\n"


def make_authority(directory, name="ca", host="localhost"):
    """A key and a certificate that vouches for itself, in files."""
    key, certificate = directory / f"{name}.key", directory / f"{name}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{host},IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return key, certificate


def secret_file(path, text, mode=0o600):
    path.touch(mode=0o600)
    path.write_text(text + "\n")
    path.chmod(mode)
    return path


class VaultHome(Home):
    """A home whose vault `signet` is served alone."""

    def __init__(self, directory):
        super().__init__(directory)
        self.authority = self.directory / "ca.pem"
        self.listen = "127.0.0.1:0"

    def fill(self):
        self.directory.mkdir()
        self.run("init", expect=DONE)
        key, _ = make_authority(self.directory)
        self.run("vault", "key", "import", "tls", key, expect=DONE)
        self.run("certificate", "add", "tls", self.authority, "--key", "tls", expect=DONE)

    def start(self, *arguments):
        self.serve("vault", "serve", "--listen-vault", f"signet={self.listen}", "--api-certificate", "tls", *arguments)
        self.port = self.ports["vault:signet"]
        self.listen = f"127.0.0.1:{self.port}"  # the same after a restart

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    def let_in(self, principal, keys=KEYS, secrets="get,list"):
        self.run("principal", "add", principal, expect=DONE)
        self.run("vault", "policy", "set", "--principal", principal, "--key-permissions", keys, "--secret-permissions", secrets, expect=DONE)

    def token(self, principal, *options):
        return self.json("token", "create", principal, *options)["token"]


class RemoteTest(CommandTest):
    """A home, and a vault elsewhere that lets it in by a token."""

    def fill_home(self, home):
        super().fill_home(home)
        vault = VaultHome(home.directory / "vault")
        vault.fill()
        vault.let_in("acme-gateway")
        secret_file(home.directory / "vault.token", vault.token("acme-gateway"))

    def setUp(self):
        super().setUp()
        self.copy_template()
        self.token_file = self.directory / "vault.token"
        self.vault = VaultHome(self.directory / "vault")
        self.addCleanup(self.vault.stop)
        self.vault.start()

    def link(self, *options, name="central", url=None, ca=None, expect=DONE):
        options = options or ("--token-file", self.token_file)
        return self.home.json("vault", "link", name, "--url", url or self.vault.url, "--ca", ca or self.vault.authority, *options, expect=expect)

    def private_rows(self):
        """What a home holds that could sign, decrypt or log on."""
        with contextlib.closing(sqlite3.connect(self.home.path / "store" / "signet.db")) as database:
            return [database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                    for table in ["key_versions", "secret_versions", "vault_certificates", "vault_certificate_operations"]]


class Alone(RemoteTest):
    """signet vault serve"""

    def test_it_serves_its_vault_and_no_as2(self):
        service = Service(self.vault.port, "localhost", self.vault.authority, self.token_file.read_text().strip())
        self.vault.run("vault", "key", "create", "k1", expect=DONE)
        self.assertEqual(service.get("/keys/k1")[0], 200)
        self.assertEqual(set(self.vault.ports), {"vault:signet"})
        context = ssl.create_default_context(cafile=str(self.vault.authority))
        connection = http.client.HTTPSConnection("localhost", self.vault.port, context=context, timeout=60)
        connection.request("POST", "/as2", b"x", {"AS2-From": "a", "AS2-To": "b"})
        self.assertEqual(connection.getresponse().status, 401)
        connection.close()
        self.assertEqual(self.vault.stop(), 0)
        self.assertEqual([len(self.vault.events(name)) for name in ["serving", "stopping", "stopped"]], [1, 1, 1])

    def test_it_has_the_operations_of_a_service(self):
        self.vault.stop()
        self.vault.start("--operations-listen", "127.0.0.1:0")
        for path in ["/health", "/ready", "/metrics"]:
            connection = http.client.HTTPConnection("127.0.0.1", self.vault.ports["operations"], timeout=60)
            connection.request("GET", path)
            self.assertEqual(connection.getresponse().status, 200, path)
            connection.close()
        (self.vault.path / "serve.toml").write_text('log-level = "debug"\n')
        self.vault.gateway.send_signal(signal.SIGHUP)
        self.vault.wait_for_event("settings-reloaded")

    def test_a_setting_of_as2_is_refused_by_name(self):
        self.vault.stop()
        for option, value in [("--path", "/x"), ("--listen", "127.0.0.1:0"), ("--workers", "2"), ("--host", "a.example")]:
            done = self.vault.run("vault", "serve", "--listen-vault", "signet=127.0.0.1:0", "--api-certificate", "tls", option, value, expect=USAGE)
            self.assertIn(f"'{option.removeprefix('--')}' is of AS2", done.err)
        (self.vault.path / "serve.toml").write_text('receipt-path = "/y"\n')
        done = self.vault.run("vault", "serve", "--listen-vault", "signet=127.0.0.1:0", "--api-certificate", "tls", expect=USAGE)
        self.assertRegex(done.err, "serve.toml.*'receipt-path' is of AS2")
        (self.vault.path / "serve.toml").write_text("")
        self.assertIn("needs a listener", self.vault.run("vault", "serve", expect=USAGE).err)


class Linking(RemoteTest):
    """signet vault link, and what a link is used for at the command line."""

    def test_a_link_is_made_shown_listed_and_removed(self):
        made = self.link()
        self.assertEqual((made["name"], made["where"], made["tokenFile"]), ("central", self.vault.url, str(self.token_file)))
        self.assertEqual(made["warnings"], [])
        self.assertEqual([(one["name"], one["where"]) for one in self.home.json("vault", "list")], [("signet", "here"), ("central", self.vault.url)])
        shown = self.home.json("vault", "show", "CENTRAL")
        self.assertEqual((shown["answers"], shown["tokenFile"]), (True, str(self.token_file)))
        self.assertEqual(self.home.json("vault", "show", "signet"), {"name": "signet", "where": "here", "backEnd": "embedded"})
        self.home.run("vault", "show", "nowhere", expect=NOT_FOUND)
        self.assertEqual([record["operation"] for record in self.home.audit()][-1], "linkVault")
        self.home.run("vault", "unlink", "central", expect=DONE)
        self.home.run("vault", "unlink", "central", expect=NOT_FOUND)
        self.home.run("vault", "show", "central", expect=NOT_FOUND)
        token = self.token_file.read_text().strip()
        for file in self.home.path.rglob("*"):
            if file.is_file():
                self.assertNotIn(token.encode(), file.read_bytes(), file)

    def test_a_name_is_a_link_or_a_vault_of_the_home(self):
        self.assertIn("there is a vault 'signet' in this home", self.link(name="signet", expect=REFUSED)["error"]["message"])
        self.link()
        self.assertIn("linked already", self.link(expect=REFUSED)["error"]["message"])
        for command in [["policy", "set", "--principal", "x", "--key-permissions", "all"], ["secret", "set", "s"], ["secret", "list"], ["policy", "show"],
                        ["certificate", "create", "c", "--subject", "CN=c"], ["settings", "set", "--retention-days", "7"], ["key", "delete", "k"]]:
            done = self.home.run("vault", *command, "--vault", "Central", standard_input=b"value")
            self.assertNotEqual(done.returncode, DONE, command)
            self.assertIn(self.vault.url, done.err, command)

    def test_a_link_is_not_served_as_a_vault_of_the_home(self):
        self.link()
        key, certificate = make_authority(self.directory, "own")
        self.home.run("vault", "key", "import", "tls", key, expect=DONE)
        self.home.run("certificate", "add", "tls", certificate, "--key", "tls", expect=DONE)
        done = self.home.run("vault", "serve", "--listen-vault", "central=127.0.0.1:0", "--api-certificate", "tls", expect=REFUSED)
        self.assertIn(f"'central' is linked to the key vault at {self.vault.url}", done.err)

    def test_what_cannot_be_a_link_is_refused(self):
        def refused(*options, **more):
            return self.link(*options, **more)["error"]["message"]

        secret = secret_file(self.directory / "client.secret", "s3cret")
        self.assertIn("https", refused(url="http://localhost:1", expect=USAGE))
        self.assertIn("whole origin", refused(url=self.vault.url + "/vaults/x", expect=USAGE))
        self.assertIn("must not hold a user", refused(url="https://a:b@localhost", expect=USAGE))
        self.assertIn("either a token file, or", self.home.json("vault", "link", "central", "--url", self.vault.url, expect=USAGE)["error"]["message"])
        self.assertIn("authority must be an https URL", refused("--client-id", "me", "--client-secret-file", secret, "--authority", "http://a.example", expect=USAGE))
        self.assertIn("chmod 600", refused("--token-file", secret_file(self.directory / "open", "x", 0o640), expect=DENIED))
        self.assertIn("first line", refused("--token-file", secret_file(self.directory / "empty", ""), expect=USAGE))
        refused("--token-file", self.directory / "absent", expect=NOT_FOUND)
        self.assertEqual(self.home.json("vault", "list"), [{"name": "signet", "where": "here"}])

    def test_keys_are_made_and_shown_there_and_the_rest_is_done_there(self):
        self.vault.let_in("maker", keys="get,list,create,rotate")
        self.link("--token-file", secret_file(self.directory / "maker", self.vault.token("maker")))
        wait_until(lambda: self.home.json("vault", "show", "central")["answers"], "the vault has seen what the maker may do: within a second")
        made = self.home.json("vault", "key", "create", "k1", "--vault", "central", "--kind", "RSA-3072", "--tag", "team=edi")
        there = self.vault.json("vault", "key", "show", "k1")
        self.assertEqual((made["version"], made["kind"], made["publicKey"], made["tags"]), (there["version"], "RSA-3072", there["publicKey"], {"team": "edi"}))
        self.home.run("vault", "key", "create", "k2", "--vault", "central", "--kind", "P-384", expect=DONE)
        second = self.home.json("vault", "key", "rotate", "k1", "--vault", "central")
        shown = self.home.json("vault", "key", "show", "k1", "--vault", "central")
        self.assertEqual([one["version"] for one in shown["versions"]], [second["version"], made["version"]])
        self.assertEqual([one["name"] for one in self.home.json("vault", "key", "list", "--vault", "central")], ["k1", "k2", "tls"])
        for command in [["update", "k1", "--disable"], ["delete", "k1"], ["deleted"], ["rotation", "show", "k1"]]:
            self.assertIn("at that vault itself", self.home.run("vault", "key", *command, "--vault", "central", expect=REFUSED).err)
        self.home.run("vault", "key", "show", "absent", "--vault", "central", expect=NOT_FOUND)

    def test_a_vault_that_something_uses_stays_linked(self):
        self.link()
        self.vault.run("vault", "key", "create", "acme", expect=DONE)
        self.home.run("certificate", "create", "acme", "--vault", "central", "--key", "acme", "--common-name", "acme", expect=DONE)
        self.assertIn("certificate 'acme'", self.home.run("vault", "unlink", "central", expect=REFUSED).err)
        self.home.run("certificate", "delete", "acme", expect=DONE)
        self.home.run("vault", "unlink", "central", expect=DONE)

    def test_a_certificate_of_another_key_is_refused(self):
        self.link()
        for key in ["acme", "other"]:
            self.vault.run("vault", "key", "create", key, expect=DONE)
        self.vault.run("certificate", "create", "other", "--key", "other", "--common-name", "other", "--certificate-file", self.directory / "other.cer", expect=DONE)
        done = self.home.run("certificate", "add", "acme", self.directory / "other.cer", "--vault", "central", "--key", "acme", expect=REFUSED)
        self.assertIn("central/acme", done.err)
        self.home.run("certificate", "add", "acme", self.directory / "other.cer", "--vault", "central", "--key", "other", expect=DONE)


class Exchange(RemoteTest):
    """Globex sends; Acme (self.home) receives and sends without one private key of its own."""

    def fill_home(self, home):
        super().fill_home(home)
        VaultHome(home.directory / "vault").run("vault", "key", "create", "acme", "--kind", "RSA-2048", expect=DONE)
        globex = Home(home.directory / "globex")
        globex.directory.mkdir()
        globex.run("init", expect=DONE)
        globex.run("vault", "key", "create", "globex", "--kind", "RSA-2048", expect=DONE)
        globex.run("certificate", "create", "globex", "--key", "globex", "--common-name", "globex", "--certificate-file", home.directory / "globex.cer",
                   expect=DONE)

    def setUp(self):
        super().setUp()
        self.globex = Home(self.directory / "globex")
        self.addCleanup(self.globex.stop)
        self.link()
        self.home.run("certificate", "create", "acme", "--vault", "central", "--key", "acme", "--common-name", "acme", "--certificate-file",
                      self.home.directory / "acme.cer", expect=DONE)
        for name in ["acme", "globex"]:
            (self.globex.directory / f"{name}.cer").write_bytes((self.home.directory / f"{name}.cer").read_bytes())
        self.document = self.directory / "order.edi"
        self.document.write_bytes(ORDER)
        self.globex.start()
        account = self.account_xml(self.home, url=f"http://127.0.0.1:{self.globex.port}/as2")
        account.write_text(account.read_text().replace("<keyVault>signet</keyVault>", "<keyVault>central</keyVault>"))
        self.home.run("apply", account, expect=DONE)
        self.home.start("--operations-listen", "127.0.0.1:0")
        partner = self.account_xml(self.globex, "globex", "acme", f"http://127.0.0.1:{self.home.port}/as2")
        partner.write_text(partner.read_text().replace("</agreement>", '<x:retry attempts="100" firstInterval="300ms" factor="1"/></agreement>'))
        self.globex.run("apply", partner, expect=DONE)
        self.assertEqual(self.private_rows(), [0, 0, 0, 0])

    def send(self, home, *options, expect=DONE):
        return home.json("send", "--agreement", "trade", self.document, *options, expect=expect)

    def delivered(self, home):
        folder = home.path / "delivery" / "trade"
        return [file.read_bytes() for file in folder.glob("*") if file.suffix != ".json" and not file.name.startswith(".")] if folder.exists() else []

    def ready(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.home.ports["operations"], timeout=60)
        connection.request("GET", "/ready")
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def test_messages_are_opened_and_receipts_signed_by_keys_elsewhere(self):
        sent = self.send(self.globex)
        self.assertEqual(sent["state"], "confirmed")
        wait_until(lambda: self.delivered(self.home) == [ORDER], "the document is handed over")
        self.assertEqual(self.send(self.home)["state"], "confirmed")
        wait_until(lambda: self.delivered(self.globex) == [ORDER], "the answer is handed over")
        received = self.home.json("message", "list", "--direction", "inbound")[0]
        self.assertEqual(self.ready()[0], 200)
        self.home.stop()
        version = self.vault.json("vault", "key", "show", "acme")["version"]
        ours = [record for record in self.home.audit() if record["message"] == received["id"]]
        self.assertEqual([[record[name] for name in ["operation", "result", "principal", "vault", "key", "version"]] for record in ours],
                         [[operation, "success", "gateway", "central", "acme", version] for operation in ["decrypt", "sign"]])
        for record in ours:
            self.assertIn(f"at {self.vault.url}", record["detail"])
        theirs = [record["operation"] for record in self.vault.audit() if record["principal"] == "acme-gateway" and record.get("key")]
        self.assertGreaterEqual(theirs.count("sign"), 2)
        self.assertEqual(self.private_rows(), [0, 0, 0, 0])
        self.home.run("audit", "verify", expect=DONE)

    def test_while_the_vault_is_gone_nothing_is_lost_and_nothing_comes_twice(self):
        self.assertEqual(self.send(self.globex)["state"], "confirmed")
        self.vault.kill()
        queued = self.send(self.globex, "--queue")
        wait_until(lambda: "503" in str(self.globex.json("message", "show", queued["id"])), "the message is answered 503")
        status, text = self.ready()
        self.assertEqual(status, 503)
        self.assertIn("central", text)
        self.assertEqual(self.send(self.home, expect=UNAVAILABLE)["error"]["kind"], "Unavailable")
        self.assertEqual(len(self.delivered(self.home)), 1)
        port = self.home.port
        self.home.stop()
        self.home.start("--listen", f"127.0.0.1:{port}", "--operations-listen", "127.0.0.1:0")  # and has not seen a key
        attempts = self.globex.json("message", "show", queued["id"])["attempts"]
        wait_until(lambda: self.globex.json("message", "show", queued["id"])["attempts"] > attempts + 1, "it was tried again")
        self.assertIn("503", str(self.globex.json("message", "show", queued["id"])))
        self.vault.start()
        wait_until(lambda: self.globex.json("message", "show", queued["id"])["state"] == "confirmed", "the message is confirmed")
        wait_until(lambda: len(self.delivered(self.home)) == 2, "the document is handed over")
        wait_until(lambda: self.ready()[0] == 200, "the gateway is ready again")
        time.sleep(0.5)
        self.assertEqual(self.delivered(self.home), [ORDER, ORDER])

    def test_what_the_vault_refuses_is_our_trouble_and_not_the_partners(self):
        for keys in ["get,list,sign", "get,list,decrypt"]:
            self.vault.run("vault", "policy", "set", "--principal", "acme-gateway", "--key-permissions", keys, expect=DONE)
            time.sleep(1.5)  # a running vault takes that up within a second
            sent = self.send(self.globex, expect=PENDING)
            self.assertIn("503", str(sent))
            self.assertEqual(self.delivered(self.home), [])
        self.vault.run("vault", "policy", "set", "--principal", "acme-gateway", "--key-permissions", KEYS, expect=DONE)
        wait_until(lambda: len(self.delivered(self.home)) == 2, "both documents are handed over")

    def test_a_new_token_counts_at_once(self):
        self.vault.run("token", "revoke", self.vault.json("token", "list", "acme-gateway")[0]["id"], expect=DONE)
        sent = self.send(self.globex, expect=PENDING)
        secret_file(self.token_file, self.vault.token("acme-gateway"))
        wait_until(lambda: self.globex.json("message", "show", sent["id"])["state"] == "confirmed", "the message is confirmed")

    def test_passwords_may_be_secrets_there(self):
        secret = "correct horse battery"
        self.vault.run("vault", "secret", "set", "globex-password", expect=DONE, standard_input=secret.encode())
        account = self.home.directory / "account.xml"
        text = account.read_text()
        basic = '<x:requireBasicAuthentication userName="globex" keyVault="central" secretName="globex-password"/>'
        self.assertIn("</receiveAgreement>", text)
        account.write_text(text.replace("</receiveAgreement>", basic + "</receiveAgreement>"))
        self.home.run("apply", account, expect=DONE)
        self.assertEqual(self.post("wrong"), 401)
        self.assertNotEqual(self.post(secret), 401)
        used, = [record for record in self.home.audit() if record["operation"] == "getSecret"][-1:]
        self.assertEqual((used["vault"], used["secret"], used["result"]), ("central", "globex-password", "success"))
        self.assertEqual(self.private_rows(), [0, 0, 0, 0])
        self.vault.kill()
        self.assertEqual(self.post(secret), 503)

    def post(self, password):
        """Something of globex's, under its name and this password. Returns the status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.home.port, timeout=60)
        given = base64.b64encode(f"globex:{password}".encode()).decode()
        connection.request("POST", "/as2", ORDER, {"AS2-From": "globex", "AS2-To": "acme", "Message-ID": f"<{time.monotonic()}@x>",
                                                   "Content-Type": "application/edifact", "Authorization": f"Basic {given}"})
        status = connection.getresponse().status
        connection.close()
        return status


class Scripted(http.server.BaseHTTPRequestHandler):
    """A server over TLS that answers as the test says."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.do_POST()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append((self.command, self.path, dict(self.headers), body))
        status, fields, text = self.server.answer(self.command, self.path, self.headers, body)
        text = text if isinstance(text, bytes) else json.dumps(text).encode()
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(text)


@contextlib.contextmanager
def tls_server(key, certificate, answer):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    server.daemon_threads = True
    server.answer, server.requests = answer, []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        server.url = f"https://localhost:{server.server_address[1]}"
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Distrust(RemoteTest):
    """What is no vault of ours, or does not know us, is told apart in words; and nothing of ours is shown to it."""

    def reason(self, name="central", **options):
        """Links, and says why the vault does not answer."""
        made = self.link(name=name, **options)
        self.home.run("vault", "unlink", made["name"], expect=DONE)
        warning, = made["warnings"]
        self.assertIn(f"key vault '{name}' (https://localhost:", warning)
        self.assertNotIn(self.token_file.read_text().strip(), str(made))
        return warning

    def test_a_token_that_is_wrong_over_or_not_enough_is_said(self):
        secret_file(self.token_file, "nonsense")
        self.assertRegex(self.reason(), rf"does not take the token in {self.token_file}.*401.*none that was given out here")
        self.vault.let_in("little", keys="sign", secrets="none")
        secret_file(self.token_file, self.vault.token("little"))
        time.sleep(1.5)
        self.assertRegex(self.reason(), "403.*'list'")
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
        secret_file(self.token_file, self.vault.token("acme-gateway", "--expires", soon.strftime("%Y-%m-%dT%H:%M:%SZ")))
        time.sleep(2.5)
        self.assertRegex(self.reason(), "401.*the token has ended")

    def test_an_authority_that_does_not_vouch_is_not_believed(self):
        _, other = make_authority(self.directory, "other")
        self.assertRegex(self.reason(ca=other), "tls-untrusted")
        key, elsewhere = make_authority(self.directory, "elsewhere", host="elsewhere.example")
        with tls_server(key, elsewhere, lambda *_: (200, {}, {"value": []})) as server:
            self.assertRegex(self.reason(ca=elsewhere, url=server.url), "tls-name-mismatch")
            self.assertEqual(server.requests, [])

    def test_what_no_vault_answers_is_not_taken_for_an_answer(self):
        key, certificate = make_authority(self.directory, "server")
        answers = {
            "a redirect, and none is followed": (307, {"Location": "https://localhost:1/keys"}, {}),
            "cannot be read": (200, {}, b"<html>"),
            "no member 'value'|cannot be read": (200, {}, b"[]"),
            "answers 404": (404, {}, b"no such page"),
            "answers 500": (500, {}, b""),
            "asked more than it allows": (429, {"Retry-After": "3600"}, {"error": {"code": "Throttled", "message": "slow down"}}),
        }

        def wait_for(silent):
            began = time.monotonic()
            return self.reason("silent", ca=certificate, url=silent.url), time.monotonic() - began

        with concurrent.futures.ThreadPoolExecutor() as beside, tls_server(key, certificate, lambda *_: time.sleep(30)) as silent:
            never_answered = beside.submit(wait_for, silent)
            for words, answer in answers.items():
                with tls_server(key, certificate, lambda *_, answer=answer: answer) as server:
                    self.assertRegex(self.reason(ca=certificate, url=server.url), words)
            with tls_server(key, certificate, lambda *_: (200, {}, b" " * 10_000_000)) as server:
                self.assertRegex(self.reason(ca=certificate, url=server.url), "answer")
            self.assertRegex(self.reason(url="https://localhost:1"), "(?i)connect")
            reason, seconds = never_answered.result()
            self.assertRegex(reason, "(?i)time")
            self.assertLess(seconds, 28)

    def test_retry_after_is_heeded(self):
        key, certificate = make_authority(self.directory, "server")
        began, times = time.monotonic(), []

        def answer(*_):
            times.append(time.monotonic() - began)
            return (429, {"Retry-After": "1"}, {"error": {"code": "Throttled", "message": "later"}}) if len(times) == 1 else (200, {}, {"value": []})

        with tls_server(key, certificate, answer) as server:
            self.assertEqual(self.link(ca=certificate, url=server.url)["warnings"], [])
        self.assertEqual(len(times), 2)
        self.assertGreaterEqual(times[1] - times[0], 1)


class Authority(RemoteTest):
    """OAuth 2.0 client credentials: a vault that challenges, and an authority that gives tokens out."""

    SECRET = "the client's s3cret & more"

    def setUp(self):
        super().setUp()
        self.key, self.certificate = make_authority(self.directory, "server")
        self.tokens, self.life = [], 3600
        self.secret = secret_file(self.directory / "client.secret", self.SECRET)

    def authority(self, method, path, headers, body):
        form = dict(urllib.parse.parse_qsl(body.decode()))
        if path != "/tenant/oauth2/v2.0/token" or form.get("client_secret") != self.SECRET:
            return 401, {}, {"error": "invalid_client", "error_description": f"AADSTS7000215: Invalid client secret {form.get('client_secret')}"}
        self.assertEqual((form["grant_type"], form["client_id"], form["scope"]), ("client_credentials", "me", "https://localhost/.default"))
        self.tokens.append(f"token-{len(self.tokens)}")
        return 200, {}, {"token_type": "Bearer", "expires_in": self.life, "access_token": self.tokens[-1]}

    def vault_that_challenges(self, authority, resource="https://localhost"):
        challenge = {"WWW-Authenticate": f'Bearer authorization="{authority}", resource="{resource}"'}
        self.valid = lambda token: token in self.tokens

        def answer(method, path, headers, body):
            token = (headers.get("Authorization") or "").removeprefix("Bearer ")
            if not token or not self.valid(token):
                return 401, challenge, {"error": {"code": "Unauthorized", "message": "AKV10000: Request is missing a Bearer or PoP token."}}
            return 200, {}, {"value": []}
        return answer

    def link_as_client(self, vault, authority, **options):
        return self.link("--client-id", "me", "--client-secret-file", self.secret, "--authority", authority, url=vault.url, ca=self.certificate, **options)

    @contextlib.contextmanager
    def both(self, tenant="/tenant", **options):
        with tls_server(self.key, self.certificate, self.authority) as authority:
            with tls_server(self.key, self.certificate, self.vault_that_challenges(authority.url + tenant, **options)) as vault:
                yield vault, authority

    def test_the_challenge_is_answered_with_a_token_of_the_authority(self):
        with self.both() as (vault, authority):
            self.assertEqual(self.link_as_client(vault, authority.url)["warnings"], [])
            self.assertEqual(self.tokens, ["token-0"])
            first, second = vault.requests
            self.assertNotIn("Authorization", first[2])
            self.assertEqual(second[2]["Authorization"], "Bearer token-0")
            self.assertIn("api-version=7.4", second[1])
            self.assertNotIn(self.SECRET, str(vault.requests))

    def test_no_other_authority_is_shown_the_secret(self):
        with self.both() as (vault, authority):
            for allowed in ["https://login.example", authority.url + "/other", authority.url + "/ten"]:
                made = self.link_as_client(vault, allowed)
                self.assertIn("shown to no other", made["warnings"][0])
                self.home.run("vault", "unlink", "central", expect=DONE)
            self.assertEqual(authority.requests, [])

    def test_no_token_is_asked_for_somebody_elses_resource(self):
        with self.both(resource="https://bank.example") as (vault, authority):
            self.assertIn("it is no part of", self.link_as_client(vault, authority.url)["warnings"][0])
            self.assertEqual(authority.requests, [])

    def test_a_wrong_secret_is_said_and_not_repeated(self):
        with self.both() as (vault, authority):
            secret_file(self.secret, "wrong-one")
            warning = self.link_as_client(vault, authority.url)["warnings"][0]
            self.assertRegex(warning, "no token for client 'me'.*401")
            self.assertNotIn("wrong-one", warning)

    def test_a_challenge_that_says_nothing_is_no_vaults(self):
        with tls_server(self.key, self.certificate, self.authority) as authority:
            with tls_server(self.key, self.certificate, lambda *_: (401, {"WWW-Authenticate": "Basic realm=x"}, {})) as vault:
                self.assertIn("expected a challenge", self.link_as_client(vault, authority.url)["warnings"][0])


if __name__ == "__main__":
    cli_test.main(__doc__)
