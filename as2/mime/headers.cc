#include "as2/mime/headers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace signet::as2::mime {
namespace {

bool is_control(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return (octet < 0x20 && c != '\t') || octet == 0x7F;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string without_controls(std::string_view text) {
  std::string out(text);
  std::replace_if(out.begin(), out.end(), is_control, ' ');
  return out;
}

bool is_field_name(std::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7F && c != ':'; });
}

/// Reads one block, line by line.
class BlockReader {
 public:
  BlockReader(std::string_view text, const HeaderRules& rules) : text_(text), rules_(rules) {}

  Result<HeaderBlock> read() {
    while (position_ < text_.size()) {
      SIGNET_TRY(const std::string_view line, next_line());
      ++line_number_;
      if (line.empty() && ended_by_line_end_) {
        block_.terminated = true;
        break;
      }
      SIGNET_CHECK(take(line));
    }
    SIGNET_CHECK(flush());
    block_.octets = position_;
    return std::move(block_);
  }

 private:
  /// The next line without its end, position_ moved behind it.
  Result<std::string_view> next_line() {
    const std::size_t line_feed = text_.find('\n', position_);
    ended_by_line_end_ = line_feed != std::string_view::npos;
    const std::size_t end = ended_by_line_end_ ? line_feed + 1 : text_.size();
    if (end > rules_.max_octets)
      return fail(ErrorKind::LimitExceeded,
                  fmt::format("a header block of more than the {} octets allowed", rules_.max_octets));
    std::string_view line = text_.substr(position_, end - position_);
    position_ = end;
    if (ended_by_line_end_) line.remove_suffix(1);
    if (ended_by_line_end_ && !line.empty() && line.back() == '\r')
      line.remove_suffix(1);
    else if (ended_by_line_end_ && !rules_.bare_lf)
      return fail(ErrorKind::InvalidInput,
                  fmt::format("header line {} ends in LF without CR", line_number_ + 1));
    return line;
  }

  Result<> take(std::string_view line) {
    if (std::any_of(line.begin(), line.end(), is_control))
      return fail(ErrorKind::InvalidInput, fmt::format("header line {} holds a control character: '{}'",
                                                       line_number_, printable(line, 80)));
    if (!line.empty() && is_blank(line.front())) return take_continuation(line);
    SIGNET_CHECK(flush());
    return take_field(line);
  }

  Result<> take_continuation(std::string_view line) {
    if (!has_field_ || !rules_.folding)
      return fail(
          ErrorKind::InvalidInput,
          fmt::format("header line {} begins with white space{}", line_number_,
                      has_field_ ? ", and folded lines are not allowed here" : " and continues nothing"));
    const std::string_view more = trim(line);
    if (!more.empty()) {
      if (!field_.value.empty()) field_.value.push_back(' ');
      field_.value.append(more);
    }
    return {};
  }

  Result<> take_field(std::string_view line) {
    const std::size_t colon = line.find(':');
    std::string_view name = line.substr(0, colon);
    if (rules_.space_before_colon)
      while (!name.empty() && is_blank(name.back())) name.remove_suffix(1);
    if (colon == std::string_view::npos || !is_field_name(name))
      return fail(ErrorKind::InvalidInput, fmt::format("header line {} should be 'Name: value' and is '{}'",
                                                       line_number_, printable(line, 80)));
    field_ = Header{std::string(name), std::string(trim(line.substr(colon + 1)))};
    has_field_ = true;
    return {};
  }

  Result<> flush() {
    if (!has_field_) return {};
    if (block_.headers.size() == rules_.max_fields)
      return fail(ErrorKind::LimitExceeded,
                  fmt::format("more than the {} header fields allowed", rules_.max_fields));
    block_.headers.add(field_.name, field_.value);
    has_field_ = false;
    return {};
  }

  std::string_view text_;
  const HeaderRules& rules_;
  std::size_t position_ = 0;
  std::size_t line_number_ = 0;
  bool ended_by_line_end_ = false;
  bool has_field_ = false;
  Header field_;
  HeaderBlock block_;
};

}  // namespace

const Header* Headers::find(std::string_view name) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const Header& field) { return equal_ignoring_case(field.name, name); });
  return found == fields_.end() ? nullptr : &*found;
}

std::optional<std::string_view> Headers::value(std::string_view name) const {
  const Header* field = find(name);
  if (field == nullptr) return std::nullopt;
  return field->value;
}

std::size_t Headers::count(std::string_view name) const { return all(name).size(); }

std::vector<std::string_view> Headers::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const Header& field : fields_)
    if (equal_ignoring_case(field.name, name)) values.emplace_back(field.value);
  return values;
}

void Headers::add(std::string_view name, std::string_view value) {
  fields_.push_back({without_controls(name), without_controls(value)});
}

void Headers::set(std::string_view name, std::string_view value) {
  std::string clean = without_controls(value);
  const auto same = [&](const Header& field) { return equal_ignoring_case(field.name, name); };
  const auto first = std::find_if(fields_.begin(), fields_.end(), same);
  if (first == fields_.end()) {
    fields_.push_back({without_controls(name), std::move(clean)});
    return;
  }
  first->value = std::move(clean);
  fields_.erase(std::remove_if(first + 1, fields_.end(), same), fields_.end());
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [&](const Header& field) { return equal_ignoring_case(field.name, name); });
}

std::string Headers::serialise() const {
  std::string out;
  for (const Header& field : fields_) out.append(field.name).append(": ").append(field.value).append("\r\n");
  return out;
}

Result<HeaderBlock> parse_headers(std::string_view text, const HeaderRules& rules) {
  return BlockReader(text, rules).read();
}

}  // namespace signet::as2::mime
