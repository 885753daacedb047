#include "as2/inspect_signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "as2/mime/canonical.h"

namespace signet::as2 {
namespace {

using certstore::Certificate;

constexpr std::size_t kMaxSignatureShown = 16 * 1024 * 1024;

/// Everything that an exception could allow: what holds only under this is told, and no more.
cms::VerifyPolicy lenient_policy() {
  cms::VerifyPolicy policy;
  policy.allowed_hashes = {Hash::Sha1, Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512};
  policy.max_signers = cms::kMaxDescribed;
  return policy;
}

class NullSink final : public Sink {
 public:
  Result<> write(ByteView) override { return {}; }
};

std::vector<Certificate> plain(const std::vector<NamedCertificate>& named) {
  std::vector<Certificate> certificates;
  for (const NamedCertificate& each : named) certificates.push_back(each.certificate);
  return certificates;
}

std::string name_of(const Certificate& certificate, const std::vector<NamedCertificate>& named) {
  for (const NamedCertificate& each : named)
    if (each.certificate == certificate) return each.name;
  return "";
}

std::string join(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : ", ") + text;
  return joined;
}

std::string names_of(const std::vector<NamedCertificate>& named) {
  std::vector<std::string> names;
  for (const NamedCertificate& each : named) names.push_back("'" + each.name + "'");
  return names.empty() ? "none" : join(names);
}

/// Whose a signer is, among the certificates at hand.
std::string owner_text(const cms::PartyName& party, const cms::CmsDescription& description,
                       const InspectMaterial& material) {
  for (const auto& [named, whose] :
       {std::pair{&material.signers,
                  material.signers_agreed ? "the agreement's certificate" : "the account's certificate"},
        std::pair{&material.known, "the account's certificate"}})
    for (const NamedCertificate& each : *named)
      if (cms::is_named(each.certificate, party)) return fmt::format("{} '{}'", whose, each.name);
  for (const Certificate& each : description.certificates)
    if (cms::is_named(each, party))
      return "a certificate that the message carries: " + printable(each.subject());
  return "";
}

Fact signer_fact(const cms::SignerDescription& signer, const cms::CmsDescription& description,
                 const InspectMaterial& material) {
  Fact fact{"signer", signer.readable ? cms::to_string(signer.party) : "unreadable"};
  const auto part = [&fact](std::string name, std::string value) {
    if (!value.empty()) fact.parts.push_back({std::move(name), std::move(value)});
  };
  part("is", owner_text(signer.party, description, material));
  part("digest", signer.digest_algorithm);
  part("signature", signer.signature_algorithm);
  part("signed attributes", signer.has_signed_attributes ? join(signer.signed_attributes) : "none");
  part("unsigned attributes", join(signer.unsigned_attributes));
  part("signing time", signer.signing_time ? to_rfc3339(*signer.signing_time) + " (its claim)" : "");
  part("message digest", signer.message_digest ? base64(*signer.message_digest) : "");
  return fact;
}

/// Holds one signature against contents and certificates.
class SignatureTrial {
 public:
  enum class Verdict { Holds, OtherContent, Not };
  struct Outcome {
    Verdict verdict = Verdict::Not;
    std::string detail;                 ///< why it does not hold
    std::string algorithm;              ///< when it does
    std::optional<Certificate> signer;  ///< when it does
  };

  explicit SignatureTrial(const SignatureInput& input) : input_(input) {}

  [[nodiscard]] Outcome against(std::span<const Certificate> certificates, const cms::VerifyPolicy& policy,
                                const Slice& content) const {
    auto signer = verify(certificates, policy, content);
    if (signer) return {Verdict::Holds, "", signer->algorithm_text(), signer->certificate()};
    const bool other_content = signer.error().fault == Fault::IntegrityCheckFailed;
    return {other_content ? Verdict::OtherContent : Verdict::Not, signer.error().cause.detail, "",
            std::nullopt};
  }

 private:
  [[nodiscard]] Step<cms::VerifiedSigner> verify(std::span<const Certificate> certificates,
                                                 const cms::VerifyPolicy& policy,
                                                 const Slice& content) const {
    if (!input_.detached) {
      NullSink nobody;
      return cms::verify_opaque(input_.signed_data, certificates, policy, nobody);
    }
    SIGNET_TRY(const Bytes signature,
               or_refuse(Fault::AuthenticationFailed, input_.signed_data.to_bytes(kMaxSignatureShown)));
    return cms::verify_detached(signature, content, certificates, policy);
  }

  const SignatureInput& input_;
};

using Verdict = SignatureTrial::Verdict;

class SignatureInspection {
 public:
  SignatureInspection(const cms::CmsDescription& description, const SignatureInput& input,
                      const InspectMaterial& material, const SpoolArea& spool, ExplainedLayer& layer)
      : description_(description), input_(input), material_(material), layer_(layer), trial_(input) {
    if (input.detached) {
      auto canonical = canonical_octets(input.content, spool);
      if (canonical && canonical->size() != input.content.size()) canonical_ = *std::move(canonical);
    }
  }

  SignatureFinding run() {
    if (description_.signers.empty()) {
      check(CheckResult::Failed, "nobody has signed: there is no SignerInfo in it");
      return finding_;
    }
    finding_.hash = description_.signers.front().hash;
    check_digest(description_.signers.front());
    check_signer();
    return finding_;
  }

 private:
  void check(CheckResult result, std::string text) { layer_.checks.push_back({result, std::move(text)}); }
  void remark(std::string text) { layer_.remarks.push_back(std::move(text)); }

  [[nodiscard]] const Slice& signed_octets() const {
    return finding_.canonical ? *canonical_ : input_.content;
  }

  // ---- The content

  /// The signed message-digest needs no certificate to be compared.
  void check_digest(const cms::SignerDescription& signer) {
    if (!signer.message_digest || !signer.hash) return;
    const auto is_over = [&](const Slice& octets) {
      const auto value = digest(*signer.hash, octets);
      return value && *value == *signer.message_digest;
    };
    if (is_over(input_.content)) {
      check(CheckResult::Held, "the content is the one that was signed: its digest is the signed one");
    } else if (canonical_ && is_over(*canonical_)) {
      signed_in_canonical_form();
      check(CheckResult::Held, "the content's CRLF form is what was signed: its digest is the signed one");
    } else {
      check(CheckResult::Failed, explain_other_digest(signer));
    }
  }

  void signed_in_canonical_form() {
    finding_.canonical = true;
    remark(
        "the signature is over the content with CRLF line ends, but other line ends came: the sender signs "
        "the canonical form "
        "and sends what it has, or something on the way changed them. Signet accepts this; others may not");
  }

  [[nodiscard]] std::string explain_other_digest(const cms::SignerDescription& signer) const {
    const auto actual = digest(*signer.hash, input_.content);
    const std::string text =
        fmt::format("another content was signed: the signed digest is {}, this content's is {}",
                    base64(*signer.message_digest), actual ? base64(*actual) : "not to be had");
    std::vector<MicBase> bases = {{"content", "the signed part with its MIME headers", "", input_.content}};
    if (const auto entity = mime::read_entity(input_.content))
      bases.push_back({"body", "the signed part without its MIME headers", "", entity->body});
    const auto variants = mic_variants(bases);
    const auto match = variants ? find_mic(*variants, *signer.message_digest) : std::nullopt;
    if (!match)
      return text +
             ". No change of line ends explains it: the content was altered after signing, or the signature "
             "belongs to "
             "another message";
    return fmt::format(
        "{}. What was signed is {}, {}: line ends or headers were changed between signing and here", text,
        match->variant->covers, to_string(match->variant->line_ends));
  }

  // ---- The signer

  void check_signer() {
    if (!material_.signers.empty()) return check_agreed_signer();
    if (material_.signers_agreed)
      check(CheckResult::Failed, "the agreement has no active certificate that this could be verified with");
    const auto found = find_signer();
    if (found) return report_found(*found);
    if (material_.signers_agreed) return;
    const bool somebody = !named_certificates().empty();
    check(somebody ? CheckResult::Failed : CheckResult::NotChecked, nobody_signed());
  }

  void check_agreed_signer() {
    const std::vector<Certificate> agreed = plain(material_.signers);
    auto outcome = trial_.against(agreed, material_.verify, signed_octets());
    if (outcome.verdict == Verdict::OtherContent && canonical_ && !finding_.canonical) {
      // Without signed attributes only a verification tells which form was signed.
      auto canonical = trial_.against(agreed, material_.verify, *canonical_);
      if (canonical.verdict == Verdict::Holds) {
        signed_in_canonical_form();
        outcome = std::move(canonical);
      }
    }
    if (outcome.verdict == Verdict::Holds)
      return check(CheckResult::Held, fmt::format("signed with {} '{}': {}; {}", agreed_word(),
                                                  name_of(*outcome.signer, material_.signers),
                                                  describe_certificate(*outcome.signer), outcome.algorithm));
    check(CheckResult::Failed,
          fmt::format("the signature is not one that the agreement accepts: {}", outcome.detail));
    if (const auto found = find_signer())
      explain_found(*found);
    else
      remark(nobody_signed());
  }

  [[nodiscard]] std::string agreed_word() const {
    return material_.signers_agreed ? "the agreement's certificate" : "the account's certificate";
  }

  enum class Origin { Agreed, Known, Carried };
  struct Found {
    Origin origin;
    std::string name;
    Certificate certificate;
    Verdict verdict;
    std::string algorithm;
  };

  /// The certificate that signed, wherever it is, by every algorithm that Signet can verify.
  [[nodiscard]] std::optional<Found> find_signer() {
    for (const NamedCertificate& each : material_.signers)
      if (auto found = try_one(Origin::Agreed, each.name, each.certificate)) return found;
    for (const NamedCertificate& each : material_.known)
      if (auto found = try_one(Origin::Known, each.name, each.certificate)) return found;
    for (const Certificate& each : description_.certificates)
      if (auto found = try_one(Origin::Carried, "", each)) return found;
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Found> try_one(Origin origin, const std::string& name,
                                             const Certificate& certificate) {
    if (!answers(certificate)) return std::nullopt;
    const std::vector<Certificate> one = {certificate};
    auto outcome = trial_.against(one, lenient_policy(), signed_octets());
    if (outcome.verdict == Verdict::OtherContent && canonical_ && !finding_.canonical) {
      auto canonical = trial_.against(one, lenient_policy(), *canonical_);
      if (canonical.verdict == Verdict::Holds) {
        signed_in_canonical_form();
        outcome = std::move(canonical);
      }
    }
    if (outcome.verdict == Verdict::Not) {
      last_objection_ = outcome.detail;
      return std::nullopt;
    }
    return Found{origin, name, certificate, outcome.verdict, outcome.algorithm};
  }

  [[nodiscard]] bool answers(const Certificate& certificate) const {
    return std::any_of(
        description_.signers.begin(), description_.signers.end(),
        [&](const cms::SignerDescription& signer) { return cms::is_named(certificate, signer.party); });
  }

  [[nodiscard]] std::vector<std::string> named_certificates() const {
    std::vector<std::string> names;
    for (const auto* list : {&material_.signers, &material_.known})
      for (const NamedCertificate& each : *list)
        if (answers(each.certificate)) names.push_back("'" + each.name + "'");
    for (const Certificate& each : description_.certificates)
      if (answers(each)) names.push_back("the one that it carries");
    return names;
  }

  /// Nobody in particular was expected.
  void report_found(const Found& found) {
    const bool whole = found.verdict == Verdict::Holds;
    if (found.origin != Origin::Carried && !material_.signers_agreed)
      return check(
          whole ? CheckResult::Held : CheckResult::Failed,
          fmt::format("signed with the account's certificate '{}': {}{}", found.name,
                      describe_certificate(found.certificate), whole ? "" : "; but over another content"));
    if (found.origin != Origin::Carried) return explain_found(found);
    check(whole ? CheckResult::Held : CheckResult::Failed,
          fmt::format("signed with the certificate that the message itself carries: {}{}. That shows {}; "
                      "whether it is the "
                      "partner's certificate, nothing here says",
                      describe_certificate(found.certificate), whole ? "" : "; but over another content",
                      whole ? "that nothing was changed since" : "that the content was changed since"));
  }

  /// Somebody else signed, or in a way that is not allowed.
  void explain_found(const Found& found) {
    const std::string over = found.verdict == Verdict::OtherContent ? ", over another content" : "";
    switch (found.origin) {
      case Origin::Agreed:
        if (found.verdict == Verdict::Holds)
          return remark(fmt::format(
              "it is signed with the agreement's certificate '{}' ({}), in a way that the agreement does not "
              "allow: use a stronger algorithm, or state an exception",
              found.name, found.algorithm));
        return remark(fmt::format(
            "the signature itself is by the agreement's certificate '{}', over another content", found.name));
      case Origin::Known:
        return remark(fmt::format(
            "it was signed{} with the account's certificate '{}' ({}), which the agreement does not name "
            "for this; it names {}. Name it in the agreement if the partner has changed to it",
            over, found.name, describe_certificate(found.certificate), names_of(material_.signers)));
      case Origin::Carried:
        return remark(fmt::format(
            "it was signed{} with the certificate that it carries, which is not in the account: {}{}. If "
            "the partner confirms its thumbprint by another way, add it and name it in the agreement",
            over, describe_certificate(found.certificate), renewal_of(found.certificate)));
    }
  }

  [[nodiscard]] std::string renewal_of(const Certificate& certificate) const {
    for (const auto* list : {&material_.signers, &material_.known})
      for (const NamedCertificate& each : *list)
        if (each.certificate.has_public_key(certificate.public_key()))
          return fmt::format(" (it has the same key as '{}': that one's renewal)", each.name);
    return "";
  }

  [[nodiscard]] std::string nobody_signed() const {
    const auto names = named_certificates();
    const std::string party = cms::to_string(description_.signers.front().party);
    if (!names.empty())
      return fmt::format("{} answers to the signer's name ({}), but did not make this signature: {}",
                         join(names), party, last_objection_);
    return fmt::format(
        "the signature can be verified only with the certificate of {}; neither the message carries it nor "
        "{}",
        party,
        material_.signers.empty() && material_.known.empty() ? "was an account given"
                                                             : "is it in the account");
  }

  const cms::CmsDescription& description_;
  const SignatureInput& input_;
  const InspectMaterial& material_;
  ExplainedLayer& layer_;
  SignatureTrial trial_;
  std::optional<Slice> canonical_;  ///< only where it differs
  SignatureFinding finding_;
  std::string last_objection_;
};

}  // namespace

std::string describe_certificate(const Certificate& certificate) {
  return fmt::format("{} (issuer {}, serial {}, valid until {}, SHA-256 {})",
                     printable(certificate.subject()), printable(certificate.issuer()), certificate.serial(),
                     to_rfc3339(certificate.not_after()).substr(0, 10), certificate.thumbprint_sha256());
}

Result<Slice> canonical_octets(const Slice& octets, const SpoolArea& spool) {
  const auto canonical = std::make_shared<Spool>(spool);
  SliceSource source(octets);
  mime::CanonicalLineEnds filter(source);
  SIGNET_CHECK(copy(filter, *canonical));
  return Spool::finish(canonical);
}

void describe_signature(const cms::CmsDescription& description, const InspectMaterial& material,
                        ExplainedLayer& layer) {
  layer.facts.push_back(
      {"encoding", description.indefinite_length ? "BER, indefinite lengths" : "definite lengths"});
  layer.facts.push_back({"content", description.detached
                                        ? "elsewhere (detached)"
                                        : fmt::format("inside, {} octets", description.content_size)});
  for (const cms::SignerDescription& signer : description.signers)
    layer.facts.push_back(signer_fact(signer, description, material));
  for (const Certificate& certificate : description.certificates)
    layer.facts.push_back({"carries certificate", describe_certificate(certificate)});
  if (description.certificate_count == 0) layer.facts.push_back({"carries certificate", "none"});
  if (description.certificate_count > description.certificates.size())
    layer.remarks.push_back(fmt::format(
        "{} of the {} certificates that it carries are not shown: not X.509, unreadable, or too many",
        description.certificate_count - description.certificates.size(), description.certificate_count));
  if (description.crl_count > 0)
    layer.facts.push_back({"carries CRLs", std::to_string(description.crl_count)});
  if (description.signer_count > 1)
    layer.remarks.push_back(fmt::format("{} SignerInfos, where AS2 has one", description.signer_count));
  for (const cms::SignerDescription& signer : description.signers) {
    if (signer.hash == Hash::Md5 || signer.hash == Hash::Sha1)
      layer.remarks.push_back(fmt::format(
          "signed with {}, which is {}", to_string(*signer.hash),
          signer.hash == Hash::Md5 ? "broken and never accepted" : "weak: accepted only by an exception"));
    if (signer.readable && !signer.has_signed_attributes)
      layer.remarks.emplace_back(
          "signed without attributes, as IBM Sterling does: allowed, and there is no signing time");
  }
}

SignatureFinding check_signature(const cms::CmsDescription& description, const SignatureInput& input,
                                 const InspectMaterial& material, const SpoolArea& spool,
                                 ExplainedLayer& layer) {
  return SignatureInspection(description, input, material, spool, layer).run();
}

}  // namespace signet::as2
