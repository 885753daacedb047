#include "gateway/notices/notice_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace signet::gateway {
namespace {

using Event = vault::CertificateNotice::Event;

std::string day(Time time) { return to_rfc3339(time).substr(0, 10); }

std::string type_of(Event event) {
  switch (event) {
    case Event::NearExpiry:
      return "Microsoft.KeyVault.CertificateNearExpiry";
    case Event::Renewed:
      return "Microsoft.KeyVault.CertificateNewVersionCreated";
    case Event::RenewalBegins:
      return "Signet.CertificateRenewalBegins";
    case Event::NotRenewed:
      return "Signet.CertificateNotRenewed";
  }
  return {};
}

}  // namespace

std::string notice_subject(const vault::CertificateNotice& notice) {
  const auto& [vault, name, version] = notice.id;
  switch (notice.event) {
    case Event::NearExpiry:
      return fmt::format("Certificate {} of key vault {} expires on {}", name, vault, day(notice.expires));
    case Event::RenewalBegins:
      return fmt::format("Certificate {} of key vault {} is being renewed", name, vault);
    case Event::Renewed:
      return fmt::format("Certificate {} of key vault {} was renewed", name, vault);
    case Event::NotRenewed:
      return fmt::format("Certificate {} of key vault {} could not be renewed", name, vault);
  }
  return {};
}

std::string notice_text(const vault::CertificateNotice& notice) {
  const std::string facts =
      fmt::format("\n\ncertificate  {}\nkey vault    {}\nversion      {}\nexpires      {}\n", notice.id.name,
                  notice.id.vault, notice.id.version, to_rfc3339(notice.expires));
  switch (notice.event) {
    case Event::NearExpiry:
      return "The certificate comes to its end, and its policy has nobody renew it: please see to a new "
             "version." +
             facts;
    case Event::RenewalBegins:
      return "The certificate comes to its end. A new version was ordered at its issuer; you will be told "
             "what comes "
             "of it." +
             facts;
    case Event::Renewed:
      return "The certificate has a new version, which is the current one from now on." + facts;
    case Event::NotRenewed:
      return fmt::format(
          "The certificate comes to its end, and no new version could be made:\n\n{}\n\nThe gateway "
          "tries again, less and less often. If the reason stays, please renew the certificate by "
          "hand.{}",
          printable_line(notice.reason, 1000), facts);
  }
  return {};
}

std::string notice_id(const vault::CertificateNotice& notice) {
  return fmt::format("{}.{}.{}.{}.{}", notice.id.vault, notice.id.name, notice.id.version,
                     to_string(notice.event), notice.time.time_since_epoch().count());
}

std::string notice_event(const vault::CertificateNotice& notice) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(notice.expires.time_since_epoch()).count();
  nlohmann::ordered_json data{{"Id", to_string(notice.id)},   {"VaultName", notice.id.vault},
                              {"ObjectType", "Certificate"},  {"ObjectName", notice.id.name},
                              {"Version", notice.id.version}, {"EXP", seconds}};
  if (!notice.reason.empty()) data["Reason"] = notice.reason;
  const nlohmann::ordered_json event{{"specversion", "1.0"},
                                     {"id", notice_id(notice)},
                                     {"source", "/vaults/" + notice.id.vault},
                                     {"type", type_of(notice.event)},
                                     {"subject", notice.id.name},
                                     {"time", to_rfc3339(notice.time)},
                                     {"datacontenttype", "application/json"},
                                     {"data", std::move(data)}};
  return event.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace signet::gateway
