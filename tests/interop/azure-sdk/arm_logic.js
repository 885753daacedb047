// One integration account that the gateway's command sees as well: made, read again and removed by Azure's own client.
//
// usage: node arm_logic.js STEP, with what management.js needs in the environment, and HOST_CER, GUEST_CER (base64 of DER); the vault has the
// first one's key as `host`. Each step ends with status 0, or throws what was not as it should be.

import "./loopback.js";
import assert from "node:assert/strict";
import { agreement, identity, kAccount, kGroup, logic, partner, refused, vaultId } from "./management.js";

const { HOST_CER, GUEST_CER } = process.env;
const client = await logic();
const { integrationAccountPartners, integrationAccountCertificates, integrationAccountAgreements } = client;
const host = { name: "host", identity: "HOST", certificate: "host-2026" };
const guest = { name: "guest", identity: "GUEST", certificate: "guest-2026" };

const steps = {
  async made() {
    const key = { keyVault: { id: vaultId() }, keyName: "host" };
    await integrationAccountCertificates.createOrUpdate(kGroup, kAccount, host.certificate, { location: "local", publicCertificate: HOST_CER, key });
    await integrationAccountCertificates.createOrUpdate(kGroup, kAccount, guest.certificate, { location: "local", publicCertificate: GUEST_CER });
    for (const side of [host, guest])
      await integrationAccountPartners.createOrUpdate(kGroup, kAccount, side.name, partner(identity(side.identity)));
    await integrationAccountAgreements.createOrUpdate(kGroup, kAccount, "host-guest", agreement(host, guest));
  },

  async applied() {
    const shown = await integrationAccountAgreements.get(kGroup, kAccount, "host-guest");
    assert.equal(shown.content.aS2.receiveAgreement.protocolSettings.mdnSettings.mdnText, "From the XML");
    assert.equal(shown.metadata["x:connection/@url"], "https://guest.example/as2");
    await integrationAccountAgreements.createOrUpdate(kGroup, kAccount, "host-guest", shown);
  },

  async logged() {
    const event = { eventLevel: "Informational", eventTime: new Date(), recordType: "Custom", record: { order: 7 } };
    await client.integrationAccounts.logTrackingEvents(kGroup, kAccount, { sourceType: "Microsoft.Logic/workflows", events: [event] });
  },

  async removed() {
    await integrationAccountAgreements.delete(kGroup, kAccount, "host-guest");
    for (const side of [host, guest]) {
      await integrationAccountPartners.delete(kGroup, kAccount, side.name);
      await integrationAccountCertificates.delete(kGroup, kAccount, side.certificate);
    }
    await refused(integrationAccountAgreements.get(kGroup, kAccount, "host-guest"), 404, "ResourceNotFound");
  },
};

await steps[process.argv[2]]();
