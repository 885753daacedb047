#!/usr/bin/env python3
"""Sets the openssl peer and the BouncyCastle peer against each other: every algorithm, both ways, with refused siblings.

Proves that the peers themselves work, so that a failing interop test of Signet speaks about Signet.
usage: selftest_cms.py [--quick] [-v]; --quick takes every eleventh combination
"""

import itertools
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
HASHES = ("sha1", "sha256", "sha384", "sha512")
CIPHERS = ("aes128-cbc", "aes192-cbc", "aes256-cbc", "aes128-gcm", "aes192-gcm", "aes256-gcm", "3des-cbc")
TRANSPORTS = ("rsa", "oaep-sha1", "oaep-sha256", "oaep-sha384", "oaep-sha512")
CURVES = {"p256": "P-256", "p384": "P-384", "p521": "P-521"}
ENTITY = b'Content-Type: application/EDI-X12\r\nContent-Disposition: attachment; filename="po.x12"\r\n\r\nISA*00*\x00\x80\xff\n~\r\n'


class Peer:
    """A peer process; commands go in and answers come out, a line each."""

    def __init__(self, name, *command):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, command, **options):
        words = [command]
        for key, value in options.items():
            key = key.rstrip("_")
            words += [f"{key}={one}" for one in (value if isinstance(value, list) else [value])]
        self.process.stdin.write("\t".join(words) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)


class Selftest:
    def __init__(self, directory, quick, verbose):
        self.directory = directory
        self.stride = 11 if quick else 1  # prime to the lengths of the lists, so that a share still meets each value
        self.verbose = verbose
        self.failures = []
        self.checks = 0
        self.openssl = Peer("openssl", sys.executable, os.path.join(HERE, "openssl", "openssl_peer.py"))
        self.bouncy = Peer("bouncycastle", os.path.join(HERE, "bouncycastle", "smime_peer.sh"))
        with open(self.path("entity"), "wb") as file:
            file.write(ENTITY)
        with open(self.path("other"), "wb") as file:
            file.write(ENTITY.replace(b"ISA*00", b"ISA*01"))
        with open(self.path("big"), "wb") as file:
            file.write(ENTITY + bytes(range(256)) * 4000)
        self.make_keys()

    def path(self, name):
        return os.path.join(self.directory, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def make_keys(self):
        kinds = {"rsa": ["-newkey", "rsa:2048"], "stranger": ["-newkey", "rsa:2048"]}
        for name, curve in CURVES.items():
            kinds[name] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:" + curve]
        for name, options in kinds.items():
            subprocess.run(
                ["openssl", "req", "-x509", *options, "-nodes", "-days", "30", "-subj", f"/CN={name}"]
                + ["-keyout", self.path(name + ".key"), "-out", self.path(name + ".crt")],
                check=True,
                capture_output=True,
            )

    def identity(self, name):
        return {"key": self.path(name + ".key"), "cert": self.path(name + ".crt")}

    def expect(self, what, answer, outcome="ok"):
        self.checks += 1
        wrong = not answer.startswith(outcome)
        if wrong:
            self.failures.append(f"{what}: expected {outcome}, got {answer}")
        if wrong or self.verbose:
            print(("FAIL " if wrong else "pass ") + what + " | " + answer)
        return not wrong

    def expect_same(self, what, name, original):
        self.expect(what, "ok" if self.read(name) == self.read(original) else "error\tthe octets differ")

    def pairs(self):
        return ((self.openssl, self.bouncy), (self.bouncy, self.openssl))

    def signatures(self):
        schemes = [("rsa", "pkcs1"), ("rsa", "pss"), *((curve, "ecdsa") for curve in CURVES)]
        shapes = itertools.product(HASHES, schemes, ("yes", "no"), ("yes", "no"), ("der", "ber"))
        for hash_, (identity, scheme), certs, attributes, encoding in itertools.islice(shapes, 0, None, self.stride):
            for maker, judge in self.pairs():
                if maker is self.openssl and encoding == "ber":
                    continue  # openssl has no detached signature in BER
                what = f"{maker.name} signs {hash_} {identity} {scheme} certs={certs} attributes={attributes} {encoding}"
                made = maker.ask(
                    *["sign"], in_=self.path("entity"), out=self.path("p7s"), **self.identity(identity), hash=hash_,
                    scheme=scheme, certs=certs, attributes=attributes, encoding=encoding
                )
                if self.expect(what, made):
                    certificate = self.path(identity + ".crt")
                    ask = lambda content, cert: judge.ask("verify", p7s=self.path("p7s"), content=content, cert=cert)
                    self.expect(what + ", verifies", ask(self.path("entity"), certificate))
                    self.expect(what + ", other content", ask(self.path("other"), certificate), "error")
                    self.expect(what + ", other signer", ask(self.path("entity"), self.path("stranger.crt")), "error")

    def other_signed_forms(self):
        for (maker, judge), encoding in itertools.product(self.pairs(), ("der", "ber")):
            what = f"{maker.name} signs with the content inside, {encoding}"
            identity = self.identity("rsa")
            self.expect(
                what, maker.ask("sign", in_=self.path("big"), out=self.path("p7m"), **identity, form="opaque", encoding=encoding)
            )
            self.expect(
                what + ", verifies", judge.ask("verify", p7s=self.path("p7m"), cert=identity["cert"], out=self.path("inside"))
            )
            self.expect_same(what + ", same content", "inside", "big")
        for options in ({"algorithm_protection": "no"}, {"sid": "ski"}):
            what = f"bouncycastle signs with {options}"
            identity = self.identity("rsa")
            self.expect(what, self.bouncy.ask("sign", in_=self.path("entity"), out=self.path("p7s"), **identity, **options))
            self.expect(
                what + ", verifies",
                self.openssl.ask("verify", p7s=self.path("p7s"), content=self.path("entity"), cert=identity["cert"]),
            )
        for transfer in ("base64", "binary"):
            self.multipart(transfer)

    def multipart(self, transfer):
        what = f"bouncycastle makes multipart/signed, {transfer}"
        identity = self.identity("rsa")
        self.expect(
            what,
            self.bouncy.ask(
                "sign", in_=self.path("entity"), out=self.path("mail"), **identity, form="multipart", transfer=transfer
            ),
        )
        self.expect(
            what + ", opens",
            self.bouncy.ask("open-signed", in_=self.path("mail"), cert=identity["cert"], out=self.path("inside")),
        )
        self.expect_same(what + ", same first part", "inside", "entity")
        with open(self.path("tampered"), "wb") as file:
            file.write(self.read("mail").replace(b"ISA*00", b"ISA*01"))
        self.expect(
            what + ", tampered", self.bouncy.ask("open-signed", in_=self.path("tampered"), cert=identity["cert"]), "error"
        )

    def envelopes(self):
        rsa = [("rsa", {"transport": transport}) for transport in TRANSPORTS]
        elliptic = [(curve, {"kdf": kdf}) for curve in CURVES for kdf in HASHES]
        shapes = itertools.product(CIPHERS, rsa + elliptic, ("issuer", "ski"), ("der", "ber"))
        for cipher, (identity, key_options), recipient, encoding in itertools.islice(shapes, 0, None, self.stride):
            for maker, judge in self.pairs():
                what = f"{maker.name} encrypts {cipher} to {identity} {key_options} by {recipient} {encoding}"
                made = maker.ask(
                    *["encrypt"], in_=self.path("entity"), out=self.path("p7m"), to=self.path(identity + ".crt"),
                    cipher=cipher, recipient=recipient, encoding=encoding, **key_options
                )
                if self.expect(what, made):
                    self.expect(what + ", opens", self.decrypt(judge, "p7m", identity))
                    self.expect_same(what + ", same content", "plain", "entity")

    def decrypt(self, judge, name, identity):
        return judge.ask("decrypt", in_=self.path(name), out=self.path("plain"), **self.identity(identity))

    def refused_envelopes(self):
        for (maker, judge), cipher, identity in itertools.product(self.pairs(), ("aes256-cbc", "aes256-gcm"), ("rsa", "p256")):
            what = f"{maker.name} encrypts {cipher} to {identity}"
            wrong = "stranger" if identity == "rsa" else "p384"
            to = self.path(identity + ".crt")
            self.expect(what, maker.ask("encrypt", in_=self.path("big"), out=self.path("p7m"), to=to, cipher=cipher))
            self.expect(what + ", another's key", self.decrypt(judge, "p7m", wrong), "error")
            whole = self.read("p7m")
            with open(self.path("cut"), "wb") as file:
                file.write(whole[: len(whole) // 2])
            self.expect(what + ", cut short", self.decrypt(judge, "cut", identity), "error")
            if cipher.endswith("gcm"):
                changed = bytearray(whole)
                changed[len(whole) // 2] ^= 1
                with open(self.path("changed"), "wb") as file:
                    file.write(changed)
                self.expect(what + ", one bit changed", self.decrypt(judge, "changed", identity), "error")

    def several_recipients(self):
        for (maker, judge), cipher in itertools.product(self.pairs(), ("aes256-cbc", "aes128-gcm")):
            what = f"{maker.name} encrypts {cipher} to three"
            to = [self.path(name + ".crt") for name in ("stranger", "p256", "rsa")]
            self.expect(what, maker.ask("encrypt", in_=self.path("entity"), out=self.path("p7m"), to=to, cipher=cipher))
            for identity in ("stranger", "p256", "rsa"):
                self.expect(f"{what}, {identity} opens", self.decrypt(judge, "p7m", identity))
                self.expect_same(f"{what}, {identity}, same content", "plain", "entity")

    def compression(self):
        for encoding in ("der", "ber"):
            what = f"bouncycastle compresses {encoding}"
            self.expect(what, self.bouncy.ask("compress", in_=self.path("big"), out=self.path("p7z"), encoding=encoding))
            self.expect(what + ", opens", self.bouncy.ask("decompress", in_=self.path("p7z"), out=self.path("plain")))
            self.expect_same(what + ", same content", "plain", "big")
            refused = self.bouncy.ask("decompress", in_=self.path("p7z"), out=self.path("plain"), limit=1000)
            self.expect(what + ", over the limit", refused, "error")

    def words(self):
        for peer in (self.openssl, self.bouncy):
            self.expect(f"{peer.name} ping", peer.ask("ping"))
            self.expect(f"{peer.name} unknown command", peer.ask("sing"), "error")
            self.expect(f"{peer.name} unknown option", peer.ask("sign", hsah="sha1"), "error")

    def run(self):
        for part in (
            self.words, self.signatures, self.other_signed_forms, self.envelopes,
            self.refused_envelopes, self.several_recipients, self.compression,
        ):
            part()
        self.openssl.stop()
        self.bouncy.stop()
        print(f"{self.checks} checks, {len(self.failures)} failures")
        return 1 if self.failures else 0


if __name__ == "__main__":
    if not shutil.which("javac") or not os.path.exists("/usr/share/java/bcmail.jar"):
        print("skipped: needs openjdk-17-jdk-headless and libbcmail-java")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(Selftest(scratch, "--quick" in sys.argv, "-v" in sys.argv).run())
