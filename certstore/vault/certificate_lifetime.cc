#include "certstore/vault/certificate_lifetime.h"

#include <algorithm>
#include <chrono>

#include "certstore/vault/word_list.h"

namespace signet::vault {
namespace {

using Event = CertificateNotice::Event;

constexpr std::array<Word<Event>, 4> kEvents{{{Event::NearExpiry, "near-expiry"},
                                              {Event::RenewalBegins, "renewal-begins"},
                                              {Event::Renewed, "renewed"},
                                              {Event::NotRenewed, "not-renewed"}}};

}  // namespace

std::string_view to_string(Event event) { return word_of(kEvents, event); }
Result<Event> parse_notice_event(std::string_view text) {
  return find_word(kEvents, text, "event of a certificate");
}

Time due_time(const LifetimeAction& action, const certstore::Certificate& certificate) {
  const auto lifetime = certificate.not_after() - certificate.not_before();
  if (action.lifetime_percentage)
    return certificate.not_before() + lifetime / 100 * *action.lifetime_percentage;
  return std::max(certificate.not_after() - std::chrono::days(action.days_before_expiry.value_or(0)),
                  certificate.not_before() + lifetime / 2);
}

}  // namespace signet::vault
