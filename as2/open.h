#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "as2/cms/compress.h"
#include "as2/cms/decrypt.h"
#include "as2/cms/verify.h"
#include "as2/fault.h"
#include "as2/mic.h"
#include "as2/mime/entity.h"
#include "as2/receipt_request.h"
#include "base/stream.h"
#include "certstore/x509/key_handle.h"

/// Opening a partner's message: decrypt, decompress and verify in whatever order it was closed, then judge
/// what was found against the agreement. Nobody sees the payload before judge() has made an AcceptedContent
/// of it.

namespace signet::as2 {

/// What a message may be opened with, all of it from the agreement and nothing from the message.
struct OpenSettings {
  std::vector<certstore::PrivateCertificate> decryption;  ///< ours; any of them may be the recipient
  std::vector<certstore::Certificate> signers;            ///< the partner's; one of them must have signed
  cms::VerifyPolicy verify;
  cms::DecryptPolicy decrypt;
  cms::DecompressLimits decompress;
  std::size_t max_layers = 8;  ///< of encryption, signature and compression together
  /// Whether what comes out of AES-CBC may be a payload without MIME headers, as mendelson sends it. Only
  /// where no signature is demanded: with one, such octets are noise, and get the answer that noise gets.
  bool bare_content_allowed = false;
  SpoolArea spool;  ///< where what comes out of a layer is kept; its limit bounds every layer
};

enum class LayerKind { Encrypted, Signed, Compressed };

/// One layer met on the way in (or made on the way out), for records and for people.
struct Layer {
  LayerKind kind = LayerKind::Signed;
  std::string algorithm;   ///< "AES-256-GCM, RSAES-OAEP SHA-256"
  std::string thumbprint;  ///< SHA-256 of the certificate that it was for, or by
  friend bool operator==(const Layer&, const Layer&) = default;
};

/// "encrypted (AES-256-CBC, RSA PKCS#1 v1.5), signed (RSASSA-PKCS1-v1_5 with sha-256)"; "plain" for no
/// layers.
std::string to_string(const std::vector<Layer>& layers);

/// A message without its layers. Still only a claim: judge() decides what it is worth.
struct Opened {
  mime::Entity payload;       ///< the innermost entity
  std::vector<Layer> layers;  ///< outermost first
  std::optional<cms::VerifiedSigner> signer;
  /// Whether it came out of a cipher that does not notice changes (CBC): then only a signature says that it
  /// is whole.
  bool malleable = false;
  /// What was signed, octet for octet; in canonical form where only that form verified.
  Slice signed_content;

  [[nodiscard]] bool has(LayerKind kind) const;
};

/// Takes the layers off. `head` is the HTTP message's header, `body` its body.
///
/// Encryption is outermost or absent; signature and compression occur at most once each, in either order (RFC
/// 5402 section 2). Content whose signature fails over the octets as received is tried once in canonical
/// form, since peers sign CRLF and send LF.
///
/// Where a CBC cipher was used, everything wrong with what came out of it is DecryptionFailed, but for a
/// message that is whole and merely signed by a stranger: a partner must not be able to tell a bad padding
/// from bad content (RFC 3218; docs/security.md). `layers_met` holds the layers taken off before a refusal,
/// and an encryption that could not be ("not decrypted").
Step<Opened> open(const mime::Headers& head, const Slice& body, const OpenSettings& settings,
                  std::vector<Layer>& layers_met);

/// Which octets the MIC of a message that is compressed, but neither signed nor encrypted, is over: RFC 5402
/// section 4.3 says the MIME headers are in, RFC 4130 section 7.3.1 leaves them out; deployed peers differ.
enum class CompressedMic { WithHeaders, ContentOnly };

/// The hash that a message's MIC uses: that of its signature; else the first of the receipt's list that we
/// know and `allowed` holds; else `fallback` (RFC 4130 section 7.4.3).
Hash mic_hash(const Opened& opened, const ReceiptRequest& request, const std::vector<Hash>& allowed,
              Hash fallback);

/// What the MIC is over, by the table of RFC 4130 section 7.3.1 and RFC 5402 section 4: signed, what was
/// signed; encrypted, the decrypted and decompressed entity with its headers; neither, the content alone.
Slice mic_content(const Opened& opened, CompressedMic rule);
/// The MIC over that.
Result<Mic> compute_mic(const Opened& opened, Hash hash, CompressedMic rule);

/// What the agreement demands of a message.
struct Requirements {
  bool signature = true;
  bool encryption = true;
  bool compression = false;
};

/// Content that the agreement accepts: proof that every layer it demands was there and held. Only judge()
/// makes one, and only this is ever stored as a payload or handed over.
class AcceptedContent {
 public:
  [[nodiscard]] const Slice& payload() const { return payload_; }  ///< without its transfer encoding
  [[nodiscard]] const std::string& content_type() const { return content_type_; }
  [[nodiscard]] const std::string& file_name() const {
    return file_name_;
  }  ///< as sent, UTF-8; empty for none

 private:
  friend Step<AcceptedContent> judge(const Opened& opened, const Requirements& requirements,
                                     const SpoolArea& area);
  AcceptedContent() = default;
  Slice payload_;
  std::string content_type_;
  std::string file_name_;
};

/// @fault InsufficientMessageSecurity  names the layers that are missing.
/// @fault DecryptionFailed             a signature is demanded, there is none, and the message came out of
/// CBC: whoever recorded a
///                                     message can make this of it, and must not learn that its padding was
///                                     right.
/// @fault UnexpectedProcessingError    the payload's transfer encoding cannot be undone.
Step<AcceptedContent> judge(const Opened& opened, const Requirements& requirements, const SpoolArea& area);

}  // namespace signet::as2
