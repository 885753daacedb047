#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

/// PEM: DER in base64 between a BEGIN and an END line (RFC 7468).

namespace signet::certstore {

/// @param label  "CERTIFICATE REQUEST"
std::string pem_of(ByteView der, std::string_view label);

/// Whether there is a BEGIN line in it.
bool is_pem(ByteView octets);

/// What a text of a document holds: PEM with its lines as it stands, and else the DER that it is base64 of.
///
/// @error InvalidInput  neither.
Result<Bytes> pem_or_der_in(std::string_view text);

/// Where octets can be had in DER or in one PEM block.
struct PemForm {
  std::string_view what;         ///< "revocation list", for errors
  std::string_view label;        ///< of the block
  std::string_view older_label;  ///< that is still seen; empty for none
  std::size_t most_octets = 0;   ///< of the input
};

/// The DER in the octets, which are either that or a PEM text with one block of the form's kind and no other.
///
/// @error InvalidInput  neither.  @error LimitExceeded
Result<Bytes> der_of(ByteView pem_or_der, const PemForm& form);

}  // namespace signet::certstore
