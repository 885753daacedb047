#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "agreements/xml.h"
#include "base/file.h"

namespace signet::agreements {

inline std::string data_file(std::string_view name) {
  return std::string(SIGNET_SOURCE_DIR "/tests/unit/agreements/data/") + std::string(name);
}

inline std::string read_data(std::string_view name) {
  Result<std::string> text = read_text_file(data_file(name));
  EXPECT_TRUE(text) << name;
  return text ? *text : std::string();
}

/// The account of a document that must be good.
inline Account good_account(std::string_view xml) {
  ParseOutcome outcome = parse_account(xml, {"account.xml", {}});
  EXPECT_TRUE(outcome.account) << to_string(outcome.problems);
  return outcome.account.value_or(Account{});
}

/// The text with its only occurrence of one piece replaced.
inline std::string with(std::string text, std::string_view piece, std::string_view replacement) {
  const std::size_t at = text.find(piece);
  EXPECT_NE(at, std::string::npos) << piece;
  if (at != std::string::npos) text.replace(at, piece.size(), replacement);
  return text;
}

/// data/minimal.xml with more inside its agreement, before the connection.
inline std::string minimal_with(std::string_view inside) {
  return with(read_data("minimal.xml"), "<x:connection", std::string(inside) + "<x:connection");
}

}  // namespace signet::agreements
