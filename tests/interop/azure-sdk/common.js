// What the scenarios share.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import net from "node:net";

/** A name that no other scenario has. */
export const fresh = (prefix) => `${prefix}-${randomBytes(6).toString("hex")}`;

/** Clients check that a vault's host lies below the challenge's resource, which an address never does. */
export const clientOptions = (vaultUrl) => ({
  disableChallengeResourceVerification: net.isIP(new URL(vaultUrl).hostname) !== 0,
  retryOptions: { maxRetries: 0 },
});

export const polling = { intervalInMs: 5 };

/** That a call is refused with this status, and the service's own code. */
export async function refused(call, status, code, inner) {
  await assert.rejects(call, (error) => {
    assert.equal(error.statusCode, status, error.message);
    assert.equal(error.code, code);
    if (inner) assert.equal(error.details.error.innerError?.code ?? error.details.error.innererror?.code, inner);
    return true;
  });
}

export async function all(pages) {
  const items = [];
  for await (const item of pages) items.push(item);
  return items;
}

/** One of the vault's default retention. */
export function isDeleted(item, collection, name) {
  assert.match(item.recoveryId ?? item.properties.recoveryId, new RegExp(`/${collection}/${name}$`));
  const { deletedOn, scheduledPurgeDate } = item.deletedOn ? item : item.properties; // clients differ in where they have it
  assert.equal(Math.round((scheduledPurgeDate - deletedOn) / 86_400_000), 90);
}

/** Scenarios of a client, called as their functions are. */
export const scenariosOf = (client, runs) => runs.map((run) => ({ name: `${client}.${run.name}`, run }));

/** A scenario for each of some values, such as an algorithm. */
export const scenariosForEach = (prefix, values, run) =>
  values.map((value) => ({ name: `${prefix}${value}`, run: (service) => run(service, value) }));

/** Those that are left out of the usual share. */
export const onlyInFull = (scenarios) => scenarios.map((scenario) => ({ ...scenario, onlyInFull: true }));

/** The object under its name, when the deletion is through. */
export const done = async (poller) => (await poller).pollUntilDone();

/** Names that can be no object's, and how the client sends them is its own affair. */
export const kBadNames = ["not_a_name", "a.b", "a b", "a/b", "..\\x", "a%00b", "\u00e4", "x".repeat(128)];
