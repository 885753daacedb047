#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace signet::gateway::simulator {

/// Something that happened, for whoever runs the simulator. Values may be a stranger's words: escape them
/// when writing.
struct Event {
  std::string name;  ///< "message", "answer", "receipt", "refused"
  std::vector<std::pair<std::string, std::string>> facts;
  std::string text;  ///< the same for people, printable
};

/// Called by several threads at once.
using Tell = std::function<void(const Event&)>;

}  // namespace signet::gateway::simulator
