#include "tests/support/test_gateway.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "certstore/vault/provider.h"
#include "gateway/store/audit_file.h"

namespace signet::test {
namespace {

using namespace gateway;

/// Once in a process: what main() does for the command.
void prepare_process() {
  static const bool prepared = [] {
    // Tests refuse messages on purpose; SIGNET_TEST_LOG=1 shows what the operator would read.
    log::set_level(std::getenv("SIGNET_TEST_LOG") != nullptr ? log::Level::Debug : log::Level::Error);
    static_cast<void>(enable_secure_heap(std::size_t{4} << 20));
    need(vault::self_check());
    return true;
  }();
  static_cast<void>(prepared);
}

/// Refuses to post, and keeps what it was to post.
constexpr std::string_view kNotPosted = "composed by a test, not posted";

}  // namespace

// ---- Parts

TestDirectory::TestDirectory() {
  std::string pattern = (std::filesystem::path(testing::TempDir()) / "signet-gateway-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory " + pattern);
  path_ = pattern;
}

TestDirectory::~TestDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Time TestClock::now() const {
  const std::lock_guard lock(mutex_);
  return time_ ? *time_ : SystemClock().now();
}

void TestClock::set(std::optional<Time> time) {
  const std::lock_guard lock(mutex_);
  time_ = time;
}

bool TapStore::wait(const std::function<bool()>& holds, std::chrono::seconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, holds);
}

Result<> TapStore::told(Result<> outcome) {
  {
    const std::lock_guard lock(mutex_);  // a waiter is either before its look or asleep, never between
  }
  changed_.notify_all();
  return outcome;
}

MessageStore::Done TapStore::wrapped(Done done) {
  return [this, done = std::move(done)](Result<> stored) {
    if (stored && after_commit) stored = after_commit();
    static_cast<void>(told({}));
    if (keeps_called) {
      const std::lock_guard lock(mutex_);
      called_.push_back(done);
    }
    done(std::move(stored));  // last: whoever hears it may end this store
  };
}

void TapStore::commit_received(const MessageRecord& record, const WireCopy& wire, bool unique, Done done) {
  if (before_commit)
    if (auto allowed = before_commit(); !allowed) return done(allowed);
  store_.commit_received(record, wire, unique, wrapped(std::move(done)));
}

void TapStore::commit_inbound(InboundCommit commit, Done done) {
  if (before_commit)
    if (auto allowed = before_commit(); !allowed) return done(allowed);
  store_.commit_inbound(std::move(commit), wrapped(std::move(done)));
}

// ---- The gateway

/// The AS2 handler, with the test's clock for the time of receipt.
class TestGateway::Handler final : public HttpHandler {
 public:
  Handler(InboundExchange& exchange, PostedReceipts& receipts, CurrentAccount account,
          RevocationCheck& revocation, As2HandlerOptions options, const Clock& clock)
      : handler_(exchange, receipts, std::move(account), revocation, std::move(options)), clock_(clock) {}
  HeadVerdict on_head(const HttpRequest& head) override { return handler_.on_head(head); }
  void on_too_large(const HttpRequest& head, const std::string& reason) override {
    handler_.on_too_large(head, reason);
  }
  void on_request(HttpRequest request, Responder responder) override {
    request.received = clock_.now();
    handler_.on_request(std::move(request), std::move(responder));
  }

 private:
  As2Handler handler_;
  const Clock& clock_;
};

/// What lives from start() to stop(), in the order in which it has to go.
struct TestGateway::Service {
  std::unique_ptr<HttpClient> client;
  std::unique_ptr<DeliveryQueue> delivery;
  std::unique_ptr<ReceiptPoster> receipt_poster;
  std::unique_ptr<OutboundExchange> outbound;
  std::unique_ptr<Outbox> outbox;
  std::unique_ptr<PostedReceipts> posted_receipts;
  std::unique_ptr<InboundExchange> exchange;
  std::unique_ptr<Handler> handler;
  std::unique_ptr<HttpServer> server;
};

TestGateway::TestGateway(TestGatewayOptions given)
    : options(std::move(given)), home_directory_(directory_.path() / "home") {
  prepare_process();
  need(Home::initialise(home_directory_, {}), "making a home");
  open();
}

TestGateway::~TestGateway() { close(); }

void TestGateway::open() {
  home_ = need(Home::open(home_directory_), "opening a home");
  store_ = std::make_unique<TapStore>(home_->store());
}

agreements::CertificateEntry TestGateway::add_key(const std::string& name, const CertificateSpec& spec) {
  return add_key(name, make_certificate(spec));
}

agreements::CertificateEntry TestGateway::add_key(const std::string& name,
                                                  const certstore::PrivateCertificate& own) {
  const auto imported = need(vault::read_key_file(as_bytes(private_key_pem(own.key)), std::nullopt));
  need(home_->vault().import_key(vault::Principal::local_operator(), kDefaultVault, name, imported.key, {}));
  return {name, own.certificate.der(), agreements::KeyReference{std::string(kDefaultVault), name, ""}, {}};
}

void TestGateway::apply(const Account& account) {
  const auto stored = need(home_->accounts().load());
  need(home_->accounts().replace(account, stored.generation), "applying an account");
}

Account TestGateway::account() { return need(home_->accounts().load()).account; }

void TestGateway::set_key_permissions(std::string_view words) {
  need(home_->vault().set_policy(
      vault::Principal::local_operator(),
      {std::string(kDefaultVault), vault::Principal::gateway(), need(vault::parse_key_permissions(words))}));
}

void TestGateway::set_secret(const std::string& name, std::string_view value,
                             const vault::SecretSettings& settings) {
  need(home_->vault().set_secret(vault::Principal::local_operator(), kDefaultVault, name,
                                 SecretBytes::copy_of(value), settings));
}

Result<DeliveryTarget> TestGateway::delivery_folder(std::string_view agreement) {
  const auto folder = home_->delivery_directory() / agreement;
  std::filesystem::create_directories(folder);
  return folder;
}

void TestGateway::start() {
  if (!home_) open();
  service_ = std::make_unique<Service>();
  const CurrentAccount account = [this] { return home_->current_account(); };
  service_->client = std::make_unique<HttpClient>(home_->spool_area());
  const auto post = [client = service_->client.get()](const HttpPost& request) {
    return client->post(request);
  };
  service_->delivery = std::make_unique<DeliveryQueue>(DeliveryPorts{
      *store_, clock, [this](std::string_view agreement) { return delivery_folder(agreement); }, post});
  const bool hands_over = options.hands_over;
  if (hands_over) need(service_->delivery->recover());
  const auto hand_over = [delivery = service_->delivery.get(), hands_over](const std::string& id,
                                                                           const std::string& agreement) {
    if (hands_over) delivery->enqueue(id, agreement);
  };
  const LaneSettings lanes{.threads = 16, .window = 4};
  service_->receipt_poster = std::make_unique<ReceiptPoster>(
      ReceiptPoster::Ports{account, *store_, clock, post, "Signet", NoObserver::instance(),
                           [] { return false; }, *revocation},
      lanes);
  need(service_->receipt_poster->recover());
  const auto post_receipt = [poster = service_->receipt_poster.get()](const std::string& id,
                                                                      const std::string& agreement) {
    poster->enqueue(id, agreement);
  };
  service_->outbound = std::make_unique<OutboundExchange>(outbound(post));
  if (options.sends) {
    service_->outbox = std::make_unique<Outbox>(
        OutboxPorts{*service_->outbound, *store_, account, clock, hand_over, post_receipt},
        OutboxSettings{.lanes = lanes});
    need(service_->outbox->start(), "the outbox");
  }
  service_->posted_receipts = std::make_unique<PostedReceipts>(PostedReceipts::Ports{
      account, *store_, clock, home_->spool_area(), NoObserver::instance(), *revocation});

  InboundOptions inbound;
  inbound.workers = options.workers;
  inbound.decryption_failures = options.decryption_failures;
  inbound.host = "localhost";
  inbound.stranger_answer = options.stranger_answer;
  inbound.spool = home_->spool_area();
  service_->exchange = std::make_unique<InboundExchange>(
      InboundPorts{account, *store_, clock, hand_over, post_receipt,
                   [poster = service_->receipt_poster.get()](const std::string& id) { poster->repeat(id); },
                   NoObserver::instance(), [] { return false; }, *revocation},
      inbound);
  need(service_->exchange->recover());
  service_->handler = std::make_unique<Handler>(
      *service_->exchange, *service_->posted_receipts, [this] { return home_->current_account(); },
      *revocation, As2HandlerOptions{"/as2", "/as2/receipts", options.body_limit}, clock);

  HttpServerConfig config;
  config.listeners.push_back({"as2", "127.0.0.1", 0, std::nullopt});
  if (!options.tls_certificate.empty()) {
    const auto current = need(home_->current_account());
    TlsIdentity identity{need(current->private_certificate(options.tls_certificate)), {}};
    config.listeners.push_back({"as2-tls", "127.0.0.1", 0, std::move(identity), options.client_certificates});
  }
  config.spool = home_->spool_area();
  config.workers = options.workers;
  config.limits = options.http_limits;
  service_->server = need(HttpServer::start(std::move(config), *service_->handler), "listening");
}

void TestGateway::stop() {
  if (!service_) return;
  service_->exchange->stop();
  if (service_->outbox) service_->outbox->stop();
  service_->receipt_poster->stop();
  service_->server->stop(std::chrono::seconds(5));
  service_->client->stop();
  service_->delivery->drain();
  service_.reset();
}

void TestGateway::close() {
  stop();
  store_.reset();
  home_.reset();
}

std::uint16_t TestGateway::port() const { return service_->server->ports().at(0); }
std::uint16_t TestGateway::tls_port() const { return service_->server->ports().at(1); }
std::string TestGateway::url() const { return fmt::format("http://127.0.0.1:{}/as2", port()); }
std::string TestGateway::receipt_url() const { return url() + "/receipts"; }
std::string TestGateway::tls_url() const { return fmt::format("https://localhost:{}/as2", tls_port()); }

OutboundExchange TestGateway::outbound(std::function<Result<HttpAnswer>(const HttpPost&)> post) {
  OutboundOptions outbound;
  outbound.spool = home_->spool_area();
  return OutboundExchange({[this] { return home_->current_account(); }, *store_, clock, std::move(post),
                           NoObserver::instance(), *revocation},
                          outbound);
}

Result<MessageRecord> TestGateway::send(const std::string& agreement, Slice payload,
                                        const std::string& file_name) {
  auto exchange = outbound([this](const HttpPost& request) { return client_.post(request); });
  SIGNET_TRY(const MessageRecord record,
             exchange.submit({agreement, std::move(payload), file_name, "", ""}, Custody::Caller));
  SIGNET_TRY(Attempted attempted, exchange.attempt(record.id));
  return std::move(attempted.record);
}

Result<MessageRecord> TestGateway::submit(const std::string& agreement, Slice payload,
                                          const std::string& file_name) {
  const auto nobody = [](const HttpPost&) -> Result<HttpAnswer> {
    return fail(ErrorKind::Internal, "not asked to post");
  };
  return outbound(nobody).submit({agreement, std::move(payload), file_name, "", ""}, Custody::Gateway);
}

WireMessage TestGateway::compose(const std::string& agreement, Slice payload, const std::string& file_name) {
  std::optional<WireMessage> composed;
  auto exchange = outbound([&](const HttpPost& request) -> Result<HttpAnswer> {
    composed = WireMessage{request.url, request.headers, request.body, request.trust};
    return fail(ErrorKind::InvalidInput, std::string(kNotPosted));
  });
  const MessageRecord record =
      need(exchange.submit({agreement, std::move(payload), file_name, "", ""}, Custody::Caller),
           "composing a message");
  need(exchange.attempt(record.id), "composing a message");
  return *std::move(composed);
}

MessageRecord TestGateway::wait_for(std::string_view id_or_message_id,
                                    const std::function<bool(const MessageRecord&)>& holds) {
  std::optional<MessageRecord> record;
  const bool came = store_->wait([&] {
    auto found = store_->find(id_or_message_id);
    if (!found || !holds(*found)) return false;
    record = *std::move(found);
    return true;
  });
  if (!came)
    throw std::runtime_error("what a test waits for did not happen to message " +
                             std::string(id_or_message_id));
  return *std::move(record);
}

std::vector<MessageRecord> TestGateway::messages(const MessageFilter& filter) {
  return need(store_->list(filter));
}

MessageRecord TestGateway::message(std::string_view message_id) { return need(store_->find(message_id)); }

MessageRecord TestGateway::wait_delivered(std::string_view message_id) {
  MessageRecord record;
  const auto is_delivered = [&] {
    record = message(message_id);
    return record.state == MessageState::Delivered;
  };
  if (!store_->wait(is_delivered))
    throw std::runtime_error(
        fmt::format("message {} was not handed over; reason: {}", message_id, record.reason));
  return record;
}

void TestGateway::drain() { service_->delivery->drain(); }

std::vector<std::string> TestGateway::unreachable() const { return service_->outbox->broken(); }

std::vector<std::filesystem::path> TestGateway::delivered(const std::string& agreement) const {
  std::vector<std::filesystem::path> files;
  const auto folder = home_directory_ / "delivery" / agreement;
  if (!std::filesystem::exists(folder)) return files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with('.') && !name.ends_with(".json")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> TestGateway::audit_lines() const {
  const auto file = home_directory_ / "audit.log";
  if (!need(AuditFile::verify(file), "verifying the audit log").intact())
    throw std::runtime_error("the audit log's chain is broken");
  std::vector<std::string> lines;
  const std::string text = need(read_text_file(file));
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// ---- Two of them

TradingPair::TradingPair(TestGatewayOptions acme_options, TestGatewayOptions globex_options)
    : acme(std::move(acme_options)), globex(std::move(globex_options)) {
  agree();
  acme.start();
  globex.start();
  agree();  // again, now that there are URLs
}

agreements::CertificateEntry TradingPair::certificate(TestGateway& owner, const std::string& key) {
  const std::pair place(static_cast<const TestGateway*>(&owner), key);
  if (const auto known = certificates_.find(place); known != certificates_.end()) return known->second;
  std::string name = to_lower(owner.options.name) + "-" + to_lower(key);
  std::replace(name.begin(), name.end(), ':', '-');
  const CertificateSpec spec{.common_name = owner.options.name,
                             .key = key,
                             .subject_alternative_name = "DNS:localhost,IP:127.0.0.1"};
  return certificates_.emplace(place, owner.add_key(name, spec)).first->second;
}

namespace {

Account account_of(const TestGateway& host, const TestGateway& guest,
                   const agreements::CertificateEntry& ours, agreements::CertificateEntry theirs,
                   const std::string& guest_url) {
  theirs.key.reset();
  Account account;
  for (const TestGateway* company : {&host, &guest}) {
    agreements::Partner partner;
    partner.name = company->options.name;
    partner.business_identities.push_back({std::string(agreements::kAs2Qualifier), company->as2_name()});
    account.partners.push_back(std::move(partner));
  }
  account.certificates = {ours, theirs};
  Agreement agreement;
  agreement.name = "trade";
  agreement.host_partner = host.options.name;
  agreement.guest_partner = guest.options.name;
  agreement.receive_agreement.security_settings.signing_certificate_name = theirs.name;
  agreement.receive_agreement.security_settings.encryption_certificate_name = ours.name;
  agreement.send_agreement.security_settings.signing_certificate_name = ours.name;
  agreement.send_agreement.security_settings.encryption_certificate_name = theirs.name;
  agreement.connection.url = guest_url;
  account.agreements.push_back(std::move(agreement));
  return account;
}

}  // namespace

std::pair<Account, Account> TradingPair::accounts(const Terms& terms, const std::string& key) {
  const auto acmes = certificate(acme, key);
  const auto globexes = certificate(globex, key);
  const auto url_of = [](const TestGateway& gateway) {
    return gateway.is_running() ? gateway.url() : "http://127.0.0.1:1/as2";
  };
  std::pair both{account_of(acme, globex, acmes, globexes, url_of(globex)),
                 account_of(globex, acme, globexes, acmes, url_of(acme))};
  // One attempt, so that what fails has failed; tests of the outbox say otherwise.
  for (Account* account : {&both.first, &both.second}) account->agreements.front().retry.attempts = 1;
  if (terms)
    terms(both.first.agreements.front().send_agreement, both.second.agreements.front().receive_agreement);
  return both;
}

void TradingPair::agree(const Terms& terms, const std::string& key) {
  const auto [acmes, globexes] = accounts(terms, key);
  acme.apply(acmes);
  globex.apply(globexes);
}

// ---- Messages on the wire

HttpPost WireMessage::to_post() const {
  HttpPost request;
  request.url = url;
  request.headers = headers;
  request.body = body;
  request.trust = trust;
  return request;
}

Result<HttpAnswer> post(const WireMessage& message) { return HttpClient().post(message.to_post()); }

HttpAnswer answer_to(const WireMessage& message) { return need(post(message), "posting"); }

std::string raw_request(const WireMessage& message) {
  return "POST /as2 HTTP/1.1\r\nHost: localhost\r\n" + message.headers.serialise() +
         fmt::format("Content-Length: {}\r\n\r\n", message.body.size()) + text_of(message.body);
}

std::string post_raw(std::uint16_t port, std::string_view octets) {
  const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{60, 0};
  ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    while (!octets.empty()) {
      const ssize_t sent = ::send(connection, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      octets.remove_prefix(static_cast<std::size_t>(sent));
    }
    const auto is_complete = [&] {
      const std::size_t head = answer.find("\r\n\r\n");
      const std::size_t length = answer.find("Content-Length: ");
      return head != std::string::npos && length < head &&
             answer.size() >= head + 4 + std::strtoul(answer.c_str() + length + 16, nullptr, 10);
    };
    char buffer[16 * 1024];
    while (!is_complete()) {
      const ssize_t got = ::recv(connection, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      answer.append(buffer, static_cast<std::size_t>(got));
    }
  }
  ::close(connection);
  return answer;
}

int status_of(std::string_view raw_answer) {
  return raw_answer.starts_with("HTTP/1.1 ") ? std::atoi(std::string(raw_answer.substr(9, 3)).c_str()) : 0;
}

std::string text_of(const Slice& body) { return std::string(as_text(need(body.to_bytes(SIZE_MAX)))); }

std::string field_in(std::string_view text, std::string_view name) {
  const std::string sought = to_lower(name) + ":";
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    if (to_lower(line.substr(0, sought.size())) == sought)
      return std::string(trim(line.substr(sought.size())));
    begin = end + 1;
  }
  return "";
}

std::string disposition_of(const HttpAnswer& answer) { return field_in(text_of(answer.body), "Disposition"); }

Bytes noise(std::size_t size, std::uint32_t seed) {
  Bytes octets(size);
  std::uint64_t state = 0x9E3779B97F4A7C15ULL * (seed + 1);
  for (std::uint8_t& octet : octets) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    octet = static_cast<std::uint8_t>(state >> 32);
  }
  return octets;
}

}  // namespace signet::test
