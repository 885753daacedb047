#pragma once

namespace signet {

/// Names an instant at which a crash is worth a test: before and after something becomes durable or leaves
/// the house. Does nothing.
///
/// The binary of tests/faults links another file in the place of failpoint.cc, and dies where a test says; so
/// nothing that could make the product die is in it. A test proves that every sync, rename, link, commit and
/// send has a name.
void failpoint(const char* name) noexcept;

}  // namespace signet
