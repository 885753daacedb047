#include "gateway/lifecycle/inventory.h"

#include <fmt/format.h>

#include <algorithm>

#include "agreements/certificate_roles.h"

namespace signet::gateway {

std::string_view to_string(CertificatePlace::Kind kind) {
  switch (kind) {
    case CertificatePlace::Kind::Account:
      return "account";
    case CertificatePlace::Kind::KeyVault:
      return "keyVault";
    case CertificatePlace::Kind::Principal:
      return "principal";
    case CertificatePlace::Kind::File:
      return "file";
  }
  return "account";
}

double InventoryEntry::days_left(Time now) const {
  return std::chrono::duration<double, std::chrono::days::period>(certificate.not_after - now).count();
}

bool InventoryEntry::is_used(Time now) const {
  return std::any_of(tasks.begin(), tasks.end(),
                     [&](const CertificateTask& task) { return !task.until || *task.until > now; });
}

bool InventoryEntry::is_missed(Time now) const {
  return std::any_of(tasks.begin(), tasks.end(), [&](const CertificateTask& task) {
    return !task.until || (*task.until > now && *task.until > certificate.not_after);
  });
}

std::string InventoryEntry::name() const {
  return fmt::format("{} {}", to_string(places.front().kind), places.front().name);
}

CertificateSummary summary_of(const certstore::Certificate& certificate) {
  return {
      certificate.thumbprint_sha256(), certificate.subject(),    certificate.issuer(),   certificate.serial(),
      certificate.thumbprint_sha1(),   certificate.not_before(), certificate.not_after()};
}

void InventoryBuilder::add(CertificateSummary certificate, CertificatePlace place, bool has_key) {
  const auto [known, first] = by_thumbprint_.try_emplace(certificate.thumbprint_sha256, entries_.size());
  if (first) entries_.push_back({std::move(certificate), false, {}, {}});
  InventoryEntry& entry = entries_[known->second];
  entry.has_key = entry.has_key || has_key;
  if (std::find(entry.places.begin(), entry.places.end(), place) == entry.places.end())
    entry.places.push_back(std::move(place));
}

void InventoryBuilder::use(std::string_view thumbprint_sha256, CertificateTask task) {
  const auto known = by_thumbprint_.find(thumbprint_sha256);
  if (known == by_thumbprint_.end()) return;
  InventoryEntry& entry = entries_[known->second];
  if (std::find(entry.tasks.begin(), entry.tasks.end(), task) == entry.tasks.end())
    entry.tasks.push_back(std::move(task));
}

std::vector<InventoryEntry> InventoryBuilder::finish() && {
  std::stable_sort(entries_.begin(), entries_.end(), [](const InventoryEntry& a, const InventoryEntry& b) {
    return a.certificate.not_after < b.certificate.not_after;
  });
  return std::move(entries_);
}

std::vector<NamedTask> tasks_of(const agreements::Agreement& agreement) {
  const std::string by = fmt::format("agreement '{}'", agreement.name);
  std::vector<NamedTask> all;
  for (const agreements::CertificateRole role : agreements::kAllRoles)
    for (const agreements::DatedCertificate& dated : agreements::certificates_for(agreement, role))
      all.push_back({dated.name, {by, std::string(to_string(role)), dated.active_from, dated.active_until}});
  const auto add = [&](const std::string& name, const char* role) {
    if (!name.empty()) all.push_back({name, {by, role, std::nullopt, std::nullopt}});
  };
  add(agreement.connection.client_certificate_name, "tlsClient");
  for (const std::string& name : agreement.connection.tls_trust.certificates) add(name, "tlsTrust");
  if (const auto& required = agreement.receive_agreement.required_client_certificate)
    for (const std::string& name : required->certificates) add(name, "requiredClientCertificate");
  return all;
}

std::string to_string(const std::vector<CertificateTask>& tasks) {
  std::vector<std::pair<std::string, std::vector<std::string>>> grouped;
  for (const CertificateTask& task : tasks) {
    auto group =
        std::find_if(grouped.begin(), grouped.end(), [&](const auto& one) { return one.first == task.by; });
    if (group == grouped.end()) group = grouped.insert(grouped.end(), {task.by, {}});
    group->second.push_back(task.role);
  }
  std::vector<std::string> texts;
  for (const auto& [by, roles] : grouped) texts.push_back(fmt::format("{} ({})", by, fmt::join(roles, ", ")));
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace signet::gateway
