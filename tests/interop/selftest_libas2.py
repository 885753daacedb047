#!/usr/bin/env python3
"""Sets the libas2 sender against the libas2 receiver, and messages of the openssl peer against the receiver.

Proves that the peer itself works, so that a failing interop test of Signet speaks about Signet.
usage: selftest_libas2.py [--quick] [-v]; --quick takes every seventh combination.
SIGNET_NODE names another node; `npm ci --ignore-scripts` in libas2/ comes first.
"""

import base64
import hashlib
import http.client
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LIBAS2 = os.environ.get("SIGNET_LIBAS2_DIRECTORY", os.path.join(HERE, "libas2"))  # where install_npm.sh put it
NODE = os.environ.get("SIGNET_NODE", "node")
PAYLOAD = b"ISA*00*          *00*\r\n" + bytes(range(256)) * 4 + b"~\r\n"
ENTITY = b'Content-Type: application/EDI-X12\r\nContent-Disposition: attachment; filename="po.x12"\r\n\r\n' + PAYLOAD


def script(name, *arguments):
    command = [NODE, os.path.join(LIBAS2, name), *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


class Selftest:
    def __init__(self, directory, quick, verbose):
        self.directory = directory
        self.stride = 7 if quick else 1  # prime to the lengths of the lists, so that a share still meets each value
        self.verbose = verbose
        self.checks = 0
        self.failures = 0
        self.write("po.x12", PAYLOAD)
        self.write("entity", ENTITY)
        self.write("large", PAYLOAD * 1000)
        for name in ("us", "them", "stranger"):
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name}"]
                + ["-keyout", self.path(name + ".key"), "-out", self.path(name + ".crt")],
                check=True,
                capture_output=True,
            )
        self.receiver = self.start_receiver("yes")
        self.shipped = self.start_receiver("no")
        self.sender = script("send.js")

    def start_receiver(self, repair):
        receiver = script(
            *["receive.js", "--id=THEM", "--partner=US", f"--repair={repair}", f"--out={self.directory}"],
            *["--cert=" + self.path("them.crt"), "--key=" + self.path("them.key"), "--partner_cert=" + self.path("us.crt")],
        )
        receiver.port = json.loads(receiver.stdout.readline())["port"]
        return receiver

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, octets):
        with open(self.path(name), "wb") as file:
            file.write(octets)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def check(self, what, passed, shown):
        self.checks += 1
        self.failures += 0 if passed else 1
        if self.verbose or not passed:
            print(("pass " if passed else "FAIL ") + what, "" if passed else json.dumps(shown))

    def send(self, receiver, **options):
        usual = {"url": f"http://127.0.0.1:{receiver.port}/", "file": self.path("po.x12"), "from": "US", "to": "THEM"}
        usual |= {"cert": self.path("us.crt"), "key": self.path("us.key"), "partner_cert": self.path("them.crt")}
        self.sender.stdin.write("\t".join(f"{key}={value}" for key, value in (usual | options).items()) + "\n")
        self.sender.stdin.flush()
        return json.loads(self.sender.stdout.readline()), json.loads(receiver.stdout.readline())

    def matrix(self):
        signs = ("none", "sha1", "sha256", "sha384", "sha512")
        ciphers = ("none", "aes128-CBC", "aes192-CBC", "aes256-CBC", "aes256-GCM")
        shapes = itertools.product(signs, ciphers, ("none", "unsigned", "optional", "signed"))
        for sign, cipher, mdn in itertools.islice(shapes, 0, None, self.stride):
            sent, received = self.send(self.receiver, sign=sign, encrypt=cipher, mdn=mdn)
            what = f"sign {sign}, encrypt {cipher}, MDN {mdn}"
            self.check(what, sent.get("delivered") is True, [sent, received])
            self.check(what + ": same payload", received.get("sha256") == hashlib.sha256(PAYLOAD).hexdigest(), received)

    def other_sends(self):
        for oaep in ("sha1", "sha256", "sha384"):
            sent, received = self.send(self.receiver, sign="sha256", encrypt="aes256-CBC", oaep=oaep)
            self.check(f"OAEP {oaep}", sent.get("delivered") is True, [sent, received])
        sent, received = self.send(self.receiver, file=self.path("large"), sign="sha256", encrypt="aes256-CBC")
        self.check("a megabyte", sent.get("delivered") is True and received.get("size") == len(PAYLOAD) * 1000, [sent, received])
        sent, received = self.send(self.receiver, sign="sha256", **{"from": "NOBODY"})
        self.check("an unknown partner is refused", sent.get("status") == 403 and not sent["delivered"], [sent, received])
        stranger = {"cert": self.path("stranger.crt"), "key": self.path("stranger.key")}
        sent, received = self.send(self.receiver, sign="sha256", **stranger)
        self.check("another signer is refused", not sent["delivered"] and received.get("processed") is False, [sent, received])
        sent, received = self.send(self.receiver, sign="sha256", encrypt="aes256-CBC", partner_cert=self.path("us.crt"))
        self.check("another's key is refused", not sent["delivered"] and received.get("processed") is False, [sent, received])
        sent, received = self.send(self.shipped, sign="sha256")
        self.check("a signed MDN as shipped does not verify", not sent["mdn"]["verified"] and sent["mic"]["matches"], sent)

    def post(self, headers, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.receiver.port, timeout=30)
        usual = {"AS2-From": "US", "AS2-To": "THEM", "Message-ID": "<1@selftest>", "Disposition-Notification-To": "us"}
        connection.request("POST", "/", body, usual | headers)
        answer = connection.getresponse().read()
        connection.close()
        return answer, json.loads(self.receiver.stdout.readline())

    def openssl(self, *words):
        command = [sys.executable, os.path.join(HERE, "openssl", "openssl_peer.py"), *words]
        subprocess.run(command, check=True, capture_output=True)

    def from_openssl(self):
        us = [f"key={self.path('us.key')}", f"cert={self.path('us.crt')}"]
        for transfer in ("binary", "base64"):
            self.openssl("sign", f"in={self.path('entity')}", f"out={self.path('p7s')}", *us)
            p7s = self.read("p7s") if transfer == "binary" else base64.encodebytes(self.read("p7s")).replace(b"\n", b"\r\n")
            body = b"--b\r\n" + ENTITY + b"\r\n--b\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: "
            body += transfer.encode() + b"\r\n\r\n" + p7s + b"\r\n--b--\r\n"
            head = b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="b"'
            _, received = self.post(dict([head.decode().split(": ", 1)]), body)
            self.judge(f"openssl signs, {transfer}", received, signed=True)
            self.write("mime", head + b"\r\n\r\n" + body)
            for transport, encoding in itertools.product(("rsa", "oaep-sha1", "oaep-sha256"), ("der", "ber")):
                self.openssl(
                    *["encrypt", f"in={self.path('mime')}", f"out={self.path('p7m')}", f"to={self.path('them.crt')}"],
                    *[f"encoding={encoding}", f"transport={transport}"],
                )
                for smime_type in ("; smime-type=enveloped-data", '; smime-type="enveloped-data"', ""):
                    _, received = self.post(
                        {"Content-Type": "application/pkcs7-mime" + smime_type, "Content-Transfer-Encoding": "binary"},
                        self.read("p7m"),
                    )
                    what = f"openssl signs and encrypts, {encoding}, {transfer}, {transport}{smime_type}"
                    self.judge(what, received, signed=True, encrypted=True)

    def judge(self, what, received, signed=False, encrypted=False):
        mic = base64.b64encode(hashlib.sha256(ENTITY).digest()).decode()
        passed = received.get("processed") is True and received["signed"] is signed and received["encrypted"] is encrypted
        passed = passed and received["mic"]["mic"] == mic and received["sha256"] == hashlib.sha256(PAYLOAD).hexdigest()
        self.check(what, passed, received)

    def run(self):
        for part in (self.matrix, self.other_sends, self.from_openssl):
            part()
        for process in (self.sender, self.receiver, self.shipped):
            process.stdin.close()
            process.wait(timeout=20)
        print(f"{self.checks} checks, {self.failures} failures")
        return 1 if self.failures else 0


if __name__ == "__main__":
    if not shutil.which(NODE) or not os.path.isdir(os.path.join(LIBAS2, "node_modules")):
        print("skipped: needs nodejs, and `npm ci --ignore-scripts` in tests/interop/libas2")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(Selftest(scratch, "--quick" in sys.argv, "-v" in sys.argv).run())
