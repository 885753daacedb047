#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "gateway/operations/metrics.h"
#include "gateway/revocation/wanted_lists.h"

/// How the certificates stand that agreements have looked up in revocation lists, for those who run the
/// gateway.

namespace signet::gateway {

std::vector<Reading> readings_of(const std::vector<RevocationStanding>& standings,
                                 const std::vector<RevocationLists::Count>& counts, Time now);

nlohmann::ordered_json to_json(const RevocationStanding& standing);
/// One line, with its end.
std::string to_text(const RevocationStanding& standing);

}  // namespace signet::gateway
