#include <array>
#include <string>

#include "certstore/x509/object_identifier_internal.h"

namespace signet::certstore {

Asn1ObjectPtr parse_object_identifier(std::string_view text) {
  Asn1ObjectPtr object(OBJ_txt2obj(std::string(text).c_str(), 1));
  ERR_clear_error();
  std::array<char, 128> dotted{};
  if (!object || OBJ_obj2txt(dotted.data(), dotted.size(), object.get(), 1) <= 0 || text != dotted.data())
    return nullptr;
  return object;
}

}  // namespace signet::certstore
