#pragma once

#include <string>

/// The XML's own description, made from the grammar that reads and writes it. agreements/schema/ and the
/// tables of docs/agreements.md are copies of these texts; a test compares them.

namespace signet::agreements {

/// The XSD of urn:signet:account:2026; it imports the other as "signet-ext-2026.xsd".
std::string account_schema();
/// The XSD of urn:signet:ext:2026.
std::string extension_schema();
/// Every element and attribute with type, default and effect, as Markdown.
std::string settings_reference();

}  // namespace signet::agreements
