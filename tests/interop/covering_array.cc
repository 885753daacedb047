#include "tests/interop/covering_array.h"

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>
#include <tuple>

namespace signet::interop {
namespace {

using Pair =
    std::tuple<std::size_t, std::size_t, std::size_t, std::size_t>;  // dimension, value, dimension, value

constexpr std::size_t kCandidates = 8000;

Choice random_choice(const ChoiceSpace& space, std::mt19937& random) {
  Choice choice;
  for (const std::size_t size : space.sizes) choice.push_back(random() % size);
  return choice;
}

std::vector<Pair> pairs_of(const Choice& choice) {
  std::vector<Pair> pairs;
  for (std::size_t a = 0; a < choice.size(); ++a)
    for (std::size_t b = a + 1; b < choice.size(); ++b) pairs.emplace_back(a, choice[a], b, choice[b]);
  return pairs;
}

std::size_t count_missing(const Choice& choice, const std::set<Pair>& missing) {
  const std::vector<Pair> pairs = pairs_of(choice);
  return static_cast<std::size_t>(
      std::count_if(pairs.begin(), pairs.end(), [&](const Pair& pair) { return missing.contains(pair); }));
}

}  // namespace

std::vector<Choice> pairwise(const ChoiceSpace& space) {
  std::mt19937 random(4130);
  std::vector<Choice> candidates;
  std::set<Pair> missing;
  for (std::size_t i = 0; i < kCandidates; ++i) {
    candidates.push_back(random_choice(space, random));
    space.settle(candidates.back());
    for (const Pair& pair : pairs_of(candidates.back())) missing.insert(pair);
  }

  // Greedy: of some candidates the one that brings most. The first of them always brings something.
  std::vector<Choice> chosen;
  for (std::size_t next = 0; !missing.empty();) {
    while (count_missing(candidates[next], missing) == 0) ++next;
    const Choice* best = &candidates[next];
    std::size_t best_count = count_missing(*best, missing);
    for (int i = 0; i < 40; ++i) {
      const Choice& other = candidates[random() % kCandidates];
      const std::size_t count = count_missing(other, missing);
      if (count > best_count) best = &other, best_count = count;
    }
    for (const Pair& pair : pairs_of(*best)) missing.erase(pair);
    chosen.push_back(*best);
  }
  return chosen;
}

std::vector<Choice> every_combination(const ChoiceSpace& space, std::pair<std::size_t, std::size_t> group) {
  std::mt19937 random(5402);
  std::vector<Choice> all;
  std::set<Choice> seen;  // of the group's part, once settled
  Choice part(group.second - group.first, 0);
  for (;;) {
    Choice choice = random_choice(space, random);
    std::copy(part.begin(), part.end(), choice.begin() + static_cast<std::ptrdiff_t>(group.first));
    space.settle(choice);
    if (seen.emplace(choice.begin() + static_cast<std::ptrdiff_t>(group.first),
                     choice.begin() + static_cast<std::ptrdiff_t>(group.second))
            .second)
      all.push_back(choice);
    std::size_t digit = 0;
    while (digit < part.size() && ++part[digit] == space.sizes[group.first + digit]) part[digit++] = 0;
    if (digit == part.size()) return all;
  }
}

bool full_run() { return std::getenv("SIGNET_TEST_FULL") != nullptr; }

}  // namespace signet::interop
