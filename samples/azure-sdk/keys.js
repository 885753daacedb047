// A key: made in the vault, used there, rotated. The private half never leaves.

import { createHash } from "node:crypto";
import { CryptographyClient, KeyClient } from "@azure/keyvault-keys";
import { credential, vaultOptions, vaultUrl } from "./signet.js";

const client = new KeyClient(vaultUrl, credential, vaultOptions);
const name = "orders";

const key = await client.createRsaKey(name, { keySize: 3072 });
const cryptography = new CryptographyClient(key, credential, vaultOptions);
const digest = createHash("sha256").update("an order").digest();
const { result: signature } = await cryptography.sign("PS256", digest);
const { result: holds } = await cryptography.verify("PS256", digest, signature);
console.log(`${key.id} signed ${digest.length} octets; the signature holds: ${holds}`);

const rotated = await client.rotateKey(name);
console.log(`version ${rotated.properties.version} takes the place of ${key.properties.version}`);
await client.updateKeyRotationPolicy(name, { lifetimeActions: [{ action: "Rotate", timeAfterCreate: "P90D" }], expiresIn: "P1Y" });
const backup = await client.backupKey(name);
console.log(`a backup of ${backup.length} octets, sealed: only this installation restores it`);
