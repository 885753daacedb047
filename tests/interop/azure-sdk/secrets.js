// A scenario for each function of @azure/keyvault-secrets.

import assert from "node:assert/strict";
import { SecretClient } from "@azure/keyvault-secrets";
import { all, clientOptions, fresh, refused } from "./common.js";

const clientOf = ({ vaultUrl, credential }) => new SecretClient(vaultUrl, credential, clientOptions(vaultUrl));

async function setSecret(service) {
  const client = clientOf(service);
  const name = fresh("secret");
  const expiresOn = new Date("2037-01-01T00:00:00Z");
  const made = await client.setSecret(name, "zwei \u20ac", { contentType: "text/plain", tags: { team: "edi" }, expiresOn });
  assert.equal(made.name, name);
  assert.equal(made.value, "zwei \u20ac");
  assert.equal(made.properties.contentType, "text/plain");
  assert.deepEqual(made.properties.tags, { team: "edi" });
  assert.deepEqual(made.properties.expiresOn, expiresOn);
  assert.match(made.properties.version, /^[0-9a-f]{32}$/);
  await refused(client.setSecret("not_a_name", "x"), 400, "BadParameter");
  await refused(client.setSecret(fresh("secret"), "x".repeat(25 * 1024 + 1)), 400, "BadParameter");
  assert.equal((await client.setSecret(fresh("secret"), "x".repeat(25 * 1024))).value.length, 25 * 1024);
}

async function getSecret(service) {
  const client = clientOf(service);
  const name = fresh("secret");
  const first = await client.setSecret(name, "one");
  await client.setSecret(name, "two");
  assert.equal((await client.getSecret(name)).value, "two");
  assert.equal((await client.getSecret(name, { version: first.properties.version })).value, "one");
  await refused(client.getSecret(fresh("absent")), 404, "SecretNotFound");
  await refused(client.getSecret(name, { version: "0".repeat(32) }), 404, "SecretNotFound");
}

async function updateSecretProperties(service) {
  const client = clientOf(service);
  const name = fresh("secret");
  const made = await client.setSecret(name, "one", { tags: { a: "b" }, contentType: "text/plain" });
  const changed = await client.updateSecretProperties(name, made.properties.version, { enabled: false });
  assert.equal(changed.enabled, false);
  assert.equal(changed.contentType, "text/plain");
  assert.deepEqual(changed.tags, { a: "b" });
  await refused(client.getSecret(name), 403, "Forbidden", "SecretDisabled");
  await client.updateSecretProperties(name, made.properties.version, { enabled: true, expiresOn: new Date("2020-01-01T00:00:00Z") });
  assert.equal((await client.getSecret(name)).value, "one"); // whatever its dates say
}

async function listPropertiesOfSecrets(service) {
  const client = clientOf(service);
  const names = [];
  for (let i = 0; i < 4; ++i) names.push((await client.setSecret(fresh("listed"), "x")).name);
  const listed = await all(client.listPropertiesOfSecrets());
  for (const name of names) assert.equal(listed.filter((secret) => secret.name === name).length, 1);
  assert.ok(listed.every((secret) => !("value" in secret)));
  let pages = 0;
  for await (const page of client.listPropertiesOfSecrets().byPage({ maxPageSize: 2 })) {
    assert.ok(page.length <= 2);
    ++pages;
  }
  assert.ok(pages >= 2);
}

async function listPropertiesOfSecretVersions(service) {
  const client = clientOf(service);
  const name = fresh("secret");
  const made = [];
  for (const value of ["one", "two", "three"]) made.push((await client.setSecret(name, value)).properties.version);
  const listed = (await all(client.listPropertiesOfSecretVersions(name))).map((secret) => secret.version);
  assert.deepEqual(listed.sort(), made.sort());
}

export const scenarios = [setSecret, getSecret, updateSecretProperties, listPropertiesOfSecrets, listPropertiesOfSecretVersions].map(
  (run) => ({ name: `secrets.${run.name}`, run }),
);
