#pragma once

#include <string>

#include "base/bytes.h"

namespace signet {

/// Octets from OpenSSL's generator: unguessable, safe across fork. Ends the process when there is no entropy
/// to be had.
Bytes random_bytes(std::size_t count);

/// 128 random bits as 32 lower-case hexadecimal digits: request ids, key versions, the names of our files.
std::string random_id();

/// A GUID of random bits (RFC 9562 section 5.4), lower case.
std::string random_guid();

}  // namespace signet
