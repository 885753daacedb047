// Azure's own client of integration accounts, unmodified, against the management plane of a gateway.
//
// usage: node arm_logic.js STEP, with ARM (https://host:port), TOKEN, SUBSCRIPTION, VAULT (a key vault's ARM id), HOST_CER,
// GUEST_CER (base64 of DER) and NODE_EXTRA_CA_CERTS in the environment. Each step ends with status 0, or throws what was not as it
// should be.
import assert from "node:assert/strict";
import { LogicManagementClient } from "@azure/arm-logic";

const { ARM, TOKEN, SUBSCRIPTION, VAULT, HOST_CER, GUEST_CER } = process.env;
const group = "edi";
const account = "trading";
const credential = { getToken: async () => ({ token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }) };
const client = new LogicManagementClient(credential, SUBSCRIPTION, { endpoint: ARM, retryOptions: { maxRetries: 0 } });

const identity = (value) => ({ qualifier: "AS2Identity", value });
const partner = (value) => ({ location: "local", partnerType: "B2B", metadata: {}, content: { b2B: { businessIdentities: [identity(value)] } } });
const connection = { ignoreCertificateNameMismatch: false, supportHttpStatusCodeContinue: true, keepHttpConnectionAlive: true, unfoldHttpHeaders: true };

function protocolSettings(signing, encryption) {
  return {
    messageConnectionSettings: connection,
    acknowledgementConnectionSettings: connection,
    mdnSettings: {
      needMDN: true, signMDN: true, sendMDNAsynchronously: false, dispositionNotificationTo: "edi@host.example",
      signOutboundMDNIfOptional: true, mdnText: "Thanks", sendInboundMDNToMessageBox: false, micHashingAlgorithm: "SHA2256",
    },
    securitySettings: {
      overrideGroupSigningCertificate: false, signingCertificateName: signing, encryptionCertificateName: encryption,
      enableNRRForInboundEncodedMessages: true, enableNRRForInboundDecodedMessages: true, enableNRRForOutboundMDN: true,
      enableNRRForOutboundEncodedMessages: true, enableNRRForOutboundDecodedMessages: true, enableNRRForInboundMDN: true,
      sha2AlgorithmFormat: "ShaHyphenHashSize",
    },
    validationSettings: {
      overrideMessageProperties: false, encryptMessage: true, signMessage: true, compressMessage: false, checkDuplicateMessage: true,
      interchangeDuplicatesValidityDays: 7, checkCertificateRevocationListOnSend: false,
      checkCertificateRevocationListOnReceive: false, encryptionAlgorithm: "AES256", signingAlgorithm: "SHA2256",
    },
    envelopeSettings: {
      messageContentType: "application/edi-x12", transmitFileNameInMimeHeader: true, fileNameTemplate: "",
      suspendMessageOnFileNameGenerationError: true, autogenerateFileName: false,
    },
    errorSettings: { suspendDuplicateMessage: true, resendIfMDNNotReceived: true },
  };
}

const agreement = () => ({
  location: "local", agreementType: "AS2", hostPartner: "host", guestPartner: "guest",
  hostIdentity: identity("HOST"), guestIdentity: identity("GUEST"), metadata: {},
  content: {
    aS2: {
      receiveAgreement: {
        senderBusinessIdentity: identity("GUEST"), receiverBusinessIdentity: identity("HOST"),
        protocolSettings: protocolSettings("guest-2026", "host-2026"),
      },
      sendAgreement: {
        senderBusinessIdentity: identity("HOST"), receiverBusinessIdentity: identity("GUEST"),
        protocolSettings: protocolSettings("host-2026", "guest-2026"),
      },
    },
  },
});

const refused = async (promise, status) => assert.rejects(promise, (error) => error.statusCode === status && error.message.length > 0);

async function names(pages) {
  const all = [];
  for await (const item of pages) all.push(item.name);
  return all;
}

const steps = {
  async account() {
    const made = await client.integrationAccounts.createOrUpdate(group, account, {
      location: "local", sku: { name: "Standard" }, tags: { team: "edi" } });
    assert.equal(made.name, account);
    assert.equal((await client.integrationAccounts.get(group, account)).sku.name, "Standard");
    assert.deepEqual((await client.integrationAccounts.update(group, account, { tags: { a: "b" } })).tags, { a: "b" });
    assert.deepEqual(await names(client.integrationAccounts.listByResourceGroup(group)), [account]);
    assert.deepEqual(await names(client.integrationAccounts.listBySubscription()), [account]);
    await refused(client.integrationAccounts.get(group, "another"), 404);
  },

  async entries() {
    for (const name of ["host", "guest"]) await client.integrationAccountPartners.createOrUpdate(group, account, name, partner(name.toUpperCase()));
    const host = await client.integrationAccountPartners.get(group, account, "host");
    assert.deepEqual(host.content.b2B.businessIdentities, [identity("HOST")]);
    assert.ok(host.createdTime instanceof Date && host.changedTime >= host.createdTime);
    assert.deepEqual(await names(client.integrationAccountPartners.list(group, account, { top: 1 })), ["guest", "host"]);
    await client.integrationAccountCertificates.createOrUpdate(group, account, "guest-2026", { location: "local", publicCertificate: GUEST_CER });
    const key = { keyVault: { id: VAULT }, keyName: "host" };
    const ours = await client.integrationAccountCertificates.createOrUpdate(group, account, "host-2026", {
      location: "local", publicCertificate: HOST_CER, key });
    assert.equal(ours.key.keyVault.name, "signet");
    assert.deepEqual((await names(client.integrationAccountCertificates.list(group, account))).filter((name) => name !== "api"), ["guest-2026", "host-2026"]);
    await refused(client.integrationAccountCertificates.createOrUpdate(group, account, "wrong", { location: "local", publicCertificate: GUEST_CER, key }), 400);
  },

  async agreement() {
    const sent = agreement();
    const made = await client.integrationAccountAgreements.createOrUpdate(group, account, "host-guest", sent);
    for (const member of Object.keys(sent)) assert.deepEqual(made[member], sent[member], member);
    const shown = await client.integrationAccountAgreements.get(group, account, "host-guest");
    assert.deepEqual(shown.content, sent.content);
    assert.deepEqual(await names(client.integrationAccountAgreements.list(group, account, { filter: "AgreementType eq 'AS2'" })), ["host-guest"]);
    const broken = agreement();
    broken.content.aS2.sendAgreement.protocolSettings.securitySettings.signingCertificateName = "absent";
    await refused(client.integrationAccountAgreements.createOrUpdate(group, account, "host-guest", broken), 400);
    await refused(client.integrationAccountPartners.delete(group, account, "guest"), 409);
    await refused(client.integrationAccountCertificates.delete(group, account, "host-2026"), 409);
  },

  async applied() {
    const shown = await client.integrationAccountAgreements.get(group, account, "host-guest");
    assert.equal(shown.content.aS2.receiveAgreement.protocolSettings.mdnSettings.mdnText, "From the XML");
    assert.equal(shown.metadata["x:connection/@url"], "https://guest.example/as2");
    await client.integrationAccountAgreements.createOrUpdate(group, account, "host-guest", shown);
  },

  async actions() {
    const { value } = await client.integrationAccounts.listCallbackUrl(group, account, { keyType: "Primary" });
    assert.equal((await (await fetch(value)).json()).name, account);
    const content = await client.integrationAccountAgreements.listContentCallbackUrl(group, account, "host-guest", { keyType: "Primary" });
    assert.ok((await (await fetch(content.value)).json()).aS2);
    await client.integrationAccounts.regenerateAccessKey(group, account, { keyType: "Primary" });
    assert.equal((await fetch(value)).status, 401);
    const keys = [];
    for await (const key of client.integrationAccounts.listKeyVaultKeys(group, account, { keyVault: { id: VAULT } })) keys.push(key.kid);
    assert.ok(keys.some((kid) => kid.endsWith("/keys/host")), keys);
    await client.integrationAccounts.logTrackingEvents(group, account, {
      sourceType: "Microsoft.Logic/workflows",
      events: [{ eventLevel: "Informational", eventTime: new Date(), recordType: "Custom", record: { order: 7 } }] });
  },

  async removal() {
    for (let repeat = 0; repeat < 2; ++repeat) await client.integrationAccountAgreements.delete(group, account, "host-guest");
    for (const name of ["host", "guest"]) await client.integrationAccountPartners.delete(group, account, name);
    for (const name of ["host-2026", "guest-2026"]) await client.integrationAccountCertificates.delete(group, account, name);
    await refused(client.integrationAccountAgreements.get(group, account, "host-guest"), 404);
  },

  async denied() {
    await client.integrationAccounts.get(group, account);
    await refused(client.integrationAccountPartners.createOrUpdate(group, account, "p", partner("P")), 403);
    await refused(client.integrationAccounts.regenerateAccessKey(group, account, { keyType: "Primary" }), 403);
  },
};

await steps[process.argv[2]]();
