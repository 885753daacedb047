#pragma once

#include <optional>
#include <string>
#include <vector>

#include "as2/cms/sign.h"
#include "as2/cms/verify.h"
#include "as2/mdn.h"
#include "as2/mime/headers.h"
#include "as2/mime/transfer_encoding.h"
#include "base/stream.h"
#include "certstore/x509/key_handle.h"

/// Receipts as they travel: an MDN's report, signed or not, made for a partner's message or checked for ours.

namespace signet::as2 {

/// How a receipt of ours is secured.
struct ReceiptSettings {
  std::optional<certstore::PrivateCertificate> signer;  ///< signs when set
  cms::SignOptions sign;
  mime::TransferEncoding signature_encoding = mime::TransferEncoding::Base64;
  Sha2Format sha2_format = Sha2Format::ShaHyphenHashSize;
  SpoolArea spool;
};

/// A receipt as MIME headers (Content-Type, ...) and body.
struct Receipt {
  mime::Headers headers;
  Bytes body;
};

/// @error  as cms::sign_detached().
Result<Receipt> make_receipt(const MdnContent& content, const ReceiptSettings& settings);

/// What a receipt has to say to prove that our message was delivered.
struct ReceiptExpectation {
  MessageId message_id;
  std::optional<Mic> mic;  ///< of the message; nothing compares no MIC
  bool must_be_signed = true;
  std::vector<certstore::Certificate> signers;  ///< the partner's; one of them must have signed
  cms::VerifyPolicy verify;
  Time now{};  ///< the signer's certificate must be valid then
  SpoolArea spool;
};

enum class MicStatus { NotApplicable, Matched, Mismatched, Missing };
std::string_view to_string(MicStatus status);

/// The answer of check_receipt(): a verdict, not an error.
struct ReceiptVerdict {
  bool proves_delivery = false;
  /// Whether it is the partner's word, as far as the agreement has him sign: false for a receipt that must be
  /// signed and is not, or whose signature names none of the partner's certificates. Anybody can have made
  /// such a one. One that names him, and does not hold, is his.
  bool names_partner = true;
  std::string reason;                         ///< why not, for the operator; empty when it does
  std::optional<MdnContent> content;          ///< when it could be read
  std::optional<cms::VerifiedSigner> signer;  ///< when it was signed and the signature holds
  MicStatus mic_status = MicStatus::NotApplicable;
};

/// Looks at what a partner answered. It proves delivery when it is a receipt for this very message, signed by
/// the partner's certificate where a signature is demanded, with this MIC, and says "processed" (RFC 4130
/// section 7.4, 7.6). A signature that is there is always verified, wanted or not.
ReceiptVerdict check_receipt(const mime::Headers& headers, const Slice& body,
                             const ReceiptExpectation& expected);

/// Whether an HTTP message with these headers may hold a receipt: a report, or something signed.
bool may_be_receipt(const mime::Headers& headers);

/// A signed receipt cut in two, as it came: the octets that are signed, and the signature over them (CMS).
struct SignedReceipt {
  Slice content;
  Bytes signature;
};

/// Cuts a receipt in two, for others to verify; nothing for one that is not signed.
///
/// @error InvalidInput  a multipart/signed that cannot be cut.  @error LimitExceeded  a signature over 1 MiB.
Result<std::optional<SignedReceipt>> split_receipt(const mime::Headers& headers, const Slice& body,
                                                   const SpoolArea& spool);

/// What a receipt says, without looking at its signature: which message it is for, so that check_receipt()
/// can be asked about that one. Claims, and nothing else.
///
/// @error  as parse_mdn().
Result<MdnContent> read_receipt_claims(const mime::Headers& headers, const Slice& body,
                                       const SpoolArea& spool);

}  // namespace signet::as2
