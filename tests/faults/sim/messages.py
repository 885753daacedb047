"""Messages and receipts (MDNs), made and read [RFC 4130]."""

import base64
import concurrent.futures
import hashlib
import itertools
import os
import random
import tempfile
import uuid

from . import openssl
from .wire import Headers, decoded, parameter, split_entity, split_parts

_serial = itertools.count()


def new_message_id(host="partner.test"):
    return f"<{next(_serial)}.{uuid.uuid4().hex}@{host}>"


def mic_of(entity):
    return base64.b64encode(hashlib.sha256(entity).digest()).decode()


def multipart_signed(entity, signer):
    """@returns the Content-Type and the body of the entity with its signature."""
    boundary = f"----{uuid.uuid4().hex}"
    signature = base64.encodebytes(openssl.sign(entity, signer)).replace(b"\n", b"\r\n")
    body = (f"--{boundary}\r\n".encode() + entity + f"\r\n--{boundary}\r\n".encode() +
            b"Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
            signature + f"\r\n--{boundary}--\r\n".encode())
    content_type = f'multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="{boundary}"'
    return content_type, body


def check_signed(content_type, body, certificate):
    """The signed entity, its signature verified. @raises OpensslFailed, ValueError"""
    parts = split_parts(body, content_type)
    if len(parts) != 2:
        raise ValueError(f"multipart/signed has {len(parts)} parts")
    with tempfile.NamedTemporaryFile() as signature:
        signature.write(decoded(*split_entity(parts[1])))
        signature.flush()
        openssl.verify(parts[0], signature.name, certificate)
    return parts[0]


class Prepared:
    """A message ready to be sent. No signature covers its Message-ID, so it may go out under many."""

    def __init__(self, payload, mic, headers, body):
        self.payload = payload
        self.mic = mic
        self._headers = headers
        self.body = body

    def request(self, message_id, target="/as2", also=()):
        """The octets of an HTTP request. `also` are further header fields."""
        fields = [("Host", "gateway.test"), ("Message-ID", message_id), *self._headers, *also,
                  ("Content-Length", str(len(self.body)))]
        return f"POST {target} HTTP/1.1\r\n".encode() + Headers(fields).octets() + b"\r\n" + self.body


class Composer:
    """Signs and encrypts what a partner sends to a gateway."""

    def __init__(self, partner, gateway_certificate, as2_from="PARTNER", as2_to="GATEWAY"):
        self.partner = partner
        self.gateway_certificate = gateway_certificate
        self.as2_from = as2_from
        self.as2_to = as2_to

    def compose(self, payload, file_name="order.edi"):
        entity = (b"Content-Type: application/EDI-X12\r\nContent-Disposition: attachment; filename=" + file_name.encode() +
                  b"\r\n\r\n" + payload)
        content_type, signed = multipart_signed(entity, self.partner)
        body = openssl.encrypt(f"Content-Type: {content_type}\r\n\r\n".encode() + signed, self.gateway_certificate)
        headers = [
            ("AS2-Version", "1.2"), ("AS2-From", self.as2_from), ("AS2-To", self.as2_to), ("MIME-Version", "1.0"),
            ("Subject", "order"), ("Content-Type", "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"),
            ("Disposition-Notification-To", "partner@partner.test"),
            ("Disposition-Notification-Options",
             "signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, sha-256"),
        ]
        return Prepared(payload, mic_of(entity), headers, body)

    def prepare(self, count, size=10_000, seed=0):
        """So many different messages; the same seed gives the same payloads."""
        source = random.Random(seed)
        payloads = [b"ISA*%04d*" % number + base64.b64encode(source.randbytes(size * 3 // 4)) for number in range(count)]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(self.compose, payloads))


class Mdn:
    """A receipt as it came."""

    def __init__(self, headers, body):
        """@raises ValueError  it is none."""
        self.headers = headers
        self.body = body
        self.content_type = headers.get("Content-Type")
        self.signed = self.content_type.lower().startswith("multipart/signed")
        report_headers, report = headers, body
        if self.signed:
            parts = split_parts(body, self.content_type)
            if len(parts) != 2:
                raise ValueError(f"multipart/signed has {len(parts)} parts")
            report_headers, report = split_entity(parts[0])
        fields = self._fields(report_headers.get("Content-Type"), report)
        self.disposition = fields.get("Disposition").partition(";")[2].strip()
        self.original_message_id = fields.get("Original-Message-ID")
        self.mic, _, self.mic_algorithm = fields.get("Received-content-MIC").replace(" ", "").partition(",")

    @staticmethod
    def _fields(content_type, report):
        for part in split_parts(report, content_type):
            headers, content = split_entity(part)
            if headers.get("Content-Type").lower().startswith("message/disposition-notification"):
                return Headers.parse(decoded(headers, content).decode("latin-1"))
        raise ValueError(f"no receipt: {content_type!r}")

    @property
    def processed(self):
        """Whether it says that the message was taken, now or before."""
        return self.disposition == "processed" or self.disposition.startswith("processed/warning: duplicate")

    def verify(self, certificate):
        """@raises OpensslFailed, ValueError  it is not signed by this certificate's key."""
        if not self.signed:
            raise ValueError("the receipt is not signed")
        check_signed(self.content_type, self.body, certificate)


def make_mdn(message_id, mic, as2_from, as2_to, signer=None, disposition="processed"):
    """A receipt's header fields and body."""
    boundary = f"----{uuid.uuid4().hex}"
    report = (f"--{boundary}\r\nContent-Type: text/plain\r\n\r\nThe message was received.\r\n"
              f"--{boundary}\r\nContent-Type: message/disposition-notification\r\n\r\n"
              f"Reporting-UA: sim partner\r\nOriginal-Recipient: rfc822; {as2_from}\r\nFinal-Recipient: rfc822; {as2_from}\r\n"
              f"Original-Message-ID: {message_id}\r\n"
              f"Disposition: automatic-action/MDN-sent-automatically; {disposition}\r\n"
              f"Received-Content-MIC: {mic}, sha-256\r\n\r\n--{boundary}--\r\n").encode()
    content_type = f'multipart/report; report-type=disposition-notification; boundary="{boundary}"'
    if signer is not None:
        content_type, report = multipart_signed(f"Content-Type: {content_type}\r\n\r\n".encode() + report, signer)
    headers = [("AS2-Version", "1.2"), ("AS2-From", as2_from), ("AS2-To", as2_to), ("MIME-Version", "1.0"),
               ("Message-ID", new_message_id()), ("Content-Type", content_type)]
    return headers, report


class Received:
    """A message from the gateway, opened by the partner's key and verified by the gateway's certificate."""

    def __init__(self, headers, body, partner, gateway_certificate):
        """@raises OpensslFailed, ValueError  it cannot be opened."""
        self.message_id = headers.get("Message-ID")
        self.as2_from = headers.get("AS2-From").strip('"')
        self.as2_to = headers.get("AS2-To").strip('"')
        self.async_url = headers.get("Receipt-Delivery-Option")
        self.wants_signed = "pkcs7-signature" in headers.get("Disposition-Notification-Options")
        entity_headers, content = headers, body
        if "pkcs7-mime" in headers.get("Content-Type"):
            entity_headers, content = split_entity(openssl.decrypt(decoded(headers, body), partner))
        if entity_headers.get("Content-Type").lower().startswith("multipart/signed"):
            entity = check_signed(entity_headers.get("Content-Type"), content, gateway_certificate)
            self.mic = mic_of(entity)
            self.payload = decoded(*split_entity(entity))
        else:
            self.mic = mic_of(content)
            self.payload = decoded(entity_headers, content)
        self.file_name = parameter(entity_headers.get("Content-Disposition"), "filename")
