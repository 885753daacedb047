#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "as2/mime/headers.h"
#include "as2/receipt.h"
#include "tests/support/test_gateway.h"

/// Recorded requests against a gateway in this process: posted octet for octet, the answers read back.

namespace signet::interop {

/// A message in HTTP form, taken apart.
struct WireMessage {
  std::string start_line;
  as2::mime::Headers headers;
  Slice body;

  [[nodiscard]] int status() const { return test::status_of(start_line); }
  [[nodiscard]] std::string text() const { return test::text_of(body); }
};

/// Reads an answer; an interim "100 Continue" before it is skipped. Empty octets give an empty message.
WireMessage read_answer(std::string_view octets);
/// Posts octets to the gateway's port and reads the answer.
WireMessage post_to(const test::TestGateway& gateway, std::string_view request);

/// What one agreement of a gateway under test trades: the roles are the gateway's.
struct Trade {
  std::string name;   ///< of the agreement
  std::string guest;  ///< AS2-From of the recorded requests
  std::string host;   ///< AS2-To
  agreements::CertificateEntry guest_certificate;
  agreements::CertificateEntry host_certificate;
  agreements::OneWayAgreement receive;  ///< certificate names are filled in
};

/// A whole account of such agreements, a partner for each name.
agreements::Account account_of(const std::vector<Trade>& trades);

/// A partner's certificate from a PEM file, under a name.
agreements::CertificateEntry public_certificate(const std::string& name, const std::filesystem::path& file);

/// An exception for one weak algorithm, as an agreement would state it.
agreements::WeakException exception_for(agreements::WeakAlgorithm algorithm);

/// Checks a receipt that came back: signed by `signer` where that is demanded, for this message, with this
/// MIC if given.
as2::ReceiptVerdict check(const WireMessage& answer, const std::string& message_id,
                          const certstore::Certificate& signer, bool must_be_signed = true);

}  // namespace signet::interop
