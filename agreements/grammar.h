#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agreements/diff.h"
#include "agreements/value_types.h"
#include "agreements/xml.h"

/// Internal: every element and attribute of an account, declared once. The readers and writers of XML and
/// JSON, the differ, the XSDs and docs/agreements.md all walk this tree, so none of them can know a setting
/// that another does not.

namespace signet::agreements {

enum class Space { None, Account, Extension };  ///< None: an attribute without prefix
enum class Form { Element, Attribute, Content };

/// One value: an element with text, an attribute, or the text of the element it belongs to.
struct Setting {
  std::string_view name;  ///< empty for Content
  Space space = Space::Account;
  Form form = Form::Element;
  bool required = false;
  bool replaces_content = false;   ///< x:file: given instead of the element's text
  bool optional_in_azure = false;  ///< Azure's JSON may leave it out; it wants all others
  bool names_vault = false;        ///< in Azure's JSON a reference: {"id": "/subscriptions/.../vaults/NAME"}
  std::string_view doc;
  ValueType type;
  std::string default_text;  ///< what write() says of a new object

  std::string (*write)(const void* object) = nullptr;
  std::string (*show)(const void* object) = nullptr;  ///< write(), shortened for people
  Result<> (*read)(void* object, std::string_view text, const ParseContext& context) = nullptr;
};

/// An element with something in it, and the object that it fills.
struct Element {
  std::string_view name;
  Space space = Space::Account;
  bool required = false;
  bool repeats = false;
  bool transparent = false;  ///< a mere container, left out of paths
  std::string_view key;  ///< name of the attribute that tells it from its siblings; empty: its number does
  bool only_if_filled =
      true;  ///< written only when something in it is; false for entries of lists and optional ones
  bool optional_in_azure = true;  ///< Azure's JSON may leave it out
  std::string_view envelope;      ///< what only Azure's JSON has around it: "content/aS2"
  std::string_view doc;
  std::vector<Setting> settings;
  std::vector<Element> children;

  void* (*enter)(void* parent) = nullptr;  ///< the object to fill: a member, or a new entry of a list
  std::size_t (*count)(const void* parent) = nullptr;
  const void* (*at)(const void* parent, std::size_t index) = nullptr;
};

/// The whole tree, from integrationAccount (an Account) down.
const Element& root_element();

/// The element of one list's entries: partner, certificate or agreement.
const Element& entry_element(EntryKind kind);

/// "x:retry", "mdnSettings": as the canonical form spells it.
std::string qualified(Space space, std::string_view name);

/// The path of an element under its parent's: "agreement[acme]/sendAgreement".
std::string child_path(std::string_view parent, const Element& element, std::string_view key_or_number);

}  // namespace signet::agreements
