#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/stream.h"
#include "gateway/evidence/evidence_store.h"
#include "gateway/exchange/message_store.h"

namespace signet::gateway {

/// What stands in an archive of evidence.
struct ArchivedFile {
  std::string name;
  std::string what;    ///< for people
  std::string sha256;  ///< lower-case hexadecimal
  std::uint64_t size = 0;
};

/// Writes everything that is kept of a message into one tar archive that a third party verifies without us,
/// with the `openssl` command and the README.txt inside: the copies, the octets that MIC and signature are
/// over, the receipt, the certificates, the records of the chain, and a manifest. Every copy is compared with
/// the digest in its record first.
///
/// @returns what is in it.
/// @error NotFound       nothing is kept of the message: no switch asked for it, or its time is over.
/// @error CryptoFailure  a copy is not the one that was recorded; says which. Nothing was written.
/// @error                of the stores, or of the sink.
Result<std::vector<ArchivedFile>> export_evidence(MessageStore& messages, EvidenceStore& evidence,
                                                  const MessageRecord& record, const SpoolArea& spool,
                                                  Time now, Sink& out);

}  // namespace signet::gateway
