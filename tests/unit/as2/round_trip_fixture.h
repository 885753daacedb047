#pragma once

#include <gtest/gtest.h>

#include "as2/compose.h"
#include "as2/open.h"
#include "as2/receipt.h"
#include "tests/support/test_certificates.h"

namespace signet::as2 {

/// Two companies with a certificate each, and the settings with which one sends and the other receives.
class RoundTrip : public testing::Test {
 protected:
  certstore::PrivateCertificate acme_ = test::make_certificate({.common_name = "Acme"});
  certstore::PrivateCertificate globex_ = test::make_certificate({.common_name = "Globex"});
  certstore::PrivateCertificate stranger_ = test::make_certificate({.common_name = "Stranger"});
  const std::string payload_ = "UNB+UNOC:3+ACME:14+GLOBEX:14+261121:0830+1'\r\nUNZ+0+1'\r\n";

  ComposeSettings compose_settings() const {
    ComposeSettings settings{As2Name::of("Acme").value(), As2Name::of("Globex").value(),
                             MessageId::parse("<1@acme.example>").value()};
    settings.date = parse_time("2026-11-21T08:30:00Z").value();
    settings.content_type = "application/EDIFACT";
    settings.file_name = "orders.edi";
    settings.signer = acme_;
    settings.sign.signing_time = settings.date;
    settings.recipients = {globex_.certificate};
    settings.receipt.wanted = true;
    settings.receipt.signed_wanted = true;
    settings.receipt.notify_to = "Acme";
    settings.receipt.hashes = {{Hash::Sha256, "sha-256"}};
    return settings;
  }

  OpenSettings open_settings() const {
    OpenSettings settings;
    settings.decryption = {globex_};
    settings.signers = {acme_.certificate};
    return settings;
  }

  static Composed compose_or_die(const Slice& payload, const ComposeSettings& settings) {
    auto composed = compose(payload, settings);
    EXPECT_TRUE(composed) << composed.error().detail;
    return *std::move(composed);
  }

  Step<Opened> open_message(const Composed& message, const OpenSettings& settings) {
    layers_.clear();
    return open(message.headers, message.body, settings, layers_);
  }

  static std::string text_of(const Slice& slice) {
    const Bytes octets = slice.to_bytes(100 * 1024 * 1024).value();
    return std::string(as_text(octets));
  }

  std::vector<Layer> layers_;
};

}  // namespace signet::as2
