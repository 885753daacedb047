#include "as2/message_id.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/random.h"

namespace signet::as2 {
namespace {

constexpr std::size_t kMaxMessageIdLength = 998;
constexpr std::size_t kMaxHost = 200;

std::string_view without_brackets(std::string_view id) {
  if (id.size() >= 2 && id.front() == '<' && id.back() == '>') return id.substr(1, id.size() - 2);
  return id;
}

/// RFC 5322's dot-atom-text, of which ids are made.
bool is_id_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' ||
         c == '_';
}

}  // namespace

Result<MessageId> MessageId::parse(std::string_view field_value) {
  const std::string_view id = trim(field_value);
  if (trim(without_brackets(id)).empty()) return fail(ErrorKind::InvalidInput, "the Message-ID is empty");
  if (id.size() > kMaxMessageIdLength)
    return fail(ErrorKind::InvalidInput, fmt::format("a Message-ID of {} characters where {} are allowed",
                                                     id.size(), kMaxMessageIdLength));
  if (!std::all_of(id.begin(), id.end(), [](char c) { return c >= ' ' && c <= '~'; }))
    return fail(ErrorKind::InvalidInput,
                fmt::format("a Message-ID holds printable ASCII characters only, not '{}'", printable(id)));
  return MessageId(std::string(id));
}

MessageId MessageId::generate(std::string_view host) {
  std::string right;
  std::copy_if(host.begin(), host.begin() + static_cast<std::ptrdiff_t>(std::min(host.size(), kMaxHost)),
               std::back_inserter(right), is_id_character);
  return MessageId(fmt::format("<{}@{}>", random_id(), right.empty() ? "localhost" : right));
}

std::string_view MessageId::bare() const { return without_brackets(text_); }

}  // namespace signet::as2
