#include "gateway/api/call.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/percent_encoding.h"

namespace signet::gateway::api {

const std::string& Call::parameter(std::string_view name) const {
  static const std::string kNothing;
  const auto found = parameters.find(name);
  return found == parameters.end() ? kNothing : found->second;
}

namespace {

/// "KeyDisabled" where what is not there would be "KeyNotFound".
std::string disabled_code(std::string_view not_found) {
  return std::string(not_found.substr(0, not_found.find("NotFound"))) + "Disabled";
}

}  // namespace

Answer Answer::of_file(Slice file, std::string_view content_type, std::string_view name) {
  Answer answer;
  answer.file = std::move(file);
  answer.headers.set("Content-Type", content_type);
  // The first is for those who do not know the second, which has every character [RFC6266 appendix D].
  std::string plain = printable(name);
  std::replace_if(
      plain.begin(), plain.end(), [](char c) { return c == '"' || c == '\\' || c == '/'; }, '_');
  answer.headers.set("Content-Disposition", fmt::format("attachment; filename=\"{}\"; filename*=UTF-8''{}",
                                                        plain, percent_encode(name)));
  return answer;
}

Answer answer_of(const Problem& problem) {
  Json error = {{"code", problem.code}, {"message", problem.message}};
  if (!problem.inner.empty()) error["innererror"] = {{"code", problem.inner}};
  return {problem.status, Json{{"error", std::move(error)}}, {}};
}

Problem problem_of(const Error& error, std::string_view not_found) {
  switch (error.kind) {
    case ErrorKind::InvalidInput:
    case ErrorKind::Unsupported:
    case ErrorKind::CryptoFailure:
    case ErrorKind::LimitExceeded:
      return {400, "BadParameter", error.detail};
    case ErrorKind::NotFound:
      return {404, std::string(not_found), error.detail};
    case ErrorKind::AlreadyExists:
      return {409, "Conflict", error.detail};
    case ErrorKind::DeletedButRecoverable:
      return {409, "Conflict", error.detail, "ObjectIsDeletedButRecoverable"};
    case ErrorKind::PermissionDenied:
      return {403, "Forbidden", error.detail, "ForbiddenByPolicy"};
    case ErrorKind::Disabled:
      return {403, "Forbidden", error.detail, disabled_code(not_found)};
    case ErrorKind::IoFailure:
    case ErrorKind::Unavailable:
      return {503, "ServiceUnavailable", "this cannot be done at the moment: try again later"};
    case ErrorKind::Internal:
      break;
  }
  return {500, "InternalServerError", "a mistake in Signet: its log says more under this request's id"};
}

}  // namespace signet::gateway::api
