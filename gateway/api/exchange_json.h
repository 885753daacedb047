#pragma once

#include "gateway/api/call.h"
#include "gateway/exchange/certificate_exchange_store.h"

namespace signet::gateway::api {

/// A certificate that was exchanged, as JSON: the same for the REST services and for the command line.
Json json_of(const CertificateExchangeRecord& record);

}  // namespace signet::gateway::api
