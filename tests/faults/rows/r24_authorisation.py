"""R24: every route of the REST services, called by everybody: who may is let in, nobody else is, and there is no other route."""

import datetime
import json
import re
import time

from rest import VERSIONS, Caller, RestGateway, documented_routes
from row import Outcome

ROLES = ["Reader", "Writer", "Approver", "Administrator", "CertificateBinder", "Auditor"]
BY_NOBODY = ["without a token", "with a token that is over", "with a token that was changed", "with another installation's token",
             "with a revoked token", "with a disabled principal's token"]
# Of Azure's, and not served; and what a router could make of a crooked path.
ELSEWHERE = {
    "vault": ["/", "/storage", "/rng", "/keys/x/release", "/keys/x//attest", "/keys/x/0/sign/more", "/keys//x/sign", "/certificates/issuers/x/y", "/hsm/restore",
              "/deletedstorage", "/security/download", "/subscriptions", "/as2", "/metrics", "/health", "/keys%2Fx", "/secrets/../keys"],
    "management": ["/", "/keys", "/secrets/x", "/subscriptions/{subscription}", "/tenants", "/providers", "/as2", "/metrics", "/health",
                   "/subscriptions/{subscription}/resourceGroups", "/subscriptions/{subscription}/providers/Microsoft.Authorization/roleAssignments",
                   *(f"/subscriptions/{{subscription}}/resourceGroups/g/providers/Microsoft.Logic/integrationAccounts/a/{what}"
                     for what in ["maps", "schemas", "assemblies", "batchConfigurations", "sessions", "x"]),
                   "/subscriptions/{subscription}/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v/keys"]}


class Matrix:
    """A gateway with a principal for each that may be called by, and what came of the calls."""

    def __init__(self, bench):
        self.bench = bench
        self.gateway = RestGateway(bench.signet, bench.directory / "gateway")
        bench.adopt(self.gateway)
        self.gateway.set_up_services()
        self.tokens = {"everything": self.gateway.principal("everything", *ROLES), "nothing": self.gateway.principal("nothing")}
        for role in ROLES:
            self.tokens[f"{role} alone"] = self.gateway.principal(f"just-{role}", role)
            self.tokens[f"all but {role}"] = self.gateway.principal(f"but-{role}", *(other for other in ROLES if other != role))
        for name in ["one", "but-one", "elsewhere"]:
            self.tokens[name] = self.gateway.principal(name)
        self.tokens |= self.tokens_of_nobody()
        self.gateway.serve()
        self.callers = {"management": Caller(self.gateway.ports["api"]), "vault": Caller(self.gateway.ports["api"], "signet.localhost")}
        self.ids = {entry["name"]: entry["objectId"] for entry in self.gateway.run("principal", "list")}
        _, _, answer = self.callers["management"].call("GET", "/subscriptions?api-version=2022-12-01", self.tokens["everything"])
        subscription, = json.loads(answer)["value"]
        self.subscription, self.tenant = subscription["subscriptionId"], subscription["tenantId"]
        self.calls, self.faults = 0, []

    def tokens_of_nobody(self):
        """Each was somebody's with all rights, or nearly is."""
        over = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
        expired = self.gateway.run("token", "create", "everything", "--expires", over.isoformat())["token"]
        revoked = self.gateway.run("token", "create", "everything")
        self.gateway.run("token", "revoke", revoked["id"])
        disabled = self.gateway.principal("disabled", *ROLES)
        self.gateway.run("principal", "set", "disabled", "--disable")
        other = RestGateway(self.bench.signet, self.bench.directory / "other")
        other.directory.mkdir()
        other.run("init")
        foreign = other.principal("everything", *ROLES)
        changed = list(self.tokens["everything"])
        at = self.bench.dice.randrange(len("sgt_"), len(changed) - 1)
        changed[at] = "A" if changed[at] != "A" else "B"
        time.sleep(max(0.0, (over - datetime.datetime.now(datetime.timezone.utc)).total_seconds()))
        return dict(zip(BY_NOBODY, [None, expired, "".join(changed), foreign, revoked["token"], disabled]))

    # ---- What is granted

    def policies(self, vault, **granted):
        """In the place of all that there are. Each is a function of the kind of object."""
        entries = [{"tenantId": self.tenant, "objectId": self.ids[name], "permissions": {kind: words(kind) for kind in ("keys", "secrets", "certificates")}}
                   for name, words in granted.items()]
        status, _, answer = self.callers["management"].call(
            "PUT", f"/subscriptions/{self.subscription}/resourceGroups/signet/providers/Microsoft.KeyVault/vaults/{vault}/accessPolicies/replace?api-version=2026-02-01",
            self.tokens["everything"], json.dumps({"properties": {"accessPolicies": entries}}))
        assert status == 200, answer

    def permissions(self, routes):
        """Every permission that a route needs, by its kind."""
        words = {"keys": set(), "secrets": set(), "certificates": set()}
        for route in routes:
            if route.plane == "vault":
                kind, word = route.needs.split("/")
                words[kind].add(word)
        return words

    # ---- Calls

    def values(self):
        name = f"absent{self.bench.dice.randrange(1 << 30):x}"
        return {"subscription": self.subscription, "group": "g", "account": "absent", "location": "local", "kind": "add", "version": "0" * 32, "name": name,
                "id": "00000000-0000-4000-8000-000000000000", "serial": "00", "agreement": "absent", "certificate": name, "exchange": "0" * 32}

    def target(self, plane, path):
        return f"{path}?api-version={'2026-02-01' if 'KeyVault' in path else VERSIONS[plane]}"

    def call(self, plane, method, path, token):
        self.calls += 1
        body = b"{}" if method in ("PUT", "POST", "PATCH") else None
        return self.callers[plane].call(method, self.target(plane, path), token, body)

    def try_route(self, route, who, verdict):
        """`verdict` is "let in", 401 or 403."""
        status, headers, octets = self.call(route.plane, route.method, route.path(self.values()), self.tokens[who])
        fits = status not in (401, 403) if verdict == "let in" else status == verdict
        if status == 401 and "WWW-Authenticate" not in headers:
            fits = False
        if status == 403 and (b"ForbiddenByPolicy" if route.plane == "vault" else b"AuthorizationFailed") not in octets:
            fits = False
        if status >= 500:
            fits = False
        if not fits:
            self.faults.append(f"{route} by {who}: {status}, and the table says {verdict}: {octets[:200]!r}")


def measure(bench):
    matrix = Matrix(bench)
    routes = documented_routes()
    vault, management = ([route for route in routes if route.plane == plane] for plane in ("vault", "management"))
    for route in routes:
        for who in BY_NOBODY:
            matrix.try_route(route, who, 401)
    try_management(matrix, management)
    try_vault(matrix, vault)
    outside = routes_outside(matrix, routes)
    public = admin_routes_elsewhere(matrix, routes)
    wrong = len(matrix.faults)
    return Outcome(f"{len(routes)} routes, {matrix.calls} calls by {len(matrix.tokens)} callers: {wrong} not as the table says, {len(outside)} routes outside of it, "
                   f"{len(public)} on other listeners",
                   "100 % as the table says, 0 routes outside, 0 on the AS2 and operations listeners", matrix.faults + outside + public)


def try_management(matrix, routes):
    """A vault's policies give nothing here."""
    matrix.policies("signet", nothing=lambda kind: ["all"])
    for route in routes:
        matrix.try_route(route, "everything", "let in")
        matrix.try_route(route, "nothing", 403)
        for role in ROLES:
            matrix.try_route(route, f"{role} alone", "let in" if role == route.needs else 403)
            matrix.try_route(route, f"all but {role}", 403 if role == route.needs else "let in")


def try_vault(matrix, routes):
    """Nor do roles there, nor what another vault grants."""
    words = matrix.permissions(routes)
    tenant = {"tenantId": matrix.tenant, "sku": {"family": "A", "name": "standard"}, "accessPolicies": []}
    status, _, answer = matrix.callers["management"].call(
        "PUT", f"/subscriptions/{matrix.subscription}/resourceGroups/signet/providers/Microsoft.KeyVault/vaults/other1?api-version=2026-02-01",
        matrix.tokens["everything"], json.dumps({"location": "local", "properties": tenant}))
    assert status == 201, answer
    matrix.policies("other1", elsewhere=lambda kind: ["all"])
    for needs in sorted({route.needs for route in routes}):
        of_kind, word = needs.split("/")
        matrix.policies("signet", **{"everything": lambda kind: ["all"],
                                     "one": lambda kind: [word] if kind == of_kind else [],
                                     "but-one": lambda kind: sorted(words[kind] - ({word} if kind == of_kind else set()))})
        for route in routes:
            if route.needs != needs:
                continue
            for who in ["everything", "one"]:
                matrix.try_route(route, who, "let in")
            for who in ["but-one", "nothing", "elsewhere", *(f"{role} alone" for role in ROLES)]:
                matrix.try_route(route, who, 403)


def fits(template, path):
    """An empty version at the end is the current one."""
    return re.fullmatch(re.sub(r"{\w+}", "[^/]+", template) + "/?", path, re.IGNORECASE) is not None


def is_nowhere(status, octets):
    """Whether an answer is that of no route: there is none, not by this method, or none has such a path."""
    if status == 404:
        return not octets or b'"NotFound"' in octets
    return status in (405, 501) or status == 400 and (not octets or b"the request target" in octets)


def routes_outside(matrix, routes):
    """What is answered and stands in no document."""
    tried = set()
    for route in routes:
        path = route.path({**matrix.values(), "name": "absent"})
        tried |= {(route.plane, path), (route.plane, path + "/more"), (route.plane, path.rpartition("/")[0] or "/")}
    tried = set(matrix.bench.dice.sample(sorted(tried), matrix.bench.share(len(tried) // 4, len(tried))))
    tried |= {(plane, path.replace("{subscription}", matrix.subscription)) for plane, paths in ELSEWHERE.items() for path in paths}
    answered = []
    for plane, path in sorted(tried):
        documented = {route.method for route in routes if route.plane == plane and fits(route.template, path)}
        for method in ["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "MERGE"]:
            if method in documented:
                continue
            status, _, octets = matrix.call(plane, method, path, matrix.tokens["everything"])
            if not is_nowhere(status, octets):
                answered.append(f"{method} {path} of the {plane} plane is answered by {status}, and in no document: {octets[:200]!r}")
    return answered


def admin_routes_elsewhere(matrix, routes):
    """Routes that a listener knows which is not for them."""
    found = []
    for name, port in matrix.gateway.ports.items():
        if name == "api":
            continue
        caller = Caller(port, tls=False)
        for route in routes:
            matrix.calls += 1
            status, headers, octets = caller.call(route.method, matrix.target(route.plane, route.path(matrix.values())), matrix.tokens["everything"],
                                                  b"{}" if route.method in ("PUT", "POST", "PATCH") else None)
            if status < 400 or status in (401, 403) or "WWW-Authenticate" in headers or b'"error"' in octets:
                found.append(f"{route} at the listener '{name}' is answered by {status}: {octets[:200]!r}")
    return found
