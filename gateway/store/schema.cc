#include "gateway/store/schema.h"

#include <fmt/format.h>

#include <array>

#include "base/failpoint.h"
#include "gateway/store/sql_internal.h"

namespace signet::gateway {
namespace {

/// Written into the file's header, so that `file` and we know whose it is: "SGNT".
constexpr std::int64_t kApplicationId = 0x53474E54;

/// Times are microseconds since 1970 in UTC. Text of partners is kept as it came, whatever octets it has.
constexpr const char* kFirstSchema = R"sql(
CREATE TABLE messages (
  sequence INTEGER PRIMARY KEY,   -- the order of commits
  id TEXT NOT NULL UNIQUE,
  direction TEXT NOT NULL,
  state TEXT NOT NULL,
  agreement TEXT NOT NULL,
  as2_from TEXT NOT NULL,
  as2_to TEXT NOT NULL,
  message_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  created INTEGER NOT NULL,
  settled INTEGER,
  request_id TEXT NOT NULL,
  remote_address TEXT NOT NULL,
  content_type TEXT NOT NULL,
  file_name TEXT NOT NULL,
  payload_size INTEGER NOT NULL,
  mic TEXT NOT NULL,
  mic_algorithm TEXT NOT NULL,
  disposition TEXT NOT NULL,
  signer_thumbprint TEXT NOT NULL,
  receipt_signer_thumbprint TEXT NOT NULL,
  security TEXT NOT NULL,
  reason TEXT NOT NULL,
  delivered_to TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  queued INTEGER,
  due INTEGER,
  receipt_url TEXT NOT NULL,
  body_place TEXT NOT NULL,       -- 'none', 'row' (table bodies) or 'file' (bodies/xx/<id>)
  body_size INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_by_message_id ON messages(message_id);
CREATE INDEX messages_undelivered ON messages(sequence) WHERE direction = 'inbound' AND state = 'accepted';
CREATE INDEX messages_waiting ON messages(state, due)
  WHERE state IN ('received', 'queued', 'sending', 'awaiting-receipt');
CREATE INDEX messages_with_file ON messages(id) WHERE body_place = 'file';

CREATE TABLE bodies (
  message INTEGER PRIMARY KEY REFERENCES messages(sequence),
  octets BLOB NOT NULL
) STRICT;

-- A message as it came or goes.
CREATE TABLE wires (
  message INTEGER PRIMARY KEY REFERENCES messages(sequence),
  headers BLOB NOT NULL,          -- per header: name and value, each a 4-octet big-endian length and its octets
  place TEXT NOT NULL,            -- 'none', 'row' or 'file' (bodies/xx/<id>.wire)
  size INTEGER NOT NULL,
  octets BLOB NOT NULL            -- empty unless they are in the row
) STRICT;
CREATE INDEX wires_with_file ON wires(message) WHERE place = 'file';

CREATE TABLE receipts (
  message INTEGER PRIMARY KEY REFERENCES messages(sequence),
  http_status INTEGER NOT NULL,
  headers BLOB NOT NULL,          -- as in wires
  body BLOB NOT NULL
) STRICT;

-- Receipts of ours that are posted to a URL of their own.
CREATE TABLE receipt_posts (
  message INTEGER PRIMARY KEY REFERENCES messages(sequence),
  attempts INTEGER NOT NULL,
  due INTEGER,                    -- the next attempt; NULL when there is to be none any more
  posted INTEGER,
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX receipt_posts_due ON receipt_posts(due) WHERE due IS NOT NULL;

-- What partners said about a message that was settled already. It changed nothing.
CREATE TABLE late_receipts (
  sequence INTEGER PRIMARY KEY,
  message INTEGER NOT NULL REFERENCES messages(sequence),
  received INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  http_status INTEGER NOT NULL,
  headers BLOB NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX late_receipts_by_message ON late_receipts(message);

-- Messages that another process queued: the gateway that serves this home takes the notes.
CREATE TABLE notes (
  sequence INTEGER PRIMARY KEY,
  message INTEGER NOT NULL REFERENCES messages(sequence)
) STRICT;

-- Every received or accepted inbound message under the first 16 octets of the SHA-256 of its (AS2-From, AS2-To, Message-ID),
-- each with its length before it. A short random key keeps this tree small; whoever finds a row compares the names themselves.
CREATE TABLE claims (
  names_hash BLOB NOT NULL,
  message INTEGER NOT NULL REFERENCES messages(sequence),
  PRIMARY KEY (names_hash, message)
) STRICT, WITHOUT ROWID;

-- One version of a key of the vault. The private half is sealed under the master key; see certstore/vault/master_key.h.
CREATE TABLE key_versions (
  sequence INTEGER PRIMARY KEY,   -- the newest version of a key is its current one
  vault TEXT NOT NULL COLLATE NOCASE,
  name TEXT NOT NULL COLLATE NOCASE,
  version TEXT NOT NULL COLLATE NOCASE,
  kind TEXT NOT NULL,
  ops TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  not_before INTEGER,
  expires INTEGER,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  public_key BLOB NOT NULL,
  sealed BLOB NOT NULL,
  UNIQUE (vault, name, version)
) STRICT;

CREATE TABLE access_policies (
  vault TEXT NOT NULL COLLATE NOCASE,
  principal TEXT NOT NULL,
  keys TEXT NOT NULL,             -- permissions, separated by commas
  PRIMARY KEY (vault, principal)
) STRICT, WITHOUT ROWID;

CREATE TABLE master_key (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  check_value BLOB NOT NULL
) STRICT;

-- The integration account: certificates are rows, everything else is one canonical document.
CREATE TABLE account (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  xml TEXT NOT NULL
) STRICT;

CREATE TABLE certificates (
  position INTEGER PRIMARY KEY,   -- the order in the account's document
  name TEXT NOT NULL UNIQUE,
  der BLOB NOT NULL,
  key_vault TEXT,                 -- these three are NULL for a public certificate
  key_name TEXT,
  key_version TEXT,
  created INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  metadata TEXT NOT NULL          -- JSON, or empty
) STRICT;

-- How often each part of the configuration has changed.
CREATE TABLE generations (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  account INTEGER NOT NULL,
  keys INTEGER NOT NULL
) STRICT;
INSERT INTO generations VALUES (1, 0, 0);
)sql";

constexpr const char* kSecrets = R"sql(
-- One version of a secret of the vault. The value is sealed under the master key; see certstore/vault/master_key.h.
CREATE TABLE secret_versions (
  sequence INTEGER PRIMARY KEY,   -- the newest version of a secret is its current one
  vault TEXT NOT NULL COLLATE NOCASE,
  name TEXT NOT NULL COLLATE NOCASE,
  version TEXT NOT NULL COLLATE NOCASE,
  content_type TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  not_before INTEGER,
  expires INTEGER,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  UNIQUE (vault, name, version)
) STRICT;
ALTER TABLE access_policies ADD COLUMN secrets TEXT NOT NULL DEFAULT '';  -- permissions, separated by commas
)sql";

constexpr const char* kReceiptHandOver = R"sql(
-- 1 where the receipt of an outbound message is to be, or was, handed over; delivered_to says where.
ALTER TABLE messages ADD COLUMN hands_receipt_over INTEGER NOT NULL DEFAULT 0;
CREATE INDEX messages_receipt_undelivered ON messages(sequence) WHERE hands_receipt_over = 1 AND delivered_to = '';
)sql";

constexpr const char* kEvidence = R"sql(
-- Which copies of a message stay when its journey needs them no more.
ALTER TABLE messages ADD COLUMN keeps_wire INTEGER NOT NULL DEFAULT 1;
ALTER TABLE messages ADD COLUMN keeps_payload INTEGER NOT NULL DEFAULT 1;
ALTER TABLE messages ADD COLUMN keeps_receipt INTEGER NOT NULL DEFAULT 1;
ALTER TABLE messages ADD COLUMN recipient_thumbprint TEXT NOT NULL DEFAULT '';

-- What a message's MIC is over: `head`, and then the payload or what stands here.
CREATE TABLE proofs (
  message INTEGER PRIMARY KEY REFERENCES messages(sequence),
  signature BLOB NOT NULL,        -- CMS SignedData, DER, detached; empty for none
  head BLOB NOT NULL,
  payload_follows INTEGER NOT NULL,
  place TEXT NOT NULL,            -- 'none', 'row' or 'file' (bodies/xx/<id>.content)
  size INTEGER NOT NULL,
  octets BLOB NOT NULL            -- empty unless they are in the row
) STRICT;
CREATE INDEX proofs_with_file ON proofs(message) WHERE place = 'file';

-- Certificates that messages were secured with.
CREATE TABLE used_certificates (
  thumbprint TEXT PRIMARY KEY,    -- SHA-256 of the DER, upper-case hexadecimal
  der BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The chain of evidence; see gateway/store/hash_chain.h. Nothing here is ever changed or removed.
CREATE TABLE evidence (
  number INTEGER PRIMARY KEY,     -- 1, 2, 3...
  message INTEGER NOT NULL REFERENCES messages(sequence),
  line TEXT NOT NULL,
  hash TEXT NOT NULL              -- SHA-256 of the line, lower-case hexadecimal
) STRICT;
CREATE INDEX evidence_by_message ON evidence(message);
)sql";

constexpr const char* kOctetsAround = R"sql(
-- Where a body begins in its file: what came with it may stand around it there.
ALTER TABLE messages ADD COLUMN body_begin INTEGER NOT NULL DEFAULT 0;
ALTER TABLE wires ADD COLUMN begin_in_file INTEGER NOT NULL DEFAULT 0;
ALTER TABLE proofs ADD COLUMN begin_in_file INTEGER NOT NULL DEFAULT 0;
)sql";

constexpr const char* kVaultOperations = R"sql(
-- Notes of an object's owner: a JSON object of texts.
ALTER TABLE key_versions ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
ALTER TABLE secret_versions ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';

-- NULL while it is in use. All versions of a name are deleted, recovered and purged together.
ALTER TABLE key_versions ADD COLUMN deleted INTEGER;
ALTER TABLE key_versions ADD COLUMN purge_due INTEGER;
ALTER TABLE secret_versions ADD COLUMN deleted INTEGER;
ALTER TABLE secret_versions ADD COLUMN purge_due INTEGER;
CREATE INDEX key_versions_deleted ON key_versions(purge_due) WHERE deleted IS NOT NULL;
CREATE INDEX secret_versions_deleted ON secret_versions(purge_due) WHERE deleted IS NOT NULL;

-- Of the vaults whose settings are not those of every vault.
CREATE TABLE vault_settings (
  vault TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
  retention_days INTEGER NOT NULL,
  purge_protection INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Durations are in ISO 8601's form. A trigger is 'timeAfterCreate P60D' or 'timeBeforeExpiry P30D'.
CREATE TABLE rotation_policies (
  vault TEXT NOT NULL COLLATE NOCASE,
  name TEXT NOT NULL COLLATE NOCASE,
  expiry_time TEXT,
  rotate TEXT,
  notify TEXT,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  PRIMARY KEY (vault, name)
) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kPrincipals = R"sql(
-- Who may call the REST services.
CREATE TABLE principals (
  name TEXT PRIMARY KEY COLLATE NOCASE,
  id TEXT NOT NULL UNIQUE,        -- a GUID
  roles TEXT NOT NULL,            -- separated by commas
  enabled INTEGER NOT NULL,
  created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  principal TEXT NOT NULL COLLATE NOCASE REFERENCES principals(name),
  sha256 BLOB NOT NULL UNIQUE,    -- of the token, of which nothing else is kept
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL
) STRICT;
CREATE INDEX tokens_by_principal ON tokens(principal);

CREATE TABLE management_certificates (
  thumbprint TEXT PRIMARY KEY,    -- SHA-256 of the DER, upper-case hexadecimal
  principal TEXT NOT NULL COLLATE NOCASE REFERENCES principals(name),
  subject TEXT NOT NULL,
  created INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  not_after INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX management_certificates_by_principal ON management_certificates(principal);

-- What this installation is called in resource ids: GUIDs (RFC 4122 section 4.4).
CREATE TABLE installation (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  tenant TEXT NOT NULL,
  subscription TEXT NOT NULL
) STRICT;
INSERT INTO installation VALUES (1,
  lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' ||
        substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))),
  lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' ||
        substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))));
)sql";

constexpr const char* kVaultCertificates = R"sql(
ALTER TABLE access_policies ADD COLUMN certificates TEXT NOT NULL DEFAULT '';  -- permissions, separated by commas
-- 1 for what belongs to a certificate of the same name and version.
ALTER TABLE key_versions ADD COLUMN managed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE secret_versions ADD COLUMN managed INTEGER NOT NULL DEFAULT 0;

-- A certificate of the vault, in all its versions. Policies are JSON as Key Vault has them.
CREATE TABLE vault_certificates (
  vault TEXT NOT NULL COLLATE NOCASE,
  name TEXT NOT NULL COLLATE NOCASE,
  policy TEXT NOT NULL,
  policy_created INTEGER NOT NULL,
  policy_updated INTEGER NOT NULL,
  deleted INTEGER,                -- NULL while it is in use
  purge_due INTEGER,
  PRIMARY KEY (vault, name)
) STRICT, WITHOUT ROWID;

-- The last operation of a certificate, with the key of the version that it is to make.
CREATE TABLE vault_certificate_operations (
  vault TEXT NOT NULL COLLATE NOCASE,
  name TEXT NOT NULL COLLATE NOCASE,
  status TEXT NOT NULL,
  issuer TEXT NOT NULL,
  request BLOB NOT NULL,          -- PKCS#10, DER
  cancellation_requested INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  policy TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  tags TEXT NOT NULL,
  version TEXT NOT NULL,
  public_key BLOB NOT NULL,
  sealed BLOB NOT NULL,           -- as in key_versions; empty when it is needed no more
  PRIMARY KEY (vault, name)
) STRICT;

-- Its key and its secret have the same name and version in key_versions and secret_versions.
CREATE TABLE vault_certificate_versions (
  sequence INTEGER PRIMARY KEY,   -- the newest version is the current one
  vault TEXT NOT NULL COLLATE NOCASE,
  name TEXT NOT NULL COLLATE NOCASE,
  version TEXT NOT NULL COLLATE NOCASE,
  chain TEXT NOT NULL,            -- PEM, its own certificate first
  exportable INTEGER NOT NULL,
  enabled INTEGER NOT NULL,
  tags TEXT NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  UNIQUE (vault, name, version)
) STRICT;

CREATE VIEW live_certificate_versions AS
  SELECT version.sequence, version.vault, version.name, version.version, version.chain, version.exportable,
  version.enabled, version.tags, version.created, version.updated
  FROM vault_certificate_versions AS version JOIN vault_certificates AS own
  ON own.vault = version.vault AND own.name = version.name WHERE own.deleted IS NULL;

CREATE TABLE vault_certificate_contacts (
  vault TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
  contacts TEXT NOT NULL          -- a JSON list of objects
) STRICT, WITHOUT ROWID;

CREATE TABLE vault_certificate_issuers (
  vault TEXT NOT NULL COLLATE NOCASE,
  name TEXT NOT NULL COLLATE NOCASE,
  provider TEXT NOT NULL,
  account TEXT NOT NULL,
  organisation TEXT NOT NULL,
  administrators TEXT NOT NULL,   -- a JSON list of objects
  enabled INTEGER NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  sealed_password BLOB NOT NULL,  -- empty for none
  PRIMARY KEY (vault, name)
) STRICT;
)sql";

constexpr const char* kManagement = R"sql(
-- When partners and agreements of the account were made and changed.
CREATE TABLE entry_times (
  kind TEXT NOT NULL,             -- 'partner' or 'agreement'
  name TEXT NOT NULL,
  created INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

-- What only the management plane knows; see gateway/api/resource_store.h.
CREATE TABLE resources (
  kind TEXT NOT NULL,
  name TEXT NOT NULL COLLATE NOCASE,
  json TEXT NOT NULL,
  created INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT;

-- Tracking events that programs gave us; those of messages are made of the messages.
CREATE TABLE logged_events (
  sequence INTEGER PRIMARY KEY,
  received INTEGER NOT NULL,
  principal TEXT NOT NULL,
  json TEXT NOT NULL
) STRICT;
CREATE INDEX logged_events_by_time ON logged_events(received);

-- Principals are matched without regard to case, so there is one policy of each.
CREATE TABLE policies_of_principals (
  vault TEXT NOT NULL COLLATE NOCASE,
  principal TEXT NOT NULL COLLATE NOCASE,
  keys TEXT NOT NULL,             -- permissions, separated by commas
  secrets TEXT NOT NULL,
  certificates TEXT NOT NULL,
  set_aside INTEGER NOT NULL DEFAULT 0,  -- 1 while the vault is deleted
  PRIMARY KEY (vault, principal)
) STRICT, WITHOUT ROWID;
-- Of names that differ in case, the one in lower case stays: it may be the gateway's.
INSERT OR IGNORE INTO policies_of_principals (vault, principal, keys, secrets, certificates)
  SELECT vault, principal, keys, secrets, certificates FROM access_policies
  ORDER BY principal COLLATE BINARY DESC;
DROP TABLE access_policies;
ALTER TABLE policies_of_principals RENAME TO access_policies;
)sql";

constexpr const char* kReceiptsGivenUp = R"sql(
-- When the posting of a receipt was queued last, and when it ended in vain. Of before these columns neither is known: the
-- message's time stands for them.
ALTER TABLE receipt_posts ADD COLUMN queued INTEGER NOT NULL DEFAULT 0;
ALTER TABLE receipt_posts ADD COLUMN given_up INTEGER;
UPDATE receipt_posts SET queued = (SELECT created FROM messages WHERE sequence = message);
UPDATE receipt_posts SET given_up = queued WHERE due IS NULL AND posted IS NULL;
CREATE INDEX receipt_posts_given_up ON receipt_posts(given_up) WHERE given_up IS NOT NULL;
)sql";

constexpr const char* kIssuance = R"sql(
-- An operation at an issuer of the vault.
ALTER TABLE vault_certificate_operations ADD COLUMN details TEXT NOT NULL DEFAULT '';
ALTER TABLE vault_certificate_operations ADD COLUMN error_code TEXT NOT NULL DEFAULT '';
ALTER TABLE vault_certificate_operations ADD COLUMN error_message TEXT NOT NULL DEFAULT '';
ALTER TABLE vault_certificate_operations ADD COLUMN order_id TEXT NOT NULL DEFAULT '';  -- the issuer's name of it
ALTER TABLE vault_certificate_operations ADD COLUMN renewal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vault_certificate_operations ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;

-- What was done of the policy's lifetime action for the version that is named.
ALTER TABLE vault_certificates ADD COLUMN renewal_version TEXT NOT NULL DEFAULT '';
ALTER TABLE vault_certificates ADD COLUMN renewal_noticed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vault_certificates ADD COLUMN renewal_failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vault_certificates ADD COLUMN renewal_next INTEGER NOT NULL DEFAULT 0;

ALTER TABLE vault_certificate_issuers ADD COLUMN directory TEXT NOT NULL DEFAULT '';
ALTER TABLE vault_certificate_issuers ADD COLUMN authorities TEXT NOT NULL DEFAULT '';  -- PEM
-- Our account there; empty before it is needed.
ALTER TABLE vault_certificate_issuers ADD COLUMN sealed_account_key BLOB NOT NULL DEFAULT x'';
ALTER TABLE vault_certificate_issuers ADD COLUMN account_public_key BLOB NOT NULL DEFAULT x'';
ALTER TABLE vault_certificate_issuers ADD COLUMN account_url TEXT NOT NULL DEFAULT '';

-- What those are to be told of who look after certificates.
CREATE TABLE vault_certificate_notices (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  event TEXT NOT NULL,
  vault TEXT NOT NULL,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  time INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  reason TEXT NOT NULL,
  mailed INTEGER NOT NULL
) STRICT;
)sql";

constexpr const char* kServiceBindings = R"sql(
-- What the names of service certificates stand for; see certstore/service/binding.h.
CREATE TABLE service_bindings (
  name TEXT NOT NULL PRIMARY KEY,
  algorithm TEXT NOT NULL,        -- "sha256", "sha1"
  thumbprint TEXT NOT NULL,       -- upper-case hexadecimal
  changed INTEGER NOT NULL,
  changed_by TEXT NOT NULL        -- a principal's name
) STRICT, WITHOUT ROWID;
-- What they stood for before: messages that were encrypted for that are still on their way.
CREATE TABLE service_bindings_before (
  sequence INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  algorithm TEXT NOT NULL,
  thumbprint TEXT NOT NULL,
  replaced INTEGER NOT NULL
) STRICT;
CREATE INDEX service_bindings_before_by_name ON service_bindings_before(name);
)sql";

constexpr const char* kVaultLinks = R"sql(
-- A name that stands for a vault elsewhere. Secrets are in the files that are named, not here.
CREATE TABLE vault_links (
  name TEXT NOT NULL PRIMARY KEY COLLATE NOCASE,
  url TEXT NOT NULL,
  token_file TEXT NOT NULL,          -- this, or the three that follow; else empty
  client_id TEXT NOT NULL,
  client_secret_file TEXT NOT NULL,
  authority TEXT NOT NULL,
  authorities TEXT NOT NULL,         -- PEM; empty: the machine's
  created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kRetiredMasterKeys = R"sql(
-- The master keys before the one of now, sealed under that: they open what was backed up under them, and nothing else.
CREATE TABLE retired_master_keys (
  sequence INTEGER PRIMARY KEY,
  retired INTEGER NOT NULL,
  sealed BLOB NOT NULL
) STRICT;
)sql";

constexpr const char* kJwtSubjects = R"sql(
-- How tokens of the configured issuer name a principal; empty where they do not.
ALTER TABLE principals ADD COLUMN jwt_subject TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX principals_by_jwt_subject ON principals(jwt_subject) WHERE jwt_subject <> '';
)sql";

constexpr const char* kTokens = R"sql(
-- Vaults whose keys are in a PKCS#11 token.
CREATE TABLE vault_tokens (
  vault TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
  uri TEXT NOT NULL               -- RFC 7512, with module-path and pin-source
) STRICT, WITHOUT ROWID;

-- 1: what is sealed is the key's name in the vault's token.
ALTER TABLE key_versions ADD COLUMN in_token INTEGER NOT NULL DEFAULT 0;

-- Objects of tokens that a row may not speak of, not yet or not any more.
CREATE TABLE token_objects (
  vault TEXT NOT NULL COLLATE NOCASE,
  object BLOB NOT NULL,           -- CKA_ID
  noted INTEGER NOT NULL,
  PRIMARY KEY (vault, object)
) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kAuthority = R"sql(
-- The certificate service. Who did something, and when, is in two columns each.
CREATE TABLE authority_groups (
  name TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
  type TEXT NOT NULL,
  subject TEXT NOT NULL,
  key_vault TEXT NOT NULL COLLATE NOCASE,
  issued_months INTEGER NOT NULL,
  issued_bits INTEGER NOT NULL,
  issued_hash TEXT NOT NULL,
  issuer_months INTEGER NOT NULL,
  issuer_bits INTEGER NOT NULL,
  issuer_hash TEXT NOT NULL,
  crl_days INTEGER NOT NULL,
  crl_distribution_point TEXT NOT NULL,
  authority_information_access TEXT NOT NULL,
  ocsp_responder TEXT NOT NULL,
  approves_vault_orders INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  created INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  changed INTEGER NOT NULL,
  revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Never deleted: what they issued is checked by them, and their lists are signed by their keys.
CREATE TABLE authority_issuers (
  sequence INTEGER PRIMARY KEY,
  group_name TEXT NOT NULL COLLATE NOCASE,
  serial TEXT NOT NULL COLLATE NOCASE,
  certificate BLOB NOT NULL,
  chain TEXT NOT NULL,            -- PEM, of those above it
  key_vault TEXT NOT NULL COLLATE NOCASE,
  key_name TEXT NOT NULL COLLATE NOCASE,
  key_version TEXT NOT NULL,
  active INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  created INTEGER NOT NULL,
  UNIQUE (group_name, serial)
) STRICT;
CREATE UNIQUE INDEX authority_active_issuers ON authority_issuers(group_name) WHERE active = 1;

-- Keys that wait for their certificate from an authority elsewhere.
CREATE TABLE authority_issuer_requests (
  group_name TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
  key_vault TEXT NOT NULL COLLATE NOCASE,
  key_name TEXT NOT NULL COLLATE NOCASE,
  key_version TEXT NOT NULL,
  request BLOB NOT NULL,          -- PKCS#10
  created_by TEXT NOT NULL,
  created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The current list of each issuer.
CREATE TABLE authority_crls (
  group_name TEXT NOT NULL COLLATE NOCASE,
  issuer_serial TEXT NOT NULL COLLATE NOCASE,
  number INTEGER NOT NULL,
  this_update INTEGER NOT NULL,
  next_update INTEGER NOT NULL,
  der BLOB NOT NULL,
  PRIMARY KEY (group_name, issuer_serial)
) STRICT;

CREATE TABLE authority_applications (
  record INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL COLLATE NOCASE UNIQUE,
  description TEXT NOT NULL,      -- JSON
  state TEXT NOT NULL,
  registered_by TEXT NOT NULL,
  registered INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  changed INTEGER NOT NULL,
  approved_by TEXT,
  approved INTEGER,
  rejected_by TEXT,
  rejected INTEGER,
  unregistered_by TEXT,
  unregistered INTEGER,
  reason TEXT NOT NULL,
  revision INTEGER NOT NULL
) STRICT;

CREATE TABLE authority_requests (
  record INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL COLLATE NOCASE UNIQUE,
  application TEXT NOT NULL COLLATE NOCASE,
  group_name TEXT NOT NULL COLLATE NOCASE,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  subject TEXT NOT NULL,
  domain_names TEXT NOT NULL,     -- one per line
  key_format TEXT NOT NULL,
  signing_request BLOB NOT NULL,
  certificate BLOB,
  issuer_serial TEXT NOT NULL,
  password_vault TEXT,            -- a secret of the vault, with its version: never the password
  password_name TEXT,
  password_version TEXT,
  key_file_vault TEXT,            -- likewise
  key_file_name TEXT,
  key_file_version TEXT,
  submitted_by TEXT NOT NULL,
  submitted INTEGER NOT NULL,
  ordered_by TEXT NOT NULL,       -- who had the gateway submit it for a vault; else empty
  approved_by TEXT,
  approved INTEGER,
  rejected_by TEXT,
  rejected INTEGER,
  accepted_by TEXT,
  accepted INTEGER,
  revocation_requested_by TEXT,
  revocation_requested INTEGER,
  revoked_by TEXT,
  revoked INTEGER,
  removed_by TEXT,
  removed INTEGER,
  revocation_reason TEXT,
  reason TEXT NOT NULL,
  signing_request_sha256 BLOB NOT NULL,  -- stays when the request itself is erased; empty of a key pair
  revision INTEGER NOT NULL
) STRICT;
CREATE INDEX authority_requests_by_digest ON authority_requests(signing_request_sha256);
CREATE INDEX authority_requests_by_application ON authority_requests(application);
CREATE INDEX authority_requests_to_revoke ON authority_requests(group_name)
  WHERE revocation_requested IS NOT NULL AND revoked IS NULL;

-- Everything that was ever issued, whatever becomes of its request.
CREATE TABLE authority_certificates (
  sequence INTEGER PRIMARY KEY,
  group_name TEXT NOT NULL COLLATE NOCASE,
  issuer_serial TEXT NOT NULL COLLATE NOCASE,
  serial TEXT NOT NULL COLLATE NOCASE,
  certificate BLOB NOT NULL,
  request TEXT NOT NULL,
  application TEXT NOT NULL,
  issued_by TEXT NOT NULL,
  issued INTEGER NOT NULL,
  revoked_by TEXT,
  revoked INTEGER,
  reason TEXT,
  UNIQUE (group_name, issuer_serial, serial)
) STRICT;
CREATE INDEX authority_certificates_by_time ON authority_certificates(issued);
CREATE INDEX authority_certificates_revoked ON authority_certificates(group_name, issuer_serial)
  WHERE revoked IS NOT NULL;

-- Who does not approve what is ordered at it; empty for what was there before.
ALTER TABLE vault_certificates ADD COLUMN policy_by TEXT NOT NULL DEFAULT '';
ALTER TABLE vault_certificate_operations ADD COLUMN begun_by TEXT NOT NULL DEFAULT '';
)sql";

constexpr const char* kRevocationLists = R"sql(
-- Of each authority, and of each part that it divides its certificates into, the newest revocation list that was taken.
CREATE TABLE revocation_lists (
  authority TEXT NOT NULL,        -- SHA-256 of the key that signed it
  scope TEXT NOT NULL,            -- SHA-256 of its issuingDistributionPoint; empty where it has none
  octets BLOB NOT NULL,           -- DER
  source TEXT NOT NULL,           -- the URL that it came from; empty: an operator gave it
  taken INTEGER NOT NULL,
  UNIQUE (authority, scope)
) STRICT;

-- What became of the last attempt to fetch lists.
CREATE TABLE revocation_sources (
  authority TEXT NOT NULL,
  urls TEXT NOT NULL,             -- with spaces between
  tried INTEGER NOT NULL,
  failures INTEGER NOT NULL,      -- in a row
  reason TEXT NOT NULL,           -- of the last failure; empty for none
  PRIMARY KEY (authority, urls)
) STRICT, WITHOUT ROWID;

ALTER TABLE generations ADD COLUMN revocation_lists INTEGER NOT NULL DEFAULT 0;

-- Why a certificate was used without the look into revocation lists that is agreed on; empty where it was not.
ALTER TABLE messages ADD COLUMN revocation TEXT NOT NULL DEFAULT '';
)sql";

constexpr const char* kExpiryNotices = R"sql(
-- That a certificate comes to its end: who was told, each time once. They stay, or it would be told again.
CREATE TABLE expiry_notices (
  thumbprint TEXT NOT NULL,       -- SHA-256, upper-case hexadecimal
  days INTEGER NOT NULL,          -- before its end
  queued INTEGER NOT NULL,
  mailed INTEGER NOT NULL,
  settled INTEGER NOT NULL,       -- nobody is to be told any more
  PRIMARY KEY (thumbprint, days)
) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kCertificateExchanges = R"sql(
-- Certificates that are exchanged by messages (CEM). They stay, so that a message sent again changes nothing.
CREATE TABLE certificate_exchanges (
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  origin TEXT NOT NULL,           -- 'partner': his, for us to answer; 'us': ours
  agreement TEXT NOT NULL,
  request_id TEXT NOT NULL,
  usages TEXT NOT NULL,
  certificate BLOB NOT NULL,
  thumbprint TEXT NOT NULL,       -- SHA-256, upper-case hexadecimal
  message TEXT NOT NULL,          -- its id, of the message that announced it
  respond_by INTEGER,
  created INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  state TEXT NOT NULL,            -- waiting, accepted, rejected
  decided INTEGER,
  decided_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  name TEXT NOT NULL,             -- in the account
  use_from INTEGER NOT NULL,
  retire_at INTEGER NOT NULL,
  response TEXT NOT NULL,         -- the id of the message that answers it
  settled INTEGER NOT NULL,       -- everything that follows from its state is done
  told TEXT NOT NULL,             -- the last that its contacts were told of
  UNIQUE (origin, agreement, request_id, thumbprint)
) STRICT;
CREATE INDEX certificate_exchanges_open ON certificate_exchanges(sequence) WHERE settled = 0;

-- What partners advertised last (EDIINT-Features).
CREATE TABLE partner_features (
  agreement TEXT NOT NULL PRIMARY KEY,
  features TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

/// Element n takes a database of version n to version n + 1. Released steps are never edited.
constexpr std::array kSteps = {kFirstSchema,  kSecrets,           kReceiptHandOver, kEvidence,
                               kOctetsAround, kVaultOperations,   kPrincipals,      kVaultCertificates,
                               kManagement,   kReceiptsGivenUp,   kIssuance,        kServiceBindings,
                               kVaultLinks,   kRetiredMasterKeys, kJwtSubjects,     kTokens,
                               kAuthority,    kRevocationLists,   kExpiryNotices,   kCertificateExchanges};

template <std::size_t N>
std::int64_t single(SqlConnection& connection, const char (&sql)[N]) {
  Query query(connection, sql);
  query.next();
  return query.integer(0);
}

Result<> check_origin(SqlConnection& connection, std::int64_t version) {
  const std::int64_t application = single(connection, "PRAGMA application_id");
  const bool fresh =
      version == 0 && application == 0 && single(connection, "SELECT count(*) FROM sqlite_schema") == 0;
  if (!fresh && application != kApplicationId)
    return fail(ErrorKind::Unsupported, "the database was not made by Signet; choose another home directory");
  if (version > static_cast<std::int64_t>(kSteps.size()))
    return fail(
        ErrorKind::Unsupported,
        fmt::format(
            "the database has schema version {} and this program knows those up to {}; run the newer Signet "
            "that wrote it, or restore a backup made before the upgrade",
            version, kSteps.size()));
  return {};
}

void set_version(SqlConnection& connection, std::size_t version) {
  // PRAGMA takes no parameters; the number is our own.
  connection.execute(fmt::format("PRAGMA user_version = {}", version).c_str());
  connection.execute(fmt::format("PRAGMA application_id = {}", kApplicationId).c_str());
}

Result<> take_steps(SqlConnection& connection) {
  // Asked again inside the transaction: another process may have migrated in the meantime.
  const std::int64_t version = single(connection, "PRAGMA user_version");
  SIGNET_CHECK(check_origin(connection, version));
  for (std::size_t step = static_cast<std::size_t>(version); step < kSteps.size(); ++step) {
    connection.execute(kSteps[step]);
    set_version(connection, step + 1);
  }
  return {};
}

}  // namespace

Result<> migrate(SqlConnection& connection) {
  const std::int64_t version = single(connection, "PRAGMA user_version");
  SIGNET_CHECK(check_origin(connection, version));
  if (version == static_cast<std::int64_t>(kSteps.size())) return {};
  connection.execute("BEGIN IMMEDIATE");
  if (auto taken = take_steps(connection); !taken) {
    connection.roll_back();
    return taken;
  }
  failpoint("migrate");
  connection.execute("COMMIT");
  return {};
}

}  // namespace signet::gateway
