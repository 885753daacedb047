// Scenarios of @azure/keyvault-keys: what is done with keys, each algorithm on its own.

import assert from "node:assert/strict";
import { constants, createHash, createPublicKey, publicEncrypt, randomBytes, verify as verifyWithNode } from "node:crypto";
import { CryptographyClient, KeyClient } from "@azure/keyvault-keys";
import { clientOptions, fresh, onlyInFull, refused, scenariosForEach, scenariosOf } from "./common.js";

const clientOf = ({ vaultUrl, credential }) => new KeyClient(vaultUrl, credential, clientOptions(vaultUrl));
/** By its id alone the client has to ask for the key; with the key it does by itself what needs no private half. */
const cryptoOf = ({ vaultUrl, credential }, key) => new CryptographyClient(key, credential, clientOptions(vaultUrl));

const kRsaSignatures = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const kCurveOf = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };
const kEncryptions = ["RSA1_5", "RSA-OAEP", "RSA-OAEP-256"];
const hashOf = (algorithm) => `sha${algorithm.slice(2)}`;
const digestOf = (algorithm, text) => createHash(hashOf(algorithm)).update(text).digest();

/** One RSA key for all: making them takes the longest. */
let shared;
const rsaKey = (service) => (shared ??= clientOf(service).createRsaKey(fresh("rsa")));

const keyFor = (service, algorithm) =>
  algorithm in kCurveOf ? clientOf(service).createEcKey(fresh("ec"), { curve: kCurveOf[algorithm] }) : rsaKey(service);

async function signsAndVerifies(service, algorithm) {
  await isSignedBy(service, await keyFor(service, algorithm), algorithm);
}

async function isSignedBy(service, key, algorithm) {
  const remote = cryptoOf(service, key);
  const digest = digestOf(algorithm, "order 4711");
  const { result, keyID } = await remote.sign(algorithm, digest);
  assert.equal(keyID, key.id);
  assert.equal((await remote.verify(algorithm, digest, result)).result, true);
  assert.equal((await remote.verify(algorithm, digestOf(algorithm, "another"), result)).result, false);
  result[result.length - 1] ^= 1;
  assert.equal((await remote.verify(algorithm, digest, result)).result, false);
  result[result.length - 1] ^= 1;
  assert.equal((await remote.verify(algorithm, digest, result.subarray(1))).result, false);
  assert.ok(nodeBelieves(key.key, algorithm, "order 4711", result));
  for (const wrong of [digest.subarray(1), Buffer.concat([digest, digest]), Buffer.alloc(0)])
    await refused(remote.sign(algorithm, wrong), 400, "BadParameter");
}

/** The public key that the service shows, as node has it. */
function publicKeyOf(key) {
  const encoded = (octets) => octets && Buffer.from(octets).toString("base64url");
  const jwk = { kty: key.kty, n: encoded(key.n), e: encoded(key.e), crv: key.crv, x: encoded(key.x), y: encoded(key.y) };
  return createPublicKey({ key: jwk, format: "jwk" });
}

/** Another implementation's verdict. */
function nodeBelieves(key, algorithm, text, signature) {
  const settings = { key: publicKeyOf(key), dsaEncoding: "ieee-p1363" };
  if (algorithm.startsWith("PS")) Object.assign(settings, { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
  return verifyWithNode(hashOf(algorithm), text, settings, signature);
}

async function signsTexts(service, algorithm) {
  const key = await keyFor(service, algorithm);
  const remote = cryptoOf(service, key);
  const { result } = await remote.signData(algorithm, Buffer.from("order 4711"));
  assert.ok(nodeBelieves(key.key, algorithm, "order 4711", result));
  assert.ok(!nodeBelieves(key.key, algorithm, "order 4712", result));
  if (algorithm.startsWith("PS")) return; // the client verifies these itself, with the padding of RS
  assert.equal((await remote.verifyData(algorithm, Buffer.from("order 4711"), result)).result, true);
  assert.equal((await remote.verifyData(algorithm, Buffer.from("order 4712"), result)).result, false);
}

async function encryptsAndDecrypts(service, algorithm) {
  const remote = cryptoOf(service, await rsaKey(service));
  for (const plaintext of [Buffer.alloc(0), randomBytes(1), randomBytes(32), randomBytes(190)]) {
    const { result } = await remote.encrypt({ algorithm, plaintext });
    assert.deepEqual(Buffer.from((await remote.decrypt({ algorithm, ciphertext: result })).result), plaintext);
  }
}

async function decryptsWhatNodeEncrypts(service, algorithm) {
  const key = await rsaKey(service);
  const padding = algorithm === "RSA1_5" ? constants.RSA_PKCS1_PADDING : constants.RSA_PKCS1_OAEP_PADDING;
  const oaepHash = algorithm === "RSA-OAEP-256" ? "sha256" : "sha1";
  const ciphertext = publicEncrypt({ key: publicKeyOf(key.key), padding, oaepHash }, Buffer.from("4711"));
  const remote = cryptoOf(service, key);
  assert.equal(Buffer.from((await remote.decrypt({ algorithm, ciphertext })).result).toString(), "4711");
  assert.equal(Buffer.from((await remote.unwrapKey(algorithm, ciphertext)).result).toString(), "4711");
}

async function wrapsAndUnwraps(service, algorithm) {
  const key = await rsaKey(service);
  const remote = cryptoOf(service, key);
  for (const size of [16, 32, 64]) {
    const secret = randomBytes(size);
    const { result } = await remote.wrapKey(algorithm, secret);
    const back = await remote.unwrapKey(algorithm, result);
    assert.deepEqual(Buffer.from(back.result), secret);
    assert.equal(back.keyID, key.id);
  }
}

async function signData(service) {
  await signsTexts(service, "ES256");
}

async function decryptOfNonsense(service) {
  const remote = cryptoOf(service, await rsaKey(service));
  const { result } = await remote.encrypt({ algorithm: "RSA-OAEP", plaintext: randomBytes(32) });
  await refused(remote.decrypt({ algorithm: "RSA-OAEP-256", ciphertext: result }), 400, "BadParameter");
  result[20] ^= 1;
  for (const ciphertext of [result, result.subarray(1), randomBytes(256), Buffer.alloc(256), randomBytes(5000), Buffer.alloc(0)]) {
    await refused(remote.decrypt({ algorithm: "RSA-OAEP", ciphertext }), 400, "BadParameter");
    await refused(remote.unwrapKey("RSA-OAEP-256", ciphertext), 400, "BadParameter");
  }
}

async function plaintextThatIsTooLong(service) {
  const remote = cryptoOf(service, await rsaKey(service));
  await refused(remote.encrypt({ algorithm: "RSA-OAEP-256", plaintext: randomBytes(191) }), 400, "BadParameter"); // RFC 8017 section 7.1.1
  await refused(remote.wrapKey("RSA-OAEP-256", randomBytes(256)), 400, "BadParameter");
}

async function algorithmsOfOtherKeys(service) {
  const ec = cryptoOf(service, await keyFor(service, "ES256"));
  for (const algorithm of ["RS256", "PS256"]) await refused(ec.sign(algorithm, randomBytes(32)), 400, "BadParameter");
  const rsa = cryptoOf(service, await rsaKey(service));
  await refused(rsa.sign("ES256", randomBytes(32)), 400, "BadParameter");
  for (const algorithm of ["HS256", "none", "RS1", "ES256K"]) await refused(rsa.sign(algorithm, randomBytes(32)), 400, "BadParameter");
  await refused(rsa.decrypt({ algorithm: "A256CBC", ciphertext: randomBytes(256), iv: randomBytes(16) }), 400, "BadParameter");
}

async function signatureOfAnotherKey(service) {
  const [one, other] = [await keyFor(service, "ES256"), await keyFor(service, "ES256")];
  const digest = digestOf("ES256", "order");
  const { result } = await cryptoOf(service, one).sign("ES256", digest);
  assert.equal((await cryptoOf(service, other).verify("ES256", digest, result)).result, false);
}

async function olderVersion(service) {
  const client = clientOf(service);
  const first = await client.createEcKey(fresh("ec"));
  const second = await client.createEcKey(first.name);
  const digest = digestOf("ES256", "order");
  const signed = await cryptoOf(service, first.id).sign("ES256", digest);
  assert.equal(signed.keyID, first.id);
  assert.equal((await cryptoOf(service, first).verify("ES256", digest, signed.result)).result, true);
  assert.equal((await cryptoOf(service, second).verify("ES256", digest, signed.result)).result, false);
}

async function getCryptographyClient(service) {
  const client = clientOf(service);
  const key = await client.createEcKey(fresh("ec"));
  const current = client.getCryptographyClient(key.name);
  const digest = digestOf("ES256", "order");
  const { result, keyID } = await current.sign("ES256", digest);
  assert.equal(keyID, key.id);
  assert.equal((await current.verify("ES256", digest, result)).result, true);
  await refused(client.getCryptographyClient(fresh("absent")).sign("ES256", digest), 404, "KeyNotFound");
}

async function disabledKey(service) {
  const client = clientOf(service);
  const key = await client.createEcKey(fresh("ec"));
  const remote = cryptoOf(service, key.id);
  await client.updateKeyProperties(key.name, { enabled: false });
  await refused(remote.sign("ES256", randomBytes(32)), 403, "Forbidden", "KeyDisabled");
  assert.equal((await client.getKey(key.name)).properties.enabled, false);
  await client.updateKeyProperties(key.name, { enabled: true });
  assert.equal((await remote.sign("ES256", randomBytes(32))).result.length, 64);
}

async function keyBeforeItsTime(service) {
  const key = await clientOf(service).createEcKey(fresh("ec"), { notBefore: new Date(Date.now() + 3_600_000) });
  await assert.rejects(cryptoOf(service, key.id).sign("ES256", randomBytes(32)));
}

/** The client was told of the key while it was valid. */
async function keyAfterItsTime(service) {
  const client = clientOf(service);
  const key = await client.createRsaKey(fresh("rsa"));
  const remote = cryptoOf(service, key);
  const { result } = await remote.encrypt({ algorithm: "RSA-OAEP-256", plaintext: Buffer.from("4711") });
  const { result: signature } = await remote.sign("RS256", Buffer.alloc(32));
  await client.updateKeyProperties(key.name, { expiresOn: new Date("2020-01-01T00:00:00Z") });
  await refused(remote.sign("RS256", Buffer.alloc(32)), 403, "Forbidden");
  await refused(remote.encrypt({ algorithm: "RSA-OAEP-256", plaintext: Buffer.from("4711") }), 403, "Forbidden");
  await refused(remote.wrapKey("RSA-OAEP-256", randomBytes(32)), 403, "Forbidden");
  assert.equal(Buffer.from((await remote.decrypt({ algorithm: "RSA-OAEP-256", ciphertext: result })).result).toString(), "4711");
  assert.equal((await remote.verify("RS256", Buffer.alloc(32), signature)).result, true);
}

/** The client was told of the key when it had all its operations. */
async function operationsThatWereTakenAway(service) {
  const client = clientOf(service);
  const key = await client.createEcKey(fresh("ec"));
  const remote = cryptoOf(service, key);
  const digest = digestOf("ES256", "order");
  const { result } = await remote.sign("ES256", digest);
  await client.updateKeyProperties(key.name, { keyOps: ["verify"] });
  await refused(remote.sign("ES256", digest), 403, "Forbidden");
  assert.equal((await remote.verify("ES256", digest, result)).result, true);
}

async function largeRsaKeys(service, keySize) {
  const key = await clientOf(service).createRsaKey(fresh("rsa"), { keySize });
  for (const algorithm of kRsaSignatures) await isSignedBy(service, key, algorithm);
  const remote = cryptoOf(service, key);
  for (const algorithm of kEncryptions) {
    const { result } = await remote.wrapKey(algorithm, Buffer.alloc(32, 7));
    assert.equal(result.length * 8, keySize);
    assert.deepEqual(Buffer.from((await remote.unwrapKey(algorithm, result)).result), Buffer.alloc(32, 7));
  }
}

export const scenarios = [
  ...scenariosForEach("keys.sign", [...kRsaSignatures, ...Object.keys(kCurveOf)], signsAndVerifies),
  ...scenariosForEach("keys.signData", [...kRsaSignatures, ...Object.keys(kCurveOf)], signsTexts),
  ...scenariosForEach("keys.encrypt", kEncryptions, encryptsAndDecrypts),
  ...scenariosForEach("keys.decrypt", kEncryptions, decryptsWhatNodeEncrypts),
  ...scenariosForEach("keys.wrapKey", kEncryptions, wrapsAndUnwraps),
  ...onlyInFull(scenariosForEach("keys.ofBits", [3072, 4096], largeRsaKeys)),
  ...scenariosOf("keys", [
    signData, decryptOfNonsense, plaintextThatIsTooLong, algorithmsOfOtherKeys, signatureOfAnotherKey, olderVersion, getCryptographyClient, disabledKey,
    keyBeforeItsTime, keyAfterItsTime, operationsThatWereTakenAway,
  ]),
];
