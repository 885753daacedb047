#pragma once

#include <vector>

#include "agreements/problem.h"
#include "gateway/cli/home.h"

namespace signet::gateway {

/// What the defined names stand for now in this home. A name that is not bound stands for nothing here, so
/// the account's certificate of that name does; an intermediate one is a certificate of `account`.
///
/// @error IoFailure, ...  of the store.
Result<ServiceCertificates> resolve_service_certificates(Home& home,
                                                         const certstore::ServiceDefinitions& definitions,
                                                         const agreements::Account& account);

/// Everything about an account's meaning, as agreements::lint(), in a home whose service certificates are
/// certificates of the account: also of agreements that want what is for listeners alone to sign or to open
/// messages.
std::vector<agreements::Problem> lint_in_home(
    Home& home, const agreements::Account& account, Time now,
    const agreements::Positions& positions = agreements::Positions());

}  // namespace signet::gateway
