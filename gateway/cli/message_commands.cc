#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/message_text.h"

namespace signet::gateway {
namespace {

struct MessageOptions {
  std::string id;
  std::string direction;
  std::string state;
  std::string agreement;
  std::string message_id;
  std::size_t limit = 50;
  std::filesystem::path file;
};

Result<> list(CommandContext& context, const MessageOptions& options) {
  MessageFilter filter;
  if (!options.direction.empty()) {
    SIGNET_TRY(filter.direction, parse_direction(options.direction));
  }
  if (!options.state.empty()) {
    SIGNET_TRY(filter.state, parse_state(options.state));
  }
  filter.agreement = options.agreement;
  filter.message_id = options.message_id;
  filter.limit = options.limit;
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto records, home->store().list(filter));

  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  std::string text;
  for (const MessageRecord& record : records) {
    all.push_back(to_json(record));
    text += fmt::format("{}  {}  {:<8}  {:<9}  {}  {}\n", to_rfc3339(record.created), record.id.substr(0, 8),
                        to_string(record.direction), to_string(record.state),
                        record.agreement.empty() ? "(no agreement)" : record.agreement, printable(record.message_id, 80));
  }
  context.print(all, text.empty() ? "no messages" : text);
  return {};
}

Result<> show(CommandContext& context, const MessageOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const MessageRecord record, home->store().find(options.id));
  context.print(to_json(record), to_text(record));
  return {};
}

/// Octets to a file, or as they are to standard output.
class StandardOutput final : public Sink {
 public:
  Result<> write(ByteView bytes) override {
    std::cout.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!std::cout.flush()) return fail(ErrorKind::IoFailure, "standard output does not take any more");
    return {};
  }
};

Result<> write_out(const Slice& octets, const std::filesystem::path& file) {
  if (!file.empty()) return octets.save_as(file);
  StandardOutput out;
  return octets.copy_to(out);
}

Result<> body(CommandContext& context, const MessageOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const MessageRecord record, home->store().find(options.id));
  SIGNET_TRY(const Slice payload, home->store().payload(record.id));
  return write_out(payload, options.file);
}

Result<> receipt(CommandContext& context, const MessageOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const MessageRecord record, home->store().find(options.id));
  SIGNET_TRY(const StoredReceipt stored, home->store().receipt(record.id));
  std::string head;
  for (const auto& [name, value] : stored.headers) head += fmt::format("{}: {}\r\n", name, value);
  Bytes octets = to_bytes(head + "\r\n");
  octets.insert(octets.end(), stored.body.begin(), stored.body.end());
  return write_out(Slice::of(std::move(octets)), options.file);
}

}  // namespace

void add_message_commands(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<MessageOptions>();
  CLI::App* message = app.add_subcommand("message", "Look at the messages received and sent");
  message->require_subcommand(1);

  CLI::App* listing = message->add_subcommand("list", "The newest messages first");
  listing->footer("Example: signet --home /srv/signet message list --direction inbound --state refused");
  listing->add_option("--direction", options->direction, "inbound or outbound");
  listing->add_option("--state", options->state, "accepted, delivered, refused, sending, confirmed or failed");
  listing->add_option("--agreement", options->agreement, "Only this agreement's");
  listing->add_option("--message-id", options->message_id, "Only this Message-ID's");
  listing->add_option("--limit", options->limit, "At most so many")->capture_default_str();
  listing->callback([&context, options] { run_command(context, [&] { return list(context, *options); }); });

  const auto add = [&](const char* name, const char* description, const char* example,
                       Result<> (*work)(CommandContext&, const MessageOptions&), bool writes) {
    CLI::App* command = message->add_subcommand(name, description);
    command->footer(example);
    command->add_option("id", options->id, "Our id (or its first 8 digits or more), or the Message-ID")->required();
    if (writes) command->add_option("--file", options->file, "Write to a new file instead of standard output");
    command->callback([&context, options, work] { run_command(context, [&] { return work(context, *options); }); });
  };
  add("show", "Everything known about one message", "Example: signet message show 3f9a2c71", show, false);
  add("body", "A message's payload, as it was handed over or given", "Example: signet message body 3f9a2c71 --file order.edi", body,
      true);
  add("receipt", "The receipt sent for it, or the answer received", "Example: signet message receipt 3f9a2c71 --file mdn.txt", receipt,
      true);
}

}  // namespace signet::gateway
