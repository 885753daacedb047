// Runs scenarios with Azure's own clients against a service, one after the other, and prints a line of JSON for each.
//
// usage: node run.js VAULT_URL TOKEN [--full] [NAME...]
//
// Every host name is the loopback's, as by a line of /etc/hosts. Without --full, of the scenarios that say so only a share is run. The service's certificate is believed by NODE_EXTRA_CA_CERTS.

import dns from "node:dns";
import net from "node:net";
import { scenarios as certificates } from "./certificates.js";
import { scenarios as keys } from "./keys.js";
import { scenarios as secrets } from "./secrets.js";

const [vaultUrl, token, ...rest] = process.argv.slice(2);
const full = rest.includes("--full");
const names = rest.filter((word) => !word.startsWith("--"));

const resolve = dns.lookup;
dns.lookup = (host, ...rest) => resolve(net.isIP(host) ? host : "127.0.0.1", ...rest);

/** What DefaultAzureCredential is elsewhere: here a token is made by `signet token create`. */
const credential = {
  getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }),
};

for (const { name, run } of [...keys, ...secrets, ...certificates]) {
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
