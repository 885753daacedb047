// Scenarios of @azure/arm-logic: agreements of the integration account.

import assert from "node:assert/strict";
import { fresh, scenariosOf } from "./common.js";
import { agreed, agreement, identity, kAccount, kGroup, logicClients, logic, names, partners, refused } from "./management.js";

const { reader } = logicClients();
const agreementsOf = async () => (await logic()).integrationAccountAgreements;
const put = async (body, name = fresh("agreement")) => (await agreementsOf()).createOrUpdate(kGroup, kAccount, name, body);

/** An agreement that was changed before it is sent. */
async function changed(service, change) {
  const [host, guest] = await partners(service);
  const body = agreement(host, guest);
  change(body, body.content.aS2.sendAgreement.protocolSettings, body.content.aS2.receiveAgreement.protocolSettings);
  return body;
}

async function createOrUpdate(service) {
  const { name, sent, made } = await agreed(service);
  assert.equal(made.name, name);
  for (const member of Object.keys(sent)) assert.deepEqual(made[member], sent[member], member);
  assert.ok(made.createdTime instanceof Date);
}

async function createOrUpdateAgain(service) {
  const { name, sent, made } = await agreed(service);
  sent.content.aS2.receiveAgreement.protocolSettings.mdnSettings.mdnText = "Received";
  const again = await put(sent, name);
  assert.equal(again.content.aS2.receiveAgreement.protocolSettings.mdnSettings.mdnText, "Received");
  assert.deepEqual(again.createdTime, made.createdTime);
}

async function whatIsShownIsTaken(service) {
  const { client, name } = await agreed(service);
  const shown = await client.integrationAccountAgreements.get(kGroup, kAccount, name);
  const again = await put(shown, name);
  assert.deepEqual(again.content, shown.content);
  assert.deepEqual(again.metadata, shown.metadata);
}

async function extensionsStandInTheMetadata(service) {
  const [host, guest] = await partners(service);
  const made = await put(agreement(host, guest, { "x:connection/@url": "https://guest.example/as2", note: "ours" }));
  assert.equal(made.metadata["x:connection/@url"], "https://guest.example/as2");
  assert.equal(made.metadata.note, "ours");
  await refused(put(agreement(host, guest, { "x:connection/@colour": "red" })), 400, "BadRequest");
}

async function get(service) {
  const { client, name, sent } = await agreed(service);
  assert.deepEqual((await client.integrationAccountAgreements.get(kGroup, kAccount, name.toUpperCase())).content, sent.content);
  await refused(client.integrationAccountAgreements.get(kGroup, kAccount, fresh("absent")), 404, "ResourceNotFound");
}

async function list(service) {
  const made = [(await agreed(service)).name, (await agreed(service)).name];
  const pages = [];
  for await (const page of (await agreementsOf()).list(kGroup, kAccount, { top: 1 }).byPage()) pages.push(page.map((item) => item.name));
  assert.ok(pages.every((page) => page.length <= 1));
  for (const name of made) assert.equal(pages.flat().filter((other) => other === name).length, 1);
}

async function listByType(service) {
  const { client, name } = await agreed(service);
  const listed = (filter) => names(client.integrationAccountAgreements.list(kGroup, kAccount, { filter }));
  assert.ok((await listed("AgreementType eq 'AS2'")).includes(name));
  assert.ok(!(await listed("AgreementType eq 'X12'")).includes(name));
  await refused(listed("hostPartner eq 'x'"), 400, "BadParameter");
}

async function deleteAgreement(service) {
  const { client, name } = await agreed(service);
  for (let repeat = 0; repeat < 2; ++repeat) await client.integrationAccountAgreements.delete(kGroup, kAccount, name); // the second is no error
  await refused(client.integrationAccountAgreements.get(kGroup, kAccount, name), 404, "ResourceNotFound");
}

async function listContentCallbackUrl(service) {
  const { client, name } = await agreed(service);
  const { value } = await client.integrationAccountAgreements.listContentCallbackUrl(kGroup, kAccount, name, { keyType: "Secondary" });
  assert.ok((await (await fetch(value)).json()).aS2.sendAgreement);
}

async function certificatesThatAreNotThere(service) {
  await refused(put(await changed(service, (body, send) => (send.securitySettings.signingCertificateName = fresh("absent")))), 400, "BadRequest");
  await refused(put(await changed(service, (body, send, receive) => (receive.securitySettings.encryptionCertificateName = "theirs"))), 400, "BadRequest"); // no key
}

async function partnersThatAreNotThere(service) {
  await refused(put(await changed(service, (body) => (body.guestPartner = fresh("absent")))), 400, "BadRequest");
  await refused(put(await changed(service, (body) => (body.hostPartner = body.guestPartner))), 400, "BadRequest");
  const anothers = (body) => (body.content.aS2.receiveAgreement.senderBusinessIdentity = identity("SOMEBODY"));
  await refused(put(await changed(service, anothers)), 400, "BadRequest");
}

async function settingsThatCannotBe(service) {
  for (const change of [
    (body, send) => (send.validationSettings.encryptionAlgorithm = "ROT13"),
    (body, send) => (send.mdnSettings.micHashingAlgorithm = "CRC32"),
    (body, send) => (send.validationSettings.interchangeDuplicatesValidityDays = -1),
    (body, send) => (send.envelopeSettings.messageContentType = "nonsense"),
    (body) => (body.content.aS2.sendAgreement.senderBusinessIdentity = identity("SOMEBODY")),
  ])
    await refused(put(await changed(service, change)), 400, "BadRequest");
}

/** A message finds its agreement by its two names, which are one agreement's alone. */
async function aSecondOneOfTheSameNames(service) {
  const { sent } = await agreed(service);
  await refused(put(sent), 400, "BadRequest");
}

async function whatIsRefusedChangesNothing(service) {
  const { client, name, sent } = await agreed(service);
  const wrong = structuredClone(sent);
  wrong.content.aS2.sendAgreement.protocolSettings.validationSettings.signMessage = false;
  wrong.content.aS2.sendAgreement.protocolSettings.securitySettings.signingCertificateName = fresh("absent");
  await refused(put(wrong, name), 400, "BadRequest");
  assert.deepEqual((await client.integrationAccountAgreements.get(kGroup, kAccount, name)).content, sent.content);
}

async function keptOfAnotherType(service) {
  const [host, guest] = await partners(service);
  const body = { ...agreement(host, guest), agreementType: "X12" };
  const oneWay = { senderBusinessIdentity: identity("A"), receiverBusinessIdentity: identity("B"), protocolSettings: x12() };
  body.content = { x12: { receiveAgreement: oneWay, sendAgreement: oneWay } };
  const name = fresh("x12");
  const client = await agreementsOf();
  await client.createOrUpdate(kGroup, kAccount, name, body);
  const shown = await client.get(kGroup, kAccount, name);
  assert.equal(shown.agreementType, "X12");
  assert.equal(shown.content.x12.sendAgreement.protocolSettings.envelopeSettings.controlStandardsId, 85);
  await client.delete(kGroup, kAccount, name);
}

/** What the client wants to be there; none of it means anything here. */
function x12() {
  const control = (prefix) => ({
    [`${prefix}ControlNumberLowerBound`]: 1, [`${prefix}ControlNumberUpperBound`]: 9, [`rollover${prefix[0].toUpperCase()}${prefix.slice(1)}ControlNumber`]: true });
  return {
    validationSettings: {
      validateCharacterSet: true, checkDuplicateInterchangeControlNumber: false, interchangeControlNumberValidityDays: 30,
      checkDuplicateGroupControlNumber: false, checkDuplicateTransactionSetControlNumber: false, validateEDITypes: true, validateXSDTypes: false,
      allowLeadingAndTrailingSpacesAndZeroes: false, trimLeadingAndTrailingSpacesAndZeroes: false, trailingSeparatorPolicy: "NotAllowed" },
    framingSettings: {
      dataElementSeparator: 42, componentSeparator: 58, replaceSeparatorsInPayload: false, replaceCharacter: 36, segmentTerminator: 126,
      characterSet: "UTF8", segmentTerminatorSuffix: "None" },
    envelopeSettings: {
      controlStandardsId: 85, useControlStandardsIdAsRepetitionCharacter: false, senderApplicationId: "A", receiverApplicationId: "B", controlVersionNumber: "00401",
      ...control("interchange"), enableDefaultGroupHeaders: true, ...control("group"), groupHeaderAgencyCode: "T", groupHeaderVersion: "00401",
      ...control("transactionSet"), overwriteExistingTransactionSetControlNumber: true, groupHeaderDateFormat: "CCYYMMDD", groupHeaderTimeFormat: "HHMM",
      usageIndicator: "Test" },
    acknowledgementSettings: {
      needTechnicalAcknowledgement: false, batchTechnicalAcknowledgements: true, needFunctionalAcknowledgement: false, batchFunctionalAcknowledgements: true,
      needImplementationAcknowledgement: false, batchImplementationAcknowledgements: false, needLoopForValidMessages: false, sendSynchronousAcknowledgement: true,
      acknowledgementControlNumberLowerBound: 1, acknowledgementControlNumberUpperBound: 9, rolloverAcknowledgementControlNumber: true },
    messageFilter: { messageFilterType: "Exclude" },
    securitySettings: { authorizationQualifier: "00", securityQualifier: "00" },
    processingSettings: {
      maskSecurityInfo: true, convertImpliedDecimal: true, preserveInterchange: false, suspendInterchangeOnError: false,
      createEmptyXmlTagsForTrailingSeparators: true, useDotAsDecimalSeparator: true },
    schemaReferences: [],
  };
}

async function aReaderMayOnlyLook(service) {
  const { name, sent } = await agreed(service);
  const { integrationAccountAgreements } = reader;
  assert.equal((await integrationAccountAgreements.get(kGroup, kAccount, name)).name, name);
  await refused(integrationAccountAgreements.createOrUpdate(kGroup, kAccount, name, sent), 403, "AuthorizationFailed");
  await refused(integrationAccountAgreements.delete(kGroup, kAccount, name), 403, "AuthorizationFailed");
  await refused(integrationAccountAgreements.listContentCallbackUrl(kGroup, kAccount, name, { keyType: "Primary" }), 403, "AuthorizationFailed");
}

export const scenarios = scenariosOf("agreements", [
  createOrUpdate, createOrUpdateAgain, whatIsShownIsTaken, extensionsStandInTheMetadata, get, list, listByType, deleteAgreement, listContentCallbackUrl,
  certificatesThatAreNotThere, partnersThatAreNotThere, settingsThatCannotBe, aSecondOneOfTheSameNames, whatIsRefusedChangesNothing, keptOfAnotherType,
  aReaderMayOnlyLook,
]);
