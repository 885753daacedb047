#include "gateway/remote_vault/vault_client.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "gateway/remote_vault/answer_json.h"

namespace signet::gateway {
namespace {

using std::chrono::milliseconds;

/// Every Azure cloud has known it for years, and Signet knows it.
constexpr std::string_view kApiVersion = "api-version=7.4";

/// RFC 9110 sections 15.5.20, 15.6; RFC 6585 section 4.
bool passes(int status) {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

std::string with_api_version(const std::string& target) {
  if (target.find("api-version=") != std::string::npos) return target;
  return target + (target.find('?') == std::string::npos ? "?" : "&") + std::string(kApiVersion);
}

TlsTrust trust_of(const VaultLink& link) {
  TlsTrust trust;
  if (link.authorities.empty()) return trust;
  // checked_link() has read them.
  if (auto read = certstore::parse_certificates(as_bytes(link.authorities)))
    trust.certificates = *std::move(read);
  trust.kind = TlsTrust::Kind::Authorities;
  return trust;
}

}  // namespace

VaultClient::VaultClient(VaultLink link, HttpClient& client, VaultClientLimits limits)
    : link_(std::move(link)),
      client_(client),
      limits_(limits),
      trust_(trust_of(link_)),
      tokens_(make_access_tokens(link_, client, trust_)) {}

Error VaultClient::told(ErrorKind kind, std::string_view text) const {
  return {kind, fmt::format("key vault '{}' ({}): {}", link_.name, link_.url, text)};
}

Result<json> VaultClient::get(const std::string& target) { return call({target}); }

Result<json> VaultClient::post(const std::string& target, const json& body) { return call({target, &body}); }

Result<json> VaultClient::post_once(const std::string& target, const json& body) {
  return call({target, &body, true});
}

/// Azure's next links name the port where nobody else does.
Result<std::string> VaultClient::target_of(const std::string& next_link) const {
  constexpr std::string_view kScheme = "https://";
  const auto origin = https_origin(next_link);
  const std::size_t path = next_link.find('/', kScheme.size());
  if (origin && *origin == link_.url && path != std::string::npos) return next_link.substr(path);
  return fail(told(
      ErrorKind::Unavailable,
      "the next page of its list is at another place, which is not followed: " + url_for_people(next_link)));
}

Result<std::vector<json>> VaultClient::list(const std::string& target) {
  std::vector<json> all;
  std::string next = target;
  for (int page = 0; page < limits_.pages; ++page) {
    SIGNET_TRY(json read, get(next));
    const auto items = read.find("value");
    if (items == read.end() || !items->is_array())
      return fail(told(ErrorKind::Unavailable, "its list has no member 'value'"));
    for (json& item : *items) all.push_back(std::move(item));
    const std::string link = text_of(read, "nextLink");
    if (link.empty()) return all;
    SIGNET_TRY(next, target_of(link));
  }
  return fail(told(ErrorKind::Unavailable, fmt::format("its list has more than {} pages", limits_.pages)));
}

Result<json> VaultClient::call(const Request& request) {
  SIGNET_CHECK(begin());
  const auto reply = call_patiently(request, Steady::now() + limits_.whole);
  end(reply || reply.error().kind != ErrorKind::Unavailable ? nullptr : &reply.error());
  if (!reply) return fail(reply.error());
  return read(*reply);
}

/// Where a vault does not answer, one call at a time finds that out, and the others need not wait for it.
Result<> VaultClient::begin() {
  const std::lock_guard lock(mutex_);
  if (!silence_) return {};
  if (somebody_tries_ || Steady::now() < next_try_) return fail(*silence_);
  somebody_tries_ = true;
  return {};
}

void VaultClient::end(const Error* without_answer) {
  const std::lock_guard lock(mutex_);
  somebody_tries_ = false;
  next_try_ = Steady::now() + limits_.rest;
  if (without_answer == nullptr)
    silence_.reset();
  else
    silence_ = *without_answer;
}

Result<VaultClient::Reply> VaultClient::call_patiently(const Request& request, Steady::time_point deadline) {
  milliseconds pause_time = limits_.first_pause;
  for (int attempt = 1;; ++attempt, pause_time *= 2) {
    auto reply = call_with_token(request, deadline);
    const bool passing = reply ? passes(reply->status) : reply.error().kind == ErrorKind::Unavailable;
    const bool again = passing && !request.once;
    const int most = reply ? limits_.attempts : limits_.attempts_without_answer;
    const milliseconds wait = reply ? reply->retry_after.value_or(pause_time) : pause_time;
    if (!again || attempt >= most || Steady::now() + wait >= deadline) return reply;
    if (!pause(wait)) return fail(told(ErrorKind::Unavailable, "the gateway is stopping"));
  }
}

bool VaultClient::pause(milliseconds time) {
  std::unique_lock lock(mutex_);
  return !stopped_.wait_for(lock, time, [this] { return stopping_; });
}

void VaultClient::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
}

/// Until the vault takes our token, or refuses one than which there is none newer.
Result<VaultClient::Reply> VaultClient::call_with_token(const Request& request, Steady::time_point deadline) {
  constexpr int kMostRounds =
      4;  // without a token, with an old one, and with one that another thread renewed
  for (int round = 1;; ++round) {
    const auto token = tokens_->token(deadline);
    if (!token) return fail(told(token.error().kind, token.error().detail));
    SIGNET_TRY(Reply reply, send(request, *token, deadline));
    if (!*token && reply.status < 300)
      return fail(
          told(ErrorKind::Unavailable,
               fmt::format("asked without a token it answers {}, as no key vault does", reply.status)));
    const bool refused = reply.status == 401;
    if (!refused || round == kMostRounds || (*token && (*token)->fresh)) return reply;
    const auto taken = tokens_->challenged(reply.challenge, *token);
    if (!taken)
      return fail(told(taken.error().kind == ErrorKind::PermissionDenied ? ErrorKind::PermissionDenied
                                                                         : ErrorKind::Unavailable,
                       taken.error().detail));
  }
}

VaultClient::Words VaultClient::words_of(const Slice& body) {
  Words words;
  const auto read = read_object(body);
  if (!read) return words;
  const auto error = read->find("error");
  if (error == read->end() || !error->is_object()) return words;
  words.code = text_of(*error, "code");
  words.message = text_of(*error, "message");
  if (const auto inner = error->find("innererror"); inner != error->end())
    words.inner = text_of(*inner, "code");
  return words;
}

/// What a vault says of a refusal is shown to the operator, but not where it repeats what nobody is to see.
void VaultClient::blank_repeated(Reply& reply, const AccessToken& token) {
  const std::string_view secret = as_text(token.value.view());
  if (reply.words.message.find(secret) != std::string::npos)
    reply.words.message = "(what it says repeats the token)";
  if (reply.challenge.find(secret) != std::string::npos) reply.challenge.clear();
}

Result<VaultClient::Reply> VaultClient::send(const Request& request, const std::optional<AccessToken>& token,
                                             Steady::time_point deadline) {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - Steady::now());
  if (left <= milliseconds(0)) return fail(told(ErrorKind::Unavailable, "there was no answer in time"));
  HttpPost post;
  post.url = link_.url + with_api_version(request.target);
  post.headers.add("Accept", "application/json");
  if (token) post.headers.add("Authorization", "Bearer " + std::string(as_text(token->value.view())));
  if (request.body != nullptr) {
    post.headers.add("Content-Type", "application/json");
    if (token) post.body = Slice::of(request.body->dump());  // a stranger gets nothing but the question
  }
  post.trust = trust_;
  post.connect_timeout = std::min(limits_.connect, left);
  post.total_timeout = std::min(limits_.attempt, left);
  post.answer_limit = limits_.answer;
  const auto answer = request.body != nullptr
                          ? client_.post(post)
                          : client_.get({post.url, post.headers, post.connect_timeout, post.total_timeout,
                                         post.trust, post.answer_limit});
  if (!answer) return fail(told(ErrorKind::Unavailable, answer.error().detail));
  Reply reply{answer->status,
              answer->body,
              std::string(answer->headers.value("WWW-Authenticate").value_or("")),
              {},
              {}};
  if (answer->retry_after) reply.retry_after = *answer->retry_after;
  if (reply.status < 200 || reply.status >= 300) reply.words = words_of(reply.body);
  if (token) blank_repeated(reply, *token);
  return reply;
}

Result<json> VaultClient::read(const Reply& reply) const {
  if (reply.status < 200 || reply.status >= 300) return fail(refusal(reply));
  auto value = read_object(reply.body);
  if (!value) return fail(told(ErrorKind::Unavailable, "its answer cannot be read: " + value.error().detail));
  return value;
}

Error VaultClient::refusal(const Reply& reply) const {
  const Words& words = reply.words;
  const std::string says = fmt::format("it answers {}{}{}", reply.status, words.message.empty() ? "" : ": ",
                                       printable(words.message, 400));
  switch (reply.status) {
    case 400:
      return told(words.code.empty() ? ErrorKind::Unavailable : ErrorKind::InvalidInput, says);
    case 401:
      return told(ErrorKind::PermissionDenied,
                  fmt::format("it does not take {} ({})", tokens_->describe(), says));
    case 403:
      return told(words.inner.ends_with("Disabled") ? ErrorKind::Disabled : ErrorKind::PermissionDenied,
                  says);
    case 404:
      // What is no key vault, or a proxy that has lost it, knows nothing of our keys.
      return told(words.code.ends_with("NotFound") ? ErrorKind::NotFound : ErrorKind::Unavailable, says);
    case 409:
      return told(words.inner == "ObjectIsDeletedButRecoverable" ? ErrorKind::DeletedButRecoverable
                                                                 : ErrorKind::AlreadyExists,
                  says);
    case 429:
      return told(ErrorKind::Unavailable, says + ": it is asked more than it allows");
    default:
      break;
  }
  if (reply.status >= 300 && reply.status < 400)
    return told(ErrorKind::Unavailable,
                says + ", a redirect, and none is followed: link the vault's own URL");
  return told(ErrorKind::Unavailable, says);
}

}  // namespace signet::gateway
