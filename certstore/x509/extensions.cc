#include <fmt/format.h>

#include <array>

#include "base/digest.h"
#include "certstore/x509/extensions_internal.h"
#include "certstore/x509/object_identifier_internal.h"

namespace signet::certstore {
namespace {

using BasicConstraintsPtr = Handle<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free>;
using BitStringPtr = Handle<ASN1_BIT_STRING, ASN1_BIT_STRING_free>;
using ExtendedKeyUsagePtr = Handle<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;
using ExtensionPtr = Handle<X509_EXTENSION, X509_EXTENSION_free>;
using GeneralNamesPtr = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;
using OctetStringPtr = Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
using StringPtr = Handle<ASN1_STRING, ASN1_STRING_free>;
using TypePtr = Handle<ASN1_TYPE, ASN1_TYPE_free>;

Error broken(std::string_view what) { return take_openssl_error(ErrorKind::Internal, what); }

Result<> add_basic_constraints(STACK_OF(X509_EXTENSION) * extensions, const BasicConstraints& constraints) {
  const BasicConstraintsPtr value(BASIC_CONSTRAINTS_new());
  if (!value) return fail(broken("making basic constraints"));
  value->ca = constraints.certificate_authority ? 1 : 0;
  if (constraints.path_length) {
    value->pathlen = ASN1_INTEGER_new();
    if (value->pathlen == nullptr || ASN1_INTEGER_set(value->pathlen, *constraints.path_length) != 1)
      return fail(broken("making basic constraints"));
  }
  return add_extension(extensions, NID_basic_constraints, Critical::Yes, value.get());
}

Result<> add_key_usage(STACK_OF(X509_EXTENSION) * extensions, const KeyUses& uses) {
  if (uses.empty()) return {};
  const BitStringPtr bits(ASN1_BIT_STRING_new());
  for (const KeyUse use : uses)
    if (!bits || ASN1_BIT_STRING_set_bit(bits.get(), static_cast<int>(use), 1) != 1)
      return fail(broken("making a key usage"));
  return add_extension(extensions, NID_key_usage, Critical::Yes, bits.get());
}

Result<> add_extended_key_usage(STACK_OF(X509_EXTENSION) * extensions, const std::vector<std::string>& usages,
                                Critical critical) {
  if (usages.empty()) return {};
  const ExtendedKeyUsagePtr objects(EXTENDED_KEY_USAGE_new());
  for (const std::string& usage : usages) {
    Asn1ObjectPtr object = parse_object_identifier(usage);
    if (!objects || !object || sk_ASN1_OBJECT_push(objects.get(), object.get()) <= 0)
      return fail(broken("making an extended key usage"));
    static_cast<void>(object.release());
  }
  return add_extension(extensions, NID_ext_key_usage, critical, objects.get());
}

GeneralNamePtr ip_name(const std::string& text) {
  GeneralNamePtr name(GENERAL_NAME_new());
  OctetStringPtr value(a2i_IPADDRESS(text.c_str()));
  if (!name || !value) return nullptr;
  GENERAL_NAME_set0_value(name.get(), GEN_IPADD, value.release());
  return name;
}

/// Windows' otherName: a UTF8String.
GeneralNamePtr upn_name(std::string_view text) {
  GeneralNamePtr name(GENERAL_NAME_new());
  Asn1ObjectPtr type(OBJ_dup(OBJ_nid2obj(NID_ms_upn)));
  Handle<ASN1_UTF8STRING, ASN1_UTF8STRING_free> value(ASN1_UTF8STRING_new());
  TypePtr wrapped(ASN1_TYPE_new());
  if (!name || !type || !value || !wrapped ||
      ASN1_STRING_set(value.get(), text.data(), static_cast<int>(text.size())) != 1)
    return nullptr;
  ASN1_TYPE_set(wrapped.get(), V_ASN1_UTF8STRING, value.release());
  if (GENERAL_NAME_set0_othername(name.get(), type.get(), wrapped.get()) != 1) return nullptr;
  static_cast<void>(type.release());
  static_cast<void>(wrapped.release());
  return name;
}

bool push(GENERAL_NAMES* names, GeneralNamePtr name) {
  if (!name || sk_GENERAL_NAME_push(names, name.get()) <= 0) return false;
  static_cast<void>(name.release());
  return true;
}

bool push_all(GENERAL_NAMES* to, const AlternativeNames& names) {
  bool good = to != nullptr;
  for (const std::string& name : names.dns_names) good = good && push(to, ia5_name(GEN_DNS, name));
  for (const std::string& name : names.emails) good = good && push(to, ia5_name(GEN_EMAIL, name));
  for (const std::string& name : names.uris) good = good && push(to, ia5_name(GEN_URI, name));
  for (const std::string& name : names.ip_addresses) good = good && push(to, ip_name(name));
  for (const std::string& name : names.upns) good = good && push(to, upn_name(name));
  return good;
}

Result<> add_alternative_names(STACK_OF(X509_EXTENSION) * extensions, const AlternativeNames& names,
                               Critical critical) {
  if (names.empty()) return {};
  const GeneralNamesPtr value(GENERAL_NAMES_new());
  if (!push_all(value.get(), names)) return fail(broken("making alternative names"));
  return add_extension(extensions, NID_subject_alt_name, critical, value.get());
}

std::string octets_of(const ASN1_STRING* text) {
  const ByteView octets(ASN1_STRING_get0_data(text), static_cast<std::size_t>(ASN1_STRING_length(text)));
  return std::string(as_text(octets));
}

void read_name(const GENERAL_NAME* name, AlternativeNames& into) {
  switch (name->type) {
    case GEN_DNS:
      into.dns_names.push_back(octets_of(name->d.dNSName));
      break;
    case GEN_EMAIL:
      into.emails.push_back(octets_of(name->d.rfc822Name));
      break;
    case GEN_URI:
      into.uris.push_back(octets_of(name->d.uniformResourceIdentifier));
      break;
    case GEN_IPADD:
      into.ip_addresses.push_back(ip_text_of(name->d.iPAddress).value_or(""));
      break;
    case GEN_OTHERNAME:
      if (OBJ_obj2nid(name->d.otherName->type_id) == NID_ms_upn &&
          name->d.otherName->value->type == V_ASN1_UTF8STRING)
        into.upns.push_back(octets_of(name->d.otherName->value->value.utf8string));
      break;
    default:
      break;
  }
}

using Extensions = const STACK_OF(X509_EXTENSION);

/// Null where it is absent, there twice, or cannot be read.
template <class Owner>
Owner find(Extensions* extensions, int nid) {
  return Owner(static_cast<typename Owner::pointer>(X509V3_get_d2i(extensions, nid, nullptr, nullptr)));
}

AlternativeNames names_of(Extensions* extensions) {
  const auto names = find<GeneralNamesPtr>(extensions, NID_subject_alt_name);
  AlternativeNames read;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i)
    read_name(sk_GENERAL_NAME_value(names.get(), i), read);
  return read;
}

KeyUses key_uses_of(Extensions* extensions) {
  const auto bits = find<BitStringPtr>(extensions, NID_key_usage);
  KeyUses uses;
  for (int bit = 0; bits && bit <= static_cast<int>(KeyUse::DecipherOnly); ++bit)
    if (ASN1_BIT_STRING_get_bit(bits.get(), bit) == 1) uses.insert(static_cast<KeyUse>(bit));
  return uses;
}

std::vector<std::string> extended_key_usages_of(Extensions* extensions) {
  const auto objects = find<ExtendedKeyUsagePtr>(extensions, NID_ext_key_usage);
  std::vector<std::string> usages;
  for (int i = 0; i < sk_ASN1_OBJECT_num(objects.get()); ++i) {
    std::array<char, 128> dotted{};
    if (OBJ_obj2txt(dotted.data(), dotted.size(), sk_ASN1_OBJECT_value(objects.get(), i), 1) > 0)
      usages.emplace_back(dotted.data());
  }
  return usages;
}

BasicConstraints basic_constraints_of(Extensions* extensions) {
  const auto value = find<BasicConstraintsPtr>(extensions, NID_basic_constraints);
  BasicConstraints constraints;
  if (!value) return constraints;
  constraints.certificate_authority = value->ca != 0;
  if (value->pathlen != nullptr) constraints.path_length = static_cast<int>(ASN1_INTEGER_get(value->pathlen));
  return constraints;
}

}  // namespace

std::optional<std::string> ip_text_of(const ASN1_OCTET_STRING* address) {
  constexpr std::size_t kV4 = 4;
  constexpr std::size_t kV6 = 16;
  const ByteView octets(ASN1_STRING_get0_data(address),
                        static_cast<std::size_t>(ASN1_STRING_length(address)));
  if (octets.size() == kV4) return fmt::format("{}", fmt::join(octets, "."));
  if (octets.size() != kV6) return std::nullopt;
  std::string text;
  for (std::size_t i = 0; i < kV6; i += 2)
    text += fmt::format("{}{:x}", i == 0 ? "" : ":", octets[i] * 256U + octets[i + 1]);
  return text;
}

GeneralNamePtr ia5_name(int kind, std::string_view text) {
  GeneralNamePtr name(GENERAL_NAME_new());
  Handle<ASN1_IA5STRING, ASN1_IA5STRING_free> value(ASN1_IA5STRING_new());
  if (!name || !value || ASN1_STRING_set(value.get(), text.data(), static_cast<int>(text.size())) != 1)
    return nullptr;
  GENERAL_NAME_set0_value(name.get(), kind, value.release());
  return name;
}

Result<> add_extension(STACK_OF(X509_EXTENSION) * extensions, int nid, Critical critical, void* value) {
  ExtensionPtr extension(X509V3_EXT_i2d(nid, critical == Critical::Yes ? 1 : 0, value));
  if (!extension || sk_X509_EXTENSION_push(extensions, extension.get()) <= 0)
    return fail(broken("encoding an extension of a certificate"));
  static_cast<void>(extension.release());
  return {};
}

Result<ExtensionsPtr> extensions_of(const CertificateProfile& profile, Critical extended_key_usages) {
  SIGNET_CHECK(check_profile(profile));
  ExtensionsPtr extensions(sk_X509_EXTENSION_new_null());
  SIGNET_CHECK(add_basic_constraints(extensions.get(), profile.basic_constraints));
  SIGNET_CHECK(add_key_usage(extensions.get(), profile.key_uses));
  SIGNET_CHECK(add_extended_key_usage(extensions.get(), profile.extended_key_usages, extended_key_usages));
  // [RFC5280 4.2.1.6] critical where it is the only name
  SIGNET_CHECK(add_alternative_names(extensions.get(), profile.alternative_names,
                                     profile.subject.empty() ? Critical::Yes : Critical::No));
  return extensions;
}

Result<> add_subject_key_identifier(STACK_OF(X509_EXTENSION) * extensions, EVP_PKEY* public_key) {
  X509_PUBKEY* encoded = nullptr;
  const bool encodes = X509_PUBKEY_set(&encoded, public_key) == 1;
  const Handle<X509_PUBKEY, X509_PUBKEY_free> owner(encoded);
  const unsigned char* bits = nullptr;
  int size = 0;
  if (!encodes || X509_PUBKEY_get0_param(nullptr, &bits, &size, nullptr, encoded) != 1)
    return fail(broken("encoding a public key"));
  const Bytes identifier = digest(Hash::Sha1, ByteView(bits, static_cast<std::size_t>(size)));
  const OctetStringPtr value(ASN1_OCTET_STRING_new());
  if (!value ||
      ASN1_OCTET_STRING_set(value.get(), identifier.data(), static_cast<int>(identifier.size())) != 1)
    return fail(broken("making a key identifier"));
  return add_extension(extensions, NID_subject_key_identifier, Critical::No, value.get());
}

Handle<AUTHORITY_KEYID, AUTHORITY_KEYID_free> authority_key_identifier(const ASN1_OCTET_STRING* key,
                                                                       const X509* named) {
  Handle<AUTHORITY_KEYID, AUTHORITY_KEYID_free> identifier(AUTHORITY_KEYID_new());
  if (!identifier || key == nullptr) return nullptr;
  identifier->keyid = ASN1_OCTET_STRING_dup(key);
  if (identifier->keyid == nullptr) return nullptr;
  if (named == nullptr) return identifier;
  // The pair that names a certificate: who issued it, under which number.
  GeneralNamePtr name(GENERAL_NAME_new());
  X509_NAME* const copy = X509_NAME_dup(X509_get_issuer_name(named));
  if (!name || copy == nullptr) return nullptr;
  GENERAL_NAME_set0_value(name.get(), GEN_DIRNAME, copy);
  identifier->serial = ASN1_INTEGER_dup(X509_get0_serialNumber(named));
  identifier->issuer = sk_GENERAL_NAME_new_null();
  if (identifier->serial == nullptr || sk_GENERAL_NAME_push(identifier->issuer, name.get()) <= 0)
    return nullptr;
  static_cast<void>(name.release());
  return identifier;
}

void read_extensions(Extensions* extensions, CertificateProfile& profile) {
  profile.alternative_names = names_of(extensions);
  profile.key_uses = key_uses_of(extensions);
  profile.extended_key_usages = extended_key_usages_of(extensions);
  profile.basic_constraints = basic_constraints_of(extensions);
}

CertificateProfile profile_of(const Certificate& certificate) {
  const X509* const x509 = certificate.native();
  CertificateProfile profile;
  profile.subject = DistinguishedName::copy_of(X509_get_subject_name(x509));
  read_extensions(X509_get0_extensions(x509), profile);
  profile.not_before = certificate.not_before();
  profile.not_after = certificate.not_after();
  leave_out_what_no_profile_says(profile);
  ERR_clear_error();  // extensions that cannot be read say nothing
  return profile;
}

}  // namespace signet::certstore
