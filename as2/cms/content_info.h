#pragma once

#include <string_view>

#include "base/result.h"
#include "base/stream.h"

namespace signet::as2::cms {

/// What a CMS message is, by the content type of its ContentInfo (RFC 5652 section 3), whatever its MIME
/// headers say.
enum class CmsType { Signed, Enveloped, AuthEnveloped, Compressed, Other };

/// "signed-data", "enveloped-data", "authEnveloped-data", "compressed-data", "other".
std::string_view to_string(CmsType type);

/// Looks at the first octets of `message`, DER or BER; what follows them is not looked at.
///
/// @error InvalidInput  not a ContentInfo.  @error IoFailure  the spool could not be read.
Result<CmsType> detect_type(const Slice& message);

}  // namespace signet::as2::cms
