#include "gateway/operations/revocation_status.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "gateway/endpoint/http_client.h"

namespace signet::gateway {

std::vector<Reading> readings_of(const std::vector<RevocationStanding>& standings,
                                 const std::vector<RevocationLists::Count>& counts, Time now) {
  Reading known{"signet_revocation_known",
                "Whether it can be said of a certificate that is to be looked up if it is revoked",
                {},
                Reading::Kind::Gauge};
  Reading revoked{"signet_certificate_revoked",
                  "Whether a certificate that is looked up is revoked",
                  {},
                  Reading::Kind::Gauge};
  Reading left{
      "signet_revocation_list_days",
      "Days until the first of the lists ends that a certificate is looked up in; negative once it has",
      {},
      Reading::Kind::Gauge};
  for (const RevocationStanding& standing : standings) {
    const std::map<std::string, std::string> labels = {{"certificate", standing.certificate}};
    const bool unknown =
        standing.status == RevocationStatus::Unknown || standing.status == RevocationStatus::Pending;
    known.values.push_back({labels, unknown ? 0.0 : 1.0});
    revoked.values.push_back({labels, standing.status == RevocationStatus::Revoked ? 1.0 : 0.0});
    if (standing.until)
      left.values.push_back(
          {labels, std::chrono::duration<double, std::chrono::days::period>(*standing.until - now).count()});
  }
  Reading looks{"signet_revocation_checks_total",
                "Looks into revocation lists, by what followed",
                {},
                Reading::Kind::Counter};
  for (const RevocationLists::Count& count : counts)
    looks.values.push_back({{{"agreement", count.agreement},
                             {"role", std::string(to_string(count.use))},
                             {"outcome", std::string(to_string(count.outcome))}},
                            static_cast<double>(count.count)});
  return {std::move(known), std::move(revoked), std::move(left), std::move(looks)};
}

nlohmann::ordered_json to_json(const RevocationStanding& standing) {
  nlohmann::ordered_json urls = nlohmann::ordered_json::array();
  for (const std::string& url : standing.urls) urls.push_back(url_for_people(url));
  return {{"certificate", standing.certificate},
          {"agreements", standing.agreements},
          {"status", to_string(standing.status)},
          {"until", standing.until ? nlohmann::ordered_json(to_rfc3339(*standing.until)) : nullptr},
          {"urls", std::move(urls)},
          {"reason", standing.reason}};
}

std::string to_text(const RevocationStanding& standing) {
  return fmt::format("  {:<12}  {:<24}  {:<24}  {}{}\n", to_string(standing.status), standing.certificate,
                     standing.until ? "list until " + to_rfc3339(*standing.until).substr(0, 16) : "",
                     fmt::join(standing.agreements, ", "),
                     standing.reason.empty() ? "" : ": " + printable(standing.reason, 400));
}

}  // namespace signet::gateway
