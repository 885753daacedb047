#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "as2/cem/certificate_exchange.h"
#include "as2/disposition.h"
#include "as2/fault.h"
#include "as2/open.h"
#include "as2/receipt.h"
#include "gateway/exchange/agreement_settings.h"
#include "gateway/exchange/decryption_throttle.h"
#include "gateway/exchange/inbound.h"
#include "gateway/exchange/inbound_claims_internal.h"
#include "gateway/exchange/receipt_terms_internal.h"

/// Internal to the inbound journey: what happens to one message, step by step.

namespace signet::gateway {

/// How a message's way ends: what its sender hears, and what has to be durable before he does.
struct Outcome {
  StoredReceipt answer;
  std::optional<InboundCommit> commit;
};

/// The key under which repeats of a message wait for each other; `id` is null when its Message-ID is none.
std::string message_key(const MessageRecord& record, const as2::MessageId* id);

/// One message on its way in. Each public member function is a step; InboundExchange has their order.
class Journey {
 public:
  /// A message that has just come.
  Journey(InboundPorts& ports, const InboundOptions& options, DecryptionThrottle& failures,
          InboundRequest request);
  /// A message that was taken, and answered, before.
  Journey(InboundPorts& ports, const InboundOptions& options, DecryptionThrottle& failures,
          InboundRequest request, MessageRecord record);

  /// Headers to agreement. @returns an outcome when the way ends here.
  std::optional<Outcome> identify();

  /// As identify(), for a message whose body nobody has read: its way ends here in any case, with a record.
  Outcome turn_away_unread(const std::string& reason);

  /// The key under which repeats of this message wait for each other.
  [[nodiscard]] std::string key() const;
  [[nodiscard]] const std::string& id() const { return record_.id; }
  [[nodiscard]] const std::string& agreement() const { return record_.agreement; }
  /// Whether the receipt goes out by itself, so that the answer need not wait for it.
  [[nodiscard]] bool answers_first() const { return !record_.receipt_url.empty(); }

  /// A repeat gets the stored receipt again, or, where the agreement hands it over again, one that warns of
  /// that.
  /// @returns an outcome when the way ends here.
  std::optional<Outcome> admit();

  /// How long a message from there is not to be opened, since too many did not decrypt; nothing: it is.
  [[nodiscard]] std::optional<std::chrono::seconds> held_back_for() const;
  /// The answer then. Nothing was taken on, and nothing is kept, or a flood would fill the store.
  [[nodiscard]] StoredReceipt try_again_in(std::chrono::seconds wait) const;

  /// How long the outcome is to be kept back, so that its moment tells no more than its words do; zero: not
  /// at all.
  [[nodiscard]] std::chrono::nanoseconds pause_before_outcome() const;

  /// Whether an earlier request brought this message, and it is safe and in work: a repeat need not wait for
  /// that.
  [[nodiscard]] bool is_in_work() const;

  /// The message as it came, to be made durable before it is opened.
  [[nodiscard]] MessageRecord received() const;
  [[nodiscard]] WireCopy wire() const;
  /// The answer that the first of the repeats got, if the agreement's days were not lengthened since it went.
  [[nodiscard]] StoredReceipt answer_again(const EarlierMessage& earlier) const;
  /// "Taken, and more is to come": the answer to a message whose receipt is posted [RFC4130 4.2].
  static StoredReceipt taken_answer() { return {204, {}, {}}; }

  /// Why a message that was answered before cannot be opened or judged yet: a key or a list is missing. Empty
  /// for any other trouble.
  [[nodiscard]] const std::string& waits_for() const { return waits_for_; }

  /// Open, judge, and make the receipt: how it ends, once that is on disk.
  Outcome take();

  /// What happens once the outcome is durable.
  void committed() const;

  /// Whether the names are claimed by another message: another process was first, or the earlier one lies
  /// before the look-back, after which an id may be used again.
  [[nodiscard]] bool claims_names() const { return suspends_repeats(); }

  [[nodiscard]] Outcome try_again_later() const;

  /// Nothing was taken on: the partner may, and should, try again.
  [[nodiscard]] Outcome unavailable(const Error& error) const;

 private:
  /// Whether the request proves what the agreement demands of it. A message that was taken before had done so
  /// then.
  std::optional<Outcome> authenticate();

  /// The verdict over the message, with the record filled in on the way.
  as2::Step<as2::AcceptedContent> accept();

  /// Where the receipt is to go: into the answer, or to a URL that the agreement allows.
  void choose_receipts_way();

  /// What has to be right before any work is done for the message.
  as2::Step<> check_request() const;

  as2::Step<as2::Opened> open();

  /// Notes and counts a refusal for which a key of ours was used in vain.
  void note_failure(const as2::Refusal& refusal);

  as2::Step<> compute_mic(const as2::Opened& opened);

  /// What shows later, without any key of ours, what was signed and by whom.
  void take_evidence(const as2::Opened& opened);

  /// An expired certificate proves nothing any more, whoever has its key by now.
  as2::Step<> check_signer(const as2::Opened& opened) const;

  /// Whether its signer's certificate was revoked, where the agreement wants that looked up.
  as2::Step<> check_revocation(const as2::Opened& opened);

  /// A receipt that comes as a request of its own is nobody's payload. After judge(), so that it tells
  /// nothing to whoever probes ciphertexts.
  as2::Step<> check_not_receipt(const as2::Opened& opened);

  /// What announces certificates, or answers, is for nobody to be handed over to, and is believed for its
  /// signature alone.
  as2::Step<> take_exchange(const as2::Opened& opened, const as2::AcceptedContent& content);
  as2::Step<> take_request(const as2::cem::Request& request);
  as2::Step<> take_response(const as2::cem::Response& response);

  /// The answer that goes out once it is stored: a receipt, or what stands for it where none is wanted.
  Result<StoredReceipt> make_answer(const as2::Step<as2::AcceptedContent>& content);

  [[nodiscard]] as2::Disposition disposition_of(const as2::Step<as2::AcceptedContent>& content) const;

  Result<StoredReceipt> make_receipt(const as2::Disposition& disposition, bool sign);

  [[nodiscard]] StoredReceipt as_http(as2::Receipt receipt) const;

  /// The version that the agreement has us speak.
  [[nodiscard]] std::string as2_version() const;

  Outcome conclude(const as2::Step<as2::AcceptedContent>& content, StoredReceipt answer);

  Outcome committing(StoredReceipt answer, bool unique);

  void report() const;

  /// SHA-256 of the TLS client certificate; empty for none.
  [[nodiscard]] std::string certificate_shown() const;

  /// Whether it is our disk or our vault that failed, and not the message. A receipt would be final, and
  /// blame the partner.
  static bool is_ours(const as2::Refusal& refusal);

  Outcome not_now(const Error& cause);

  Outcome turn_away(const NotForUs& why);

  Outcome answer_stranger();

  Outcome commit_refusal(std::string reason, StoredReceipt answer);

  [[nodiscard]] const agreements::ValidationSettings& validation() const;

  [[nodiscard]] bool recognises_repeats() const;
  [[nodiscard]] bool suspends_repeats() const;

  /// Whether a signature of the partner's has proved who sent this.
  [[nodiscard]] bool proven() const { return !record_.signer_thumbprint.empty(); }

  [[nodiscard]] bool wants_receipt() const;

  InboundPorts& ports_;
  const InboundOptions& options_;
  DecryptionThrottle& failures_;
  const InboundRequest request_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  const bool was_received_ = false;  ///< and answered, before: what is left is to open it
  Claims claims_;
  std::optional<ReceiptTerms> terms_;  ///< with agreement_
  std::shared_ptr<const AccountSnapshot> account_;
  const agreements::ResolvedAgreement* agreement_ = nullptr;
  ReceiveSettings settings_;
  std::optional<as2::Mic> mic_;
  Evidence evidence_;
  bool is_receipt_ = false;   ///< what came
  bool is_exchange_ = false;  ///< likewise
  std::vector<CertificateExchangeRecord> announced_;
  std::vector<ExchangeAnswer> answers_;
  bool has_receipt_ = false;  ///< what goes out
  std::string waits_for_;
  bool key_was_in_vain_ = false;
  bool ours_failed_ = false;  ///< a disk or a vault of ours, so that the answer is 503
  MessageRecord record_;
};

}  // namespace signet::gateway
