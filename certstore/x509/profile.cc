#include "certstore/x509/profile.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/network.h"
#include "certstore/x509/extensions_internal.h"
#include "certstore/x509/object_identifier_internal.h"

namespace signet::certstore {
namespace {

constexpr std::size_t kMostNames = 1000;
constexpr std::size_t kLongestDnsName = 253;  // RFC 1035 section 2.3.4, without the last dot
constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kLongestName = 1000;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), is_name_character);
}

/// The first label alone may be a wildcard [RFC6125 6.4.3].
bool is_dns_name(std::string_view name) {
  if (name.size() > kLongestDnsName) return false;
  constexpr std::string_view kWildcard = "*.";
  if (name.substr(0, kWildcard.size()) == kWildcard) name.remove_prefix(kWildcard.size());
  for (;;) {
    const std::size_t dot = name.find('.');
    if (!is_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

bool is_visible_ascii(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_email(std::string_view text) {
  const std::size_t at = text.rfind('@');
  return is_visible_ascii(text) && at != std::string_view::npos && at > 0 && is_dns_name(text.substr(at + 1));
}

/// Printable, and with something on either side of the '@'.
bool is_upn(std::string_view text) {
  const std::size_t at = text.find('@');
  return text.size() <= kLongestName && is_utf8(text) && at != std::string_view::npos && at > 0 &&
         at + 1 < text.size() && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
         });
}

/// RFC 3986 section 3.1: a scheme, and something behind it.
bool is_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (!is_visible_ascii(text) || colon == std::string_view::npos || colon == 0 || colon + 1 == text.size())
    return false;
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char c) { return is_name_character(c) || c == '+' || c == '.'; });
}

bool is_ip_address(std::string_view text) {
  return text.find_first_of("[]%") == std::string_view::npos && IpAddress::parse(text).has_value();
}

bool is_object_identifier(const std::string& text) { return parse_object_identifier(text) != nullptr; }

template <class Rule>
Result<> check_each(const std::vector<std::string>& values, Rule rule, std::string_view what) {
  for (const std::string& value : values)
    if (!rule(value))
      return fail(ErrorKind::InvalidInput, fmt::format("'{}' is no {}", printable(value), what));
  return {};
}

Result<> check_names(const AlternativeNames& names) {
  const std::size_t count = names.dns_names.size() + names.emails.size() + names.upns.size() +
                            names.uris.size() + names.ip_addresses.size();
  if (count > kMostNames)
    return fail(ErrorKind::InvalidInput,
                fmt::format("{} alternative names; at most {} are taken", count, kMostNames));
  SIGNET_CHECK(
      check_each(names.dns_names, is_dns_name, "DNS name such as 'as2.acme.example' or '*.acme.example'"));
  SIGNET_CHECK(check_each(names.emails, is_email, "mail address such as 'as2@acme.example'"));
  SIGNET_CHECK(check_each(names.upns, is_upn, "user principal name such as 'as2@acme.example'"));
  SIGNET_CHECK(check_each(names.uris, is_uri, "absolute URI such as 'urn:acme:as2'"));
  return check_each(names.ip_addresses, is_ip_address, "IP address such as '192.0.2.1' or '2001:db8::1'");
}

Result<> check_constraints(const CertificateProfile& profile) {
  const BasicConstraints& constraints = profile.basic_constraints;
  if (constraints.path_length && (!constraints.certificate_authority || *constraints.path_length < 0))
    return fail(ErrorKind::InvalidInput, "a path length of 0 or more is for certificate authorities alone");
  // [RFC5280 4.2.1.9]
  if (profile.key_uses.contains(KeyUse::KeyCertSign) && !constraints.certificate_authority)
    return fail(ErrorKind::InvalidInput, "the key usage keyCertSign is for certificate authorities alone");
  return {};
}

}  // namespace

void leave_out_what_no_profile_says(CertificateProfile& profile) {
  const auto keep = [](std::vector<std::string>& values, auto rule) {
    std::erase_if(values, [&](const std::string& value) { return !rule(value); });
  };
  keep(profile.alternative_names.dns_names, is_dns_name);
  keep(profile.alternative_names.emails, is_email);
  keep(profile.alternative_names.upns, is_upn);
  keep(profile.alternative_names.uris, is_uri);
  keep(profile.alternative_names.ip_addresses, is_ip_address);
  keep(profile.extended_key_usages, is_object_identifier);
}

Result<> check_spelling(const CertificateProfile& profile) {
  SIGNET_CHECK(check_names(profile.alternative_names));
  return check_each(profile.extended_key_usages, is_object_identifier,
                    "object identifier of an extended key usage such as '1.3.6.1.5.5.7.3.1'");
}

Result<> check_profile(const CertificateProfile& profile) {
  if (profile.subject.empty() && profile.alternative_names.empty())
    return fail(
        ErrorKind::InvalidInput,
        "a certificate needs a subject such as 'CN=as2.acme.example', or alternative names; got neither");
  SIGNET_CHECK(check_spelling(profile));
  return check_constraints(profile);
}

}  // namespace signet::certstore
