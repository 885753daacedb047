#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agreements/model.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/exchange/account_snapshot.h"

/// What a post's outcome means for the next one; for messages and for receipts.

namespace signet::gateway {

/// Whether the same request may have another answer later: no connection, a time-out, 408, 425, 429, 5xx
/// [RFC9110 15.5, 15.6]. A TLS failure is one of them, for whoever has the wrong certificate will notice.
/// Other answers are final.
bool is_transient(const Result<HttpAnswer>& answer);
bool is_transient(const Error& error);

/// Why a post did not do what it was for, for the operator; empty for a 2xx.
std::string refusal_of(const Result<HttpAnswer>& answer);

/// How often and how long posts under an agreement are tried; as by default where it is gone, or the account
/// cannot be read.
agreements::Retry retry_of(const CurrentAccount& account, std::string_view agreement);

/// When to try again after so many attempts that have failed; nothing when the agreement allows no more. The
/// intervals grow by the agreement's factor, up to a day, and each is shortened by up to a fifth at random,
/// so that what failed together does not come again together.
///
/// @param elapsed  since the first attempt could be made
std::optional<std::chrono::milliseconds> next_interval(const agreements::Retry& retry, std::uint32_t attempts,
                                                       std::chrono::milliseconds elapsed);

}  // namespace signet::gateway
