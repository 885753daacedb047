#pragma once

#include <chrono>
#include <cstdint>

namespace signet::gateway {

/// When a message that our keys did not decrypt has its outcome: at the next multiple of a time that its size
/// alone decides, counted from when work on it began. What went wrong, and so how much of the work was done,
/// shows in no clock then: a bad RSA padding, a bad CBC padding and a bad digest are milliseconds apart, and
/// the more so the larger a message is (Vaudenay 2002; tests/bench/oracle.py measures it).
///
/// The time, 100 ms and 50 ns an octet, is several times what all of the work takes. Where a machine is so
/// busy that the work takes longer, the outcome waits for the second multiple, and so on.
///
/// @param took  so far
/// @param size  of the message as it came, octets
/// @returns     how long the outcome waits from now on; never negative
std::chrono::nanoseconds until_even(std::chrono::nanoseconds took, std::uint64_t size);

}  // namespace signet::gateway
