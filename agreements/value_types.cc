#include "agreements/value_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "base/digest.h"
#include "base/file.h"
#include "base/network.h"

namespace signet::agreements {

namespace {

constexpr std::size_t kMaxCertificateFile = 64 * 1024;
constexpr std::string_view kPemBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kPemEnd = "-----END CERTIFICATE-----";

/// Wrong in the way that `expected` and the text itself already tell.
tl::unexpected<Error> wrong(std::string_view why = {}) {
  return fail(ErrorKind::InvalidInput, std::string(why));
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }
bool is_printable_ascii(char c) { return c >= 0x20 && c <= 0x7E; }
bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         std::string_view("-_.()").find(c) != std::string_view::npos;
}

template <class Predicate>
bool all(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

Result<> keep(std::string_view text, std::string& value, bool good) {
  if (!good) return wrong();
  value = text;
  return {};
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

/// Largest first, so that the first one that divides is the shortest way to write a number.
constexpr std::array<Unit, 5> kDurationUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"min", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 9> kSizeUnits{{{"TiB", 1ULL << 40},
                                          {"TB", 1'000'000'000'000},
                                          {"GiB", 1ULL << 30},
                                          {"GB", 1'000'000'000},
                                          {"MiB", 1ULL << 20},
                                          {"MB", 1'000'000},
                                          {"KiB", 1ULL << 10},
                                          {"KB", 1'000},
                                          {"B", 1}}};

std::optional<std::uint64_t> parse_quantity(std::string_view text, std::span<const Unit> units,
                                            std::uint64_t largest) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  std::uint64_t number = 0;
  if (digits == 0 || std::from_chars(text.data(), text.data() + digits, number).ec != std::errc{})
    return std::nullopt;
  for (const Unit& unit : units)
    if (unit.name == text.substr(digits) && number > 0 && number <= largest / unit.factor)
      return number * unit.factor;
  return std::nullopt;
}

std::string write_quantity(std::uint64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units)
    if (value >= unit.factor && value % unit.factor == 0)
      return fmt::format("{}{}", value / unit.factor, unit.name);
  return fmt::format("0{}", units.back().name);
}

/// Whether the octets are one DER SEQUENCE from the first to the last: what a certificate is, and what a
/// truncated file, or two certificates one after the other, are not.
bool is_one_sequence(ByteView der) {
  if (der.size() < 2 || der[0] != 0x30) return false;
  if (der[1] < 0x80) return der.size() == std::size_t{2} + der[1];
  const std::size_t length_octets = der[1] & 0x7FU;
  if (length_octets == 0 || length_octets > 4 || der.size() < 2 + length_octets) return false;
  std::size_t length = 0;
  for (std::size_t i = 0; i < length_octets; ++i) length = length << 8 | der[2 + i];
  return der.size() == 2 + length_octets + length;
}

Result<> take_certificate(Bytes der, Bytes& value) {
  if (!is_one_sequence(der)) return wrong("octets that are not one whole DER certificate");
  value = std::move(der);
  return {};
}

Result<> read_pem(std::string_view text, Bytes& value) {
  const std::size_t begin = text.find(kPemBegin);
  const std::size_t end = text.find(kPemEnd, begin);
  if (begin == std::string_view::npos || end == std::string_view::npos)
    return wrong("PEM that has no certificate");
  if (text.find(kPemBegin, end) != std::string_view::npos) return wrong("more than one certificate");
  if (text.find("PRIVATE KEY") != std::string_view::npos)
    return wrong("a private key beside the certificate; keys belong in a key vault");
  const std::size_t content = begin + kPemBegin.size();
  Result<Bytes> der = parse_base64(text.substr(content, end - content));
  if (!der) return wrong("PEM whose content is not base64");
  return take_certificate(*std::move(der), value);
}

/// An absolute form of a path that stands in the XML.
Result<std::filesystem::path> beside_the_xml(std::string_view text, const ParseContext& context) {
  if (text.empty() || text.find('\0') != std::string_view::npos) return wrong();
  const std::filesystem::path path(text);
  if (path.is_absolute()) return path.lexically_normal();
  if (context.base_directory.empty())
    return wrong(fmt::format("'{}' in a document that is no file", printable(text)));
  return (context.base_directory / path).lexically_normal();
}

}  // namespace

Result<> BooleanCodec::read(std::string_view text, bool& value, const ParseContext&) {
  // XML Schema's xs:boolean knows 1 and 0 as well.
  if (text != "true" && text != "false" && text != "1" && text != "0") return wrong();
  value = text == "true" || text == "1";
  return {};
}

Result<> TextCodec::read(std::string_view text, std::string& value, const ParseContext&) {
  value = text;
  return {};
}

ValueType LineCodec::type() {
  return {"text on one line", "text on one line, without control characters", "line",
          "<xs:pattern value=\"\\P{Cc}*\"/>", "xs:string"};
}
Result<> LineCodec::read(std::string_view text, std::string& value, const ParseContext&) {
  return keep(text, value, text.size() <= 998 && std::none_of(text.begin(), text.end(), is_control));
}

ValueType WordsCodec::type() {
  return {"text on one line, not empty", "some text on one line, without control characters", "words",
          "<xs:pattern value=\"\\P{Cc}+\"/>", "xs:token"};
}
Result<> WordsCodec::read(std::string_view text, std::string& value, const ParseContext&) {
  return keep(text, value,
              !text.empty() && text.size() <= 998 && std::none_of(text.begin(), text.end(), is_control));
}

ValueType NameCodec::type() {
  return {"name", "a name of 1 to 80 letters, digits and - _ . ( )", "name",
          "<xs:pattern value=\"[A-Za-z0-9\\-_.\\(\\)]{1,80}\"/>"};
}
Result<> NameCodec::read(std::string_view text, std::string& value, const ParseContext&) {
  return keep(text, value, !text.empty() && text.size() <= 80 && all(text, is_name_character));
}

ValueType IdentityCodec::type() {
  return {"identity", "1 to 128 printable ASCII characters", "identity",
          "<xs:pattern value=\"[ -~]{1,128}\"/>"};
}
Result<> IdentityCodec::read(std::string_view text, std::string& value, const ParseContext&) {
  return keep(text, value, !text.empty() && text.size() <= 128 && all(text, is_printable_ascii));
}

ValueType UrlCodec::type() {
  return {"URL", "an absolute http or https URL without user name and password", "url",
          "<xs:pattern value=\"[Hh][Tt][Tt][Pp][Ss]?://[^ /?#:][^ ]*\"/>"};
}
Result<> UrlCodec::read(std::string_view text, std::string& value, const ParseContext&) {
  const std::string start = to_lower(text.substr(0, 8));
  const std::size_t scheme = start == "https://" ? 8 : start.starts_with("http://") ? 7 : 0;
  if (scheme == 0 || text.size() > 2048 || !all(text, [](char c) { return c > 0x20 && c <= 0x7E; }))
    return wrong();
  const std::string_view authority = text.substr(scheme, text.find_first_of("/?#", scheme) - scheme);
  if (authority.find('@') != std::string_view::npos)
    return wrong(
        "a user name or password in the URL; use x:basicAuthentication, whose password is in a key vault");
  return keep(text, value, !authority.empty() && authority.front() != ':');
}

ValueType NetworkCodec::type() {
  return {"network", "an IP network such as 10.0.0.0/8 or fd00::/8", "network",
          "<xs:pattern value=\"[0-9A-Fa-f:.]+(/[0-9]{1,3})?\"/>"};
}
Result<> NetworkCodec::read(std::string_view text, std::string& value, const ParseContext&) {
  return keep(text, value, IpNetwork::parse(text).has_value());
}

ValueType MediaTypeCodec::type() {
  return {"media type", "a media type such as application/edi-x12", "mediaType",
          "<xs:pattern value=\"[^ /;]+/[^ /;]+( *;.*)?\"/>"};
}
Result<> MediaTypeCodec::read(std::string_view text, std::string& value, const ParseContext&) {
  const std::string_view essence = trim(text.substr(0, text.find(';')));
  const std::size_t slash = essence.find('/');
  const auto token = [](std::string_view part) {
    return !part.empty() && all(part, [](char c) { return c > 0x20 && c <= 0x7E && c != '/' && c != '"'; });
  };
  const bool good = slash != std::string_view::npos && token(essence.substr(0, slash)) &&
                    token(essence.substr(slash + 1)) && text.size() <= 998 && all(text, is_printable_ascii);
  return keep(text, value, good);
}

ValueType PathCodec::type() { return {"path", "a file's path", "words", WordsCodec::type().schema_facets}; }
Result<> PathCodec::read(std::string_view text, std::string& value, const ParseContext& context) {
  SIGNET_TRY(const std::filesystem::path path, beside_the_xml(text, context));
  value = path.string();
  return {};
}

ValueType CertificateCodec::type() {
  return {"certificate", "one certificate as base64 or PEM", "xs:string", {}};
}
std::string CertificateCodec::write(const Bytes& value) { return base64(value); }
std::string CertificateCodec::show(const Bytes& value) {
  return "SHA-256 " + hex_upper(digest(Hash::Sha256, value));
}
Result<> CertificateCodec::read(std::string_view text, Bytes& value, const ParseContext&) {
  if (text.find("-----BEGIN") != std::string_view::npos) return read_pem(text, value);
  Result<Bytes> der = parse_base64(text);
  if (!der) return wrong("text that is neither base64 nor PEM");
  if (der->empty()) return wrong("nothing");
  return take_certificate(*std::move(der), value);
}

ValueType CertificateFileCodec::type() {
  return {"path", "the path of a file with one certificate, PEM or DER", "words",
          WordsCodec::type().schema_facets};
}
Result<> CertificateFileCodec::read(std::string_view text, Bytes& value, const ParseContext& context) {
  SIGNET_TRY(const std::filesystem::path path, beside_the_xml(text, context));
  Result<Bytes> content = read_file(path, kMaxCertificateFile);
  if (!content) return wrong("a file that cannot be read: " + content.error().detail);
  if (is_one_sequence(*content)) return take_certificate(*std::move(content), value);
  const Result<> read = CertificateCodec::read(as_text(*content), value, context);
  if (!read) return wrong(fmt::format("'{}', which holds {}", printable(path.string()), read.error().detail));
  return {};
}

ValueType DurationCodec::type() {
  return {"duration", "a time span such as 500ms, 30s, 5min, 2h or 7d", "duration",
          "<xs:pattern value=\"[0-9]{1,12}(ms|s|min|h|d)\"/>"};
}
std::string DurationCodec::write(std::chrono::milliseconds value) {
  return write_quantity(static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0)), kDurationUnits);
}
Result<> DurationCodec::read(std::string_view text, std::chrono::milliseconds& value, const ParseContext&) {
  const std::optional<std::uint64_t> quantity = parse_quantity(text, kDurationUnits, 3653ULL * 86'400'000);
  if (!quantity) return wrong();
  value = std::chrono::milliseconds(static_cast<std::int64_t>(*quantity));
  return {};
}

ValueType SizeCodec::type() {
  return {"size", "a size such as 500KB, 64MiB or 2GiB", "size",
          "<xs:pattern value=\"[0-9]{1,16}(B|KB|KiB|MB|MiB|GB|GiB|TB|TiB)\"/>"};
}
std::string SizeCodec::write(std::uint64_t value) { return write_quantity(value, kSizeUnits); }
Result<> SizeCodec::read(std::string_view text, std::uint64_t& value, const ParseContext&) {
  const std::optional<std::uint64_t> quantity = parse_quantity(text, kSizeUnits, 1ULL << 50);
  if (!quantity) return wrong();
  value = *quantity;
  return {};
}

ValueType TimeCodec::type() {
  return {"date", "a date such as 2027-01-31 (midnight, UTC) or a moment such as 2027-01-31T08:30:00Z",
          "moment",
          "<xs:pattern value=\"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+(Z|[+\\-][0-9]{2}:[0-9]{2}))?\"/>"};
}
std::string TimeCodec::write(Time value) {
  const auto day = std::chrono::floor<std::chrono::days>(value);
  std::string text = to_rfc3339(
      std::chrono::time_point_cast<Time::duration>(std::chrono::floor<std::chrono::seconds>(value)));
  if (value == day) return text.substr(0, 10);
  text.resize(19);  // "2027-01-31T08:30:00": base writes milliseconds, we need all or none
  const std::int64_t micros = (value - std::chrono::floor<std::chrono::seconds>(value)).count();
  return micros == 0 ? text + "Z" : fmt::format("{}.{:06}Z", text, micros);
}
Result<> TimeCodec::read(std::string_view text, Time& value, const ParseContext&) {
  const Result<Time> time = parse_time(text);
  if (!time) return wrong();
  value = *time;
  return {};
}

ValueType FactorCodec::type() {
  return {"number from 1 to 10", "a number from 1 to 10", "factor",
          "<xs:pattern value=\"[0-9]{1,2}(\\.[0-9]{1,3})?\"/><xs:minInclusive value=\"1\"/><xs:maxInclusive "
          "value=\"10\"/>",
          "xs:decimal"};
}
std::string FactorCodec::write(double value) { return fmt::format("{}", value); }
Result<> FactorCodec::read(std::string_view text, double& value, const ParseContext&) {
  const std::size_t point = std::min(text.find('.'), text.size());
  const bool whole = point == text.size();
  const std::optional<std::int64_t> integer = parse_integer(text.substr(0, point), 0, 10);
  const std::string_view fraction = whole ? "0" : text.substr(point + 1);
  const std::optional<std::int64_t> decimals = parse_integer(fraction, 0, 999);
  if (!integer || !decimals || fraction.size() > 3) return wrong();
  // From thousandths, so that what write() prints for it is the number that was read.
  std::int64_t thousandths = *decimals;
  for (std::size_t i = fraction.size(); i < 3; ++i) thousandths *= 10;
  thousandths += *integer * 1000;
  if (thousandths < 1000 || thousandths > 10'000) return wrong();
  value = static_cast<double>(thousandths) / 1000.0;
  return {};
}

ValueType integer_type(std::int64_t smallest, std::int64_t largest) {
  const std::string range = fmt::format("{} to {}", smallest, largest);
  return {"integer, " + range, "a whole number, " + range, fmt::format("integer{}to{}", smallest, largest),
          fmt::format("<xs:pattern value=\"[0-9]{{1,10}}\"/><xs:minInclusive value=\"{}\"/><xs:maxInclusive "
                      "value=\"{}\"/>",
                      smallest, largest),
          "xs:integer"};
}

std::optional<std::int64_t> parse_integer(std::string_view text, std::int64_t smallest,
                                          std::int64_t largest) {
  std::int64_t number = 0;
  if (text.empty() || text.size() > 10 || !all(text, [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  std::from_chars(text.data(), text.data() + text.size(), number);
  if (number < smallest || number > largest) return std::nullopt;
  return number;
}

ValueType enum_type(std::string_view name, std::span<const std::string_view> values, std::size_t first,
                    std::size_t count) {
  ValueType type;
  for (const std::string_view value : values.subspan(first, count))
    type.expected += (type.expected.empty() ? "one of " : ", ") + std::string(value);
  for (const std::string_view value : values) {
    type.name += (type.name.empty() ? "" : " \\| ") + fmt::format("`{}`", value);
    type.schema_facets += fmt::format("<xs:enumeration value=\"{}\"/>", value);
  }
  type.schema_name = name;
  return type;
}

}  // namespace signet::agreements
