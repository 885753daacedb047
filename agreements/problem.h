#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// What is wrong with an account, told so that whoever wrote it can put it right.

namespace signet::agreements {

enum class Severity {
  Error,    ///< the account cannot be used like this
  Warning,  ///< it can, and somebody should look at it
};

/// One thing that is wrong. Everything found is reported, not just the first.
struct Problem {
  std::string file;        ///< as given to the parser; empty when the account did not come from a file
  std::size_t line = 0;    ///< from 1; 0 when unknown
  std::size_t column = 0;  ///< from 1, in characters
  std::string path;        ///< e.g. "agreement[acme-globex]/sendAgreement/mdnSettings/needMDN"
  Severity severity = Severity::Error;
  std::string expected;
  std::string found;
  std::string advice;  ///< what to do

  friend bool operator==(const Problem&, const Problem&) = default;
};

/// "account.xml:12:7: error: agreement[a]/...: expected true or false, found 'yes'. Write true." One line, no
/// line end.
std::string to_string(const Problem& problem);
/// One line for each.
std::string to_string(const std::vector<Problem>& problems);
bool has_errors(const std::vector<Problem>& problems);

/// What the parser and the linter found, in the order of the file. What the linter found where the parser
/// could not read is left out: it follows from that.
std::vector<Problem> together(std::vector<Problem> of_form, std::vector<Problem> of_meaning);

/// A place in a file.
struct Position {
  std::size_t line = 0;
  std::size_t column = 0;
};

/// Where in the XML each entry, element and attribute stands, by its path.
class Positions {
 public:
  explicit Positions(std::string file = {}) : file_(std::move(file)) {}
  void add(std::string path, Position position);
  /// The place of the path, or of the nearest thing around it that the XML has; {0, 0} when there is none.
  [[nodiscard]] Position find(std::string_view path) const;
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  std::string file_;
  std::unordered_map<std::string, Position> places_;
};

}  // namespace signet::agreements
