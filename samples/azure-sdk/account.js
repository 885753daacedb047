// An integration account: two partners and what they agreed. `signet export` shows the same as XML.

import { LogicManagementClient } from "@azure/arm-logic";
import { credential, endpoint, resourceGroup, subscription } from "./signet.js";

const client = new LogicManagementClient(credential, subscription, { endpoint });
const account = "trading";
const identity = (value) => ({ qualifier: "AS2Identity", value });

await client.integrationAccounts.createOrUpdate(resourceGroup, account, { location: "local", sku: { name: "Standard" } });
for (const name of ["Acme", "Globex"])
  await client.integrationAccountPartners.createOrUpdate(resourceGroup, account, name, {
    partnerType: "B2B", content: { b2B: { businessIdentities: [identity(name)] } } });
for await (const { name, content } of client.integrationAccountPartners.list(resourceGroup, account))
  console.log(`partner ${name}:`, JSON.stringify(content.b2B.businessIdentities));
const { value } = await client.integrationAccounts.listCallbackUrl(resourceGroup, account, { keyType: "Primary" });
console.log(`for an hour, whoever has this address may read the account: ${value.slice(0, 60)}...`);
