#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "as2/cms/algorithms.h"
#include "as2/cms/content_info.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/stream.h"
#include "certstore/x509/certificate.h"

/// What the outside of a CMS message says about itself, for an operator to read: no key is asked, nothing is
/// verified, and nothing found here may decide anything.

namespace signet::as2::cms {

/// Whom a SignerInfo or RecipientInfo names: by issuer and serial number, or by subject key identifier.
struct PartyName {
  std::string issuer;          ///< RFC 2253
  std::string serial;          ///< upper-case hexadecimal, as Certificate::serial()
  std::string key_identifier;  ///< upper-case hexadecimal
  Bytes issuer_der;

  [[nodiscard]] bool by_key_identifier() const { return !key_identifier.empty(); }
};

/// "issuer CN=Acme, serial 0A1B", "key identifier 0102..."; "nobody" when there is neither.
std::string to_string(const PartyName& party);
/// Whether the certificate answers to the name.
bool is_named(const certstore::Certificate& certificate, const PartyName& party);

struct RecipientDescription {
  PartyName party;
  std::string kind;  ///< "key transport", "key agreement", "shared key", "password", "other", "unreadable"
  std::string key_transport;  ///< for people: "RSA PKCS#1 v1.5", "RSAES-OAEP SHA-256 (MGF1 SHA-1)"
};

struct SignerDescription {
  PartyName party;
  bool readable = true;
  std::string digest_algorithm;     ///< "sha256 (2.16.840.1.101.3.4.2.1)"
  std::optional<Hash> hash;         ///< when the digest algorithm is one that we know, MD5 too
  std::string signature_algorithm;  ///< for people, as it stands in the message
  bool has_signed_attributes = false;
  std::vector<std::string> signed_attributes;  ///< their types, in their order
  std::vector<std::string> unsigned_attributes;
  std::optional<Bytes> message_digest;  ///< what was signed for the content's digest
  std::optional<Time> signing_time;     ///< the signer's claim
};

/// One CMS message's outside. What a type does not have is empty.
struct CmsDescription {
  CmsType type = CmsType::Other;
  bool indefinite_length = false;  ///< BER as streams make it; otherwise definite lengths
  std::uint64_t size = 0;          ///< octets of the whole message
  std::uint64_t content_size = 0;  ///< octets of what it holds: encrypted, compressed or as they are
  std::string damage;              ///< where reading it ended early, and why; empty when it did not

  // (Auth)EnvelopedData
  std::string cipher;  ///< "AES-256-CBC", or OpenSSL's name and the OID of one that we do not speak
  std::optional<ContentCipher> known_cipher;
  std::vector<RecipientDescription> recipients;  ///< the first kMaxDescribed
  std::size_t recipient_count = 0;
  std::optional<std::size_t> nonce_size;  ///< GCM, octets
  std::optional<std::size_t> icv_size;    ///< GCM: the tag's length as the parameters promise it
  std::optional<std::size_t> tag_size;    ///< GCM: the tag's length as it is
  bool authenticated_attributes = false;

  // SignedData
  bool detached = false;
  std::vector<std::string> digest_algorithms;
  std::vector<SignerDescription> signers;  ///< the first kMaxDescribed
  std::size_t signer_count = 0;
  std::vector<certstore::Certificate> certificates;  ///< the first kMaxDescribed of those carried that parse
  std::size_t certificate_count = 0;
  std::size_t crl_count = 0;

  // CompressedData
  std::string compression;  ///< "zlib", or the OID
};

/// How many signers, recipients and certificates are looked at; the others are only counted.
inline constexpr std::size_t kMaxDescribed = 32;

/// Reads as much as can be read; what is broken further in is told in `damage`.
///
/// @error InvalidInput  not a ContentInfo.  @error IoFailure  the spool could not be read.
Result<CmsDescription> describe(const Slice& message);

/// Writes the content that a SignedData holds, **unverified**, into `out`.
///
/// @error InvalidInput  no SignedData, or one without content.  Errors of the spool and of `out`.
Result<> extract_unverified(const Slice& signed_data, Sink& out);

}  // namespace signet::as2::cms
