#!/usr/bin/env python3
"""Keys and secrets over REST beside making and using them: deleted, backed up, rotated, and taken in.

Usage: vault_api_test.py --signet BINARY [TestClass...].
"""

import sqlite3
import subprocess

import cli_test
from api_test import VERSION, ApiTest, Service, from_base64url, to_base64url
from cli_test import DENIED, DONE, NOT_FOUND, REFUSED, TEST_KEY, Home

DAY = 86_400
KINDS = ["key", "secret"]


def read_der(octets):
    """The contents of the values that lie one after the other, with their tags."""
    values = []
    while octets:
        tag, size, start = octets[0], octets[1], 2
        if size & 0x80:
            start = 2 + (size & 0x7F)
            size = int.from_bytes(octets[2:start], "big")
        values.append((tag, octets[start:start + size]))
        octets = octets[start + size:]
    return values


def rsa_jwk(file=TEST_KEY):
    """The RSA key of a PEM file as a JSON Web Key."""
    der = subprocess.run(["openssl", "rsa", "-in", file, "-traditional", "-outform", "DER"], check=True, capture_output=True).stdout
    numbers = [to_base64url(number.lstrip(b"\0")) for _, number in read_der(read_der(der)[0][1])[1:]]
    return {"kty": "RSA", **dict(zip(["n", "e", "d", "p", "q", "dp", "dq", "qi"], numbers))}


def ec_jwk(curve="P-256", size=32):
    """A new one."""
    der = subprocess.run(["openssl", "ecparam", "-name", {"P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1"}[curve],
                          "-genkey", "-noout", "-outform", "DER"], check=True, capture_output=True).stdout
    _, (_, d), _, (_, public) = read_der(read_der(der)[0][1])
    point = read_der(public)[0][1][2:]
    return {"kty": "EC", "crv": curve, "x": to_base64url(point[:size]), "y": to_base64url(point[size:]),
            "d": to_base64url(d.rjust(size, b"\0"))}


class VaultTest(ApiTest):
    """A gateway, and what the tests say of keys and secrets alike."""

    def make(self, kind, name="x", service=None, **settings):
        service = service or self.vault
        if kind == "key":
            return self.done(service.post(f"/keys/{name}/create", {"kty": "EC", **settings}))
        return self.done(service.put(f"/secrets/{name}", {"value": "correct horse", **settings}))

    def certificate(self, name="c1"):
        policy = {"issuer": {"name": "Self"}, "x509_props": {"subject": "CN=c"}, "key_props": {"kty": "EC", "crv": "P-256"}}
        self.assertEqual(self.vault.post(f"/certificates/{name}/create", {"policy": policy})[0], 202)

    def done(self, answer, status=200):
        self.assertEqual(answer[0], status, answer[1])
        return answer[1]

    def delete(self, target, service=None):
        return (service or self.vault).call("DELETE", f"{target}?{VERSION}")

    def refused(self, answer, status, code, inner=None):
        self.assertEqual(self.error_code(answer, status), code, answer[1])
        if inner:
            self.assertEqual(answer[1]["error"]["innererror"]["code"], inner)

    def principal_without(self, permission):
        """A caller who may do everything but that."""
        words = {"key": "get,list,create,delete,recover,purge,backup,restore,rotate,import", "secret": "get,list,set,delete,recover,purge,backup,restore"}
        name = f"no-{permission}"
        self.home.run("principal", "add", name, expect=DONE)
        left = {kind: ",".join(word for word in all.split(",") if word != permission) for kind, all in words.items()}
        self.home.run("vault", "policy", "set", "--principal", name, "--key-permissions", left["key"], "--secret-permissions", left["secret"],
                      expect=DONE)
        service = Service(self.vault.port, self.vault.host, self.directory / "api.cer", self.token_of(name))
        self.wait_until(lambda: service.get("/keys")[0] == 200)
        return service

    @staticmethod
    def id_of(kind, item):
        return item["id"] if kind == "secret" else item["key"]["kid"] if "key" in item else item["kid"]

    @staticmethod
    def code(kind, what="NotFound"):
        return f"{kind.title()}{what}"


class Deletion(VaultTest):
    def test_what_is_deleted_can_be_recovered_as_it_was(self):
        for kind in KINDS:
            first, second = self.make(kind, "My-Name"), self.make(kind, "my-name", tags={"team": "edi"})
            deleted = self.done(self.delete(f"/{kind}s/MY-NAME"))
            self.assertEqual(deleted["recoveryId"], f"{self.vault.origin}/deleted{kind}s/My-Name")
            self.assertEqual(deleted["scheduledPurgeDate"] - deleted["deletedDate"], 90 * DAY)
            self.assertEqual((self.id_of(kind, deleted), deleted["tags"]), (self.id_of(kind, second), {"team": "edi"}))
            self.assertNotIn("value", deleted)
            for target in [f"/{kind}s/my-name", f"/{kind}s/my-name/versions", self.id_of(kind, first).removeprefix(self.vault.origin)]:
                self.refused(self.vault.get(target), 404, self.code(kind))
            self.assertNotIn("My-Name", str(self.vault.get(f"/{kind}s")[1]))
            self.refused(self.delete(f"/{kind}s/my-name"), 404, self.code(kind))
            self.assertEqual(self.done(self.vault.get(f"/deleted{kind}s/my-name")), deleted)
            item, = self.done(self.vault.get(f"/deleted{kind}s"))["value"]
            self.assertEqual(self.id_of(kind, item), f"{self.vault.origin}/{kind}s/My-Name")
            self.assertEqual([item[name] for name in ["recoveryId", "deletedDate", "scheduledPurgeDate"]],
                             [deleted[name] for name in ["recoveryId", "deletedDate", "scheduledPurgeDate"]])
            back = self.done(self.vault.post(f"/deleted{kind}s/my-name/recover"))
            self.assertEqual(self.id_of(kind, back), self.id_of(kind, second))
            self.assertEqual(len(self.done(self.vault.get(f"/{kind}s/my-name/versions"))["value"]), 2)
            self.refused(self.vault.post(f"/deleted{kind}s/my-name/recover"), 404, self.code(kind))

    def test_a_deleted_name_stays_taken_until_it_is_purged(self):
        for kind in KINDS:
            self.make(kind)
            blob = self.done(self.vault.post(f"/{kind}s/x/backup"))
            self.done(self.delete(f"/{kind}s/x"))
            again = {"key": lambda: self.vault.post("/keys/X/create", {"kty": "EC"}), "secret": lambda: self.vault.put("/secrets/X", {"value": "y"})}
            self.refused(again[kind](), 409, "Conflict", "ObjectIsDeletedButRecoverable")
            self.refused(self.vault.post(f"/{kind}s/restore", blob), 409, "Conflict", "ObjectIsDeletedButRecoverable")
            status, body, _ = self.delete(f"/deleted{kind}s/X")
            self.assertEqual((status, body), (204, None))
            self.refused(self.delete(f"/deleted{kind}s/x"), 404, self.code(kind))
            self.refused(self.vault.get(f"/deleted{kind}s/x"), 404, self.code(kind))
            self.done(again[kind]())

    def test_what_is_deleted_is_listed_in_pages(self):
        names = [f"s-{number}" for number in range(5)]
        for name in names:
            self.make("secret", name)
            self.done(self.delete(f"/secrets/{name}"))
        page = self.done(self.vault.get("/deletedsecrets?maxresults=3"))
        rest = self.done(self.vault.call("GET", page["nextLink"].removeprefix(self.vault.origin)))
        self.assertEqual([item["id"].rsplit("/", 1)[1] for item in page["value"] + rest["value"]], names)
        self.assertIsNone(rest["nextLink"])

    def test_purge_protection_leaves_purging_to_time(self):
        for kind in KINDS:
            self.make(kind)
        self.home.run("vault", "settings", "set", "--retention-days", "7", expect=DONE)
        shown = self.done(self.vault.get("/secrets/x"))["attributes"]
        self.assertEqual((shown["recoverableDays"], shown["recoveryLevel"]), (7, "CustomizedRecoverable+Purgeable"))
        self.home.run("vault", "settings", "set", "--retention-days", "90", "--purge-protection", expect=DONE)
        for kind in KINDS:
            deleted = self.done(self.delete(f"/{kind}s/x"))
            self.assertEqual((deleted["attributes"]["recoverableDays"], deleted["attributes"]["recoveryLevel"]), (90, "Recoverable"))
            self.refused(self.delete(f"/deleted{kind}s/x"), 403, "Forbidden")
            self.done(self.vault.post(f"/deleted{kind}s/x/recover"))

    def test_each_step_has_a_permission_of_its_own_which_comes_before_existence(self):
        for kind in KINDS:
            self.make(kind)
        no_delete, no_recover, no_purge = (self.principal_without(word) for word in ["delete", "recover", "purge"])
        for kind in KINDS:
            for name in ["x", "absent", "a_b"]:
                self.refused(self.delete(f"/{kind}s/{name}", no_delete), 403, "Forbidden", "ForbiddenByPolicy")
            self.done(self.delete(f"/{kind}s/x", no_recover))
            for name in ["x", "absent"]:
                self.refused(no_recover.post(f"/deleted{kind}s/{name}/recover"), 403, "Forbidden", "ForbiddenByPolicy")
                self.refused(self.delete(f"/deleted{kind}s/{name}", no_purge), 403, "Forbidden", "ForbiddenByPolicy")
            self.done(no_purge.post(f"/deleted{kind}s/x/recover"))

    def test_a_certificates_key_and_secret_go_with_it_alone(self):
        self.certificate()
        policy = {"lifetimeActions": [{"trigger": {"timeAfterCreate": "P60D"}, "action": {"type": "Rotate"}}]}
        before = [self.vault.get(f"/{kind}s/c1")[1] for kind in KINDS]
        for answer in [self.delete("/keys/c1"), self.delete("/secrets/c1"), self.vault.post("/keys/c1/rotate"), self.vault.post("/keys/c1/create", {"kty": "EC"}),
                       self.vault.put("/keys/c1", {"key": ec_jwk()}), self.vault.put("/keys/c1/rotationpolicy", policy),
                       self.vault.put("/secrets/c1", {"value": "x"}), self.vault.patch("/keys/c1", {"tags": {}})]:
            self.refused(answer, 403, "Forbidden")
            self.assertIn("belongs to the certificate", answer[1]["error"]["message"])
        self.assertEqual([self.vault.get(f"/{kind}s/c1")[1] for kind in KINDS], before)
        self.done(self.delete("/certificates/c1"))
        for kind in KINDS:
            self.refused(self.vault.post(f"/deleted{kind}s/c1/recover"), 403, "Forbidden")
            self.refused(self.delete(f"/deleted{kind}s/c1"), 403, "Forbidden")

    def test_a_key_that_something_links_to_stays(self):
        self.refused(self.delete("/keys/api"), 409, "Conflict")
        self.assertEqual(self.vault.get("/keys/api")[0], 200)

    def test_every_call_leaves_records(self):
        for kind in KINDS:
            self.make(kind)
            self.done(self.delete(f"/{kind}s/x"))
            self.delete(f"/deleted{kind}s/x")
        records = [(record["operation"], record["object"], record["result"]) for record in self.audit() if "object" in record]
        for kind in KINDS:
            self.assertIn((f"DELETE /{kind}s/{{name}}", "x", "success"), records)
            self.assertIn((f"DELETE /deleted{kind}s/{{name}}", "x", "success"), records)
        self.home.run("audit", "verify", expect=DONE)


class WholeVaults(VaultTest):
    """A vault that is deleted with everything in it."""

    HOST = "vault.example"

    def setUp(self):
        super().setUp()
        self.home.run("principal", "add", "administrator2", "--roles", "Reader,Writer,Administrator", expect=DONE)
        self.administrator = self.token_of("administrator2")
        subscription = self.arm("GET", "/subscriptions")["value"][0]
        self.group = f"/subscriptions/{subscription['subscriptionId']}/resourceGroups/edi/providers/Microsoft.KeyVault/vaults"
        self.tenant = subscription["tenantId"]
        app = self.home.json("principal", "show", "app")["objectId"]
        self.policy = {"tenantId": self.tenant, "objectId": app, "permissions": {"keys": ["all"], "secrets": ["all"], "certificates": ["all"]}}
        self.kv1 = self.service(self.management.port, f"kv1.{self.HOST}")

    def arm(self, method, path, body=None, status=200):
        answer = self.management.call(method, f"{path}?api-version=2026-02-01", body, token=self.administrator)
        self.assertEqual(answer[0], status, answer[1])
        return answer[1]

    def delete_kv1(self, **properties):
        """With a key, a secret and a certificate in it."""
        body = {"location": "local", "properties": {"tenantId": self.tenant, "accessPolicies": [self.policy], **properties}}
        self.arm("PUT", f"{self.group}/kv1", body, status=201)
        for kind in KINDS:
            self.make(kind, service=self.kv1)
        policy = {"issuer": {"name": "Self"}, "x509_props": {"subject": "CN=c"}, "key_props": {"kty": "EC", "crv": "P-256"}}
        self.assertEqual(self.kv1.post("/certificates/c1/create", {"policy": policy})[0], 202)
        self.arm("DELETE", f"{self.group}/kv1")

    def rows_of_kv1(self):
        with sqlite3.connect(self.home.path / "store" / "signet.db") as database:
            return sum(database.execute(f"SELECT count(*) FROM {table} WHERE vault = 'kv1'").fetchone()[0]
                       for table in ["key_versions", "secret_versions", "vault_certificates", "vault_certificate_versions", "access_policies"])

    def test_a_deleted_one_takes_nothing_new(self):
        self.delete_kv1()
        for command in [("policy", "set", "--principal", "app", "--key-permissions", "all"), ("key", "create", "y"),
                        ("settings", "set", "--retention-days", "9")]:
            refused = self.home.run("vault", *command, "--vault", "kv1")
            self.assertEqual(refused.returncode, REFUSED, refused.err)
            self.assertIn("'kv1' was deleted", refused.err)
        self.assertEqual(self.kv1.get("/keys")[0], 403)
        self.home.run("vault", "recover", "KV1", expect=DONE)
        self.assertEqual(self.home.json("vault", "deleted"), [])
        self.wait_until(lambda: self.kv1.get("/keys/x")[0] == 200)
        self.home.run("vault", "policy", "set", "--vault", "kv1", "--principal", "app", "--key-permissions", "list", expect=DONE)

    def test_purged_nothing_of_it_is_left(self):
        self.home.run("vault", "purge", "kv1", expect=NOT_FOUND)
        self.delete_kv1()
        deleted, = self.home.json("vault", "deleted")
        self.assertEqual((deleted["vault"], deleted["purgeProtection"]), ("kv1", False))
        self.assertGreater(self.rows_of_kv1(), 6)
        self.home.run("vault", "purge", "kv1", expect=DONE)
        self.assertEqual(self.rows_of_kv1(), 0)
        self.home.run("vault", "recover", "kv1", expect=NOT_FOUND)
        purged, = [record for record in self.audit() if record["operation"] == "purgeVault"]
        self.assertEqual((purged["principal"], purged["vault"]), ("operator", "kv1"))
        self.home.run("audit", "verify", expect=DONE)
        self.assertEqual(self.hosted.get("/keys/api")[0], 200)  # another vault's

    def test_purge_protection_leaves_purging_to_time(self):
        self.delete_kv1(enablePurgeProtection=True, softDeleteRetentionInDays=7)
        refused = self.home.run("vault", "purge", "kv1")
        self.assertEqual(refused.returncode, DENIED)
        self.assertIn("purge protection", refused.err)
        place = f"{self.group.split('/resourceGroups')[0]}/providers/Microsoft.KeyVault/locations/local/deletedVaults/kv1"
        self.assertEqual(self.arm("POST", f"{place}/purge", {}, status=405)["error"]["code"], "MethodNotAllowed")
        self.home.stop()
        with sqlite3.connect(self.home.path / "store" / "signet.db") as database:  # eight days ago
            database.execute("UPDATE resources SET created = created - ? WHERE kind = 'deletedVault'", (8 * DAY * 1_000_000,))
        self.home.start()
        self.wait_until(lambda: self.rows_of_kv1() == 0)
        self.assertEqual(self.home.json("vault", "deleted"), [])
        purged, = [record for record in self.audit() if record["operation"] == "purgeVault"]
        self.assertEqual(purged["principal"], "gateway")

    def test_one_in_use_is_not_purged(self):
        self.delete_kv1()
        self.home.run("vault", "recover", "kv1", expect=DONE)
        certificate = self.directory / "kv1.cer"
        self.home.run("vault", "key", "create", "--vault", "kv1", "own", expect=DONE)
        self.home.run("certificate", "create", "own", "--vault", "kv1", "--key", "own", "--common-name", "own", "--certificate-file", certificate, expect=DONE)
        self.arm("DELETE", f"{self.group}/kv1", status=409)


class Forms(VaultTest):
    """What a newer client may ask for and is not kept to is refused, instead of being passed over."""

    def test_a_secret_is_given_out_in_its_own_form_alone(self):
        self.certificate("c1")
        for form, status in [("application/x-pkcs12", 200), ("application/x-pem-file", 400), ("", 400)]:
            self.assertEqual(self.vault.get(f"/secrets/c1?outContentType={form}")[0], status, form)

    def test_a_chain_has_one_order(self):
        policy = {"issuer": {"name": "Self"}, "x509_props": {"subject": "CN=c"}, "key_props": {"kty": "EC", "crv": "P-256"}}
        for order, status in [(False, 202), (None, 202), (True, 400), ("no", 400)]:
            self.assertEqual(self.vault.post("/certificates/c2/create", {"policy": policy, "preserveCertOrder": order})[0], status, order)


class Backups(VaultTest):
    def test_a_backup_holds_every_version_and_what_is_said_of_it(self):
        for kind in KINDS:
            first, second = self.make(kind, "Name", tags={"team": "edi"}), self.make(kind, "name", attributes={"exp": 4102444800})
            blob = self.done(self.vault.post(f"/{kind}s/name/backup"))
            self.assertEqual(set(blob), {"value"})
            self.assertNotIn(b"correct horse", from_base64url(blob["value"]))
            self.refused(self.vault.post(f"/{kind}s/restore", blob), 409, "Conflict")
            versions = self.done(self.vault.get(f"/{kind}s/name/versions"))
            self.done(self.delete(f"/{kind}s/name"))
            self.done(self.delete(f"/deleted{kind}s/name"), 204)
            back = self.done(self.vault.post(f"/{kind}s/restore", blob))
            self.assertEqual(self.id_of(kind, back), self.id_of(kind, second))
            self.assertNotIn("value", back)
            self.assertEqual(self.done(self.vault.get(f"/{kind}s/name/versions")), versions)
            self.assertEqual(self.done(self.vault.get(self.id_of(kind, first).removeprefix(self.vault.origin))), first)
            self.refused(self.vault.post(f"/{kind}s/absent/backup"), 404, self.code(kind))

    def test_a_restored_key_is_the_same_key(self):
        self.make("key")
        blob = self.done(self.vault.post("/keys/x/backup"))
        digest = to_base64url(bytes(32))
        signed = self.done(self.vault.post("/keys/x//sign", {"alg": "ES256", "value": digest}))
        self.done(self.delete("/keys/x"))
        self.done(self.delete("/deletedkeys/x"), 204)
        self.done(self.vault.post("/keys/restore", blob))
        self.assertEqual(self.done(self.vault.post("/keys/x//verify", {"alg": "ES256", "digest": digest, "value": signed["value"]})), {"value": True})

    def test_a_backup_that_could_not_be_sent_back_is_not_made(self):
        for _ in range(24):
            self.make("secret", value="x" * 25 * 1024)
        self.refused(self.vault.post("/secrets/x/backup"), 400, "BadParameter")
        self.home.run("vault", "secret", "backup", "x", "--file", self.directory / "x.backup", expect=DONE)

    def test_permissions_come_before_existence_and_before_the_blob(self):
        no_backup, no_restore = self.principal_without("backup"), self.principal_without("restore")
        for kind in KINDS:
            self.make(kind)
            for name in ["x", "absent"]:
                self.refused(no_backup.post(f"/{kind}s/{name}/backup"), 403, "Forbidden", "ForbiddenByPolicy")
            for body in [self.done(no_restore.post(f"/{kind}s/x/backup")), {}, b"no JSON"]:
                self.refused(no_restore.post(f"/{kind}s/restore", body), 403, "Forbidden", "ForbiddenByPolicy")

    def test_another_installations_backup_is_none(self):
        stranger = Home(self.directory / "stranger")
        stranger.directory.mkdir()
        stranger.run("init", expect=DONE)
        stranger.run("vault", "key", "create", "x", "--kind", "P-256", expect=DONE)
        stranger.run("vault", "secret", "set", "x", standard_input=b"theirs", expect=DONE)
        for kind in KINDS:
            file = self.directory / f"{kind}.backup"
            stranger.run("vault", kind, "backup", "x", "--file", file, expect=DONE)
            self.refused(self.vault.post(f"/{kind}s/restore", {"value": to_base64url(file.read_bytes())}), 400, "BadParameter")
            self.refused(self.vault.get(f"/{kind}s/x"), 404, self.code(kind))


class OtherVault(VaultTest):
    HOST = "vault.example"

    def test_a_backup_goes_into_another_vault_of_the_installation(self):
        self.home.run("vault", "policy", "set", "--vault", "other", "--principal", "app", "--key-permissions", "all", "--secret-permissions", "all", expect=DONE)
        other = self.service(self.hosted.port, f"other.{self.HOST}")
        self.wait_until(lambda: other.get("/keys")[0] == 200)
        for kind in KINDS:
            made = self.make(kind, service=self.hosted)
            back = self.done(other.post(f"/{kind}s/restore", self.done(self.hosted.post(f"/{kind}s/x/backup"))))
            self.assertEqual(self.id_of(kind, back), self.id_of(kind, made).replace(self.hosted.origin, other.origin))
        self.assertEqual(self.done(other.get("/secrets/x"))["value"], "correct horse")


class Rotation(VaultTest):
    POLICY = {"lifetimeActions": [{"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Rotate"}},
                                  {"trigger": {"timeBeforeExpiry": "P10D"}, "action": {"type": "Notify"}}],
              "attributes": {"expiryTime": "P90D"}}

    def test_a_policy_is_kept_and_shown(self):
        self.make("key", "Name")
        default = self.done(self.vault.get("/keys/name/rotationpolicy"))
        self.assertEqual(default["lifetimeActions"], [{"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Notify"}}])
        kept = self.done(self.vault.put("/keys/name/rotationpolicy", self.POLICY))
        self.assertEqual((kept["lifetimeActions"], kept["attributes"]["expiryTime"]), (self.POLICY["lifetimeActions"], "P90D"))
        self.assertEqual(kept["attributes"]["created"], kept["attributes"]["updated"])
        self.assertEqual(self.done(self.vault.get("/keys/name/rotationpolicy")), kept)
        emptied = self.done(self.vault.put("/keys/name/rotationpolicy", {"lifetimeActions": [], "attributes": {}}))
        self.assertEqual((emptied["lifetimeActions"], "expiryTime" in emptied["attributes"]), ([], False))
        for target in ["/keys/absent/rotationpolicy"]:
            self.refused(self.vault.get(target), 404, "KeyNotFound")
            self.refused(self.vault.put(target, self.POLICY), 404, "KeyNotFound")

    def test_rotation_makes_the_like_of_the_current_version(self):
        first = self.make("key", crv="P-384", key_ops=["sign"], tags={"team": "edi"})
        self.done(self.vault.put("/keys/x/rotationpolicy", self.POLICY))
        second = self.done(self.vault.post("/keys/x/rotate"))
        self.assertNotEqual((second["key"]["kid"], second["key"]["x"]), (first["key"]["kid"], first["key"]["x"]))
        self.assertEqual((second["key"]["crv"], second["key"]["key_ops"], second["tags"]), ("P-384", ["sign"], {"team": "edi"}))
        self.assertEqual(second["attributes"]["exp"] - second["attributes"]["created"], 90 * DAY)
        self.assertEqual(self.done(self.vault.get("/keys/x")), second)
        self.assertEqual(self.done(self.vault.get(first["key"]["kid"].removeprefix(self.vault.origin))), first)
        self.refused(self.vault.post("/keys/absent/rotate"), 404, "KeyNotFound")

    def test_a_policy_that_will_not_do_is_refused_and_changes_nothing(self):
        self.make("key")
        before = self.done(self.vault.put("/keys/x/rotationpolicy", self.POLICY))

        def action(trigger, kind="Rotate"):
            return {"trigger": trigger, "action": {"type": kind}}
        for policy in [{"attributes": {"expiryTime": "P27D"}}, {"attributes": {"expiryTime": "90 days"}}, {"attributes": {"expiryTime": 90}},
                       {"attributes": []}, {"lifetimeActions": {}}, {"lifetimeActions": [1]}, {"lifetimeActions": [{}]},
                       {"lifetimeActions": [action({})]}, {"lifetimeActions": [action({"timeAfterCreate": "P6D"})]},
                       {"lifetimeActions": [action({"timeAfterCreate": "P60D"}, "Sing")]},
                       {"lifetimeActions": [action({"timeAfterCreate": "P60D"}), action({"timeAfterCreate": "P70D"})]},
                       {"lifetimeActions": [action({"timeAfterCreate": "P60D", "timeBeforeExpiry": "P30D"})]},
                       {"lifetimeActions": [action({"timeBeforeExpiry": "P30D"})]},
                       {"lifetimeActions": [action({"timeAfterCreate": "P60D"}, "Notify")]},
                       {"lifetimeActions": [action({"timeAfterCreate": "P99999Y"})]}]:
            self.refused(self.vault.put("/keys/x/rotationpolicy", policy), 400, "BadParameter")
        self.assertEqual(self.done(self.vault.get("/keys/x/rotationpolicy")), before)


class Importing(VaultTest):
    def test_an_rsa_key_is_taken_in_as_a_version(self):
        jwk = rsa_jwk()
        made = self.done(self.vault.put("/keys/rsa", {"Hsm": False, "key": {**jwk, "key_ops": ["sign", "verify"]}, "attributes": {"exp": 4102444800},
                                                      "tags": {"team": "edi"}}))
        self.assertEqual({name: made["key"][name] for name in ["kty", "n", "e", "key_ops"]},
                         {"kty": "RSA", "n": jwk["n"], "e": jwk["e"], "key_ops": ["sign", "verify"]})
        self.assertFalse({"d", "p", "q", "dp", "dq", "qi"} & set(made["key"]))
        self.assertEqual((made["attributes"]["exp"], made["tags"]), (4102444800, {"team": "edi"}))
        digest = to_base64url(bytes(32))
        signature = self.done(self.vault.post("/keys/rsa//sign", {"alg": "RS256", "value": digest}))["value"]
        self.assertEqual(self.done(self.vault.post("/keys/rsa//verify", {"alg": "RS256", "digest": digest, "value": signature})), {"value": True})
        second = self.done(self.vault.put("/keys/RSA", {"key": ec_jwk()}))
        self.assertEqual(len(self.done(self.vault.get("/keys/rsa/versions"))["value"]), 2)
        self.assertEqual(self.done(self.vault.get("/keys/rsa")), second)
        self.assertRegex(second["key"]["kid"], "/keys/rsa/")

    def test_ec_keys_are_taken_in(self):
        for curve, size, algorithm, digest in [("P-256", 32, "ES256", 32), ("P-384", 48, "ES384", 48), ("P-521", 66, "ES512", 64)]:
            jwk = ec_jwk(curve, size)
            made = self.done(self.vault.put(f"/keys/{curve}", {"key": jwk}))
            self.assertEqual({name: made["key"][name] for name in ["crv", "x", "y"]}, {name: jwk[name] for name in ["crv", "x", "y"]})
            self.assertNotIn("d", made["key"])
            value = to_base64url(bytes(digest))
            signature = self.done(self.vault.post(f"/keys/{curve}//sign", {"alg": algorithm, "value": value}))["value"]
            self.assertEqual(len(from_base64url(signature)), 2 * size)
            self.assertEqual(self.done(self.vault.post(f"/keys/{curve}//verify", {"alg": algorithm, "digest": value, "value": signature})), {"value": True})

    def test_no_private_number_is_written_to_a_file(self):
        jwk = rsa_jwk()
        self.done(self.vault.put("/keys/rsa", {"key": jwk}))
        self.vault.put("/keys/rsa", {"key": {**jwk, "qi": "AQ"}})
        self.home.stop()
        for file in [*self.home.path.rglob("*"), self.home.log]:
            if file.is_file():
                octets = file.read_bytes()
                for name in ["d", "p", "q", "dp", "dq", "qi"]:
                    self.assertNotIn(jwk[name].encode(), octets, file)
                    self.assertNotIn(from_base64url(jwk[name]), octets, file)


if __name__ == "__main__":
    cli_test.main(__doc__)
