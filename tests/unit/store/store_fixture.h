#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/file.h"
#include "base/stream.h"
#include "gateway/store/store.h"

namespace signet::gateway {

inline constexpr Time kNoon = Time(std::chrono::microseconds(1'795'000'000'000'000));

/// A directory of the test's own, removed with everything in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() : path_(testing::TempDir() + "/signet-store-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] std::filesystem::path path() const { return path_; }

 private:
  std::string path_;
};

/// The id that belongs to `name`: the same in every process and run.
inline std::string id_of(std::string_view name) {
  return hex_lower(ByteView(digest(Hash::Sha256, as_bytes(name))).first(16));
}

/// An accepted inbound message whose Message-ID is `name`.
inline MessageRecord accepted_record(std::string_view name) {
  MessageRecord record;
  record.id = id_of(name);
  record.state = MessageState::Accepted;
  record.agreement = "acme-globex";
  record.as2_from = "Acme";
  record.as2_to = "Globex";
  record.message_id = "<" + std::string(name) + "@acme.example>";
  record.created = kNoon;
  return record;
}

inline WireCopy wire_saying(std::string_view text) { return {{{"AS2-From", "Acme"}}, Slice::of(text)}; }

inline StoredReceipt receipt_saying(std::string_view text) {
  return StoredReceipt{200, {{"AS2-From", "Globex"}, {"Content-Type", "multipart/report"}}, to_bytes(text)};
}

/// `size` octets that differ from one `seed` to the next and from one place to the next.
inline Bytes some_octets(std::size_t size, std::uint8_t seed = 1) {
  Bytes octets(size);
  std::uint32_t state = seed;
  for (std::uint8_t& octet : octets) {
    state = state * 1664525U + 1013904223U;
    octet = static_cast<std::uint8_t>(state >> 24);
  }
  return octets;
}

/// The octets of a slice; fails the test when they cannot be read.
inline Bytes octets_of(const Slice& slice) {
  auto octets = slice.to_bytes(SIZE_MAX);
  EXPECT_TRUE(octets) << (octets ? "" : octets.error().detail);
  return octets.value_or(Bytes());
}

/// Each takes a database's schema back to before its subject, but for the version number; the newest goes
/// first.
inline constexpr std::string_view kUndoSinceIssuance =
    "DROP TABLE certificate_exchanges; DROP TABLE partner_features; "
    "DROP TABLE expiry_notices; "
    "DROP TABLE revocation_lists; DROP TABLE revocation_sources; "
    "ALTER TABLE generations DROP COLUMN revocation_lists; ALTER TABLE messages DROP COLUMN revocation; "
    "DROP TABLE authority_groups; DROP TABLE authority_issuers; DROP TABLE authority_issuer_requests; "
    "DROP TABLE authority_crls; DROP TABLE authority_applications; DROP TABLE authority_requests; "
    "DROP TABLE authority_certificates; "
    "ALTER TABLE vault_certificates DROP COLUMN policy_by; "
    "ALTER TABLE vault_certificate_operations DROP COLUMN begun_by; "
    "DROP TABLE vault_tokens; DROP TABLE token_objects; ALTER TABLE key_versions DROP COLUMN in_token; "
    "DROP INDEX principals_by_jwt_subject; ALTER TABLE principals DROP COLUMN jwt_subject; "
    "DROP TABLE retired_master_keys; DROP TABLE vault_links; "
    "DROP TABLE service_bindings; DROP TABLE service_bindings_before; ";
inline constexpr std::string_view kUndoIssuance =
    "DROP TABLE vault_certificate_notices; "
    "ALTER TABLE vault_certificate_operations DROP COLUMN details; "
    "ALTER TABLE vault_certificate_operations DROP COLUMN error_code; "
    "ALTER TABLE vault_certificate_operations DROP COLUMN error_message; "
    "ALTER TABLE vault_certificate_operations DROP COLUMN order_id; "
    "ALTER TABLE vault_certificate_operations DROP COLUMN renewal; "
    "ALTER TABLE vault_certificate_operations DROP COLUMN begun; "
    "ALTER TABLE vault_certificates DROP COLUMN renewal_version; "
    "ALTER TABLE vault_certificates DROP COLUMN renewal_noticed; "
    "ALTER TABLE vault_certificates DROP COLUMN renewal_failures; "
    "ALTER TABLE vault_certificates DROP COLUMN renewal_next; "
    "ALTER TABLE vault_certificate_issuers DROP COLUMN directory; "
    "ALTER TABLE vault_certificate_issuers DROP COLUMN authorities; "
    "ALTER TABLE vault_certificate_issuers DROP COLUMN sealed_account_key; "
    "ALTER TABLE vault_certificate_issuers DROP COLUMN account_public_key; "
    "ALTER TABLE vault_certificate_issuers DROP COLUMN account_url; ";
inline constexpr std::string_view kUndoReceiptsGivenUp =
    "DROP INDEX receipt_posts_given_up; ALTER TABLE receipt_posts DROP COLUMN queued; "
    "ALTER TABLE receipt_posts DROP COLUMN given_up; ";
inline constexpr std::string_view kUndoManagement =
    "DROP TABLE entry_times; DROP TABLE resources; DROP TABLE logged_events; "
    "ALTER TABLE access_policies DROP COLUMN set_aside; ";
inline constexpr std::string_view kUndoVaultCertificates =
    "DROP VIEW live_certificate_versions; DROP TABLE vault_certificates; DROP TABLE "
    "vault_certificate_operations; DROP TABLE "
    "vault_certificate_versions; "
    "DROP TABLE vault_certificate_contacts; DROP TABLE vault_certificate_issuers; "
    "ALTER TABLE access_policies DROP COLUMN certificates; ALTER TABLE key_versions DROP COLUMN managed; "
    "ALTER TABLE secret_versions DROP COLUMN managed; ";
inline constexpr std::string_view kUndoVaultOperations =
    "DROP INDEX key_versions_deleted; DROP INDEX secret_versions_deleted; "
    "ALTER TABLE key_versions DROP COLUMN tags; ALTER TABLE key_versions DROP COLUMN deleted; "
    "ALTER TABLE key_versions DROP COLUMN purge_due; ALTER TABLE secret_versions DROP COLUMN tags; "
    "ALTER TABLE secret_versions DROP COLUMN deleted; ALTER TABLE secret_versions DROP COLUMN purge_due; "
    "DROP TABLE vault_settings; DROP TABLE rotation_policies; ";
inline constexpr std::string_view kUndoPrincipals =
    "DROP TABLE tokens; DROP TABLE management_certificates; DROP TABLE principals; DROP TABLE installation; ";
inline constexpr std::string_view kUndoEvidence =
    "ALTER TABLE messages DROP COLUMN body_begin; ALTER TABLE wires DROP COLUMN begin_in_file; "
    "DROP TABLE evidence; DROP TABLE used_certificates; DROP TABLE proofs; "
    "ALTER TABLE messages DROP COLUMN keeps_wire; ALTER TABLE messages DROP COLUMN keeps_payload; "
    "ALTER TABLE messages DROP COLUMN keeps_receipt; ALTER TABLE messages DROP COLUMN recipient_thumbprint; ";

/// The change of something in the vault to what `wanted` says.
template <class Info>
auto change_to(const Info& wanted) {
  return [wanted](Info& now) -> Result<> {
    now = wanted;
    return {};
  };
}

class StoreTest : public testing::Test {
 protected:
  std::unique_ptr<SqliteStore> open(const StoreOptions& options = {}) {
    auto store = SqliteStore::open(directory_.path(), options);
    EXPECT_TRUE(store) << (store ? "" : store.error().detail);
    return store ? *std::move(store) : nullptr;
  }

  /// How many payload files lie in the store.
  [[nodiscard]] std::size_t body_files() const {
    std::size_t count = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(directory_.path() / "store/bodies"))
      if (entry.is_regular_file()) ++count;
    return count;
  }

  TemporaryDirectory directory_;
};

}  // namespace signet::gateway
