#pragma once

#include "as2/cms/sign.h"
#include "as2/mic.h"
#include "as2/mime/headers.h"
#include "as2/mime/transfer_encoding.h"
#include "base/stream.h"

namespace signet::as2 {

/// A multipart/signed (RFC 1847 section 2.1) as headers and body.
struct MultipartSigned {
  mime::Headers headers;  ///< Content-Type only
  Slice body;             ///< ends with the closing boundary's CRLF: a null epilogue
};

/// Signs `entity` (headers, empty line and body, exactly as they will travel) and puts it and its signature
/// into a multipart/signed. Used for messages and for receipts.
///
/// @error  as cms::sign_detached(), and IoFailure from the spool.
Result<MultipartSigned> sign_multipart(const Slice& entity, const certstore::PrivateCertificate& signer,
                                       const cms::SignOptions& options, Sha2Format format,
                                       mime::TransferEncoding signature_encoding, const SpoolArea& area);

}  // namespace signet::as2
