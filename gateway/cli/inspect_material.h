#pragma once

#include <optional>
#include <string>
#include <vector>

#include "as2/inspect.h"
#include "base/clock.h"
#include "gateway/cli/home.h"
#include "gateway/exchange/agreement_settings.h"

/// What a gateway's home knows about a captured message: its agreement, certificates and keys, and its
/// record.

namespace signet::gateway {

/// Whose a captured message is, from this home's point of view.
enum class CaptureOrigin {
  GuestMessage,  ///< a partner's message to us
  OwnMessage,    ///< our message to a partner
  GuestReceipt,  ///< a partner's receipt for our message
  OwnReceipt,    ///< our receipt for a partner's message
  Unknown,       ///< no agreement found
};

struct CaptureMaterial {
  CaptureOrigin origin = CaptureOrigin::Unknown;
  as2::InspectMaterial material;
  as2::CompressedMic compressed_mic = as2::CompressedMic::WithHeaders;
  Hash default_mic_hash = Hash::Sha256;
  as2::ExplainedLayer layer;  ///< the agreement and what is remarkable about its certificates
};

struct MaterialRequest {
  std::string agreement;  ///< its name; empty: found by AS2-From and AS2-To
  Time at{};              ///< whose certificates and exceptions count
  SpoolArea spool;
};

/// Finds the agreement that a capture belongs to, and what it may be opened with. Keys are opened in the
/// gateway's name. With no agreement, every private certificate of the account may decrypt and nobody in
/// particular is expected to have signed.
///
/// @param first  the capture explained without anything: tells messages from receipts.
/// @error NotFound  no agreement of the name asked for.  @error ...  the account or its certificates cannot
/// be read.
Result<CaptureMaterial> find_material(Home& home, const as2::Capture& capture, const as2::Explanation& first,
                                      const MaterialRequest& request);

/// What the gateway itself makes of a partner's message under its agreement: the answer of as2::open() and
/// as2::judge().
///
/// Nothing when it is not a partner's message under an agreement.
Result<std::optional<as2::ExplainedLayer>> gateway_verdict(Home& home, const as2::Capture& capture,
                                                           const as2::Explanation& first,
                                                           const MaterialRequest& request);

/// The records in the store that a capture is about: by Message-ID, or for a receipt by Original-Message-ID.
Result<std::vector<MessageRecord>> find_records(Home& home, const as2::Capture& capture,
                                                const as2::Explanation& explained, CaptureOrigin origin);

}  // namespace signet::gateway
