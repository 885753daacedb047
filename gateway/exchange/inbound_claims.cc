#include <fmt/format.h>

#include <utility>

#include "gateway/exchange/inbound_claims_internal.h"

namespace signet::gateway {

std::string field(const as2::mime::Headers& headers, std::string_view name) {
  return std::string(headers.value(name).value_or(""));
}

tl::expected<Claims, NotForUs> read_claims(const as2::mime::Headers& headers) {
  for (const std::string_view name : {"AS2-From", "AS2-To", "Message-ID", "Content-Type"})
    if (!headers.has(name))
      return tl::unexpected(
          NotForUs{400, fmt::format("not an AS2 message: the header field {} is missing", name)});
  Claims claims;
  for (const auto& [name, claimed] : {std::pair{"AS2-From", &claims.from}, std::pair{"AS2-To", &claims.to}}) {
    auto parsed = as2::As2Name::parse(field(headers, name));
    if (!parsed)
      return tl::unexpected(
          NotForUs{400, fmt::format("{} is not an AS2 name: {}", name, parsed.error().detail)});
    *claimed = *std::move(parsed);
  }
  if (auto id = as2::MessageId::parse(field(headers, "Message-ID"))) claims.message_id = *std::move(id);
  claims.subject = field(headers, "Subject");
  claims.receipt = as2::parse_receipt_request(headers);
  return claims;
}

std::optional<NotForUs> foreign_body(const as2::mime::Headers& headers, std::uint64_t size) {
  const std::string coding = field(headers, "Content-Encoding");
  if (!coding.empty() && !equal_ignoring_case(coding, "identity"))
    return NotForUs{415,
                    fmt::format("expected a body without an HTTP Content-Encoding, got '{}': send it as it "
                                "is, or compress the message itself (RFC 5402)",
                                printable(coding))};
  const std::string range = field(headers, "Content-Range");
  const std::string whole = fmt::format("bytes 0-{}/{}", size == 0 ? 0 : size - 1, size);
  if (!range.empty() && !equal_ignoring_case(range, whole))
    return NotForUs{400, fmt::format("expected a whole message, got a part of one (Content-Range: {}): AS2 "
                                     "Restart is not spoken here; send all of it in one request",
                                     printable(range))};
  return std::nullopt;
}

}  // namespace signet::gateway
