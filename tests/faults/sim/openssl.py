"""What the sim partner asks of the `openssl` command: keys, certificates and CMS."""

import pathlib
import subprocess


class OpensslFailed(RuntimeError):
    pass


def openssl(*arguments, octets=b""):
    """Runs the command with `octets` as its input and returns its output."""
    command = ["openssl", *map(str, arguments)]
    done = subprocess.run(command, input=octets, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise OpensslFailed(f"{' '.join(command)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


class Identity:
    """A key and the certificate that it signed for itself."""

    def __init__(self, name, key, certificate):
        self.name = name
        self.key = pathlib.Path(key)
        self.certificate = pathlib.Path(certificate)

    @classmethod
    def create(cls, directory, name, days=3650):
        key, certificate = directory / f"{name}.key", directory / f"{name}.crt"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-noenc", "-keyout", key, "-out", certificate, "-days", days,
                "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        return cls(name, key, certificate)


def sign(octets, signer):
    """A detached signature over the octets, DER."""
    return openssl("cms", "-sign", "-binary", "-outform", "DER", "-md", "sha256", "-signer", signer.certificate, "-inkey",
                   signer.key, octets=octets)


def encrypt(octets, certificate):
    return openssl("cms", "-encrypt", "-binary", "-outform", "DER", "-aes-256-cbc", "-recip", certificate, octets=octets)


def decrypt(octets, recipient):
    return openssl("cms", "-decrypt", "-binary", "-inform", "DER", "-recip", recipient.certificate, "-inkey", recipient.key,
                   octets=octets)


def verify(octets, signature_file, certificate):
    """@raises OpensslFailed  unless this certificate's key signed exactly these octets."""
    openssl("cms", "-verify", "-binary", "-inform", "DER", "-in", signature_file, "-content", "/dev/stdin", "-certfile",
            certificate, "-nointern", "-noverify", octets=octets)
