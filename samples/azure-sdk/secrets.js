// A secret: kept, read, given an end, deleted and recovered.

import { SecretClient } from "@azure/keyvault-secrets";
import { credential, vaultOptions, vaultUrl } from "./signet.js";

const client = new SecretClient(vaultUrl, credential, vaultOptions);
const name = "globex-password";

await client.setSecret(name, "correct horse", { tags: { partner: "globex" } });
await client.updateSecretProperties(name, "", { expiresOn: new Date("2030-01-01") });
const { value, properties } = await client.getSecret(name);
console.log(`${name} is ${value.length} characters, until ${properties.expiresOn.toISOString()}`);

await (await client.beginDeleteSecret(name)).pollUntilDone();
const deleted = await client.getDeletedSecret(name);
console.log(`deleted; purged on ${deleted.scheduledPurgeDate.toISOString()} unless recovered`);
await (await client.beginRecoverDeletedSecret(name)).pollUntilDone();
for await (const { name, enabled } of client.listPropertiesOfSecrets()) console.log(`secret ${name}, enabled: ${enabled}`);
