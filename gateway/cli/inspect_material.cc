#include "gateway/cli/inspect_material.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agreements/certificate_roles.h"
#include "as2/name.h"
#include "gateway/cli/message_text.h"

namespace signet::gateway {
namespace {

using agreements::CertificateRole;
using agreements::ResolvedAgreement;

struct Names {
  std::string from;
  std::string to;
};

std::optional<Names> names_of(const as2::mime::Headers& headers) {
  const auto from = as2::As2Name::parse(headers.value("AS2-From").value_or(""));
  const auto to = as2::As2Name::parse(headers.value("AS2-To").value_or(""));
  if (!from || !to) return std::nullopt;
  return Names{from->text(), to->text()};
}

struct FoundAgreement {
  const ResolvedAgreement* agreement = nullptr;
  CaptureOrigin origin = CaptureOrigin::Unknown;
};

FoundAgreement find_by_names(const agreements::AgreementDirectory& directory, const Names& names,
                             bool is_receipt) {
  if (is_receipt) {
    // A receipt goes the other way than the message that it answers.
    if (const auto* found = directory.find_outbound(names.to, names.from))
      return {found, CaptureOrigin::GuestReceipt};
    if (const auto* found = directory.find_inbound(names.to, names.from))
      return {found, CaptureOrigin::OwnReceipt};
    return {};
  }
  if (const auto* found = directory.find_inbound(names.from, names.to))
    return {found, CaptureOrigin::GuestMessage};
  if (const auto* found = directory.find_outbound(names.from, names.to))
    return {found, CaptureOrigin::OwnMessage};
  return {};
}

/// Which way a message of an agreement named by the operator goes: as its header says, else from the guest.
CaptureOrigin origin_under(const ResolvedAgreement& agreement, const std::optional<Names>& names,
                           bool is_receipt) {
  const bool from_us = names && (names->from == agreement.send_from || names->to == agreement.send_to);
  if (is_receipt) return from_us ? CaptureOrigin::OwnReceipt : CaptureOrigin::GuestReceipt;
  return from_us ? CaptureOrigin::OwnMessage : CaptureOrigin::GuestMessage;
}

Result<FoundAgreement> find_agreement(const agreements::AgreementDirectory& directory,
                                      const as2::Capture& capture, bool is_receipt, const std::string& name) {
  const auto names = names_of(capture.headers);
  if (name.empty()) return names ? find_by_names(directory, *names, is_receipt) : FoundAgreement{};
  const auto* found = directory.by_name(name);
  if (found == nullptr) return fail(ErrorKind::NotFound, fmt::format("no agreement is named '{}'", name));
  return FoundAgreement{found, origin_under(*found, names, is_receipt)};
}

CertificateRole signing_role(CaptureOrigin origin) {
  switch (origin) {
    case CaptureOrigin::OwnMessage:
      return CertificateRole::SignMessage;
    case CaptureOrigin::GuestReceipt:
      return CertificateRole::VerifyMdn;
    case CaptureOrigin::OwnReceipt:
      return CertificateRole::SignMdn;
    case CaptureOrigin::GuestMessage:
    case CaptureOrigin::Unknown:
      break;
  }
  return CertificateRole::VerifyMessage;
}

std::string_view word(CaptureOrigin origin) {
  switch (origin) {
    case CaptureOrigin::GuestMessage:
      return "a partner's message to us";
    case CaptureOrigin::OwnMessage:
      return "our message to a partner";
    case CaptureOrigin::GuestReceipt:
      return "a partner's receipt for a message of ours";
    case CaptureOrigin::OwnReceipt:
      return "our receipt for a partner's message";
    case CaptureOrigin::Unknown:
      return "unknown";
  }
  return "unknown";
}

/// Puts the material for one capture together.
class Collector {
 public:
  Collector(const AccountSnapshot& account, std::vector<certstore::StoredCertificate> stored,
            const MaterialRequest& request)
      : account_(account), stored_(std::move(stored)), request_(request) {
    found_.layer = {"agreement", "agreement", {}, {}, {}};
  }

  Result<CaptureMaterial> under(const ResolvedAgreement& agreement, CaptureOrigin origin) {
    found_.origin = origin;
    found_.material.signers_agreed = true;
    fact("name", agreement.agreement.name);
    fact("this is", std::string(word(origin)));
    SIGNET_CHECK(take_policies(agreement));
    const auto signers =
        agreements::active_certificates(agreement.agreement, signing_role(origin), request_.at);
    for (const std::string& name : signers) take_signer(name);
    fact("signed with one of", list(signers));
    if (origin == CaptureOrigin::GuestMessage) {
      const auto own =
          agreements::active_certificates(agreement.agreement, CertificateRole::Decrypt, request_.at);
      for (const std::string& name : own) take_key(name);
      fact("decrypts with", list(own));
    }
    take_known();
    return std::move(found_);
  }

  /// Everything of ours may be tried where nothing says which.
  CaptureMaterial without_agreement() {
    found_.layer.title = "no agreement";
    found_.layer.remarks.emplace_back(
        "AS2-From and AS2-To belong to no agreement of this account, in neither direction (they are "
        "compared with regard to case and spaces); --agreement names one to hold it against");
    for (const certstore::StoredCertificate& each : stored_)
      if (each.is_private()) take_key(each.name);
    take_known();
    return std::move(found_);
  }

 private:
  void fact(std::string name, std::string value) {
    found_.layer.facts.push_back({std::move(name), std::move(value)});
  }

  static std::string list(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += fmt::format("{}'{}'", text.empty() ? "" : ", ", name);
    return text.empty() ? "none that is active" : text;
  }

  /// The direction whose exceptions and limits count: ours to receive for what comes in and our receipts for
  /// it.
  Result<> take_policies(const ResolvedAgreement& agreement) {
    const bool receiving =
        found_.origin == CaptureOrigin::GuestMessage || found_.origin == CaptureOrigin::OwnReceipt;
    if (receiving) {
      SIGNET_TRY(ReceiveSettings settings,
                 receive_settings(agreement, account_, request_.at, request_.spool));
      found_.material.verify = std::move(settings.open.verify);
      found_.material.decrypt = std::move(settings.open.decrypt);
      found_.material.decompress = settings.open.decompress;
      found_.compressed_mic = settings.compressed_mic;
      found_.default_mic_hash = settings.default_mic_hash;
      return {};
    }
    SIGNET_TRY(const as2::MessageId any_id, as2::MessageId::parse("<inspect@localhost>"));
    SIGNET_TRY(as2::ReceiptExpectation expectation,
               receipt_expectation(agreement, account_, any_id, as2::Mic{}, request_.at, request_.spool));
    found_.material.verify = std::move(expectation.verify);
    const auto& sending = agreement.agreement.send_agreement;
    found_.compressed_mic = sending.mic.compressed_unsigned == agreements::MicCoverage::ContentOnly
                                ? as2::CompressedMic::ContentOnly
                                : as2::CompressedMic::WithHeaders;
    found_.default_mic_hash = to_hash(sending.mdn_settings.mic_hashing_algorithm);
    return {};
  }

  void take_signer(const std::string& name) {
    auto certificate = account_.certificate(name);
    if (!certificate) return found_.layer.remarks.push_back(certificate.error().detail);
    remark_on_validity(name, *certificate);
    found_.material.signers.push_back({name, *std::move(certificate)});
  }

  void take_key(const std::string& name) {
    for (auto& own : account_.decrypting_certificates(name)) {
      if (own)
        found_.material.decryption.push_back({name, *std::move(own)});
      else
        found_.layer.checks.push_back(
            {as2::CheckResult::NotChecked,
             fmt::format("our certificate '{}' cannot decrypt: {}", name, own.error().detail)});
    }
  }

  void remark_on_validity(const std::string& name, const certstore::Certificate& certificate) {
    if (certificate.valid_at(request_.at)) return;
    found_.layer.remarks.push_back(fmt::format("certificate '{}' is valid from {} to {}, not at {}", name,
                                               to_rfc3339(certificate.not_before()),
                                               to_rfc3339(certificate.not_after()), to_rfc3339(request_.at)));
  }

  void take_known() {
    for (certstore::StoredCertificate& each : stored_) {
      const bool signs =
          std::any_of(found_.material.signers.begin(), found_.material.signers.end(),
                      [&](const as2::NamedCertificate& signer) { return signer.name == each.name; });
      if (!signs) found_.material.known.push_back({each.name, each.certificate});
    }
  }

  const AccountSnapshot& account_;
  std::vector<certstore::StoredCertificate> stored_;
  const MaterialRequest& request_;
  CaptureMaterial found_;
};

as2::ExplainedLayer verdict_layer(as2::Check check) {
  return {"verdict", "what the gateway makes of it", {}, {}, {std::move(check)}};
}

}  // namespace

Result<CaptureMaterial> find_material(Home& home, const as2::Capture& capture, const as2::Explanation& first,
                                      const MaterialRequest& request) {
  SIGNET_TRY(const auto account, home.current_account());
  SIGNET_TRY(const FoundAgreement found,
             find_agreement(account->directory(), capture, first.receipt.has_value(), request.agreement));
  SIGNET_TRY(auto stored, home.certificates().list());
  Collector collector(*account, std::move(stored), request);
  if (found.agreement == nullptr) return collector.without_agreement();
  return collector.under(*found.agreement, found.origin);
}

Result<std::optional<as2::ExplainedLayer>> gateway_verdict(Home& home, const as2::Capture& capture,
                                                           const as2::Explanation& first,
                                                           const MaterialRequest& request) {
  SIGNET_TRY(const auto account, home.current_account());
  SIGNET_TRY(const FoundAgreement found,
             find_agreement(account->directory(), capture, first.receipt.has_value(), request.agreement));
  if (found.origin != CaptureOrigin::GuestMessage) return std::nullopt;
  SIGNET_TRY(const ReceiveSettings settings,
             receive_settings(*found.agreement, *account, request.at, request.spool));

  std::vector<as2::Layer> layers;
  const auto refused = [](const as2::Refusal& refusal) {
    return verdict_layer(
        {as2::CheckResult::Failed, fmt::format("refused, and the partner is told '{}': {}",
                                               as2::disposition_for(refusal.fault), refusal.cause.detail)});
  };
  const auto opened = as2::open(capture.headers, capture.body, settings.open, layers);
  if (!opened) return refused(opened.error());
  const auto accepted = as2::judge(*opened, settings.requirements, request.spool);
  if (!accepted) return refused(accepted.error());
  if (opened->signer && !opened->signer->certificate().valid_at(request.at))
    return verdict_layer(
        {as2::CheckResult::Failed,
         fmt::format("refused: the signer's certificate is not valid at {}", to_rfc3339(request.at))});
  return verdict_layer({as2::CheckResult::Held, fmt::format("accepted: {}", as2::to_string(layers))});
}

Result<std::vector<MessageRecord>> find_records(Home& home, const as2::Capture& capture,
                                                const as2::Explanation& explained, CaptureOrigin origin) {
  std::optional<as2::MessageId> id;
  if (explained.receipt) {
    id = explained.receipt->original_message_id;
  } else if (auto parsed = as2::MessageId::parse(capture.headers.value("Message-ID").value_or(""))) {
    id = *std::move(parsed);
  }
  if (!id) return std::vector<MessageRecord>();
  MessageFilter filter;
  filter.limit = 10;
  if (origin == CaptureOrigin::GuestReceipt || origin == CaptureOrigin::OwnMessage)
    filter.direction = Direction::Outbound;
  if (origin == CaptureOrigin::OwnReceipt || origin == CaptureOrigin::GuestMessage)
    filter.direction = Direction::Inbound;
  // Ids are the same with and without their brackets, and the store keeps them as they came.
  for (const std::string& spelling : {id->text(), std::string(id->bare()), fmt::format("<{}>", id->bare())}) {
    filter.message_id = spelling;
    SIGNET_TRY(auto records, home.store().list(filter));
    if (!records.empty()) return records;
  }
  return std::vector<MessageRecord>();
}

}  // namespace signet::gateway
