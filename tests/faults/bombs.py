"""Requests that are small and want to be large: made here, by somebody who has the partner's key."""

import zlib

from hostile import Case, as2_cases, large_cases
from sim import openssl
from sim.messages import multipart_signed
from sim.wire import Headers


def der(tag, *contents):
    content = b"".join(contents)
    size = len(content)
    length = bytes([size]) if size < 0x80 else bytes([0x80 | (octets := (size.bit_length() + 7) // 8)]) + size.to_bytes(octets, "big")
    return bytes([tag]) + length + content


def oid(*arcs):
    octets = bytes([arcs[0] * 40 + arcs[1]])
    for arc in arcs[2:]:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.insert(0, 0x80 | arc & 0x7F)
        octets += bytes(groups)
    return der(0x06, octets)


SMIME = (1, 2, 840, 113549, 1, 9, 16)
ID_DATA = oid(1, 2, 840, 113549, 1, 7, 1)
ID_COMPRESSED_DATA = oid(*SMIME, 1, 9)
ID_ZLIB = oid(*SMIME, 3, 8)


def compressed_data(stream):
    """CMS CompressedData of a zlib stream [RFC 3274]."""
    content = der(0x30, ID_DATA, der(0xA0, der(0x04, stream)))
    return der(0x30, ID_COMPRESSED_DATA, der(0xA0, der(0x30, der(0x02, b"\0"), der(0x30, ID_ZLIB), content)))


def zeros(mebibytes):
    """A zlib stream of so many zeros, behind the header of a MIME entity."""
    packer = zlib.compressobj(9)
    pieces = [packer.compress(b"Content-Type: application/octet-stream\r\n\r\n")]
    pieces += [packer.compress(bytes(1 << 20)) for _ in range(mebibytes)]
    return b"".join(pieces) + packer.flush()


COMPRESSED = "application/pkcs7-mime; smime-type=compressed-data; name=smime.p7z"


def entity(content_type, body):
    return f"Content-Type: {content_type}\r\n\r\n".encode() + body


def request(name, content_type, body, framing=None):
    fields = [("Host", "gateway.test"), ("AS2-Version", "1.2"), ("AS2-From", "PARTNER"), ("AS2-To", "GATEWAY"),
              ("Message-ID", f"<{name}@partner.test>"), ("Content-Type", content_type),
              ("Disposition-Notification-To", "partner@partner.test"), framing or ("Content-Length", str(len(body)))]
    return b"POST /as2 HTTP/1.1\r\n" + Headers(fields).octets() + b"\r\n" + body


def nested_multiparts(depth):
    octets = entity("text/plain", b"x")
    for level in range(depth):
        octets = entity(f'multipart/mixed; boundary="{level}"',
                        b"--%d\r\n" % level + octets + b"\r\n--%d--\r\n" % level)
    return octets


def cases(partner, gateway_certificate, mebibytes):
    """`mebibytes` is what the compressed ones expand to."""
    def sealed(name, octets, verdict="reject"):
        body = openssl.encrypt(octets, gateway_certificate)
        return Case(name, request(name, "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", body), verdict=verdict)

    bomb = compressed_data(zeros(mebibytes))
    nested = zlib.compress(entity("text/plain", b"x"))
    for _ in range(50):
        nested = zlib.compress(entity(COMPRESSED, compressed_data(nested)))
    signed_type, signed = multipart_signed(entity(COMPRESSED, bomb), partner)
    many = 'multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="b"'
    deep = nested_multiparts(1000)
    deep_type, deep_signed = multipart_signed(deep, partner)
    chunks = b"1\r\nx\r\n" * 300_000 + b"0\r\n\r\n"
    return [
        Case("compressed", request("compressed", COMPRESSED, bomb)),
        sealed("compressed-signed-encrypted", entity(signed_type, signed)),
        sealed("compressed-encrypted", entity(COMPRESSED, bomb)),
        Case("compressed-50-times", request("compressed-50-times", COMPRESSED, compressed_data(nested))),
        Case("100000-parts", request("100000-parts", many, b"--b\r\n\r\nx\r\n" * 100_000 + b"--b--\r\n")),
        sealed("1000-multiparts-in-one-another", entity(deep_type, deep_signed), "accept: it is the payload, and nobody looks inside"),
        Case("der-100000-deep", request("der-100000-deep", COMPRESSED, b"\x30\x80" * 100_000)),
        Case("one-octet-chunks", request("one-octet-chunks", COMPRESSED, chunks, ("Transfer-Encoding", "chunked"))),
        *as2_cases("asn1-", "bomb-"), *large_cases(),
    ]
