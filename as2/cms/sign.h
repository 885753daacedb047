#pragma once

#include <optional>

#include "as2/cms/algorithms.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/stream.h"
#include "certstore/x509/key_handle.h"

namespace signet::as2::cms {

struct SignOptions {
  Hash hash = Hash::Sha256;  ///< SHA-256, -384 or -512; SHA-1 where an agreement makes an exception
  SignatureScheme scheme = SignatureScheme::RsaPkcs1;  ///< for RSA keys; an EC key always signs by ECDSA
  bool include_certificate = true;  ///< the signer's certificate travels with the signature
  bool signed_attributes =
      true;  ///< content-type, message-digest and signing-time; without, the content itself is signed
  bool algorithm_protection = false;  ///< RFC 6211's attribute, which some older receivers choke on
  std::optional<Time> signing_time;   ///< the signed attribute; the system's clock when absent
};

/// Signs `content` exactly as its octets are (never canonicalised here) and gives a detached SignedData in
/// DER: the second part of a multipart/signed (RFC 5652 section 5, RFC 8551 section 3.5.3). Memory does not
/// grow with the content.
///
/// The key may be the vault's: it is only ever asked to sign a digest.
///
/// @error Unsupported  MD5 or SHA-224, a key that is neither RSA nor EC, or one too weak to be relied on.
/// @error CryptoFailure  the key refused, or is not the certificate's.
/// @error IoFailure  the content could not be read.
Result<Bytes> sign_detached(const Slice& content, const certstore::PrivateCertificate& signer,
                            const SignOptions& options);

}  // namespace signet::as2::cms
