#include "as2/inspect_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "as2/inspect_layer.h"

namespace signet::as2 {
namespace {

ExplainedLayer transport_layer(const Capture& capture) {
  ExplainedLayer layer{"transport", std::string(to_string(capture.form)), {}, {}, {}};
  add_fact(layer, "line", printable(capture.start_line, 300));
  add_fact(layer, "framing", capture.framing);
  add_fact(layer, "body", octets_text(capture.body.size()));
  for (const std::string_view name :
       {"Host", "User-Agent", "Server", "Date", "Expect", "Content-Transfer-Encoding"})
    add_header_fact(layer, capture.headers, name);
  for (const std::string& text : capture.remarks) layer.remarks.emplace_back(text);
  if (capture.form == CaptureForm::HttpRequest && !capture.start_line.starts_with("POST "))
    layer.remarks.emplace_back("AS2 messages come by POST");
  return layer;
}

void check_names(const mime::Headers& headers, ExplainedLayer& layer) {
  std::vector<As2Name> names;
  for (const std::string_view name : {"AS2-From", "AS2-To"}) {
    const auto value = headers.value(name);
    if (!value) {
      add_failed_check(layer, fmt::format("{} is missing; without it no agreement can be found", name));
      continue;
    }
    auto parsed = As2Name::parse(*value);
    if (!parsed)
      add_failed_check(layer, fmt::format("{} is no AS2 name: {}", name, parsed.error().detail));
    else
      names.push_back(*std::move(parsed));
  }
  if (names.size() == 2 && names[0] == names[1])
    layer.remarks.emplace_back("AS2-From and AS2-To are the same name");
  if (!headers.has("AS2-Version"))
    layer.remarks.emplace_back("no AS2-Version: 1.0 is assumed (RFC 4130 section 6.1)");
}

void check_message_id(const mime::Headers& headers, ExplainedLayer& layer) {
  const auto value = headers.value("Message-ID");
  if (!value) {
    layer.remarks.emplace_back(
        "no Message-ID: repeats of this cannot be recognised, and no receipt can name it");
    return;
  }
  if (auto id = MessageId::parse(*value); !id)
    return add_failed_check(layer, "Message-ID: " + id.error().detail);
  if (!value->starts_with('<') || !value->ends_with('>'))
    layer.remarks.emplace_back(
        "the Message-ID has no angle brackets around it (seen from IBM Sterling); ids are compared without "
        "them");
  if (value->find('@') == std::string_view::npos)
    layer.remarks.emplace_back("the Message-ID has no '@' (seen from OpenAS2)");
  if (value->find(' ') != std::string_view::npos)
    layer.remarks.emplace_back("the Message-ID has a space in it (seen from OpenAS2)");
}

void explain_receipt_request(const mime::Headers& headers, ExplainedLayer& layer) {
  const ReceiptRequest request = parse_receipt_request(headers);
  if (!request.wanted) return;
  std::string hashes;
  for (const RequestedHash& each : request.hashes)
    hashes += (hashes.empty() ? "" : ", else ") + printable(each.spelling, 40);
  Fact wanted{"receipt wanted",
              fmt::format("{}, {}", request.signed_wanted ? "signed" : "unsigned",
                          request.async_url ? "asynchronous" : "synchronous (in the answer)")};
  if (request.async_url) wanted.parts.push_back({"to", printable(*request.async_url, 300)});
  if (!hashes.empty()) wanted.parts.push_back({"hash", hashes});
  wanted.parts.push_back({"notify", printable(request.notify_to, 200)});
  layer.facts.push_back(std::move(wanted));
  if (!request.protocol_supported)
    layer.remarks.emplace_back("a signed receipt is wanted in a protocol other than pkcs7-signature");
  for (const std::string& unknown : request.unknown_hashes)
    layer.remarks.emplace_back(
        fmt::format("the hash '{}' in signed-receipt-micalg is unknown", printable(unknown, 60)));
}

ExplainedLayer as2_layer(const mime::Headers& headers) {
  ExplainedLayer layer{"as2", "AS2 header", {}, {}, {}};
  for (const std::string_view name :
       {"AS2-Version", "AS2-From", "AS2-To", "Message-ID", "Date", "Subject", "EDIINT-Features"})
    add_header_fact(layer, headers, name);
  check_names(headers, layer);
  check_message_id(headers, layer);
  explain_receipt_request(headers, layer);
  return layer;
}

}  // namespace

std::vector<ExplainedLayer> explain_header(const Capture& capture) {
  std::vector<ExplainedLayer> layers = {transport_layer(capture)};
  const mime::Headers& headers = capture.headers;
  const bool any = std::any_of(headers.begin(), headers.end(), [](const mime::Header& field) {
    return to_lower(field.name).starts_with("as2-") || equal_ignoring_case(field.name, "Message-ID");
  });
  if (any)
    layers.push_back(as2_layer(headers));
  else if (capture.form == CaptureForm::HttpRequest)
    layers.front().remarks.emplace_back("no AS2 header field: this is no AS2 message");
  else if (capture.form == CaptureForm::HttpResponse)
    layers.front().remarks.emplace_back("no AS2 header field: an answer of the HTTP server, not of AS2");
  return layers;
}

}  // namespace signet::as2
