#pragma once

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace signet::interop {

/// One value for each dimension.
using Choice = std::vector<std::size_t>;

/// What can be combined: how many values each dimension has, and which dimensions mean something together.
struct ChoiceSpace {
  std::vector<std::size_t> sizes;
  /// Makes a choice one that exists: the hash of a signature that is not made becomes 0, say.
  std::function<void(Choice&)> settle = [](Choice&) {};
};

/// Choices in which every two values of every two dimensions meet, where they can: a bounded share of all
/// combinations in which an error that two settings make together still shows. The same space gives the same
/// choices in every run.
std::vector<Choice> pairwise(const ChoiceSpace& space);

/// Every combination of the dimensions from `group.first` up to, not including, `group.second`; the others
/// change at random, but the same in every run.
std::vector<Choice> every_combination(const ChoiceSpace& space, std::pair<std::size_t, std::size_t> group);

/// Whether SIGNET_TEST_FULL asks for all of everything.
bool full_run();

}  // namespace signet::interop
