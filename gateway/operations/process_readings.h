#pragma once

#include <vector>

#include "gateway/operations/metrics.h"

namespace signet::gateway {

/// What Prometheus' client libraries say of their process, by the names that dashboards know: memory, CPU
/// time, files, start.
std::vector<Reading> process_readings();

}  // namespace signet::gateway
