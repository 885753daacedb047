#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/file.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/message_text.h"
#include "gateway/cli/subcommands.h"

namespace signet::gateway {
namespace {

struct MessageOptions {
  std::string id;
  std::string direction;
  std::string state;
  std::string agreement;
  std::string message_id;
  std::string since;
  std::string until;
  std::size_t limit = 50;
  std::filesystem::path file;
  std::string reason = "cancelled by the operator";
  unsigned patience = 60;
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
  SIGNET_TRY(filter.since, time_option(options.since));
  SIGNET_TRY(filter.until, time_option(options.until));
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto records, home->store().list(filter));

  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  std::string text;
  for (const MessageRecord& record : records) {
    all.push_back(to_json(record));
    text += fmt::format("{}  {}  {:<8}  {:<16}  {}  {}\n", to_rfc3339(record.created), record.id.substr(0, 8),
                        to_string(record.direction), to_string(record.state),
                        record.agreement.empty() ? "(no agreement)" : record.agreement,
                        printable(record.message_id, 80));
  }
  context.print(all, text.empty() ? "no messages" : text);
  return {};
}

/// A message as it is now, with the posting of its receipt.
Result<> print(const CommandContext& context, MessageStore& store, std::string_view id) {
  SIGNET_TRY(const MessageRecord record, store.find(id));
  std::optional<ReceiptPost> post;
  if (auto found = store.receipt_post(record.id))
    post = *std::move(found);
  else if (found.error().kind != ErrorKind::NotFound)
    return fail(std::move(found).error());
  context.print(to_json(record, post), to_text(record, post));
  return {};
}

Result<> show(CommandContext& context, const MessageOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  return print(context, home->store(), options.id);
}

class StandardOutput final : public Sink {
 public:
  Result<> write(ByteView bytes) override {
    std::cout.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!std::cout.flush()) return fail(ErrorKind::IoFailure, "standard output does not take any more");
    return {};
  }
};

/// As much of a message as JSON takes in; more goes to a file.
constexpr std::size_t kMaxInJson = std::size_t{64} << 20;

/// Octets as they are, to a new file or to standard output. For programs `facts` go before them, and where no
/// file is named the octets are among them, as base64.
Result<> write_out(const CommandContext& context, nlohmann::ordered_json facts, const Slice& octets,
                   const std::filesystem::path& file) {
  facts["size"] = octets.size();
  if (!file.empty()) {
    SIGNET_CHECK(octets.save_as(file));
    facts["file"] = file.string();
    context.print(facts, fmt::format("wrote {} octets to {}", octets.size(), file.string()));
    return {};
  }
  if (!context.json) {
    StandardOutput out;
    return octets.copy_to(out);
  }
  if (octets.size() > kMaxInJson)
    return fail(
        ErrorKind::LimitExceeded,
        fmt::format("{} octets are too many for JSON, which takes {}: write them to a file with --file",
                    octets.size(), kMaxInJson));
  SIGNET_TRY(const Bytes bytes, octets.to_bytes(kMaxInJson));
  facts["octets"] = base64(bytes);
  context.print(facts, "");
  return {};
}

nlohmann::ordered_json to_json(const std::vector<std::pair<std::string, std::string>>& headers) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& [name, value] : headers) list.push_back({{"name", name}, {"value", value}});
  return list;
}

Result<> body(CommandContext& context, const MessageOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const MessageRecord record, home->store().find(options.id));
  SIGNET_TRY(const Slice payload, home->store().payload(record.id));
  return write_out(context,
                   {{"id", record.id}, {"contentType", record.content_type}, {"fileName", record.file_name}},
                   payload, options.file);
}

Result<> receipt(CommandContext& context, const MessageOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const MessageRecord record, home->store().find(options.id));
  SIGNET_TRY(const StoredReceipt stored, home->store().receipt(record.id));
  return write_out(
      context, {{"id", record.id}, {"httpStatus", stored.http_status}, {"headers", to_json(stored.headers)}},
      Slice::of(to_octets(stored)), options.file);
}

Result<> wire(CommandContext& context, const MessageOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const MessageRecord record, home->store().find(options.id));
  SIGNET_TRY(const WireCopy copy, home->store().wire(record.id));
  const auto whole = std::make_shared<Spool>(home->spool_area());
  SIGNET_CHECK(whole->write(as_bytes(head_octets(copy.headers))));
  SIGNET_CHECK(copy.body.copy_to(*whole));
  return write_out(context, {{"id", record.id}, {"headers", to_json(copy.headers)}}, Spool::finish(whole),
                   options.file);
}

Result<> resend(CommandContext& context, const MessageOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  MessageStore& store = home->store();
  SIGNET_TRY(const MessageRecord record, store.find(options.id));
  const Time now = home->clock().now();
  SIGNET_CHECK(record.direction == Direction::Inbound
                   ? store.queue_receipt_again(record.id, now, MessageStore::Tell::Gateway)
                   : store.queue_again(record.id, now, MessageStore::Tell::Gateway));
  return print(context, store, record.id);
}

Result<> cancel(CommandContext& context, const MessageOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(MessageRecord record, home->store().find(options.id));
  SIGNET_CHECK(home->store().cancel_outbound(record.id, printable(options.reason), home->clock().now()));
  SIGNET_TRY(record, home->store().find(record.id));
  context.print(to_json(record), to_text(record));
  return {};
}

/// Whether nothing more becomes of a message by itself.
bool is_settled(const MessageRecord& record) {
  return !is_open(record.state) && record.state != MessageState::Received &&
         record.state != MessageState::Accepted;
}

/// Looks until the message is settled, or patience ends. The exit code says how it ended.
Result<> wait(CommandContext& context, const MessageOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(MessageRecord record, home->store().find(options.id));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.patience);
  while (!is_settled(record) && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    SIGNET_TRY(record, home->store().find(record.id));
  }
  const bool good = record.state == MessageState::Confirmed || record.state == MessageState::Delivered;
  if (!is_settled(record))
    context.exit_code = ExitCode::Pending;
  else if (!good)
    context.exit_code = ExitCode::Refused;
  context.print(to_json(record), to_text(record));
  return {};
}

}  // namespace

void add_message_commands(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<MessageOptions>();
  CLI::App* message =
      app.add_subcommand("message", "Look at the messages received and sent, and settle them");
  message->require_subcommand(1);
  message->footer("Example: signet message list --state refused");

  const Subcommands command(*message, context, options);
  CLI::App* listing =
      command("list", "The newest messages first",
              "Example: signet --home /srv/signet message list --direction inbound --state refused", list);
  listing->add_option("--direction", options->direction, "inbound or outbound");
  listing->add_option("--state", options->state,
                      "received, accepted, delivered, refused; queued, sending, awaiting-receipt, confirmed, "
                      "failed or cancelled");
  listing->add_option("--agreement", options->agreement, "Only this agreement's");
  listing->add_option("--message-id", options->message_id, "Only this Message-ID's");
  listing->add_option("--since", options->since,
                      "Received or submitted at this time or later, e.g. 2026-11-21 or 2026-11-21T08:30:00Z");
  listing->add_option("--until", options->until, "Received or submitted before this time");
  listing->add_option("--limit", options->limit, "At most so many")
      ->check(check_count)
      ->capture_default_str();

  const auto add = [&](const char* name, const char* description, const char* example,
                       Result<> (*work)(CommandContext&, const MessageOptions&), bool writes = false) {
    CLI::App* made = command(name, description, example, work);
    made->add_option("id", options->id, "Our id (or its first 8 digits or more), or the Message-ID")
        ->required();
    if (writes) made->add_option("--file", options->file, "Write to a new file instead of standard output");
    return made;
  };
  add("show", "Everything known about one message", "Example: signet message show 3f9a2c71", show);
  add("body", "A message's payload, as it was handed over or given",
      "Example: signet message body 3f9a2c71 --file order.edi", body, true);
  add("receipt", "The receipt sent for it, or the answer received",
      "Example: signet message receipt 3f9a2c71 --file mdn.txt", receipt, true);
  add("wire", "The message as it came or went, headers and all, where that is kept",
      "Example: signet message wire 3f9a2c71 --file captured.http", wire, true);
  add("resend",
      "Send a failed or cancelled message again: the same octets under the same Message-ID; of a message "
      "that "
      "was received, post its receipt again",
      "Example: signet message resend 3f9a2c71\nThe gateway that serves this home does it, now or when it is "
      "started.",
      resend);
  add("cancel", "Send a queued message no more",
      "Example: signet message cancel 3f9a2c71 --reason \"ordered twice\"", cancel)
      ->add_option("--reason", options->reason, "Kept in the record")
      ->capture_default_str();
  add("wait", "Wait until a message is settled",
      "Example: signet message wait 3f9a2c71 --timeout 300\n"
      "The exit code is 0 for a message that was confirmed or delivered, 1 for one that ended otherwise, 7 "
      "when it is not settled yet.",
      wait)
      ->add_option("--timeout", options->patience, "Seconds")
      ->check(check_wait)
      ->capture_default_str();
}

}  // namespace signet::gateway
