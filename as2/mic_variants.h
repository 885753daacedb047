#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "as2/mic.h"
#include "base/stream.h"

/// The MICs that other implementations have been seen to compute for a message, so that a MIC that is not
/// ours can be explained. For diagnosis only: which one counts is compute_mic()'s to say, and no other is
/// ever accepted.

namespace signet::as2 {

/// Octets of a message that somebody may have hashed.
struct MicBase {
  std::string id;       ///< "signed-content": for programs
  std::string covers;   ///< "the signed part with its MIME headers"
  std::string meaning;  ///< a sentence on who does so, or when it is right
  Slice octets;
};

/// What may have been done to the octets before they were hashed.
enum class LineEnds { AsReceived, Crlf, Lf, WithCrlfAtEnd, WithoutLineEndAtEnd };

/// "as received", "every line end made CRLF", ...
std::string_view to_string(LineEnds form);

struct MicVariant {
  std::string id;  ///< "signed-content+crlf"
  std::string covers;
  std::string meaning;
  LineEnds line_ends = LineEnds::AsReceived;
  std::uint64_t size = 0;  ///< octets that were hashed
  std::vector<Mic> mics;   ///< SHA-1, SHA-256, SHA-384 and SHA-512
  [[nodiscard]] const Mic* of(Hash hash) const;
};

/// Octets that one call hashes at most; a large message gets fewer variants.
inline constexpr std::uint64_t kMicVariantBudget = std::uint64_t{4} << 30;

/// Every base in every form, in the order given, each distinct sequence of octets once (under its first
/// name). All forms as received come before the first that is changed.
///
/// @error IoFailure  the spool could not be read.
Result<std::vector<MicVariant>> mic_variants(std::span<const MicBase> bases);

/// The first variant with this digest, under whatever hash's name: some peers name one and use another.
struct MicMatch {
  const MicVariant* variant = nullptr;  ///< borrowed
  Hash hash = Hash::Sha256;
};
std::optional<MicMatch> find_mic(std::span<const MicVariant> variants, ByteView digest);

}  // namespace signet::as2
