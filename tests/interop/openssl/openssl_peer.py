#!/usr/bin/env python3
"""The openssl command as a test peer: makes and reads CMS over exact octets.

With arguments it runs that one command and its exit code tells the outcome. Without, it reads commands from standard
input, one per line, words parted by tabs, and answers each with one line: `ok` or `error`, a tab, details. Commands and
options are those of the BouncyCastle peer, as far as openssl has them.

Only `openssl cms` is called: `openssl smime` and S/MIME input forms rewrite line ends, and `smime -verify -binary`
rejects a correct signature over a binary first part.
"""

import os
import subprocess
import sys

OPENSSL = os.environ.get("SIGNET_OPENSSL", "openssl")
HASHES = ("sha1", "sha256", "sha384", "sha512")
CIPHERS = {
    "aes128-cbc": "-aes-128-cbc",
    "aes192-cbc": "-aes-192-cbc",
    "aes256-cbc": "-aes-256-cbc",
    "aes128-gcm": "-aes-128-gcm",
    "aes192-gcm": "-aes-192-gcm",
    "aes256-gcm": "-aes-256-gcm",
    "3des-cbc": "-des3",
}


class Refused(Exception):
    """What the peer answers with `error`."""


class Command:
    """A name, then key=value words; a key may occur more than once."""

    def __init__(self, words):
        self.name = words[0] if words else ""
        self.values = []
        for word in words[1:]:
            key, equals, value = word.partition("=")
            if not equals or not key:
                raise Refused(f"expected key=value, got '{word}'")
            self.values.append((key, value))

    def allow_only(self, *keys):
        for key, _ in self.values:
            if key not in keys:
                raise Refused(f"{self.name} knows no option '{key}'; it knows {', '.join(keys)}")

    def all(self, key):
        return [value for name, value in self.values if name == key]

    def one(self, key, *fallback, among=None):
        found = self.all(key) or list(fallback)
        if len(found) != 1:
            raise Refused(f"{self.name} needs {key}=... once, got it {len(found)} times")
        if among is not None and found[0] not in among:
            raise Refused(f"{key}= takes {', '.join(among)}, got '{found[0]}'")
        return found[0]

    def flag(self, key, fallback):
        return self.one(key, "yes" if fallback else "no", among=("yes", "no")) == "yes"


def openssl(*arguments):
    run = subprocess.run([OPENSSL, *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if run.returncode != 0:
        raise Refused(run.stderr.decode("utf-8", "replace").strip() or f"openssl ended with {run.returncode}")
    return run.stdout.decode("utf-8", "replace")


def is_elliptic(certificate):
    return "id-ecPublicKey" in openssl("x509", "-in", certificate, "-noout", "-text")


def remove_if_refused(path, *arguments):
    """Runs openssl; half an output file of a refused message must not look like a result."""
    try:
        openssl(*arguments)
    except Refused:
        if path != os.devnull and os.path.exists(path):
            os.remove(path)
        raise


def sign(command):
    """sign in= out= key= cert= [hash=] [scheme=] [form=p7s|opaque] [encoding=der|ber] [certs=] [attributes=] [sid=]"""
    command.allow_only("in", "out", "key", "cert", "hash", "scheme", "form", "encoding", "certs", "attributes", "sid")
    arguments = ["cms", "-sign", "-binary", "-nosmimecap", "-outform", "DER"]
    arguments += ["-in", command.one("in"), "-out", command.one("out")]
    arguments += ["-signer", command.one("cert"), "-inkey", command.one("key")]
    arguments += ["-md", command.one("hash", "sha256", among=HASHES)]
    if command.one("scheme", "pkcs1", among=("pkcs1", "pss", "ecdsa")) == "pss":
        arguments += ["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest"]
    opaque = command.one("form", "p7s", among=("p7s", "opaque")) == "opaque"
    if opaque:
        arguments.append("-nodetach")
    if command.one("encoding", "der", among=("der", "ber")) == "ber":
        if not opaque:
            raise Refused("openssl writes the content into a signature in BER; use form=opaque, or the BouncyCastle peer")
        arguments.append("-stream")
    if not command.flag("certs", True):
        arguments.append("-nocerts")
    if not command.flag("attributes", True):
        arguments.append("-noattr")
    if command.one("sid", "issuer", among=("issuer", "ski")) == "ski":
        arguments.append("-keyid")
    remove_if_refused(command.one("out"), *arguments)
    return {"size": os.path.getsize(command.one("out"))}


def verify(command):
    """verify p7s= cert= [content=] [out=]: the signer is this certificate, never one that the message carries."""
    command.allow_only("p7s", "content", "cert", "out")
    out = command.one("out", os.devnull)
    arguments = ["cms", "-verify", "-binary", "-inform", "DER", "-in", command.one("p7s"), "-out", out]
    # -noverify leaves the chain out, not the signature; -nointern takes the signer from -certfile alone.
    arguments += ["-certfile", command.one("cert"), "-nointern", "-noverify"]
    if command.all("content"):
        arguments += ["-content", command.one("content")]
    remove_if_refused(out, *arguments)
    return {}


def encrypt(command):
    """encrypt in= out= to=... [cipher=] [transport=] [kdf=] [recipient=issuer|ski] [encoding=der|ber]"""
    command.allow_only("in", "out", "to", "cipher", "transport", "kdf", "recipient", "encoding")
    if not command.all("to"):
        raise Refused("encrypt needs to=CERTIFICATE at least once")
    arguments = ["cms", "-encrypt", "-binary", "-outform", "DER"]
    arguments += ["-in", command.one("in"), "-out", command.one("out")]
    arguments.append(CIPHERS[command.one("cipher", "aes256-cbc", among=CIPHERS)])
    if command.one("recipient", "issuer", among=("issuer", "ski")) == "ski":
        arguments.append("-keyid")
    if command.one("encoding", "der", among=("der", "ber")) == "ber":
        arguments.append("-stream")
    for certificate in command.all("to"):
        arguments += ["-recip", certificate, *key_options(command, certificate)]
    remove_if_refused(command.one("out"), *arguments)
    return {"size": os.path.getsize(command.one("out"))}


def key_options(command, certificate):
    """-keyopt belongs to the -recip before it."""
    if is_elliptic(certificate):
        return ["-keyopt", "ecdh_kdf_md:" + command.one("kdf", "sha256", among=HASHES)]
    transport = command.one("transport", "rsa", among=("rsa", *("oaep-" + name for name in HASHES)))
    if transport == "rsa":
        return []
    name = transport[len("oaep-"):]
    return ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:" + name, "-keyopt", "rsa_mgf1_md:" + name]


def decrypt(command):
    """decrypt in= out= key= cert="""
    command.allow_only("in", "out", "key", "cert")
    out = command.one("out")
    remove_if_refused(
        out,
        *["cms", "-decrypt", "-binary", "-inform", "DER", "-in", command.one("in"), "-out", out],
        *["-recip", command.one("cert"), "-inkey", command.one("key")],
    )
    return {"size": os.path.getsize(out)}


def ping(command):
    command.allow_only()
    return {"version": openssl("version").split("\n")[0]}


COMMANDS = {"sign": sign, "verify": verify, "encrypt": encrypt, "decrypt": decrypt, "ping": ping}


def answer(words):
    try:
        command = Command(words)
        if command.name not in COMMANDS:
            raise Refused(f"unknown command '{command.name}'; known: {', '.join(COMMANDS)}")
        details = COMMANDS[command.name](command)
        return "\t".join(["ok", *(f"{key}={value}" for key, value in details.items())])
    except (Refused, OSError) as failure:
        return "error\t" + " ".join(str(failure).split())


def main():
    if len(sys.argv) > 1:
        line = answer(sys.argv[1:])
        print(line)
        return 0 if line.startswith("ok") else 1
    for line in sys.stdin:
        line = line.rstrip("\n")
        if line == "quit":
            break
        print(answer(line.split("\t")), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
