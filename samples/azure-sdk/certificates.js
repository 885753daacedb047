// Certificates: one that signs itself, and the request for one that an authority signs.

import { CertificateClient } from "@azure/keyvault-certificates";
import { credential, vaultOptions, vaultUrl } from "./signet.js";

const client = new CertificateClient(vaultUrl, credential, vaultOptions);

const self = await client.beginCreateCertificate("acme-as2", {
  issuerName: "Self", subject: "CN=Acme AS2", keyType: "RSA", keySize: 3072, validityInMonths: 24,
  keyUsage: ["digitalSignature", "keyEncipherment"] }, { intervalInMs: 100 });
const made = await self.pollUntilDone();
console.log(`${made.name} is valid until ${made.properties.expiresOn.toISOString()}`);

await client.beginCreateCertificate("acme-tls", {
  issuerName: "Unknown", subject: "CN=as2.acme.example", subjectAlternativeNames: { dnsNames: ["as2.acme.example"] } });
const operation = await client.getCertificateOperation("acme-tls");
const { csr, status } = operation.getOperationState().certificateOperation;
console.log(`acme-tls is ${status}: a request of ${csr.length} octets waits for its authority, and mergeCertificate() for the answer`);
