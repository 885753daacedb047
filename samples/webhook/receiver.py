#!/usr/bin/env python3
"""Takes what Signet's webhook hands over: verifies each request, and keeps each payload once, as a file.

    SIGNET_WEBHOOK_SECRET=... ./receiver.py --listen 127.0.0.1:8080 --url http://127.0.0.1:8080/as2 --folder ./in

A start for your own; nothing but Python's standard library is needed.
"""

import argparse
import base64
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import re
import time

SIGNED = ("@method", "@target-uri", "content-type", "content-digest", "idempotency-key", "signet-message")
LONGEST_AGE = 300  # seconds; an older request may be somebody's recording


class Refused(Exception):
    """The request is not Signet's, or not for us."""


def verify(headers, body, url, secret, now):
    """What RFC 9421 and RFC 9530 ask for. `url` is the one that the agreement names. @raises Refused"""
    label, parameters = (headers.get("Signature-Input") or "").partition("=")[::2]
    names = tuple(re.findall(r'"([^"]+)"', parameters.partition(")")[0]))
    if names != SIGNED or 'alg="hmac-sha256"' not in parameters:
        raise Refused("the signature does not cover what it must")
    created = re.search(r";created=(\d+)", parameters)
    if not created or abs(now - int(created[1])) > LONGEST_AGE:
        raise Refused("the request is too old, or one of our clocks is wrong")

    derived = {"@method": "POST", "@target-uri": url}
    lines = [f'"{name}": {derived.get(name) or headers.get(name, "")}' for name in names]
    base = "\n".join([*lines, f'"@signature-params": {parameters}'])
    wanted = hmac.new(secret, base.encode("ascii"), hashlib.sha256).digest()
    if not hmac.compare_digest((headers.get("Signature") or "").encode(), f"{label}=:{base64.b64encode(wanted).decode()}:".encode()):
        raise Refused("the signature is not one by our secret")

    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    if headers["Content-Digest"] != f"sha-256=:{digest}:":
        raise Refused("the body is not the one that was signed")


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            verify(self.headers, body, self.server.url, self.server.secret, time.time())
        except Refused as refused:
            return self.answer(403, str(refused))
        facts = json.loads(self.headers["Signet-Message"])
        self.keep(facts["id"], body, facts)
        return self.answer(204)

    def keep(self, message, body, facts):
        """Under the message's id, so that a payload that comes a second time changes nothing."""
        final = self.server.folder / message
        if final.exists():
            return
        final.with_suffix(".json").write_text(json.dumps(facts, indent=2))
        part = final.with_suffix(".part")
        with part.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())  # 2xx says that it is ours now
        part.rename(final)

    def answer(self, status, text=""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", default="127.0.0.1:8080", help="address and port")
    parser.add_argument("--url", required=True, help="our URL as the agreement has it")
    parser.add_argument("--folder", required=True, type=pathlib.Path, help="where payloads are kept")
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f"--folder {options.folder} is not there: make it, so that payloads are not kept where nobody looks")
    address, port = options.listen.rsplit(":", 1)
    server = http.server.ThreadingHTTPServer((address, int(port)), Receiver)
    server.url, server.folder = options.url, options.folder
    server.secret = os.environ["SIGNET_WEBHOOK_SECRET"].encode()
    server.serve_forever()


if __name__ == "__main__":
    main()
