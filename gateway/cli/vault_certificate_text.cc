#include "gateway/cli/vault_certificate_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "certstore/vault/certificate_policy_json.h"
#include "certstore/x509/pem.h"
#include "gateway/cli/vault_attributes.h"

namespace signet::gateway {
namespace {

bool is_to_end(const vault::CertificateOperation& operation) {
  return operation.status == vault::OperationStatus::InProgress && operation.cancellation_requested;
}

}  // namespace

using nlohmann::ordered_json;

ordered_json certificate_json(const vault::CertificateInfo& info) {
  ordered_json value{{"vault", info.id.vault},
                     {"name", info.id.name},
                     {"version", info.id.version},
                     {"enabled", info.settings.enabled},
                     {"tags", info.settings.tags},
                     {"created", to_rfc3339(info.created)},
                     {"updated", to_rfc3339(info.updated)}};
  if (info.chain.empty()) return value;
  const certstore::Certificate& own = info.chain.front();
  value["subject"] = own.subject();
  value["issuer"] = own.issuer();
  value["notBefore"] = to_rfc3339(own.not_before());
  value["notAfter"] = to_rfc3339(own.not_after());
  value["thumbprint"] = own.thumbprint_sha1();
  value["thumbprintSha256"] = own.thumbprint_sha256();
  value["pem"] = ordered_json::array();
  for (const certstore::Certificate& certificate : info.chain) value["pem"].push_back(certificate.pem());
  return value;
}

ordered_json certificate_json(const vault::VaultCertificate& certificate) {
  ordered_json value = certificate_json(certificate.info);
  value["pending"] = certificate.pending;
  value["policy"] = vault::to_json(certificate.policy);
  return value;
}

ordered_json operation_json(const vault::CertificateOperation& operation) {
  ordered_json value{{"vault", operation.id.vault},
                     {"name", operation.id.name},
                     {"status", to_string(operation.status)},
                     {"issuer", operation.issuer},
                     {"cancellationRequested", operation.cancellation_requested},
                     {"requestId", operation.request_id},
                     {"request", request_pem(operation.request)}};
  if (!operation.details.empty()) value["details"] = operation.details;
  if (operation.failure)
    value["error"] = {{"code", operation.failure->code}, {"message", operation.failure->message}};
  return value;
}

std::string certificate_line(const vault::CertificateInfo& info) {
  if (info.chain.empty()) return fmt::format("{:<24} pending\n", info.id.name);
  return fmt::format("{:<24} {}  {:<8} until {}  {}\n", info.id.name, info.id.version,
                     info.settings.enabled ? "enabled" : "disabled",
                     to_rfc3339(info.chain.front().not_after()).substr(0, 10),
                     printable(info.chain.front().subject()));
}

std::string certificate_text(const vault::VaultCertificate& certificate) {
  const vault::CertificateInfo& info = certificate.info;
  const vault::CertificatePolicy& policy = certificate.policy;
  std::string text = to_string(info.id) + "\n";
  if (!info.chain.empty()) {
    const certstore::Certificate& own = info.chain.front();
    text += fmt::format(
        "subject      {}\nissuer       {}\nvalid        {} to {}\nthumbprint   {}\nchain        {}\n",
        printable(own.subject()), printable(own.issuer()), to_rfc3339(own.not_before()),
        to_rfc3339(own.not_after()), own.thumbprint_sha1(), info.chain.size());
  }
  text += fmt::format("state        {}\ntags         {}\npolicy       {} from {}, {} months, key {}{}\n",
                      info.settings.enabled ? "enabled" : "disabled", tags_text(info.settings.tags),
                      printable(policy.subject), policy.issuer, policy.validity_months,
                      to_string(policy.kind), policy.exportable ? ", exportable" : "");
  if (certificate.pending) text += "operation    see signet vault certificate pending\n";
  return text;
}

std::string operation_text(const vault::CertificateOperation& operation) {
  std::string text =
      fmt::format("{} by issuer {}: {}{}\n", to_string(operation.id), operation.issuer,
                  to_string(operation.status), is_to_end(operation) ? ", to be cancelled" : "");
  if (!operation.details.empty()) text += printable(operation.details, 500) + "\n";
  if (operation.failure)
    text += fmt::format("{}: {}\n", operation.failure->code, printable(operation.failure->message, 500));
  return text;
}

std::string request_pem(const Bytes& request) { return certstore::pem_of(request, "CERTIFICATE REQUEST"); }

}  // namespace signet::gateway
