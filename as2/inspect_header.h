#pragma once

#include <vector>

#include "as2/inspect.h"

/// The part of inspect() that looks at what is around the body. Internal to as2.

namespace signet::as2 {

/// "transport", and "as2" where there is a header field of AS2.
std::vector<ExplainedLayer> explain_header(const Capture& capture);

}  // namespace signet::as2
