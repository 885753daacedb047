#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "certstore/x509/certificate.h"
#include "gateway/endpoint/allowed_urls.h"
#include "gateway/revocation/revocation_store.h"

/// Whether certificates of an account can be looked up in revocation lists at all.

namespace signet::gateway {

struct Prospect {
  std::string never;   ///< why no list can be had; empty: one can, as far as is known
  std::string advice;  ///< with `never`: what would change that
};

/// @param certificate  not self-signed
/// @param authorities  AccountSnapshot::authorities()
/// @param lists        those that are at hand
Prospect prospect_of(const certstore::Certificate& certificate,
                     const std::vector<certstore::Certificate>& authorities,
                     const std::vector<StoredRevocationList>& lists, const AllowedUrls& allowed, Time now);

}  // namespace signet::gateway
