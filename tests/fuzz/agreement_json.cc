#include "agreements/json.h"

#include <nlohmann/json.hpp>

#include "agreements/xml.h"
#include "tests/fuzz/fuzz_target.h"

/// A partner, a certificate or an agreement that was read from JSON is the same once written by us and read
/// again, and can stand in an account's XML.

using namespace signet;
using namespace signet::agreements;
using fuzz::require;
using nlohmann::ordered_json;

namespace {

constexpr std::string_view kVaults = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/";

void require_told(const std::vector<Problem>& problems, bool read) {
  require(read == problems.empty(), "there is an entry or a problem");
  require(problems.size() <= kMaxProblems + 1, "the problems are bounded");
  for (const Problem& problem : problems)
    require(to_string(problem).find('\n') == std::string::npos, "a problem is one line");
}

template <class Entry, class Read, class Write>
void try_entry(const ordered_json& resource, std::vector<Entry>& kept, Read read, Write write) {
  const JsonOutcome<Entry> first = read(resource);
  require_told(first.problems, first.entry.has_value());
  if (!first.entry) return;
  const ordered_json written = write(*first.entry);
  const JsonOutcome<Entry> second = read(written);
  require(second.entry == first.entry, "an entry survives writing and reading");
  require(write(*second.entry) == written, "what is written is a fixed point");
  kept.push_back(*first.entry);
}

}  // namespace

SIGNET_FUZZ_TARGET(agreement_json) {
  const Result<ordered_json> resource = parse_json(as_text(input));
  if (!resource) return;
  Account account;
  try_entry(
      *resource, account.partners, [](const auto& json) { return read_partner("p", json); },
      [](const auto& entry) { return write_json(entry); });
  try_entry(
      *resource, account.agreements, [](const auto& json) { return read_agreement("a", json); },
      [](const auto& entry) { return write_json(entry); });
  try_entry(
      *resource, account.certificates, [](const auto& json) { return read_certificate("c", json, kVaults); },
      [](const auto& entry) { return write_json(entry, kVaults); });
  std::erase_if(account.certificates,
                [](const CertificateEntry& entry) { return entry.public_certificate.empty(); });
  const ParseOutcome outcome = parse_account(write_account(account));
  require(outcome.account == account, "what is read from JSON can stand in the XML");
}
