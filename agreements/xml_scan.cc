#include "agreements/xml_scan.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>

#include "agreements/xml.h"
#include "base/bytes.h"
#include "base/utf8.h"

namespace signet::agreements {

namespace {

constexpr std::string_view kUtf8Bom = "\xEF\xBB\xBF";
constexpr std::string_view kBlank = " \t\r\n";

/// XML 1.0 section 2.2, production Char.
bool is_xml_character(char32_t c) {
  if (c < 0x20) return c == '\t' || c == '\n' || c == '\r';
  return c <= 0xD7FF || (c >= 0xE000 && c <= 0xFFFD) || (c >= 0x10000 && c <= 0x10FFFF);
}

std::optional<ScanProblem> check_characters(std::string_view xml) {
  const std::string_view start = xml.substr(0, 4);
  if (start.starts_with("\xFE\xFF") || start.starts_with("\xFF\xFE") ||
      start.find('\0') != std::string_view::npos)
    return ScanProblem{0, "UTF-8", "what looks like UTF-16 or UTF-32", "Save the file as UTF-8."};
  for (std::string_view rest = xml; !rest.empty();) {
    const std::size_t i = xml.size() - rest.size();
    const std::optional<char32_t> character = take_code_point(rest);
    if (!character)
      return ScanProblem{i, "UTF-8", fmt::format("the octet 0x{:02X}", static_cast<unsigned char>(xml[i])),
                         "Save the file as UTF-8."};
    if (!is_xml_character(*character))
      return ScanProblem{i, "a character that XML allows",
                         fmt::format("U+{:04X}", static_cast<std::uint32_t>(*character)), "Remove it."};
  }
  return std::nullopt;
}

/// Walks from one piece of markup to the next.
class Scanner {
 public:
  explicit Scanner(std::string_view xml) : xml_(xml) {}

  std::optional<ScanProblem> scan() {
    skip_bom_and_declaration();
    while (!problem_ && offset_ < xml_.size()) {
      if (xml_[offset_] == '<')
        markup();
      else
        text();
    }
    if (!problem_ && roots_ == 0)
      refuse(xml_.size(), "an element", "nothing", "An account is one integrationAccount element.");
    return problem_;
  }

 private:
  void skip_bom_and_declaration() {
    if (xml_.starts_with(kUtf8Bom)) offset_ = kUtf8Bom.size();
    if (!xml_.substr(offset_).starts_with("<?xml") || xml_.size() < offset_ + 6 ||
        kBlank.find(xml_[offset_ + 5]) == std::string_view::npos)
      return;
    const std::size_t end = xml_.find("?>", offset_);
    if (end == std::string_view::npos) return refuse(offset_, "\"?>\" after \"<?xml\"", "none", "Close it.");
    check_declaration(xml_.substr(offset_, end - offset_));
    offset_ = end + 2;
  }

  void check_declaration(std::string_view declaration) {
    const std::size_t name = declaration.find("encoding");
    if (name == std::string_view::npos) return;
    const std::size_t open = declaration.find_first_of("\"'", name);
    const std::size_t close =
        open == std::string_view::npos ? open : declaration.find(declaration[open], open + 1);
    if (close == std::string_view::npos) return refuse(offset_ + name, "encoding=\"UTF-8\"", "no value", {});
    const std::string_view value = declaration.substr(open + 1, close - open - 1);
    if (!equal_ignoring_case(value, "UTF-8"))
      refuse(offset_ + open + 1, "the encoding UTF-8", quoted(value),
             "Save the file as UTF-8 and say so here.");
  }

  void text() {
    const std::size_t end = std::min(xml_.find('<', offset_), xml_.size());
    const std::string_view run = xml_.substr(offset_, end - offset_);
    if (depth_ == 0) {
      const std::size_t stray = run.find_first_not_of(kBlank);
      if (stray != std::string_view::npos)
        return refuse(offset_ + stray, "nothing but the root element", "text", "Remove it.");
    }
    check_references(run, offset_);
    offset_ = end;
  }

  void markup() {
    const std::string_view rest = xml_.substr(offset_);
    if (rest.starts_with("<!--")) return skip_comment();
    if (rest.starts_with("<![CDATA[")) return skip_cdata();
    if (rest.starts_with("<!"))
      return refuse(offset_, "no DOCTYPE", quoted(rest.substr(0, rest.find_first_of(" \t\r\n>"))),
                    "Remove it: accounts use no document type, no entities and nothing from elsewhere.");
    if (rest.starts_with("<?"))
      return refuse(offset_, "no processing instruction",
                    quoted(rest.substr(0, rest.find_first_of(" \t\r\n?", 2))), "Remove it.");
    if (rest.starts_with("</")) return end_tag();
    start_tag();
  }

  void skip_comment() {
    const std::size_t end = xml_.find("--", offset_ + 4);
    if (end == std::string_view::npos || xml_.substr(end, 3) != "-->")
      return refuse(offset_, "a comment that ends with \"-->\" and has no other \"--\"", "none such",
                    "Close it.");
    offset_ = end + 3;
  }

  void skip_cdata() {
    if (depth_ == 0) return refuse(offset_, "nothing but the root element", "a CDATA section", "Remove it.");
    const std::size_t end = xml_.find("]]>", offset_);
    if (end == std::string_view::npos)
      return refuse(offset_, "\"]]>\" after \"<![CDATA[\"", "none", "Close it.");
    offset_ = end + 3;
  }

  void end_tag() {
    const std::size_t end = xml_.find('>', offset_);
    if (end == std::string_view::npos || depth_ == 0)
      return refuse(offset_, "an end tag that closes an element", "one that does not", {});
    --depth_;
    offset_ = end + 1;
  }

  void start_tag() {
    if (depth_ == 0 && ++roots_ > 1)
      return refuse(offset_, "one root element", "a second one",
                    "Put everything into one integrationAccount.");
    const std::size_t begin = offset_;
    count_item();
    const std::size_t end = end_of_start_tag();
    if (problem_) return;
    const bool closed = xml_[end - 1] == '/';
    if (!closed && ++depth_ > kMaxXmlDepth)
      return refuse(begin, fmt::format("at most {} elements within each other", kMaxXmlDepth), "more", {});
    offset_ = end + 1;
  }

  /// The offset of the '>', having looked at every attribute on the way.
  std::size_t end_of_start_tag() {
    std::size_t i = offset_ + 1;
    while (i < xml_.size() && xml_[i] != '>') {
      const char c = xml_[i];
      if (c == '<') break;
      if (c != '"' && c != '\'') {
        ++i;
        continue;
      }
      count_item();
      const std::size_t close = xml_.find(c, i + 1);
      if (close == std::string_view::npos) break;
      const std::string_view value = xml_.substr(i + 1, close - i - 1);
      if (const std::size_t bracket = value.find('<'); bracket != std::string_view::npos)
        refuse(i + 1 + bracket, "\"&lt;\" in an attribute", "'<'", "Write &lt;.");
      check_references(value, i + 1);
      i = close + 1;
      if (problem_) return i;
    }
    if (i >= xml_.size() || xml_[i] != '>')
      refuse(offset_, "a tag that is closed by '>'", "one that is not", {});
    return i;
  }

  void check_references(std::string_view run, std::size_t base) {
    for (std::size_t i = run.find('&'); i != std::string_view::npos && !problem_; i = run.find('&', i + 1)) {
      const std::size_t end = run.substr(i, 16).find(';');
      const std::string_view reference =
          end == std::string_view::npos ? run.substr(i, 12) : run.substr(i, end + 1);
      if (end == std::string_view::npos || !known_reference(reference.substr(1, reference.size() - 2)))
        refuse(base + i, "&lt; &gt; &amp; &quot; &apos; or a character reference", quoted(reference),
               "Write &amp; for the character '&'.");
    }
  }

  static bool known_reference(std::string_view name) {
    if (name == "lt" || name == "gt" || name == "amp" || name == "quot" || name == "apos") return true;
    if (name.size() < 2 || name[0] != '#') return false;
    const bool hex = name[1] == 'x';
    const std::string_view digits = name.substr(hex ? 2 : 1);
    std::uint32_t character = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), character, hex ? 16 : 10);
    return !digits.empty() && error == std::errc{} && end == digits.data() + digits.size() &&
           is_xml_character(character);
  }

  void count_item() {
    if (++items_ > kMaxXmlItems)
      refuse(offset_, fmt::format("at most {} elements and attributes", kMaxXmlItems), "more",
             "Split the account into several.");
  }

  static std::string quoted(std::string_view text) { return "'" + printable(text, 60) + "'"; }

  void refuse(std::size_t offset, std::string expected, std::string found, std::string advice) {
    if (!problem_) problem_ = ScanProblem{offset, std::move(expected), std::move(found), std::move(advice)};
  }

  std::string_view xml_;
  std::size_t offset_ = 0;
  std::size_t depth_ = 0;
  std::size_t roots_ = 0;
  std::size_t items_ = 0;
  std::optional<ScanProblem> problem_;
};

}  // namespace

std::optional<ScanProblem> scan_xml(std::string_view xml) {
  if (xml.size() > kMaxXmlSize)
    return ScanProblem{0, fmt::format("at most {} MiB of XML", kMaxXmlSize >> 20),
                       fmt::format("{} octets", xml.size()), "Split the account into several."};
  if (std::optional<ScanProblem> problem = check_characters(xml)) return problem;
  return Scanner(xml).scan();
}

bool is_xml_text(std::string_view text) {
  while (!text.empty()) {
    const std::optional<char32_t> character = take_code_point(text);
    if (!character || !is_xml_character(*character)) return false;
  }
  return true;
}

}  // namespace signet::agreements
