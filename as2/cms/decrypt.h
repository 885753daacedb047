#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "as2/cms/algorithms.h"
#include "as2/fault.h"
#include "base/stream.h"
#include "certstore/x509/key_handle.h"

namespace signet::as2::cms {

struct DecryptPolicy {
  std::vector<ContentCipher> allowed_ciphers = {ContentCipher::Aes128Cbc, ContentCipher::Aes192Cbc,
                                                ContentCipher::Aes256Cbc, ContentCipher::Aes128Gcm,
                                                ContentCipher::Aes192Gcm, ContentCipher::Aes256Gcm};
  std::size_t max_recipients = 32;  ///< RecipientInfos; more are refused before any of them is looked at
};

/// How a message had been encrypted.
struct Decrypted {
  ContentCipher cipher;
  std::string
      key_transport;  ///< for people: "RSA PKCS#1 v1.5", "RSAES-OAEP SHA-256", "ECDH with AES-256 key wrap"
  certstore::Certificate recipient;  ///< the one of ours that it was for
};

/// Decrypts an EnvelopedData or AuthEnvelopedData, DER or BER, with whichever of `ours` it was encrypted for
/// (found by issuer and serial number or by subject key identifier). Memory does not grow with the message.
///
/// **After a refusal `out` may hold octets that nobody has vouched for: throw them away.** And since one CBC
/// message in 256 made up by a stranger "decrypts" to noise, the caller refuses what it cannot parse as
/// DecryptionFailed too, in the same words: RFC 3218, the million message attack. Here the wrong padding of
/// an RSA block leads to a random key and so to the same way through the same code as any other damage.
///
/// A GCM tag must have all its 16 octets and the nonce 12; OpenSSL would settle for a tag of four. A cipher
/// outside the policy is refused from the outer headers, before a private key is asked anything. Each of our
/// keys that a RecipientInfo names is used once (twice when several of ours share issuer and serial number).
///
/// @fault DecryptionFailed  everything about keys, ciphertext and structure, in words that tell nothing more.
///     Of the kind NotFound when it is encrypted for none of `ours`, and so no key was used.
/// @fault InsufficientMessageSecurity  a cipher that the policy does not allow, which is there for all to
///     see.
/// @fault UnexpectedProcessingError  `enveloped` could not be read or `out` not be written.
Step<Decrypted> decrypt(const Slice& enveloped, std::span<const certstore::PrivateCertificate> ours,
                        const DecryptPolicy& policy, Sink& out);

}  // namespace signet::as2::cms
