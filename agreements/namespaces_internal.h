#pragma once

#include <cstddef>
#include <optional>
#include <pugixml.hpp>
#include <string_view>
#include <vector>

/// Internal: namespace declarations in scope (Namespaces in XML 1.0), which pugixml leaves to its users.

namespace signet::agreements {

/// A name taken apart.
struct ExpandedName {
  std::string_view uri;  ///< empty: no namespace
  std::string_view local;
};

/// Whether an attribute declares a namespace.
bool is_declaration(pugi::xml_attribute attribute);

/// The declarations around the node being read. Views are of the document's own text.
class Namespaces {
 public:
  static constexpr std::size_t kMost = 16;  ///< in scope at once; bounds the time of a look-up

  /// Takes up a node's declarations. @return  false when there are too many, or one is not allowed.
  bool enter(pugi::xml_node node);
  /// Forgets those of the innermost node entered.
  void leave();

  /// Nothing: the prefix is not declared.
  [[nodiscard]] std::optional<ExpandedName> element_name(pugi::xml_node node) const;
  /// An attribute without a prefix is in no namespace.
  [[nodiscard]] std::optional<ExpandedName> attribute_name(pugi::xml_attribute attribute) const;

 private:
  struct Declaration {
    std::string_view prefix;  ///< empty: the default namespace
    std::string_view uri;
  };
  [[nodiscard]] std::optional<std::string_view> find(std::string_view prefix) const;

  std::vector<Declaration> declarations_;
  std::vector<std::size_t> marks_;
};

}  // namespace signet::agreements
