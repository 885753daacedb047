#include "gateway/issuance/acme_provider.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/network.h"
#include "gateway/issuance/jws.h"

namespace signet::gateway {
namespace {

using nlohmann::json;
using vault::OrderProgress;

constexpr std::chrono::seconds kSoon{2};
constexpr std::chrono::seconds kLongestWait{3600};

std::vector<std::string> texts_of(const json& object, const char* member) {
  std::vector<std::string> texts;
  const auto found = object.is_object() ? object.find(member) : object.end();
  if (found == object.end() || !found->is_array()) return texts;
  for (const json& one : *found)
    if (one.is_string()) texts.push_back(one.get<std::string>());
  return texts;
}

/// When to ask again, by the service's wish.
std::chrono::seconds wait_of(const AcmeReply& reply) {
  return std::clamp(reply.retry_after.value_or(kSoon), std::chrono::seconds(1), kLongestWait);
}

OrderProgress still(const AcmeReply& reply, std::string details) {
  return vault::StillOrdering{wait_of(reply), std::move(details)};
}

bool is_host_name(std::string_view text) {
  return text.find('.') != std::string_view::npos && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '*';
         });
}

/// An error that a service tells of an order, an authorization or a challenge.
std::string told_error(const json& object) {
  const json error = object.value("error", json());
  const std::string detail = acme_text(error, "detail");
  return detail.empty() ? acme_text(error, "type") : detail;
}

std::string name_of(const json& authorization) {
  return printable(acme_text(authorization.value("identifier", json()), "value"));
}

/// Why an authorization is not valid, by the challenge that failed.
std::string told_by_challenges(const json& authorization) {
  for (const json& challenge : authorization.value("challenges", json::array()))
    if (challenge.is_object() && challenge.contains("error")) return told_error(challenge);
  return "it is " + acme_text(authorization, "status");
}

}  // namespace

Result<json> identifiers_of(const vault::CertificatePolicy& policy) {
  const certstore::AlternativeNames& names = policy.alternative_names;
  if (!names.emails.empty() || !names.uris.empty() || !names.upns.empty())
    return fail(
        ErrorKind::PermissionDenied,
        "an ACME issuer certifies DNS names and IP addresses: leave mail addresses, UPNs and URIs out of the "
        "policy's alternative names");
  std::vector<json> identifiers;
  const auto add = [&](const char* type, const std::string& value) {
    json identifier{{"type", type}, {"value", value}};
    if (std::find(identifiers.begin(), identifiers.end(), identifier) == identifiers.end())
      identifiers.push_back(std::move(identifier));
  };
  for (const std::string& name : names.dns_names) add("dns", to_lower(name));
  for (const std::string& address : names.ip_addresses) add("ip", address);
  SIGNET_TRY(const auto subject, certstore::DistinguishedName::parse(policy.subject));
  const std::string common_name = to_lower(subject.common_name());
  if (is_host_name(common_name) && !IpAddress::parse(common_name)) add("dns", common_name);
  if (!identifiers.empty()) return json(identifiers);
  return fail(
      ErrorKind::PermissionDenied,
      "an ACME issuer certifies DNS names and IP addresses, and the policy has none: give it alternative "
      "names");
}

Result<std::string> AcmeProvider::order(vault::IssuerAccount& account,
                                        const vault::OrderedCertificate& wanted) {
  SIGNET_TRY(const json identifiers, identifiers_of(wanted.policy));
  SIGNET_TRY(AcmeSession session, AcmeSession::open(ports_, account));
  SIGNET_CHECK(session.ensure_account());
  SIGNET_TRY(const std::string target, session.url("newOrder"));
  SIGNET_TRY(const AcmeReply reply, session.post(target, {{"identifiers", identifiers}}));
  if (!reply.location.empty()) return reply.location;
  return fail(ErrorKind::Unsupported,
              "the ACME service took an order and did not say where it is (Location)");
}

Result<OrderProgress> AcmeProvider::poll(vault::IssuerAccount& account, const std::string& order,
                                         const vault::OrderedCertificate& wanted) {
  SIGNET_TRY(AcmeSession session, AcmeSession::open(ports_, account));
  SIGNET_CHECK(session.ensure_account());
  SIGNET_TRY(AcmeReply reply, session.fetch(order));
  auto progress = advance(session, order, std::move(reply), wanted);
  if (!progress || !std::holds_alternative<vault::StillOrdering>(*progress)) withdraw(order);
  return progress;
}

/// The states of an order (section 7.1.6).
Result<OrderProgress> AcmeProvider::advance(AcmeSession& session, const std::string& order, AcmeReply reply,
                                            const vault::OrderedCertificate& wanted) {
  if (acme_text(reply.body, "status") == "ready") {
    SIGNET_TRY(reply, session.post(acme_text(reply.body, "finalize"), {{"csr", base64url(wanted.request)}}));
  }
  const std::string status = acme_text(reply.body, "status");
  if (status == "pending") return prove(session, order, reply);
  if (status == "processing" || status == "ready") return still(reply, "the issuer makes the certificate");
  if (status == "valid") return download(session, reply.body);
  if (status == "invalid") return refusal(session, reply.body);
  return fail(ErrorKind::Unsupported,
              fmt::format("the ACME service says that the order is '{}', which RFC 8555 does "
                          "not know",
                          printable(status)));
}

/// Meets the challenges of what is not yet authorized.
Result<OrderProgress> AcmeProvider::prove(AcmeSession& session, const std::string& order,
                                          const AcmeReply& reply) {
  std::chrono::seconds wait = wait_of(reply);
  std::vector<std::string> waiting;
  for (const std::string& url : texts_of(reply.body, "authorizations")) {
    SIGNET_TRY(const AcmeReply authorization, session.fetch(url));
    const std::string status = acme_text(authorization.body, "status");
    if (status == "valid") continue;
    if (status != "pending")
      return vault::OperationFailure{
          std::string(vault::kRequestRejected),
          fmt::format("the issuer does not take us for the holder of {}: {}", name_of(authorization.body),
                      printable(told_by_challenges(authorization.body), 500))};
    SIGNET_CHECK(answer_challenge(session, order, authorization.body));
    wait = std::max(wait, wait_of(authorization));
    waiting.push_back(name_of(authorization.body));
  }
  return vault::StillOrdering{wait,
                              fmt::format("the issuer looks whether we hold {}", fmt::join(waiting, ", "))};
}

Result<> AcmeProvider::answer_challenge(AcmeSession& session, const std::string& order,
                                        const json& authorization) {
  const json challenges = authorization.value("challenges", json::array());
  const auto challenge = std::find_if(challenges.begin(), challenges.end(),
                                      [](const json& one) { return acme_text(one, "type") == "http-01"; });
  if (challenge == challenges.end())
    return fail(ErrorKind::Unsupported,
                fmt::format("the issuer offers no http-01 challenge for {}, and no other can "
                            "be met here (for wildcards there is none)",
                            name_of(authorization)));
  if (!challenges_.are_answered())
    return fail(
        ErrorKind::Unsupported,
        fmt::format(
            "the issuer wants proof that we hold {}, by http-01, and nobody here answers: let port 80 "
            "of that host lead to the gateway's listen-acme",
            name_of(authorization)));
  const std::string token = acme_text(*challenge, "token");
  if (!is_base64url(token))  // section 8.3: it becomes a part of a path
    return fail(ErrorKind::Unsupported,
                fmt::format("the challenge for {} has no token in base64url", name_of(authorization)));
  SIGNET_TRY(const std::string answer, session.key_authorization(token));
  challenges_.publish(token, answer);
  std::vector<std::string>& published = tokens_[order];
  if (std::find(published.begin(), published.end(), token) == published.end()) published.push_back(token);
  if (acme_text(*challenge, "status") != "pending") return {};  // it is being looked at
  SIGNET_CHECK(session.post(acme_text(*challenge, "url"), json::object()));
  return {};
}

Result<OrderProgress> AcmeProvider::download(AcmeSession& session, const json& order) {
  SIGNET_TRY(const AcmeReply reply, session.fetch(acme_text(order, "certificate")));
  auto chain = certstore::parse_certificates(as_bytes(reply.text));
  if (!chain) return fail(std::move(chain).error().within("what the issuer gave as the certificate"));
  return vault::Issued{*std::move(chain)};
}

Result<OrderProgress> AcmeProvider::refusal(AcmeSession& session, const json& order) {
  std::string reason = told_error(order);
  for (const std::string& url : texts_of(order, "authorizations")) {
    SIGNET_TRY(const AcmeReply authorization, session.fetch(url));
    if (acme_text(authorization.body, "status") == "valid") continue;
    reason = fmt::format("{}: {}", name_of(authorization.body), told_by_challenges(authorization.body));
    break;
  }
  return vault::OperationFailure{std::string(vault::kRequestRejected),
                                 "the issuer ended the order: " + printable(reason, 500)};
}

Result<> AcmeProvider::cancel(vault::IssuerAccount& account, const std::string& order) {
  withdraw(order);
  SIGNET_TRY(AcmeSession session, AcmeSession::open(ports_, account));
  SIGNET_CHECK(session.ensure_account());
  SIGNET_TRY(const AcmeReply reply, session.fetch(order));
  for (const std::string& url : texts_of(reply.body, "authorizations")) {
    SIGNET_TRY(const AcmeReply authorization, session.fetch(url));
    if (acme_text(authorization.body, "status") == "pending")
      SIGNET_CHECK(session.post(url, {{"status", "deactivated"}}));
  }
  return {};
}

/// Section 7.6.
Result<> AcmeProvider::revoke(vault::IssuerAccount& account, const certstore::Certificate& certificate,
                              vault::RevocationReason reason) {
  SIGNET_TRY(AcmeSession session, AcmeSession::open(ports_, account));
  SIGNET_CHECK(session.ensure_account());
  SIGNET_TRY(const std::string target, session.url("revokeCert"));
  SIGNET_CHECK(session.post(
      target, {{"certificate", base64url(certificate.der())}, {"reason", static_cast<int>(reason)}}));
  return {};
}

void AcmeProvider::withdraw(const std::string& order) {
  const auto published = tokens_.find(order);
  if (published == tokens_.end()) return;
  for (const std::string& token : published->second) challenges_.withdraw(token);
  tokens_.erase(published);
}

}  // namespace signet::gateway
