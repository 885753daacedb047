#include "gateway/revocation/prospect.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "certstore/x509/issuers.h"
#include "certstore/x509/publication.h"
#include "gateway/endpoint/http_client.h"

namespace signet::gateway {
namespace {

bool is_at_hand(const certstore::Certificate& subject, const certstore::Certificate& issuer,
                const std::vector<StoredRevocationList>& lists, Time now) {
  const std::string authority = certstore::key_thumbprint(issuer.public_key());
  return std::any_of(lists.begin(), lists.end(), [&](const StoredRevocationList& one) {
    return one.authority == authority && one.list.covers(subject) && now <= one.list.next_update();
  });
}

/// One step: a certificate, and the lists of its issuer.
Prospect prospect_of_step(const certstore::Certificate& subject, const certstore::Certificate& issuer,
                          const std::vector<StoredRevocationList>& lists, const AllowedUrls& allowed,
                          Time now) {
  if (is_at_hand(subject, issuer, lists, now)) return {};
  const auto urls = certstore::publication_of(subject).crl_urls;
  if (urls.empty())
    return {fmt::format("'{}' names no http or https address of its issuer's list, and no list of {} is at "
                        "hand that still counts",
                        printable(subject.subject()), printable(issuer.subject())),
            "Import one: signet crl import FILE."};
  if (std::any_of(urls.begin(), urls.end(), [&](const std::string& url) { return allowed.has_url(url); }))
    return {};
  return {fmt::format("its issuer's list is at {}, which is not allowed", url_for_people(urls.front())),
          "Allow it: crl-allow-url in serve.toml; or import the list: signet crl import FILE."};
}

}  // namespace

Prospect prospect_of(const certstore::Certificate& certificate,
                     const std::vector<certstore::Certificate>& authorities,
                     const std::vector<StoredRevocationList>& lists, const AllowedUrls& allowed, Time now) {
  std::optional<certstore::Certificate> subject = certificate;
  for (std::size_t steps = 0; subject && !subject->self_signed() && steps < kLongestIssuerChain; ++steps) {
    const auto issuer = certstore::find_issuer(*subject, authorities);
    if (!issuer && steps == 0)
      return {
          fmt::format("the account does not have the certificate of its issuer, '{}', which signs the lists",
                      printable(subject->issuer())),
          "Add it as a public certificate."};
    if (!issuer) return {};
    if (Prospect step = prospect_of_step(*subject, *issuer, lists, allowed, now); !step.never.empty())
      return step;
    subject = issuer;
  }
  return {};
}

}  // namespace signet::gateway
