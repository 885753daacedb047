#include "as2/receipt.h"

#include <fmt/format.h>

#include <utility>

#include "as2/mime/content_type.h"
#include "as2/mime/entity.h"
#include "as2/mime/transfer_encoding.h"
#include "as2/multipart_signed.h"

namespace signet::as2 {
namespace {

constexpr std::size_t kMaxReceiptSize = 1024 * 1024;

struct Unwrapped {
  mime::Entity report;
  std::optional<cms::VerifiedSigner> signer;
};

/// The two parts of a signed receipt; nothing for one that is not signed.
Result<std::optional<mime::SignedParts>> split(const mime::Entity& outer, const SpoolArea& spool) {
  SIGNET_TRY(const auto type, mime::content_type(outer.headers));
  if (!type || !type->is("multipart/signed")) return std::nullopt;
  const auto boundary = type->parameter("boundary");
  if (!boundary) return fail(ErrorKind::InvalidInput, "its multipart/signed has no boundary parameter");
  SIGNET_TRY(const Slice octets, mime::decoded(outer, spool));
  SIGNET_TRY(mime::SignedParts parts, mime::split_signed(octets, *boundary));
  return parts;
}

/// Verifies and takes off the signature, if there is one.
Step<Unwrapped> unwrap(const mime::Headers& headers, const Slice& body, const ReceiptExpectation& expected) {
  SIGNET_TRY(const auto parts,
             or_refuse(Fault::AuthenticationFailed, split_receipt(headers, body, expected.spool)));
  if (!parts) return Unwrapped{mime::Entity{headers, body, body}, std::nullopt};
  SIGNET_TRY(cms::VerifiedSigner signer,
             cms::verify_detached(parts->signature, parts->content, expected.signers, expected.verify));
  SIGNET_TRY(mime::Entity report,
             or_refuse(Fault::UnexpectedProcessingError, mime::read_entity(parts->content)));
  return Unwrapped{std::move(report), std::move(signer)};
}

MicStatus compare_mic(const MdnContent& content, const ReceiptExpectation& expected) {
  if (!expected.mic) return MicStatus::NotApplicable;
  if (!content.mic) return content.mic_text.empty() ? MicStatus::Missing : MicStatus::Mismatched;
  return *content.mic == *expected.mic ? MicStatus::Matched : MicStatus::Mismatched;
}

/// Whether a signature that was turned down names a certificate of the partner's: it was looked at with that
/// one.
bool names_accepted_signer(const Refusal& refusal) {
  return refusal.cause.kind == ErrorKind::CryptoFailure || refusal.cause.kind == ErrorKind::Unsupported;
}

std::string objection(const ReceiptVerdict& verdict, const ReceiptExpectation& expected) {
  const MdnContent& content = *verdict.content;
  if (!content.original_message_id) return "the receipt names no Original-Message-ID, so it settles nothing";
  if (*content.original_message_id != expected.message_id)
    return fmt::format("the receipt is for message {}, not for {}",
                       printable(content.original_message_id->text()), printable(expected.message_id.text()));
  if (!content.disposition.accepted())
    return fmt::format("the partner did not accept the message: {}", printable(content.disposition.text));
  if (expected.must_be_signed && !verdict.signer)
    return "the receipt is not signed, and the agreement asks for a signed one";
  if (verdict.signer && !verdict.signer->certificate().valid_at(expected.now))
    return fmt::format("the receipt's signer {} has a certificate that is valid from {} to {} only",
                       verdict.signer->certificate().subject(),
                       to_rfc3339(verdict.signer->certificate().not_before()),
                       to_rfc3339(verdict.signer->certificate().not_after()));
  switch (verdict.mic_status) {
    case MicStatus::Matched:
    case MicStatus::NotApplicable:
      return "";
    case MicStatus::Missing:
      // An unsigned receipt may go without [RFC4130 7.4.3]; it proves little in any case.
      return verdict.signer
                 ? "the receipt has no Received-Content-MIC, so the partner may have received something else"
                 : "";
    case MicStatus::Mismatched:
      if (content.mic && content.mic->hash != expected.mic->hash)
        return fmt::format(
            "the receipt's MIC is a {}, and the message's is a {}, so they cannot be compared: agree on the "
            "hash",
            to_string(content.mic->hash), to_string(expected.mic->hash));
      return fmt::format("the receipt's MIC is {}, ours is {}: the partner received something else",
                         printable(content.mic_text), to_string(*expected.mic));
  }
  return "the MIC was not compared";
}

}  // namespace

std::string_view to_string(MicStatus status) {
  switch (status) {
    case MicStatus::NotApplicable:
      return "not-applicable";
    case MicStatus::Matched:
      return "matched";
    case MicStatus::Mismatched:
      return "mismatched";
    case MicStatus::Missing:
      return "missing";
  }
  return "not-applicable";
}

Result<Receipt> make_receipt(const MdnContent& content, const ReceiptSettings& settings) {
  BuiltMdn report = build_mdn(content);
  if (!settings.signer) return Receipt{std::move(report.headers), std::move(report.body)};
  SIGNET_TRY(MultipartSigned made,
             sign_multipart(Slice::of(report.entity()), *settings.signer, settings.sign, settings.sha2_format,
                            settings.signature_encoding, settings.spool));
  SIGNET_TRY(Bytes body, made.body.to_bytes(kMaxReceiptSize));
  return Receipt{std::move(made.headers), std::move(body)};
}

bool may_be_receipt(const mime::Headers& headers) {
  if (is_mdn(headers)) return true;
  const auto type = mime::content_type(headers);
  return type && *type && (*type)->is("multipart/signed");
}

Result<std::optional<SignedReceipt>> split_receipt(const mime::Headers& headers, const Slice& body,
                                                   const SpoolArea& spool) {
  SIGNET_TRY(const auto parts, split({headers, body, body}, spool));
  if (!parts) return std::nullopt;
  SIGNET_TRY(const Slice signature, mime::decoded(parts->signature, spool));
  SIGNET_TRY(Bytes octets, signature.to_bytes(kMaxReceiptSize));
  return SignedReceipt{parts->content, std::move(octets)};
}

Result<MdnContent> read_receipt_claims(const mime::Headers& headers, const Slice& body,
                                       const SpoolArea& spool) {
  if (body.size() > kMaxReceiptSize)
    return fail(ErrorKind::LimitExceeded,
                fmt::format("{} octets were posted; a receipt has at most {}", body.size(), kMaxReceiptSize));
  const mime::Entity outer{headers, body, body};
  SIGNET_TRY(const auto parts, split(outer, spool));
  if (!parts) return parse_mdn(outer);
  SIGNET_TRY(const mime::Entity report, mime::read_entity(parts->content));
  return parse_mdn(report);
}

ReceiptVerdict check_receipt(const mime::Headers& headers, const Slice& body,
                             const ReceiptExpectation& expected) {
  ReceiptVerdict verdict;
  verdict.names_partner = !expected.must_be_signed;
  if (body.size() > kMaxReceiptSize) {
    verdict.reason =
        fmt::format("the answer has {} octets; a receipt has at most {}", body.size(), kMaxReceiptSize);
    return verdict;
  }
  auto unwrapped = unwrap(headers, body, expected);
  if (!unwrapped) {
    verdict.names_partner = verdict.names_partner || names_accepted_signer(unwrapped.error());
    verdict.reason = "the receipt's signature does not hold: " + unwrapped.error().cause.detail;
    return verdict;
  }
  verdict.names_partner = verdict.names_partner || unwrapped->signer.has_value();
  auto content = parse_mdn(unwrapped->report);
  if (!content) {
    verdict.reason = "the answer is not a receipt: " + content.error().detail;
    return verdict;
  }
  verdict.signer = std::move(unwrapped->signer);
  verdict.content = *std::move(content);
  verdict.mic_status = compare_mic(*verdict.content, expected);
  verdict.reason = objection(verdict, expected);
  verdict.proves_delivery = verdict.reason.empty();
  return verdict;
}

}  // namespace signet::as2
