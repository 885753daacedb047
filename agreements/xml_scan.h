#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// Internal: what is refused of an XML document before any parser sees it.

namespace signet::agreements {

struct ScanProblem {
  std::size_t offset = 0;
  std::string expected;
  std::string found;
  std::string advice;
};

/// Walks over the octets once, in constant memory. The first thing wrong, or nothing.
///
/// Refuses: more than kMaxXmlSize octets, kMaxXmlDepth levels or kMaxXmlItems elements and attributes;
/// anything but UTF-8 without XML's forbidden characters; DOCTYPE and other declarations; processing
/// instructions; references to anything but XML's five entities and its characters; text outside the root,
/// and a second root. What passes may still be malformed: the parser proper says so.
std::optional<ScanProblem> scan_xml(std::string_view xml);

/// Whether a text can stand in an XML document: UTF-8 without XML's forbidden characters.
bool is_xml_text(std::string_view text);

}  // namespace signet::agreements
