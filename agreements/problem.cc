#include "agreements/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace signet::agreements {

namespace {

std::string place(const Problem& problem) {
  std::string text = problem.file;
  if (problem.line != 0)
    text += fmt::format("{}{}:{}", text.empty() ? "" : ":", problem.line, problem.column);
  return text.empty() ? text : text + ": ";
}

/// Whether the linter only missed what the parser could not read.
bool follows_from(const Problem& of_meaning, const Problem& of_form) {
  if (of_meaning.path == of_form.path) return true;
  const bool something_is_missing = of_form.found == "none";
  return something_is_missing && of_meaning.path.starts_with(of_form.path + "/");
}

}  // namespace

std::string to_string(const Problem& problem) {
  std::string text = place(problem);
  text += problem.severity == Severity::Error ? "error: " : "warning: ";
  if (!problem.path.empty()) text += problem.path + ": ";
  text += fmt::format("expected {}, found {}.", problem.expected, problem.found);
  if (!problem.advice.empty()) text += " " + problem.advice;
  return text;
}

std::string to_string(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) text += to_string(problem) + "\n";
  return text;
}

bool has_errors(const std::vector<Problem>& problems) {
  return std::any_of(problems.begin(), problems.end(),
                     [](const Problem& problem) { return problem.severity == Severity::Error; });
}

std::vector<Problem> together(std::vector<Problem> of_form, std::vector<Problem> of_meaning) {
  std::erase_if(of_meaning, [&](const Problem& problem) {
    return std::any_of(of_form.begin(), of_form.end(),
                       [&](const Problem& other) { return follows_from(problem, other); });
  });
  of_form.insert(of_form.end(), std::move_iterator(of_meaning.begin()), std::move_iterator(of_meaning.end()));
  std::stable_sort(of_form.begin(), of_form.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  return of_form;
}

void Positions::add(std::string path, Position position) { places_.emplace(std::move(path), position); }

Position Positions::find(std::string_view path) const {
  for (;;) {
    if (const auto found = places_.find(std::string(path)); found != places_.end()) return found->second;
    if (path.empty()) return {};
    const std::size_t slash = path.rfind('/');
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
  }
}

}  // namespace signet::agreements
