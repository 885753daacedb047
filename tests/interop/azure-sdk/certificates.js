// A scenario for each function of @azure/keyvault-certificates.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate, createHash, createPrivateKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CertificateClient } from "@azure/keyvault-certificates";
import { KeyClient } from "@azure/keyvault-keys";
import { SecretClient } from "@azure/keyvault-secrets";
import { all, clientOptions, fresh, isDeleted, polling, refused } from "./common.js";

const clientOf = ({ vaultUrl, credential }) => new CertificateClient(vaultUrl, credential, clientOptions(vaultUrl));
const keysOf = ({ vaultUrl, credential }) => new KeyClient(vaultUrl, credential, clientOptions(vaultUrl));
const secretsOf = ({ vaultUrl, credential }) => new SecretClient(vaultUrl, credential, clientOptions(vaultUrl));

const own = (more) => ({ issuerName: "Self", subject: "cn=as2.acme.example", keyType: "EC", keyCurveName: "P-256", ...more });
const made = async (service, name, more) => (await clientOf(service).beginCreateCertificate(name, own(more), polling)).pollUntilDone();
const der = (certificate) => new X509Certificate(Buffer.from(certificate.cer));

/** A directory for openssl, which plays the authority. */
function withFiles(work) {
  const directory = mkdtempSync(join(tmpdir(), "signet-certificates-"));
  const path = (name) => join(directory, name);
  const openssl = (...words) => execFileSync("openssl", words, { cwd: directory, stdio: ["ignore", "pipe", "ignore"] });
  return Promise.resolve(work({ path, openssl })).finally(() => rmSync(directory, { recursive: true }));
}

const kNewKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const selfSigned = (openssl, name) =>
  openssl("req", "-x509", ...kNewKey, "-keyout", `${name}.key`, "-out", `${name}.cer`, "-subj", `/CN=${name}`, "-days", "30");

async function beginCreateCertificate(service) {
  const client = clientOf(service);
  const name = fresh("certificate");
  const poller = await client.beginCreateCertificate(
    name,
    own({ keyType: "RSA", keySize: 2048, subject: "CN=as2.acme.example, O=Acme", subjectAlternativeNames: { dnsNames: ["as2.acme.example"] }, validityInMonths: 24 }),
    { ...polling, tags: { team: "edi" } },
  );
  const certificate = await poller.pollUntilDone();
  assert.equal(certificate.name, name);
  const parsed = der(certificate);
  assert.equal(parsed.subject, "O=Acme\nCN=as2.acme.example");
  assert.equal(parsed.subjectAltName, "DNS:as2.acme.example");
  assert.ok(parsed.verify(parsed.publicKey));
  assert.equal(Buffer.from(certificate.properties.x509Thumbprint).toString("hex"), createHash("sha1").update(parsed.raw).digest("hex"));
  assert.deepEqual(certificate.properties.tags, { team: "edi" });
  assert.equal(certificate.properties.expiresOn.getTime(), Date.parse(parsed.validTo));
  assert.equal(certificate.policy.validityInMonths, 24);
  assert.equal(certificate.policy.issuerName, "Self");
  assert.equal(certificate.keyId.split("/").at(-1), certificate.properties.version);
  assert.equal(certificate.secretId.split("/").at(-1), certificate.properties.version);
  await refused(client.beginCreateCertificate("not_a_name", own(), polling), 400, "BadParameter");
  await refused(client.beginCreateCertificate(fresh("c"), own({ subject: "acme" }), polling), 400, "BadParameter");
}

async function keyAndSecret(service) {
  const name = fresh("certificate");
  const certificate = await made(service, name);
  const key = await keysOf(service).getKey(name);
  assert.equal(key.properties.managed, true);
  assert.equal(key.id, certificate.keyId);
  const secret = await secretsOf(service).getSecret(name);
  assert.equal(secret.properties.contentType, "application/x-pkcs12");
  await withFiles(({ path, openssl }) => {
    writeFileSync(path("c.pfx"), Buffer.from(secret.value, "base64"));
    openssl("pkcs12", "-in", "c.pfx", "-passin", "pass:", "-nodes", "-out", "c.pem");
    const pem = readFileSync(path("c.pem"), "utf8");
    assert.deepEqual(new X509Certificate(pem).raw, der(certificate).raw);
    assert.ok(der(certificate).checkPrivateKey(createPrivateKey(pem)));
  });
  await refused(keysOf(service).beginDeleteKey(name, polling), 403, "Forbidden");
  await refused(secretsOf(service).beginDeleteSecret(name, polling), 403, "Forbidden");
}

async function notExportable(service) {
  const name = fresh("certificate");
  await made(service, name, { exportable: false, contentType: "application/x-pem-file" });
  const { value } = await secretsOf(service).getSecret(name);
  assert.match(value, /^-----BEGIN CERTIFICATE-----/);
  assert.doesNotMatch(value, /PRIVATE/);
}

async function getCertificate(service) {
  const client = clientOf(service);
  const name = fresh("certificate");
  const first = await made(service, name);
  const second = await made(service, name);
  assert.equal((await client.getCertificate(name)).properties.version, second.properties.version);
  assert.deepEqual((await client.getCertificateVersion(name, first.properties.version)).cer, first.cer);
  await refused(client.getCertificate(fresh("absent")), 404, "CertificateNotFound");
  await refused(client.getCertificateVersion(name, "0".repeat(32)), 404, "CertificateNotFound");
}

async function updateCertificateProperties(service) {
  const client = clientOf(service);
  const name = fresh("certificate");
  const { properties } = await made(service, name);
  const changed = await client.updateCertificateProperties(name, properties.version, { enabled: false, tags: { a: "b" } });
  assert.equal(changed.properties.enabled, false);
  assert.deepEqual(changed.properties.tags, { a: "b" });
  await refused(secretsOf(service).getSecret(name), 403, "Forbidden", "SecretDisabled");
  await client.updateCertificateProperties(name, properties.version, { enabled: true });
  assert.equal((await client.getCertificate(name)).properties.enabled, true);
}

async function certificatePolicy(service) {
  const client = clientOf(service);
  const name = fresh("certificate");
  await made(service, name);
  await client.updateCertificatePolicy(name, { validityInMonths: 6 });
  const policy = await client.getCertificatePolicy(name);
  assert.equal(policy.validityInMonths, 6);
  assert.equal(policy.keyCurveName, "P-256");
  assert.deepEqual(policy.lifetimeActions, [{ action: "AutoRenew", lifetimePercentage: 80, daysBeforeExpiry: undefined }]);
  await refused(client.updateCertificatePolicy(name, { validityInMonths: 100000 }), 400, "BadParameter");
  await refused(client.getCertificatePolicy(fresh("absent")), 404, "CertificateNotFound");
}

async function listPropertiesOfCertificates(service) {
  const client = clientOf(service);
  const names = [];
  for (let i = 0; i < 3; ++i) names.push((await made(service, fresh("listed"))).name);
  const pending = fresh("pending");
  await client.beginCreateCertificate(pending, own({ issuerName: "Unknown" }), polling);
  const listed = (await all(client.listPropertiesOfCertificates())).map((certificate) => certificate.name);
  for (const name of names) assert.equal(listed.filter((other) => other === name).length, 1);
  assert.ok(!listed.includes(pending));
  const with_pending = await all(client.listPropertiesOfCertificates({ includePending: true }));
  assert.ok(with_pending.some((certificate) => certificate.name === pending));
  const pages = client.listPropertiesOfCertificates({ maxresults: 2 }).byPage(); // maxPageSize is not sent by this client
  for await (const page of pages) assert.ok(page.length <= 2);
}

async function listPropertiesOfCertificateVersions(service) {
  const client = clientOf(service);
  const name = fresh("certificate");
  const versions = [];
  for (let i = 0; i < 2; ++i) versions.push((await made(service, name)).properties.version);
  const listed = (await all(client.listPropertiesOfCertificateVersions(name))).map((certificate) => certificate.version);
  assert.deepEqual(listed.sort(), versions.sort());
}

async function mergeCertificate(service) {
  const client = clientOf(service);
  const name = fresh("certificate");
  const begin = () => client.beginCreateCertificate(name, own({ issuerName: "Unknown" }), polling);
  const poller = await begin();
  const { csr } = (await client.getCertificateOperation(name, polling)).getOperationState().certificateOperation; // which that of begin() does not show
  await refused(begin(), 409, "Conflict");
  await withFiles(async ({ path, openssl }) => {
    selfSigned(openssl, "ca");
    writeFileSync(path("c.csr"), Buffer.from(csr));
    openssl("x509", "-req", "-inform", "DER", "-in", "c.csr", "-CA", "ca.cer", "-CAkey", "ca.key", "-CAcreateserial", "-days", "7", "-out", "c.cer");
    const octets = (file) => new X509Certificate(readFileSync(path(file))).raw;
    await refused(client.mergeCertificate(name, [octets("ca.cer")]), 400, "BadParameter");
    const merged = await client.mergeCertificate(name, [octets("ca.cer"), octets("c.cer")]);
    assert.deepEqual(Buffer.from(merged.cer), octets("c.cer"));
  });
  assert.equal((await poller.pollUntilDone()).name, name);
  assert.equal((await keysOf(service).getKey(name)).properties.managed, true);
}

async function certificateOperation(service) {
  const client = clientOf(service);
  const name = fresh("certificate");
  await client.beginCreateCertificate(name, own({ issuerName: "Unknown" }), polling);
  const poller = await client.getCertificateOperation(name, polling);
  assert.equal(poller.getOperationState().certificateOperation.status, "inProgress");
  await poller.cancelOperation();
  assert.equal(poller.getOperationState().certificateOperation.cancellationRequested, true);
  assert.equal((await client.deleteCertificateOperation(name)).status, "cancelled");
  await refused(client.deleteCertificateOperation(name), 404, "PendingCertificateNotFound");
}

async function importCertificate(service) {
  const client = clientOf(service);
  await withFiles(async ({ path, openssl }) => {
    selfSigned(openssl, "imported");
    openssl("pkcs12", "-export", "-in", "imported.cer", "-inkey", "imported.key", "-out", "c.pfx", "-passout", "pass:secret");
    const pfx = readFileSync(path("c.pfx"));
    const name = fresh("certificate");
    const imported = await client.importCertificate(name, pfx, { password: "secret", tags: { a: "b" } });
    assert.deepEqual(Buffer.from(imported.cer), new X509Certificate(readFileSync(path("imported.cer"))).raw);
    assert.equal(imported.policy.issuerName, "Unknown");
    assert.deepEqual(imported.properties.tags, { a: "b" });
    await refused(client.importCertificate(fresh("c"), pfx, { password: "wrong" }), 400, "BadParameter");
    await refused(client.importCertificate(fresh("c"), Buffer.from("none")), 400, "BadParameter");

    const pem = Buffer.concat([readFileSync(path("imported.key")), readFileSync(path("imported.cer"))]);
    const text = await client.importCertificate(fresh("certificate"), pem, { policy: { contentType: "application/x-pem-file" } });
    assert.equal(text.policy.contentType, "application/x-pem-file");
    await client.importCertificate(fresh("certificate"), pem);
  });
}

async function contacts(service) {
  const client = clientOf(service);
  const list = [{ email: "edi@acme.example", name: "EDI", phone: "1" }];
  await client.setContacts(list);
  assert.deepEqual(await client.getContacts(), list);
  await client.deleteContacts();
  await refused(client.getContacts(), 404, "ContactsNotFound");
  await refused(client.setContacts([{ email: "nobody" }]), 400, "BadParameter");
}

async function issuers(service) {
  const client = clientOf(service);
  const name = fresh("issuer");
  await client.createIssuer(name, "Test", { accountId: "4711", password: "open sesame", organizationId: "acme" });
  const issuer = await client.getIssuer(name);
  assert.equal(issuer.accountId, "4711");
  assert.ok(!JSON.stringify(issuer).includes("sesame"));
  await client.updateIssuer(name, { organizationId: "acme-2", enabled: true }); // enabled: false is not sent by this client
  const changed = await client.getIssuer(name);
  assert.deepEqual([changed.organizationId, changed.enabled], ["acme-2", true]);
  assert.equal(changed.accountId, "4711");
  assert.ok((await all(client.listPropertiesOfIssuers())).some((other) => other.id === issuer.id));
  await client.deleteIssuer(name);
  await refused(client.getIssuer(name), 404, "CertificateIssuerNotFound");
  await refused(client.beginCreateCertificate(fresh("c"), own({ issuerName: name }), polling), 404, "CertificateIssuerNotFound");
}

async function deleteAndRecover(service) {
  const client = clientOf(service);
  const name = fresh("certificate");
  const { properties } = await made(service, name);
  const deleted = await (await client.beginDeleteCertificate(name, polling)).pollUntilDone();
  isDeleted(deleted, "deletedcertificates", name);
  await refused(client.getCertificate(name), 404, "CertificateNotFound");
  await refused(keysOf(service).getKey(name), 404, "KeyNotFound");
  await refused(client.beginCreateCertificate(name, own(), polling), 409, "Conflict", "ObjectIsDeletedButRecoverable");
  assert.ok((await all(client.listDeletedCertificates())).some((other) => other.name === name));
  const recovered = await (await client.beginRecoverDeletedCertificate(name, polling)).pollUntilDone();
  assert.equal(recovered.properties.version, properties.version);
  assert.equal((await keysOf(service).getKey(name)).properties.version, properties.version);
}

async function backup(service) {
  const client = clientOf(service);
  const name = fresh("certificate");
  const before = await made(service, name);
  const blob = await client.backupCertificate(name);
  await refused(client.restoreCertificateBackup(blob), 409, "Conflict");
  await (await client.beginDeleteCertificate(name, polling)).pollUntilDone();
  await client.purgeDeletedCertificate(name);
  await refused(client.getDeletedCertificate(name), 404, "CertificateNotFound");
  const restored = await client.restoreCertificateBackup(blob);
  assert.deepEqual(restored.cer, before.cer);
  blob[40] ^= 1;
  await refused(client.restoreCertificateBackup(blob), 400, "BadParameter");
}

export const scenarios = [
  beginCreateCertificate, keyAndSecret, notExportable, getCertificate, updateCertificateProperties, certificatePolicy, listPropertiesOfCertificates,
  listPropertiesOfCertificateVersions, mergeCertificate, certificateOperation, importCertificate, contacts, issuers, deleteAndRecover, backup,
].map((run) => ({ name: `certificates.${run.name}`, run }));
