#pragma once

#include <string>
#include <vector>

#include "as2/compose.h"
#include "as2/receipt.h"
#include "certstore/x509/key_handle.h"
#include "tests/bench/layers.h"

/// Messages of the partner, composed before anything is measured, and his receipts for ours.

namespace signet::bench {

/// A message ready to be sent any number of times, each time under another Message-ID: that field is under no
/// signature.
struct Prepared {
  std::string head;  ///< request line and fields, without Message-ID, the body's length and the empty line
  Slice body;
  as2::Mic mic;
};

class Sender {
 public:
  Sender(std::string name, certstore::PrivateCertificate own, certstore::Certificate receiver,
         std::string receiver_name, SpoolArea spool);

  /// Secures the payload and asks for a signed receipt.
  [[nodiscard]] Result<Prepared> prepare(const Slice& payload, const Layers& layers = {}) const;

  /// Whether an answer (status line, fields, body) is a receipt that proves delivery: the whole check,
  /// signature and MIC too.
  /// @error InvalidInput  why not.
  [[nodiscard]] Result<> check_receipt(std::string_view answer, const std::string& message_id,
                                       const as2::Mic& mic) const;

  [[nodiscard]] const certstore::PrivateCertificate& own() const { return own_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  certstore::PrivateCertificate own_;
  certstore::Certificate receiver_;
  std::string receiver_name_;
  SpoolArea spool_;
};

/// The partner's receipts for what the gateway sends him, made so that he takes next to nothing of the
/// gateway's cores: signed by ECDSA P-256, and of a CMS that was made beforehand nothing but the signature is
/// new (so there are no signed attributes).
class ReceiptWriter {
 public:
  /// @param payload  of every message; its receipt repeats the MIC of that
  static Result<ReceiptWriter> make(const Slice& payload, SpoolArea spool);

  /// The answer to a message with this head.
  [[nodiscard]] Result<std::string> answer(std::string_view head) const;
  /// What the receipts are signed with.
  [[nodiscard]] const certstore::Certificate& certificate() const { return own_.certificate; }

 private:
  ReceiptWriter(certstore::PrivateCertificate own, as2::Mic mic, Bytes cms)
      : own_(std::move(own)), mic_(std::move(mic)), cms_(std::move(cms)) {}

  certstore::PrivateCertificate own_;
  as2::Mic mic_;
  Bytes cms_;  ///< ends with a signature
};

/// EDI of about `size` octets, other in each call: segments with running numbers.
Bytes edi(std::size_t size, std::size_t number);
/// The same of any size, exactly.
Result<Slice> large_edi(std::uint64_t mib, const SpoolArea& spool);

}  // namespace signet::bench
