// A scenario for each function of @azure/keyvault-keys.

import assert from "node:assert/strict";
import { createHash, createPublicKey, randomBytes, verify as verifyWithNode } from "node:crypto";
import { CryptographyClient, KeyClient } from "@azure/keyvault-keys";
import { all, clientOptions, fresh, refused } from "./common.js";

const clientOf = ({ vaultUrl, credential }) => new KeyClient(vaultUrl, credential, clientOptions(vaultUrl));
const cryptoOf = ({ vaultUrl, credential }, key) => new CryptographyClient(key, credential, clientOptions(vaultUrl));

const kRsaSizes = [2048, 3072, 4096];
const kCurves = { "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" };
const hashOf = (algorithm) => `sha${algorithm.slice(2)}`;
const digestOf = (algorithm, text) => createHash(hashOf(algorithm)).update(text).digest();

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
  for (const curve of Object.keys(kCurves)) {
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

async function sign(service) {
  const client = clientOf(service);
  const signatures = service.full
    ? ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
    : ["RS256", "PS256"];
  const rsa = await client.createRsaKey(fresh("rsa"));
  for (const algorithm of signatures) await signsAndVerifies(service, rsa, algorithm);
  for (const [curve, algorithm] of Object.entries(kCurves))
    await signsAndVerifies(service, await client.createEcKey(fresh("ec"), { curve }), algorithm);
}

async function signsAndVerifies(service, key, algorithm) {
  const remote = cryptoOf(service, key);
  const digest = digestOf(algorithm, "order 4711");
  const { result, keyID } = await remote.sign(algorithm, digest);
  assert.equal(keyID, key.id);
  assert.equal((await remote.verify(algorithm, digest, result)).result, true);
  assert.equal((await remote.verify(algorithm, digestOf(algorithm, "another"), result)).result, false);
  await refused(remote.sign(algorithm, digest.subarray(1)), 400, "BadParameter");
  assert.ok(nodeBelieves(key.key, algorithm, "order 4711", result));
}

/** Another implementation's verdict, with the public key that the service shows. */
function nodeBelieves(key, algorithm, text, signature) {
  const encoded = (octets) => octets && Buffer.from(octets).toString("base64url");
  const jwk = { kty: key.kty, n: encoded(key.n), e: encoded(key.e), crv: key.crv, x: encoded(key.x), y: encoded(key.y) };
  const settings = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
  if (algorithm.startsWith("PS")) Object.assign(settings, { padding: 6, saltLength: -1 });
  return verifyWithNode(hashOf(algorithm), text, settings, signature);
}

async function signData(service) {
  const key = await clientOf(service).createEcKey(fresh("ec"));
  const remote = cryptoOf(service, key);
  const { result } = await remote.signData("ES256", Buffer.from("order 4711"));
  assert.equal((await remote.verifyData("ES256", Buffer.from("order 4711"), result)).result, true);
  assert.equal((await remote.verifyData("ES256", Buffer.from("order 4712"), result)).result, false);
}

async function encrypt(service) {
  const remote = cryptoOf(service, await clientOf(service).createRsaKey(fresh("rsa")));
  const plaintext = randomBytes(32);
  for (const algorithm of ["RSA1_5", "RSA-OAEP", "RSA-OAEP-256"]) {
    const { result } = await remote.encrypt({ algorithm, plaintext });
    assert.deepEqual(Buffer.from((await remote.decrypt({ algorithm, ciphertext: result })).result), plaintext);
    result[20] ^= 1;
    if (algorithm !== "RSA1_5") await refused(remote.decrypt({ algorithm, ciphertext: result }), 400, "BadParameter");
  }
}

async function wrapKey(service) {
  const remote = cryptoOf(service, await clientOf(service).createRsaKey(fresh("rsa")));
  const key = randomBytes(32);
  for (const algorithm of ["RSA1_5", "RSA-OAEP", "RSA-OAEP-256"]) {
    const { result } = await remote.wrapKey(algorithm, key);
    assert.deepEqual(Buffer.from((await remote.unwrapKey(algorithm, result)).result), key);
  }
}

async function disabledKey(service) {
  const client = clientOf(service);
  const key = await client.createEcKey(fresh("ec"));
  const remote = new CryptographyClient(key.id, service.credential, clientOptions(service.vaultUrl));
  await client.updateKeyProperties(key.name, { enabled: false });
  await refused(remote.sign("ES256", randomBytes(32)), 403, "Forbidden", "KeyDisabled");
  assert.equal((await client.getKey(key.name)).properties.enabled, false);
}

async function keyBeforeItsTime(service) {
  const client = clientOf(service);
  const notBefore = new Date(Date.now() + 3_600_000);
  const key = await client.createEcKey(fresh("ec"), { notBefore });
  const remote = new CryptographyClient(key.id, service.credential, clientOptions(service.vaultUrl));
  await assert.rejects(remote.sign("ES256", randomBytes(32)));
}

export const scenarios = [
  createKey, createRsaKey, createEcKey, getKey, updateKeyProperties, listPropertiesOfKeys, listPropertiesOfKeyVersions, sign, signData, encrypt,
  wrapKey, disabledKey, keyBeforeItsTime,
].map((run) => ({ name: `keys.${run.name}`, run }));
