#include "certstore/service/thumbprint.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace signet::certstore {
namespace {

constexpr std::size_t kSha1Digits = 40;
constexpr std::size_t kSha256Digits = 64;
constexpr std::string_view kLeftToRightMark = "\u200E";

std::size_t digits_of(ThumbprintAlgorithm algorithm) {
  return algorithm == ThumbprintAlgorithm::Sha1 ? kSha1Digits : kSha256Digits;
}

}  // namespace

std::string_view to_string(ThumbprintAlgorithm algorithm) {
  return algorithm == ThumbprintAlgorithm::Sha1 ? "sha1" : "sha256";
}

Result<ThumbprintAlgorithm> parse_thumbprint_algorithm(std::string_view word) {
  const std::string lower = to_lower(word);
  if (lower == "sha256" || lower == "sha-256") return ThumbprintAlgorithm::Sha256;
  if (lower == "sha1" || lower == "sha-1") return ThumbprintAlgorithm::Sha1;
  return fail(ErrorKind::InvalidInput,
              fmt::format("'{}' is no algorithm of a thumbprint: sha256 and sha1 are", printable(word)));
}

bool Thumbprint::is_of(const Certificate& certificate) const {
  return digits == (algorithm == ThumbprintAlgorithm::Sha1 ? certificate.thumbprint_sha1()
                                                           : certificate.thumbprint_sha256());
}

Result<Thumbprint> parse_thumbprint(std::string_view text, std::optional<ThumbprintAlgorithm> algorithm) {
  std::string digits;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == ' ' || c == ':') continue;
    if (text.substr(at).starts_with(kLeftToRightMark)) {
      at += kLeftToRightMark.size() - 1;
      continue;
    }
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'))
      digits += c;
    else if (c >= 'a' && c <= 'f')
      digits += static_cast<char>(c - 'a' + 'A');
    else
      return fail(ErrorKind::InvalidInput,
                  fmt::format("'{}' is no thumbprint: hexadecimal digits are, with spaces and colons between",
                              printable(text)));
  }
  if (!algorithm)
    algorithm = digits.size() == kSha1Digits ? ThumbprintAlgorithm::Sha1 : ThumbprintAlgorithm::Sha256;
  if (digits.size() != digits_of(*algorithm))
    return fail(ErrorKind::InvalidInput,
                fmt::format("'{}' is no thumbprint: it has {} hexadecimal digits; {} has {}", printable(text),
                            digits.size(), to_string(*algorithm), digits_of(*algorithm)));
  return Thumbprint{*algorithm, std::move(digits)};
}

std::string to_string(const Thumbprint& thumbprint) {
  return fmt::format("{} {}", to_string(thumbprint.algorithm), thumbprint.digits);
}

}  // namespace signet::certstore
