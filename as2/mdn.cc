#include "as2/mdn.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "as2/mime/content_type.h"
#include "as2/mime/transfer_encoding.h"
#include "base/random.h"

namespace signet::as2 {
namespace {

using mime::Entity;
using mime::Headers;

constexpr std::size_t kMaxReport = 1024 * 1024;
constexpr std::size_t kMaxReportParts = 10;
constexpr std::size_t kMaxHumanText = 64 * 1024;
constexpr std::string_view kNotificationType = "message/disposition-notification";

/// Text whose every line ends in CRLF, the last one too, and that holds no other control character.
std::string text_lines(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (text[i] == '\r' || text[i] == '\n')
      out += "\r\n";
    else
      out.push_back((octet < 0x20 && text[i] != '\t') || octet == 0x7F ? ' ' : text[i]);
  }
  if (out.size() < 2 || out.substr(out.size() - 2) != "\r\n") out += "\r\n";
  return out;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string human_part(std::string_view human_text) {
  const bool ascii = is_ascii(human_text);
  Headers headers;
  headers.add("Content-Type", ascii ? "text/plain; charset=us-ascii" : "text/plain; charset=utf-8");
  headers.add("Content-Transfer-Encoding", ascii ? "7bit" : "8bit");
  return headers.serialise() + "\r\n" + text_lines(human_text);
}

std::string recipient(const As2Name& name) { return "rfc822; " + name.field_value(); }

Headers notification_fields(const MdnContent& content) {
  Headers fields;
  if (!content.reporting_ua.empty()) fields.add("Reporting-UA", content.reporting_ua);
  const auto& original = content.original_recipient ? content.original_recipient : content.final_recipient;
  const auto& final = content.final_recipient ? content.final_recipient : content.original_recipient;
  if (original) fields.add("Original-Recipient", recipient(*original));
  if (final) fields.add("Final-Recipient", recipient(*final));
  if (content.original_message_id) fields.add("Original-Message-ID", content.original_message_id->text());
  fields.add("Disposition", content.disposition.text);
  if (content.mic)
    fields.add("Received-Content-MIC", content.mic_spelling.empty()
                                           ? to_string(*content.mic)
                                           : to_string(*content.mic, content.mic_spelling));
  for (const mime::Header& field : content.extension_fields) fields.add(field.name, field.value);
  return fields;
}

std::string notification_part(const MdnContent& content) {
  Headers headers;
  headers.add("Content-Type", kNotificationType);
  headers.add("Content-Transfer-Encoding", "7bit");
  return headers.serialise() + "\r\n" + notification_fields(content).serialise();
}

/// A part's content without its transfer encoding. It is small, as the report is.
Result<std::string> content_of(const Entity& part) {
  SIGNET_TRY(const Slice plain, mime::decoded(part, SpoolArea{{}, kMaxReport, kMaxReport}));
  SIGNET_TRY(const Bytes octets, plain.to_bytes(kMaxReport));
  return std::string(as_text(octets));
}

/// The two parts of a report that matter.
struct ReportParts {
  std::string human_text;
  std::string notification;
};

Result<ReportParts> find_parts(const std::vector<Slice>& slices) {
  ReportParts found;
  bool has_notification = false;
  for (const Slice& slice : slices) {
    SIGNET_TRY(const Entity part, mime::read_entity(slice));
    SIGNET_TRY(const auto type, mime::content_type(part.headers));
    if (type && type->is(kNotificationType)) {
      if (has_notification)
        return fail(ErrorKind::InvalidInput, "a report has two disposition notifications");
      has_notification = true;
      SIGNET_TRY(found.notification, content_of(part));
    } else if (found.human_text.empty() && (!type || type->type == "text")) {
      if (auto text = content_of(part))
        found.human_text = *std::move(text);  // unreadable words change no verdict
    }
  }
  if (!has_notification)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a report should have a part of type {} and has none", kNotificationType));
  if (found.human_text.size() > kMaxHumanText) found.human_text.resize(kMaxHumanText);
  return found;
}

Result<std::vector<Slice>> split_report(const Entity& report) {
  if (report.body.size() > kMaxReport)
    return fail(ErrorKind::LimitExceeded,
                fmt::format("a report of {} octets where {} are allowed", report.body.size(), kMaxReport));
  SIGNET_TRY(const auto type, mime::content_type(report.headers));
  if (!type || !type->is("multipart/report"))
    return fail(ErrorKind::InvalidInput,
                fmt::format("a receipt should be a multipart/report and is {}",
                            type ? printable(type->media_type()) : "without Content-Type"));
  const auto boundary = type->parameter("boundary");
  if (!boundary)
    return fail(ErrorKind::InvalidInput, "a receipt's multipart/report has no boundary parameter");
  return mime::split_multipart(report.body, *boundary, kMaxReportParts);
}

/// The fields of a notification; empty lines before the first are skipped.
Result<Headers> parse_fields(std::string_view notification) {
  while (!notification.empty() && (notification.front() == '\r' || notification.front() == '\n'))
    notification.remove_prefix(1);
  SIGNET_TRY(mime::HeaderBlock block, mime::parse_headers(notification));
  return std::move(block.headers);
}

/// The only field of this name; empty when there is none.
Result<std::string> single(const Headers& fields, std::string_view name) {
  const auto values = fields.all(name);
  if (values.size() > 1)
    return fail(ErrorKind::InvalidInput, fmt::format("a receipt has {} {} fields", values.size(), name));
  return values.empty() ? std::string() : std::string(values.front());
}

/// "rfc822; name" or just "name".
std::optional<As2Name> parse_recipient(std::optional<std::string_view> value) {
  if (!value) return std::nullopt;
  constexpr std::string_view address_type = "rfc822";
  std::string_view rest = trim(*value);
  if (equal_ignoring_case(rest.substr(0, address_type.size()), address_type)) {
    const std::string_view behind = trim(rest.substr(address_type.size()));
    if (!behind.empty() && behind.front() == ';') rest = behind.substr(1);
  }
  auto name = As2Name::parse(rest);
  if (!name) return std::nullopt;
  return *std::move(name);
}

Result<> read_mic(const Headers& fields, MdnContent& content) {
  SIGNET_TRY(content.mic_text, single(fields, "Received-Content-MIC"));
  auto mic = parse_mic(content.mic_text);
  if (!mic) return {};  // the caller sees that it is missing, and has the text
  content.mic = *std::move(mic);
  content.mic_spelling = trim(std::string_view(content.mic_text).substr(content.mic_text.find(',') + 1));
  return {};
}

bool is_known_field(std::string_view name) {
  constexpr std::array<std::string_view, 6> known = {"Reporting-UA",    "Original-Recipient",
                                                     "Final-Recipient", "Original-Message-ID",
                                                     "Disposition",     "Received-Content-MIC"};
  return std::any_of(known.begin(), known.end(),
                     [&](std::string_view k) { return equal_ignoring_case(k, name); });
}

}  // namespace

Bytes BuiltMdn::entity() const {
  Bytes octets = to_bytes(headers.serialise() + "\r\n");
  octets.insert(octets.end(), body.begin(), body.end());
  return octets;
}

std::string random_boundary() { return "signet-" + random_id(); }

BuiltMdn build_mdn(const MdnContent& content, std::string_view boundary) {
  mime::ContentType type{"multipart", "report", {}};
  type.parameters.set("report-type", "disposition-notification");
  type.parameters.set("boundary", boundary);
  BuiltMdn built;
  built.headers.set("Content-Type", type.to_string());
  built.body = to_bytes(fmt::format("--{0}\r\n{1}\r\n--{0}\r\n{2}\r\n--{0}--\r\n", boundary,
                                    human_part(content.human_text), notification_part(content)));
  return built;
}

bool is_mdn(const mime::Headers& headers) {
  const auto type = mime::content_type(headers);
  return type && *type && (*type)->is("multipart/report") &&
         equal_ignoring_case((*type)->parameter("report-type").value_or(""), "disposition-notification");
}

Result<MdnContent> parse_mdn(const Entity& report) {
  SIGNET_TRY(const std::vector<Slice> slices, split_report(report));
  SIGNET_TRY(ReportParts parts, find_parts(slices));
  SIGNET_TRY(const Headers fields, parse_fields(parts.notification));

  MdnContent content;
  content.human_text = std::move(parts.human_text);
  SIGNET_TRY(content.disposition, read_disposition(fields));
  SIGNET_TRY(const std::string original_message_id, single(fields, "Original-Message-ID"));
  if (auto id = MessageId::parse(original_message_id)) content.original_message_id = *std::move(id);
  SIGNET_CHECK(read_mic(fields, content));
  content.original_recipient = parse_recipient(fields.value("Original-Recipient"));
  content.final_recipient = parse_recipient(fields.value("Final-Recipient"));
  content.reporting_ua = fields.value("Reporting-UA").value_or("");
  for (const mime::Header& field : fields)
    if (!is_known_field(field.name)) content.extension_fields.add(field.name, field.value);
  return content;
}

}  // namespace signet::as2
