"""The REST services of a gateway for the rows: what their documents say that there is, and calls over the wire."""

import http.client
import json
import pathlib
import re
import ssl
import subprocess

from gateway import Gateway

DOCUMENTS = pathlib.Path(__file__).resolve().parents[2] / "docs"
VERSIONS = {"vault": "7.5", "management": "2019-05-01"}
METHODS = ("get", "put", "post", "patch", "delete")


class Route:
    """One operation of the documents."""

    def __init__(self, plane, method, template, needs):
        self.plane, self.method, self.template, self.needs = plane, method.upper(), template, needs

    def __str__(self):
        return f"{self.method} {self.template}"

    def path(self, values):
        """With something in the place of each parameter."""
        return re.sub(r"{(\w+)}", lambda match: values[match[1]], self.template)


def documented_routes():
    """All, of both planes."""
    return [Route(plane, method, template, operation["x-signet-needs"])
            for plane in VERSIONS
            for template, item in json.loads((DOCUMENTS / f"openapi-{plane}.json").read_text())["paths"].items()
            for method, operation in item.items() if method in METHODS]


class RestGateway(Gateway):
    """A home with the vault `signet`, and its REST services at localhost."""

    def set_up_services(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        self.run("init")
        key, certificate = self.directory / "api.key", self.directory / "api.cer"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        self.run("vault", "key", "import", "api", key)
        self.run("certificate", "add", "api", certificate, "--key", "api")
        return self

    def serve(self):
        self.start("--listen-api", "127.0.0.1:0", "--api-certificate", "api", "--operations-listen", "127.0.0.1:0",
                   "--listen-publication", "127.0.0.1:0", "--api-calls-per-second", "100000")
        self.ports = {entry["name"]: entry["port"] for entry in json.loads(self._ports.read_text())}
        return self

    def principal(self, name, *roles):
        """@returns its token"""
        self.run("principal", "add", name, *(["--roles", ",".join(roles)] if roles else []))
        return self.run("token", "create", name)["token"]


class Caller:
    """Calls one listener, over connections that stay."""

    def __init__(self, port, host=None, tls=True):
        self.port, self.host, self.tls = port, host or "localhost", tls
        self._connection = None

    def _connect(self):
        if not self.tls:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is about who calls, not about who answers
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=60)

    def call(self, method, target, token=None, body=None):
        """@returns the status, the fields, the octets of the body"""
        fields = {"Host": f"{self.host}:{self.port}", **({"Authorization": f"Bearer {token}"} if token else {})}
        if body is not None:
            fields["Content-Type"] = "application/json"
        for attempt in (1, 2):
            self._connection = self._connection or self._connect()
            try:
                self._connection.request(method, target, body, fields)
                response = self._connection.getresponse()
                octets = response.read()
            except (OSError, http.client.HTTPException):
                self._connection = None  # the gateway closes one that it has refused a head on
                if attempt == 2:
                    raise
                continue
            if response.will_close:
                self._connection = None
            return response.status, response.headers, octets
        return None
