#include "tests/bench/messages.h"

#include <fmt/format.h>

#include <utility>

namespace signet::bench {

Sender::Sender(certstore::PrivateCertificate own, certstore::Certificate receiver, std::string receiver_name,
               SpoolArea spool)
    : own_(std::move(own)),
      receiver_(std::move(receiver)),
      receiver_name_(std::move(receiver_name)),
      spool_(std::move(spool)) {}

Result<Prepared> Sender::prepare(const Slice& payload) const {
  SIGNET_TRY(const as2::As2Name from, as2::As2Name::of(kName));
  SIGNET_TRY(const as2::As2Name to, as2::As2Name::of(receiver_name_));
  as2::ComposeSettings settings{from, to, as2::MessageId::generate("bench.example")};
  settings.date = SystemClock().now();
  settings.content_type = "application/EDIFACT";
  settings.file_name = "orders.edi";
  settings.signer = own_;
  settings.recipients = {receiver_};
  settings.receipt.wanted = true;
  settings.receipt.signed_wanted = true;
  settings.receipt.notify_to = "bench@example.com";
  settings.receipt.hashes = {{Hash::Sha256, "sha-256"}};
  settings.spool = spool_;
  SIGNET_TRY(as2::Composed composed, as2::compose(payload, settings));
  composed.headers.remove("Message-ID");
  return Prepared{"POST /as2 HTTP/1.1\r\nHost: 127.0.0.1\r\n" + composed.headers.serialise(),
                  std::move(composed.body), std::move(composed.mic)};
}

Result<> Sender::check_receipt(std::string_view answer, const std::string& message_id,
                               const as2::Mic& mic) const {
  answer.remove_prefix(std::min(answer.size(), answer.find("\r\n") + 2));
  SIGNET_TRY(const as2::mime::HeaderBlock head, as2::mime::parse_headers(answer));
  SIGNET_TRY(as2::MessageId id, as2::MessageId::parse(message_id));
  as2::ReceiptExpectation expected{std::move(id), mic};
  expected.signers = {receiver_};
  expected.now = SystemClock().now();
  expected.spool = spool_;
  const as2::ReceiptVerdict verdict =
      as2::check_receipt(head.headers, Slice::of(answer.substr(head.octets)), expected);
  if (!verdict.proves_delivery) return fail(ErrorKind::InvalidInput, verdict.reason);
  return {};
}

Bytes edi(std::size_t size, std::size_t number) {
  std::string text = fmt::format("UNB+UNOC:3+BENCH:14+SIGNET:14+261121:0830+{}'\r\n", number);
  text.reserve(size + 64);
  for (std::size_t line = 1; text.size() < size; ++line)
    text += fmt::format("LIN+{}++{:013}:EN'\r\nQTY+21:{}'\r\n", line, line * 7919 + number, line % 97);
  return to_bytes(text);
}

}  // namespace signet::bench
