// Connects an OPC UA client to an OPC UA server over the loopback, each with its own certificate and its own trust list, and
// says what became of it. usage: node connect.js CASES.json
//
// CASES.json is an array of {name, server, client, policy}. A side is {certificate, key, uri, trusted, issuers, crls}: PEM files,
// the application's URI, and arrays of files: certificates that it trusts, certificates of further authorities, and their CRLs.
// One line of JSON for each case: {name, connected, mode, policy, error}.
"use strict";
const fs = require("fs");
const os = require("os");
const path = require("path");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const { OPCUAClient, MessageSecurityMode, SecurityPolicy } = require("node-opcua-client");
const { OPCUAServer } = require("node-opcua-server");

const directory = fs.mkdtempSync(path.join(os.tmpdir(), "node-opcua-"));
const quiet = ["log", "warn", "info", "debug", "error"];
const say = console.log;
for (const method of quiet) console[method] = () => {};

let pkis = 0;

// A folder as node-opcua's certificate manager keeps it, filled before it looks.
async function trustListOf(side) {
  const root = path.join(directory, `pki-${++pkis}`);
  const fill = (folder, files) => {
    fs.mkdirSync(path.join(root, folder), { recursive: true });
    for (const file of files || []) fs.copyFileSync(file, path.join(root, folder, path.basename(file)));
  };
  fill("trusted/certs", side.trusted);
  fill("trusted/crl", side.crls);
  fill("issuers/certs", side.issuers);
  fill("issuers/crl", side.crls);
  const manager = new OPCUACertificateManager({ rootFolder: root, automaticallyAcceptUnknownCertificate: false });
  await manager.initialize();
  return manager;
}

async function startServer(side) {
  const manager = await trustListOf(side);
  const server = new OPCUAServer({
    port: 0,
    host: "127.0.0.1",
    hostname: "127.0.0.1",
    resourcePath: "/signet",
    certificateFile: side.certificate,
    privateKeyFile: side.key,
    serverCertificateManager: manager,
    userCertificateManager: manager,
    serverInfo: { applicationUri: side.uri },
    securityModes: [MessageSecurityMode.SignAndEncrypt],
    securityPolicies: [SecurityPolicy.Basic256Sha256, SecurityPolicy.Aes256_Sha256_RsaPss],
    allowAnonymous: true,
  });
  await server.start();
  return { server, manager };
}

async function attempt(endpoint, side, policy) {
  const manager = await trustListOf(side);
  const client = OPCUAClient.create({
    applicationUri: side.uri,
    certificateFile: side.certificate,
    privateKeyFile: side.key,
    clientCertificateManager: manager,
    securityMode: MessageSecurityMode.SignAndEncrypt,
    securityPolicy: SecurityPolicy[policy],
    endpointMustExist: false,
    connectionStrategy: { maxRetry: 0, initialDelay: 100, maxDelay: 200 },
    requestedSessionTimeout: 10000,
  });
  try {
    await client.connect(endpoint);
    const session = await client.createSession();
    const value = await session.read({ nodeId: "ns=0;i=2258", attributeId: 13 });  // the server's clock
    const answer = {
      connected: value.statusCode.name === "Good",
      mode: MessageSecurityMode[client.securityMode],
      policy: client.securityPolicy.split("#")[1],
      error: "",
    };
    await session.close();
    return answer;
  } catch (error) {
    return { connected: false, mode: "", policy: "", error: String(error.message) };
  } finally {
    await client.disconnect().catch(() => {});
    await manager.dispose();
  }
}

async function main() {
  const cases = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
  const servers = new Map();  // cases with the same server share it
  for (const one of cases) {
    const key = JSON.stringify(one.server);
    if (!servers.has(key)) servers.set(key, await startServer(one.server));
    const endpoint = servers.get(key).server.getEndpointUrl();
    say(JSON.stringify({ name: one.name, ...(await attempt(endpoint, one.client, one.policy)) }));
  }
  for (const { server, manager } of servers.values()) {
    await server.shutdown(0);
    await manager.dispose();
  }
}

main()
  .catch((error) => {
    say(JSON.stringify({ name: "", connected: false, error: String(error.stack) }));
    process.exitCode = 1;
  })
  .finally(() => {
    fs.rmSync(directory, { recursive: true, force: true });
    process.exit();
  });
