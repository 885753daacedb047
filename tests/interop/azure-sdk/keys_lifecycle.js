// Scenarios of @azure/keyvault-keys: keys are deleted, backed up, rotated, and come from outside.

import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, randomBytes, sign as signWithNode, verify as verifyWithNode } from "node:crypto";
import { CryptographyClient, KeyClient } from "@azure/keyvault-keys";
import { SecretClient } from "@azure/keyvault-secrets";
import { all, clientOptions, done, fresh, isDeleted, polling, refused, scenariosForEach, scenariosOf } from "./common.js";

const clientOf = ({ vaultUrl, credential }) => new KeyClient(vaultUrl, credential, clientOptions(vaultUrl));
const cryptoOf = ({ vaultUrl, credential }, key) => new CryptographyClient(key, credential, clientOptions(vaultUrl));

const kDay = 86_400_000;
const kDigest = Buffer.alloc(32, 7);

/** A key of two versions. */
async function twoVersions(client) {
  const first = await client.createEcKey(fresh("key"), { tags: { team: "edi" } });
  return [first, await client.createEcKey(first.name, { tags: { team: "edi" } })];
}

async function purge(client, name) {
  await done(client.beginDeleteKey(name, polling));
  await client.purgeDeletedKey(name);
}

// --- deletion

async function beginDeleteKey(service) {
  const client = clientOf(service);
  const [first, second] = await twoVersions(client);
  const poller = await client.beginDeleteKey(first.name, polling);
  isDeleted(poller.getResult() ?? poller.getOperationState().result, "deletedkeys", first.name);
  const deleted = await poller.pollUntilDone();
  isDeleted(deleted, "deletedkeys", first.name);
  assert.equal(deleted.id, second.id);
  assert.deepEqual(deleted.properties.tags, { team: "edi" });
  for (const version of [undefined, first.properties.version, second.properties.version])
    await refused(client.getKey(first.name, { version }), 404, "KeyNotFound");
  await refused(all(client.listPropertiesOfKeyVersions(first.name)), 404, "KeyNotFound");
  await refused(cryptoOf(service, first).sign("ES256", kDigest), 404, "KeyNotFound");
  await refused(client.beginDeleteKey(first.name, polling), 404, "KeyNotFound");
}

async function getDeletedKey(service) {
  const client = clientOf(service);
  const { name, key } = await client.createEcKey(fresh("key"));
  await refused(client.getDeletedKey(name), 404, "KeyNotFound");
  await done(client.beginDeleteKey(name, polling));
  const deleted = await client.getDeletedKey(name);
  isDeleted(deleted, "deletedkeys", name);
  assert.deepEqual(deleted.key.x, key.x);
  assert.ok(Math.abs(deleted.properties.deletedOn - Date.now()) < 60_000);
}

async function listDeletedKeys(service) {
  const client = clientOf(service);
  const names = [];
  for (let i = 0; i < 3; ++i) names.push((await client.createEcKey(fresh("gone"))).name);
  for (const name of names) await done(client.beginDeleteKey(name, polling));
  const listed = await all(client.listDeletedKeys());
  for (const name of names) {
    const [item, ...more] = listed.filter((key) => key.name === name);
    assert.equal(more.length, 0);
    isDeleted(item, "deletedkeys", name);
  }
  const paged = [];
  for await (const page of client.listDeletedKeys().byPage({ maxPageSize: 2 })) {
    assert.ok(page.length <= 2);
    paged.push(...page.map((key) => key.name));
  }
  assert.deepEqual(paged, listed.map((key) => key.name));
  const inUse = (await all(client.listPropertiesOfKeys())).map((key) => key.name);
  assert.ok(names.every((name) => !inUse.includes(name)));
}

async function beginRecoverDeletedKey(service) {
  const client = clientOf(service);
  const [first, second] = await twoVersions(client);
  const { result } = await cryptoOf(service, first).sign("ES256", kDigest);
  await done(client.beginDeleteKey(first.name, polling));
  const back = await done(client.beginRecoverDeletedKey(first.name, polling));
  assert.equal((await client.getKey(first.name)).id, second.id);
  assert.equal(back.name, first.name);
  assert.equal((await all(client.listPropertiesOfKeyVersions(first.name))).length, 2);
  assert.equal((await cryptoOf(service, first).verify("ES256", kDigest, result)).result, true);
  await refused(client.getDeletedKey(first.name), 404, "KeyNotFound");
}

async function recoverOfWhatIsInUse(service) {
  const client = clientOf(service);
  const { name, id } = await client.createEcKey(fresh("key"));
  assert.equal((await done(client.beginRecoverDeletedKey(name, polling))).id, id);
  await refused(done(client.beginRecoverDeletedKey(fresh("absent"), polling)), 404, "KeyNotFound");
}

async function purgeDeletedKey(service) {
  const client = clientOf(service);
  const [first] = await twoVersions(client);
  await refused(client.purgeDeletedKey(first.name), 404, "KeyNotFound"); // it is in use
  await purge(client, first.name);
  await refused(client.getDeletedKey(first.name), 404, "KeyNotFound");
  await refused(client.purgeDeletedKey(first.name), 404, "KeyNotFound");
  const again = await client.createEcKey(first.name);
  assert.notEqual(again.properties.version, first.properties.version);
  assert.equal((await all(client.listPropertiesOfKeyVersions(first.name))).length, 1);
}

async function nameOfADeletedKey(service) {
  const client = clientOf(service);
  const { name } = await client.createEcKey(fresh("key"));
  const blob = await client.backupKey(name);
  await done(client.beginDeleteKey(name, polling));
  await refused(client.createEcKey(name), 409, "Conflict", "ObjectIsDeletedButRecoverable");
  await refused(client.createRsaKey(name.toUpperCase()), 409, "Conflict", "ObjectIsDeletedButRecoverable");
  await refused(client.importKey(name, ecJwk()), 409, "Conflict", "ObjectIsDeletedButRecoverable");
  await refused(client.restoreKeyBackup(blob), 409, "Conflict", "ObjectIsDeletedButRecoverable");
  await refused(client.rotateKey(name), 404, "KeyNotFound");
  await refused(client.backupKey(name), 404, "KeyNotFound");
}

// --- backups

async function backupKey(service) {
  const client = clientOf(service);
  const [first, second] = await twoVersions(client);
  const updated = await client.updateKeyProperties(first.name, first.properties.version, { enabled: false, keyOps: ["verify"] });
  const { result } = await cryptoOf(service, second).sign("ES256", kDigest);
  const blob = await client.backupKey(first.name);
  assert.ok(blob.length > 0);
  await purge(client, first.name);
  const back = await client.restoreKeyBackup(blob);
  assert.equal(back.id, second.id);
  const old = await client.getKey(first.name, { version: first.properties.version });
  assert.deepEqual(old.key.x, first.key.x);
  assert.deepEqual(old.properties, updated.properties);
  assert.deepEqual(old.keyOperations, ["verify"]);
  assert.equal((await cryptoOf(service, back).verify("ES256", kDigest, result)).result, true);
  await refused(client.backupKey(fresh("absent")), 404, "KeyNotFound");
}

async function restoreOverAKeyInUse(service) {
  const client = clientOf(service);
  const { name, id } = await client.createEcKey(fresh("key"));
  const blob = await client.backupKey(name);
  await refused(client.restoreKeyBackup(blob), 409, "Conflict");
  assert.equal((await client.getKey(name)).id, id);
}

async function restoreOfWhatIsNoBackup(service) {
  const client = clientOf(service);
  const { name } = await client.createEcKey(fresh("key"));
  const blob = Buffer.from(await client.backupKey(name));
  await purge(client, name);
  const edited = Buffer.from(blob);
  edited[edited.length >> 1] ^= 1;
  for (const wrong of [edited, blob.subarray(1), blob.subarray(0, -1), Buffer.concat([blob, blob]), randomBytes(500), Buffer.from("backup")])
    await refused(client.restoreKeyBackup(wrong), 400, "BadParameter");
  const secrets = new SecretClient(service.vaultUrl, service.credential, clientOptions(service.vaultUrl));
  await secrets.setSecret(name, "x");
  await refused(client.restoreKeyBackup(await secrets.backupSecret(name)), 400, "BadParameter");
  await refused(client.getKey(name), 404, "KeyNotFound");
  assert.equal((await client.restoreKeyBackup(blob)).name, name);
}

// --- rotation

async function rotateKey(service) {
  const client = clientOf(service);
  const first = await client.createEcKey(fresh("key"), { curve: "P-384", keyOps: ["sign"], tags: { team: "edi" } });
  const second = await client.rotateKey(first.name);
  assert.notEqual(second.properties.version, first.properties.version);
  assert.notDeepEqual(second.key.x, first.key.x);
  assert.deepEqual([second.key.crv, second.keyOperations, second.properties.tags], ["P-384", ["sign"], { team: "edi" }]);
  assert.equal(second.properties.expiresOn, undefined);
  assert.equal((await client.getKey(first.name)).id, second.id);
  assert.deepEqual((await client.getKey(first.name, { version: first.properties.version })).key.x, first.key.x);
  await refused(client.rotateKey(fresh("absent")), 404, "KeyNotFound");
}

async function rotateRsaKey(service) {
  const client = clientOf(service);
  const first = await client.createRsaKey(fresh("rsa"));
  const second = await client.rotateKey(first.name);
  assert.equal(second.key.n.length, first.key.n.length);
  assert.notDeepEqual(second.key.n, first.key.n);
  assert.deepEqual(second.keyOperations, first.keyOperations);
}

async function rotateByItsPolicy(service) {
  const client = clientOf(service);
  const { name } = await client.createEcKey(fresh("key"));
  await client.updateKeyRotationPolicy(name, { expiresIn: "P90D", lifetimeActions: [{ action: "Rotate", timeBeforeExpiry: "P30D" }] });
  const { properties } = await client.rotateKey(name);
  assert.equal(properties.expiresOn - properties.createdOn, 90 * kDay);
}

async function getKeyRotationPolicy(service) {
  const client = clientOf(service);
  const { name, properties } = await client.createEcKey(fresh("key"));
  const policy = await client.getKeyRotationPolicy(name);
  assert.equal(policy.id, `${properties.vaultUrl}/keys/${name}/rotationpolicy`);
  assert.deepEqual(policy.lifetimeActions.map(({ action, timeBeforeExpiry }) => [action, timeBeforeExpiry]), [["Notify", "P30D"]]);
  assert.equal(policy.expiresIn, undefined);
  await refused(client.getKeyRotationPolicy(fresh("absent")), 404, "KeyNotFound");
}

async function updateKeyRotationPolicy(service) {
  const client = clientOf(service);
  const { name } = await client.createEcKey(fresh("key"));
  const made = await client.updateKeyRotationPolicy(name, {
    expiresIn: "P1Y",
    lifetimeActions: [{ action: "Rotate", timeAfterCreate: "P6M" }, { action: "Notify", timeBeforeExpiry: "P10D" }],
  });
  assert.equal(made.expiresIn, "P1Y");
  assert.deepEqual(made.lifetimeActions.map(({ action, timeAfterCreate, timeBeforeExpiry }) => [action, timeAfterCreate, timeBeforeExpiry]),
    [["Rotate", "P6M", undefined], ["Notify", undefined, "P10D"]]);
  assert.ok(Math.abs(made.createdOn - Date.now()) < 60_000);
  assert.deepEqual(await client.getKeyRotationPolicy(name), made);
  const changed = await client.updateKeyRotationPolicy(name, { lifetimeActions: [] });
  assert.deepEqual([changed.lifetimeActions, changed.expiresIn, changed.createdOn], [[], undefined, made.createdOn]);
  await refused(client.updateKeyRotationPolicy(fresh("absent"), { lifetimeActions: [] }), 404, "KeyNotFound");
}

async function policiesThatWillNotDo(service) {
  const client = clientOf(service);
  const { name } = await client.createEcKey(fresh("key"));
  const before = await client.getKeyRotationPolicy(name);
  const rotate = (trigger) => ({ lifetimeActions: [{ action: "Rotate", ...trigger }] });
  for (const policy of [
    { expiresIn: "P27D", lifetimeActions: [] }, { expiresIn: "90 days", lifetimeActions: [] }, { expiresIn: "", lifetimeActions: [] },
    rotate({}), rotate({ timeAfterCreate: "P6D" }), rotate({ timeBeforeExpiry: "P30D" }), rotate({ timeAfterCreate: "P30D", timeBeforeExpiry: "P30D" }),
    { expiresIn: "P30D", ...rotate({ timeBeforeExpiry: "P30D" }) }, { lifetimeActions: [{ action: "Sing", timeAfterCreate: "P60D" }] },
    { lifetimeActions: [{ action: "Notify", timeAfterCreate: "P60D" }] },
    { lifetimeActions: [{ action: "Rotate", timeAfterCreate: "P60D" }, { action: "Rotate", timeAfterCreate: "P70D" }] },
  ])
    await refused(client.updateKeyRotationPolicy(name, policy), 400, "BadParameter");
  assert.deepEqual(await client.getKeyRotationPolicy(name), before);
}

// --- import

/** What node makes, as the client wants it: octets. */
function jwkOf(privateKey) {
  const octets = ([name, value]) => [name, name === "kty" || name === "crv" ? value : Buffer.from(value, "base64url")];
  return Object.fromEntries(Object.entries(privateKey.export({ format: "jwk" })).map(octets));
}

const ecKey = (namedCurve = "P-256") => generateKeyPairSync("ec", { namedCurve }).privateKey;
const ecJwk = () => jwkOf(ecKey());
let sharedRsa;
const rsaKey = () => (sharedRsa ??= generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey);

async function importKey(service) {
  const client = clientOf(service);
  const own = rsaKey();
  const expiresOn = new Date("2037-01-01T00:00:00Z");
  const made = await client.importKey(fresh("rsa"), { ...jwkOf(own), keyOps: ["sign", "verify"] }, { enabled: true, expiresOn, tags: { team: "edi" } });
  assert.deepEqual(Buffer.from(made.key.n), jwkOf(own).n);
  for (const name of ["d", "p", "q", "dp", "dq", "qi"]) assert.equal(made.key[name], undefined);
  assert.deepEqual([made.keyType, made.keyOperations], ["RSA", ["sign", "verify"]]);
  assert.deepEqual([made.properties.expiresOn, made.properties.tags], [expiresOn, { team: "edi" }]);
  const remote = cryptoOf(service, made);
  const { result } = await remote.signData("RS256", Buffer.from("order"));
  assert.ok(verifyWithNode("sha256", "order", createPublicKey(own), result));
  assert.equal((await remote.verifyData("RS256", Buffer.from("order"), signWithNode("sha256", "order", own))).result, true);
}

async function importsAndSigns(service, namedCurve) {
  const own = ecKey(namedCurve);
  const made = await clientOf(service).importKey(fresh("ec"), jwkOf(own));
  assert.deepEqual([made.keyType, made.key.crv, [...made.keyOperations].sort()], ["EC", namedCurve, ["sign", "verify"]]);
  assert.deepEqual(Buffer.from(made.key.x), jwkOf(own).x);
  const algorithm = { "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" }[namedCurve];
  const { result } = await cryptoOf(service, made).signData(algorithm, Buffer.from("order"));
  assert.ok(verifyWithNode(`sha${algorithm.slice(2)}`, "order", { key: createPublicKey(own), dsaEncoding: "ieee-p1363" }, result));
}

async function importOfAVersion(service) {
  const client = clientOf(service);
  const first = await client.createEcKey(fresh("key"));
  const second = await client.importKey(first.name, ecJwk());
  assert.equal((await client.getKey(first.name)).id, second.id);
  assert.equal((await all(client.listPropertiesOfKeyVersions(first.name))).length, 2);
}

async function importOfADisabledKey(service) {
  const client = clientOf(service);
  const made = await client.importKey(fresh("ec"), ecJwk(), { enabled: false });
  assert.equal(made.properties.enabled, false);
  await assert.rejects(cryptoOf(service, made.id).sign("ES256", kDigest));
}

async function importOfRsaKeysThatAreNone(service) {
  const client = clientOf(service);
  const name = fresh("rsa");
  const jwk = jwkOf(rsaKey());
  const other = jwkOf(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey);
  const even = Buffer.from(jwk.n);
  even[even.length - 1] ^= 1;
  for (const change of [
    { n: even }, { n: other.n }, { n: jwk.n.subarray(1) }, { e: Buffer.from([1]) }, { e: Buffer.from([2]) }, { e: Buffer.from([3]) }, { d: other.d },
    { d: undefined }, { p: undefined }, { q: undefined }, { dp: undefined }, { dq: undefined }, { qi: undefined }, { p: other.p }, { p: jwk.q },
    { dp: jwk.dq, dq: jwk.dp }, { qi: other.qi }, { p: randomBytes(1000) }, { kty: "EC" }, { kty: "oct" }, { keyOps: ["fly"] },
  ])
    await refused(client.importKey(name, { ...jwk, ...change }), 400, "BadParameter");
  await refused(client.importKey(name, jwkOf(generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey)), 400, "BadParameter");
  await refused(client.importKey(name, jwk, { hardwareProtected: true }), 400, "BadParameter");
  await refused(client.getKey(name), 404, "KeyNotFound");
}

async function importOfEcKeysThatAreNone(service) {
  const client = clientOf(service);
  const name = fresh("ec");
  const [jwk, other] = [ecJwk(), ecJwk()];
  for (const change of [
    { d: other.d }, { x: other.x }, { x: other.x, y: other.y }, { d: undefined }, { y: undefined }, { crv: undefined }, { crv: "P-384" }, { crv: "P-256K" },
    { d: Buffer.alloc(32) }, { d: Buffer.alloc(32, 255) }, { d: Buffer.concat([Buffer.alloc(1), jwk.d]) }, { x: jwk.x.subarray(1) }, { kty: "RSA" },
    { keyOps: ["encrypt"] },
  ])
    await refused(client.importKey(name, { ...jwk, ...change }), 400, "BadParameter");
  await refused(client.importKey(name, jwkOf(ecKey("secp256k1"))), 400, "BadParameter");
  await refused(client.importKey("not_a_name", jwk), 400, "BadParameter");
  await refused(client.getKey(name), 404, "KeyNotFound");
}

export const scenarios = [
  ...scenariosOf("keys", [
    beginDeleteKey, getDeletedKey, listDeletedKeys, beginRecoverDeletedKey, recoverOfWhatIsInUse, purgeDeletedKey, nameOfADeletedKey, backupKey,
    restoreOverAKeyInUse, restoreOfWhatIsNoBackup, rotateKey, rotateRsaKey, rotateByItsPolicy, getKeyRotationPolicy, updateKeyRotationPolicy,
    policiesThatWillNotDo, importKey, importOfAVersion, importOfADisabledKey, importOfRsaKeysThatAreNone, importOfEcKeysThatAreNone,
  ]),
  ...scenariosForEach("keys.importOfCurve", ["P-256", "P-384", "P-521"], importsAndSigns),
];
