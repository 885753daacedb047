#pragma once

#include <optional>
#include <vector>

#include "as2/inspect.h"
#include "as2/receipt_request.h"

/// The part of inspect() that finds the MIC, and what else the other side may have taken it over. Internal to
/// as2.

namespace signet::as2 {

/// Where in the message an entity was found.
enum class Stage { Wire, Decrypted, Signed, Decompressed };

/// What was met on the way in that a MIC may be over.
class MicSearch {
 public:
  explicit MicSearch(const InspectOptions& options) : options_(options) {}

  void keep(Stage stage, const mime::Entity& entity);
  /// The payload without its transfer encoding, where that makes a difference.
  void keep_decoded_payload(const Slice& plain);
  /// The signature's hash, of the first signer. Counts where keep() had what was signed.
  void keep_hash(std::optional<Hash> hash) { signature_hash_ = hash; }

  /// compute_mic()'s table, told: the MIC, its rule and all that it may be over.
  void explain(const ReceiptRequest& request, Explanation& explanation);

 private:
  [[nodiscard]] Hash hash_for(const ReceiptRequest& request) const;
  void give_bases(std::optional<MicBase> by_rule, Explanation& explanation);

  const InspectOptions& options_;
  std::vector<MicBase> bases_;
  std::optional<mime::Entity> signed_;  ///< what was signed, in the form that was signed
  mime::Entity last_;
  std::optional<Hash> signature_hash_;
};

}  // namespace signet::as2
