#include "as2/mime/content_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "as2/mime/charset.h"
#include "base/bytes.h"
#include "base/hex_value.h"
#include "base/utf8.h"

namespace signet::as2::mime {
namespace {

constexpr std::size_t kMaxValue = 64 * 1024;
constexpr std::size_t kMaxParameters = 64;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// RFC 2045 5.1: printable ASCII without spaces and tspecials.
bool is_token_character(char c) {
  return c > ' ' && c < 0x7F && std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Undoes "%41" or, with `mark` '=', "=41". What is no such thing stays.
std::string undo_hex(std::string_view text, char mark) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == mark && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
        hex_value(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

/// The words and parameters of one field's value.
class ValueReader {
 public:
  explicit ValueReader(std::string_view text) : rest_(text) {}

  Result<> check_size() const {
    if (rest_.size() > kMaxValue)
      return fail(ErrorKind::LimitExceeded, fmt::format("a field of more than {} octets", kMaxValue));
    return {};
  }

  std::string_view take_token() {
    skip_space_and_comments();
    std::size_t end = 0;
    while (end < rest_.size() && is_token_character(rest_[end])) ++end;
    return take(end);
  }

  bool take_mark(char mark) {
    skip_space_and_comments();
    if (rest_.empty() || rest_.front() != mark) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// Everything behind the first words: "; name=value; ...".
  Result<std::vector<Parameter>> take_parameters() {
    std::vector<Parameter> list;
    for (;;) {
      skip_space_and_comments();
      if (rest_.empty()) return list;
      if (!take_mark(';'))
        return fail(ErrorKind::InvalidInput,
                    fmt::format("expected ';' and a parameter, got '{}'", printable(rest_, 60)));
      const std::string name = to_lower(take_token());
      if (!take_mark('=')) {
        SIGNET_CHECK(skip_bare_word());
        continue;
      }
      if (name.empty())
        return fail(ErrorKind::InvalidInput,
                    fmt::format("a parameter without a name before '{}'", printable(rest_, 60)));
      if (list.size() == kMaxParameters)
        return fail(ErrorKind::LimitExceeded,
                    fmt::format("more than the {} parameters allowed", kMaxParameters));
      SIGNET_TRY(std::string value, take_value(name));
      list.push_back({name, std::move(value)});
    }
  }

 private:
  std::string_view take(std::size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  /// Comments nest [RFC5322 3.2.2]; one that does not close is none, and stays.
  void skip_space_and_comments() {
    for (;;) {
      while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
      if (rest_.empty() || rest_.front() != '(') return;
      std::size_t depth = 0;
      std::size_t end = 0;
      for (; end < rest_.size(); ++end) {
        if (rest_[end] == '\\')
          ++end;
        else if (rest_[end] == '(')
          ++depth;
        else if (rest_[end] == ')' && --depth == 0)
          break;
      }
      if (end >= rest_.size()) return;
      rest_.remove_prefix(end + 1);
    }
  }

  /// A word without "=" says nothing and is passed over.
  Result<> skip_bare_word() {
    skip_space_and_comments();
    if (rest_.empty() || rest_.front() == ';') return {};
    return fail(ErrorKind::InvalidInput,
                fmt::format("expected '=' after a parameter's name, got '{}'", printable(rest_, 60)));
  }

  Result<std::string> take_value(std::string_view name) {
    skip_space_and_comments();
    if (!rest_.empty() && rest_.front() == '"') return take_quoted(name);
    return take_unquoted();
  }

  /// Only \" and \\ are escapes: file names come with bare backslashes in them.
  Result<std::string> take_quoted(std::string_view name) {
    std::string value;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      const char next = i + 1 < rest_.size() ? rest_[i + 1] : '\0';
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return value;
      }
      if (rest_[i] == '\\' && (next == '"' || next == '\\')) ++i;
      value.push_back(rest_[i]);
    }
    return fail(ErrorKind::InvalidInput,
                fmt::format("the quotes of parameter '{}' do not close", printable(name, 40)));
  }

  /// Up to the next ";", with a comment at its end left out. Boundaries with "=" and file names with spaces
  /// come without quotes too.
  std::string take_unquoted() {
    const std::string_view all = rest_.substr(0, rest_.find(';'));
    std::size_t end = 0;
    while (end < all.size() && !is_space(all[end])) ++end;
    const std::string_view before = rest_;
    const std::string_view word = take(end);
    skip_space_and_comments();
    if (rest_.empty() || rest_.front() == ';') return std::string(word);
    rest_ = before;
    return std::string(trim(take(all.size())));
  }

  std::string_view rest_;
};

/// One parameter that RFC 2231 has cut up: its pieces by number.
struct Pieces {
  struct Piece {
    std::string text;
    bool encoded = false;
  };
  std::map<unsigned, Piece> pieces;

  [[nodiscard]] std::string join() const {
    std::string octets;
    std::string charset;
    unsigned expected = 0;
    for (const auto& [number, piece] : pieces) {
      if (number != expected++) break;
      std::string_view text = piece.text;
      if (number == 0 && piece.encoded) charset = take_charset(text);
      octets += piece.encoded ? undo_hex(text, '%') : std::string(text);
    }
    return to_utf8(octets, charset).value_or(guess_utf8(octets));
  }

 private:
  /// charset'language'text
  static std::string take_charset(std::string_view& text) {
    const std::size_t first = text.find('\'');
    const std::size_t second = first == std::string_view::npos ? first : text.find('\'', first + 1);
    if (second == std::string_view::npos) return {};
    std::string charset(text.substr(0, first));
    text.remove_prefix(second + 1);
    return charset;
  }
};

/// "name*", "name*0", "name*0*": the name and where its value belongs. Nothing for a plain name.
struct PieceName {
  std::string name;
  unsigned number = 0;
  bool encoded = false;
};
std::optional<PieceName> parse_piece_name(std::string_view text) {
  const std::size_t star = text.find('*');
  if (star == std::string_view::npos || star == 0) return std::nullopt;
  PieceName piece;
  piece.name = text.substr(0, star);
  std::string_view rest = text.substr(star + 1);
  if (rest.empty()) {
    piece.encoded = true;
    return piece;
  }
  if (rest.back() == '*') {
    piece.encoded = true;
    rest.remove_suffix(1);
  }
  const bool digits = !rest.empty() && rest.size() <= 3 &&
                      std::all_of(rest.begin(), rest.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  for (const char c : rest) piece.number = piece.number * 10 + static_cast<unsigned>(c - '0');
  return piece;
}

bool has_name(const std::vector<Parameter>& list, std::string_view name) {
  return std::any_of(list.begin(), list.end(),
                     [&](const Parameter& parameter) { return parameter.name == name; });
}

/// Joins RFC 2231 pieces, in the place of the first, and sees to names that occur twice. A name with a star
/// that says nothing of a piece is no name, and is left out with its value.
Result<Parameters> settle(const std::vector<Parameter>& raw) {
  std::vector<Parameter> list;
  std::map<std::string, Pieces, std::less<>> cut_up;
  for (const Parameter& parameter : raw) {
    const auto piece = parse_piece_name(parameter.name);
    if (!piece && parameter.name.find('*') != std::string::npos) continue;
    const std::string& name = piece ? piece->name : parameter.name;
    const bool is_next_piece = piece && cut_up.find(name) != cut_up.end();
    const bool known = has_name(list, name);
    if (known && !is_next_piece && name == "boundary")
      return fail(ErrorKind::InvalidInput, "two boundary parameters in one Content-Type");
    if (!known) list.push_back({name, parameter.value});
    if (piece) cut_up[name].pieces.try_emplace(piece->number, Pieces::Piece{parameter.value, piece->encoded});
  }
  for (Parameter& parameter : list)
    if (const auto pieces = cut_up.find(parameter.name); pieces != cut_up.end())
      parameter.value = pieces->second.join();
  return Parameters(std::move(list));
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = is_token_character(c) && std::string_view("*'%").find(c) == std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string quoted_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + '"';
}

/// "=?charset?Q?text?=" at the front of `text`; taken off it.
struct EncodedWord {
  std::string charset;
  std::string octets;
};
std::optional<EncodedWord> take_encoded_word(std::string_view& text) {
  constexpr std::size_t longest = 2048;  // RFC 2047 allows 75, nobody keeps to it
  const std::string_view front = text.substr(0, longest);
  if (front.substr(0, 2) != "=?") return std::nullopt;
  const std::size_t after_charset = front.find('?', 2);
  if (after_charset == std::string_view::npos || after_charset + 2 >= front.size() ||
      front[after_charset + 2] != '?')
    return std::nullopt;
  const std::size_t start = after_charset + 3;
  const std::size_t end = front.find("?=", start);
  if (end == std::string_view::npos) return std::nullopt;

  EncodedWord word;
  const std::string_view charset = front.substr(2, after_charset - 2);
  word.charset = charset.substr(0, charset.find('*'));
  const std::string_view encoded = front.substr(start, end - start);
  switch (front[after_charset + 1]) {
    case 'q':
    case 'Q': {
      std::string spaced(encoded);
      std::replace(spaced.begin(), spaced.end(), '_', ' ');
      word.octets = undo_hex(spaced, '=');
      break;
    }
    case 'b':
    case 'B': {
      const auto octets = parse_base64(encoded);
      if (!octets) return std::nullopt;
      word.octets = as_text(*octets);
      break;
    }
    default:
      return std::nullopt;
  }
  if (!to_utf8({}, word.charset)) return std::nullopt;
  text.remove_prefix(end + 2);
  return word;
}

/// Words that stand side by side, with the white space between them left out; those of one character set are
/// joined first, since a character may be cut between them.
std::string take_encoded_words(EncodedWord word, std::string_view& text) {
  std::string out;
  for (;;) {
    std::string_view next = text;
    while (!next.empty() && is_space(next.front())) next.remove_prefix(1);
    auto another = take_encoded_word(next);
    if (another) text = next;
    if (another && equal_ignoring_case(another->charset, word.charset)) {
      word.octets += another->octets;
      continue;
    }
    out += to_utf8(word.octets, word.charset).value_or(std::string());
    if (!another) return out;
    word = *std::move(another);
  }
}

std::string without_control_characters(std::string_view utf8) {
  std::string out;
  while (!utf8.empty())
    if (const auto code_point = take_code_point(utf8);
        code_point && *code_point >= 0x20 && (*code_point < 0x7F || *code_point > 0x9F))
      append_utf8(out, *code_point);
  return out;
}

}  // namespace

std::optional<std::string_view> Parameters::find(std::string_view name) const {
  for (const Parameter& parameter : list_)
    if (equal_ignoring_case(parameter.name, name)) return parameter.value;
  return std::nullopt;
}

void Parameters::set(std::string_view name, std::string_view value) {
  for (Parameter& parameter : list_) {
    if (!equal_ignoring_case(parameter.name, name)) continue;
    parameter.value = value;
    return;
  }
  list_.push_back({to_lower(name), std::string(value)});
}

std::string Parameters::to_string() const {
  std::string out;
  for (const auto& [name, value] : list_) {
    if (!is_ascii(value))
      out += fmt::format("; {}*=UTF-8''{}", name, percent_encoded(guess_utf8(value)));
    else
      out += fmt::format("; {}={}", name, is_token(value) ? value : quoted_string(value));
  }
  return out;
}

bool ContentType::is(std::string_view name) const { return equal_ignoring_case(media_type(), name); }
std::string ContentType::to_string() const { return media_type() + parameters.to_string(); }
std::string ContentDisposition::to_string() const { return type + parameters.to_string(); }

Result<ContentType> parse_content_type(std::string_view value) {
  ValueReader reader(value);
  SIGNET_CHECK(reader.check_size());
  ContentType parsed;
  parsed.type = to_lower(reader.take_token());
  const bool slash = reader.take_mark('/');
  parsed.subtype = to_lower(reader.take_token());
  if (parsed.type.empty() || !slash || parsed.subtype.empty())
    return fail(ErrorKind::InvalidInput,
                fmt::format("Content-Type should begin with type/subtype and is '{}'", printable(value, 80)));
  auto raw = reader.take_parameters();
  if (!raw) return fail(std::move(raw).error().within("Content-Type"));
  SIGNET_TRY(parsed.parameters, settle(*raw));
  return parsed;
}

Result<ContentDisposition> parse_content_disposition(std::string_view value) {
  ValueReader reader(value);
  SIGNET_CHECK(reader.check_size());
  ContentDisposition parsed;
  parsed.type = to_lower(reader.take_token());
  if (parsed.type.empty())
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("Content-Disposition should begin with a word and is '{}'", printable(value, 80)));
  auto raw = reader.take_parameters();
  if (!raw) return fail(std::move(raw).error().within("Content-Disposition"));
  SIGNET_TRY(parsed.parameters, settle(*raw));
  return parsed;
}

Result<std::optional<ContentType>> content_type(const Headers& headers) {
  const auto values = headers.all("Content-Type");
  if (values.empty()) return std::optional<ContentType>();
  for (const std::string_view value : values)
    if (value != values.front()) return fail(ErrorKind::InvalidInput, "two Content-Type fields that differ");
  SIGNET_TRY(ContentType parsed, parse_content_type(values.front()));
  return std::optional<ContentType>(std::move(parsed));
}

std::optional<std::string> file_name(const Headers& headers) {
  std::optional<std::string> name;
  if (const auto field = headers.value("Content-Disposition"))
    if (const auto disposition = parse_content_disposition(*field))
      if (const auto value = disposition->parameters.find("filename")) name = *value;
  if (!name)
    if (const auto type = content_type(headers); type && *type)
      if (const auto value = (*type)->parameter("name")) name = *value;
  if (!name) return std::nullopt;
  std::string clean = without_control_characters(decode_words(*name));
  if (clean.empty()) return std::nullopt;
  return clean;
}

std::string decode_words(std::string_view text) {
  std::string out;
  std::string plain;
  while (!text.empty()) {
    if (auto word = take_encoded_word(text)) {
      out += guess_utf8(plain);
      plain.clear();
      out += take_encoded_words(*std::move(word), text);
    } else {
      plain.push_back(text.front());
      text.remove_prefix(1);
    }
  }
  return out + guess_utf8(plain);
}

}  // namespace signet::as2::mime
