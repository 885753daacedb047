#pragma once

#include <string_view>

#include "agreements/model.h"

namespace signet::gateway {

/// Whether an asynchronous receipt may be posted to the URL that a message names: it is http or https, and
/// its scheme, host, port and path are those of, or lie below, a URL that the agreement allows
/// (receiptDeliveryUrl, or an <x:allowUrl> of x:receiptPolicy). Escapes such as "%20" are compared as they
/// are written, and there are none below a URL that is allowed. Which address the host's name may stand for
/// is judged when it is connected to.
bool allows_receipt_url(const agreements::OneWayAgreement& receive_agreement, std::string_view url);

/// Whether `address` (numeric IPv4 or IPv6) may be connected to for a receipt: one of the public internet, or
/// one that lies in a network that the agreement allows (<x:allowNetwork>), or that an allowed URL itself
/// names. Loopback, private, link-local (so every cloud's metadata service), unique-local, shared, multicast
/// and reserved addresses need to be allowed.
bool allows_receipt_address(const agreements::OneWayAgreement& receive_agreement, std::string_view address);

}  // namespace signet::gateway
