#pragma once

#include "certstore/x509/extensions_internal.h"
#include "certstore/x509/publication.h"

namespace signet::certstore {

/// Internal: cRLDistributionPoints and authorityInfoAccess, where there is something to say. Errors as
/// check_publication().
Result<> add_publication(STACK_OF(X509_EXTENSION) * extensions, const Publication& publication);

}  // namespace signet::certstore
