#include "agreements/lint.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <unordered_map>

#include "agreements/lint_internal.h"
#include "agreements/resolution.h"

namespace signet::agreements {

namespace {

// ---- Partners
// ------------------------------------------------------------------------------------------------------------

void lint_partners(const LintScope& scope) {
  std::map<std::pair<std::string, std::string>, std::string> owners;
  for (const Partner& partner : scope.account.partners) {
    for (std::size_t i = 0; i < partner.business_identities.size(); ++i) {
      const BusinessIdentity& identity = partner.business_identities[i];
      const std::string path =
          fmt::format("partner[{}]/businessIdentities/businessIdentity[{}]", partner.name, i + 1);
      const auto [owner, first] = owners.try_emplace({to_lower(identity.qualifier), identity.value}, path);
      if (first) continue;
      scope.report.error(
          path, "an identity that no other partner has, and each only once",
          fmt::format("{} {}, which {} has as well{}", identity.qualifier, in_quotes(identity.value),
                      owner->second, scope.report.where(owner->second)),
          "Remove one of the two.");
    }
  }
}

// ---- Certificates
// --------------------------------------------------------------------------------------------------------

void lint_validity(const LintScope& scope, const std::string& path, const CertificateFact& fact) {
  if (fact.not_after < scope.now)
    scope.report.warning(path, "a certificate that is still valid",
                         "one that expired on " + day(fact.not_after),
                         "Remove it once no agreement names it.");
  else if (fact.not_after < scope.now + kExpiryWarning)
    scope.report.warning(path, "a certificate that is valid for 30 days more",
                         "one that expires on " + day(fact.not_after),
                         "Agree on the next one with the partner and add it with <x:certificates>.");
  if (fact.not_before > scope.now)
    scope.report.warning(path, "a certificate that is valid already",
                         "one that begins on " + day(fact.not_before),
                         "Give it an activeFrom no earlier than that where an agreement names it.");
}

void lint_key(const LintScope& scope, const std::string& path, const CertificateEntry& entry) {
  if (!entry.key || scope.vaults == nullptr) return;
  const KeyFact fact = scope.vaults->key_of(entry);
  if (!fact.missing.empty())
    scope.report.error(
        path, "a key in the vault", fact.missing,
        fmt::format("Import it: signet vault key import --vault {} {} FILE; or correct the names "
                    "here.",
                    entry.key->key_vault, entry.key->key_name));
  else if (!fact.mismatch.empty())
    scope.report.error(path, "the key that the certificate was issued for", fact.mismatch,
                       "Name the key that it was made for, or give the certificate of this key.");
}

void lint_certificates(const LintScope& scope) {
  std::unordered_map<std::string, std::string> by_fingerprint;
  for (const CertificateEntry& entry : scope.account.certificates) {
    const std::string path = fmt::format("certificate[{}]", entry.name);
    std::string why_not;
    const std::optional<CertificateFact> fact = scope.facts.find(entry, why_not);
    if (!fact) {
      scope.report.error(path + "/publicCertificate", "an X.509 certificate",
                         why_not.empty() ? "none" : why_not, "Export it again, as PEM or DER.");
      continue;
    }
    lint_validity(scope, path, *fact);
    if (!fact->key_weakness.empty())
      scope.report.error(path, "a key that is strong enough",
                         fmt::format("{}: {}", fact->key, fact->key_weakness),
                         "Have a certificate made for RSA 2048 bits or more, or EC P-256, P-384 or P-521.");
    lint_key(scope, path + "/key", entry);
    const auto [twin, first] = by_fingerprint.try_emplace(fact->fingerprint, entry.name);
    if (!first && !fact->fingerprint.empty())
      scope.report.warning(path, "a certificate that has one name",
                           fmt::format("the same as {}", in_quotes(twin->second)), "Remove one of the two.");
  }
}

// ---- Agreements together
// ---------------------------------------------------------------------------------------------------

/// Agreements that would lay claim to the same messages, or to the same folder.
class Neighbours {
 public:
  explicit Neighbours(LintReport& report) : report_(report) {}

  void add(const Agreement& agreement, const Resolution& resolution) {
    const std::string path = fmt::format("agreement[{}]", agreement.name);
    if (resolution.problems.empty()) {
      const ResolvedAgreement& names = resolution.resolved;
      claim(inbound_, names.receive_from, names.receive_to, agreement.name, "messages from the guest");
      claim(outbound_, names.send_from, names.send_to, agreement.name, "messages to the guest");
      if (names.receive_from == names.receive_to)
        report_.warning(path, "different AS2 names for host and guest",
                        in_quotes(names.receive_to) + " for both",
                        "Many products refuse messages from oneself.");
    }
    delivery_folder(agreement, path);
    if (agreement.send_agreement.pickup) pickup_folder(agreement, path);
  }

 private:
  using Claims = std::map<std::pair<std::string, std::string>, std::string>;

  void claim(Claims& claims, const std::string& from, const std::string& to, const std::string& name,
             std::string_view what) {
    const auto [owner, first] = claims.try_emplace({from, to}, name);
    if (first) return;
    const std::string other = fmt::format("agreement[{}]", owner->second);
    report_.error(fmt::format("agreement[{}]", name), fmt::format("no other agreement for {}", what),
                  fmt::format("{}{} with the same AS2-From {} and AS2-To {}", other, report_.where(other),
                              in_quotes(from), in_quotes(to)),
                  "Remove one of the two, or give one another identity.");
  }

  static std::string folder_of(const std::string& named, const Agreement& agreement) {
    auto folder =
        std::filesystem::path(named.empty() ? agreement.name : named).lexically_normal().generic_string();
    if (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    return folder;
  }

  void delivery_folder(const Agreement& agreement, const std::string& path) {
    if (agreement.receive_agreement.delivery.webhook) return;
    const std::string folder = folder_of(agreement.receive_agreement.delivery.folder, agreement);
    const std::string where = path + "/receiveAgreement/x:delivery/@folder";
    const auto [owner, first] = delivery_folders_.try_emplace(folder, agreement.name);
    if (!first)
      report_.warning(
          where, "a folder of its own",
          fmt::format("{}, which agreement {} has as well", in_quotes(folder), in_quotes(owner->second)),
          "Whoever picks up from there cannot tell the partners apart: name another folder.");
    no_circle(where, folder, pickup_folders_);
  }

  void pickup_folder(const Agreement& agreement, const std::string& path) {
    const std::string folder = folder_of(agreement.send_agreement.pickup->folder, agreement);
    const std::string where = path + "/sendAgreement/x:pickup/@folder";
    const auto [owner, first] = pickup_folders_.try_emplace(folder, agreement.name);
    if (!first)
      report_.error(
          where, "a folder of its own",
          fmt::format("{}, which agreement {} has as well", in_quotes(folder), in_quotes(owner->second)),
          "Whose a file in it is could not be told: name another folder.");
    no_circle(where, folder, delivery_folders_);
  }

  /// Only absolute folders can be the same: relative ones lie below different directories.
  void no_circle(const std::string& where, const std::string& folder,
                 const std::map<std::string, std::string>& others) {
    const auto other = others.find(folder);
    if (other == others.end() || !std::filesystem::path(folder).is_absolute()) return;
    report_.error(where, "different folders for what is received and what is sent",
                  fmt::format("{} for both, in agreement {}", in_quotes(folder), in_quotes(other->second)),
                  "What one partner sends would be sent on to another: name another folder.");
  }

  LintReport& report_;
  Claims inbound_;
  Claims outbound_;
  std::map<std::string, std::string> delivery_folders_;  ///< and whose they are
  std::map<std::string, std::string> pickup_folders_;
};

}  // namespace

std::vector<Problem> lint(const Account& account, const CertificateFacts& facts, Time now,
                          const Positions& positions, const VaultFacts* vaults) {
  LintReport report(positions);
  const AccountIndex index(account);
  const LintScope scope{account, index, facts, vaults, now, report};
  lint_partners(scope);
  lint_certificates(scope);
  Neighbours neighbours(report);
  for (const Agreement& agreement : account.agreements) {
    Resolution resolution = resolve_names(index, agreement);
    neighbours.add(agreement, resolution);
    for (Problem& problem : resolution.problems) report.take(std::move(problem));
    lint_agreement(scope, agreement);
  }
  return std::move(report).finish();
}

}  // namespace signet::agreements
