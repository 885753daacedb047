#!/usr/bin/env python3
"""A gateway as those who run it see it: signals, reloading, how it ends, what it tells the service manager.

Usage: operations_test.py --signet BINARY [TestClass...].
"""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
import time

import cli_test
from cli_test import DONE, START_TIMEOUT, UNAVAILABLE, CommandTest, Home, Template, free_port, wait_until


class GatewayTest(CommandTest):
    """A home with a gateway, and what it logs."""

    def let_globex_send(self):
        """Globex, too, agrees to trade; its messages go to the gateway that runs in this home."""
        self.globex.run("apply", self.account_xml(self.globex, "globex", "acme", f"http://127.0.0.1:{self.home.port}/as2"),
                        expect=DONE)

    def send_from_globex(self, octets=b"ISA*00*the order~\n", expect=DONE):
        document = self.directory / "order.edi"
        document.write_bytes(octets)
        return self.globex.json("send", "--agreement", "trade", document, expect=expect)

    def setUp(self):
        super().setUp()
        self.copy_template()

    def fill_partners(self, home, days):
        """Keys and certificates of acme (this home) and globex (another one, below it)."""
        home.run("init", expect=DONE)
        home.run("vault", "key", "create", "acme", "--kind", "P-256", expect=DONE)
        home.run("certificate", "create", "acme", "--key", "acme", "--common-name", "acme", "--days", str(days), "--certificate-file",
                 home.directory / "acme.cer", expect=DONE)
        globex = Home(home.directory / "globex")
        globex.directory.mkdir()
        self.make_company(globex, "globex")
        shutil.copy(globex.directory / "globex.cer", home.directory)
        shutil.copy(home.directory / "acme.cer", globex.directory)

    def make_partners(self, days=730):
        """Makes them in this home, anew, and in self.globex. Returns acme's account, not yet applied."""
        Template.copy(f"partners for {days} days", lambda home: self.fill_partners(home, days), self.directory)
        self.globex = Home(self.directory / "globex")
        return self.account_xml(self.home)

    def make_trading_partners(self, days=730):
        """The same, and acme's account is applied."""
        def make(home):
            self.fill_partners(home, days)
            home.run("apply", self.account_xml(home), expect=DONE)

        Template.copy(f"trading partners for {days} days", make, self.directory)
        self.globex = Home(self.directory / "globex")

    def events(self):
        return self.home.events()

    def wait_for_event(self, name, count=1, home=None):
        """The `count`th event of this name."""
        return (home or self.home).wait_for_event(name, count)

    def settings(self, text, home=None):
        ((home or self.home).path / "serve.toml").write_text(text)

    def reload(self, event="settings-reloaded", count=1):
        self.home.gateway.send_signal(signal.SIGHUP)
        return self.wait_for_event(event, count)

    def post(self, port=None, path="/as2", body=b"x", headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.home.port, timeout=60)
        try:
            connection.request("POST", path, body, headers or {})
            return connection.getresponse().status
        finally:
            connection.close()


class Reload(GatewayTest):
    """SIGHUP."""

    def test_takes_up_the_limit_of_bodies_and_the_log_level(self):
        self.settings("body-limit = 1000\n")
        self.home.start()
        self.assertEqual(self.post(body=b"x" * 2000), 413)
        self.settings('body-limit = 3000\nlog-level = "debug"\n')
        reloaded = self.reload()
        self.assertEqual((reloaded["body_limit"], reloaded["log_level"]), ("3000", "debug"))
        self.assertEqual(self.post(body=b"x" * 2000), 400)  # no AS2 message, but not too large
        self.assertEqual(self.post(body=b"x" * 4000), 413)

    def test_the_command_line_still_wins(self):
        self.home.start("--body-limit", "1000")
        self.settings("body-limit = 3000\n")
        self.assertEqual(self.reload()["body_limit"], "1000")
        self.assertEqual(self.post(body=b"x" * 2000), 413)

    def test_says_what_has_to_wait_for_the_next_start(self):
        self.home.start()
        self.settings('path = "/elsewhere"\nbody-limit = 1000\n')
        self.reload()
        self.assertEqual(self.wait_for_event("setting-waits")["setting"], "path")
        self.assertEqual(self.post(path="/as2", body=b"x" * 10), 400)
        self.assertEqual(self.post(path="/elsewhere", body=b"x" * 10), 404)

    def test_a_file_with_a_mistake_changes_nothing_at_all(self):
        self.settings("body-limit = 1000\n")
        self.home.start()
        for count, text in enumerate(["body-limit = 3000\nlog-level = \"loud\"\n", "body-limit = 3000\nno-such = 1\n",
                                      "body-limit = 3000\n[[[\n"], start=1):
            self.settings(text)
            refused = self.reload("settings-not-reloaded", count)
            self.assertIn("serve.toml", refused["reason"])
            self.assertIn("the old settings stay", refused["reason"])
            self.assertEqual(self.post(body=b"x" * 2000), 413)
        self.assertEqual(self.home.stop(), 0)


class Start(GatewayTest):
    """A gateway that cannot serve does no work either."""

    def test_nothing_is_sent_before_settings_and_ports_are_good(self):
        partner = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(partner.close)
        self.make_partners()
        self.home.run("apply", self.account_xml(self.home, url=f"http://127.0.0.1:{partner.getsockname()[1]}/as2"), expect=DONE)
        document = self.directory / "order.edi"
        document.write_bytes(b"ISA*00*the order~\n")
        self.home.json("send", "--agreement", "trade", "--queue", document, expect=DONE)

        port = partner.getsockname()[1]  # taken, as it happens
        for arguments, reason in [(["--listen", f"127.0.0.1:{port}"], str(port)),
                                  (["--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0"], "--tls-certificate")]:
            refused = self.home.run("serve", *arguments)
            self.assertNotEqual(refused.returncode, DONE)
            self.assertIn(reason, refused.err)
        partner.settimeout(0)
        with self.assertRaises(BlockingIOError):
            partner.accept()  # nobody has connected

        partner.settimeout(60)
        self.home.start()
        partner.accept()[0].close()


class ReloadTls(GatewayTest):
    """SIGHUP and the certificate that HTTPS listeners show."""

    def fill_home(self, home):
        super().fill_home(home)
        for name in ["first", "second"]:
            home.run("vault", "key", "create", name, "--kind", "P-256", expect=DONE)
            home.run("certificate", "create", name, "--key", name, "--common-name", name, "--certificate-file",
                     home.directory / f"{name}.cer", expect=DONE)

    def setUp(self):
        super().setUp()
        self.settings('tls-certificate = "first"\n')
        self.home.start("--listen-tls", "127.0.0.1:0")
        self.tls_port = self.home.ports["as2-tls"]

    def connect(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.tls_port), timeout=60))

    def shown(self):
        with self.connect() as connection:
            return ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True)).split()

    def certificate(self, name, form="cer"):
        text = (self.directory / f"{name}.{form}").read_bytes()
        pem = text.decode() if text.startswith(b"-----") else ssl.DER_cert_to_PEM_cert(text)
        return pem.split()

    def test_another_certificate_is_shown_and_open_connections_go_on(self):
        self.assertEqual(self.shown(), self.certificate("first"))
        with self.connect() as open_before:
            self.settings('tls-certificate = "second"\n')
            self.reload()
            self.assertEqual(self.shown(), self.certificate("second"))
            open_before.sendall(b"GET /as2 HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertTrue(open_before.recv(100).startswith(b"HTTP/1.1 200"))

    def make_chain(self):
        """root.pem, and below it intermediate.pem, and below that the private certificate "issued" of the account."""
        def openssl(name, *options):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                            "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem", *options],
                           cwd=self.directory, check=True, capture_output=True)
        openssl("root")
        openssl("intermediate", "-CA", "root.pem", "-CAkey", "root.key")
        openssl("issued", "-CA", "intermediate.pem", "-CAkey", "intermediate.key", "-addext", "subjectAltName=DNS:as2.example.com")
        self.home.run("vault", "key", "import", "issued", self.directory / "issued.key", expect=DONE)
        self.home.run("certificate", "add", "issued", self.directory / "issued.pem", "--key", "issued", expect=DONE)

    def is_believed(self):
        """By somebody who knows the root and nothing else."""
        context = ssl.create_default_context(cafile=self.directory / "root.pem")
        try:
            with socket.create_connection(("127.0.0.1", self.tls_port), timeout=60) as plain:
                context.wrap_socket(plain, server_hostname="as2.example.com").close()
                return True
        except ssl.SSLCertVerificationError:
            return False

    def test_intermediates_that_the_account_has_are_sent_with_it(self):
        self.make_chain()
        self.settings('tls-certificate = "issued"\n')
        self.reload()
        self.assertEqual(self.shown(), self.certificate("issued", "pem"))
        self.assertFalse(self.is_believed(), "nothing leads to the root yet")
        self.home.run("certificate", "add", "between", self.directory / "intermediate.pem", expect=DONE)
        self.reload(count=2)
        self.assertTrue(self.is_believed())
        self.home.stop()
        self.home.start("--listen-tls", "127.0.0.1:0")
        self.tls_port = self.home.ports["as2-tls"]
        self.assertTrue(self.is_believed(), "after a start, too")

    def test_a_certificate_that_is_not_there_changes_nothing(self):
        for count, text in enumerate(['tls-certificate = "third"\n', "body-limit = 1\n"], start=1):
            self.settings(text)
            self.reload("settings-not-reloaded", count)
            self.assertEqual(self.shown(), self.certificate("first"))
        self.assertNotEqual(self.post(body=b"xx"), 413)


class Endpoints(GatewayTest):
    """/health, /ready and /metrics on the operations listener."""

    def setUp(self):
        super().setUp()
        self.make_trading_partners(days=100)

    def start(self, *arguments):
        self.home.start("--operations-listen", "127.0.0.1:0", *arguments)
        self.operations_port = self.home.ports["operations"]

    def get(self, path, port=None, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.operations_port, timeout=60)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def readiness(self):
        status, text = self.get("/ready")
        answer = json.loads(text)
        self.assertEqual(answer["status"], {200: "ready", 503: "not-ready"}[status])
        return {check["name"]: check.get("reason") for check in answer["checks"]}

    def wait_for_readiness(self, name, reason=None):
        """Until the check `name` gives a reason with these words, or none. The gateway looks once a second."""
        def is_so():
            found = self.readiness()[name]
            return found is None if reason is None else found is not None and reason in found
        wait_until(is_so, f"the check {name} says: {reason}")

    def metric(self, name):
        """The values of a metric by its labels."""
        parsed = {key.partition("{"): value for key, value in self.home.metrics().items()}
        return {labels.removesuffix("}"): value for (found, _, labels), value in parsed.items() if found == name}

    def test_are_on_a_listener_of_their_own_and_on_no_other(self):
        self.start()
        self.assertEqual(json.loads(self.get("/health")[1])["status"], "ok")
        self.assertEqual(self.readiness(), dict.fromkeys(["serving", "account", "store", "audit", "vault", "disk"]))
        self.assertIn("# TYPE signet_ready gauge", self.get("/metrics")[1])
        for path in ["/health", "/ready", "/metrics"]:
            self.assertEqual(self.get(path, port=self.home.port)[0], 404, "the AS2 listener")
            self.assertEqual(self.get(path, method="POST")[0], 405)
            self.assertEqual(self.get(path, method="HEAD"), (200, ""))
        self.assertEqual(self.get("/as2")[0], 404)

    def test_are_not_there_unless_asked_for(self):
        self.home.start()
        self.assertEqual(list(self.home.ports), ["as2"])

    def test_a_listener_that_everybody_reaches_is_warned_of(self):
        self.home.start("--operations-listen", "0.0.0.0:0")
        self.assertEqual(self.wait_for_event("operations-listener-is-open")["address"], "0.0.0.0")

    def test_ready_says_when_a_volume_is_full_and_when_it_is_no_longer(self):
        self.start()
        self.settings("minimum-free-disk = 9000000000000000000\n")
        self.reload()
        self.wait_for_readiness("disk", "MiB free")
        self.assertEqual(json.loads(self.get("/health")[1])["status"], "ok")
        self.assertEqual(self.metric("signet_ready")['check="disk"'], 0)
        self.settings("")
        self.reload(count=2)
        self.wait_for_readiness("disk")
        self.assertEqual(self.metric("signet_ready")['check="disk"'], 1)
        self.wait_for_event("not-ready")
        self.wait_for_event("ready-again")

    def test_ready_says_which_permission_of_the_vault_is_missing(self):
        self.start()
        self.home.run("vault", "policy", "set", "--principal", "gateway", "--key-permissions", "get,list,sign", expect=DONE)
        self.wait_for_readiness("vault", "'decrypt'")
        self.home.run("vault", "policy", "set", "--principal", "gateway", "--key-permissions", "decrypt,get,list,sign", expect=DONE)
        self.wait_for_readiness("vault")

    def test_ready_says_that_the_audit_log_was_emptied(self):
        self.start()
        os.truncate(self.home.path / "audit.log", 0)
        self.wait_for_readiness("audit", "cut off")
        self.home.run("vault", "key", "create", "another", "--kind", "P-256", expect=DONE)
        self.wait_for_readiness("audit", "cut off")

    def test_ready_says_that_the_audit_log_was_moved_away(self):
        self.start()
        log = self.home.path / "audit.log"
        log.rename(log.with_suffix(".1"))
        self.wait_for_readiness("audit", str(log))
        log.with_suffix(".1").rename(log)
        self.wait_for_readiness("audit")

    def test_ready_says_that_the_store_is_locked(self):
        self.start()
        database = sqlite3.connect(self.home.path / "store" / "signet.db", isolation_level=None)
        self.addCleanup(database.close)
        database.execute("BEGIN EXCLUSIVE")
        self.wait_for_readiness("store", "locked")
        database.execute("ROLLBACK")
        self.wait_for_readiness("store")

    def test_ready_says_that_it_stops(self):
        self.start()
        slow = socket.create_connection(("127.0.0.1", self.home.port), timeout=60)
        self.addCleanup(slow.close)
        slow.sendall(b"POST /as2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        self.wait_for_readiness("serving")
        self.home.gateway.send_signal(signal.SIGTERM)
        self.wait_for_readiness("serving", "stopping")
        self.assertEqual(self.home.stop(), 0)

    def test_metrics_tell_of_certificates_disks_and_the_process(self):
        self.home.run("vault", "key", "create", "tls", "--kind", "P-256", expect=DONE)
        self.home.run("certificate", "create", "tls", "--key", "tls", "--common-name", "x", expect=DONE)
        self.settings('tls-certificate = "tls"\n')
        self.start()
        days = self.metric("signet_certificate_expiry_days")
        self.assertTrue(98 < days['certificate="acme",owner="us",used="true"'] < 101, days)
        self.assertIn('certificate="tls",owner="us",used="true"', days, "HTTPS listeners show it")
        self.assertGreater(self.metric("signet_disk_free_bytes")[f'volume="{self.home.path}"'], 0)
        queues = ["requests", "hand-over", "to-be-opened", "outbox", "awaiting-receipt", "receipts-to-post"]
        self.assertEqual(self.metric("signet_queue_messages"), {f'queue="{queue}"': 0 for queue in queues})
        self.assertEqual(self.metric("signet_partner_unreachable"), {'agreement="trade"': 0})
        self.assertEqual(self.metric("signet_http_connections"), {"": 0})
        with socket.create_connection(("127.0.0.1", self.home.port)) as connection:
            connection.sendall(b"GET /as2 HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertTrue(connection.recv(1000).startswith(b"HTTP/1.1 200"))
            self.assertEqual(self.metric("signet_http_connections"), {"": 1})
        self.assertEqual(list(self.metric("signet_build_info").values()), [1])
        self.assertGreater(self.metric("process_resident_memory_bytes")[""], 1 << 20)
        self.assertEqual(self.metric("signet_log_lines_dropped_total"), {"": 0})

    def test_every_metric_that_the_alerts_and_the_documents_name_is_there(self):
        self.start()
        there = set(re.findall(r"^# TYPE (\S+)", self.get("/metrics")[1], re.M))
        for document in ["packaging/signet-alerts.yml", "docs/operations.md"]:
            named = set(re.findall(r"\b(?:signet|process)_[a-z_]+[a-z]\b", (cli_test.SOURCE / document).read_text()))
            self.assertGreater(len(named), 5)
            self.assertEqual(named - there, set(), document)

    def test_a_certificate_that_ends_soon_is_warned_of_at_every_start(self):
        self.home.start()
        self.home.stop()
        self.assertFalse([event for event in self.events() if event["event"].startswith("certificate-")])
        self.settings("expiry-notice = 101\n")
        self.home.start()
        warning = self.wait_for_event("certificate-expires-soon")
        self.assertEqual((warning["certificate"], warning["owner"], warning["days_left"]), ("acme", "us", "99"))
        self.assertIn("trade (decrypt, signMdn", warning["uses"])


class Stopping(GatewayTest):
    """SIGTERM."""

    LIMIT = 10.0  # seconds, promised in `signet serve --help`

    def setUp(self):
        super().setUp()
        self.folder = self.directory / "not-mounted"
        account = self.make_partners()
        text = account.read_text()
        inbound_end = "</securitySettings>\n      </receiveAgreement>"
        self.assertIn(inbound_end, text)
        account.write_text(text.replace(inbound_end, f'</securitySettings>\n        <x:delivery folder="{self.folder}"/>\n'
                                                     "      </receiveAgreement>"))
        self.home.run("apply", account, expect=DONE)

    def start(self):
        self.home.start()
        self.let_globex_send()

    def slow_connection(self, octets):
        connection = socket.create_connection(("127.0.0.1", self.home.port), timeout=60)
        self.addCleanup(connection.close)
        connection.sendall(octets)
        return connection

    def test_ends_in_time_with_slow_connections_and_work_in_hand_and_loses_nothing(self):
        self.start()
        sent = self.send_from_globex()
        self.assertEqual(sent["state"], "confirmed")
        self.wait_for_event("delivery-failed")  # the folder is missing, and it is tried again
        idle = self.slow_connection(b"")
        half_a_head = self.slow_connection(b"POST /as2 HTTP/1.1\r\nHost: x\r\nAS2-Fr")
        half_a_body = self.slow_connection(b"POST /as2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        unread_answer = self.slow_connection(b"GET /as2 HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(unread_answer.recv(12).startswith(b"HTTP/1.1 200"))

        begin = time.monotonic()
        self.assertEqual(self.home.stop(), 0)
        self.assertLess(time.monotonic() - begin, self.LIMIT)
        self.assertEqual(self.events()[-1]["event"], "stopped")
        for connection in [idle, half_a_head, half_a_body]:
            connection.settimeout(60)
            self.assertFalse(self.answer(connection).startswith(b"HTTP/1.1 2"))

        self.folder.mkdir()
        self.start()
        delivered = self.wait_for_event("message-delivered")
        self.assertEqual(pathlib.Path(delivered["delivered_to"]).read_bytes(), b"ISA*00*the order~\n")

    def answer(self, connection):
        try:
            return connection.recv(1000)
        except ConnectionResetError:
            return b""

    def test_ends_in_time_also_when_somebody_holds_the_database(self):
        self.start()
        self.send_from_globex()
        self.wait_for_event("delivery-failed")
        database = sqlite3.connect(self.home.path / "store" / "signet.db", isolation_level=None)
        self.addCleanup(database.close)
        database.execute("BEGIN EXCLUSIVE")
        self.folder.mkdir()  # so a hand-over begins, and cannot be written down
        self.slow_connection(b"POST /as2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        begin = time.monotonic()
        self.assertIn(self.home.stop(), (0, UNAVAILABLE))  # by itself, or by force
        self.assertLess(time.monotonic() - begin, self.LIMIT)
        database.execute("ROLLBACK")

        self.start()
        self.wait_for_event("message-delivered")
        self.home.stop()
        payloads = [file for file in self.folder.iterdir() if file.suffix != ".json" and not file.name.startswith(".")]
        self.assertEqual([file.read_bytes() for file in payloads], [b"ISA*00*the order~\n"])

    def test_accepts_nobody_once_it_stops(self):
        self.start()
        self.slow_connection(b"POST /as2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        self.home.gateway.send_signal(signal.SIGTERM)
        self.wait_for_event("stopping")
        deadline = time.monotonic() + START_TIMEOUT
        with self.assertRaises(OSError):
            while time.monotonic() < deadline:
                socket.create_connection(("127.0.0.1", self.home.port), timeout=5).close()
        self.assertEqual(self.home.stop(), 0)

    def test_a_log_that_nobody_reads_keeps_it_from_nothing(self):
        reader, writer = socket.socketpair()
        self.addCleanup(reader.close)
        writer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # as little as there can be
        self.home.log_to = writer
        self.start()
        writer.close()
        for _ in range(100):
            self.assertEqual(self.post(), 400)  # a line each
        self.assertEqual(self.send_from_globex()["state"], "confirmed")
        self.assertEqual(self.home.stop(), 0)

        reader.setblocking(False)
        lines = reader.makefile("rb", buffering=0).read(1 << 20).decode().split("\n")
        self.assertLess(len(lines), 100, "the socket was full all the time")
        self.assertEqual(json.loads(lines[0])["level"], "info")


class BackUp(GatewayTest):
    """docs/operations.md: a backup of a running gateway, restored elsewhere."""

    def setUp(self):
        super().setUp()
        self.make_trading_partners()
        self.home.start()
        self.let_globex_send()

    def send(self, octets):
        sent = self.send_from_globex(octets)
        self.assertEqual(sent["state"], "confirmed", sent["reason"])
        return sent["messageId"]

    def back_up(self, to):
        to.mkdir()
        source = sqlite3.connect(self.home.path / "store" / "signet.db")
        target = sqlite3.connect(to / "signet.db")
        source.backup(target)  # what the command .backup of sqlite3 does
        source.close()
        target.close()
        shutil.copytree(self.home.path / "store" / "bodies", to / "bodies")
        for name in ["audit.log", "serve.toml", "master.key"]:
            shutil.copy(self.home.path / name, to)

    def restore(self, backup):
        restored = Home(self.directory / "restored")
        for directory in [restored.directory, restored.path, restored.path / "store", restored.path / "delivery"]:
            directory.mkdir(mode=0o700)
        shutil.copy(backup / "signet.db", restored.path / "store")
        shutil.copytree(backup / "bodies", restored.path / "store" / "bodies")
        for name in ["audit.log", "serve.toml", "master.key"]:
            shutil.copy(backup / name, restored.path)
        self.addCleanup(restored.stop)
        return restored

    def test_has_every_message_from_before_it_and_works_elsewhere(self):
        payloads = {self.send(octets): octets for octets in [b"small", b"large" * 100_000]}
        done = threading.Event()
        traffic = threading.Thread(target=lambda: [self.send(b"meanwhile") for _ in iter(done.is_set, True)])
        traffic.start()
        try:
            for count in range(3):
                self.back_up(self.directory / f"backup-{count}")
        finally:
            done.set()
            traffic.join()
        after = self.send(b"after the backup")
        self.home.stop()

        restored = self.restore(self.directory / "backup-2")
        listed = {message["messageId"]: message for message in restored.json("message", "list", "--limit", "1000")}
        self.assertNotIn(after, listed)
        for message_id, octets in payloads.items():
            self.assertEqual(restored.run("message", "body", listed[message_id]["id"], expect=DONE).stdout, octets)
        restored.start()
        self.globex.run("apply", self.account_xml(self.globex, "globex", "acme", f"http://127.0.0.1:{restored.port}/as2"),
                        expect=DONE)
        again = self.send(b"with the same keys")
        self.wait_for_event("message-delivered", home=restored)
        self.assertIn(again, {message["messageId"] for message in restored.json("message", "list")})

    def test_is_worth_nothing_without_the_master_key(self):
        self.send(b"an order")
        self.back_up(self.directory / "backup")
        restored = self.restore(self.directory / "backup")
        (restored.path / "master.key").unlink()
        self.assertIn("master.key", restored.run("serve", expect=cli_test.BROKEN).err)
        other = Home(self.directory / "other")
        other.directory.mkdir()
        other.run("init", expect=DONE)
        shutil.copy(other.path / "master.key", restored.path)
        self.assertIn("wrong master key", restored.run("serve", expect=cli_test.REFUSED).err)


class Counting(GatewayTest):
    """Metrics of messages that really come and go, both ways."""

    def setUp(self):
        super().setUp()
        account = self.make_partners()
        self.globex.start()
        account = self.account_xml(self.home, url=f"http://127.0.0.1:{self.globex.port}/as2")
        self.home.run("apply", account, expect=DONE)
        self.home.start("--operations-listen", "127.0.0.1:0")
        self.let_globex_send()
        self.addCleanup(self.globex.stop)

    def metrics(self):
        return self.home.metrics()

    def wait_for_metric(self, name, value):
        wait_until(lambda: self.metrics().get(name) == value, f"{name} is {value}")

    def outcome(self, direction, outcome, agreement="trade"):
        return f'signet_messages_total{{agreement="{agreement}",direction="{direction}",outcome="{outcome}"}}'

    def test_what_comes_is_counted(self):
        for name in ["accepted", "repeated", "refused", "not-taken", "delivered"]:
            self.assertEqual(self.metrics()[self.outcome("inbound", name)], 0, "counters begin at nought")
        self.send_from_globex(b"12345")
        self.wait_for_metric(self.outcome("inbound", "delivered"), 1)
        found = self.metrics()
        self.assertEqual(found[self.outcome("inbound", "accepted")], 1)
        self.assertEqual(found['signet_payload_bytes_total{agreement="trade",direction="inbound"}'], 5)
        self.assertEqual(found['signet_receipts_sent_total{agreement="trade",disposition="processed"}'], 1)
        self.assertEqual(found["signet_receive_seconds_count"], 1)
        self.assertEqual(found["signet_hand_over_seconds_count"], 1)

        self.post(headers={"AS2-From": "stranger", "AS2-To": "acme", "Message-ID": "<1@x>", "Content-Type": "text/plain"})
        self.post(headers={"AS2-From": "globex", "AS2-To": "acme", "Message-ID": "<2@x>", "Content-Type": "text/plain"})
        found = self.metrics()
        self.assertEqual(found[self.outcome("inbound", "refused")], 1)
        self.assertEqual(found[self.outcome("inbound", "refused", agreement="")], 1)
        self.assertEqual(found['signet_refusals_total{agreement="trade",reason="insufficient-message-security"}'], 1)
        self.assertEqual(found['signet_refusals_total{agreement="",reason="unknown-trading-relationship"}'], 1)
        self.assertFalse([name for name in found if "stranger" in name])

    def test_a_disk_or_vault_that_says_no_is_counted(self):
        self.home.run("vault", "policy", "set", "--principal", "gateway", "--key-permissions", "get,list", expect=DONE)
        deadline = time.monotonic() + START_TIMEOUT  # the gateway takes it up within its refresh interval
        while self.metrics()[self.outcome("inbound", "not-taken")] == 0:
            self.assertLess(time.monotonic(), deadline)
            self.send_from_globex(expect=None)
        self.assertEqual(self.metrics()[self.outcome("inbound", "refused")], 0)

    def test_what_goes_is_counted(self):
        document = self.directory / "order.edi"
        document.write_bytes(b"123")
        self.home.run("send", "--agreement", "trade", "--queue", document, expect=DONE)
        self.wait_for_metric(self.outcome("outbound", "confirmed"), 1)
        found = self.metrics()
        self.assertEqual(found[self.outcome("outbound", "submitted")], 1)
        self.assertEqual(found['signet_payload_bytes_total{agreement="trade",direction="outbound"}'], 3)
        self.assertEqual(found['signet_posts_total{agreement="trade",taken="true",what="message"}'], 1)
        self.assertEqual(found['signet_receipts_received_total{agreement="trade",disposition="processed",proves_delivery="true"}'], 1)
        self.assertEqual(found['signet_post_seconds_count{what="message"}'], 1)
        self.assertEqual(found["signet_confirm_seconds_count"], 1)

        self.home.run("send", "--agreement", "trade", document, expect=DONE)
        self.assertEqual(self.metrics()[self.outcome("outbound", "submitted")], 1, "a command settled it by itself")

        self.globex.stop()
        self.home.run("send", "--agreement", "trade", "--queue", document, expect=DONE)
        self.wait_for_metric('signet_posts_total{agreement="trade",taken="false",what="message"}', 1)
        self.wait_for_metric('signet_queue_messages{queue="outbox"}', 1)  # again, once the attempt has ended
        self.assertEqual(self.metrics()[self.outcome("outbound", "submitted")], 2)


class Status(GatewayTest):
    """signet status."""

    def status(self):
        return self.home.json("status")

    def test_works_without_a_gateway_and_beside_one(self):
        status = self.status()
        self.assertEqual(status["gateway"], {"running": False})
        self.assertEqual(status["messages"], [])
        self.assertEqual({queue["waiting"] for queue in status["queues"]}, {0})
        self.assertEqual([volume["path"] for volume in status["volumes"]], [str(self.home.path)])
        self.assertIn("not served", self.home.run("status", expect=DONE).out)
        self.home.start()
        status = self.status()
        self.assertEqual(status["gateway"]["process"], self.home.gateway.pid)
        self.assertIn(f"process {self.home.gateway.pid}", self.home.run("status", expect=DONE).out)
        self.home.kill()
        self.assertEqual(self.status()["gateway"], {"running": False})

    def test_a_receipt_that_cannot_be_posted_is_shown_counted_and_posted_again_on_demand(self):
        account = self.make_partners()
        port = free_port()
        url = f"http://127.0.0.1:{port}/mdn"
        text = account.read_text().replace(
            "</securitySettings>\n      </receiveAgreement>",
            f'</securitySettings>\n        <x:receiptPolicy><x:allowUrl url="{url}"/></x:receiptPolicy>\n      </receiveAgreement>')
        account.write_text(text.replace('/as2"/>\n    </agreement>', '/as2"/>\n      <x:retry attempts="1"/>\n    </agreement>'))
        self.home.run("apply", account, expect=DONE)
        self.home.start("--operations-listen", "127.0.0.1:0", "--tracking-file", str(self.directory / "live.jsonl"))
        self.post(headers={"AS2-From": "globex", "AS2-To": "acme", "Message-ID": "<2@x>", "Content-Type": "text/plain",
                           "Disposition-Notification-To": "globex", "Receipt-Delivery-Option": url})
        self.assertEqual(self.wait_for_event("receipt-not-posted")["attempts"], "1")

        given_up = self.status()["receiptsNotPosted"]
        self.assertEqual([(post["agreement"], post["url"], post["attempts"]) for post in given_up], [("trade", url, 1)])
        message = given_up[0]["id"]
        self.assertIn(message[:8], self.home.run("status", expect=DONE).out)
        shown = self.home.json("message", "show", message)["receiptPost"]
        self.assertEqual((shown["attempts"], shown["due"], shown["posted"]), (1, None, None))
        self.assertEqual((shown["givenUp"], shown["reason"]), (given_up[0]["givenUp"], given_up[0]["reason"]))
        self.assertRegex(self.home.run("message", "show", message, expect=DONE).out, "receipt given up +20")
        self.assertEqual(self.home.metrics()['signet_receipts_not_posted_total{agreement="trade"}'], 1)
        events = [json.loads(line) for line in self.home.run("tracking", "export", expect=DONE).out.splitlines()]
        self.assertEqual(events[1]["error"]["code"], "receipt-not-posted")
        self.assertEqual(events[1]["eventTime"], shown["givenUp"])

        with socket.create_server(("127.0.0.1", port)) as partner:
            self.home.run("message", "resend", message, expect=DONE)
            connection, _ = partner.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                self.wait_for_event("receipt-posted")
        shown = self.home.json("message", "show", message)["receiptPost"]
        self.assertEqual((shown["givenUp"], shown["due"], shown["reason"]), (None, None, ""))
        self.assertIsNotNone(shown["posted"])
        self.assertEqual(self.status()["receiptsNotPosted"], [])
        self.assertEqual(self.home.stop(), 0)
        events = [json.loads(line) for line in (self.directory / "live.jsonl").read_text().splitlines()]
        codes = [event["error"]["code"] for event in events if event["recordType"] == "AS2MDN"]
        self.assertEqual((codes[0], codes[-1]), ("receipt-not-posted", "refused"), "what it says, once it was posted")

    def test_a_receipt_of_an_answer_is_not_posted_again(self):
        self.make_trading_partners()
        self.home.start()
        self.post(headers={"AS2-From": "globex", "AS2-To": "acme", "Message-ID": "<2@x>", "Content-Type": "text/plain"})
        message = self.home.json("message", "list")[0]["id"]
        self.assertIsNone(self.home.json("message", "show", message)["receiptPost"])
        refused = self.home.run("message", "resend", message, expect=cli_test.REFUSED)
        self.assertIn("went into the HTTP answer", refused.err)

    def test_counts_messages_failures_and_what_waits(self):
        self.make_trading_partners()
        self.home.start()
        self.let_globex_send()
        self.send_from_globex()
        self.wait_for_event("message-delivered")
        self.post(headers={"AS2-From": "globex", "AS2-To": "acme", "Message-ID": "<2@x>", "Content-Type": "text/plain"})
        self.home.stop()
        document = self.directory / "order.edi"
        self.home.run("send", "--agreement", "trade", "--queue", document, expect=DONE)
        status = self.status()
        counts = {(count["agreement"], count["direction"], count["state"]): count["count"] for count in status["messages"]}
        self.assertEqual(counts, {("trade", "inbound", "delivered"): 1, ("trade", "inbound", "refused"): 1,
                                  ("trade", "outbound", "queued"): 1})
        self.assertEqual([(count["state"], count["count"]) for count in status["failures"]["messages"]], [("refused", 1)])
        refused = self.home.json("message", "list", "--state", "refused")[0]
        self.assertEqual([(trouble["id"], trouble["reason"]) for trouble in status["troubles"]],
                         [(refused["id"], refused["reason"])], "what is queued was not tried yet")
        self.assertIn(refused["id"][:8], self.home.run("status", expect=DONE).out)
        queues = {queue["name"]: queue for queue in status["queues"]}
        self.assertEqual(queues["outbox"]["waiting"], 1)
        self.assertIsNotNone(queues["outbox"]["nextDue"])
        self.assertEqual(queues["hand-over"]["waiting"], 0)

    def test_tells_why_a_message_is_not_sent_yet(self):
        self.make_trading_partners()  # whose gateway nobody runs
        document = self.directory / "order.edi"
        document.write_bytes(b"x")
        self.home.run("send", "--agreement", "trade", document, expect=cli_test.PENDING)
        trouble, = self.status()["troubles"]
        self.assertEqual(trouble["state"], "queued")
        self.assertIn("connect", trouble["reason"])

    def test_tells_when_certificates_end_and_what_they_are_for(self):
        self.make_trading_partners(days=100)
        self.settings('tls-certificate = "acme"\n')
        certificates = {certificate["name"]: certificate for certificate in self.status()["certificates"]}
        self.assertEqual(certificates["acme"]["daysUntilExpiry"], 99)
        self.assertEqual(certificates["acme"]["owner"], "us")
        self.assertEqual({use["role"] for use in certificates["acme"]["uses"]}, {"decrypt", "signMessage", "signMdn", "tlsServer"})
        self.assertEqual({use["role"] for use in certificates["globex"]["uses"]}, {"verifyMessage", "encrypt", "verifyMdn"})
        self.assertIn("99 days", self.home.run("status", expect=DONE).out)

    def test_says_what_is_wrong_with_the_settings(self):
        self.settings("no-such = 1\n")
        self.assertIn("no-such", self.home.run("status", expect=cli_test.USAGE).err)


class Tracking(GatewayTest):
    """Events in Azure's vocabulary, exported and live."""

    def setUp(self):
        super().setUp()
        self.make_trading_partners()

    def exchange(self):
        """One message that is accepted, and one that is refused."""
        self.let_globex_send()
        sent = self.send_from_globex()
        self.wait_for_event("message-delivered")
        self.post(headers={"AS2-From": "globex", "AS2-To": "acme", "Message-ID": "<2@x>", "Content-Type": "text/plain",
                           "Authorization": "Basic c2VjcmV0", "Disposition-Notification-To": "globex"})
        return sent["messageId"]

    def exported(self, home, *options):
        out = home.run("tracking", "export", *options, expect=DONE).out
        return [json.loads(line) for line in out.splitlines()]

    def test_export_tells_of_both_sides_of_an_exchange(self):
        self.home.start()
        message_id = self.exchange()
        events = self.exported(self.home)
        self.assertEqual([event["recordType"] for event in events], ["AS2Message", "AS2MDN"] * 2)
        message, receipt, refused, refusal = (event["record"]["messageProperties"] for event in events)
        self.assertEqual((message["direction"], message["messageId"], message["isMessageSigned"], message["isMessageEncrypted"],
                          message["isMessageCompressed"], message["isMessageFailed"], message["mdnType"]),
                         ("receive", message_id, True, True, True, False, "Sync"))
        self.assertEqual(message["incomingHeaders"]["AS2-From"], "globex")
        self.assertEqual((receipt["direction"], receipt["originalMessageId"], receipt["statusCode"], receipt["isMessageSigned"],
                          receipt["micVerificationStatus"]), ("send", message_id, "Accepted", True, "NotApplicable"))
        self.assertEqual((refused["isMessageFailed"], refusal["statusCode"]), (True, "Rejected"))
        self.assertNotIn("c2VjcmV0", json.dumps(events))
        self.assertEqual(events[2]["eventLevel"], "Error")

        sender = self.exported(self.globex)
        self.assertEqual([event["recordType"] for event in sender], ["AS2Message", "AS2MDN"])
        self.assertEqual(sender[0]["record"]["messageProperties"]["direction"], "send")
        self.assertEqual(sender[0]["record"]["agreementProperties"],
                         {"senderPartnerName": "globex", "receiverPartnerName": "acme", "as2To": "acme", "as2From": "globex",
                          "agreementName": "trade"})
        self.assertEqual(sender[1]["record"]["messageProperties"]["micVerificationStatus"], "Succeeded")

    def test_export_takes_a_part(self):
        self.home.start()
        self.exchange()
        self.assertEqual(len(self.exported(self.home, "--agreement", "trade")), 4)
        self.assertEqual(self.exported(self.home, "--agreement", "other"), [])
        self.assertEqual(self.exported(self.home, "--until", "2020-01-01"), [])
        self.assertEqual(len(self.exported(self.home, "--since", "2020-01-01")), 4)
        self.home.run("tracking", "export", "--since", "yesterday", expect=cli_test.USAGE)
        file = self.directory / "events.jsonl"
        self.assertEqual(self.home.run("tracking", "export", "--file", file, expect=DONE).out, "")
        self.assertEqual(len(file.read_text().splitlines()), 4)
        self.assertEqual(self.home.run("tracking", "export", "--file", file).returncode, cli_test.REFUSED)

    def test_a_live_file_has_the_same_lines_and_may_be_moved_away(self):
        live = self.directory / "live.jsonl"
        self.home.start("--tracking-file", str(live))
        self.exchange()
        self.home.stop()
        key = lambda event: (event["trackingId"], event["recordType"])
        self.assertEqual(sorted(map(json.loads, live.read_text().splitlines()), key=key), sorted(self.exported(self.home), key=key))
        live.rename(live.with_suffix(".1"))
        self.home.start("--tracking-file", str(live))
        self.let_globex_send()
        self.send_from_globex()
        self.home.stop()
        self.assertEqual(len(live.read_text().splitlines()), 2)

    def test_a_file_that_cannot_be_written_is_refused_at_the_start(self):
        pipe = self.directory / "pipe"
        os.mkfifo(pipe)
        for file, expect in [(pipe, cli_test.USAGE), (self.directory, cli_test.USAGE), (pathlib.Path("/dev/full"), cli_test.USAGE),
                             (self.directory / "missing" / "live.jsonl", cli_test.NOT_FOUND)]:
            with self.subTest(file=file):
                error = self.home.run("serve", "--listen", "127.0.0.1:0", "--tracking-file", file, expect=expect).err
                self.assertIn("tracking-file", error)
                self.assertIn(str(file), error)

    def test_a_file_that_takes_nothing_any_more_stops_nothing(self):
        folder = self.directory / "tracking"
        folder.mkdir()
        file = folder / "live.jsonl"
        self.home.start("--tracking-file", str(file))
        self.let_globex_send()
        for break_it in [lambda: file.unlink() or os.mkfifo(file), lambda: folder.rename(self.directory / "away")]:
            break_it()
            self.assertEqual(self.send_from_globex()["state"], "confirmed")
            self.assertIn(str(file), self.wait_for_event("tracking-not-written")["file"])
        self.assertEqual(self.home.stop(), 0)


class Log(GatewayTest):
    """One line of JSON per event, whatever strangers write: with its ids, without secrets."""

    HOSTILE = [
        b'"}\\n{"event":"forged","level":"error"}',
        b'\\u000a{\\"event\\":\\"forged\\"}',
        b"%0d%0a{\"event\":\"forged\"}",
        b"\xe2\x80\xa8{\"event\":\"forged\"}\xe2\x80\xa9",  # line and paragraph separator
        b"\xc2\x85{\"event\":\"forged\"}",  # next line
        b"\xff\xfe\xc3(\xed\xa0\x80\xf4\x90\x80\x80",  # not UTF-8
        b"\xc2\x9b31mred\xc2\x9b0m",  # C1 controls
        b"%s%n%x{}{0}{event}${jndi:ldap://x/y}",
        b"x" * 6000,
    ]
    CONTROLS = [b"\r\n{\"event\":\"forged\"}", b"\n{\"event\":\"forged\"}", b"\r{}", b"\x00", b"\x1b[2J", b"\x7f", b"\x0b", b"\x08" * 20]
    FIELDS = ["AS2-From", "AS2-To", "Message-ID", "Subject", "Content-Type", "Disposition-Notification-To", "Content-Disposition",
              "Receipt-Delivery-Option", "AS2-Version", "EDIINT-Features", "From", "Authorization", "X-Request-Id", "User-Agent"]
    SECRET = "hunter2-hunter2"

    def setUp(self):
        super().setUp()
        self.make_trading_partners()
        self.home.start("--log-level", "debug")

    def request(self, changed):
        fields = {"Host": b"x", "AS2-From": b"globex", "AS2-To": b"acme", "Message-ID": b"<1@globex>", "Content-Type": b"text/plain",
                  "Subject": b"an order", "Disposition-Notification-To": b"globex", "Content-Length": b"2",
                  "Authorization": b"Basic " + self.SECRET.encode(), "Receipt-Delivery-Option":
                  f"http://user:{self.SECRET}@127.0.0.1:1/mdn".encode(), "Connection": b"close", **changed}
        return b"POST /as2 HTTP/1.1\r\n" + b"".join(name.encode() + b": " + value + b"\r\n" for name, value in fields.items()) + b"\r\nxy"

    def answer_to(self, octets):
        with socket.create_connection(("127.0.0.1", self.home.port), timeout=60) as connection:
            connection.sendall(octets)
            answer = b""
            try:
                while piece := connection.recv(65536):
                    answer += piece
            except ConnectionResetError:
                pass
            return answer.decode("latin-1")

    def check_log(self):
        """Every octet of the log, once the gateway has ended."""
        self.assertEqual(self.home.stop(), 0)
        octets = self.home.log.read_bytes()
        self.assertRegex(octets, rb"\A[\x20-\x7e\n]*\n\Z")
        self.assertNotIn(self.SECRET.encode(), octets)
        events = [json.loads(line) for line in octets.splitlines()]
        for event in events:
            self.assertLessEqual({"time", "level", "event"}, event.keys())
            self.assertNotEqual(event["event"], "forged")
            for value in event.values():
                self.assertIsInstance(value, str)
        return events

    def test_no_field_of_a_request_forges_a_line_or_shows_a_secret(self):
        requests = [(field, value) for field in self.FIELDS for value in self.HOSTILE]
        answers = {}
        for field, value in requests:
            answer = self.answer_to(self.request({field: value}))
            self.assertRegex(answer, r"^HTTP/1\.1 [24]\d\d ", (field, value))
            request_id = re.search(r"\r\nX-Request-Id: ([0-9a-f]{32})\r\n", answer)[1]
            answers[request_id] = (field, value)
        self.assertEqual(len(answers), len(requests))
        outcomes = [event for event in self.check_log() if event["event"] in
                    ("message-accepted", "message-refused", "message-not-taken", "message-repeated", "http-request-refused")]
        self.assertEqual(sorted(event["request"] for event in outcomes), sorted(answers), "one outcome for each, by its id")

    def test_no_control_character_gets_as_far_as_a_record(self):
        for field in self.FIELDS:
            for value in self.CONTROLS:
                answer = self.answer_to(self.request({field: b"a" + value + b"b"}))
                self.assertRegex(answer, r"^HTTP/1\.1 4\d\d ", (field, value))
        self.answer_to(b"GET /\x1b[2J\n{\"event\":\"forged\"} HTTP/1.1\r\n\r\n")
        self.answer_to(b"\x16\x03\x01{\"event\":\"forged\"}\r\n\r\n")
        self.check_log()

    def test_a_message_has_its_ids_in_every_line(self):
        self.let_globex_send()
        sent = self.send_from_globex()
        self.wait_for_event("message-delivered")
        received = self.home.json("message", "list")[0]
        events = {event["event"]: event for event in self.check_log()}
        accepted, delivered = events["message-accepted"], events["message-delivered"]
        for event in [accepted, delivered]:
            self.assertEqual((event["id"], event["message_id"], event["agreement"]), (received["id"], sent["messageId"], "trade"))
        self.assertEqual(accepted["request"], received["requestId"])
        self.assertEqual(accepted["signer"], received["signerThumbprint"])
        self.assertIn("processed", accepted["disposition"])
        self.assertEqual(accepted["remote"], "127.0.0.1")


class OneGateway(GatewayTest):
    """Two gateways would hand over the same messages."""

    def test_a_second_one_is_refused_and_told_whose_turn_it_is(self):
        self.home.start()
        refused = self.home.json("serve", "--listen", "127.0.0.1:0", expect=UNAVAILABLE)
        self.assertIn(f"process {self.home.gateway.pid}", refused["error"]["message"])
        self.assertEqual(self.post(), 400)  # the first one serves on

    def test_the_next_one_starts_when_the_first_was_killed(self):
        self.home.start()
        self.home.kill()
        self.home.start()
        self.assertEqual(self.post(), 400)


class ServiceManager(GatewayTest):
    """What systemd hears of a unit of Type=notify."""

    def setUp(self):
        super().setUp()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.settimeout(START_TIMEOUT)

    def heard(self):
        return self.manager.recv(4096).decode()

    def check_one_life(self):
        self.home.start()
        self.assertEqual(self.heard(), "READY=1")
        self.home.gateway.send_signal(signal.SIGHUP)
        self.assertEqual([self.heard(), self.heard()], ["RELOADING=1", "READY=1"])
        self.settings("no-such = 1\n")
        self.home.gateway.send_signal(signal.SIGHUP)
        self.assertEqual([self.heard(), self.heard()], ["RELOADING=1", "READY=1"])
        self.home.gateway.send_signal(signal.SIGTERM)
        self.assertEqual(self.heard(), "STOPPING=1")
        self.assertEqual(self.home.stop(), 0)

    def test_hears_when_it_is_ready_reloads_and_stops(self):
        path = str(self.directory / "notify")
        self.manager.bind(path)
        self.home.environment = {"NOTIFY_SOCKET": path}
        self.check_one_life()

    def test_may_listen_in_the_abstract_name_space(self):
        self.manager.bind(b"\0signet-test." + self.directory.name.encode())
        self.home.environment = {"NOTIFY_SOCKET": "@signet-test." + self.directory.name}
        self.check_one_life()

    def test_one_that_is_gone_or_nonsense_stops_nobody(self):
        for name in [str(self.directory / "nobody"), "nonsense", "/" + "x" * 200]:
            self.home.environment = {"NOTIFY_SOCKET": name}
            self.home.start()
            self.wait_for_event("service-manager-not-told")
            self.assertEqual(self.home.stop(), 0)
            self.home.log.unlink()


if __name__ == "__main__":
    cli_test.main(__doc__)
