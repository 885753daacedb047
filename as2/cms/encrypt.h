#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "as2/cms/algorithms.h"
#include "base/stream.h"
#include "certstore/x509/certificate.h"

namespace signet::as2::cms {

struct EncryptOptions {
  ContentCipher cipher = ContentCipher::Aes256Cbc;
  KeyTransport key_transport = KeyTransport::Rsa15;  ///< for recipients with an RSA key
  /// Octets that the content will give, when that is known: the message then is DER. Otherwise contents above
  /// 64 KiB are written with indefinite length.
  std::optional<std::uint64_t> content_size;
};

/// Encrypts `content` for every one of `recipients` (RSA and EC mixed as they come) into `out`: EnvelopedData
/// for CBC, AuthEnvelopedData with a nonce of 12 and a tag of 16 octets for GCM. Memory does not grow with
/// the content.
///
/// After an error `out` holds the beginning of a message that nobody must see.
///
/// @error InvalidInput  no recipient, or `content` gave another number of octets than content_size says.
/// @error Unsupported  a recipient's key that is neither RSA nor EC, or too weak to be relied on.
/// @error CryptoFailure  OpenSSL refused.  Errors of `content` and `out` come through as they are.
Result<> encrypt(Source& content, std::span<const certstore::Certificate> recipients,
                 const EncryptOptions& options, Sink& out);

}  // namespace signet::as2::cms
