#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/log.h"
#include "certstore/vault/provider.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/message_text.h"
#include "gateway/cli/version.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/exchange/outbound.h"

namespace signet::gateway {
namespace {

struct SendOptions {
  std::string agreement;
  std::filesystem::path file;
  std::string name;
  std::string content_type;
  std::string subject;
  std::string host = "localhost";
};

Result<Slice> read_payload(const std::filesystem::path& path, const SpoolArea& area) {
  SIGNET_TRY(const auto source, FileSource::open(path));
  const auto spool = std::make_shared<Spool>(area);
  SIGNET_CHECK(copy(*source, *spool));
  return Spool::finish(spool);
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

  HttpClient client(home->spool_area());
  OutboundExchange exchange({[&] { return home->current_account(); }, home->store(), home->clock(),
                             [&](const HttpPost& post) { return client.post(post); }},
                            {std::string(kProduct), std::string(kAs2Product), options.host, home->spool_area()});
  SIGNET_TRY(const MessageRecord record, exchange.send(request));
  if (record.state != MessageState::Confirmed) context.exit_code = ExitCode::Refused;
  context.print(to_json(record), to_text(record));
  return {};
}

}  // namespace

void add_send_command(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<SendOptions>();
  CLI::App* command = app.add_subcommand("send", "Send a document under an agreement and check the partner's receipt");
  command->footer("Example: signet --home /srv/signet send --agreement acme-globex order.edi\n"
                  "The exit code is 0 only when a receipt proves that the partner has the document; where the agreement asks for no\n"
                  "receipt, when the partner answered that he took it.");
  command->add_option("--agreement", options->agreement, "The agreement's name")->required();
  command->add_option("file", options->file, "The document")->required()->check(CLI::ExistingFile);
  command->add_option("--name", options->name, "The file's name for the partner; the document's own by default");
  command->add_option("--content-type", options->content_type, "The document's type; the agreement's by default");
  command->add_option("--subject", options->subject, "The message's subject");
  command->add_option("--host", options->host, "Our host name, for the Message-ID")->capture_default_str();
  command->callback([&context, options] { run_command(context, [&] { return send(context, *options); }); });
}

}  // namespace signet::gateway
