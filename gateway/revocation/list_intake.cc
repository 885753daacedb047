#include "gateway/revocation/list_intake.h"

#include <fmt/format.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/digest.h"
#include "base/openssl.h"

namespace signet::gateway {
namespace {

constexpr std::uint64_t kLargestList = 8 * 1024 * 1024;  ///< what Crl::parse() reads
constexpr std::chrono::seconds kConnectTime{10};
constexpr std::chrono::seconds kTotalTime{60};

/// What tells the lists of one authority apart that are for different certificates.
std::string scope_of(const certstore::Crl& list) {
  const int position = X509_CRL_get_ext_by_NID(list.native(), NID_issuing_distribution_point, -1);
  if (position < 0) return "";
  const ASN1_OCTET_STRING* part = X509_EXTENSION_get_data(X509_CRL_get_ext(list.native(), position));
  return hex_upper(digest(Hash::Sha256, ByteView(ASN1_STRING_get0_data(part),
                                                 static_cast<std::size_t>(ASN1_STRING_length(part)))));
}

/// "of 'CN=...', number 1A"
std::string describe(const certstore::Crl& list) {
  return fmt::format("of '{}'{}", printable(list.issuer().text()),
                     list.number().empty() ? "" : ", number " + list.number());
}

/// Whichever of the authorities signed it.
Result<certstore::Certificate> signer_of(const certstore::Crl& list,
                                         const std::vector<certstore::Certificate>& authorities) {
  Error why{ErrorKind::CryptoFailure,
            authorities.empty() ? "there is none" : "none of their keys has signed it"};
  for (const certstore::Certificate& authority : authorities) {
    const auto verified = list.verify(authority);
    if (verified) return authority;
    const bool is_named = authority.subject() == list.issuer().text();
    if (is_named || authorities.size() == 1) why = verified.error();
  }
  return fail(
      std::move(why).within(fmt::format("the revocation list {} is by none of the authorities whose "
                                        "certificates are at hand",
                                        describe(list))));
}

Result<> check_in_time(const certstore::Crl& list, Time now) {
  if (list.this_update() <= now + kIssuersClockAhead && now <= list.next_update()) return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("the revocation list {} is for the time from {} to {}, not for {}", describe(list),
                          to_rfc3339(list.this_update()), to_rfc3339(list.next_update()), to_rfc3339(now)));
}

Result<> check_covers(const certstore::Crl& list, const std::vector<certstore::Certificate>& subjects) {
  const auto covers = [&](const certstore::Certificate& subject) { return list.covers(subject); };
  if (subjects.empty() || std::any_of(subjects.begin(), subjects.end(), covers)) return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("the revocation list {} is for other certificates of its issuer than those looked "
                          "up here, '{}' first: the authority has to publish theirs at this address",
                          describe(list), printable(subjects.front().subject())));
}

Result<Intake> fetch_from(const FetchPorts& ports, const AllowedUrls& allowed, const std::string& url,
                          const certstore::Certificate& issuer,
                          const std::vector<certstore::Certificate>& subjects) {
  HttpGet get;
  get.url = url;
  get.connect_timeout = kConnectTime;
  get.total_timeout = kTotalTime;
  get.answer_limit = kLargestList;
  get.allows_address = [&allowed](std::string_view address) { return allowed.has_address(address); };
  SIGNET_TRY(const HttpAnswer answer, ports.get(get));
  if (answer.status != 200) {
    const bool redirects = answer.status / 100 == 3;
    return fail(ErrorKind::Unavailable,
                fmt::format("{} answered HTTP {}{}", url_for_people(url), answer.status,
                            redirects ? ": no redirect is followed" : ""));
  }
  SIGNET_TRY(const Bytes octets, answer.body.to_bytes(kLargestList));
  auto taken = take_list(octets, url, {issuer}, subjects, ports.store, ports.clock.now());
  if (!taken) return fail(std::move(taken).error().within(url_for_people(url)));
  return taken;
}

}  // namespace

Result<Intake> take_list(ByteView octets, const std::string& source,
                         const std::vector<certstore::Certificate>& authorities,
                         const std::vector<certstore::Certificate>& subjects, RevocationStore& store,
                         Time now) {
  SIGNET_TRY(certstore::Crl list, certstore::Crl::parse(octets));
  SIGNET_TRY(const certstore::Certificate signer, signer_of(list, authorities));
  SIGNET_CHECK(check_in_time(list, now));
  SIGNET_CHECK(check_covers(list, subjects));
  std::string scope = scope_of(list);
  Intake intake{
      {certstore::key_thumbprint(signer.public_key()), std::move(scope), std::move(list), source, now}, {}};
  SIGNET_TRY(intake.change, store.put(intake.list));
  return intake;
}

Result<Intake> fetch_list(const FetchPorts& ports, const AllowedUrls& allowed,
                          const std::vector<std::string>& urls, const certstore::Certificate& issuer,
                          const std::vector<certstore::Certificate>& subjects) {
  if (urls.empty())
    return fail(ErrorKind::NotFound,
                "the certificate names no http or https address to fetch it from: import it, by 'signet crl "
                "import FILE'");
  Error last{ErrorKind::PermissionDenied,
             fmt::format("{} is not allowed: name it, or what it lies below, in crl-allow-url of serve.toml",
                         url_for_people(urls.front()))};
  for (const std::string& url : urls) {
    if (!allowed.has_url(url)) continue;
    auto fetched = fetch_from(ports, allowed, url, issuer, subjects);
    if (fetched) return fetched;
    last = std::move(fetched).error();
  }
  return fail(std::move(last));
}

}  // namespace signet::gateway
