// Runs scenarios with Azure's own clients against a service, one after the other, and prints a line of JSON for each.
//
// usage: node run.js VAULT_URL TOKEN [--full] [NAME...]
//        node run.js --names [--full]     prints their names, and runs none
//
// Without --full, those are left out that say so, and of some only a share is run.
// The service's certificate is believed by NODE_EXTRA_CA_CERTS. What the management plane's need besides stands in management.js.

import "./loopback.js";
import { scenarios as accounts } from "./accounts.js";
import { scenarios as agreements } from "./agreements.js";
import { scenarios as certificates } from "./certificates.js";
import { scenarios as keys } from "./keys.js";
import { scenarios as cryptography } from "./keys_cryptography.js";
import { scenarios as lifecycle } from "./keys_lifecycle.js";
import { scenarios as partners } from "./partners.js";
import { scenarios as secrets } from "./secrets.js";
import { scenarios as vaults } from "./vaults.js";

const words = process.argv.slice(2);
const full = words.includes("--full");
const [vaultUrl, token, ...names] = words.filter((word) => !word.startsWith("--"));
const scenarios = [
  ...keys, ...cryptography, ...lifecycle, ...secrets, ...certificates, ...vaults, ...accounts, ...partners, ...agreements,
].filter((scenario) => full || !scenario.onlyInFull);
if (words.includes("--names")) {
  for (const { name } of scenarios) console.log(name);
  process.exit();
}

/** What DefaultAzureCredential is elsewhere: here a token is made by `signet token create`. */
const credential = {
  getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }),
};

for (const { name, run } of scenarios) {
  if (names.length > 0 && !names.includes(name)) continue;
  const outcome = { name, passed: true };
  try {
    await run({ vaultUrl, credential, full });
  } catch (error) {
    outcome.passed = false;
    outcome.reason = error.stack;
  }
  console.log(JSON.stringify(outcome));
}
