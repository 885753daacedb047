#pragma once

#include <initializer_list>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"
#include "gateway/endpoint/http_client.h"

namespace signet::gateway {

/// Signs a post to a webhook by HMAC-SHA-256 as RFC 9421 says: its method, its URL and the fields named, in
/// lower case. Adds Signature-Input and Signature.
void sign_post(HttpPost& post, std::initializer_list<const char*> fields, std::string_view key_id,
               const SecretBytes& secret, Time now);

}  // namespace signet::gateway
