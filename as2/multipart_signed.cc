#include "as2/multipart_signed.h"

#include <fmt/format.h>

#include <memory>

#include "as2/mdn.h"

namespace signet::as2 {

Result<MultipartSigned> sign_multipart(const Slice& entity, const certstore::PrivateCertificate& signer,
                                       const cms::SignOptions& options, Sha2Format format,
                                       mime::TransferEncoding signature_encoding, const SpoolArea& area) {
  SIGNET_TRY(const Bytes signature, cms::sign_detached(entity, signer, options));
  const std::string boundary = random_boundary();
  const bool in_base64 = signature_encoding == mime::TransferEncoding::Base64;

  const auto spool = std::make_shared<Spool>(area);
  SIGNET_CHECK(spool->write(as_bytes(fmt::format("--{}\r\n", boundary))));
  SIGNET_CHECK(entity.copy_to(*spool));
  SIGNET_CHECK(
      spool->write(as_bytes(fmt::format("\r\n--{}\r\n"
                                        "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
                                        "Content-Transfer-Encoding: {}\r\n"
                                        "Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n",
                                        boundary, in_base64 ? "base64" : "binary"))));
  SIGNET_CHECK(in_base64 ? spool->write(as_bytes(base64_lines(signature))) : spool->write(signature));
  SIGNET_CHECK(spool->write(as_bytes(fmt::format("{}--{}--\r\n", in_base64 ? "" : "\r\n", boundary))));

  MultipartSigned made;
  made.headers.add(
      "Content-Type",
      fmt::format("multipart/signed; protocol=\"application/pkcs7-signature\"; micalg={}; boundary=\"{}\"",
                  hash_name(options.hash, format), boundary));
  made.body = Spool::finish(spool);
  return made;
}

}  // namespace signet::as2
