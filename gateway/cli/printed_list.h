#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "gateway/cli/command.h"

namespace signet::gateway {

/// One item for both forms of a command's output.
struct ListItem {
  nlohmann::ordered_json json;
  std::string line;  ///< with its end
};

/// All of them.
struct PrintedList {
  nlohmann::ordered_json values = nlohmann::ordered_json::array();
  std::string text;
};

/// @param show  makes a ListItem of each
template <class Items, class Show>
PrintedList printed_list(const Items& items, Show show) {
  PrintedList list;
  for (const auto& item : items) {
    ListItem shown = show(item);
    list.values.push_back(std::move(shown.json));
    list.text += shown.line;
  }
  return list;
}

/// Prints them. @param none  the text where there are none
template <class Items, class Show>
void print_list(const CommandContext& context, const Items& items, Show show, const std::string& none) {
  const PrintedList list = printed_list(items, show);
  context.print(list.values, list.text.empty() ? none : list.text);
}

}  // namespace signet::gateway
