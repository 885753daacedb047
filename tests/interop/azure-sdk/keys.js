// Scenarios of @azure/keyvault-keys: keys are made, shown, changed and listed.

import assert from "node:assert/strict";
import { KeyClient } from "@azure/keyvault-keys";
import { all, clientOptions, fresh, kBadNames, refused, scenariosOf } from "./common.js";

const clientOf = ({ vaultUrl, credential }) => new KeyClient(vaultUrl, credential, clientOptions(vaultUrl));

const kRsaSizes = [2048, 3072, 4096];
const kCurves = ["P-256", "P-384", "P-521"];

async function createKey(service) {
  const client = clientOf(service);
  const name = fresh("key");
  const expiresOn = new Date("2037-01-01T00:00:00Z");
  const made = await client.createKey(name, "RSA", { keySize: 2048, keyOps: ["sign", "verify"], tags: { team: "edi" }, expiresOn });
  assert.equal(made.name, name);
  assert.equal(made.keyType, "RSA");
  assert.deepEqual(made.keyOperations, ["sign", "verify"]);
  assert.deepEqual(made.properties.tags, { team: "edi" });
  assert.deepEqual(made.properties.expiresOn, expiresOn);
  assert.equal(made.properties.enabled, true);
  assert.match(made.properties.version, /^[0-9a-f]{32}$/);
  assert.equal(made.key.n.length, 256);
  const second = await client.createKey(name, "RSA");
  assert.notEqual(second.properties.version, made.properties.version);
  await refused(client.createKey("not_a_name", "RSA"), 400, "BadParameter");
  await refused(client.createKey(fresh("key"), "oct"), 400, "BadParameter");
}

async function createRsaKey(service) {
  const client = clientOf(service);
  for (const keySize of service.full ? kRsaSizes : [2048]) {
    const made = await client.createRsaKey(fresh("rsa"), { keySize });
    assert.equal(made.key.n.length * 8, keySize);
    assert.deepEqual(Buffer.from(made.key.e), Buffer.from([1, 0, 1]));
    assert.equal(made.keyOperations.length, 6);
  }
  await refused(client.createRsaKey(fresh("rsa"), { keySize: 1024 }), 400, "BadParameter");
}

async function createEcKey(service) {
  const client = clientOf(service);
  for (const curve of kCurves) {
    const made = await client.createEcKey(fresh("ec"), { curve });
    assert.equal(made.key.crv, curve);
    assert.equal(made.key.x.length, { "P-256": 32, "P-384": 48, "P-521": 66 }[curve]);
    assert.deepEqual([...made.keyOperations].sort(), ["sign", "verify"]);
  }
  await refused(client.createEcKey(fresh("ec"), { curve: "P-999" }), 400, "BadParameter");
}

async function getKey(service) {
  const client = clientOf(service);
  const name = fresh("key");
  const first = await client.createEcKey(name);
  const second = await client.createEcKey(name);
  assert.equal((await client.getKey(name)).properties.version, second.properties.version);
  const version = first.properties.version;
  assert.deepEqual((await client.getKey(name, { version })).key.x, first.key.x);
  await refused(client.getKey(fresh("absent")), 404, "KeyNotFound");
  await refused(client.getKey(name, { version: "0".repeat(32) }), 404, "KeyNotFound");
}

async function updateKeyProperties(service) {
  const client = clientOf(service);
  const name = fresh("key");
  const made = await client.createEcKey(name, { tags: { a: "b" } });
  const notBefore = new Date("2020-01-01T00:00:00Z");
  const changed = await client.updateKeyProperties(name, made.properties.version, { enabled: false, notBefore, keyOps: ["verify"] });
  assert.equal(changed.properties.enabled, false);
  assert.deepEqual(changed.properties.notBefore, notBefore);
  assert.deepEqual(changed.properties.tags, { a: "b" });
  assert.deepEqual(changed.keyOperations, ["verify"]);
  const current = await client.updateKeyProperties(name, { enabled: true, tags: {} });
  assert.equal(current.properties.enabled, true);
  assert.deepEqual(current.properties.tags ?? {}, {});
  await refused(client.updateKeyProperties(fresh("absent"), { enabled: false }), 404, "KeyNotFound");
}

async function listPropertiesOfKeys(service) {
  const client = clientOf(service);
  const names = [];
  for (let i = 0; i < 4; ++i) names.push((await client.createEcKey(fresh("listed"))).name);
  const listed = (await all(client.listPropertiesOfKeys())).map((key) => key.name);
  for (const name of names) assert.equal(listed.filter((other) => other === name).length, 1);
  let pages = 0;
  for await (const page of client.listPropertiesOfKeys().byPage({ maxPageSize: 2 })) {
    assert.ok(page.length <= 2);
    ++pages;
  }
  assert.ok(pages >= 2);
}

async function listPropertiesOfKeyVersions(service) {
  const client = clientOf(service);
  const name = fresh("key");
  const made = [];
  for (let i = 0; i < 3; ++i) made.push((await client.createEcKey(name)).properties.version);
  const listed = (await all(client.listPropertiesOfKeyVersions(name))).map((key) => key.version);
  assert.deepEqual(listed.sort(), made.sort());
}

async function createOctKey(service) {
  const client = clientOf(service);
  await refused(client.createOctKey(fresh("oct")), 400, "BadParameter");
  await refused(client.createRsaKey(fresh("rsa"), { hsm: true }), 400, "BadParameter");
  await refused(client.createEcKey(fresh("ec"), { hsm: true }), 400, "BadParameter");
}

async function names(service) {
  const client = clientOf(service);
  for (const name of kBadNames) {
    await refused(client.createEcKey(name), 400, "BadParameter");
    await refused(client.getKey(name), 400, "BadParameter");
    await refused(client.backupKey(name), 400, "BadParameter");
    await refused(client.rotateKey(name), 400, "BadParameter");
    await refused(client.getDeletedKey(name), 400, "BadParameter");
  }
  const longest = `x${fresh("y")}`.padEnd(127, "z");
  assert.equal((await client.createEcKey(longest)).name, longest);
}

async function namesInAnyCase(service) {
  const client = clientOf(service);
  const name = fresh("Key");
  const first = await client.createEcKey(name);
  assert.equal((await client.getKey(name.toUpperCase())).id, first.id);
  assert.equal((await client.createEcKey(name.toLowerCase())).name, name);
  assert.equal((await all(client.listPropertiesOfKeyVersions(name))).length, 2);
}

async function versions(service) {
  const client = clientOf(service);
  const { name } = await client.createEcKey(fresh("key"));
  for (const version of ["0", "latest", "A".repeat(32), "0".repeat(33)]) await refused(client.getKey(name, { version }), 400, "BadParameter");
}

async function attributes(service) {
  const made = await clientOf(service).createEcKey(fresh("key"), { enabled: false });
  assert.equal(made.properties.enabled, false);
  assert.equal(made.properties.recoverableDays, 90);
  assert.equal(made.properties.recoveryLevel, "Recoverable+Purgeable");
  assert.ok(Math.abs(made.properties.createdOn - Date.now()) < 60_000);
  assert.deepEqual(made.properties.updatedOn, made.properties.createdOn);
  assert.equal(made.properties.expiresOn, undefined);
  assert.equal(made.properties.managed, undefined);
  assert.equal(made.properties.vaultUrl, new URL(service.vaultUrl).origin);
}

async function dates(service) {
  const client = clientOf(service);
  const [early, late] = [new Date("2030-01-01T00:00:00Z"), new Date("2031-01-01T00:00:00Z")];
  const made = await client.createEcKey(fresh("key"), { notBefore: early, expiresOn: late });
  assert.deepEqual([made.properties.notBefore, made.properties.expiresOn], [early, late]);
  await refused(client.createEcKey(fresh("key"), { notBefore: late, expiresOn: early }), 400, "BadParameter");
  await refused(client.createEcKey(fresh("key"), { notBefore: late, expiresOn: late }), 400, "BadParameter");
  await refused(client.updateKeyProperties(made.name, { expiresOn: early }), 400, "BadParameter");
  await refused(client.createEcKey(fresh("key"), { expiresOn: new Date("2040-01-01T00:00:00Z") }), 400, "BadParameter"); // the client cuts it to 32 bits
  assert.deepEqual((await client.getKey(made.name)).properties.expiresOn, late);
}

async function tags(service) {
  const client = clientOf(service);
  const most = Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`tag ${i}`, "\u00fc".repeat(256)]));
  const made = await client.createEcKey(fresh("key"), { tags: most });
  assert.deepEqual(made.properties.tags, most);
  assert.deepEqual((await client.updateKeyProperties(made.name, { tags: { only: "" } })).properties.tags, { only: "" });
  await refused(client.updateKeyProperties(made.name, { tags: { ...most, more: "x" } }), 400, "BadParameter");
  await refused(client.updateKeyProperties(made.name, { tags: { long: "x".repeat(257) } }), 400, "BadParameter");
  await refused(client.createEcKey(fresh("key"), { tags: { "": "x" } }), 400, "BadParameter");
  const listed = await all(client.listPropertiesOfKeyVersions(made.name));
  assert.deepEqual(listed[0].tags, { only: "" });
}

async function keyOperations(service) {
  const client = clientOf(service);
  const made = await client.createRsaKey(fresh("rsa"), { keyOps: ["wrapKey", "unwrapKey"] });
  assert.deepEqual(made.keyOperations, ["wrapKey", "unwrapKey"]);
  assert.deepEqual((await client.updateKeyProperties(made.name, { keyOps: ["encrypt"] })).keyOperations, ["encrypt"]);
  await refused(client.updateKeyProperties(made.name, { keyOps: ["fly"] }), 400, "BadParameter");
  await refused(client.createEcKey(fresh("ec"), { keyOps: ["encrypt"] }), 400, "BadParameter");
  assert.deepEqual((await client.getKey(made.name)).keyOperations, ["encrypt"]);
}

/** More than one page of the service's own size. */
async function versionsOfManyPages(service) {
  const client = clientOf(service);
  const name = fresh("key");
  const made = [];
  for (let i = 0; i < 27; ++i) made.push((await client.createEcKey(name)).properties.version);
  const sizes = [];
  const listed = [];
  for await (const page of client.listPropertiesOfKeyVersions(name).byPage()) {
    sizes.push(page.length);
    listed.push(...page.map((key) => key.version));
  }
  assert.deepEqual(sizes, [25, 2]);
  assert.deepEqual(listed.sort(), made.sort());
  await refused(all(client.listPropertiesOfKeyVersions(name).byPage({ maxPageSize: 26 })), 400, "BadParameter");
  await refused(all(client.listPropertiesOfKeyVersions(fresh("absent"))), 404, "KeyNotFound");
}

/** What needs a hardware module is not there, and that is said in the way of the service. */
async function hardwareModules(service) {
  const client = clientOf(service);
  const { name, properties } = await client.createEcKey(fresh("key"));
  await refused(client.getRandomBytes(16), 404, "NotFound");
  await refused(client.releaseKey(name, "token"), 405, "MethodNotAllowed");
  await refused(client.releaseKey(name, "token", { version: properties.version }), 404, "NotFound");
  await refused(client.getKeyAttestation(name, { version: properties.version }), 404, "NotFound");
}

async function anotherToken(service) {
  const credential = { getToken: async () => ({ token: "sgt_" + "A".repeat(43), expiresOnTimestamp: Date.now() + 3_600_000 }) };
  await refused(clientOf({ ...service, credential }).getKey("any"), 401, "Unauthorized");
}

export const scenarios = scenariosOf("keys", [
  createKey, createRsaKey, createEcKey, createOctKey, getKey, updateKeyProperties, listPropertiesOfKeys, listPropertiesOfKeyVersions, names, namesInAnyCase,
  versions, attributes, dates, tags, keyOperations, versionsOfManyPages, hardwareModules, anotherToken,
]);
