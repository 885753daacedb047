#!/usr/bin/env python3
"""libas2 and the installed command: `signet serve` receives from it, `signet send` sends to it."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import cli_test  # noqa: E402
from cli_test import DONE, CommandTest  # noqa: E402

LIBAS2 = pathlib.Path(os.environ.get("SIGNET_LIBAS2_DIRECTORY", ""))
DOCUMENT = b"ISA*00*          *00*          *ZZ*LIBAS2~\r\nIEA*1*000000001~\r\n"


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class ServeAndSend(CommandTest):
    """SIGNET is the gateway, LIBAS2 the partner; a key of RSA 2048 each."""

    def setUp(self):
        super().setUp()
        self.document = self.directory / "po.x12"
        self.document.write_bytes(DOCUMENT)
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=libas2", "-days", "30",
                "-keyout", self.directory / "LIBAS2.key", "-out", self.directory / "LIBAS2.cer")
        self.home.run("init", expect=DONE)
        self.home.run("vault", "key", "create", "SIGNET", expect=DONE)
        self.home.run("certificate", "create", "SIGNET", "--key", "SIGNET", "--common-name", "Signet",
                      "--certificate-file", self.directory / "SIGNET.cer", expect=DONE)
        openssl("x509", "-in", self.directory / "SIGNET.cer", "-out", self.directory / "SIGNET.pem")

    def agree(self, url):
        """libas2 knows no compression."""
        file = self.account_xml(self.home, "SIGNET", "LIBAS2", url)
        file.write_text(file.read_text().replace("<compressMessage>true<", "<compressMessage>false<"))
        self.home.run("apply", file, expect=DONE)

    def credentials(self):
        return [f"--cert={self.directory / 'LIBAS2.cer'}", f"--key={self.directory / 'LIBAS2.key'}",
                f"--partner_cert={self.directory / 'SIGNET.pem'}"]

    def test_serve_takes_what_libas2_sends_and_libas2_believes_the_receipt(self):
        self.agree("http://127.0.0.1:1/")
        self.home.start()
        sent = subprocess.run(["node", LIBAS2 / "send.js", f"--url=http://127.0.0.1:{self.home.port}/as2", f"--file={self.document}",
                               "--sign=sha256", "--encrypt=aes256-CBC", "--oaep=sha256", *self.credentials()],
                              capture_output=True, timeout=120, text=True)
        result = json.loads(sent.stdout)
        self.assertEqual((sent.returncode, result["delivered"], result["mdn"]["verified"], result["mic"]["matches"]),
                         (0, True, True, True), sent.stdout + sent.stderr)
        self.assertEqual(self.home.stop(), 0)  # which waits for the hand-over
        record, = self.home.json("message", "list")
        self.assertEqual(record["state"], "delivered")
        self.assertEqual(pathlib.Path(record["deliveredTo"]).read_bytes(), DOCUMENT)

    def test_libas2_takes_what_send_sends_and_its_receipt_is_believed(self):
        receiver = subprocess.Popen(["node", LIBAS2 / "receive.js", f"--out={self.directory}", *self.credentials()],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(receiver.stdout.close)
        self.addCleanup(receiver.wait)
        self.addCleanup(receiver.stdin.close)
        self.agree(f"http://127.0.0.1:{json.loads(receiver.stdout.readline())['port']}/")
        sent = self.home.json("send", "--agreement", "trade", self.document, expect=DONE)
        self.assertEqual(sent["state"], "confirmed")
        taken = json.loads(receiver.stdout.readline())
        self.assertEqual((taken["encrypted"], taken["signed"], taken["processed"]), (True, True, True), taken)
        self.assertEqual((self.directory / "1.payload").read_bytes(), DOCUMENT)


if __name__ == "__main__":
    cli_test.main(__doc__)
