#include <fmt/format.h>

#include <algorithm>

#include "gateway/exchange/agreement_settings.h"
#include "gateway/exchange/receipt_terms_internal.h"
#include "gateway/exchange/receipt_url.h"

namespace signet::gateway {

using agreements::ReceiptForUnsigned;
using as2::Fault;

namespace {

/// What stands before a URL's colon, where it is a scheme by its letters [RFC3986 3.1]; else empty.
std::string_view scheme_of(std::string_view url) {
  const std::size_t end =
      url.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
  return end != std::string_view::npos && url[end] == ':' ? url.substr(0, end) : std::string_view();
}

}  // namespace

bool ReceiptTerms::overrides_headers() const {
  return agreed_.validation_settings.override_message_properties;
}

bool ReceiptTerms::names_url() const { return asked_.wanted && asked_.async_url.has_value(); }

bool ReceiptTerms::names_other_scheme() const {
  if (!names_url()) return false;
  const std::string_view scheme = scheme_of(*asked_.async_url);
  return !scheme.empty() && !equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https");
}

std::string ReceiptTerms::url() const {
  const agreements::MdnSettings& mdn = agreed_.mdn_settings;
  if (!mdn.need_mdn) return {};
  if (overrides_headers()) return mdn.send_mdn_asynchronously ? mdn.receipt_delivery_url : std::string();
  if (names_url() && allows_receipt_url(agreed_, *asked_.async_url)) return *asked_.async_url;
  return {};
}

std::optional<std::string> ReceiptTerms::refused_url() const {
  if (!agreed_.mdn_settings.need_mdn || overrides_headers() || !names_url()) return std::nullopt;
  if (names_other_scheme()) return std::nullopt;  // check() refuses that
  if (allows_receipt_url(agreed_, *asked_.async_url)) return std::nullopt;
  return asked_.async_url;
}

as2::Step<> ReceiptTerms::check_scheme() const {
  if (!agreed_.mdn_settings.need_mdn || overrides_headers() || !names_other_scheme()) return {};
  return as2::refuse(
      Fault::UnsupportedFormat, ErrorKind::Unsupported,
      fmt::format(
          "the receipt is asked for at '{}' (Receipt-Delivery-Option), but is posted to http and https "
          "URLs only: let the partner name one of these, or ask for the receipt in the HTTP answer; or "
          "let the agreement say where it goes (overrideMessageProperties, receiptDeliveryUrl)",
          printable(*asked_.async_url)));
}

as2::Step<> ReceiptTerms::check() const {
  SIGNET_CHECK(check_scheme());
  if (!asked_.wanted || !asked_.signed_wanted) return {};
  if (!asked_.protocol_supported)
    return as2::refuse(Fault::UnsupportedFormat, ErrorKind::Unsupported,
                       "a signed receipt is asked for in a protocol other than pkcs7-signature");
  if (!asked_.hashes.empty() && !names_allowed_hash())
    return as2::refuse(Fault::UnsupportedMicAlgorithms, ErrorKind::Unsupported,
                       "a signed receipt is asked for with none but hash algorithms that are weak: let the "
                       "partner ask for "
                       "sha-256, or state an exception in the agreement");
  if (asked_.only_unknown_hashes())
    return as2::refuse(
        Fault::UnsupportedMicAlgorithms, ErrorKind::Unsupported,
        fmt::format("a signed receipt is asked for with none but unknown hash algorithms, the first is '{}'",
                    printable(asked_.unknown_hashes.front())));
  return {};
}

bool ReceiptTerms::wanted(bool proven) const {
  if (!proven && agreed_.receipt_policy.receipt_for_unsigned_messages == ReceiptForUnsigned::None)
    return false;
  return agreed_.mdn_settings.need_mdn && (overrides_headers() || asked_.wanted);
}

bool ReceiptTerms::is_signed(bool proven) const {
  if (!agreed_.mdn_settings.sign_mdn) return false;
  if (!proven && agreed_.receipt_policy.receipt_for_unsigned_messages == ReceiptForUnsigned::Unsigned)
    return false;
  if (overrides_headers()) return true;
  if (!asked_.signature_required && !agreed_.mdn_settings.sign_outbound_mdn_if_optional) return false;
  return asked_.signed_wanted && asked_.protocol_supported;
}

std::vector<Hash> ReceiptTerms::allowed_hashes() const {
  std::vector<Hash> allowed = {Hash::Sha256, Hash::Sha384, Hash::Sha512};
  if (agreements::allows_weak(agreed_, agreements::WeakAlgorithm::SHA1, received_))
    allowed.push_back(Hash::Sha1);
  return allowed;
}

bool ReceiptTerms::names_allowed_hash() const {
  const std::vector<Hash> allowed = allowed_hashes();
  return std::ranges::any_of(asked_.hashes, [&](const as2::RequestedHash& named) {
    return std::ranges::find(allowed, named.hash) != allowed.end();
  });
}

Hash ReceiptTerms::signature_hash() const {
  for (const as2::RequestedHash& named : asked_.hashes)
    for (const Hash hash : {Hash::Sha256, Hash::Sha384, Hash::Sha512})
      if (named.hash == hash) return hash;
  const Hash agreed = to_hash(agreed_.validation_settings.signing_algorithm);
  return agreed == Hash::Sha1 ? Hash::Sha256 : agreed;
}

std::optional<std::string> ReceiptTerms::spelling_of(Hash hash) const {
  for (const as2::RequestedHash& named : asked_.hashes)
    if (named.hash == hash) return named.spelling;
  return std::nullopt;
}

}  // namespace signet::gateway
