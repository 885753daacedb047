#include "gateway/publication/authority_publications.h"

#include "base/log.h"
#include "certstore/x509/ocsp.h"

namespace signet::gateway {
Result<Published> AuthorityPublications::crl(const std::string& group, const std::string& serial) {
  SIGNET_TRY(authority::PublishedCrl crl, service_.published_crl(group, serial));
  return Published{std::move(crl.der), crl.this_update, crl.next_update};
}

Result<Published> AuthorityPublications::issuer(const std::string& group, const std::string& serial) {
  SIGNET_TRY(const certstore::Certificate issuer, service_.published_issuer(group, serial));
  return Published{issuer.der(), issuer.not_before(), clock_.now() + std::chrono::hours(24)};
}

Published AuthorityPublications::ocsp(ByteView request, std::string_view network) {
  auto answer = service_.answer_ocsp(request, network);
  if (answer) return {std::move(answer->der), answer->made, answer->until};
  log::error("ocsp-not-answered", {{"reason", answer.error().detail}});
  return {certstore::make_ocsp_refusal(certstore::OcspRefusal::TryLater), {}, std::nullopt};
}

}  // namespace signet::gateway
