#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "certstore/vault/certificate_provider.h"
#include "gateway/issuance/acme_session.h"
#include "gateway/issuance/challenge_handler.h"

/// Certificates by ACME (RFC 8555): what issuers of the providers ACME, DigiCert and GlobalSign are asked by.

namespace signet::gateway {

/// Everything that a certificate is ordered for (RFC 8555 section 7.4): its DNS names, IP addresses (RFC
/// 8738) and, where that is a host's name, the common name of its subject; without repetitions.
///
/// @error PermissionDenied  there is none, or the policy wants names that ACME does not know.
Result<nlohmann::json> identifiers_of(const vault::CertificatePolicy& policy);

/// An order's name is its URL. Of the challenges it meets http-01 (section 8.3); authorizations that the
/// service holds valid already need none.
class AcmeProvider final : public vault::CertificateProvider {
 public:
  /// `challenges` outlives this.
  AcmeProvider(AcmePorts ports, Challenges& challenges) : ports_(std::move(ports)), challenges_(challenges) {}

  Result<std::string> order(vault::IssuerAccount& account, const vault::OrderedCertificate& wanted) override;
  Result<vault::OrderProgress> poll(vault::IssuerAccount& account, const std::string& order,
                                    const vault::OrderedCertificate& wanted) override;
  /// Deactivates what is not yet authorized (section 7.5.2); the service lets the order itself expire.
  Result<> cancel(vault::IssuerAccount& account, const std::string& order) override;
  [[nodiscard]] bool orders_lapse() const override { return true; }  ///< unanswered challenges do
  Result<> revoke(vault::IssuerAccount& account, const certstore::Certificate& certificate,
                  vault::RevocationReason reason) override;

 private:
  Result<vault::OrderProgress> advance(AcmeSession& session, const std::string& order, AcmeReply reply,
                                       const vault::OrderedCertificate& wanted);
  Result<vault::OrderProgress> prove(AcmeSession& session, const std::string& order, const AcmeReply& reply);
  Result<> answer_challenge(AcmeSession& session, const std::string& order,
                            const nlohmann::json& authorization);
  Result<vault::OrderProgress> download(AcmeSession& session, const nlohmann::json& order);
  Result<vault::OrderProgress> refusal(AcmeSession& session, const nlohmann::json& order);
  void withdraw(const std::string& order);

  const AcmePorts ports_;
  Challenges& challenges_;
  std::map<std::string, std::vector<std::string>, std::less<>> tokens_;  ///< published, by order
};

}  // namespace signet::gateway
