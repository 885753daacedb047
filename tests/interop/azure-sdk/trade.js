// A company made ready to exchange messages by Azure's own clients alone.
//
// usage: node trade.js certificate NAME            makes a certificate in the vault, and prints its base64 of DER
//        node trade.js agreement OWN PARTNER       makes certificates, partners and the agreement `trade` of the account
//
// with BASE (the vault's URL), VAULT_TOKEN and what management.js needs in the environment; for an agreement also OWN_CER and PARTNER_CER
// (base64 of DER), and URL, where the partner takes messages. A partner's AS2 name is its name in capitals.

import "./loopback.js";
import { agreement, identity, kAccount, kGroup, logic, partner, vaultCertificate, vaultId } from "./management.js";

const { BASE, VAULT_TOKEN, OWN_CER, PARTNER_CER, URL: url } = process.env;
const vault = { vaultUrl: BASE, credential: { getToken: async () => ({ token: VAULT_TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }) } };

const steps = {
  async certificate(name) {
    console.log(await vaultCertificate(vault, name));
  },

  async agreement(own, other) {
    const client = await logic();
    const certificates = client.integrationAccountCertificates;
    const key = { keyVault: { id: vaultId() }, keyName: own };
    await certificates.createOrUpdate(kGroup, kAccount, own, { location: "local", publicCertificate: OWN_CER, key });
    await certificates.createOrUpdate(kGroup, kAccount, other, { location: "local", publicCertificate: PARTNER_CER });
    const sides = [own, other].map((name) => ({ name, identity: name.toUpperCase(), certificate: name }));
    for (const side of sides) await client.integrationAccountPartners.createOrUpdate(kGroup, kAccount, side.name, partner(identity(side.identity)));
    await client.integrationAccountAgreements.createOrUpdate(kGroup, kAccount, "trade", agreement(...sides, { "x:connection/@url": url }));
  },
};

const [step, ...words] = process.argv.slice(2);
await steps[step](...words);
