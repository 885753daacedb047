#pragma once

#include <optional>
#include <string>
#include <vector>

#include "as2/mime/headers.h"
#include "base/digest.h"

namespace signet::as2 {

/// A hash function as a partner named it: the receipt echoes the partner's spelling.
struct RequestedHash {
  Hash hash = Hash::Sha256;
  std::string spelling;
  friend bool operator==(const RequestedHash&, const RequestedHash&) = default;
};

/// What receipt a message asks for [RFC4130 7.3].
struct ReceiptRequest {
  bool wanted = false;         ///< Disposition-Notification-To is there, whatever it says
  bool signed_wanted = false;  ///< Disposition-Notification-Options asks for a signature
  bool signature_required =
      false;  ///< and calls the protocol "required", not "optional" as nearly everybody does
  bool protocol_supported =
      true;  ///< false: a signed one is wanted in protocols of which none is pkcs7-signature
  std::vector<RequestedHash>
      hashes;  ///< signed-receipt-micalg: those that we know, in the sender's order (MD5 too)
  std::vector<std::string> unknown_hashes;  ///< and those that we do not, as written
  std::optional<std::string>
      async_url;          ///< Receipt-Delivery-Option, as written: not yet allowed, nor even a URL
  std::string notify_to;  ///< Disposition-Notification-To, as written

  /// Names were given, and we know none of them [RFC4130 7.5.3: "unsupported MIC-algorithms"].
  [[nodiscard]] bool only_unknown_hashes() const { return hashes.empty() && !unknown_hashes.empty(); }
};

/// Reads the three fields, total: anything unreadable in the options is left out. Lives with `required` and
/// `optional`, or neither; tabs and missing spaces; values in quotes, as a whole or one by one; one parameter
/// without the other (either asks for a signature); `pkcs7-signature` standing among the hash names. At most
/// 32 hash names are kept.
ReceiptRequest parse_receipt_request(const mime::Headers& headers);

/// Writes the fields that ask for this, replacing what is there. With `signed_wanted`, `hashes` must name at
/// least one.
void write_receipt_request(const ReceiptRequest& request, mime::Headers& headers);

}  // namespace signet::as2
