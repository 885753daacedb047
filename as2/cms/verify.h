#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "as2/fault.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/stream.h"
#include "certstore/x509/certificate.h"

namespace signet::as2::cms {

/// What a signature must be made of. Keys weaker than check_key_strength() asks for are refused whatever
/// stands here, and so is MD5 when somebody lists it.
struct VerifyPolicy {
  std::vector<Hash> allowed_hashes = {Hash::Sha256, Hash::Sha384, Hash::Sha512};
  std::size_t max_signers = 8;  ///< SignerInfos; more are refused before any of them is looked at
};

/// Proof that a certificate's key signed the content: only the functions below make one.
class VerifiedSigner {
 public:
  /// The one of the accepted certificates whose key signed. Whether it is still valid or revoked is for the
  /// caller to ask.
  [[nodiscard]] const certstore::Certificate& certificate() const { return certificate_; }
  /// The hash over the content; an MDN's MIC uses the same.
  [[nodiscard]] Hash hash() const { return hash_; }
  /// For people: "RSASSA-PKCS1-v1_5 with sha-256".
  [[nodiscard]] const std::string& algorithm_text() const { return algorithm_text_; }
  /// What the signer claims; absent when it says nothing.
  [[nodiscard]] const std::optional<Time>& signing_time() const { return signing_time_; }
  /// The signature, for others to verify: a detached SignedData in DER with this signer's SignerInfo alone,
  /// and without the certificates that came with it.
  [[nodiscard]] const Bytes& signature() const { return signature_; }

 private:
  friend class SignatureCheck;
  VerifiedSigner(certstore::Certificate certificate, Hash hash, std::string algorithm_text,
                 std::optional<Time> signing_time)
      : certificate_(std::move(certificate)),
        hash_(hash),
        algorithm_text_(std::move(algorithm_text)),
        signing_time_(signing_time) {}

  certstore::Certificate certificate_;
  Hash hash_;
  std::string algorithm_text_;
  std::optional<Time> signing_time_;
  Bytes signature_;
};

/// Verifies a detached signature over exactly the octets of `content`.
///
/// The signer is one of `accepted`, found by issuer and serial number or by subject key identifier; several
/// may answer to the same identifier. Certificates and CRLs that the message carries are cut out before
/// anything reads them. Exactly one SignerInfo must name an accepted certificate, and it must verify;
/// SignerInfos of strangers count for nothing, neither way. Accepted are DER and BER, absent or NULL
/// algorithm parameters, `rsaEncryption` as well as `sha256WithRSAEncryption`, and SignerInfos without signed
/// attributes; signed attributes that are there must hold content-type and message-digest.
///
/// @fault IntegrityCheckFailed  the signer signed, but another content.
/// @fault AuthenticationFailed  anything else about signer or signature: nobody or a stranger signed, an
///     algorithm or key that is not allowed, not a detached SignedData, one that does not parse. The cause is
///     NotFound when the signature is readable and no SignerInfo names an accepted certificate: signed by a
///     stranger, or by nobody we know.
/// @fault UnexpectedProcessingError  the content could not be read.
Step<VerifiedSigner> verify_detached(ByteView signature, const Slice& content,
                                     std::span<const certstore::Certificate> accepted,
                                     const VerifyPolicy& policy);

/// The same over octets that are made while they flow past: the canonical form of a content, say.
Step<VerifiedSigner> verify_detached(ByteView signature, Source& content,
                                     std::span<const certstore::Certificate> accepted,
                                     const VerifyPolicy& policy);

/// Verifies a SignedData that holds its content (application/pkcs7-mime; smime-type=signed-data), and only
/// then writes the content into `content`. Memory does not grow with it. Otherwise as verify_detached().
///
/// @fault UnexpectedProcessingError  also when `content` refuses to be written to.
Step<VerifiedSigner> verify_opaque(const Slice& signed_data, std::span<const certstore::Certificate> accepted,
                                   const VerifyPolicy& policy, Sink& content);

}  // namespace signet::as2::cms
