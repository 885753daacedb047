#include "as2/multipart_signed.h"

#include <fmt/format.h>

#include <string>

#include "as2/mdn.h"

namespace signet::as2 {

Result<MultipartSigned> sign_multipart(const Slice& entity, const certstore::PrivateCertificate& signer,
                                       const cms::SignOptions& options, Sha2Format format,
                                       mime::TransferEncoding signature_encoding, const SpoolArea& area) {
  SIGNET_TRY(const Bytes signature, cms::sign_detached(entity, signer, options));
  const std::string boundary = random_boundary();
  const bool in_base64 = signature_encoding == mime::TransferEncoding::Base64;

  std::string behind = fmt::format(
      "\r\n--{}\r\n"
      "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
      "Content-Transfer-Encoding: {}\r\n"
      "Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n",
      boundary, in_base64 ? "base64" : "binary");
  behind += in_base64 ? base64_lines(signature) : std::string(as_text(signature));
  behind += fmt::format("{}--{}--\r\n", in_base64 ? "" : "\r\n", boundary);

  MultipartSigned made;
  made.headers.add(
      "Content-Type",
      fmt::format("multipart/signed; protocol=\"application/pkcs7-signature\"; micalg={}; boundary=\"{}\"",
                  hash_name(options.hash, format), boundary));
  SIGNET_TRY(made.body,
             Slice::joined({Slice::of(fmt::format("--{}\r\n", boundary)), entity, Slice::of(behind)},
                           area.memory_limit));
  return made;
}

}  // namespace signet::as2
