#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agreements/model.h"
#include "as2/fault.h"
#include "as2/receipt_request.h"
#include "base/clock.h"
#include "base/digest.h"

/// Internal to the inbound journey: which receipt a message gets.

namespace signet::gateway {

/// Which receipt a message gets: what it asks for, as far as the agreement grants it, or what the agreement
/// says where it overrides the headers.
class ReceiptTerms {
 public:
  /// @param agreed    outlives this.
  /// @param received  when the message came: an exception for weak algorithms has its days.
  ReceiptTerms(const agreements::OneWayAgreement& agreed, as2::ReceiptRequest asked, Time received)
      : agreed_(agreed), asked_(std::move(asked)), received_(received) {}

  /// Where the receipt is posted; empty: it goes into the answer. A URL that only the message names is
  /// never connected to.
  [[nodiscard]] std::string url() const;
  /// The http or https URL that the message asks for and the agreement does not allow: the receipt goes into
  /// the answer then.
  [[nodiscard]] std::optional<std::string> refused_url() const;

  /// A receipt that we could not make as asked ends the exchange before any work is done for it
  /// [RFC4130 7.5.3].
  [[nodiscard]] as2::Step<> check() const;

  /// @param proven  whether a signature of the partner's has proved who sent the message.
  [[nodiscard]] bool wanted(bool proven) const;
  /// Whether it is signed: when asked for, or when the agreement overrides the headers.
  [[nodiscard]] bool is_signed(bool proven) const;

  /// What a MIC may be computed with.
  [[nodiscard]] std::vector<Hash> allowed_hashes() const;
  /// What a signed receipt is signed with: the first hash of the partner's list that the vault signs, which
  /// is never SHA-1, whatever exception there is; else the agreement's.
  [[nodiscard]] Hash signature_hash() const;
  /// As the partner spells this hash; nothing when he did not name it.
  [[nodiscard]] std::optional<std::string> spelling_of(Hash hash) const;

 private:
  [[nodiscard]] bool overrides_headers() const;
  [[nodiscard]] bool names_url() const;
  [[nodiscard]] bool names_other_scheme() const;
  /// Receipts by mail and the like are not made.
  [[nodiscard]] as2::Step<> check_scheme() const;
  [[nodiscard]] bool names_allowed_hash() const;

  const agreements::OneWayAgreement& agreed_;
  const as2::ReceiptRequest asked_;
  const Time received_;
};

}  // namespace signet::gateway
