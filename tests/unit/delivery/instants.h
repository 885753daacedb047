#pragma once

#include <functional>
#include <string_view>

namespace signet::test {

/// Has `hook` called at each instant that has a name (base/failpoint.h), on whatever thread passes it, one
/// call at a time, until this ends.
class AtInstants {
 public:
  explicit AtInstants(std::function<void(std::string_view name)> hook);
  ~AtInstants();
  AtInstants(const AtInstants&) = delete;
  AtInstants& operator=(const AtInstants&) = delete;
};

}  // namespace signet::test
