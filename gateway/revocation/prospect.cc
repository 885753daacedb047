#include "gateway/revocation/prospect.h"

#include <fmt/format.h>

#include <algorithm>

#include "certstore/x509/publication.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/revocation/issuer_steps.h"

namespace signet::gateway {
namespace {

bool is_at_hand(const IssuerStep& step, const std::vector<StoredRevocationList>& lists, Time now) {
  const std::string authority = certstore::key_thumbprint(step.issuer.public_key());
  return std::any_of(lists.begin(), lists.end(), [&](const StoredRevocationList& one) {
    return one.authority == authority && one.list.covers(step.subject) && now <= one.list.next_update();
  });
}

Prospect prospect_of_step(const IssuerStep& step, const std::vector<StoredRevocationList>& lists,
                          const AllowedUrls& allowed, Time now) {
  if (is_at_hand(step, lists, now)) return {};
  const auto urls = certstore::publication_of(step.subject).crl_urls;
  if (urls.empty())
    return {fmt::format("'{}' names no http or https address of its issuer's list, and no list of {} is at "
                        "hand that still counts",
                        printable(step.subject.subject()), printable(step.issuer.subject())),
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
  const std::vector<IssuerStep> steps = issuer_steps(certificate, authorities);
  if (steps.empty()) return {text_of_no_issuer(certificate), "Add it as a public certificate."};
  for (const IssuerStep& step : steps)
    if (Prospect found = prospect_of_step(step, lists, allowed, now); !found.never.empty()) return found;
  return {};
}

}  // namespace signet::gateway
