// Scenarios of @azure/arm-keyvault: vaults as resources, and who may use what is in them.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { KeyClient } from "@azure/keyvault-keys";
import { all, clientOptions, done, polling, refused as refusedByVault, scenariosOf } from "./common.js";
import { OID, TENANT, kGroup, names, refused, vaultClients } from "./management.js";

/** A vault's name, which is shorter than others. */
const fresh = () => `kv${randomBytes(6).toString("hex")}`;
const { manager, reader, stranger } = vaultClients();
const { vaults } = manager;

const policy = (keys, more) => ({ tenantId: TENANT, objectId: OID, permissions: { keys, secrets: [], certificates: [], storage: [] }, ...more });
const parameters = (properties, more) => ({
  location: "local", properties: { tenantId: TENANT, sku: { family: "A", name: "standard" }, accessPolicies: [], ...properties }, ...more });
const put = (name, properties, more) => vaults.createOrUpdate(kGroup, name, parameters(properties, more));
async function made(properties) {
  const name = fresh();
  await put(name, properties);
  return name;
}
const change = (name, kind, ...entries) => vaults.updateAccessPolicy(kGroup, name, kind, { properties: { accessPolicies: entries } });
const keysOf = (vault) => vault.properties.accessPolicies[0]?.permissions.keys;

/** A client of what is in a vault of that name. */
function keysIn({ vaultUrl, credential }, name) {
  const url = new URL(vaultUrl);
  url.hostname = `${name}.${url.hostname.split(".").slice(1).join(".")}`;
  return new KeyClient(url.origin, credential, clientOptions(url.origin));
}

async function createOrUpdate() {
  const name = fresh();
  const vault = await put(name, { accessPolicies: [policy(["get"])] }, { tags: { team: "edi" } });
  assert.equal(vault.name, name);
  assert.equal(vault.type, "Microsoft.KeyVault/vaults");
  assert.deepEqual(vault.tags, { team: "edi" });
  assert.equal(vault.properties.provisioningState, "Succeeded");
  assert.equal(vault.properties.softDeleteRetentionInDays, 90);
  assert.equal(vault.properties.enableSoftDelete, true);
  assert.deepEqual(keysOf(vault), ["get"]);
  assert.ok(vault.properties.vaultUri.includes(`${name}.`));
}

async function createOrUpdateAgain() {
  const name = await made({ accessPolicies: [policy(["get"])], softDeleteRetentionInDays: 7 });
  const again = await put(name, { accessPolicies: [policy(["sign", "list"])] }, { tags: { a: "b" } });
  assert.deepEqual([...keysOf(again)].sort(), ["list", "sign"]);
  assert.equal(again.properties.softDeleteRetentionInDays, 7);
  assert.deepEqual(again.tags, { a: "b" });
}

async function namesThatCannotBe() {
  for (const name of ["1vault", "a--b", "ab", "x".repeat(25), "under_score", "ends-"]) await refused(put(name), 400, "VaultNameNotValid");
}

async function promisesThatWouldNotBeKept() {
  for (const properties of [
    { enableRbacAuthorization: true }, { enableSoftDelete: false }, { publicNetworkAccess: "Disabled" }, { tenantId: OID },
    { networkAcls: { defaultAction: "Deny" } }, { sku: { family: "A", name: "golden" } }, { accessPolicies: [policy(["get"], { applicationId: TENANT })] },
  ])
    await refused(put(fresh(), properties), 400, "BadParameter");
}

async function retention() {
  for (const softDeleteRetentionInDays of [6, 91]) await refused(put(fresh(), { softDeleteRetentionInDays }), 400, "BadParameter");
  const name = await made({ softDeleteRetentionInDays: 30 });
  assert.equal((await vaults.get(kGroup, name)).properties.softDeleteRetentionInDays, 30);
}

async function get() {
  const name = await made();
  assert.equal((await vaults.get(kGroup, name.toUpperCase())).name, name);
  await refused(vaults.get(kGroup, fresh()), 404, "ResourceNotFound");
  await refused(vaults.get("another", name), 404, "ResourceNotFound");
}

async function update() {
  const name = await made({ accessPolicies: [policy(["get"])] });
  const changed = await vaults.update(kGroup, name, { tags: { c: "d" }, properties: { enabledForDeployment: true } });
  assert.deepEqual(changed.tags, { c: "d" });
  assert.equal(changed.properties.enabledForDeployment, true);
  assert.deepEqual(keysOf(changed), ["get"]);
  await refused(vaults.update(kGroup, fresh(), { tags: {} }), 404, "ResourceNotFound");
}

async function addAccessPolicy() {
  const name = await made({ accessPolicies: [policy(["get"])] });
  assert.deepEqual(keysOf(await change(name, "add", policy(["list"]))), ["get", "list"]);
}

async function removeAccessPolicy() {
  const name = await made({ accessPolicies: [policy(["get", "list"])] });
  assert.deepEqual(keysOf(await change(name, "remove", policy(["get"]))), ["list"]);
  assert.equal(keysOf(await change(name, "remove", policy(["list"]))), undefined);
}

async function replaceAccessPolicy() {
  const name = await made({ accessPolicies: [policy(["get", "list"])] });
  assert.deepEqual(keysOf(await change(name, "replace", policy(["sign"]))), ["sign"]);
}

async function accessPoliciesThatCannotBe() {
  const name = await made();
  for (const entry of [policy(["fly"]), policy(["get"], { tenantId: OID }), policy(["get"], { objectId: "me" })])
    await refused(change(name, "add", entry), 400, "BadParameter");
  await refused(change(name, "add", policy(["get"]), policy(["list"])), 400, "BadParameter");
  await refused(change(fresh(), "add", policy(["get"])), 404, "ResourceNotFound");
  assert.deepEqual((await vaults.get(kGroup, name)).properties.accessPolicies, []);
}

async function accessPoliciesCount(service) {
  const name = await made({ accessPolicies: [policy(["create"])] });
  const keys = keysIn(service, name);
  assert.equal((await keys.createKey("k", "EC")).name, "k");
  await refusedByVault(keys.getKey("k"), 403, "Forbidden", "ForbiddenByPolicy");
  await change(name, "add", policy(["get"]));
  assert.equal((await keys.getKey("k")).name, "k");
  await change(name, "remove", policy(["get", "create"]));
  await refusedByVault(keys.getKey("k"), 403, "Forbidden", "ForbiddenByPolicy");
}

async function listByResourceGroup() {
  const name = await made();
  assert.ok((await names(vaults.listByResourceGroup(kGroup))).includes(name));
  assert.ok(!(await names(vaults.listByResourceGroup("another"))).includes(name));
}

async function listBySubscription() {
  const name = await made();
  const pages = [];
  for await (const page of vaults.listBySubscription({ top: 1 }).byPage()) pages.push(page.map((vault) => vault.name));
  assert.ok(pages.every((page) => page.length <= 1));
  assert.ok(pages.flat().includes(name));
  assert.equal(new Set(pages.flat()).size, pages.flat().length);
}

async function list() {
  const name = await made();
  const [vault] = (await all(vaults.list())).filter((item) => item.name === name);
  assert.equal(vault.type, "Microsoft.KeyVault/vaults");
}

async function checkNameAvailability() {
  const availability = (name) => vaults.checkNameAvailability({ name, type: "Microsoft.KeyVault/vaults" });
  const name = fresh();
  assert.equal((await availability(name)).nameAvailable, true);
  await put(name);
  assert.equal((await availability(name)).reason, "AlreadyExists");
  await vaults.delete(kGroup, name);
  assert.equal((await availability(name)).reason, "AlreadyExists");
  assert.equal((await availability("a--b")).reason, "AccountNameInvalid");
}

async function deleted(properties) {
  const name = await made(properties);
  await vaults.delete(kGroup, name);
  return name;
}

async function deleteVault(service) {
  const name = await made({ accessPolicies: [policy(["create"])] });
  const keys = keysIn(service, name);
  await keys.createKey("k", "EC");
  await vaults.delete(kGroup, name);
  await vaults.delete(kGroup, name); // is no error
  await refused(vaults.get(kGroup, name), 404, "ResourceNotFound");
  await refused(change(name, "add", policy(["get"])), 404, "ResourceNotFound");
  await refusedByVault(keys.createKey("k", "EC"), 403, "Forbidden", "ForbiddenByPolicy");
  await refused(put(name), 409, "ConflictError");
}

async function deleteOfOneInUse() {
  await refused(vaults.delete("signet", "signet"), 409, "Conflict"); // has the key that this TLS is spoken with
}

async function listDeleted() {
  const name = await deleted();
  const [vault] = (await all(vaults.listDeleted())).filter((item) => item.name === name);
  assert.ok(vault.properties.vaultId.endsWith(`/vaults/${name}`));
}

async function getDeleted() {
  const name = await deleted({ softDeleteRetentionInDays: 10 });
  const { properties } = await vaults.getDeleted(name, "local");
  assert.equal(Math.round((properties.scheduledPurgeDate - properties.deletionDate) / 86_400_000), 10);
  assert.equal(properties.purgeProtectionEnabled, undefined);
  await refused(vaults.getDeleted(fresh(), "local"), 404, "ResourceNotFound");
}

async function recover(service) {
  const name = await made({ accessPolicies: [policy(["create", "get"])] });
  await keysIn(service, name).createKey("k", "EC");
  await vaults.delete(kGroup, name);
  const wrongGroup = vaults.createOrUpdate("another", name, parameters({ createMode: "recover" }));
  await refused(wrongGroup, 409, "ConflictError");
  const back = await put(name, { createMode: "recover" });
  assert.deepEqual([...keysOf(back)].sort(), ["create", "get"]);
  assert.equal((await keysIn(service, name).getKey("k")).name, "k");
}

async function beginPurgeDeleted(service) {
  const name = await made({ accessPolicies: [policy(["create", "get"])] });
  const keys = keysIn(service, name);
  await keys.createKey("k", "EC");
  await vaults.delete(kGroup, name);
  await done(vaults.beginPurgeDeleted(name, "local", polling));
  await refused(vaults.getDeleted(name, "local"), 404, "ResourceNotFound");
  await put(name, { accessPolicies: [policy(["create", "get"])] }); // the name is free, and the vault is empty
  await refusedByVault(keys.getKey("k"), 404, "KeyNotFound");
}

async function purgeOfNoneDeleted() {
  await refused(done(vaults.beginPurgeDeleted(fresh(), "local", polling)), 404, "ResourceNotFound");
  const name = await made();
  await refused(done(vaults.beginPurgeDeleted(name, "local", polling)), 404, "ResourceNotFound");
}

async function purgeProtection() {
  const name = await made({ enablePurgeProtection: true });
  await refused(vaults.update(kGroup, name, { properties: { enablePurgeProtection: false } }), 400, "BadParameter");
  await vaults.delete(kGroup, name);
  assert.equal((await vaults.getDeleted(name, "local")).properties.purgeProtectionEnabled, true);
  await refused(done(vaults.beginPurgeDeleted(name, "local", polling)), 405, "MethodNotAllowed");
  assert.equal((await vaults.getDeleted(name, "local")).name, name);
}

async function aReaderMayOnlyLook() {
  const name = await made();
  assert.equal((await reader.vaults.get(kGroup, name)).name, name);
  await refused(reader.vaults.createOrUpdate(kGroup, fresh(), parameters()), 403, "AuthorizationFailed");
  await refused(reader.vaults.update(kGroup, name, { tags: {} }), 403, "AuthorizationFailed");
  await refused(reader.vaults.delete(kGroup, name), 403, "AuthorizationFailed");
  const entries = { properties: { accessPolicies: [policy(["get"])] } };
  await refused(reader.vaults.updateAccessPolicy(kGroup, name, "add", entries), 403, "AuthorizationFailed");
  await refused(done(reader.vaults.beginPurgeDeleted(fresh(), "local", polling)), 403, "AuthorizationFailed"); // before it is looked for
}

async function aStrangerIsNotLetIn() {
  await refused(stranger.vaults.get(kGroup, fresh()), 401, "Unauthorized");
  await refused(names(stranger.vaults.listBySubscription()), 401, "Unauthorized");
}

export const scenarios = scenariosOf("vaults", [
  createOrUpdate, createOrUpdateAgain, namesThatCannotBe, promisesThatWouldNotBeKept, retention, get, update, addAccessPolicy, removeAccessPolicy,
  replaceAccessPolicy, accessPoliciesThatCannotBe, accessPoliciesCount, listByResourceGroup, listBySubscription, list, checkNameAvailability,
  deleteVault, deleteOfOneInUse, listDeleted, getDeleted, recover, beginPurgeDeleted, purgeOfNoneDeleted, purgeProtection, aReaderMayOnlyLook,
  aStrangerIsNotLetIn,
]);
