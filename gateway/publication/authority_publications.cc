#include "gateway/publication/authority_publications.h"

#include <openssl/ocsp.h>

#include <ctime>

#include "base/log.h"
#include "base/openssl.h"
#include "certstore/x509/ocsp.h"

namespace signet::gateway {
namespace {

using OcspResponsePtr = Handle<OCSP_RESPONSE, OCSP_RESPONSE_free>;
using OcspBasicPtr = Handle<OCSP_BASICRESP, OCSP_BASICRESP_free>;

std::optional<Time> time_of(const ASN1_GENERALIZEDTIME* time) {
  std::tm broken{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &broken) != 1) return std::nullopt;
  return Time(std::chrono::seconds(::timegm(&broken)));
}

/// A response of our own, with the times that it says of itself; one without a signature has none.
Published published(Bytes der) {
  const unsigned char* at = der.data();
  const OcspResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  const bool is_signed = response && OCSP_response_status(response.get()) == OCSP_RESPONSE_STATUS_SUCCESSFUL;
  const OcspBasicPtr basic(is_signed ? OCSP_response_get1_basic(response.get()) : nullptr);
  OCSP_SINGLERESP* single = basic ? OCSP_resp_get0(basic.get(), 0) : nullptr;
  ASN1_GENERALIZEDTIME* made = nullptr;
  ASN1_GENERALIZEDTIME* until = nullptr;
  if (single != nullptr) OCSP_single_get0_status(single, nullptr, nullptr, &made, &until);
  return {std::move(der), time_of(made).value_or(Time{}), time_of(until)};
}

}  // namespace

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
  if (answer) return published(*std::move(answer));
  log::error("ocsp-not-answered", {{"reason", answer.error().detail}});
  return {certstore::make_ocsp_refusal(certstore::OcspRefusal::TryLater), {}, std::nullopt};
}

}  // namespace signet::gateway
