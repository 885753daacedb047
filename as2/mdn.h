#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "as2/disposition.h"
#include "as2/message_id.h"
#include "as2/mic.h"
#include "as2/mime/entity.h"
#include "as2/mime/headers.h"
#include "as2/name.h"
#include "base/bytes.h"
#include "base/result.h"

/// What a receipt says, apart from who signed it: the multipart/report of RFC 8098 and RFC 4130 section 7.4.

namespace signet::as2 {

struct MdnContent {
  std::optional<MessageId> original_message_id;  ///< of the message that this answers
  std::optional<As2Name> original_recipient;     ///< the AS2-To of that message...
  std::optional<As2Name> final_recipient;        ///< ...and again. A name that cannot be read is absent
  Disposition disposition;
  std::optional<Mic> mic;
  std::string mic_spelling;  ///< the hash's name in the MIC as the partner asked for it or wrote it; when
                             ///< empty, ours is used
  std::string mic_text;  ///< parsed receipts: the whole field as written, also where `mic` is absent because
                         ///< it is unreadable
  std::string human_text;  ///< UTF-8; for people
  std::string reporting_ua;
  mime::Headers extension_fields;  ///< every other field of the notification
};

/// A multipart/report, ready to be sent or signed.
struct BuiltMdn {
  mime::Headers headers;  ///< Content-Type only
  Bytes body;             ///< ends right after the closing boundary's CRLF

  /// Headers, empty line and body: the octets that a signature is over.
  [[nodiscard]] Bytes entity() const;
};

/// "signet-" and 128 random bits: a boundary that no payload can hold by design or by chance.
std::string random_boundary();

/// Writes the report: text for people, then the notification; no third part, nothing folded [RFC4130 7.4.1].
///
/// Original-Recipient is `original_recipient`, or `final_recipient` when that is all there is, and the other
/// way round. Fields that are absent are not written.
BuiltMdn build_mdn(const MdnContent& content, std::string_view boundary);
inline BuiltMdn build_mdn(const MdnContent& content) { return build_mdn(content, random_boundary()); }

/// Whether an entity's headers say that it is a disposition notification, so neither a message nor a payload.
bool is_mdn(const mime::Headers& headers);

/// Reads a multipart/report that a partner sent. For a receipt in an HTTP message without a signature the
/// entity's headers are the HTTP message's; for a signed one it is the signed part.
///
/// Lives with bodies whose lines end in LF, text before the first boundary, folded fields, either part in any
/// transfer encoding, a recipient without "rfc822;", a MIC with spaces in it or none, and every field but
/// Disposition missing. Whether what is missing may be missing is the caller's to judge.
///
/// @error InvalidInput   no multipart/report, no notification or two in it, two Disposition,
/// Original-Message-ID or MIC fields, no or an
///                       unreadable Disposition.
/// @error LimitExceeded  a body of more than 1 MiB, more than 10 parts, too many fields.
Result<MdnContent> parse_mdn(const mime::Entity& report);

}  // namespace signet::as2
