// Scenarios of @azure/arm-logic: partners of the integration account, and its certificates.

import assert from "node:assert/strict";
import { fresh, scenariosOf } from "./common.js";
import {
  agreed, certificates as sharedCertificates, identity, kAccount, kGroup, logic, logicClients, names, partner, refused, vaultCertificate, vaultId,
} from "./management.js";

const { reader } = logicClients();
const partnersOf = async () => (await logic()).integrationAccountPartners;
const certificatesOf = async () => (await logic()).integrationAccountCertificates;
const own = (name) => partner(identity(name.toUpperCase()));

async function madePartner() {
  const name = fresh("partner");
  const client = await partnersOf();
  return { client, name, made: await client.createOrUpdate(kGroup, kAccount, name, own(name)) };
}

async function createOrUpdate() {
  const { client, name, made } = await madePartner();
  assert.equal(made.name, name);
  assert.ok(made.createdTime instanceof Date);
  const two = [identity(name.toUpperCase()), identity("7".repeat(9), "1")];
  const changed = await client.createOrUpdate(kGroup, kAccount, name, { ...partner(...two), metadata: { note: "x" } });
  assert.deepEqual(changed.content.b2B.businessIdentities, two);
  assert.deepEqual(changed.metadata, { note: "x" });
  assert.deepEqual(changed.createdTime, made.createdTime);
  assert.ok(changed.changedTime >= made.changedTime);
}

async function get() {
  const { client, name } = await madePartner();
  const shown = await client.get(kGroup, kAccount, name.toUpperCase());
  assert.equal(shown.name, name);
  assert.deepEqual(shown.content.b2B.businessIdentities, [identity(name.toUpperCase())]);
  await refused(client.get(kGroup, kAccount, fresh("absent")), 404, "ResourceNotFound");
  await refused(client.get(kGroup, "another", name), 404, "ResourceNotFound");
}

async function list() {
  const made = [];
  for (let i = 0; i < 3; ++i) made.push((await madePartner()).name);
  const client = await partnersOf();
  const pages = [];
  for await (const page of client.list(kGroup, kAccount, { top: 2 }).byPage()) pages.push(page.map((item) => item.name));
  assert.ok(pages.every((page) => page.length <= 2));
  for (const name of made) assert.equal(pages.flat().filter((other) => other === name).length, 1);
}

async function listByType() {
  const { client, name } = await madePartner();
  assert.ok((await names(client.list(kGroup, kAccount, { filter: "partnerType eq 'B2B'" }))).includes(name));
  assert.ok(!(await names(client.list(kGroup, kAccount, { filter: "partnerType eq 'NotSpecified'" }))).includes(name));
  await refused(names(client.list(kGroup, kAccount, { filter: "name eq 'x'" })), 400, "BadParameter");
}

async function deletePartner() {
  const { client, name } = await madePartner();
  for (let repeat = 0; repeat < 2; ++repeat) await client.delete(kGroup, kAccount, name); // the second is no error
  await refused(client.get(kGroup, kAccount, name), 404, "ResourceNotFound");
}

async function deleteOfOneInUse(service) {
  const { client, host } = await agreed(service);
  await refused(client.integrationAccountPartners.delete(kGroup, kAccount, host.name), 409, "Conflict");
}

async function thatCannotBe() {
  const client = await partnersOf();
  const put = (body, name = fresh("partner")) => client.createOrUpdate(kGroup, kAccount, name, body);
  await refused(put(partner(identity(""))), 400, "BadRequest");
  await refused(put({ ...partner(identity("X")), partnerType: "C2C" }), 400, "BadRequest");
  await refused(put(partner(identity("Y"), identity("Y"))), 400, "BadRequest");
  await refused(put(partner(identity("Z")), "a name"), 400, "BadRequest");
}

async function listContentCallbackUrl() {
  const { client, name } = await madePartner();
  const url = await client.listContentCallbackUrl(kGroup, kAccount, name, { keyType: "Primary" });
  assert.equal(url.method, "GET");
  assert.ok((await (await fetch(url.value)).json()).b2b.businessIdentities.length === 1);
  await refused(client.listContentCallbackUrl(kGroup, kAccount, fresh("absent"), { keyType: "Primary" }), 404, "ResourceNotFound");
}

async function aReaderMayOnlyLook() {
  const { name } = await madePartner();
  const { integrationAccountPartners } = reader;
  assert.equal((await integrationAccountPartners.get(kGroup, kAccount, name)).name, name);
  await refused(integrationAccountPartners.createOrUpdate(kGroup, kAccount, name, own(name)), 403, "AuthorizationFailed");
  await refused(integrationAccountPartners.delete(kGroup, kAccount, name), 403, "AuthorizationFailed");
}

// ---- Certificates of the account

const put = async (publicCertificate, key, name = fresh("certificate")) =>
  (await certificatesOf()).createOrUpdate(kGroup, kAccount, name, { location: "local", publicCertificate, key });
const keyOf = (keyName, more) => ({ keyVault: { id: vaultId() }, keyName, ...more });

async function createOrUpdatePublic(service) {
  const cer = await vaultCertificate(service, fresh("partner"));
  const made = await put(cer);
  assert.equal(made.publicCertificate, cer);
  assert.equal(made.key, undefined);
  const other = await vaultCertificate(service, fresh("partner"));
  assert.equal((await put(other, undefined, made.name)).publicCertificate, other);
}

async function createOrUpdatePrivate(service) {
  const name = fresh("own");
  const made = await put(await vaultCertificate(service, name), keyOf(name));
  assert.equal(made.key.keyVault.name, "signet");
  assert.equal(made.key.keyName, name);
}

async function keysThatAreNotItsOwn(service) {
  const name = fresh("own");
  const cer = await vaultCertificate(service, name);
  await vaultCertificate(service, `${name}-2`);
  await refused(put(cer, keyOf(`${name}-2`)), 400, "BadRequest");
  await refused(put(cer, keyOf(fresh("absent"))), 400, "BadRequest");
  await refused(put(cer, keyOf(name, { keyVersion: "0".repeat(32) })), 400, "BadRequest");
  await refused(put(undefined, keyOf(name)), 400, "BadRequest");
}

async function certificatesThatAreNone() {
  for (const wrong of ["", "AAAA", "not base64"]) await refused(put(wrong), 400, "BadRequest");
}

async function getCertificate(service) {
  const { ours } = await sharedCertificates(service);
  const client = await certificatesOf();
  assert.equal((await client.get(kGroup, kAccount, ours)).key.keyName, ours);
  await refused(client.get(kGroup, kAccount, fresh("absent")), 404, "ResourceNotFound");
}

async function listCertificates(service) {
  const { ours, theirs } = await sharedCertificates(service);
  const listed = await names((await certificatesOf()).list(kGroup, kAccount, { top: 1 }));
  for (const name of [ours, theirs]) assert.ok(listed.includes(name));
}

async function deleteCertificate(service) {
  const { name } = await put(await vaultCertificate(service, fresh("partner")));
  const client = await certificatesOf();
  for (let repeat = 0; repeat < 2; ++repeat) await client.delete(kGroup, kAccount, name);
  await refused(client.get(kGroup, kAccount, name), 404, "ResourceNotFound");
}

async function deleteOfACertificateInUse(service) {
  const { client, host } = await agreed(service);
  await refused(client.integrationAccountCertificates.delete(kGroup, kAccount, host.certificate), 409, "Conflict");
  await refused(client.integrationAccountCertificates.delete(kGroup, kAccount, "api"), 409, "Conflict"); // the listener's
}

async function aReaderMayNotPutOne(service) {
  const { ours } = await sharedCertificates(service);
  const { integrationAccountCertificates } = reader;
  const shown = await integrationAccountCertificates.get(kGroup, kAccount, ours);
  await refused(integrationAccountCertificates.createOrUpdate(kGroup, kAccount, ours, shown), 403, "AuthorizationFailed");
  await refused(integrationAccountCertificates.delete(kGroup, kAccount, ours), 403, "AuthorizationFailed");
}

export const scenarios = [
  ...scenariosOf("partners", [
    createOrUpdate, get, list, listByType, deletePartner, deleteOfOneInUse, thatCannotBe, listContentCallbackUrl, aReaderMayOnlyLook,
  ]),
  ...scenariosOf("accountCertificates", [
    createOrUpdatePublic, createOrUpdatePrivate, keysThatAreNotItsOwn, certificatesThatAreNone, getCertificate, listCertificates, deleteCertificate,
    deleteOfACertificateInUse, aReaderMayNotPutOne,
  ]),
];
