#include "certstore/x509/certs_only.h"

#include "certstore/x509/asn1_internal.h"

namespace signet::certstore {

Result<Bytes> make_certs_only(const std::vector<Certificate>& certificates) {
  const OwnErrors errors;
  const Pkcs7Ptr file(PKCS7_new());
  bool done = file && PKCS7_set_type(file.get(), NID_pkcs7_signed) == 1 &&
              PKCS7_content_new(file.get(), NID_pkcs7_data) == 1 && PKCS7_set_detached(file.get(), 1) == 1;
  for (const Certificate& certificate : certificates)
    done = done && PKCS7_add_certificate(file.get(), certificate.native()) == 1;
  if (!done) return fail(take_openssl_error(ErrorKind::Internal, "making a file of certificates"));
  return encode<PKCS7>(file.get(), i2d_PKCS7);
}

}  // namespace signet::certstore
