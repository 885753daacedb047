#pragma once

#include <string>
#include <vector>

#include "as2/compose.h"
#include "as2/receipt.h"
#include "certstore/x509/key_handle.h"

/// Messages of the partner, composed before anything is measured.

namespace signet::bench {

/// A message ready to be sent any number of times, each time under another Message-ID: that field is under no
/// signature.
struct Prepared {
  std::string head;  ///< request line and fields, without Message-ID, Content-Length and the empty line
  Slice body;
  as2::Mic mic;
};

class Sender {
 public:
  Sender(certstore::PrivateCertificate own, certstore::Certificate receiver, std::string receiver_name,
         SpoolArea spool);

  /// Signs by SHA-256 and RSA-2048, encrypts by AES-256-CBC, asks for a signed receipt.
  [[nodiscard]] Result<Prepared> prepare(const Slice& payload) const;

  /// Whether an answer (status line, fields, body) is a receipt that proves delivery: the whole check,
  /// signature and MIC too.
  /// @error InvalidInput  why not.
  [[nodiscard]] Result<> check_receipt(std::string_view answer, const std::string& message_id,
                                       const as2::Mic& mic) const;

  [[nodiscard]] const certstore::PrivateCertificate& own() const { return own_; }
  static constexpr std::string_view kName = "BenchPartner";

 private:
  certstore::PrivateCertificate own_;
  certstore::Certificate receiver_;
  std::string receiver_name_;
  SpoolArea spool_;
};

/// EDI of about `size` octets, other in each call: segments with running numbers.
Bytes edi(std::size_t size, std::size_t number);

}  // namespace signet::bench
