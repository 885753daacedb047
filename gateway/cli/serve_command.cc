#include <fmt/format.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "certstore/vault/provider.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/version.h"
#include "gateway/delivery/delivery_queue.h"
#include "gateway/endpoint/http_server.h"
#include "gateway/exchange/as2_handler.h"
#include "gateway/exchange/inbound.h"

namespace signet::gateway {
namespace {

constexpr std::chrono::seconds kDrainTime{8};

struct ServeOptions {
  std::vector<std::string> listen = {"127.0.0.1:4080"};
  std::vector<std::string> listen_tls;
  std::string tls_certificate;
  std::string path = "/as2";
  std::string host = "localhost";
  std::string stranger_answer = "mdn";
  std::uint64_t body_limit = std::uint64_t{2} << 30;
  unsigned workers = 0;
  std::string log_level = "info";
  std::filesystem::path ports_file;
};

/// One gateway serves a home: two would hand over the same messages.
class ServeLock {
 public:
  /// @error Unavailable  another gateway serves this home.
  static Result<ServeLock> take(const std::filesystem::path& path) {
    ServeLock lock;
    lock.file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock.file_ < 0) return fail(errno_error("opening " + path.string()));
    if (::flock(lock.file_, LOCK_EX | LOCK_NB) != 0)
      return fail(ErrorKind::Unavailable, fmt::format("another gateway serves this home already ({} is locked)", path.string()));
    return lock;
  }
  ServeLock(ServeLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  ServeLock& operator=(ServeLock&&) = delete;
  ~ServeLock() {
    if (file_ >= 0) ::close(file_);
  }

 private:
  ServeLock() = default;
  int file_ = -1;
};

Result<Listener> parse_listener(const std::string& text) {
  const auto colon = text.rfind(':');
  Listener listener;
  const char* begin = text.data() + (colon == std::string::npos ? 0 : colon + 1);
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(begin, end, listener.port);
  if (colon == std::string::npos || error != std::errc{} || rest != end)
    return fail(ErrorKind::InvalidInput, fmt::format("expected a listener such as 0.0.0.0:4080 or [::]:4080, got '{}'", text));
  listener.address = text.substr(0, colon);
  if (listener.address.starts_with('[') && listener.address.ends_with(']'))
    listener.address = listener.address.substr(1, listener.address.size() - 2);
  return listener;
}

Result<std::vector<Listener>> listeners(Home& home, const ServeOptions& options) {
  std::vector<Listener> all;
  for (const std::string& text : options.listen) {
    SIGNET_TRY(Listener listener, parse_listener(text));
    all.push_back(std::move(listener));
  }
  if (options.listen_tls.empty()) return all;
  if (options.tls_certificate.empty())
    return fail(ErrorKind::InvalidInput,
                "--listen-tls needs --tls-certificate, the name of a private certificate of the account");
  SIGNET_TRY(const auto account, home.current_account());
  SIGNET_TRY(const certstore::PrivateCertificate own, account->private_certificate(options.tls_certificate));
  for (const std::string& text : options.listen_tls) {
    SIGNET_TRY(Listener listener, parse_listener(text));
    listener.name = "as2-tls";
    listener.tls = TlsIdentity{own, {}};
    all.push_back(std::move(listener));
  }
  return all;
}

/// The folder that an agreement's payloads go to; one below our own directory is made, one elsewhere has to be there.
Result<std::filesystem::path> delivery_folder(Home& home, std::string_view agreement_name) {
  SIGNET_TRY(const auto account, home.current_account());
  const auto* agreement = account->directory().by_name(agreement_name);
  if (agreement == nullptr)
    return fail(ErrorKind::NotFound, fmt::format("agreement '{}' is gone, and with it the folder to hand over to", agreement_name));
  const std::filesystem::path folder = agreement->agreement.receive_agreement.delivery.folder;
  if (folder.is_absolute()) return folder;
  const auto below = home.delivery_directory() / (folder.empty() ? std::filesystem::path(agreement_name) : folder);
  std::error_code error;
  std::filesystem::create_directories(below, error);
  if (error) return fail(ErrorKind::IoFailure, fmt::format("making {}: {}", below.string(), error.message()));
  return below;
}

void log_level_of(const std::string& name) {
  if (name == "debug") log::set_level(log::Level::Debug);
  if (name == "warning") log::set_level(log::Level::Warning);
}

/// Blocks until somebody asks the process to end. The signals must be blocked in every thread.
void wait_for_end(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
  log::info("stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
}

/// Takes from <home>/serve.toml what the command line left unsaid.
Result<> read_settings(CLI::App& command, const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return {};
  try {
    for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_file(file.string())) {
      CLI::Option* option = item.parents.empty() ? command.get_option_no_throw("--" + item.name) : nullptr;
      if (option == nullptr)
        return fail(ErrorKind::InvalidInput,
                    fmt::format("{}: there is no setting '{}'; 'signet serve --help' lists them", file.string(), item.fullname()));
      if (item.inputs.empty() || item.inputs.front().empty())
        return fail(ErrorKind::InvalidInput, fmt::format("{}: the setting '{}' has no value", file.string(), item.name));
      if (option->count() > 0) continue;
      for (const std::string& input : item.inputs) option->add_result(input);
      option->run_callback();
    }
  } catch (const CLI::Error& error) {
    return fail(ErrorKind::InvalidInput, fmt::format("{}: {}", file.string(), error.what()));
  }
  return {};
}

Result<> serve(const CommandContext& context, const ServeOptions& options) {
  log_level_of(options.log_level);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_CHECK(vault::self_check());
  if (const auto warning = vault::openssl_version_warning()) log::warning("openssl-is-old", {{"reason", *warning}});

  SIGNET_TRY(const ServeLock lock, ServeLock::take(home->directory() / "serve.lock"));
  DeliveryQueue delivery(
      home->store(), [&](std::string_view agreement) { return delivery_folder(*home, agreement); }, home->clock());
  SIGNET_TRY(const std::size_t recovered, delivery.recover());

  InboundOptions inbound;
  inbound.product = kProduct;
  inbound.host = options.host;
  inbound.stranger_answer = options.stranger_answer == "http" ? StrangerAnswer::HttpError : StrangerAnswer::UnsignedMdn;
  inbound.spool = home->spool_area();
  InboundExchange exchange({[&] { return home->current_account(); }, home->store(), home->clock(),
                            [&](const std::string& id) { delivery.enqueue(id); }},
                           inbound);
  As2Handler handler(exchange, {options.path, options.body_limit});

  HttpServerConfig config;
  SIGNET_TRY(config.listeners, listeners(*home, options));
  config.spool = home->spool_area();
  config.workers = options.workers;
  SIGNET_TRY(const auto server, HttpServer::start(config, handler));

  nlohmann::ordered_json bound = nlohmann::ordered_json::array();
  const auto ports = server->ports();
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const Listener& listener = config.listeners[i];
    bound.push_back({{"name", listener.name}, {"address", listener.address}, {"port", ports[i]}});
    log::info("listening", {{"name", listener.name}, {"address", listener.address}, {"port", std::to_string(ports[i])}});
  }
  if (!options.ports_file.empty()) SIGNET_CHECK(write_file_durably(options.ports_file, as_bytes(bound.dump())));
  log::info("serving", {{"version", std::string(kProduct)},
                        {"openssl", vault::openssl_version()},
                        {"home", home->directory().string()},
                        {"waiting_for_delivery", std::to_string(recovered)}});

  wait_for_end(signals);
  server->stop(kDrainTime);
  delivery.drain();
  log::info("stopped");
  return {};
}

}  // namespace

void add_serve_command(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = app.add_subcommand("serve", "Run the gateway: receive messages, answer with receipts, hand payloads over");
  command->footer("Example: signet --home /srv/signet serve --listen 0.0.0.0:4080 --host as2.example.com\n"
                  "Every option may also stand in <home>/serve.toml, as listen = [\"0.0.0.0:4080\"].");
  command->add_option("--listen", options->listen, "Address and port for HTTP; port 0 takes a free one")->capture_default_str();
  command->add_option("--listen-tls", options->listen_tls, "Address and port for HTTPS (TLS 1.2 and 1.3)");
  command->add_option("--tls-certificate", options->tls_certificate,
                      "Private certificate of the account that HTTPS listeners show");
  command->add_option("--path", options->path, "Where messages are posted")->capture_default_str();
  command->add_option("--host", options->host, "Our host name, for the Message-IDs of receipts")->capture_default_str();
  command
      ->add_option("--stranger-answer", options->stranger_answer,
                   "What senders without an agreement get: an unsigned receipt, or just an HTTP error")
      ->check(CLI::IsMember({"mdn", "http"}))
      ->capture_default_str();
  command->add_option("--body-limit", options->body_limit, "Octets of a request body, whatever agreements say")
      ->capture_default_str();
  command->add_option("--workers", options->workers, "Threads that open messages; 0: one for each core")->capture_default_str();
  command->add_option("--log-level", options->log_level, "debug, info or warning")
      ->check(CLI::IsMember({"debug", "info", "warning"}))
      ->capture_default_str();
  command->add_option("--ports-file", options->ports_file, "Write the ports taken to this file, as JSON, once listening");
  command->callback([&context, command, options] {
    run_command(context, [&]() -> Result<> {
      SIGNET_CHECK(read_settings(*command, context.home / "serve.toml"));
      return serve(context, *options);
    });
  });
}

}  // namespace signet::gateway
