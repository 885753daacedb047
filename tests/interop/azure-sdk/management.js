// What the scenarios of the management plane share. They need in the environment ARM (https://host:port), SUBSCRIPTION, TENANT,
// MANAGER_TOKEN (of a principal with the roles Reader, Writer and Administrator), READER_TOKEN (Reader alone), and OID (the object id of the
// principal whose token is run.js's TOKEN).

import assert from "node:assert/strict";
import { KeyVaultManagementClient } from "@azure/arm-keyvault";
import { LogicManagementClient } from "@azure/arm-logic";
import { CertificateClient } from "@azure/keyvault-certificates";
import { clientOptions, fresh, polling } from "./common.js";

const { ARM, SUBSCRIPTION, TENANT, MANAGER_TOKEN, READER_TOKEN, OID } = process.env;

/** Resource group and name of the gateway's one account. */
export const kGroup = "edi";
export const kAccount = "trading";
export { SUBSCRIPTION, TENANT, OID };

const options = { endpoint: ARM, retryOptions: { maxRetries: 0 } };
const credentialOf = (token) => ({ getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) });
const clientsOf = (Client) => ({
  manager: new Client(credentialOf(MANAGER_TOKEN), SUBSCRIPTION, options),
  reader: new Client(credentialOf(READER_TOKEN), SUBSCRIPTION, options),
  stranger: new Client(credentialOf("sgt_" + "A".repeat(43)), SUBSCRIPTION, options),
});

export const vaultClients = () => clientsOf(KeyVaultManagementClient);
export const logicClients = () => clientsOf(LogicManagementClient);

/** The account under its name, which the first to ask for it gives it. */
export async function logic() {
  const { manager } = logicClients();
  await manager.integrationAccounts.createOrUpdate(kGroup, kAccount, { location: "local", sku: { name: "Standard" } });
  return manager;
}

/** That a call of the management plane is refused with this status, and code. */
export async function refused(call, status, code) {
  await assert.rejects(call, (error) => {
    assert.equal(error.statusCode, status, error.message);
    assert.equal(error.code, code, error.message);
    assert.ok(error.message.length > 0);
    return true;
  });
}

export async function names(pages) {
  const all = [];
  for await (const item of pages) all.push(item.name);
  return all;
}

export const identity = (value, qualifier = "AS2Identity") => ({ qualifier, value });
export const partner = (...identities) => ({ location: "local", partnerType: "B2B", metadata: {}, content: { b2B: { businessIdentities: identities } } });

const kConnection = { ignoreCertificateNameMismatch: false, supportHttpStatusCodeContinue: true, keepHttpConnectionAlive: true, unfoldHttpHeaders: true };

/** Signed, encrypted, answered by a signed receipt. */
export function protocolSettings(signing, encryption) {
  return {
    messageConnectionSettings: kConnection,
    acknowledgementConnectionSettings: kConnection,
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

/** Between two partners, each { name, identity, certificate }: names in the account, and the AS2 name. */
export function agreement(host, guest, metadata = {}) {
  const [ours, theirs] = [identity(host.identity), identity(guest.identity)];
  return {
    location: "local", agreementType: "AS2", hostPartner: host.name, guestPartner: guest.name, hostIdentity: ours, guestIdentity: theirs, metadata,
    content: {
      aS2: {
        receiveAgreement: {
          senderBusinessIdentity: theirs, receiverBusinessIdentity: ours, protocolSettings: protocolSettings(guest.certificate, host.certificate),
        },
        sendAgreement: {
          senderBusinessIdentity: ours, receiverBusinessIdentity: theirs, protocolSettings: protocolSettings(host.certificate, guest.certificate),
        },
      },
    },
  };
}

export const vaultId = (vault = "signet", group = "signet") =>
  `/subscriptions/${SUBSCRIPTION}/resourceGroups/${group}/providers/Microsoft.KeyVault/vaults/${vault}`;

/** A certificate of the vault. @returns its base64 of DER */
export async function vaultCertificate({ vaultUrl, credential }, name) {
  const client = new CertificateClient(vaultUrl, credential, clientOptions(vaultUrl));
  const poller = await client.beginCreateCertificate(
    name, { issuerName: "Self", subject: `CN=${name}`, keyType: "RSA", keySize: 2048, keyUsage: ["digitalSignature", "keyEncipherment"] }, polling);
  return Buffer.from((await poller.pollUntilDone()).cer).toString("base64");
}

let shared;
/** Two certificates that many scenarios name, made once: `ours` with its key, and `theirs`. */
export function certificates(service) {
  shared ??= (async () => {
    const client = await logic();
    for (const name of ["ours", "theirs"]) {
      const publicCertificate = await vaultCertificate(service, name);
      const key = name === "ours" ? { keyVault: { id: vaultId() }, keyName: name } : undefined;
      await client.integrationAccountCertificates.createOrUpdate(kGroup, kAccount, name, { location: "local", publicCertificate, key });
    }
    return { ours: "ours", theirs: "theirs" };
  })();
  return shared;
}

/** Two partners that nobody else has, as agreement() takes them. */
export async function partners(service) {
  const client = await logic();
  const { ours, theirs } = await certificates(service);
  const made = [];
  for (const [role, certificate] of [["host", ours], ["guest", theirs]]) {
    const name = fresh(role);
    await client.integrationAccountPartners.createOrUpdate(kGroup, kAccount, name, partner(identity(name.toUpperCase())));
    made.push({ name, identity: name.toUpperCase(), certificate });
  }
  return made;
}

/** An agreement between two such. */
export async function agreed(service) {
  const [host, guest] = await partners(service);
  const client = await logic();
  const name = fresh("agreement");
  const sent = agreement(host, guest);
  const made = await client.integrationAccountAgreements.createOrUpdate(kGroup, kAccount, name, sent);
  return { client, name, host, guest, sent, made };
}
