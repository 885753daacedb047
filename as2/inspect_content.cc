#include "as2/inspect_content.h"

#include <fmt/format.h>

#include <utility>

#include "as2/inspect_layer.h"

namespace signet::as2 {
namespace {

using mime::Entity;

constexpr std::size_t kMaxPartsShown = 100;
constexpr std::size_t kMaxPartDepth = 4;

/// @param left  how many may be shown still
void add_parts(const Entity& entity, const mime::ContentType& type, std::size_t depth, std::size_t& left,
               std::vector<Fact>& out, std::vector<std::string>& remarks) {
  const auto boundary = type.parameter("boundary");
  if (!boundary || depth == kMaxPartDepth || left == 0) return;
  const auto parts = mime::split_multipart(entity.body, *boundary, kMaxPartsShown);
  if (!parts) {
    remarks.push_back("its parts cannot be told apart: " + parts.error().detail);
    return;
  }
  for (const Slice& slice : *parts) {
    if (left == 0) {
      remarks.push_back(fmt::format("only the first {} parts are shown", kMaxPartsShown));
      return;
    }
    --left;
    const auto part = mime::read_entity(slice);
    const auto part_type =
        part ? mime::content_type(part->headers) : Result<std::optional<mime::ContentType>>(std::nullopt);
    const bool known = part && part_type && *part_type;
    Fact fact{"part",
              fmt::format("{}, {}", known ? printable((*part_type)->media_type(), 100) : "no Content-Type",
                          octets_text(slice.size()))};
    if (known && (*part_type)->type == "multipart")
      add_parts(*part, **part_type, depth + 1, left, fact.parts, remarks);
    out.push_back(std::move(fact));
  }
}

}  // namespace

Result<> TextLook::write(ByteView bytes) {
  for (const std::uint8_t octet : bytes) {
    if (front_.size() < kFront) front_.push_back(static_cast<char>(octet));
    if (octet == '\n') ++(after_cr_ ? crlf_ : lf_);
    if (after_cr_ && octet != '\n') ++cr_;
    after_cr_ = octet == '\r';
    high_ = high_ || octet > 0x7F;
    control_ = control_ || octet == 0;
  }
  return {};
}

std::string TextLook::line_ends() const {
  std::string text;
  for (const auto& [count, name] : {std::pair{crlf_, "CRLF"}, std::pair{lf_, "LF alone"},
                                    std::pair{cr_ + (after_cr_ ? 1 : 0), "CR alone"}})
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
  return text.empty() ? "none" : text;
}

std::string TextLook::kind() const {
  const std::string_view front = trim(front_);
  if (front.starts_with("UNA") || front.starts_with("UNB+")) return "EDIFACT";
  if (front.starts_with("ISA")) return "ANSI X12";
  if (front.starts_with("<?xml") || front.starts_with("\xEF\xBB\xBF<?xml")) return "XML";
  if (front.starts_with("%PDF")) return "PDF";
  if (front.starts_with("PK\x03\x04")) return "ZIP";
  return is_7bit() ? "text" : "octets";
}

std::vector<Fact> explain_parts(const Entity& entity, const mime::ContentType& type,
                                std::vector<std::string>& remarks) {
  std::size_t left = kMaxPartsShown;
  std::vector<Fact> facts;
  add_parts(entity, type, 0, left, facts, remarks);
  return facts;
}

}  // namespace signet::as2
