#include "as2/receipt_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "as2/mic.h"
#include "base/bytes.h"

namespace signet::as2 {
namespace {

constexpr std::string_view kNotifyTo = "Disposition-Notification-To";
constexpr std::string_view kOptions = "Disposition-Notification-Options";
constexpr std::string_view kDeliveryOption = "Receipt-Delivery-Option";
constexpr std::size_t kMaxHashes = 32;
constexpr std::size_t kMaxSpelling = 64;

/// A word without the quotes and spaces around it.
std::string_view bare(std::string_view word) {
  constexpr std::string_view around = " \t\r\n\"'";
  const std::size_t first = word.find_first_not_of(around);
  if (first == std::string_view::npos) return {};
  return word.substr(first, word.find_last_not_of(around) - first + 1);
}

/// Cuts the front up to `mark` off `text`.
std::string_view take_until(std::string_view& text, char mark) {
  const std::size_t end = text.find(mark);
  const std::string_view front = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return front;
}

bool is_importance(std::string_view word) {
  return equal_ignoring_case(word, "required") || equal_ignoring_case(word, "optional");
}

bool is_our_protocol(std::string_view word) {
  for (const std::string_view name : {"pkcs7-signature", "x-pkcs7-signature", "application/pkcs7-signature",
                                      "application/x-pkcs7-signature", "pkcs7"})
    if (equal_ignoring_case(word, name)) return true;
  return false;
}

/// Takes the options apart, one parameter after the other.
class OptionsReader {
 public:
  explicit OptionsReader(ReceiptRequest& request) : request_(request) {}

  void read(std::string_view options) {
    while (!options.empty()) read_parameter(take_until(options, ';'));
    request_.signed_wanted = protocol_seen_ || hash_list_seen_;
    request_.protocol_supported = our_protocol_seen_ || !other_protocol_seen_;
  }

 private:
  void read_parameter(std::string_view parameter) {
    const std::string_view name = bare(take_until(parameter, '='));
    if (equal_ignoring_case(name, "signed-receipt-protocol")) {
      protocol_seen_ = true;
      while (!parameter.empty()) take_protocol(bare(take_until(parameter, ',')));
    } else if (equal_ignoring_case(name, "signed-receipt-micalg")) {
      hash_list_seen_ = true;
      while (!parameter.empty()) take_hash(bare(take_until(parameter, ',')));
    }
  }

  void take_protocol(std::string_view word) {
    if (equal_ignoring_case(word, "required")) request_.signature_required = true;
    if (word.empty() || is_importance(word)) return;
    (is_our_protocol(word) ? our_protocol_seen_ : other_protocol_seen_) = true;
  }

  void take_hash(std::string_view word) {
    if (word.empty() || is_importance(word)) return;
    if (is_our_protocol(word)) {
      our_protocol_seen_ = true;
      return;
    }
    if (request_.hashes.size() + request_.unknown_hashes.size() == kMaxHashes) return;
    const std::string spelling = printable(word, kMaxSpelling);
    if (const auto hash = parse_hash_name(word))
      request_.hashes.push_back({*hash, spelling == word ? spelling : hash_name(*hash)});
    else
      request_.unknown_hashes.push_back(spelling);
  }

  ReceiptRequest& request_;
  bool protocol_seen_ = false;
  bool our_protocol_seen_ = false;
  bool other_protocol_seen_ = false;
  bool hash_list_seen_ = false;
};

}  // namespace

ReceiptRequest parse_receipt_request(const mime::Headers& headers) {
  ReceiptRequest request;
  if (const auto notify_to = headers.value(kNotifyTo)) {
    request.wanted = true;
    request.notify_to = *notify_to;
  }
  if (const auto options = headers.value(kOptions)) OptionsReader(request).read(*options);
  if (const auto url = headers.value(kDeliveryOption); url && !bare(*url).empty())
    request.async_url = bare(*url);
  return request;
}

void write_receipt_request(const ReceiptRequest& request, mime::Headers& headers) {
  for (const std::string_view name : {kNotifyTo, kOptions, kDeliveryOption}) headers.remove(name);
  if (!request.wanted) return;
  headers.add(kNotifyTo, request.notify_to);
  if (request.signed_wanted) {
    std::string options = "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional";
    for (const RequestedHash& hash : request.hashes) options += fmt::format(", {}", hash.spelling);
    headers.add(kOptions, options);
  }
  if (request.async_url) headers.add(kDeliveryOption, *request.async_url);
}

}  // namespace signet::as2
