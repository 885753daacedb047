#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

using X509_NAME = struct X509_name_st;

namespace signet::certstore {

/// A distinguished name (X.501) and its text form. Immutable, cheap to copy, safe to use from any thread.
class DistinguishedName {
 public:
  /// The name without any attribute.
  DistinguishedName();

  /// Reads RFC 4514, e.g. "CN=as2.acme.example, O=Acme, C=DE": the attribute nearest to the holder comes
  /// first.
  ///
  /// As Azure does, takes spaces around commas and equal signs, types in any case, and values in quotation
  /// marks (RFC 1779: O="Acme, Inc."). Types are RFC 4514's words (CN, O, OU, L, ST, C, STREET, DC, UID),
  /// Windows' (E, S, SERIALNUMBER, SN, G, T), OpenSSL's short names ("organizationIdentifier", in this case
  /// alone), or object identifiers ("2.5.4.97"). A value may be the DER of a string in hexadecimal digits
  /// ("#0C0441636D65"). A text of nothing but spaces is the empty name.
  ///
  /// @error InvalidInput  says where: an unknown type, a value that is absent, too long for its type or of
  ///                      characters that it may not have, an escape that is none, over 2,000 octets.
  static Result<DistinguishedName> parse(std::string_view text);

  /// A name of a certificate or a request.
  static DistinguishedName copy_of(const X509_NAME* name);

  [[nodiscard]] bool empty() const;
  /// RFC 4514, without spaces, UTF-8: what parse() reads.
  [[nodiscard]] std::string text() const;
  /// Its common name, the nearest to the holder where there are several, UTF-8; empty for none.
  [[nodiscard]] std::string common_name() const;
  /// Borrowed; for calls into OpenSSL, which must not change it.
  [[nodiscard]] const X509_NAME* native() const { return name_.get(); }

  /// RFC 5280 section 7.1: without regard to case and to repeated spaces.
  friend bool operator==(const DistinguishedName& a, const DistinguishedName& b);

 private:
  explicit DistinguishedName(std::shared_ptr<const X509_NAME> name) : name_(std::move(name)) {}
  std::shared_ptr<const X509_NAME> name_;
};

/// A value made fit to stand in a text that DistinguishedName::parse() reads: "A, B" becomes "A\, B".
std::string escape_name_value(std::string_view value);

/// Any name as RFC 4514 text, UTF-8, whatever is in it. Names that contradict their own string types exist;
/// for them the escapes grow coarser until something valid comes out.
std::string name_text(const X509_NAME* name);

}  // namespace signet::certstore
