#pragma once

#include <string_view>

#include "base/openssl.h"

namespace signet::certstore {

/// Internal: a dotted object identifier, "2.5.4.10", spelled as OpenSSL itself would. Null for anything else.
Asn1ObjectPtr parse_object_identifier(std::string_view text);

}  // namespace signet::certstore
