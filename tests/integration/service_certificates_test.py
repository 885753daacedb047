#!/usr/bin/env python3
"""Service certificates: names in serve.toml, bound to certificates of the vault, and rotated under load.

Usage: service_certificates_test.py --signet BINARY [TestClass...].
"""

import contextlib
import hashlib
import json
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import cli_test
from account_api_test import AccountTest
from cli_test import DONE, NOT_FOUND, REFUSED, USAGE, CommandTest, Home, TwoCompanies, wait_until

HOST, OTHER_HOST = "as2.example.com", "as2.example.org"
SWITCH_TIME = 1.0  # seconds that a gateway takes at most to show what a name is bound to, with time to spare


class Authority:
    """A root, an authority below it, and what that one issues: PFX files with their chain, as an operator gets them."""

    def __init__(self, directory):
        self.directory = directory

    def found(self):
        directory = self.directory
        (directory / "openssl.cnf").write_text("[req]\ndistinguished_name = dn\n[dn]\n")  # no extensions but those that are said
        (directory / "pass.txt").write_text("secret\n")
        authority = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-days", "30"]
        self.make("root", "/CN=Root", *authority)
        self.make("issuing", "/CN=Issuing", *authority, "-CA", "root.pem", "-CAkey", "root.key")
        return self

    def make(self, name, subject, *options, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        subprocess.run(["openssl", "req", "-config", "openssl.cnf", "-x509", "-newkey", *key, "-nodes", "-subj", subject, "-keyout", f"{name}.key",
                        "-out", f"{name}.pem", *options], cwd=self.directory, check=True, capture_output=True)

    def issue(self, name, *hosts, days=30, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), extensions=(), self_signed=False, chain=True):
        """Returns the PFX, whose passphrase is in pass.txt."""
        names = ",".join(f"DNS:{host}" for host in hosts)
        options = ["-days", str(abs(days)), "-addext", "basicConstraints=critical,CA:FALSE"]
        options += ["-addext", f"subjectAltName={names}"] if names else []
        options += [option for extension in extensions for option in ("-addext", extension)]
        options += [] if self_signed or days < 0 else ["-CA", "issuing.pem", "-CAkey", "issuing.key"]
        self.make(name, f"/CN={hosts[0] if hosts else name}", *options, key=key)
        if days < 0:  # over for so long: `req` makes none of these
            self.sign_again(name, "-days", str(days))
        with_chain = ["-certfile", "issuing.pem"] if chain and not self_signed else []
        subprocess.run(["openssl", "pkcs12", "-export", "-in", f"{name}.pem", "-inkey", f"{name}.key", "-out", f"{name}.pfx", "-passout", "file:pass.txt",
                        *with_chain], cwd=self.directory, check=True, capture_output=True)
        return self.directory / f"{name}.pfx"

    def sign_again(self, name, *options):
        subprocess.run(["openssl", "x509", "-in", f"{name}.pem", "-CA", "issuing.pem", "-CAkey", "issuing.key", "-CAcreateserial", "-out", f"{name}.new", *options],
                       cwd=self.directory, check=True, capture_output=True)
        (self.directory / f"{name}.new").rename(self.directory / f"{name}.pem")

    def thumbprint(self, name, algorithm="sha256"):
        der = ssl.PEM_cert_to_DER_cert((self.directory / f"{name}.pem").read_text())
        return hashlib.new(algorithm, der).hexdigest().upper()


def spread(thumbprint):
    """As Windows' dialog gives it to who copies it: with an invisible mark in front, and spaces between."""
    return "\u200e" + " ".join(thumbprint[i:i + 2] for i in range(0, len(thumbprint), 2)).lower()


class ServiceCertificates(CommandTest):
    """A home with an authority beside it. Names are defined by serve.toml."""

    DEFINITIONS = [f"www={HOST}", f"org={OTHER_HOST}", "signer", "issuing:intermediate"]

    def fill_home(self, home):
        super().fill_home(home)
        Authority(home.directory).found()

    def setUp(self):
        super().setUp()
        self.copy_template()
        self.authority = Authority(self.directory)

    def settings(self, text="", definitions=None, home=None):
        defined = json.dumps(self.DEFINITIONS if definitions is None else definitions)
        ((home or self.home).path / "serve.toml").write_text(f"service-certificate = {defined}\n{text}")

    def take_in(self, name, *hosts, into=None, home=None, **options):
        """Issues a certificate and imports it as a new version of the vault's certificate `into`. Returns its thumbprint."""
        home = home or self.home
        authority = Authority(home.directory)
        pfx = authority.issue(name, *hosts, **options)
        home.run("vault", "certificate", "import", into or name, pfx, "--passphrase-file", home.directory / "pass.txt", expect=DONE)
        return authority.thumbprint(name)

    def bind(self, *pairs, expect=DONE, options=()):
        return self.home.json("binding", "set", *pairs, *options, expect=expect)

    def bound(self, name="www"):
        binding = self.home.json("binding", "show", name)["binding"]
        return binding and binding["thumbprint"]

    def refused(self, *pairs):
        answer = self.bind(*pairs, expect=REFUSED)
        self.assertFalse(answer["changed"])
        return "\n".join(f"{refusal['name']}: {refusal['reason']}" for refusal in answer["refusals"])

    def start(self, *arguments):
        self.home.start("--listen-tls", "127.0.0.1:0", *arguments)
        self.tls_port = self.home.ports["as2-tls"]

    def context(self, version=None):
        """Of somebody who knows the root and nothing else."""
        context = ssl.create_default_context(cafile=self.directory / "root.pem")
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def connect(self, host=HOST, context=None, session=None):
        plain = socket.create_connection(("127.0.0.1", self.tls_port), timeout=60)
        return (context or self.context()).wrap_socket(plain, server_hostname=host, session=session)

    @staticmethod
    def thumbprint_of(connection):
        return hashlib.sha256(connection.getpeercert(binary_form=True)).hexdigest().upper()

    def shown(self, host=HOST):
        with self.connect(host) as connection:
            return self.thumbprint_of(connection)

    def ask(self, connection):
        """One request over an open connection, which stays open. Returns the status."""
        connection.sendall(b"GET /as2 HTTP/1.1\r\nHost: x\r\n\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            octets = connection.recv(4096)
            if not octets:
                raise ConnectionError("closed")
            head += octets
        head, _, rest = head.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        missing = int(fields.get(b"content-length", b"0")) - len(rest)
        while missing > 0:
            missing -= len(connection.recv(missing))
        return int(head.split()[1])

    def wait_until_shown(self, thumbprint, host=HOST):
        wait_until(lambda: self.shown(host) == thumbprint, f"{thumbprint} is shown")


class Rotation(ServiceCertificates):
    """What a name is bound to while a gateway runs."""

    def fill_home(self, home):
        super().fill_home(home)
        first = self.take_in("first", HOST, into="www", home=home)
        self.take_in("second", HOST, into="www", home=home)
        self.settings('tls-certificate = "www"\n', home=home)
        home.run("binding", "set", "www", first, expect=DONE)

    def setUp(self):
        super().setUp()
        self.first, self.second = map(self.authority.thumbprint, ("first", "second"))
        self.start()

    def test_new_handshakes_see_the_new_certificate_and_nobody_is_disturbed(self):
        self.assertEqual(self.shown(), self.first)
        stop, troubles, requests = threading.Event(), [], []

        def keep_alive():
            try:
                with self.connect() as connection:
                    began_with = self.thumbprint_of(connection)
                    while not stop.is_set():
                        requests.append(self.ask(connection))
                    assert self.thumbprint_of(connection) == began_with == self.first
            except Exception as trouble:  # pylint: disable=broad-except
                troubles.append(repr(trouble))

        def come_and_go():
            try:
                while not stop.is_set():
                    with self.connect() as connection:
                        assert self.thumbprint_of(connection) in {self.first, self.second}
                        requests.append(self.ask(connection))
            except Exception as trouble:  # pylint: disable=broad-except
                troubles.append(repr(trouble))

        threads = [threading.Thread(target=work) for work in [keep_alive] * 3 + [come_and_go] * 2]
        for thread in threads:
            thread.start()
        while len(requests) < 50 and not troubles:
            time.sleep(0.01)
        changed = self.bind("www", self.second)
        self.wait_until_shown(self.second)
        before = len(requests)
        while len(requests) < before + 50 and not troubles:
            time.sleep(0.01)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(troubles, [])
        self.assertEqual(set(requests), {200})
        self.assertEqual(changed["changes"], [{"name": "www", "before": {"thumbprint": self.first, "thumbprintAlgorithm": "sha256"},
                                               "after": {"thumbprint": self.second, "thumbprintAlgorithm": "sha256"}}])
        record = self.home.audit("bindServiceCertificate")[-1]
        self.assertEqual((record["principal"], record["result"]), ("operator", "success"))
        self.assertIn("www", json.dumps(record))
        self.assertEqual(record["detail"], f"sha256 {self.first} -> sha256 {self.second}")
        event = self.home.events("service-certificate-bound")[0]
        self.assertEqual([event[what] for what in ["name", "before", "now"]], ["www", f"sha256 {self.first}", f"sha256 {self.second}"])

    def test_back_to_the_old_certificate(self):
        self.bind("www", self.second)
        self.wait_until_shown(self.second)
        self.bind("www", self.first)
        self.wait_until_shown(self.first)
        self.assertEqual([one["thumbprint"] for one in self.home.json("binding", "show", "www")["binding"]["earlier"]], [self.second])

    def test_no_session_outlives_the_identity(self):
        contexts = {version: self.context(version) for version in [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]}
        sessions = {}
        for version, context in contexts.items():
            with self.connect(context=context) as connection:
                self.ask(connection)  # TLS 1.3 gives its tickets after the handshake
                sessions[version] = connection.session
            with self.connect(context=context, session=sessions[version]) as connection:
                self.assertTrue(connection.session_reused, version)
        self.bind("www", self.second)
        self.wait_until_shown(self.second)
        for version, context in contexts.items():
            with self.connect(context=context, session=sessions[version]) as connection:
                self.assertEqual(self.ask(connection), 200)
                self.assertFalse(connection.session_reused, version)
                self.assertEqual(self.thumbprint_of(connection), self.second)

    def test_what_is_refused_leaves_the_running_one(self):
        late = self.take_in("late", HOST, days=-1)
        self.assertIn("expired at", self.refused("www", late))
        self.home.gateway.send_signal(signal.SIGHUP)
        time.sleep(SWITCH_TIME)
        self.assertEqual((self.shown(), self.bound()), (self.first, self.first))

    def test_thumbprints_come_in_any_form(self):
        self.bind("www", spread(self.second))
        self.assertEqual(self.bound(), self.second)
        sha1 = self.authority.thumbprint("first", "sha1")
        answer = self.bind("www", spread(sha1), options=["--algorithm", "sha1"])
        self.assertIn("SHA-1", answer["warnings"][0])
        self.assertEqual(self.bound(), sha1)
        self.wait_until_shown(self.first)
        refused = self.bind("www", sha1, options=["--algorithm", "sha256"], expect=REFUSED)
        self.assertIn("40 hexadecimal digits", refused["refusals"][0]["reason"])

    def test_a_dry_run_tells_and_changes_nothing(self):
        answer = self.bind("www", self.second, options=["--dry-run"])
        self.assertEqual((answer["changed"], len(answer["changes"])), (False, 1))
        self.assertEqual(self.bound(), self.first)
        self.assertEqual(self.bind("www", self.first)["changes"], [], "it is that already")

    def test_what_a_name_stands_for_is_not_deleted(self):
        delete = ["vault", "certificate", "delete", "www"]
        self.assertIn("'www'", self.home.json(*delete, expect=REFUSED)["error"]["message"])
        self.bind("www", self.take_in("third", HOST))
        self.home.run(*delete, expect=DONE)
        self.assertIn("'www' is named by tls-certificate", self.home.run("binding", "delete", "www", expect=REFUSED).err)

    def test_a_new_start_shows_it_and_one_without_a_certificate_is_none(self):
        self.bind("www", self.second)
        self.home.stop()
        self.start()
        self.assertEqual(self.shown(), self.second)
        self.home.stop()
        self.settings('tls-certificate = "org"\n')
        done = self.home.run("serve", "--listen-tls", "127.0.0.1:0")
        self.assertEqual(done.returncode, NOT_FOUND, done.err)
        self.assertIn("no service certificate is bound under this name", done.err)


class Names(ServiceCertificates):
    """Several names, intermediates, and definitions."""

    def test_each_host_sees_its_own(self):
        self.settings('tls-certificate = ["www", "org"]\n')
        www, org = self.take_in("www", HOST), self.take_in("org", OTHER_HOST)
        self.bind("www", www, "org", org)
        self.start()
        self.assertEqual([self.shown(HOST), self.shown(OTHER_HOST)], [www, org])
        context = self.context()
        context.check_hostname = False
        for host in ["unknown.example", None]:
            with self.connect(host, context) as connection:
                self.assertEqual(self.thumbprint_of(connection), www, "the first is for everybody else")
        renewed = self.take_in("renewed", OTHER_HOST)
        self.bind("org", renewed)
        self.wait_until_shown(renewed, OTHER_HOST)
        self.assertEqual(self.shown(HOST), www)

    def test_an_intermediate_is_sent_by_its_name(self):
        self.settings('tls-certificate = "www"\n')
        self.bind("www", self.take_in("www", HOST, chain=False))
        self.start()
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.shown()
        self.home.run("certificate", "add", "anything", self.directory / "root.pem", expect=DONE)
        self.assertIn("is no public certificate of the account", self.refused("issuing", self.authority.thumbprint("issuing")))
        self.home.run("certificate", "add", "ca-2026", self.directory / "issuing.pem", expect=DONE)
        self.bind("issuing", self.authority.thumbprint("issuing"))

        def shown():
            with contextlib.suppress(ssl.SSLCertVerificationError):
                return self.shown()

        self.assertEqual(wait_until(shown, "the intermediate is sent"), self.authority.thumbprint("www"))
        self.assertIn("the binding of the service certificate 'issuing'", self.home.run("certificate", "delete", "ca-2026", expect=REFUSED).err)

    def test_what_the_file_defines_anew_counts_from_a_reload(self):
        www, org = self.take_in("www", HOST), self.take_in("org", OTHER_HOST)
        self.settings('tls-certificate = "www"\n', [f"www={HOST}"])
        self.bind("www", www)
        self.start()
        self.settings('tls-certificate = ["www", "org"]\n', [f"www={HOST}", f"org={OTHER_HOST}"])
        self.bind("org", org)
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.shown(OTHER_HOST)
        self.settings('tls-certificate = ["www", "org"]\n', [f"www={HOST}", "org"])  # a mistake: `org` has no host
        self.home.gateway.send_signal(signal.SIGHUP)
        self.home.wait_for_event("settings-not-reloaded")
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.shown(OTHER_HOST)
        self.settings('tls-certificate = ["www", "org"]\n', [f"www={HOST}", f"org={OTHER_HOST}"])
        self.home.gateway.send_signal(signal.SIGHUP)
        self.home.wait_for_event("settings-reloaded")
        self.assertEqual([self.shown(HOST), self.shown(OTHER_HOST)], [www, org])

    def test_a_definition_of_the_command_line_alone_is_warned_of(self):
        self.home.start("--service-certificate", f"www={HOST}")
        self.home.wait_for_event("service-certificates-not-in-file")
        self.home.stop()
        self.home.log.unlink()
        self.settings()
        self.home.start()
        self.assertEqual(self.home.events("service-certificates-not-in-file"), [])

    def test_a_name_is_bound_anew_while_the_gateway_is_sealed(self):
        passphrase = self.directory / "passphrase"
        passphrase.write_text("correct horse battery staple\n")
        first, second = self.take_in("first", HOST, into="www"), self.take_in("second", HOST, into="www")
        self.settings('tls-certificate = "www"\n', [f"www={HOST}"])
        self.bind("www", first)
        self.home.run("vault", "rotate-master-key", "--passphrase-file", passphrase, expect=DONE)
        self.start()  # without the passphrase
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.shown()
        self.home.environment["SIGNET_PASSPHRASE_FILE"] = str(passphrase)
        self.bind("www", second)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.shown()
        self.home.run("vault", "unseal", "--passphrase-file", passphrase, expect=DONE)
        self.assertEqual(self.shown(), second)

    def test_a_definition_with_a_mistake_is_one_of_the_settings(self):
        self.settings('tls-certificate = "www"\n', ["www"])
        self.assertIn("says no host", self.home.run("serve", expect=USAGE).err)
        self.settings(definitions=["www=a.example:elevate"])
        self.assertIn("no use of a service certificate", self.home.run("serve", expect=USAGE).err)
        self.settings(definitions=["www", "WWW"])
        self.assertIn("defined twice", self.home.run("binding", "list", expect=USAGE).err)

    def test_an_accounts_certificate_serves_until_its_name_is_bound(self):
        self.settings('tls-certificate = "www"\n')
        self.authority.issue("old", HOST)
        self.home.run("vault", "key", "import", "old", self.directory / "old.key", expect=DONE)
        self.home.run("certificate", "add", "www", self.directory / "old.pem", "--key", "old", expect=DONE)
        self.home.run("certificate", "add", "between", self.directory / "issuing.pem", expect=DONE)
        self.start()
        self.assertEqual(self.shown(), self.authority.thumbprint("old"))
        new = self.take_in("new", HOST)
        self.bind("www", new)
        self.wait_until_shown(new)
        status = self.home.json("status")
        expiring = next(one for one in status["certificates"] if one["name"] == "www")
        self.assertEqual(expiring["daysUntilExpiry"], 29)
        self.assertIn("tlsServer", json.dumps(expiring))
        self.home.run("certificate", "delete", "www", expect=DONE)
        self.assertEqual(self.shown(), new, "nobody goes by the account's any more")


class Refusals(ServiceCertificates):
    """A bad change is refused as a whole, with every reason."""

    def fill_home(self, home):
        super().fill_home(home)
        self.settings('tls-certificate = "www"\n', home=home)
        home.run("binding", "set", "www", self.take_in("good", HOST, home=home), expect=DONE)

    def setUp(self):
        super().setUp()
        self.good = self.authority.thumbprint("good")

    def tearDown(self):
        self.assertEqual(self.bound(), self.good, "what was there stays")
        super().tearDown()

    def test_what_is_not_there(self):
        self.assertIn("is not defined", self.refused("web", self.good))
        self.assertIn("is not in key vault 'signet'", self.refused("www", "AB" * 32))
        self.assertIn("is no thumbprint", self.refused("www", "xyz"))
        self.home.run("binding", "set", "www", expect=USAGE)
        self.home.run("binding", "show", "web", expect=NOT_FOUND)

    def test_one_without_a_private_key(self):
        self.authority.issue("public", HOST)
        self.home.run("certificate", "add", "public", self.directory / "public.pem", expect=DONE)
        self.assertIn("has no private key", self.refused("www", self.authority.thumbprint("public")))

    def test_a_key_that_the_gateway_may_not_use(self):
        other = self.take_in("other", HOST)
        policy = ["vault", "policy", "set", "--principal", "gateway", "--key-permissions"]
        for permissions in ["decrypt,get,list", "decrypt,sign,list"]:
            self.home.run(*policy, permissions, expect=DONE)
            self.assertIn("has a key that the gateway cannot use", self.refused("www", other), permissions)
        self.home.run(*policy, "decrypt,sign,get,list", expect=DONE)
        self.home.run("vault", "certificate", "update", "other", "--disable", expect=DONE)
        self.assertIn("is disabled", self.refused("www", other))

    def test_a_time_a_host_a_use_and_no_authority(self):
        for name, expected, hosts, options in [
                ("late", "expired at", [HOST], {"days": -1}),
                ("host", f"is for {OTHER_HOST}, not for the host {HOST}", [OTHER_HOST], {}),
                ("client", "is not for TLS servers", [HOST], {"extensions": ["extendedKeyUsage=clientAuth"]}),
                ("self", "is self-signed", [HOST], {"self_signed": True})]:
            with self.subTest(name):
                self.assertIn(expected, self.refused("www", self.take_in(name, *hosts, **options)))

    def test_a_weak_key_comes_into_no_vault(self):
        pfx = self.authority.issue("weak", HOST, key=("rsa:1024",))
        done = self.home.run("vault", "certificate", "import", "weak", pfx, "--passphrase-file", self.directory / "pass.txt")
        self.assertNotEqual(done.returncode, DONE)
        self.assertIn("is not in key vault", self.refused("www", self.authority.thumbprint("weak")))

    def test_all_reasons_at_once_and_nothing_of_the_others(self):
        late = self.take_in("late", OTHER_HOST, days=-1)
        org = self.take_in("org", OTHER_HOST)
        reasons = self.refused("org", org, "www", late, "web", org)
        for expected in ["expired at", f"not for the host {HOST}", "web: is not defined"]:
            self.assertIn(expected, reasons)
        self.assertIsNone(self.home.json("binding", "show", "org")["binding"])
        record = self.home.audit("bindServiceCertificate")[-1]
        self.assertEqual(record["result"], "failed")
        self.assertIn("expired at", record["detail"])

    def test_a_self_signed_one_is_for_development(self):
        own = self.take_in("own", HOST, self_signed=True)
        self.assertIn("is self-signed", self.refused("www", own))
        self.settings('self-signed-certificates = "allowed"\n')
        self.assertIn("self-signed", self.bind("www", own)["warnings"][0])
        self.settings()
        problems = self.home.json("binding", "check", expect=REFUSED)["problems"]
        self.assertEqual([problem["name"] for problem in problems], ["www"])
        self.bind("www", self.good)
        self.home.run("binding", "check", expect=DONE)


class Messages(TwoCompanies):
    """Roles of agreements that name a service certificate."""

    def fill_home(self, home):
        super().fill_home(home)
        self.authority = Authority(home.directory).found()
        globex = Home(home.directory / "globex")
        for each in [home, globex]:
            (each.path / "serve.toml").write_text('service-certificate = ["acme", "globex", "www=as2.example.com:elevated"]\n')
        for name in ["g1", "g2"]:
            self.take_in(globex, name, key=("rsa:2048",))

    def setUp(self):
        super().setUp()
        self.authority = Authority(self.directory)
        self.first, self.second = map(self.authority.thumbprint, ("g1", "g2"))

    def take_in(self, home, name, host="as2.example.com", **options):
        pfx = self.authority.issue(name, host, **{"self_signed": True, **options})
        home.run("vault", "certificate", "import", name, pfx, "--passphrase-file", pfx.parent / "pass.txt", expect=DONE)
        return self.authority.thumbprint(name)

    def apply(self, home, *certificates, expect=DONE):
        """The guest's certificates of home's agreement: the first is used to encrypt, all of them verify."""
        host, guest = ("acme", "globex") if home is self.home else ("globex", "acme")
        text = self.account_xml(home, host=host, guest=guest, url=f"http://127.0.0.1:{self.globex.port}/as2").read_text()
        entries = "".join(f'<certificate name="{name}"><publicCertificate x:file="{self.directory / name}.pem"/></certificate>' for name in certificates)
        listed = "".join(f'<x:certificate name="{name}"/>' for name in certificates)
        text = text.replace("</certificates>", entries + "</certificates>", 1)
        if certificates:
            text = text.replace("</securitySettings>\n      </receiveAgreement>",
                                f'</securitySettings><x:certificates role="verifyMessage">{listed}</x:certificates></receiveAgreement>')
            text = text.replace("      </sendAgreement>", f'<x:certificates role="encrypt"><x:certificate name="{guest}" activeUntil="2020-01-01"/>'
                                f'<x:certificate name="{certificates[0]}"/></x:certificates></sendAgreement>')
        file = home.directory / "account.xml"
        file.write_text(text)
        return home.run("apply", file, expect=expect)

    def restart(self):
        self.globex.stop()
        self.globex.start()

    def test_new_messages_go_by_the_new_one_and_late_ones_are_opened(self):
        self.globex.run("binding", "set", "globex", self.first, expect=DONE)
        self.restart()  # the definitions are of the start
        self.apply(self.home)
        early = self.send(expect=REFUSED)
        self.assertEqual(self.received(early["messageId"])["state"], "delivered", "encrypted for the account's certificate, which the name hides")
        self.apply(self.home, "g1")
        self.assertEqual(self.send()["state"], "confirmed", "encrypted for the first, receipt signed by it")
        self.globex.run("binding", "set", "globex", self.second, expect=DONE)
        time.sleep(SWITCH_TIME)
        late = self.send(expect=REFUSED)
        self.assertIn("signature", json.dumps(late), "opened, and its receipt signed by what Acme does not know yet")
        self.assertEqual(self.received(late["messageId"])["state"], "delivered")
        self.apply(self.home, "g1", "g2")
        self.assertEqual(self.send()["state"], "confirmed", "encrypted for the first, receipt signed by the second")
        self.apply(self.home, "g2")
        self.assertEqual(self.send()["state"], "confirmed")
        self.globex.run("vault", "certificate", "delete", "g1", expect=DONE)
        time.sleep(SWITCH_TIME)
        self.apply(self.home, "g1", "g2")
        self.assertNotEqual(self.send(expect=REFUSED)["state"], "confirmed", "what is deleted opens nothing")

    def test_no_message_is_lost_while_the_listener_they_go_to_changes(self):
        www = [self.take_in(self.globex, f"www{i}", "localhost", self_signed=False) for i in range(3)]
        (self.globex.path / "serve.toml").write_text('''service-certificate = ["www=localhost:elevated"]
            listen-tls = ["127.0.0.1:0"]
            tls-certificate = "www"
            ''')
        self.globex.run("binding", "set", "www", www[0], expect=DONE)
        self.restart()
        file = self.account_xml(self.home, url=f"https://localhost:{self.globex.ports['as2-tls']}/as2")
        file.write_text(re.sub(r'(<x:connection url="[^"]*")/>', r'\1><x:tlsTrust mode="certificateAuthorities" caFile="root.pem"/></x:connection>', file.read_text()))
        self.home.run("apply", file, expect=DONE)
        sent, stop = [], threading.Event()

        def go_on():
            while not stop.is_set():
                sent.append(self.home.json("send", "--agreement", "trade", self.document, expect=None))

        senders = [threading.Thread(target=go_on) for _ in range(2)]
        for sender in senders:
            sender.start()
        for thumbprint in [www[1], www[2], www[0]]:
            enough = len(sent) + 3
            while len(sent) < enough:
                time.sleep(0.01)
            self.globex.run("binding", "set", "www", thumbprint, expect=DONE)
        while len(sent) < enough + 6:
            time.sleep(0.01)
        stop.set()
        for sender in senders:
            sender.join()
        self.assertEqual({message.get("state") for message in sent}, {"confirmed"})

    def test_what_is_elevated_is_for_no_message(self):
        edge = self.take_in(self.home, "edge")
        settings = self.home.path / "serve.toml"
        settings.write_text('service-certificate = ["acme=as2.example.com:elevated"]\nself-signed-certificates = "allowed"\n')
        refused = self.home.json("binding", "set", "acme", edge, expect=REFUSED)["refusals"]
        self.assertIn("agreement 'trade' signs or opens messages", refused[0]["reason"])
        settings.write_text('service-certificate = ["acme"]\n')
        self.home.run("binding", "set", "acme", edge, expect=DONE)
        settings.write_text('service-certificate = ["acme=as2.example.com:elevated"]\n')
        for command in ["lint", "apply"]:
            self.assertIn("which is elevated", self.home.run(command, self.home.directory / "account.xml", expect=REFUSED).out)
        self.assertIn("for listeners alone, and not for messages", json.dumps(self.send(expect=cli_test.DENIED)))

    def test_its_key_is_for_no_message_by_another_name_either(self):
        settings = self.home.path / "serve.toml"
        edge = self.take_in(self.home, "edge")
        settings.write_text('service-certificate = ["www=as2.example.com:elevated", "acme"]\nself-signed-certificates = "allowed"\n')
        self.home.run("binding", "set", "www", edge, expect=DONE)
        self.assertIn("has the key of 'www'", self.home.json("binding", "set", "acme", edge, expect=REFUSED)["refusals"][0]["reason"])
        self.home.run("certificate", "add", "sly", self.directory / "edge.pem", "--key", "edge", expect=DONE)
        file = self.home.directory / "account.xml"
        file.write_text(self.home.run("export", expect=DONE).out.replace("<encryptionCertificateName>acme<", "<encryptionCertificateName>sly<"))
        self.assertIn("'sly', with the key of the service certificate 'www'", self.home.run("apply", file, expect=REFUSED).out)


class Rest(AccountTest):
    """The same over REST, by a right of its own."""

    OPTIONS = ["--service-certificate", f"www={HOST}", "signer", "--listen-tls", "127.0.0.1:0", "--tls-certificate", "api"]

    def fill_home(self, home):
        super().fill_home(home)
        self.add_principal(home, "binder", "--roles", "Reader,CertificateBinder")
        pfx = Authority(home.directory).found().issue("first", HOST)
        home.run("vault", "certificate", "import", "www", pfx, "--passphrase-file", home.directory / "pass.txt", expect=DONE)

    def setUp(self):
        super().setUp()
        self.binder = self.kept_token("binder")
        self.thumbprint = Authority(self.directory).thumbprint("first")

    def ask(self, method, path, body=None, token=None):
        return self.arm(method, f"/serviceCertificates{path}", body, token=token or self.binder, base="")

    def request(self, *pairs, **members):
        return {"bindings": [{"name": name, "thumbprint": thumbprint} for name, thumbprint in pairs], **members}

    def test_binding_takes_a_right_of_its_own(self):
        for token in [self.writer, self.reader, self.nobody, self.token_of("administrator")]:
            self.assertEqual(self.error_code(self.ask("POST", "/bind", self.request(("www", self.thumbprint)), token), 403), "AuthorizationFailed")
        status, answer, _ = self.ask("POST", "/bind", self.request(("www", self.thumbprint)))
        self.assertEqual((status, answer["changed"]), (200, True), answer)
        got = self.ask("GET", "/www", token=self.reader)[1]
        self.assertEqual((got["binding"]["thumbprint"], got["binding"]["changedBy"], got["store"]), (self.thumbprint, "binder", "signet"))
        self.assertEqual([one["name"] for one in self.ask("GET", "", token=self.reader)[1]["value"]], ["signer", "www"])
        record = self.home.audit("bindServiceCertificate")[-1]
        self.assertEqual((record["principal"], record["detail"]), ("binder", f"nothing -> sha256 {self.thumbprint}"))

    def test_what_is_refused_has_all_its_reasons(self):
        status, answer, _ = self.ask("POST", "/bind", self.request(("www", "00" * 32), ("web", self.thumbprint)))
        self.assertEqual((status, answer["error"]["code"]), (400, "BindingRefused"))
        self.assertEqual([detail["target"] for detail in answer["error"]["details"]], ["www", "web"])
        self.assertNotIn(str(self.home.path), json.dumps(answer), "no path of this host goes out")
        for body in [{}, {"bindings": []}, {"bindings": [{"name": "www"}]}, {"bindings": "www"}]:
            self.assertEqual(self.ask("POST", "/bind", body)[0], 400, body)

    def test_a_certificate_that_is_bound_is_not_deleted(self):
        self.ask("POST", "/bind", self.request(("www", self.thumbprint)))
        answer = self.vault.call("DELETE", "/certificates/www?api-version=7.5")
        self.assertEqual(self.error_code(answer, 409), "Conflict")
        self.assertIn("'www'", answer[1]["error"]["message"])
        self.assertEqual(self.ask("DELETE", "/www/binding")[0], 204)
        self.assertEqual(self.ask("DELETE", "/www/binding")[0], 404)
        self.assertEqual(self.vault.call("DELETE", "/certificates/www?api-version=7.5")[0], 200)

    def test_a_vault_with_a_certificate_that_is_bound_is_not_deleted(self):
        self.ask("POST", "/bind", self.request(("www", self.thumbprint)))
        answer = self.arm("DELETE", "/signet", token=self.token_of("administrator"), base=self.vaults)
        self.assertIn("service certificate 'www'", answer[1]["error"]["message"])
        self.assertEqual(answer[0], 409)

    def test_a_dry_run_changes_nothing(self):
        status, answer, _ = self.ask("POST", "/bind", self.request(("www", self.thumbprint), dryRun=True))
        self.assertEqual((status, answer["changed"], len(answer["changes"])), (200, False, 1))
        self.assertNotIn("binding", self.ask("GET", "/www")[1])


if __name__ == "__main__":
    cli_test.main(__doc__)
