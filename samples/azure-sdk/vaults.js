// A key vault, and who may do what in it.

import { KeyVaultManagementClient } from "@azure/arm-keyvault";
import { credential, endpoint, resourceGroup, subscription, tenant } from "./signet.js";

const client = new KeyVaultManagementClient(credential, subscription, { endpoint });

const policy = (permissions) => ({ tenantId: tenant, objectId: process.env.LOWPRIV_OID, permissions });
const vault = await client.vaults.createOrUpdate(resourceGroup, "warehouse", {
  location: "local",
  properties: { tenantId: tenant, sku: { family: "A", name: "standard" }, accessPolicies: [policy({ keys: ["get", "list"] })] },
});
console.log(`${vault.name} answers at ${vault.properties.vaultUri}`);
const { properties } = await client.vaults.updateAccessPolicy(resourceGroup, "warehouse", "add", {
  properties: { accessPolicies: [policy({ secrets: ["get"] })] } });
console.log("policies:", JSON.stringify(properties.accessPolicies));
await client.vaults.delete(resourceGroup, "warehouse");
