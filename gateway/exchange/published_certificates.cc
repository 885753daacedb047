#include "gateway/exchange/published_certificates.h"

#include <algorithm>

#include "agreements/certificate_roles.h"
#include "as2/name.h"
#include "base/log.h"
#include "certstore/x509/certs_only.h"
#include "gateway/exchange/sender_proof.h"

namespace signet::gateway {
namespace {

using agreements::CertificateRole;

const agreements::ResolvedAgreement* agreement_of(const HttpRequest& request,
                                                  const AccountSnapshot& account) {
  const auto from = as2::As2Name::parse(request.headers.value("AS2-From").value_or(""));
  const auto to = as2::As2Name::parse(request.headers.value("AS2-To").value_or(""));
  return from && to ? account.directory().find_inbound(from->text(), to->text()) : nullptr;
}

HttpResponse not_now(const Error& error, const HttpRequest& request) {
  log::error("certificates-not-published", {{"request_id", request.request_id}, {"reason", error.detail}});
  return later_response(503, "not now: ask again later", std::chrono::seconds(60), request.request_id);
}

}  // namespace

Result<std::vector<certstore::Certificate>> published_certificates(const agreements::Agreement& agreement,
                                                                   const AccountSnapshot& account, Time now) {
  std::vector<agreements::DatedCertificate> dated;
  for (const CertificateRole role :
       {CertificateRole::SignMessage, CertificateRole::SignMdn, CertificateRole::Decrypt})
    for (agreements::DatedCertificate& one : agreements::certificates_for(agreement, role))
      if (!one.active_until || *one.active_until > now) dated.push_back(std::move(one));
  std::stable_sort(dated.begin(), dated.end(),
                   [](const auto& a, const auto& b) { return a.active_from > b.active_from; });
  std::vector<certstore::Certificate> certificates;
  for (const agreements::DatedCertificate& one : dated) {
    SIGNET_TRY(certstore::Certificate certificate, account.certificate(one.name));
    if (std::find(certificates.begin(), certificates.end(), certificate) == certificates.end())
      certificates.push_back(std::move(certificate));
  }
  return certificates;
}

std::optional<HttpResponse> answer_with_certificates(HttpRequest& request, const CurrentAccount& account,
                                                     RevocationCheck& revocation) {
  const SenderProof proof = take_proof(request);
  const auto snapshot = account();
  if (!snapshot) return not_now(snapshot.error(), request);
  const agreements::ResolvedAgreement* const found = agreement_of(request, **snapshot);
  if (found == nullptr) return std::nullopt;
  const agreements::OneWayAgreement& agreed = found->agreement.receive_agreement;
  if (!agreed.required_client_certificate && !agreed.required_basic_authentication) return std::nullopt;
  auto unproven = check_sender(proof, agreed, **snapshot, request.received);
  std::string unchecked;  // the log has it
  if (unproven && !*unproven)
    unproven = check_not_revoked(proof, found->agreement, revocation, *snapshot, request.received, unchecked,
                                 request.request_id);
  if (!unproven) return not_now(unproven.error(), request);
  if (*unproven) {
    HttpResponse response =
        text_response((*unproven)->http_status, (*unproven)->for_sender, request.request_id);
    if ((*unproven)->http_status == 401) response.headers.set("WWW-Authenticate", kBasicChallenge);
    return response;
  }
  const auto certificates = published_certificates(found->agreement, **snapshot, request.received);
  if (!certificates) return not_now(certificates.error(), request);
  auto der = certstore::make_certs_only(*certificates);
  if (!der) return not_now(der.error(), request);
  log::info("certificates-published", {{"request_id", request.request_id},
                                       {"agreement", found->agreement.name},
                                       {"certificates", std::to_string(certificates->size())}});
  HttpResponse response;
  response.headers.add("Content-Type",
                       "application/pkcs7-mime; smime-type=certs-only; name=\"certificates.p7c\"");
  response.headers.add("Content-Disposition", "attachment; filename=\"certificates.p7c\"");
  response.body = Slice::of(*std::move(der));
  return response;
}

}  // namespace signet::gateway
