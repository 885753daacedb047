#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/store/evidence_chain_internal.h"
#include "gateway/store/message_rows_internal.h"
#include "gateway/store/store.h"

/// Internal to gateway/store: a message's bodies on their way into the store.

namespace signet::gateway {

/// What a message's MIC is over, about to be stored: most often headers and then the payload, which is stored
/// already.
struct SqliteStore::StoredProof {
  Bytes signature;
  Bytes head;
  bool payload_follows = false;
  StoredBody rest;  ///< what follows where that is not the payload
};

/// What of a message is about to be stored beside its record.
struct SqliteStore::Bodies {
  std::optional<StoredBody> payload;
  std::optional<StoredBody> wire;
  Bytes wire_headers;
  std::optional<StoredProof> proof;
  CopyDigests digests;  ///< of those that are kept

  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    const auto add = [&names](const StoredBody& body) {
      if (body.place == Place::File) names.push_back(body.name);
    };
    if (payload) add(*payload);
    if (wire) add(*wire);
    if (proof) add(proof->rest);
    return names;
  }
};

}  // namespace signet::gateway
