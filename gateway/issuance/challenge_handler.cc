#include "gateway/issuance/challenge_handler.h"

namespace signet::gateway {
namespace {

constexpr std::string_view kPath = "/.well-known/acme-challenge/";

}  // namespace

HeadVerdict ChallengeHandler::on_head(const HttpRequest& head) {
  if (!find(head.target))
    return HeadVerdict::refuse(text_response(404, "no challenge has this token", head.request_id));
  if (head.method == "GET" || head.method == "HEAD") return HeadVerdict::accept(0);
  return HeadVerdict::refuse(method_not_allowed(head, "a challenge can only be looked at", "GET, HEAD"));
}

void ChallengeHandler::on_request(HttpRequest request, Responder responder) {
  const auto answer = find(request.target);
  if (!answer)  // withdrawn since its head came
    return responder.respond(text_response(404, "no challenge has this token", request.request_id));
  HttpResponse response;
  response.headers.add("Content-Type", "application/octet-stream");
  response.body = Slice::of(*answer);
  responder.respond(std::move(response));
}

void ChallengeHandler::publish(const std::string& token, const std::string& key_authorization) {
  const std::lock_guard lock(mutex_);
  answers_.insert_or_assign(token, key_authorization);
}

void ChallengeHandler::withdraw(const std::string& token) {
  const std::lock_guard lock(mutex_);
  answers_.erase(token);
}

std::optional<std::string> ChallengeHandler::find(std::string_view target) const {
  if (!target.starts_with(kPath)) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = answers_.find(target.substr(kPath.size()));
  if (found == answers_.end()) return std::nullopt;
  return found->second;
}

}  // namespace signet::gateway
