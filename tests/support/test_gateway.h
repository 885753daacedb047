#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agreements/model.h"
#include "base/clock.h"
#include "gateway/cli/home.h"
#include "gateway/delivery/delivery_queue.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/endpoint/http_server.h"
#include "gateway/exchange/as2_handler.h"
#include "gateway/exchange/inbound.h"
#include "gateway/exchange/outbound.h"
#include "gateway/exchange/outbox.h"
#include "gateway/exchange/posted_receipts.h"
#include "gateway/exchange/receipt_poster.h"
#include "tests/support/forwarding_message_store.h"
#include "tests/support/test_certificates.h"

/// Whole gateways for tests, wired as `signet serve` and `signet send` wire them, in this process, on free
/// ports of the loopback, each with a home of its own. What a test needs and cannot have throws, which fails
/// the test.

namespace signet::test {

using agreements::Account;
using agreements::Agreement;
using agreements::OneWayAgreement;
using gateway::HttpAnswer;
using gateway::HttpPost;
using gateway::MessageRecord;
using gateway::MessageState;

/// The value, or an exception that says what went wrong.
template <class T>
T need(Result<T> result, std::string_view what = "a test's set-up") {
  if (!result) throw std::runtime_error(std::string(what) + ": " + result.error().detail);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

/// A directory below testing::TempDir() that goes away with its owner.
class TestDirectory {
 public:
  TestDirectory();
  ~TestDirectory();
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The machine's clock, until a test says what time it is.
class TestClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override;
  void set(std::optional<Time> time);

 private:
  mutable std::mutex mutex_;
  std::optional<Time> time_;
};

/// The home's store with a place to hook in: failures on demand, and somebody to wait for what happens to
/// messages.
class TapStore final : public ForwardingMessageStore {
 public:
  using ForwardingMessageStore::ForwardingMessageStore;

  /// Asked at the beginning of each commit of an inbound message; an error keeps it from happening. Set
  /// before traffic.
  std::function<Result<>()> before_commit;
  /// Asked once such a commit is on disk; an error is what the exchange hears then.
  std::function<Result<>()> after_commit;
  /// Keeps what it has called until its own end, as a store may for a while. Set before traffic.
  bool keeps_called = false;

  /// Blocks until `holds()`, which is asked after each change of a message. @returns false after `patience`.
  bool wait(const std::function<bool()>& holds, std::chrono::seconds patience = std::chrono::seconds(60));

  void commit_received(const Record& record, const gateway::WireCopy& wire, bool unique, Done done) override;
  void commit_inbound(gateway::InboundCommit commit, Done done) override;
  using MessageStore::commit_inbound;
  void mark_delivered(std::string_view id, std::string_view where, Time when, Done done) override {
    store_.mark_delivered(id, where, when, [this, done = std::move(done)](Result<> outcome) {
      outcome = told(std::move(outcome));
      done(std::move(outcome));  // last: whoever hears it may end this store
    });
  }
  Result<> update_receipt_post(const gateway::ReceiptPost& post) override {
    return told(store_.update_receipt_post(post));
  }
  Result<> settle_outbound(const Record& record, const std::optional<Receipt>& answer, Tell tell) override {
    return told(store_.settle_outbound(record, answer, tell));
  }
  Result<> cancel_outbound(std::string_view id, std::string_view reason, Time when) override {
    return told(store_.cancel_outbound(id, reason, when));
  }

 private:
  /// Wakes those who wait.
  Result<> told(Result<> outcome);
  Done wrapped(Done done);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Done> called_;
};

/// A message as it would be posted: to be altered, repeated, sent elsewhere.
struct WireMessage {
  std::string url;
  as2::mime::Headers headers;
  Slice body;
  gateway::TlsTrust trust;

  [[nodiscard]] HttpPost to_post() const;
  [[nodiscard]] std::string message_id() const {
    return std::string(headers.value("Message-ID").value_or(""));
  }
};

struct TestGatewayOptions {
  std::string name = "Acme";  ///< the partner's name in the account
  std::string as2_name;       ///< empty: the partner's name
  gateway::StrangerAnswer stranger_answer = gateway::StrangerAnswer::UnsignedMdn;
  std::uint64_t body_limit = std::uint64_t{1} << 30;
  std::string tls_certificate;  ///< name of a private certificate of the account; adds an HTTPS listener
  gateway::ClientCertificates client_certificates =
      gateway::ClientCertificates::NotAsked;  ///< of the HTTPS listener
  bool hands_over =
      true;  ///< false: payloads stay undelivered, as after a crash between commit and hand-over
  unsigned workers = 2;
  unsigned decryption_failures = gateway::kDecryptionFailures;
  gateway::HttpLimits http_limits = {};
  bool sends = true;  ///< false: what is queued stays so, as in a home that no gateway serves
};

/// One company's gateway.
class TestGateway {
 public:
  explicit TestGateway(TestGatewayOptions options = {});
  ~TestGateway();
  TestGateway(const TestGateway&) = delete;
  TestGateway& operator=(const TestGateway&) = delete;

  // ---- Setting up. The home is open from construction on, unless close() was called.

  TestGatewayOptions options;  ///< heeded by the next start()
  /// Where certificates are looked up; likewise. Outlives the gateway.
  gateway::RevocationCheck* revocation = &gateway::NoRevocationLists::instance();
  TestClock clock;  ///< what both journeys go by; keys and audit records go by the machine's
  [[nodiscard]] gateway::Home& home() { return *home_; }
  [[nodiscard]] const std::filesystem::path& directory() const { return home_directory_; }

  /// A key in the vault and its certificate, both called `name`, as an entry of the account. The private half
  /// is not kept anywhere else.
  agreements::CertificateEntry add_key(const std::string& name, const CertificateSpec& spec);
  /// The same for a certificate and key that exist.
  agreements::CertificateEntry add_key(const std::string& name, const certstore::PrivateCertificate& own);
  /// Replaces the whole account.
  void apply(const Account& account);
  [[nodiscard]] Account account();
  /// What the gateway's principal may do with the vault's keys, e.g. "sign,get,list".
  void set_key_permissions(std::string_view words);
  /// A secret of the vault, in a new version.
  void set_secret(const std::string& name, std::string_view value,
                  const vault::SecretSettings& settings = {});

  // ---- Running

  /// Listens on free ports and hands over what was left undelivered.
  void start();
  /// Ends the service and leaves the home open.
  void stop();
  /// As the end of the process: the service and the home are gone. start() opens the home anew.
  void close();
  void restart() { close(), start(); }

  [[nodiscard]] const std::string& as2_name() const {
    return options.as2_name.empty() ? options.name : options.as2_name;
  }
  [[nodiscard]] bool is_running() const { return service_ != nullptr; }
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::uint16_t tls_port() const;
  [[nodiscard]] std::string url() const;          ///< http://127.0.0.1:<port>/as2
  [[nodiscard]] std::string receipt_url() const;  ///< http://127.0.0.1:<port>/as2/receipts
  [[nodiscard]] std::string tls_url() const;      ///< https://localhost:<port>/as2
  [[nodiscard]] TapStore& store() { return *store_; }

  // ---- Sending

  /// Sends under an agreement, as `signet send` does.
  Result<MessageRecord> send(const std::string& agreement, Slice payload,
                             const std::string& file_name = "order.edi");
  Result<MessageRecord> send(const std::string& agreement, std::string_view payload) {
    return send(agreement, Slice::of(payload));
  }
  /// Queues under an agreement for this gateway's outbox.
  Result<MessageRecord> submit(const std::string& agreement, Slice payload,
                               const std::string& file_name = "order.edi");
  Result<MessageRecord> submit(const std::string& agreement, std::string_view payload) {
    return submit(agreement, Slice::of(payload));
  }
  /// Makes the message that send() would post, and posts nothing.
  WireMessage compose(const std::string& agreement, Slice payload,
                      const std::string& file_name = "order.edi");
  WireMessage compose(const std::string& agreement, std::string_view payload) {
    return compose(agreement, Slice::of(payload));
  }

  // ---- Looking at what happened

  [[nodiscard]] std::vector<MessageRecord> messages(const gateway::MessageFilter& filter = {});
  /// The only record with this Message-ID.
  [[nodiscard]] MessageRecord message(std::string_view message_id);
  /// The record of an accepted message once it was handed over.
  MessageRecord wait_delivered(std::string_view message_id);
  /// The record once `holds` of it.
  MessageRecord wait_for(std::string_view id_or_message_id,
                         const std::function<bool(const MessageRecord&)>& holds);
  MessageRecord wait_for_state(std::string_view id_or_message_id, MessageState state) {
    return wait_for(id_or_message_id, [state](const MessageRecord& record) { return record.state == state; });
  }
  /// Ends the hand-over's thread after its work; nothing is handed over any more until the next start().
  void drain();
  /// The agreements whose partners the outbox only probes.
  [[nodiscard]] std::vector<std::string> unreachable() const;
  /// The payload files, without sidecars, that lie in an agreement's delivery folder, by name.
  [[nodiscard]] std::vector<std::filesystem::path> delivered(const std::string& agreement) const;
  /// The audit log's lines, oldest first, once its chain was verified.
  [[nodiscard]] std::vector<std::string> audit_lines() const;

 private:
  struct Service;
  class Handler;
  void open();
  Result<gateway::DeliveryTarget> delivery_folder(std::string_view agreement);
  gateway::OutboundExchange outbound(std::function<Result<HttpAnswer>(const HttpPost&)> post);

  TestDirectory directory_;
  std::filesystem::path home_directory_;
  std::unique_ptr<gateway::Home> home_;
  std::unique_ptr<TapStore> store_;
  std::unique_ptr<Service> service_;
  gateway::HttpClient client_;
};

/// Two running gateways that trade under an agreement called "trade", with RSA or EC keys of their own:
/// signed, encrypted, signed receipts, as agreements have it by default, unless terms say otherwise.
class TradingPair {
 public:
  explicit TradingPair(TestGatewayOptions acme_options = {.name = "Acme"},
                       TestGatewayOptions globex_options = {.name = "Globex"});

  TestGateway acme;
  TestGateway globex;

  /// Both directions' terms, for what Acme sends to Globex: its sendAgreement and Globex's receiveAgreement.
  /// The other direction keeps the defaults.
  using Terms = std::function<void(OneWayAgreement& send, OneWayAgreement& receive)>;
  /// Applies fresh accounts. `key` is "rsa:2048" or "ec:P-256" (P-384, P-521): keys are made once for each.
  void agree(const Terms& terms = {}, const std::string& key = "rsa:2048");
  /// The accounts that agree() would apply, to be changed and applied by the test.
  std::pair<Account, Account> accounts(const Terms& terms = {}, const std::string& key = "rsa:2048");

  /// Sends from Acme to Globex.
  Result<MessageRecord> send(std::string_view payload) { return acme.send("trade", payload); }
  /// The message that send() would post.
  WireMessage compose(std::string_view payload) { return acme.compose("trade", payload); }

  /// A company's certificate for a kind of key, its private half in the company's vault.
  agreements::CertificateEntry certificate(TestGateway& owner, const std::string& key);

 private:
  std::map<std::pair<const TestGateway*, std::string>, agreements::CertificateEntry> certificates_;
};

// ---- Messages on the wire

/// Posts once, on a connection of its own.
Result<HttpAnswer> post(const WireMessage& message);
/// Posts and gives the answer's status, headers and whole body.
HttpAnswer answer_to(const WireMessage& message);
/// The octets of a request as a client would send them: request line, Host, headers, Content-Length, body.
std::string raw_request(const WireMessage& message);
/// Writes octets to a port of the loopback and reads until the server closes or the answer is complete.
std::string post_raw(std::uint16_t port, std::string_view octets);
/// "HTTP/1.1 200 ..." -> 200; 0 for no answer.
int status_of(std::string_view raw_answer);
std::string text_of(const Slice& body);
/// The value of a field anywhere in a text of fields, such as "Disposition" in a receipt; empty for none.
std::string field_in(std::string_view text, std::string_view name);
/// Of the receipt in an answer.
std::string disposition_of(const HttpAnswer& answer);
/// `size` octets that do not compress, the same for the same seed.
Bytes noise(std::size_t size, std::uint32_t seed = 1);

}  // namespace signet::test
