#include "tests/interop/wire.h"

#include <map>

#include "base/file.h"

namespace signet::interop {

WireMessage read_answer(std::string_view octets) {
  constexpr std::string_view kInterim = "HTTP/1.1 100";
  if (octets.starts_with(kInterim))
    octets.remove_prefix(std::min(octets.find("\r\n\r\n") + 4, octets.size()));
  WireMessage answer;
  const std::size_t line_end = octets.find("\r\n");
  if (line_end == std::string_view::npos) return answer;
  answer.start_line = std::string(octets.substr(0, line_end));
  const auto block =
      test::need(as2::mime::parse_headers(octets.substr(line_end + 2), as2::mime::HeaderRules::http()),
                 "reading an answer's head");
  answer.headers = block.headers;
  answer.body = Slice::of(octets.substr(line_end + 2 + block.octets));
  return answer;
}

WireMessage post_to(const test::TestGateway& gateway, std::string_view request) {
  return read_answer(test::post_raw(gateway.port(), request));
}

agreements::Account account_of(const std::vector<Trade>& trades) {
  agreements::Account account;
  const auto add_partner = [&](const std::string& name) {
    if (agreements::find_partner(account, name) != nullptr) return;
    agreements::Partner partner;
    partner.name = name;
    partner.business_identities.push_back({std::string(agreements::kAs2Qualifier), name});
    account.partners.push_back(std::move(partner));
  };
  const auto add_certificate = [&](const agreements::CertificateEntry& entry) {
    if (agreements::find_certificate(account, entry.name) == nullptr) account.certificates.push_back(entry);
  };
  for (const Trade& trade : trades) {
    add_partner(trade.guest);
    add_partner(trade.host);
    add_certificate(trade.guest_certificate);
    add_certificate(trade.host_certificate);
    agreements::Agreement agreement;
    agreement.name = trade.name;
    agreement.host_partner = trade.host;
    agreement.guest_partner = trade.guest;
    agreement.receive_agreement = trade.receive;
    agreement.receive_agreement.security_settings.signing_certificate_name = trade.guest_certificate.name;
    agreement.receive_agreement.security_settings.encryption_certificate_name = trade.host_certificate.name;
    agreement.send_agreement.security_settings.signing_certificate_name = trade.host_certificate.name;
    agreement.send_agreement.security_settings.encryption_certificate_name = trade.guest_certificate.name;
    agreement.connection.url = "http://127.0.0.1:1/as2";
    account.agreements.push_back(std::move(agreement));
  }
  return account;
}

agreements::CertificateEntry public_certificate(const std::string& name, const std::filesystem::path& file) {
  const Bytes text = test::need(read_file(file), file.string());
  return {name, test::need(certstore::Certificate::parse(text), file.string()).der(), std::nullopt, {}};
}

agreements::WeakException exception_for(agreements::WeakAlgorithm algorithm) {
  return {algorithm, "the recorded peer has nothing better", parse_time("2030-01-01").value()};
}

as2::ReceiptVerdict check(const WireMessage& answer, const std::string& message_id,
                          const certstore::Certificate& signer, bool must_be_signed) {
  as2::ReceiptExpectation expected{test::need(as2::MessageId::parse(message_id)), std::nullopt};
  expected.must_be_signed = must_be_signed;
  expected.signers = {signer};
  expected.verify.allowed_hashes.push_back(Hash::Sha1);
  expected.now = signer.not_before() + std::chrono::hours(24);
  return as2::check_receipt(answer.headers, answer.body, expected);
}

}  // namespace signet::interop
