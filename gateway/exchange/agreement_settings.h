#pragma once

#include <vector>

#include "agreements/directory.h"
#include "as2/compose.h"
#include "as2/open.h"
#include "as2/receipt.h"
#include "base/clock.h"
#include "gateway/exchange/account_snapshot.h"

/// An agreement's words turned into what the protocol code works with, at one moment: which certificates are
/// active, which algorithms are allowed. The only place where agreements and as2 meet.

namespace signet::gateway {

/// What we advertise under the agreement (EDIINT-Features, RFC 6017); empty: nothing.
std::string features_of(const agreements::Agreement& agreement);
/// The AS2-Version to be spoken where `agreed` is: 1.2 at least where features are advertised.
std::string spoken_version(const agreements::Agreement& agreement, std::string_view agreed);

/// What opens and judges messages of this agreement.
struct ReceiveSettings {
  as2::OpenSettings open;
  as2::Requirements requirements;
  as2::CompressedMic compressed_mic = as2::CompressedMic::WithHeaders;
  Hash default_mic_hash = Hash::Sha256;
  as2::Sha2Format sha2_format = as2::Sha2Format::ShaHyphenHashSize;
  /// Certificates of ours that could not be used, and why; they matter when nothing else opens a message.
  std::vector<Error> unusable;
};

/// @error NotFound, InvalidInput  the guest's certificate for verification is missing or unreadable.
Result<ReceiveSettings> receive_settings(const agreements::ResolvedAgreement& agreement,
                                         const AccountSnapshot& account, Time now, const SpoolArea& spool);

/// What signs receipts of this agreement, with `hash`.
///
/// @error NotFound, PermissionDenied, ...  our certificate or its key cannot be used.
Result<as2::ReceiptSettings> receipt_settings(const agreements::ResolvedAgreement& agreement,
                                              const AccountSnapshot& account, Hash hash, Time now,
                                              const SpoolArea& spool);

/// What a message to the guest is made with; names, ids and texts are left to the caller.
///
/// @error NotFound, InvalidInput, PermissionDenied, ...  a name, certificate or key that the agreement needs.
Result<as2::ComposeSettings> compose_settings(const agreements::ResolvedAgreement& agreement,
                                              const AccountSnapshot& account,
                                              const as2::MessageId& message_id, Time now,
                                              const SpoolArea& spool);

/// What the guest's receipt for a composed message has to prove.
///
/// @error NotFound, InvalidInput  the guest's certificate is missing or unreadable.
Result<as2::ReceiptExpectation> receipt_expectation(const agreements::ResolvedAgreement& agreement,
                                                    const AccountSnapshot& account,
                                                    const as2::MessageId& message_id, const as2::Mic& mic,
                                                    Time now, const SpoolArea& spool);

/// Whether a receipt is for the business as well, which hears of good and of bad ones; of what cannot even be
/// read there is nothing to hand over.
bool hands_receipt_over(const agreements::ResolvedAgreement& agreement, const as2::ReceiptVerdict& receipt);

/// The hash that an agreement's algorithm stands for; SHA-256 for "Default", "NotSpecified" and "None".
Hash to_hash(agreements::HashingAlgorithm algorithm);
Hash to_hash(agreements::SigningAlgorithm algorithm);

}  // namespace signet::gateway
