#include "agreements/directory.h"
#include "agreements/lint.h"
#include "agreements/xml.h"
#include "tests/fuzz/fuzz_target.h"

/// An account that was read is the same once written by us and read again, and what we write we write again
/// octet for octet.

using namespace signet;
using namespace signet::agreements;
using fuzz::require;

namespace {

class NoCertificates final : public CertificateFacts {
 public:
  std::optional<CertificateFact> find(const CertificateEntry&, std::string&) const override { return {}; }
  std::string objection(const CertificateEntry&, CertificatePurpose) const override { return {}; }
};

}  // namespace

SIGNET_FUZZ_TARGET(agreement_xml) {
  const ParseOutcome first = parse_account(as_text(input));
  require(first.account.has_value() != has_errors(first.problems), "there is an account or an error");
  require(first.problems.size() <= kMaxProblems + 1, "the problems are bounded");
  for (const Problem& problem : first.problems)
    require(to_string(problem).find('\n') == std::string::npos, "a problem is one line");
  if (const auto& understood = first.account ? first.account : first.draft)
    require(has_errors(lint(*understood, NoCertificates(), Time{}, first.positions)) ||
                understood->certificates.empty(),
            "whatever was understood can be linted");
  if (!first.account) return;

  const std::string written = write_account(*first.account);
  const ParseOutcome second = parse_account(written);
  require(second.account.has_value(), "what we write can be read");
  require(*second.account == *first.account, "an account survives writing and reading");
  require(write_account(*second.account) == written, "the canonical form is a fixed point");
  if (const auto directory = AgreementDirectory::build(*first.account))
    for (const ResolvedAgreement& agreement : (*directory)->all())
      require((*directory)->find_inbound(agreement.receive_from, agreement.receive_to) == &agreement,
              "an agreement is found by its names");
}
