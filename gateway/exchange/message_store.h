#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/stream.h"
#include "gateway/exchange/certificate_exchange_store.h"

/// What the exchange must keep, and how sure it must be of it. gateway/store implements it.

namespace signet::gateway {

enum class Direction { Inbound, Outbound };

/// Where a message is on its way. The states are the queues: whatever is not settled is found again after a
/// crash.
enum class MessageState {
  Received,         ///< inbound: on disk as it came, and answered; not opened yet. Its receipt goes out later
  Accepted,         ///< inbound: verified, stored, receipt stored; not yet handed over
  Delivered,        ///< inbound: handed over to the business
  Refused,          ///< inbound: turned down; nothing of it was handed over
  Queued,           ///< outbound: composed and stored; waits for its first or its next attempt
  Sending,          ///< outbound: a process other than the gateway makes an attempt, for as long as it lives
  AwaitingReceipt,  ///< outbound: the partner took it; its asynchronous receipt may come until `due`
  Confirmed,  ///< outbound: a receipt that proves delivery was verified (or none is agreed, and the partner
              ///< answered 2xx)
  Failed,     ///< outbound: the partner, its receipt or the way there says no, for good
  Cancelled,  ///< outbound: ended by an operator
};

/// Whether a message is settled: nothing but an operator changes it any more.
[[nodiscard]] constexpr bool is_open(MessageState state) {
  return state == MessageState::Queued || state == MessageState::Sending ||
         state == MessageState::AwaitingReceipt;
}

/// The words of people, the command line and the database: "inbound", "awaiting-receipt".
std::string_view to_string(Direction direction);
std::string_view to_string(MessageState state);
/// In any case. @error InvalidInput  another word; names those that there are.
Result<Direction> parse_direction(std::string_view word);
Result<MessageState> parse_state(std::string_view word);

/// A stored answer: what went, or would go, over the wire again for a repeat.
struct StoredReceipt {
  int http_status = 200;
  std::vector<std::pair<std::string, std::string>>
      headers;   ///< in their order, Content-Length not among them
  Bytes body;    ///< empty when no receipt was asked for
  Bytes signer;  ///< DER of the certificate that it is signed with; given to the store, and not given back
};

/// An answer that is no receipt: a sentence for people, and the id by which our log tells more.
StoredReceipt plain_answer(int http_status, std::string_view text, std::string_view request_id);

/// A stored answer as one document: its header fields, an empty line, its body.
Bytes to_octets(const StoredReceipt& receipt);

/// A message as it travels: its header fields in their order, and its body, octet for octet.
struct WireCopy {
  std::vector<std::pair<std::string, std::string>> headers;
  Slice body;
};

/// "Name: value" CRLF for each header field, and the empty line: what stands before the body on the wire.
std::string head_octets(const std::vector<std::pair<std::string, std::string>>& headers);

/// Which copies of a message stay when its journey needs them no more: what the agreement's switches
/// (enableNRRFor...) say. See docs/evidence.md.
struct KeptCopies {
  bool wire = true;     ///< as it travelled
  bool payload = true;  ///< decrypted and verified, or as given; with its Proof
  bool receipt = true;  ///< sent or received

  static constexpr KeptCopies none() { return {false, false, false}; }
  [[nodiscard]] constexpr bool any() const { return wire || payload || receipt; }
};

/// What a message's MIC is over, and its sender's signature over the same octets: both can be verified
/// without any key of ours.
struct Proof {
  Slice content;    ///< octet for octet, MIME headers and all
  Bytes signature;  ///< CMS SignedData, DER, detached; empty for a message of ours or an unsigned one
};

/// Whether `whole` ends with the octets of `end`. @error IoFailure  one of them could not be read.
Result<bool> ends_with(const Slice& whole, const Slice& end);

/// What is kept of a message beside its copies, so that others can verify it later.
struct Evidence {
  std::optional<Proof> proof;       ///< kept with the payload, or not at all
  std::vector<Bytes> certificates;  ///< DER: that it was signed with and encrypted for
};

/// One message's record, without its bodies.
struct MessageRecord {
  std::string id;  ///< ours: 32 hexadecimal digits, safe as a file name
  Direction direction = Direction::Inbound;
  MessageState state = MessageState::Refused;
  std::string agreement;  ///< empty when none was found
  std::string as2_from;
  std::string as2_to;
  std::string message_id;  ///< as on the wire, brackets and all
  std::string subject;
  Time created{};               ///< received, or submitted
  std::optional<Time> settled;  ///< delivered, confirmed, refused or failed
  std::string request_id;       ///< joins the record, the log and the HTTP answer
  std::string remote_address;   ///< inbound: the peer; outbound: the URL
  std::string content_type;     ///< of the payload
  std::string file_name;        ///< as the partner sent it: metadata, never a path
  std::uint64_t payload_size = 0;
  std::string mic;                   ///< base64; empty when none could be computed
  std::string mic_algorithm;         ///< "sha-256"
  std::string disposition;           ///< of the receipt: sent (inbound) or received (outbound)
  std::string signer_thumbprint;     ///< SHA-256 of the certificate that the message's signature was verified
                                     ///< (inbound) or made with
  std::string recipient_thumbprint;  ///< of the one that it was encrypted for
  std::string receipt_signer_thumbprint;  ///< of the one that the receipt was made (inbound) or verified with
  std::string
      security;  ///< the layers met or made, for people: "encrypted aes256-cbc (rsa), signed sha-256 (rsa)"
  std::string reason;                ///< why it was refused or failed, for the operator
  std::string revocation_unchecked;  ///< why a certificate of it was used without the look into revocation
                                     ///< lists that is agreed on; empty: there was one, or none is agreed on
  std::string delivered_to;    ///< where the payload (inbound) or the receipt (outbound) was handed over
  std::uint32_t attempts = 0;  ///< outbound: how often it was posted since it was last queued
  std::optional<Time>
      queued;  ///< outbound: when it was queued last, from where on its attempts may take so long
  std::optional<Time>
      due;  ///< outbound, while open: the next attempt, or the end of waiting (see MessageState)
  std::string receipt_url;  ///< where the receipt is posted to, inbound by us, outbound by the partner;
                            ///< empty: in the answer
  bool hands_receipt_over = false;  ///< outbound: its receipt came, and is for the business as well
  KeptCopies keeps;
};

/// Whether something of a message is to be handed over: what was accepted, or the receipt for what was sent.
[[nodiscard]] inline bool waits_for_hand_over(const MessageRecord& record) {
  if (record.direction == Direction::Inbound) return record.state == MessageState::Accepted;
  return record.hands_receipt_over && record.delivered_to.empty();
}

/// An inbound message's outcome, to be made durable in one transaction.
struct InboundCommit {
  MessageRecord record;  ///< Accepted, Refused, or Delivered where nothing is to be handed over. One whose id
                         ///< is Received already is settled by this
  Slice payload;         ///< empty for a refused message
  StoredReceipt receipt;
  bool unique = false;           ///< claim (AS2-From, AS2-To, Message-ID) for this message
  std::optional<WireCopy> wire;  ///< where it is to be kept, and commit_received() has not stored it already
  Evidence evidence;
  Time receipt_queued{};  ///< when a receipt with a URL becomes due for posting
  /// What an accepted message announces; what is known already stays as it is.
  std::vector<CertificateExchangeRecord> announced;
  /// What it answers; what was answered before stays as it is.
  std::vector<ExchangeAnswer> answers;
  std::string features;  ///< EDIINT-Features of an accepted and signed message; empty: none
};

/// A message of ours, to be made durable before its first octet leaves.
struct OutboundCommit {
  MessageRecord record;  ///< Queued or Sending
  Slice payload;         ///< as given
  WireCopy wire;         ///< what will go over the wire, the same on every attempt
  Evidence evidence;
};

/// An inbound message that came before under the same names.
struct EarlierMessage {
  std::string id;
  MessageState state = MessageState::Accepted;  ///< Received, Accepted or Delivered
  /// What it was, or will be, answered with. None of a Received one yet, nor once retention let go of it.
  std::optional<StoredReceipt> receipt;
  std::string receipt_url;
};

/// The posting of an asynchronous receipt of ours.
struct ReceiptPost {
  std::string id;  ///< of the message that it is for
  std::string agreement;
  std::string url;
  std::uint32_t attempts = 0;    ///< since it was queued last
  Time queued{};                 ///< last, from where on its attempts may take so long
  std::optional<Time> due;       ///< the next attempt; absent when there is to be none any more
  std::optional<Time> posted;    ///< when the partner took it last
  std::optional<Time> given_up;  ///< when its attempts ended in vain; absent once it is queued again
  std::string reason;            ///< why the last attempt failed
};

/// Something that waits for its moment, and whose turn it is.
struct WaitingWork {
  std::string id;
  std::string agreement;
  Time due{};
  Time since{};  ///< when it was queued
};

/// How many messages are in one state under one agreement.
struct MessageCount {
  Direction direction = Direction::Inbound;
  MessageState state = MessageState::Refused;
  std::string agreement;  ///< empty where none was found
  std::uint64_t count = 0;
  Time oldest{};                 ///< when the first of them was created
  std::optional<Time> next_due;  ///< the earliest MessageRecord::due of them

  friend bool operator==(const MessageCount&, const MessageCount&) = default;
};

/// Which records to list; empty fields match everything.
struct MessageFilter {
  std::optional<Direction> direction;
  std::optional<MessageState> state;
  std::string agreement;
  std::string message_id;
  std::optional<Time> since;  ///< created at this moment or later
  std::optional<Time> until;  ///< created before it
  std::size_t limit = 100;    ///< newest first
};

/// Durable means: on disk, synced, and still there after the power fails. Thread-safe.
///
/// Copies that their record does not keep go with the change that ends the need for them: a payload with its
/// hand-over, what goes over the wire and its answer when the message is settled. A receipt of ours stays for
/// repeats; see EvidenceStore::expire().
class MessageStore {
 public:
  /// Hears that something is durable, or why not and that nothing of it is. Called on another thread, which
  /// must not be held up, and which must not call the store's writing members.
  using Done = std::function<void(Result<>)>;

  /// Who has to be told of something that is queued: the caller's own queues know already; a gateway that
  /// serves this home as another process finds a note.
  enum class Tell { Nobody, Gateway };

  virtual ~MessageStore() = default;

  // ---- Inbound

  /// The newest inbound message that was received or accepted under these names since `since`; nothing if
  /// there is none. A Message-ID with and without its angle brackets is the same one.
  virtual Result<std::optional<EarlierMessage>> find_earlier(std::string_view as2_from,
                                                             std::string_view as2_to,
                                                             std::string_view message_id, Time since) = 0;

  /// Makes a message durable as it came, before it is opened (state Received).
  ///
  /// @error AlreadyExists  with `unique`: the names are claimed by another message; nothing was stored.
  virtual void commit_received(const MessageRecord& record, const WireCopy& wire, bool unique, Done done) = 0;

  /// Makes an inbound message's outcome, its payload and its receipt durable, in one transaction: all or
  /// nothing. A receipt with a URL becomes due for posting as the commit says. A refused message's names are
  /// free again.
  ///
  /// @error AlreadyExists  with `unique`: the names are claimed by another message; nothing was stored.
  virtual void commit_inbound(InboundCommit commit, Done done) = 0;
  /// The same, and returns when it is durable.
  Result<> commit_inbound(InboundCommit commit);
  /// The same, for a receipt with a URL that is due at once.
  Result<> commit_inbound(const MessageRecord& record, const Slice& payload, const StoredReceipt& receipt,
                          bool unique);

  /// The messages that wait for a hand-over, oldest first: what a start after a crash has to do.
  virtual Result<std::vector<MessageRecord>> undelivered() = 0;
  /// Writes down that a message was handed over.
  ///
  /// @error InvalidInput  the message has nothing to hand over.  @error NotFound
  virtual void mark_delivered(std::string_view id, std::string_view where, Time when, Done done) = 0;
  /// The same, and returns when it is durable.
  Result<> mark_delivered(std::string_view id, std::string_view where, Time when);

  // ---- Receipts of ours that are posted

  virtual Result<std::vector<WaitingWork>> waiting_receipts() = 0;
  /// @error NotFound  the message has no receipt that is posted.
  virtual Result<ReceiptPost> receipt_post(std::string_view id) = 0;
  /// Writes down what became of an attempt; the end of all attempts is evidence.
  virtual Result<> update_receipt_post(const ReceiptPost& post) = 0;
  /// Queues a receipt to be posted once more, with all its attempts before it.
  ///
  /// @error Unsupported  the message has no receipt that is posted, or it is not kept any more.
  /// @error NotFound
  virtual Result<> queue_receipt_again(std::string_view id, Time due, Tell tell) = 0;

  // ---- Outbound

  virtual Result<> commit_outbound(const OutboundCommit& commit, Tell tell) = 0;
  /// Writes down what became of an open message (state, due, attempts, disposition, reason, settled, receipt
  /// signer, whether the receipt is to be handed over), with what the partner answered, if he did. The
  /// gateway is told of a receipt to hand over in any case, and otherwise of a message that is still open.
  ///
  /// @error AlreadyExists  it is settled; a later answer changes nothing.  @error NotFound
  virtual Result<> settle_outbound(const MessageRecord& record, const std::optional<StoredReceipt>& answer,
                                   Tell tell) = 0;
  /// Ends an open message (Cancelled). @error AlreadyExists  it is settled.  @error NotFound
  virtual Result<> cancel_outbound(std::string_view id, std::string_view reason, Time when) = 0;
  /// Queues a failed or cancelled message again: the same octets under the same Message-ID, with all its
  /// attempts before it.
  ///
  /// @error AlreadyExists  it is open, confirmed or inbound.  @error Unsupported  its octets are not kept any
  /// more.  @error NotFound
  virtual Result<> queue_again(std::string_view id, Time due, Tell tell) = 0;
  /// Keeps a receipt that changes nothing: it came when the message was settled, or proves not to be the
  /// partner's.
  ///
  /// @error LimitExceeded  so many are on record for the message that no more are kept: whoever knows a
  /// Message-ID can post them.
  virtual Result<> keep_late_receipt(std::string_view id, const StoredReceipt& receipt,
                                     std::string_view verdict, Time when) = 0;
  /// An outbound message by the names in its receipt; a Message-ID with and without its angle brackets is the
  /// same one.
  ///
  /// @error NotFound
  virtual Result<MessageRecord> find_outbound(std::string_view as2_from, std::string_view as2_to,
                                              std::string_view message_id) = 0;

  /// All messages in one of the open states, or Received ones, the earliest due first.
  virtual Result<std::vector<WaitingWork>> waiting(MessageState state) = 0;
  /// The messages that other processes left a note about, or died over while they sent them (this makes them
  /// Queued), each once; the notes go. One about an inbound
  /// message is about its receipt, which is to be posted.
  virtual Result<std::vector<std::string>> take_notes() = 0;

  // ---- Looking

  virtual Result<std::vector<MessageRecord>> list(const MessageFilter& filter) = 0;
  /// By our id, its first 8 digits or more, or a Message-ID. @error NotFound  @error InvalidInput  several
  /// messages have it.
  virtual Result<MessageRecord> find(std::string_view id_or_message_id) = 0;
  /// @error NotFound  also when it is not kept (any more).
  virtual Result<Slice> payload(std::string_view id) = 0;
  /// The message as it came or goes. @error NotFound  it is not kept.
  virtual Result<WireCopy> wire(std::string_view id) = 0;
  /// The receipt sent (inbound) or the answer received (outbound). @error NotFound
  virtual Result<StoredReceipt> receipt(std::string_view id) = 0;
};

}  // namespace signet::gateway
