// Scenarios of @azure/keyvault-secrets.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { KeyClient } from "@azure/keyvault-keys";
import { SecretClient } from "@azure/keyvault-secrets";
import { all, clientOptions, done, fresh, isDeleted, kBadNames, polling, refused, scenariosOf } from "./common.js";

const clientOf = ({ vaultUrl, credential }) => new SecretClient(vaultUrl, credential, clientOptions(vaultUrl));

async function setSecret(service) {
  const client = clientOf(service);
  const name = fresh("secret");
  const expiresOn = new Date("2037-01-01T00:00:00Z");
  const made = await client.setSecret(name, "zwei \u20ac", { contentType: "text/plain", tags: { team: "edi" }, expiresOn });
  assert.equal(made.name, name);
  assert.equal(made.value, "zwei \u20ac");
  assert.equal(made.properties.contentType, "text/plain");
  assert.deepEqual(made.properties.tags, { team: "edi" });
  assert.deepEqual(made.properties.expiresOn, expiresOn);
  assert.match(made.properties.version, /^[0-9a-f]{32}$/);
  await refused(client.setSecret("not_a_name", "x"), 400, "BadParameter");
  await refused(client.setSecret(fresh("secret"), "x".repeat(25 * 1024 + 1)), 400, "BadParameter");
  assert.equal((await client.setSecret(fresh("secret"), "x".repeat(25 * 1024))).value.length, 25 * 1024);
}

async function getSecret(service) {
  const client = clientOf(service);
  const name = fresh("secret");
  const first = await client.setSecret(name, "one");
  await client.setSecret(name, "two");
  assert.equal((await client.getSecret(name)).value, "two");
  assert.equal((await client.getSecret(name, { version: first.properties.version })).value, "one");
  await refused(client.getSecret(fresh("absent")), 404, "SecretNotFound");
  await refused(client.getSecret(name, { version: "0".repeat(32) }), 404, "SecretNotFound");
}

async function updateSecretProperties(service) {
  const client = clientOf(service);
  const name = fresh("secret");
  const made = await client.setSecret(name, "one", { tags: { a: "b" }, contentType: "text/plain" });
  const changed = await client.updateSecretProperties(name, made.properties.version, { enabled: false });
  assert.equal(changed.enabled, false);
  assert.equal(changed.contentType, "text/plain");
  assert.deepEqual(changed.tags, { a: "b" });
  await refused(client.getSecret(name), 403, "Forbidden", "SecretDisabled");
  await client.updateSecretProperties(name, made.properties.version, { enabled: true, expiresOn: new Date("2020-01-01T00:00:00Z") });
  assert.equal((await client.getSecret(name)).value, "one"); // whatever its dates say
}

async function listPropertiesOfSecrets(service) {
  const client = clientOf(service);
  const names = [];
  for (let i = 0; i < 4; ++i) names.push((await client.setSecret(fresh("listed"), "x")).name);
  const listed = await all(client.listPropertiesOfSecrets());
  for (const name of names) assert.equal(listed.filter((secret) => secret.name === name).length, 1);
  assert.ok(listed.every((secret) => !("value" in secret)));
  let pages = 0;
  for await (const page of client.listPropertiesOfSecrets().byPage({ maxPageSize: 2 })) {
    assert.ok(page.length <= 2);
    ++pages;
  }
  assert.ok(pages >= 2);
}

async function listPropertiesOfSecretVersions(service) {
  const client = clientOf(service);
  const name = fresh("secret");
  const made = [];
  for (const value of ["one", "two", "three"]) made.push((await client.setSecret(name, value)).properties.version);
  const listed = (await all(client.listPropertiesOfSecretVersions(name))).map((secret) => secret.version);
  assert.deepEqual(listed.sort(), made.sort());
}

async function names(service) {
  const client = clientOf(service);
  for (const name of kBadNames) {
    await refused(client.setSecret(name, "x"), 400, "BadParameter");
    await refused(client.getSecret(name), 400, "BadParameter");
    await refused(client.backupSecret(name), 400, "BadParameter");
    await refused(client.getDeletedSecret(name), 400, "BadParameter");
    await refused(client.purgeDeletedSecret(name), 400, "BadParameter");
  }
  const longest = `x${fresh("y")}`.padEnd(127, "z");
  assert.equal((await client.setSecret(longest, "x")).name, longest);
}

async function namesInAnyCase(service) {
  const client = clientOf(service);
  const name = fresh("Secret");
  const first = await client.setSecret(name, "one");
  assert.equal((await client.getSecret(name.toUpperCase())).properties.id, first.properties.id);
  assert.equal((await client.setSecret(name.toLowerCase(), "two")).name, name);
  assert.equal((await all(client.listPropertiesOfSecretVersions(name))).length, 2);
}

async function values(service) {
  const client = clientOf(service);
  const name = fresh("secret");
  for (const value of ["x", " ", "\0", "a\nb\r\n\t", '{"json":[1,"\\u0000"]}', "\u{1F512} \u00e4\u20ac", "'; DROP TABLE secrets; --", "\\", "\u2028"]) {
    assert.equal((await client.setSecret(name, value)).value, value);
    assert.equal((await client.getSecret(name)).value, value);
  }
  await refused(client.setSecret(name, ""), 400, "BadParameter");
}

async function versions(service) {
  const client = clientOf(service);
  const { name } = await client.setSecret(fresh("secret"), "x");
  for (const version of ["0", "latest", "A".repeat(32), "0".repeat(33)]) await refused(client.getSecret(name, { version }), 400, "BadParameter");
}

async function attributes(service) {
  const client = clientOf(service);
  const { name, properties } = await client.setSecret(fresh("secret"), "x", { enabled: false });
  assert.equal(properties.enabled, false);
  assert.equal(properties.recoverableDays, 90);
  assert.equal(properties.recoveryLevel, "Recoverable+Purgeable");
  assert.ok(Math.abs(properties.createdOn - Date.now()) < 60_000);
  assert.equal(properties.managed, undefined);
  assert.equal(properties.vaultUrl, new URL(service.vaultUrl).origin);
  await refused(client.getSecret(name), 403, "Forbidden", "SecretDisabled");
}

async function dates(service) {
  const client = clientOf(service);
  const [early, late] = [new Date("2030-01-01T00:00:00Z"), new Date("2031-01-01T00:00:00Z")];
  const { name, properties } = await client.setSecret(fresh("secret"), "x", { notBefore: early, expiresOn: late });
  assert.deepEqual([properties.notBefore, properties.expiresOn], [early, late]);
  assert.equal((await client.getSecret(name)).value, "x"); // before its time, as Key Vault does
  await refused(client.setSecret(name, "x", { notBefore: late, expiresOn: early }), 400, "BadParameter");
  await refused(client.setSecret(name, "x", { expiresOn: new Date("2040-01-01T00:00:00Z") }), 400, "BadParameter"); // the client cuts it to 32 bits
  await refused(client.updateSecretProperties(name, properties.version, { expiresOn: early }), 400, "BadParameter");
  assert.equal((await all(client.listPropertiesOfSecretVersions(name))).length, 1);
}

async function tags(service) {
  const client = clientOf(service);
  const most = Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`tag ${i}`, "\u00fc".repeat(256)]));
  const { name, properties } = await client.setSecret(fresh("secret"), "x", { tags: most });
  assert.deepEqual(properties.tags, most);
  assert.deepEqual((await client.updateSecretProperties(name, properties.version, { tags: { only: "" } })).tags, { only: "" });
  await refused(client.updateSecretProperties(name, properties.version, { tags: { ...most, more: "x" } }), 400, "BadParameter");
  await refused(client.setSecret(name, "x", { tags: { "": "x" } }), 400, "BadParameter");
  const [listed] = (await all(client.listPropertiesOfSecrets())).filter((secret) => secret.name === name);
  assert.deepEqual(listed.tags, { only: "" });
}

async function contentTypes(service) {
  const client = clientOf(service);
  const { name, properties } = await client.setSecret(fresh("secret"), "x", { contentType: "x".repeat(255) });
  assert.equal(properties.contentType.length, 255);
  assert.equal((await client.updateSecretProperties(name, properties.version, { contentType: "password" })).contentType, "password");
  await refused(client.setSecret(name, "x", { contentType: "x".repeat(256) }), 400, "BadParameter");
  await refused(client.setSecret(name, "x", { contentType: "a\nb" }), 400, "BadParameter");
}

async function updateOfOneVersion(service) {
  const client = clientOf(service);
  const first = await client.setSecret(fresh("secret"), "one");
  await client.setSecret(first.name, "two");
  await client.updateSecretProperties(first.name, first.properties.version, { enabled: false });
  await refused(client.getSecret(first.name, { version: first.properties.version }), 403, "Forbidden", "SecretDisabled");
  assert.equal((await client.getSecret(first.name)).value, "two");
  await refused(client.updateSecretProperties(fresh("absent"), first.properties.version, { enabled: false }), 404, "SecretNotFound");
  await refused(client.updateSecretProperties(first.name, "0".repeat(32), { enabled: false }), 404, "SecretNotFound");
}

/** More than one page of the service's own size. */
async function versionsOfManyPages(service) {
  const client = clientOf(service);
  const name = fresh("secret");
  for (let i = 0; i < 27; ++i) await client.setSecret(name, String(i));
  const sizes = [];
  const listed = new Set();
  for await (const page of client.listPropertiesOfSecretVersions(name).byPage()) {
    sizes.push(page.length);
    for (const secret of page) listed.add(secret.version);
  }
  assert.deepEqual([sizes, listed.size], [[25, 2], 27]);
  await refused(all(client.listPropertiesOfSecretVersions(name).byPage({ maxPageSize: 26 })), 400, "BadParameter");
  await refused(all(client.listPropertiesOfSecretVersions(fresh("absent"))), 404, "SecretNotFound");
}

async function anotherToken(service) {
  const credential = { getToken: async () => ({ token: "sgt_" + "A".repeat(43), expiresOnTimestamp: Date.now() + 3_600_000 }) };
  await refused(clientOf({ ...service, credential }).getSecret("any"), 401, "Unauthorized");
}

// --- deletion

/** A secret of two versions. */
async function twoVersions(client) {
  const first = await client.setSecret(fresh("secret"), "one", { tags: { team: "edi" }, contentType: "text/plain" });
  return [first, await client.setSecret(first.name, "two", { tags: { team: "edi" }, contentType: "text/plain" })];
}

async function purge(client, name) {
  await done(client.beginDeleteSecret(name, polling));
  await client.purgeDeletedSecret(name);
}

async function beginDeleteSecret(service) {
  const client = clientOf(service);
  const [first, second] = await twoVersions(client);
  const deleted = await done(client.beginDeleteSecret(first.name, polling));
  isDeleted(deleted, "deletedsecrets", first.name);
  assert.equal(deleted.properties.id, second.properties.id);
  assert.deepEqual([deleted.properties.tags, deleted.properties.contentType, deleted.value], [{ team: "edi" }, "text/plain", undefined]);
  for (const version of [undefined, first.properties.version, second.properties.version])
    await refused(client.getSecret(first.name, { version }), 404, "SecretNotFound");
  await refused(all(client.listPropertiesOfSecretVersions(first.name)), 404, "SecretNotFound");
  await refused(client.beginDeleteSecret(first.name, polling), 404, "SecretNotFound");
}

async function getDeletedSecret(service) {
  const client = clientOf(service);
  const { name } = await client.setSecret(fresh("secret"), "x");
  await refused(client.getDeletedSecret(name), 404, "SecretNotFound");
  await done(client.beginDeleteSecret(name, polling));
  const deleted = await client.getDeletedSecret(name);
  isDeleted(deleted, "deletedsecrets", name);
  assert.equal(deleted.value, undefined);
}

async function listDeletedSecrets(service) {
  const client = clientOf(service);
  const names = [];
  for (let i = 0; i < 3; ++i) names.push((await client.setSecret(fresh("gone"), "x")).name);
  for (const name of names) await done(client.beginDeleteSecret(name, polling));
  const listed = await all(client.listDeletedSecrets());
  for (const name of names) {
    const [item, ...more] = listed.filter((secret) => secret.name === name);
    assert.equal(more.length, 0);
    isDeleted(item, "deletedsecrets", name);
    assert.equal(item.value, undefined);
  }
  const paged = [];
  for await (const page of client.listDeletedSecrets().byPage({ maxPageSize: 2 })) {
    assert.ok(page.length <= 2);
    paged.push(...page.map((secret) => secret.name));
  }
  assert.deepEqual(paged, listed.map((secret) => secret.name));
}

async function beginRecoverDeletedSecret(service) {
  const client = clientOf(service);
  const [first, second] = await twoVersions(client);
  await done(client.beginDeleteSecret(first.name, polling));
  const back = await done(client.beginRecoverDeletedSecret(first.name, polling));
  assert.equal(back.name, first.name);
  assert.equal((await client.getSecret(first.name)).properties.id, second.properties.id);
  assert.equal((await client.getSecret(first.name, { version: first.properties.version })).value, "one");
  await refused(client.getDeletedSecret(first.name), 404, "SecretNotFound");
}

async function recoverOfWhatIsInUse(service) {
  const client = clientOf(service);
  const { name } = await client.setSecret(fresh("secret"), "x");
  assert.equal((await done(client.beginRecoverDeletedSecret(name, polling))).name, name);
  await refused(done(client.beginRecoverDeletedSecret(fresh("absent"), polling)), 404, "SecretNotFound");
}

async function purgeDeletedSecret(service) {
  const client = clientOf(service);
  const [first] = await twoVersions(client);
  await refused(client.purgeDeletedSecret(first.name), 404, "SecretNotFound"); // it is in use
  await purge(client, first.name);
  await refused(client.getDeletedSecret(first.name), 404, "SecretNotFound");
  await refused(client.purgeDeletedSecret(first.name), 404, "SecretNotFound");
  assert.equal((await client.setSecret(first.name, "anew")).value, "anew");
  assert.equal((await all(client.listPropertiesOfSecretVersions(first.name))).length, 1);
}

async function nameOfADeletedSecret(service) {
  const client = clientOf(service);
  const { name } = await client.setSecret(fresh("secret"), "x");
  const blob = await client.backupSecret(name);
  await done(client.beginDeleteSecret(name, polling));
  await refused(client.setSecret(name, "y"), 409, "Conflict", "ObjectIsDeletedButRecoverable");
  await refused(client.setSecret(name.toUpperCase(), "y"), 409, "Conflict", "ObjectIsDeletedButRecoverable");
  await refused(client.restoreSecretBackup(blob), 409, "Conflict", "ObjectIsDeletedButRecoverable");
  await refused(client.backupSecret(name), 404, "SecretNotFound");
}

// --- backups

async function backupSecret(service) {
  const client = clientOf(service);
  const [first, second] = await twoVersions(client);
  const updated = await client.updateSecretProperties(first.name, first.properties.version, { expiresOn: new Date("2037-01-01T00:00:00Z") });
  const blob = await client.backupSecret(first.name);
  assert.ok(!Buffer.from(blob).includes("two"));
  await purge(client, first.name);
  assert.equal((await client.restoreSecretBackup(blob)).id, second.properties.id);
  assert.equal((await client.getSecret(first.name)).value, "two");
  const old = await client.getSecret(first.name, { version: first.properties.version });
  assert.equal(old.value, "one");
  assert.deepEqual([old.properties.expiresOn, old.properties.tags], [updated.expiresOn, { team: "edi" }]);
  await refused(client.backupSecret(fresh("absent")), 404, "SecretNotFound");
}

async function restoreOverASecretInUse(service) {
  const client = clientOf(service);
  const { name } = await client.setSecret(fresh("secret"), "one");
  const blob = await client.backupSecret(name);
  await client.setSecret(name, "two");
  await refused(client.restoreSecretBackup(blob), 409, "Conflict");
  assert.equal((await client.getSecret(name)).value, "two");
}

async function restoreOfWhatIsNoBackup(service) {
  const client = clientOf(service);
  const { name } = await client.setSecret(fresh("secret"), "x");
  const blob = Buffer.from(await client.backupSecret(name));
  await purge(client, name);
  const edited = Buffer.from(blob);
  edited[edited.length >> 1] ^= 1;
  for (const wrong of [edited, blob.subarray(1), blob.subarray(0, -1), Buffer.concat([blob, blob]), randomBytes(500), Buffer.from("backup")])
    await refused(client.restoreSecretBackup(wrong), 400, "BadParameter");
  const keys = new KeyClient(service.vaultUrl, service.credential, clientOptions(service.vaultUrl));
  await keys.createEcKey(name);
  await refused(client.restoreSecretBackup(await keys.backupKey(name)), 400, "BadParameter");
  await refused(client.getSecret(name), 404, "SecretNotFound");
  assert.equal((await client.restoreSecretBackup(blob)).name, name);
}

export const scenarios = scenariosOf("secrets", [
  setSecret, getSecret, updateSecretProperties, listPropertiesOfSecrets, listPropertiesOfSecretVersions, names, namesInAnyCase, values, versions, attributes,
  dates, tags, contentTypes, updateOfOneVersion, versionsOfManyPages, anotherToken, beginDeleteSecret, getDeletedSecret, listDeletedSecrets,
  beginRecoverDeletedSecret, recoverOfWhatIsInUse, purgeDeletedSecret, nameOfADeletedSecret, backupSecret, restoreOverASecretInUse, restoreOfWhatIsNoBackup,
]);
