// Scenarios of @azure/arm-logic: the integration account as a whole. A gateway has one; `kAccount` is its name.

import assert from "node:assert/strict";
import { fresh, scenariosOf } from "./common.js";
import { SUBSCRIPTION, kAccount, kGroup, logic, logicClients, names, partner, identity, refused, vaultCertificate, vaultId } from "./management.js";

const { reader, stranger } = logicClients();
const settings = (more) => ({ location: "local", sku: { name: "Standard" }, ...more });
const events = (more) => ({
  sourceType: "Microsoft.Logic/workflows",
  events: [{ eventLevel: "Informational", eventTime: new Date(), recordType: "Custom", record: { order: 7 } }], ...more });

async function createOrUpdate() {
  const { integrationAccounts } = await logic();
  const made = await integrationAccounts.createOrUpdate(kGroup, kAccount, settings({ tags: { team: "edi" } }));
  assert.equal(made.name, kAccount);
  assert.equal(made.type, "Microsoft.Logic/integrationAccounts");
  assert.deepEqual(made.tags, { team: "edi" });
  assert.equal(made.sku.name, "Standard");
}

async function aSecondAccount() {
  const { integrationAccounts } = await logic();
  await refused(integrationAccounts.createOrUpdate(kGroup, fresh("account"), settings()), 409, "Conflict");
  await refused(integrationAccounts.createOrUpdate("another", kAccount, settings()), 409, "Conflict");
}

async function settingsThatCannotBe() {
  const { integrationAccounts } = await logic();
  await refused(integrationAccounts.createOrUpdate(kGroup, kAccount, settings({ sku: { name: "Golden" } })), 400, "BadParameter");
}

async function get() {
  const { integrationAccounts } = await logic();
  const account = await integrationAccounts.get(kGroup, kAccount.toUpperCase());
  assert.equal(account.id.toLowerCase(), `/subscriptions/${SUBSCRIPTION}/resourcegroups/${kGroup}/providers/microsoft.logic/integrationaccounts/${kAccount}`);
  await refused(integrationAccounts.get(kGroup, fresh("account")), 404, "ResourceNotFound");
  await refused(integrationAccounts.get("another", kAccount), 404, "ResourceNotFound");
}

async function update() {
  const { integrationAccounts } = await logic();
  assert.deepEqual((await integrationAccounts.update(kGroup, kAccount, { tags: { a: "b" } })).tags, { a: "b" });
  assert.deepEqual((await integrationAccounts.get(kGroup, kAccount)).tags, { a: "b" });
}

async function listByResourceGroup() {
  const { integrationAccounts } = await logic();
  assert.deepEqual(await names(integrationAccounts.listByResourceGroup(kGroup)), [kAccount]);
  assert.deepEqual(await names(integrationAccounts.listByResourceGroup("another")), []);
}

async function listBySubscription() {
  assert.deepEqual(await names((await logic()).integrationAccounts.listBySubscription()), [kAccount]);
}

async function deleteOfOneWithEntries() {
  const client = await logic();
  await client.integrationAccountPartners.createOrUpdate(kGroup, kAccount, fresh("partner"), partner(identity(fresh("P"))));
  await refused(client.integrationAccounts.delete(kGroup, kAccount), 409, "Conflict");
  await client.integrationAccounts.delete(kGroup, fresh("account")); // is no error
}

async function listCallbackUrl() {
  const { integrationAccounts } = await logic();
  const { value } = await integrationAccounts.listCallbackUrl(kGroup, kAccount, { keyType: "Primary", notAfter: new Date(Date.now() + 60_000) });
  const answer = await fetch(value);
  assert.equal((await answer.json()).name, kAccount);
  assert.equal((await fetch(value.replace(/sig=./, "sig="))).status, 401);
  assert.equal((await fetch(value, { method: "DELETE" })).status, 401);
}

async function aCallbackUrlThatIsOver() {
  const { integrationAccounts } = await logic();
  await refused(integrationAccounts.listCallbackUrl(kGroup, kAccount, { keyType: "Primary", notAfter: new Date("2020-01-01") }), 400, "BadParameter");
  await refused(integrationAccounts.listCallbackUrl(kGroup, kAccount, { keyType: "Tertiary" }), 400, "BadParameter");
}

async function regenerateAccessKey() {
  const { integrationAccounts } = await logic();
  const primary = await integrationAccounts.listCallbackUrl(kGroup, kAccount, { keyType: "Primary" });
  const secondary = await integrationAccounts.listCallbackUrl(kGroup, kAccount, { keyType: "Secondary" });
  await integrationAccounts.regenerateAccessKey(kGroup, kAccount, { keyType: "Primary" });
  assert.equal((await fetch(primary.value)).status, 401);
  assert.equal((await fetch(secondary.value)).status, 200);
}

async function listKeyVaultKeys(service) {
  const name = fresh("aaa"); // on the first page, which is all that the client reads
  await vaultCertificate(service, name);
  const { integrationAccounts } = await logic();
  const keys = [];
  for await (const key of integrationAccounts.listKeyVaultKeys(kGroup, kAccount, { keyVault: { id: vaultId() } })) keys.push(key.kid);
  assert.ok(keys.some((kid) => kid.endsWith(`/keys/${name}`)), keys);
}

async function listKeyVaultKeysOfAnother() {
  const { integrationAccounts } = await logic();
  const keys = (id) => names(integrationAccounts.listKeyVaultKeys(kGroup, kAccount, { keyVault: { id } }));
  await refused(keys(vaultId("elsewhere")), 403, "AuthorizationFailed"); // before it is looked for
  await refused(keys("/subscriptions/another/vaults/signet"), 400, "BadParameter");
}

async function logTrackingEvents() {
  const { integrationAccounts } = await logic();
  await integrationAccounts.logTrackingEvents(kGroup, kAccount, events());
  await integrationAccounts.logTrackingEvents(kGroup, kAccount, events({ trackEventsOptions: "DisableSourceInfoEnrich" }));
}

async function eventsThatCannotBe() {
  const { integrationAccounts } = await logic();
  const large = events();
  large.events[0].record = { text: "x".repeat(16 * 1024) };
  for (const wrong of [large, events({ trackEventsOptions: "Loudly" })])
    await refused(integrationAccounts.logTrackingEvents(kGroup, kAccount, wrong), 400, "BadParameter");
}

async function aReaderMayOnlyLook() {
  await logic();
  assert.equal((await reader.integrationAccounts.get(kGroup, kAccount)).name, kAccount);
  await refused(reader.integrationAccounts.update(kGroup, kAccount, { tags: {} }), 403, "AuthorizationFailed");
  await refused(reader.integrationAccounts.delete(kGroup, kAccount), 403, "AuthorizationFailed");
  await refused(reader.integrationAccounts.listCallbackUrl(kGroup, kAccount, { keyType: "Primary" }), 403, "AuthorizationFailed");
  await refused(reader.integrationAccounts.regenerateAccessKey(kGroup, kAccount, { keyType: "Primary" }), 403, "AuthorizationFailed");
  await refused(reader.integrationAccounts.logTrackingEvents(kGroup, kAccount, events()), 403, "AuthorizationFailed");
}

async function aStrangerIsNotLetIn() {
  await refused(stranger.integrationAccounts.get(kGroup, kAccount), 401, "Unauthorized");
}

export const scenarios = scenariosOf("accounts", [
  createOrUpdate, aSecondAccount, settingsThatCannotBe, get, update, listByResourceGroup, listBySubscription, deleteOfOneWithEntries, listCallbackUrl,
  aCallbackUrlThatIsOver, regenerateAccessKey, listKeyVaultKeys, listKeyVaultKeysOfAnother, logTrackingEvents, eventsThatCannotBe, aReaderMayOnlyLook,
  aStrangerIsNotLetIn,
]);
