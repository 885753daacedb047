#pragma once

#include <optional>

#include "base/clock.h"
#include "base/openssl.h"

/// The attributes of a SignerInfo. Internal to as2/cms.

namespace signet::as2::cms {

/// The one value of a signed attribute that is there once; null when it is absent, there twice or of another
/// type.
const void* single_signed_value(CMS_SignerInfo* info, int nid, int type);

/// The signing-time attribute, as UTCTime or GeneralizedTime (RFC 5652 section 11.3).
std::optional<Time> read_signing_time(CMS_SignerInfo* info);

}  // namespace signet::as2::cms
