#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"
#include "certstore/vault/provider.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/message_text.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/cli/version.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/exchange/outbound.h"
#include "gateway/revocation/revocation_lists.h"

namespace signet::gateway {
namespace {

struct SendOptions {
  std::string agreement;
  std::filesystem::path file;
  std::string name;
  std::string content_type;
  std::string subject;
  std::string host;
  bool queue = false;
  unsigned wait = 60;
};

/// A check of an option: partners may take the name for one of their files.
std::string check_file_name(const std::string& text) {
  const auto in_name = [](char c) {
    return c != '/' && c != '\\' && c != 0x7F && static_cast<unsigned char>(c) >= 0x20;
  };
  if (text != "." && text != ".." && std::all_of(text.begin(), text.end(), in_name)) return "";
  return fmt::format("expected a name without folders and control characters, got '{}'", printable(text));
}

Result<Slice> read_payload(const std::filesystem::path& path, const SpoolArea& area) {
  SIGNET_TRY(const auto source, FileSource::open(path));
  const auto spool = std::make_shared<Spool>(area.kept());
  SIGNET_CHECK(copy(*source, *spool));
  return Spool::finish(spool);
}

/// The same in the Message-IDs of messages as in those of the gateway's receipts.
Result<std::string> host_for(const Home& home, const SendOptions& options) {
  if (!options.host.empty()) return options.host;
  SIGNET_TRY(const ServeSettings settings, read_serve_settings({}, home.directory() / "serve.toml"));
  return host_of(settings);
}

/// Where the receipt comes by itself, the gateway takes it; what is left here is to look.
Result<MessageRecord> wait_for_receipt(Home& home, MessageRecord record, std::chrono::seconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (record.state == MessageState::AwaitingReceipt && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    SIGNET_TRY(record, home.store().find(record.id));
  }
  return record;
}

Result<> send(CommandContext& context, const SendOptions& options) {
  log::set_level(log::Level::Warning);
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_CHECK(vault::self_check());

  SendRequest request;
  request.agreement = options.agreement;
  SIGNET_TRY(request.payload, read_payload(options.file, home->spool_area()));
  request.file_name = options.name.empty() ? options.file.filename().string() : options.name;
  request.content_type = options.content_type;
  request.subject = options.subject;

  SIGNET_TRY(const std::string host, host_for(*home, options));
  HttpClient client(home->spool_area());
  RevocationLists revocation(home->revocations());
  SIGNET_CHECK(revocation.reload());
  OutboundExchange exchange(
      {[&] { return home->current_account(); }, home->store(), home->clock(),
       [&](const HttpPost& post) { return client.post(post); }, NoObserver::instance(), revocation},
      {std::string(kProduct), std::string(kAs2Product), host, home->spool_area()});
  const Custody custody = options.queue ? Custody::Gateway : Custody::Caller;
  SIGNET_TRY(MessageRecord record, exchange.submit(request, custody));
  if (custody == Custody::Caller) {
    SIGNET_TRY(Attempted attempted, exchange.attempt(record.id));
    SIGNET_TRY(record,
               wait_for_receipt(*home, std::move(attempted.record), std::chrono::seconds(options.wait)));
    if (record.state != MessageState::Confirmed)
      context.exit_code = is_open(record.state) ? ExitCode::Pending : ExitCode::Refused;
  }
  context.print(to_json(record), to_text(record));
  return {};
}

}  // namespace

void add_send_command(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<SendOptions>();
  CLI::App* command =
      app.add_subcommand("send", "Send a document under an agreement and check the partner's receipt");
  command->footer(
      "Example: signet --home /srv/signet send --agreement acme-globex order.edi\n"
      "The exit code is 0 only when a receipt proves that the partner has the document; where the agreement "
      "asks for no\n"
      "receipt, when the partner answered that he took it. A message that could not be sent, for a reason "
      "that may pass,\n"
      "is left queued, exit code 7, and the gateway that serves this home tries again.");
  command->add_option("--agreement", options->agreement, "The agreement's name")->required();
  command->add_option("file", options->file, "The document")->required();
  command
      ->add_option("--name", options->name, "The file's name for the partner; the document's own by default")
      ->check(check_file_name);
  command->add_option("--content-type", options->content_type,
                      "The document's type; the agreement's by default");
  command->add_option("--subject", options->subject, "The message's subject");
  command
      ->add_option("--host", options->host,
                   "Our host name, for the Message-ID; that of serve.toml, or else the machine's, by default")
      ->check(check_host);
  command->add_flag("--queue", options->queue,
                    "Only put the message on disk, for the gateway that serves this home, now or later; exit "
                    "code 0 when it is there");
  command->add_option("--wait", options->wait, "Seconds to wait for a receipt that comes by itself")
      ->check(check_wait)
      ->capture_default_str();
  command->callback([&context, options] { run_command(context, [&] { return send(context, *options); }); });
}

}  // namespace signet::gateway
