#include "as2/mic.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace signet::as2 {
namespace {

constexpr std::size_t kMaxField = 256;

constexpr std::array<std::pair<std::string_view, Hash>, 22> kNames = {{
    {"md5", Hash::Md5},
    {"sha", Hash::Sha1},
    {"sha1", Hash::Sha1},
    {"sha2", Hash::Sha256},
    {"sha224", Hash::Sha224},
    {"sha2224", Hash::Sha224},
    {"sha256", Hash::Sha256},
    {"sha2256", Hash::Sha256},
    {"sha384", Hash::Sha384},
    {"sha2384", Hash::Sha384},
    {"sha512", Hash::Sha512},
    {"sha2512", Hash::Sha512},
    {"1.2.840.113549.2.5", Hash::Md5},
    {"1.3.14.3.2.26", Hash::Sha1},
    {"2.16.840.1.101.3.4.2.4", Hash::Sha224},
    {"2.16.840.1.101.3.4.2.1", Hash::Sha256},
    {"2.16.840.1.101.3.4.2.2", Hash::Sha384},
    {"2.16.840.1.101.3.4.2.3", Hash::Sha512},
    {"sha256withrsa", Hash::Sha256},
    {"sha384withrsa", Hash::Sha384},
    {"sha512withrsa", Hash::Sha512},
    {"sha1withrsa", Hash::Sha1},
}};

/// Without what the spellings differ in: case, quotes, hyphens, underscores, spaces, and "rsa" in front.
std::string simplified(std::string_view name) {
  std::string out;
  for (const char c : to_lower(name))
    if (std::string_view("-_ \t\"'").find(c) == std::string_view::npos) out.push_back(c);
  if (out.substr(0, 3) == "rsa") out.erase(0, 3);
  return out;
}

std::string sha2_name(std::string_view bits, Sha2Format format) {
  switch (format) {
    case Sha2Format::Sha2:
      return bits == "256" ? "sha2" : fmt::format("sha{}", bits);
    case Sha2Format::ShaHashSize:
      return fmt::format("sha{}", bits);
    case Sha2Format::ShaHyphenHashSize:
      return fmt::format("sha-{}", bits);
    case Sha2Format::Sha2UnderscoreHashSize:
      return fmt::format("sha2_{}", bits);
  }
  return fmt::format("sha-{}", bits);
}

}  // namespace

std::optional<Hash> parse_hash_name(std::string_view name) {
  if (name.size() > 64) return std::nullopt;
  const std::string simple = simplified(name);
  for (const auto& [known, hash] : kNames)
    if (simple == known) return hash;
  return std::nullopt;
}

std::string hash_name(Hash hash, Sha2Format format) {
  switch (hash) {
    case Hash::Md5:
      return "md5";
    case Hash::Sha1:
      return "sha1";
    case Hash::Sha224:
      return sha2_name("224", format);
    case Hash::Sha256:
      return sha2_name("256", format);
    case Hash::Sha384:
      return sha2_name("384", format);
    case Hash::Sha512:
      return sha2_name("512", format);
  }
  return "sha-256";
}

Result<Mic> parse_mic(std::string_view field_value) {
  if (field_value.size() > kMaxField)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a MIC of {} octets where {} are allowed", field_value.size(), kMaxField));
  const std::size_t comma = field_value.find(',');
  if (comma == std::string_view::npos)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a MIC should be '<base64>, <algorithm>' and is '{}'", printable(field_value)));
  const std::string_view name = trim(field_value.substr(comma + 1));
  const auto hash = parse_hash_name(name);
  if (!hash)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a MIC by '{}', which is no hash algorithm that we know", printable(name)));
  if (*hash == Hash::Md5)
    return fail(ErrorKind::Unsupported, "a MIC by MD5 proves nothing and is not accepted");
  auto value = parse_base64(field_value.substr(0, comma));
  if (!value) return fail(std::move(value).error().within("a MIC"));
  if (value->size() != digest_size(*hash))
    return fail(ErrorKind::InvalidInput, fmt::format("a MIC of {} octets, and {} has {}", value->size(),
                                                     to_string(*hash), digest_size(*hash)));
  return Mic{*hash, *std::move(value)};
}

std::string to_string(const Mic& mic, std::string_view spelling) {
  return fmt::format("{}, {}", base64(mic.value), spelling);
}
std::string to_string(const Mic& mic, Sha2Format format) {
  return to_string(mic, hash_name(mic.hash, format));
}

}  // namespace signet::as2
