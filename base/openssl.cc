#include "base/openssl.h"

#include <climits>
#include <new>

namespace signet {

Error take_openssl_error(ErrorKind kind, std::string_view what) {
  std::string detail(what);
  const char* separator = ": ";
  std::string last;
  while (const unsigned long code = ERR_get_error()) {
    char text[256];
    ERR_error_string_n(code, text, sizeof text);
    const char* reason = ERR_reason_error_string(code);
    const std::string_view words = reason != nullptr ? reason : text;
    if (words == last) continue;  // the ASN.1 parser says "nested asn1 error" once per level
    detail.append(separator).append(words);
    separator = "; ";
    last = words;
  }
  return Error{kind, std::move(detail)};
}

BioPtr borrow_as_bio(ByteView bytes) {
  if (bytes.size() > INT_MAX) throw std::bad_alloc();
  // An empty span may carry a null pointer, which BIO_new_mem_buf would refuse.
  static constexpr char kNothing[] = "";
  const void* data = bytes.empty() ? kNothing : static_cast<const void*>(bytes.data());
  BioPtr bio(BIO_new_mem_buf(data, static_cast<int>(bytes.size())));
  if (!bio) throw std::bad_alloc();
  return bio;
}

}  // namespace signet
