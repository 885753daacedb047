#pragma once

#include <optional>
#include <string>
#include <vector>

#include "as2/cms/encrypt.h"
#include "as2/cms/sign.h"
#include "as2/message_id.h"
#include "as2/mic.h"
#include "as2/mime/headers.h"
#include "as2/mime/transfer_encoding.h"
#include "as2/name.h"
#include "as2/open.h"
#include "as2/receipt_request.h"
#include "base/clock.h"

/// Making a message of ours: compress, sign and encrypt a payload as the agreement says, and keep its MIC.

namespace signet::as2 {

enum class CompressionOrder { BeforeSigning, AfterSigning };

struct ComposeSettings {
  As2Name from;
  As2Name to;
  MessageId message_id;
  Time date{};
  std::string subject;
  std::string content_type = "application/octet-stream";  ///< of the payload
  std::string file_name;                                  ///< UTF-8, told to the partner; empty tells none
  bool canonicalise_text = false;  ///< turn the line ends of a text/* payload into CRLF first [RFC8551 3.1.1]
  /// Of the payload's body part: Binary or Base64.
  mime::TransferEncoding payload_encoding = mime::TransferEncoding::Binary;
  /// Of the signature's body part: Base64 or Binary.
  mime::TransferEncoding signature_encoding = mime::TransferEncoding::Base64;

  std::optional<certstore::PrivateCertificate> signer;  ///< signs when set
  cms::SignOptions sign;
  std::vector<certstore::Certificate> recipients;  ///< encrypts when there is one
  cms::EncryptOptions encrypt;
  bool compress = false;
  CompressionOrder compression_order = CompressionOrder::BeforeSigning;

  ReceiptRequest receipt;
  Sha2Format sha2_format = Sha2Format::ShaHyphenHashSize;
  Hash unsigned_mic_hash = Hash::Sha256;  ///< of the MIC of a message that is not signed
  CompressedMic compressed_mic = CompressedMic::WithHeaders;
  std::string as2_version = "1.1";
  std::string features;  ///< EDIINT-Features, which belongs to AS2-Version 1.2 [RFC6017]; empty: none
  SpoolArea spool;       ///< where the layers are kept while they are made
};

/// A message ready to be sent: the same octets on every attempt.
struct Composed {
  mime::Headers headers;  ///< of the HTTP message; without Host and Content-Length, which the transport adds
  Slice body;
  Mic mic;                    ///< what the receipt has to repeat
  Slice mic_content;          ///< what the MIC is over
  std::vector<Layer> layers;  ///< outermost first
};

/// @error Unsupported, CryptoFailure  a key or certificate does not do what the agreement wants of it.
/// @error PermissionDenied            the vault's policy forbids the signature.
/// @error IoFailure                   the spool.
Result<Composed> compose(const Slice& payload, const ComposeSettings& settings);

}  // namespace signet::as2
