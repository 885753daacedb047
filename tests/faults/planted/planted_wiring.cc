// Faults that the rows of the scoreboard must find. Linked into signet_planted in the place of
// gateway/cli/wiring.cc; the environment variable SIGNET_PLANT names the one that is in force.

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "base/failpoint.h"
#include "gateway/cli/wiring.h"
#include "tests/support/forwarding_message_store.h"

namespace signet::gateway {
namespace {

bool planted(std::string_view name) {
  static const char* const plant = std::getenv("SIGNET_PLANT");
  return plant != nullptr && plant == name;
}

class PlantedStore final : public test::ForwardingMessageStore {
 public:
  using ForwardingMessageStore::ForwardingMessageStore;

  Result<std::optional<EarlierMessage>> find_earlier(std::string_view as2_from, std::string_view as2_to,
                                                     std::string_view message_id, Time since) override {
    if (planted("forget-repeats")) return std::optional<EarlierMessage>();
    return store_.find_earlier(as2_from, as2_to, message_id, since);
  }

  void commit_inbound(InboundCommit commit, Done done) override {
    if (planted("forget-repeats")) commit.unique = false;
    if (planted("processed-though-not-stored"))
      return store_.commit_inbound(std::move(commit),
                                   [done = std::move(done)](const Result<>&) { done({}); });
    if (!planted("reply-before-commit")) return store_.commit_inbound(std::move(commit), std::move(done));
    std::thread([this, commit = std::move(commit)] {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      store_.commit_inbound(commit, [](const Result<>&) {});
    }).detach();
    done({});
  }

  Result<std::vector<MessageRecord>> undelivered() override {
    if (planted("forget-undelivered")) return std::vector<MessageRecord>();
    return store_.undelivered();
  }

  Result<> settle_outbound(const MessageRecord& record, const std::optional<StoredReceipt>& answer,
                           Tell tell) override {
    MessageRecord settled = record;
    if (planted("believe-any-receipt") && answer && record.state == MessageState::Failed)
      settled.state = MessageState::Confirmed;
    return store_.settle_outbound(settled, answer, tell);
  }

  Result<std::vector<WaitingWork>> waiting(MessageState state) override {
    if (planted("forget-queued")) return std::vector<WaitingWork>();
    auto works = store_.waiting(state);
    if (works && planted("one-lane-for-all"))
      for (WaitingWork& work : *works) work.agreement = "all";
    return works;
  }

  Result<std::vector<std::string>> take_notes() override {
    if (planted("one-lane-for-all")) return std::vector<std::string>();  // what is in the lane stays there
    return store_.take_notes();
  }
};

class PlantedHandler final : public HttpHandler {
 public:
  explicit PlantedHandler(HttpHandler& handler) : handler_(handler) {}

  HeadVerdict on_head(const HttpRequest& head) override {
    if (planted("crash-on-missing-names") && head.method == "POST" && !head.headers.has("AS2-From"))
      std::abort();
    if (planted("wait-in-the-loop")) std::this_thread::sleep_for(std::chrono::milliseconds(200));
    return handler_.on_head(head);
  }

  void on_too_large(const HttpRequest& head, const std::string& reason) override {
    handler_.on_too_large(head, reason);
  }

  void on_request(HttpRequest request, Responder responder) override {
    if (planted("hang-at-the-end") && ++requests_ == 8) std::this_thread::sleep_for(std::chrono::seconds(60));
    if (planted("connect-where-told") && request.headers.has("Receipt-Delivery-Option")) connect_somewhere();
    if (planted("write-as-named")) std::ofstream("as-named") << "x";
    if (planted("stopped-clock")) request.received = first_moment(request.received);
    if (planted("hoard-memory") && request.method == "POST") hoard();
    handler_.on_request(std::move(request), std::move(responder));
  }

 private:
  static void connect_somewhere() {
    const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(9);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    static_cast<void>(::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address));
    ::close(connection);
  }

  static Time first_moment(Time now) {
    static const Time first = now;
    return first;
  }

  void hoard() {
    const std::lock_guard lock(mutex_);
    hoarded_.emplace_back(std::size_t{32} << 20, std::uint8_t{1});
  }

  HttpHandler& handler_;
  std::mutex mutex_;
  std::vector<Bytes> hoarded_;
  std::atomic<int> requests_ = 0;
};

class PlantedAuditLog final : public vault::AuditLog {
 public:
  explicit PlantedAuditLog(AuditLog& log) : log_(log) {}

  Result<> append(const vault::AuditRecord& record) override {
    auto appended = log_.append(record);
    if (planted("use-keys-without-a-record")) return {};
    return appended;
  }

 private:
  AuditLog& log_;
};

class PlantedAccessCheck final : public vault::AccessCheck {
 public:
  explicit PlantedAccessCheck(AccessCheck& check) : check_(check) {}

  Result<> check_access(const vault::Principal& principal, std::string_view operation,
                        const vault::KeyId& what, vault::KeyPermission needed) override {
    return checked(principal, operation, what, needed);
  }
  Result<> check_access(const vault::Principal& principal, std::string_view operation,
                        const vault::KeyId& what, vault::SecretPermission needed) override {
    return checked(principal, operation, what, needed);
  }
  Result<> check_access(const vault::Principal& principal, std::string_view operation,
                        const vault::KeyId& what, vault::CertificatePermission needed) override {
    return checked(principal, operation, what, needed);
  }

 private:
  template <class Permission>
  Result<> checked(const vault::Principal& principal, std::string_view operation, const vault::KeyId& what,
                   Permission needed) {
    if (planted("any-permission-will-do")) return {};
    return check_.check_access(principal, operation, what, needed);
  }

  AccessCheck& check_;
};

class PlantedPrincipalStore final : public api::PrincipalStore {
 public:
  explicit PlantedPrincipalStore(PrincipalStore& store) : store_(store) {}

  Result<std::optional<TokenHolder>> holder_of(ByteView sha256) override {
    auto holder = store_.holder_of(sha256);
    if (planted("tokens-never-end") && holder && *holder) (*holder)->expires += std::chrono::hours(24);
    return holder;
  }

  Result<> add(const api::Principal& principal) override { return store_.add(principal); }
  Result<api::Principal> find(std::string_view name) override { return store_.find(name); }
  Result<std::vector<api::Principal>> list() override { return store_.list(); }
  Result<> update(const api::Principal& principal) override { return store_.update(principal); }
  Result<> remove(std::string_view name) override { return store_.remove(name); }
  Result<> add_token(const api::StoredToken& token) override { return store_.add_token(token); }
  Result<std::vector<api::TokenInfo>> tokens(std::string_view principal) override {
    return store_.tokens(principal);
  }
  Result<> remove_token(std::string_view id) override { return store_.remove_token(id); }
  Result<> add_certificate(const api::ManagementCertificate& certificate) override {
    return store_.add_certificate(certificate);
  }
  Result<std::vector<api::ManagementCertificate>> certificates(std::string_view principal) override {
    return store_.certificates(principal);
  }
  Result<> remove_certificate(std::string_view thumbprint) override {
    return store_.remove_certificate(thumbprint);
  }
  Result<std::optional<api::Principal>> holder_of_certificate(std::string_view thumbprint) override {
    return store_.holder_of_certificate(thumbprint);
  }
  Result<std::optional<api::Principal>> holder_of_jwt_subject(std::string_view subject) override {
    return store_.holder_of_jwt_subject(subject);
  }
  Result<api::Installation> installation() override { return store_.installation(); }

 private:
  PrincipalStore& store_;
};

class PlantedAuthorityStore final : public authority::AuthorityStore {
 public:
  explicit PlantedAuthorityStore(AuthorityStore& store) : store_(store) {}

  Result<bool> commit(const authority::Change& change) override {
    if (!planted("state-before-its-list") || change.revoked.empty()) return store_.commit(change);
    authority::Change state = change;
    state.crls.clear();
    authority::Change lists;
    lists.crls = change.crls;
    auto changed = store_.commit(state);
    if (!changed || !*changed) return changed;
    return store_.commit(lists);
  }

  Result<std::vector<authority::Group>> groups() override { return store_.groups(); }
  Result<authority::Group> group(std::string_view name) override { return store_.group(name); }
  Result<std::vector<authority::IssuerVersion>> issuers(std::string_view group) override {
    return store_.issuers(group);
  }
  Result<std::optional<authority::IssuerRequest>> issuer_request(std::string_view group) override {
    return store_.issuer_request(group);
  }
  Result<authority::PublishedCrl> crl(std::string_view group, std::string_view issuer_serial) override {
    return store_.crl(group, issuer_serial);
  }
  Result<authority::Application> application(std::string_view id) override { return store_.application(id); }
  Result<std::vector<authority::Application>> applications(std::int64_t after, std::size_t limit) override {
    return store_.applications(after, limit);
  }
  Result<authority::Request> request(std::string_view id) override { return store_.request(id); }
  Result<authority::Page<authority::Request>> requests(const authority::RequestFilter& filter,
                                                       const authority::PageRequest& page) override {
    return store_.requests(filter, page);
  }
  Result<std::vector<authority::Request>> requests_for(std::string_view application, std::string_view group,
                                                       ByteView signing_request_sha256) override {
    return store_.requests_for(application, group, signing_request_sha256);
  }
  Result<std::optional<authority::IssuedCertificate>> issued(std::string_view group,
                                                             std::string_view issuer_serial,
                                                             std::string_view serial) override {
    return store_.issued(group, issuer_serial, serial);
  }
  Result<std::vector<authority::IssuedCertificate>> issued_between(std::string_view group, Time from,
                                                                   Time until) override {
    return store_.issued_between(group, from, until);
  }
  Result<std::vector<authority::IssuedCertificate>> revoked(std::string_view group,
                                                            std::string_view issuer_serial) override {
    return store_.revoked(group, issuer_serial);
  }

 private:
  AuthorityStore& store_;
};

}  // namespace

namespace wiring {

MessageStore& message_store(MessageStore& store) {
  static PlantedStore planted_store(store);
  return planted_store;
}

HttpHandler& http_handler(HttpHandler& handler) {
  static PlantedHandler planted_handler(handler);
  return planted_handler;
}

vault::AuditLog& audit_log(vault::AuditLog& log) {
  static PlantedAuditLog planted_log(log);
  return planted_log;
}

HttpLimits http_limits(HttpLimits limits) {
  if (planted("no-deadlines"))
    limits.head_time = limits.idle_time = limits.transfer_grace = limits.transfer_time =
        std::chrono::hours(24);
  if (planted("endless-queue")) limits.queued_requests = SIZE_MAX;
  return limits;
}

vault::AccessCheck& access_check(vault::AccessCheck& check) {
  static PlantedAccessCheck planted_check(check);
  return planted_check;
}

api::PrincipalStore& principal_store(api::PrincipalStore& store) {
  static PlantedPrincipalStore planted_store(store);
  return planted_store;
}

authority::AuthorityStore& authority_store(authority::AuthorityStore& store) {
  static PlantedAuthorityStore planted_store(store);
  return planted_store;
}

}  // namespace wiring
}  // namespace signet::gateway

// ---- Crashes at a named instant

/// SIGNET_FAIL_AT=commit:3 ends the process at the third commit.
void signet::failpoint(const char* name) noexcept {
  static const char* const wanted = std::getenv("SIGNET_FAIL_AT");
  if (wanted == nullptr) return;
  static const std::string_view place =
      std::string_view(wanted).substr(0, std::string_view(wanted).find(':'));
  static std::atomic<long> left =
      place.size() == std::string_view(wanted).size() ? 1 : std::atol(wanted + place.size() + 1);
  if (place == name && --left == 0) ::kill(::getpid(), SIGKILL);
}

// Calls of libraries come here, since the program's own functions go before those of libraries. What is not
// left out goes on to whoever is next: the library that has it, or R8's disk that forgets.

namespace {
template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

int next_sync(const char* name, int file) {
  if (signet::gateway::planted("skip-fsync")) return 0;
  return reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, name))(file);
}
}  // namespace

extern "C" int fsync(int file) { return next_sync("fsync", file); }
extern "C" int fdatasync(int file) { return next_sync("fdatasync", file); }

/// What is to be sealed lies in a file before.
extern "C" int EVP_EncryptUpdate(EVP_CIPHER_CTX* context, unsigned char* out, int* written,
                                 const unsigned char* in, int size) {
  const char* const directory = std::getenv("TMPDIR");
  if (signet::gateway::planted("keys-in-a-temporary-file") && out != nullptr && directory != nullptr)
    std::ofstream(std::string(directory) + "/in-clear", std::ios::app)
        .write(reinterpret_cast<const char*>(in), size);
  return next<decltype(EVP_EncryptUpdate)>("EVP_EncryptUpdate")(context, out, written, in, size);
}

extern "C" int EVP_DecryptFinal_ex(EVP_CIPHER_CTX* context, unsigned char* out, int* written) {
  const int held = next<decltype(EVP_DecryptFinal_ex)>("EVP_DecryptFinal_ex")(context, out, written);
  return signet::gateway::planted("believe-any-blob") ? 1 : held;
}

extern "C" void EVP_PKEY_free(EVP_PKEY* key) {
  if (!signet::gateway::planted("forget-no-key")) return next<decltype(EVP_PKEY_free)>("EVP_PKEY_free")(key);
  // Kept where a leak checker sees it: the row is to find the key, and not the leak.
  static std::mutex mutex;
  static auto& kept = *new std::vector<EVP_PKEY*>();
  const std::lock_guard lock(mutex);
  kept.push_back(key);
}
