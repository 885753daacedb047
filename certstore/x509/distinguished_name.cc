#include "certstore/x509/distinguished_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/openssl.h"
#include "certstore/x509/object_identifier_internal.h"

namespace signet::certstore {
namespace {

constexpr std::size_t kLongestText = 2000;
constexpr std::string_view kEscaped = "\"+,;<>\\";  // RFC 4514 section 2.4

struct TypeWord {
  std::string_view word;
  int nid;
};

/// RFC 4514 section 3, and what Windows and Azure's portal write.
constexpr std::array<TypeWord, 20> kTypes{{{"CN", NID_commonName},
                                           {"O", NID_organizationName},
                                           {"OU", NID_organizationalUnitName},
                                           {"L", NID_localityName},
                                           {"ST", NID_stateOrProvinceName},
                                           {"S", NID_stateOrProvinceName},
                                           {"C", NID_countryName},
                                           {"STREET", NID_streetAddress},
                                           {"DC", NID_domainComponent},
                                           {"UID", NID_userId},
                                           {"E", NID_pkcs9_emailAddress},
                                           {"EMAIL", NID_pkcs9_emailAddress},
                                           {"EMAILADDRESS", NID_pkcs9_emailAddress},
                                           {"SERIALNUMBER", NID_serialNumber},
                                           {"SN", NID_surname},
                                           {"G", NID_givenName},
                                           {"GN", NID_givenName},
                                           {"T", NID_title},
                                           {"TITLE", NID_title},
                                           {"DNQ", NID_dnQualifier}}};

Asn1ObjectPtr type_of(std::string_view word) {
  for (const TypeWord& known : kTypes)
    if (equal_ignoring_case(known.word, word)) return Asn1ObjectPtr(OBJ_dup(OBJ_nid2obj(known.nid)));
  if (const int nid = OBJ_sn2nid(std::string(word).c_str()); nid != NID_undef)  // as name_text() writes them
    return Asn1ObjectPtr(OBJ_dup(OBJ_nid2obj(nid)));
  constexpr std::string_view kPrefix = "OID.";  // RFC 1779
  if (equal_ignoring_case(word.substr(0, kPrefix.size()), kPrefix)) word.remove_prefix(kPrefix.size());
  return parse_object_identifier(word);
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

struct Attribute {
  std::string type;
  std::string value;
  bool encoded = false;     ///< the value is the DER of a string, and not its text
  bool joins_next = false;  ///< "+" follows: the next one belongs to the same relative name
};

/// The text, cut into attributes in their order.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<std::vector<Attribute>> read() {
    std::vector<Attribute> attributes;
    skip_spaces();
    if (at_end()) return attributes;
    for (;;) {
      SIGNET_TRY(Attribute attribute, read_attribute());
      attributes.push_back(std::move(attribute));
      if (at_end()) return attributes;
      attributes.back().joins_next = take() == '+';
    }
  }

 private:
  Result<Attribute> read_attribute() {
    const std::size_t equals = text_.find('=', at_);
    const std::string_view type =
        trim(text_.substr(at_, equals == std::string_view::npos ? equals : equals - at_));
    if (equals == std::string_view::npos || type.empty())
      return refuse(fmt::format("a type and '=' are wanted, got '{}'", printable(text_.substr(at_))));
    at_ = equals + 1;
    skip_spaces();
    const bool encoded = !at_end() && text_[at_] == '#';
    SIGNET_TRY(std::string value, encoded                          ? read_encoded()
                                  : !at_end() && text_[at_] == '"' ? read_quoted()
                                                                   : read_plain());
    if (value.empty()) return refuse(fmt::format("'{}' has no value", printable(type)));
    return Attribute{std::string(type), std::move(value), encoded};
  }

  Result<std::string> read_quoted() {
    ++at_;
    std::string value;
    while (!at_end() && text_[at_] != '"') SIGNET_CHECK(read_character(value));
    if (at_end()) return refuse("a quotation mark is not closed");
    ++at_;
    skip_spaces();
    if (!at_end() && text_[at_] != ',' && text_[at_] != '+')
      return refuse("a comma is wanted behind the closing quotation mark");
    return value;
  }

  /// "#0C0441636D65": types that have no word are written so [RFC4514 2.4].
  Result<std::string> read_encoded() {
    const std::size_t begin = at_ + 1;
    at_ = std::min(text_.find_first_of(",+", begin), text_.size());
    const auto octets = parse_hex(trim(text_.substr(begin, at_ - begin)));
    if (!octets) return refuse("hexadecimal digits are wanted behind '#'");
    return std::string(as_text(*octets));
  }

  Result<std::string> read_plain() {
    std::string value;
    std::size_t meant = 0;  // spaces at the end count only where they are escaped
    while (!at_end() && text_[at_] != ',' && text_[at_] != '+') {
      const char c = text_[at_];
      if (c != '\\' && kEscaped.find(c) != std::string_view::npos)
        return refuse(fmt::format("write '\\{0}' for '{0}', or put the value into quotation marks", c));
      SIGNET_CHECK(read_character(value));
      if (c != ' ') meant = value.size();
    }
    value.resize(meant);
    return value;
  }

  /// One character as it stands, or one behind a backslash: itself, or an octet in two hexadecimal digits.
  Result<> read_character(std::string& value) {
    const char c = take();
    if (is_control(c)) return refuse("it has a control character");
    if (c != '\\') {
      value += c;
      return {};
    }
    const std::string_view rest = text_.substr(at_);
    if (!rest.empty() && (rest[0] == ' ' || rest[0] == '#' || rest[0] == '=' ||
                          kEscaped.find(rest[0]) != std::string_view::npos)) {
      value += take();
      return {};
    }
    const auto octet = parse_hex(rest.substr(0, 2));
    if (!octet || octet->size() != 1 || is_control(static_cast<char>(octet->front())))
      return refuse("a backslash is followed by a character to be escaped, or by two hexadecimal digits");
    value += static_cast<char>(octet->front());
    at_ += 2;
    return {};
  }

  tl::unexpected<Error> refuse(std::string_view why) const {
    return fail(ErrorKind::InvalidInput, fmt::format("at character {}: {}", at_ + 1, why));
  }
  void skip_spaces() {
    while (!at_end() && text_[at_] == ' ') ++at_;
  }
  char take() { return text_[at_++]; }
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// A value on its way into a name.
struct Value {
  int type = MBSTRING_UTF8;  ///< or that of the string as it was encoded
  std::string octets;
};

bool is_text(ASN1_STRING* string) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, string);
  const OpensslMemory owner(utf8);
  const std::string_view text(reinterpret_cast<const char*>(utf8),
                              size > 0 ? static_cast<std::size_t>(size) : 0);
  return !text.empty() && is_utf8(text) && std::none_of(text.begin(), text.end(), is_control);
}

Result<Value> decode(const Attribute& attribute) {
  if (!attribute.encoded) return Value{MBSTRING_UTF8, attribute.value};
  using TypePtr = Handle<ASN1_TYPE, ASN1_TYPE_free>;
  const ByteView der = as_bytes(attribute.value);
  const unsigned char* at = der.data();
  const TypePtr any(d2i_ASN1_TYPE(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  const int type = any && at == der.data() + der.size() ? any->type : V_ASN1_UNDEF;
  constexpr unsigned long kStrings = B_ASN1_DIRECTORYSTRING | B_ASN1_IA5STRING;
  if ((ASN1_tag2bit(type) & kStrings) == 0)
    return fail(ErrorKind::InvalidInput,
                fmt::format("{}=#{} is not the DER of a string", printable(attribute.type), hex_upper(der)));
  if (!is_text(any->value.asn1_string))
    return fail(ErrorKind::InvalidInput,
                fmt::format("{}=#{} has octets that are no text, or a control character",
                            printable(attribute.type), hex_upper(der)));
  const ASN1_STRING* const string = any->value.asn1_string;
  return Value{type, std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                                 static_cast<std::size_t>(ASN1_STRING_length(string)))};
}

/// Appends behind what is there, or into the relative name that is last there.
Result<> append(X509_NAME* name, const Attribute& attribute, bool joins_last) {
  const Asn1ObjectPtr type = type_of(attribute.type);
  if (!type) {
    std::string words;
    for (const TypeWord& known : kTypes) words.append(words.empty() ? "" : ", ").append(known.word);
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("'{}' is no type of attribute; there are: {}, and object identifiers such as 2.5.4.97",
                    printable(attribute.type), words));
  }
  SIGNET_TRY(const Value value, decode(attribute));
  const ByteView octets = as_bytes(value.octets);
  if (X509_NAME_add_entry_by_OBJ(name, type.get(), value.type, octets.data(), static_cast<int>(octets.size()),
                                 -1, joins_last ? -1 : 0) == 1)
    return {};
  return fail(take_openssl_error(ErrorKind::InvalidInput,
                                 fmt::format("{}='{}'", printable(attribute.type), printable(value.octets))));
}

using NamePtr = Handle<X509_NAME, X509_NAME_free>;

/// RFC 4514 section 2.1 writes the relative names in the reverse of their order in the certificate, so the
/// last one is put first.
Result<NamePtr> build(const std::vector<Attribute>& attributes) {
  NamePtr name(X509_NAME_new());
  for (std::size_t i = attributes.size(); i-- > 0;)
    SIGNET_CHECK(append(name.get(), attributes[i], attributes[i].joins_next));
  if (i2d_X509_NAME(name.get(), nullptr) <= 0)  // fills its caches, so that threads only read them
    return fail(take_openssl_error(ErrorKind::Internal, "encoding a name"));
  return name;
}

std::shared_ptr<const X509_NAME> share(NamePtr name) {
  return {name.release(), [](const X509_NAME* owned) { X509_NAME_free(const_cast<X509_NAME*>(owned)); }};
}

std::string text_of(BIO* memory) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace

DistinguishedName::DistinguishedName() {
  static const std::shared_ptr<const X509_NAME> kEmpty = share(build({}).value());
  name_ = kEmpty;
}

Result<DistinguishedName> DistinguishedName::parse(std::string_view text) {
  const std::string what = fmt::format("the name '{}'", printable(text));
  if (text.size() > kLongestText)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a name of {} octets; at most {} are read", text.size(), kLongestText));
  auto attributes = Reader(text).read();
  if (!attributes) return fail(std::move(attributes).error().within(what));
  for (const Attribute& attribute : *attributes)
    if (!attribute.encoded && !is_utf8(attribute.value))
      return fail(ErrorKind::InvalidInput, what + " is not UTF-8");
  auto name = build(*attributes);
  if (!name) return fail(std::move(name).error().within(what));
  return DistinguishedName(share(*std::move(name)));
}

DistinguishedName DistinguishedName::copy_of(const X509_NAME* name) {
  return DistinguishedName(share(NamePtr(X509_NAME_dup(name))));
}

bool DistinguishedName::empty() const { return X509_NAME_entry_count(native()) == 0; }
std::string DistinguishedName::text() const { return name_text(native()); }

std::string DistinguishedName::common_name() const {
  int last = -1;  // the nearest to the holder is encoded last
  for (int next = -1; (next = X509_NAME_get_index_by_NID(native(), NID_commonName, next)) >= 0;) last = next;
  if (last < 0) return {};
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(native(), last)));
  const OpensslMemory owner(text);
  return size < 0 ? std::string() : std::string(as_text(ByteView(text, static_cast<std::size_t>(size))));
}
bool operator==(const DistinguishedName& a, const DistinguishedName& b) {
  return X509_NAME_cmp(a.native(), b.native()) == 0;
}

std::string escape_name_value(std::string_view value) {
  std::string escaped;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const bool outer_space = c == ' ' && (i == 0 || i + 1 == value.size());
    if (kEscaped.find(c) != std::string_view::npos || outer_space || (c == '#' && i == 0)) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string name_text(const X509_NAME* name) {
  // UTF-8, then \XX for each octet outside ASCII, then #hex of the DER.
  constexpr unsigned long kReadable = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  constexpr unsigned long kAscii = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_UTF8_CONVERT);
  constexpr unsigned long kDumped = kAscii | ASN1_STRFLGS_DUMP_ALL;
  for (const unsigned long flags : {kReadable, kAscii, kDumped}) {
    const BioPtr out(BIO_new(BIO_s_mem()));
    if (!out || X509_NAME_print_ex(out.get(), name, 0, flags) < 0) continue;
    if (std::string text = text_of(out.get()); is_utf8(text)) return text;
  }
  return "(a name that cannot be shown)";
}

}  // namespace signet::certstore
