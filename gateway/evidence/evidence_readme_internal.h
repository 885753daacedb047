#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/evidence/evidence_archive.h"
#include "gateway/evidence/evidence_store.h"
#include "gateway/exchange/message_store.h"

/// Internal to gateway/evidence.

namespace signet::gateway {

/// A certificate in the archive.
struct ArchivedCertificate {
  std::string file;        ///< "certificates/signer.pem"
  std::string thumbprint;  ///< lower-case hexadecimal SHA-256 of the DER
  std::string subject;
  std::string role;  ///< "signed the message"
};

/// A copy in the archive whose digest stands in a record.
struct NamedCopy {
  std::string file;          ///< "wire.http"
  std::string field;         ///< "wire"
  std::uint64_t record = 0;  ///< its number
  std::string sha256;
};

/// What the README has to know of the archive.
struct ArchiveFacts {
  MessageRecord record;
  std::vector<EvidenceRecord> records;
  std::vector<ArchivedFile> files;
  std::vector<ArchivedCertificate> certificates;
  std::optional<ReceiptPost> receipt_post;  ///< of the receipt, where we posted it
  std::vector<NamedCopy> named;             ///< the copies that a record names
  bool payload_ends_content = false;        ///< the content's last octets are the payload, as they are
  bool receipt_is_verified = false;         ///< its signature is of certificates/receipt-signer.pem
  bool receipt_says_mic = false;            ///< in readable text
  bool receipt_says_message_id = false;     ///< in readable text
  Time made{};

  [[nodiscard]] bool has(std::string_view file) const;
};

/// How to verify the archive with `openssl` and a shell. The lines that begin with four spaces are commands,
/// to be typed in their order; each succeeds only when what it looks at is as it was recorded.
std::string readme_for(const ArchiveFacts& facts);

}  // namespace signet::gateway
