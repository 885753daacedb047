#include "gateway/issuance/acme_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gateway/issuance/jws.h"

namespace signet::gateway {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestAnswer = 1024 * 1024;
constexpr std::chrono::seconds kConnectTimeout{15};
constexpr std::chrono::seconds kTotalTimeout{60};
constexpr int kMostNonces = 10;  ///< for one request
constexpr std::string_view kErrors = "urn:ietf:params:acme:error:";

/// A problem document (RFC 7807), as far as it says something.
struct Problem {
  std::string type;  ///< of ACME's, without its prefix
  std::string text;
};

Problem problem_of(const json& body, int status) {
  std::string type = acme_text(body, "type");
  if (type.starts_with(kErrors)) type.erase(0, kErrors.size());
  std::string text =
      fmt::format("HTTP {} {}: {}", status, printable(type), printable(acme_text(body, "detail"), 500));
  if (body.is_object() && body.contains("subproblems") && body["subproblems"].is_array())
    for (const json& one : body["subproblems"]) text += "; " + printable(acme_text(one, "detail"));
  return {std::move(type), std::move(text)};
}

ErrorKind kind_of(const Problem& problem, int status) {
  constexpr std::array<std::string_view, 10> kOfTheRequest{
      "rejectedIdentifier", "unsupportedIdentifier", "badCSR",         "unauthorized", "caa",
      "orderNotReady",      "badRevocationReason",   "alreadyRevoked", "badPublicKey", "userActionRequired"};
  if (status >= 500 || status == 429 || problem.type == "rateLimited" || problem.type == "badNonce")
    return ErrorKind::Unavailable;
  if (std::find(kOfTheRequest.begin(), kOfTheRequest.end(), problem.type) != kOfTheRequest.end())
    return ErrorKind::PermissionDenied;
  return ErrorKind::Unsupported;
}

/// RFC 8555 section 6.1: everything is asked for over TLS.
Result<> check_url(const std::string& url) {
  const auto parts = parse_url(url);
  if (parts && parts->scheme == "https") return {};
  return fail(
      ErrorKind::Unsupported,
      fmt::format("an ACME service is spoken to at https URLs, and this is none: '{}'", printable(url)));
}

Result<std::string> body_of(const HttpAnswer& answer) {
  SIGNET_TRY(const Bytes octets, answer.body.to_bytes(kLargestAnswer));
  return std::string(as_text(octets));
}

json parsed(const std::string& text) {
  json body = json::parse(text, nullptr, false);
  return body.is_discarded() ? json() : body;
}

/// The HMAC key of an external account binding, which is base64url wherever there is one.
Result<SecretBytes> binding_key(const SecretBytes& password) {
  std::string_view text = trim(as_text(password.view()));
  while (text.ends_with('=')) text.remove_suffix(1);
  auto key = parse_base64url(text);
  if (!key || key->empty())
    return fail(ErrorKind::Unsupported,
                "the issuer's password is no HMAC key in base64url: set the one that belongs to its account "
                "identifier for external account binding (EAB)");
  SecretBytes secret = SecretBytes::copy_of(*key);
  wipe(*key);
  return secret;
}

}  // namespace

std::string acme_text(const json& object, const char* member) {
  const auto found = object.is_object() ? object.find(member) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

TlsTrust AcmeSession::trust() const {
  TlsTrust trust;
  trust.certificates = account_->issuer().authorities;
  if (!trust.certificates.empty()) trust.kind = TlsTrust::Kind::Authorities;
  return trust;
}

Result<AcmeSession> AcmeSession::open(AcmePorts ports, vault::IssuerAccount& account) {
  AcmeSession session(std::move(ports), account);
  HttpGet get;
  get.url = vault::directory_of(account.issuer());
  get.trust = session.trust();
  get.connect_timeout = kConnectTimeout;
  get.total_timeout = kTotalTimeout;
  get.answer_limit = kLargestAnswer;
  SIGNET_CHECK(check_url(get.url));
  SIGNET_TRY(const HttpAnswer answer, session.ports_.get(get));
  SIGNET_TRY(const std::string text, body_of(answer));
  session.directory_ = parsed(text);
  if (answer.status == 200 && session.directory_.contains("newOrder")) return session;
  const bool later = answer.status >= 500 || answer.status == 429;
  return fail(
      later ? ErrorKind::Unavailable : ErrorKind::Unsupported,
      fmt::format("{} answered HTTP {} and no ACME directory (RFC 8555 section 7.1.1): is it the issuer's "
                  "directory URL?",
                  printable(get.url), answer.status));
}

Result<std::string> AcmeSession::url(std::string_view resource) const {
  std::string found = acme_text(directory_, std::string(resource).c_str());
  if (!found.empty()) return found;
  return fail(ErrorKind::Unsupported, fmt::format("the ACME directory {} has no '{}'",
                                                  vault::directory_of(account_->issuer()), resource));
}

Result<std::string> AcmeSession::key_authorization(std::string_view token) const {
  SIGNET_TRY(const json jwk, ec_jwk(account_->public_key()));
  return fmt::format("{}.{}", token, jwk_thumbprint(jwk));
}

Result<> AcmeSession::ensure_account() {
  if (!account_->url().empty()) return {};
  return register_account();
}

Result<> AcmeSession::register_account() {
  SIGNET_TRY(const std::string target, url("newAccount"));
  SIGNET_TRY(const json jwk, ec_jwk(account_->public_key()));
  json payload{{"termsOfServiceAgreed", true}};
  json contact = json::array();
  for (const vault::IssuerAdministrator& administrator : account_->issuer().administrators)
    if (!administrator.email.empty()) contact.push_back("mailto:" + administrator.email);
  if (!contact.empty()) payload["contact"] = std::move(contact);
  SIGNET_TRY(const json binding, external_account_binding(target, jwk));
  if (!binding.is_null()) payload["externalAccountBinding"] = binding;
  SIGNET_TRY(const AcmeReply reply, send(target, payload.dump(), {{"jwk", jwk}}));
  if (reply.location.empty())
    return fail(ErrorKind::Unsupported,
                "the ACME service made an account and did not say where it is (Location)");
  return account_->keep_url(reply.location);
}

Result<json> AcmeSession::external_account_binding(const std::string& url, const json& jwk) const {
  const std::string& kid = account_->issuer().account;
  const json meta = directory_.value("meta", json::object());
  const bool required = meta.is_object() && meta.value("externalAccountRequired", json(false)) == json(true);
  if (kid.empty() && !required) return json();
  if (kid.empty())
    return fail(
        ErrorKind::Unsupported,
        "the issuer wants an external account binding (EAB): set its key identifier as the issuer's account "
        "and its HMAC key as the password");
  SIGNET_TRY(const SecretBytes key, binding_key(account_->password()));
  return sign_hs256(key, {{"alg", "HS256"}, {"kid", kid}, {"url", url}}, jwk.dump());
}

Result<AcmeReply> AcmeSession::post(const std::string& url, const json& payload) {
  return send(url, payload.dump(), {{"kid", account_->url()}});
}

Result<AcmeReply> AcmeSession::fetch(const std::string& url) {
  return send(url, std::string(), {{"kid", account_->url()}});
}

Result<AcmeReply> AcmeSession::send(const std::string& url, const std::string& payload,
                                    const json& key_member) {
  SIGNET_CHECK(check_url(url));
  for (int tries = 1;; ++tries) {
    SIGNET_TRY(const HttpAnswer answer, post_once(url, payload, key_member));
    AcmeReply reply;
    SIGNET_TRY(reply.text, body_of(answer));
    reply.body = parsed(reply.text);
    reply.retry_after = answer.retry_after;
    reply.location = answer.headers.value("Location").value_or("");
    if (answer.status < 300) return reply;
    const Problem problem = problem_of(reply.body, answer.status);
    if (problem.type == "badNonce" && tries < kMostNonces) continue;
    if (problem.type == "accountDoesNotExist") {
      // The service has forgotten us: the next try makes the account again.
      SIGNET_CHECK(account_->keep_url({}));
      return fail(ErrorKind::Unavailable, fmt::format("{} answered {}", printable(url), problem.text));
    }
    return fail(kind_of(problem, answer.status), fmt::format("{} answered {}", printable(url), problem.text));
  }
}

Result<HttpAnswer> AcmeSession::post_once(const std::string& url, const std::string& payload,
                                          const json& key_member) {
  SIGNET_TRY(const std::string nonce, take_nonce());
  json header{{"alg", "ES256"}, {"nonce", nonce}, {"url", url}};
  header.update(key_member);
  SIGNET_TRY(const std::string body, sign_es256(*account_, header, payload));
  HttpPost post;
  post.url = url;
  post.headers.add("Content-Type", "application/jose+json");
  post.headers.add("Accept", "application/pem-certificate-chain, application/json");
  post.body = Slice::of(body);
  post.trust = trust();
  post.connect_timeout = kConnectTimeout;
  post.total_timeout = kTotalTimeout;
  post.answer_limit = kLargestAnswer;
  SIGNET_TRY(HttpAnswer answer, ports_.post(post));
  const auto next = answer.headers.value("Replay-Nonce");
  nonce_ = next && is_base64url(*next) ? *next : std::string_view();
  return answer;
}

Result<std::string> AcmeSession::take_nonce() {
  if (!nonce_.empty()) return std::exchange(nonce_, {});
  HttpGet get;
  SIGNET_TRY(get.url, url("newNonce"));
  SIGNET_CHECK(check_url(get.url));
  get.trust = trust();
  get.connect_timeout = kConnectTimeout;
  get.total_timeout = kTotalTimeout;
  SIGNET_TRY(const HttpAnswer answer, ports_.get(get));
  const auto nonce = answer.headers.value("Replay-Nonce");
  if (nonce && is_base64url(*nonce)) return std::string(*nonce);
  return fail(answer.status >= 500 ? ErrorKind::Unavailable : ErrorKind::Unsupported,
              fmt::format("{} answered HTTP {} without a nonce", printable(get.url), answer.status));
}

}  // namespace signet::gateway
