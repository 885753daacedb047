// Azure's own client of key vaults as resources, unmodified, against the management plane of a gateway.
//
// usage: node arm_keyvault.js, with ARM (https://host:port), TOKEN, SUBSCRIPTION, TENANT, OID (of a principal) and
// NODE_EXTRA_CA_CERTS in the environment. Ends with status 0, or throws what was not as it should be.
import assert from "node:assert/strict";
import { KeyVaultManagementClient } from "@azure/arm-keyvault";

const { ARM, TOKEN, SUBSCRIPTION, TENANT, OID } = process.env;
const group = "edi";
const credential = { getToken: async () => ({ token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }) };
const { vaults } = new KeyVaultManagementClient(credential, SUBSCRIPTION, { endpoint: ARM, retryOptions: { maxRetries: 0 } });

const policy = (keys, secrets) => ({ tenantId: TENANT, objectId: OID, permissions: { keys, secrets, certificates: [], storage: [] } });
const change = (kind, ...entries) => vaults.updateAccessPolicy(group, "kv1", kind, { properties: { accessPolicies: entries } });
const refused = async (promise, status) => assert.rejects(promise, (error) => error.statusCode === status && error.message.length > 0);

async function names(pages) {
  const all = [];
  for await (const item of pages) all.push(item.name);
  return all;
}

const properties = { tenantId: TENANT, sku: { family: "A", name: "standard" }, accessPolicies: [policy(["get"], ["get"])] };
assert.equal((await vaults.checkNameAvailability({ name: "kv1", type: "Microsoft.KeyVault/vaults" })).nameAvailable, true);
const made = await vaults.createOrUpdate(group, "kv1", { location: "local", tags: { a: "b" }, properties });
assert.equal(made.properties.provisioningState, "Succeeded");
assert.deepEqual(made.properties.accessPolicies[0].permissions.keys, ["get"]);
assert.equal((await vaults.checkNameAvailability({ name: "kv1", type: "Microsoft.KeyVault/vaults" })).reason, "AlreadyExists");

const keysAfter = async (kind, entry) => (await change(kind, entry)).properties.accessPolicies[0]?.permissions.keys;
assert.deepEqual(await keysAfter("add", policy(["list"], [])), ["get", "list"]);
assert.deepEqual(await keysAfter("remove", policy(["get"], [])), ["list"]);
assert.deepEqual(await keysAfter("replace", policy(["sign"], [])), ["sign"]);
await refused(change("add", policy(["fly"], [])), 400);

const shown = await vaults.get(group, "kv1");
assert.ok(shown.properties.vaultUri.includes("kv1."));
assert.deepEqual((await vaults.update(group, "kv1", { tags: { c: "d" } })).tags, { c: "d" });
for (const list of [vaults.listByResourceGroup(group), vaults.listBySubscription(), vaults.list()])
  assert.ok((await names(list)).includes("kv1"));
await vaults.delete(group, "kv1");
await refused(vaults.get(group, "kv1"), 404);
assert.deepEqual(await names(vaults.listDeleted()), ["kv1"]);
assert.equal((await vaults.getDeleted("kv1", "local")).name, "kv1");
