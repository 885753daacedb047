#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "as2/capture.h"
#include "as2/inspect.h"
#include "as2/mime/transfer_encoding.h"
#include "base/log.h"
#include "certstore/vault/provider.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/inspect_material.h"
#include "gateway/cli/inspect_text.h"
#include "gateway/cli/message_text.h"

namespace signet::gateway {
namespace {

constexpr std::uint64_t kMegabyte = 1024 * 1024;
constexpr std::uint64_t kMostMegabytes = 65'536;
constexpr std::size_t kDefaultShown = 256;

struct InspectCommandOptions {
  std::filesystem::path file;
  std::filesystem::path mdn;
  std::string mic;
  std::string content_type;
  std::string agreement;
  std::string at;
  std::uint64_t memory = 1024;
  std::size_t show_payload = 0;
  bool mic_variants = false;
  bool home_given = false;
};

/// What was decrypted must not touch a disk: the spools of this command live in memory, and refuse beyond it.
SpoolArea area_in_memory(const InspectCommandOptions& options) {
  const std::uint64_t limit = options.memory * kMegabyte;
  return {{}, limit, limit};
}

Result<Slice> read_input(const std::filesystem::path& path, const SpoolArea& area) {
  if (path != "-") return Slice::of_file(path);
  FileSource standard_input(::dup(STDIN_FILENO));
  const auto spool = std::make_shared<Spool>(area);
  SIGNET_CHECK(copy(standard_input, *spool));
  return Spool::finish(spool);
}

Result<as2::Capture> read_captured(const std::filesystem::path& path, const std::string& content_type,
                                   const SpoolArea& area) {
  SIGNET_TRY(const Slice input, read_input(path, area));
  auto capture = as2::read_capture(input, {content_type, area});
  if (!capture) return fail(std::move(capture).error().within(path.string()));
  return capture;
}

/// One run of the command: what is shown is collected in `report_`.
class InspectRun {
 public:
  InspectRun(CommandContext& context, const InspectCommandOptions& options)
      : context_(context), options_(options), area_(area_in_memory(options)) {}

  Result<> run() {
    SIGNET_TRY(const as2::Capture capture, read_captured(options_.file, options_.content_type, area_));
    SIGNET_CHECK(open_home());
    SIGNET_TRY(report_.message, explain(capture, true));
    SIGNET_CHECK(explain_given_receipt(capture));
    SIGNET_CHECK(compare_mics());
    SIGNET_CHECK(take_payload());
    if (!report_.held()) context_.exit_code = ExitCode::Refused;
    context_.print(to_json(report_), to_text(report_));
    return {};
  }

 private:
  /// The default home need not be there; one that was named must.
  Result<> open_home() {
    const bool there = std::filesystem::exists(context_.home / "master.key") ||
                       std::filesystem::exists(context_.home / "master.scrypt");
    if (!there && !options_.home_given) return {};
    SIGNET_TRY(home_, Home::open(context_.home));
    SIGNET_TRY(const auto at, time_option(options_.at));
    request_.at = at.value_or(home_->clock().now());
    request_.agreement = options_.agreement;
    request_.spool = area_;
    return {};
  }

  Result<as2::Explanation> explain(const as2::Capture& capture, bool with_records) {
    as2::InspectOptions options;
    options.spool = area_;
    as2::Explanation first = as2::inspect(capture, {}, options);
    if (!home_) return first;
    SIGNET_TRY(CaptureMaterial found, find_material(*home_, capture, first, request_));
    options.compressed_mic = found.compressed_mic;
    options.default_mic_hash = found.default_mic_hash;
    const vault::AuditScope audited = vault::message_scope("inspect");
    as2::Explanation explained = as2::inspect(capture, found.material, options);
    if (const auto denied = vault::take_vault_refusal())
      found.layer.checks.push_back(
          {as2::CheckResult::Failed, "the vault did not let the gateway use its key: " + denied->detail});
    SIGNET_TRY(auto verdict, gateway_verdict(*home_, capture, first, request_));
    if (with_records) SIGNET_CHECK(add_records(capture, explained, found));
    // The agreement belongs between what the header says and what is made of it.
    const auto security = std::find_if(
        explained.layers.begin(), explained.layers.end(),
        [](const as2::ExplainedLayer& layer) { return layer.kind != "transport" && layer.kind != "as2"; });
    explained.layers.insert(security, std::move(found.layer));
    if (verdict) explained.layers.push_back(*std::move(verdict));
    return explained;
  }

  /// What the store knows about the message, and its MIC for the comparison.
  Result<> add_records(const as2::Capture& capture, as2::Explanation& explained, CaptureMaterial& found) {
    SIGNET_TRY(const auto records, find_records(*home_, capture, explained, found.origin));
    for (const MessageRecord& record : records) {
      as2::Fact fact{"in the store", record.id};
      fact.parts.push_back({"direction", std::string(to_string(record.direction))});
      fact.parts.push_back({"state", std::string(to_string(record.state))});
      fact.parts.push_back({"created", to_rfc3339(record.created)});
      if (!record.reason.empty()) fact.parts.push_back({"reason", record.reason});
      if (!record.mic.empty())
        fact.parts.push_back({"mic", fmt::format("{}, {}", record.mic, record.mic_algorithm)});
      found.layer.facts.push_back(std::move(fact));
    }
    if (records.empty() && explained.receipt)
      found.layer.remarks.emplace_back("the store has no message with the receipt's Original-Message-ID");
    if (records.empty() || records.front().mic.empty()) return {};
    const std::string stored = fmt::format("{}, {}", records.front().mic, records.front().mic_algorithm);
    if (explained.receipt)
      compare_with_receipt(stored, explained);
    else
      given_.emplace_back("the store, for message " + records.front().id, stored);
    return {};
  }

  /// A receipt alone: its MIC against the one that was kept with the message.
  static void compare_with_receipt(const std::string& stored, as2::Explanation& explained) {
    const auto kept = as2::parse_mic(stored);
    if (!kept || explained.receipt->mic_text.empty()) return;
    const bool equal = explained.receipt->mic && *explained.receipt->mic == *kept;
    explained.layers.back().checks.push_back(
        {equal ? as2::CheckResult::Held : as2::CheckResult::Failed,
         equal ? "its MIC is the one of the message in the store"
               : fmt::format("its MIC is not the one of the message in the store, {}: inspect the message "
                             "that was sent with --mdn "
                             "and this receipt to see what the partner hashed",
                             stored)});
  }

  Result<> explain_given_receipt(const as2::Capture& message) {
    if (options_.mdn.empty()) return {};
    SIGNET_TRY(const as2::Capture capture, read_captured(options_.mdn, "", area_));
    SIGNET_TRY(report_.receipt, explain(capture, false));
    if (!report_.receipt->receipt)
      return fail(ErrorKind::InvalidInput,
                  fmt::format("{} holds no receipt that can be read", options_.mdn.string()));
    const as2::MdnContent& receipt = *report_.receipt->receipt;
    const auto id = as2::MessageId::parse(message.headers.value("Message-ID").value_or(""));
    if (id && receipt.original_message_id) {
      const bool same = *id == *receipt.original_message_id;
      report_.receipt->layers.back().checks.push_back(
          {same ? as2::CheckResult::Held : as2::CheckResult::Failed,
           same ? "it is for this message, by its Original-Message-ID"
                : "it is for another message, by its Original-Message-ID"});
    }
    if (!receipt.mic_text.empty())
      given_.emplace_back("the receipt in " + options_.mdn.string(), receipt.mic_text);
    return {};
  }

  Result<> compare_mics() {
    if (!options_.mic.empty()) given_.emplace_back("--mic", options_.mic);
    report_.show_variants = options_.mic_variants;
    if (report_.message.receipt) return {};
    if (given_.empty() && !options_.mic_variants && !context_.json) return {};
    SIGNET_TRY(report_.variants, as2::mic_variants(report_.message.mic_bases));
    for (const auto& [source, given] : given_)
      report_.mics.push_back({source, as2::compare_mic(report_.message, report_.variants, given)});
    return {};
  }

  Result<> take_payload() {
    if (options_.show_payload == 0 || !report_.message.payload) return {};
    SIGNET_TRY(const Slice plain, as2::mime::decoded(*report_.message.payload, area_));
    SIGNET_TRY(const Bytes front, plain.sub(0, options_.show_payload).to_bytes(options_.show_payload));
    report_.payload = printable(as_text(front), options_.show_payload * 4);
    return {};
  }

  CommandContext& context_;
  const InspectCommandOptions& options_;
  const SpoolArea area_;
  std::unique_ptr<Home> home_;
  MaterialRequest request_;
  InspectReport report_;
  std::vector<std::pair<std::string, std::string>> given_;  ///< MICs with where they are from
};

}  // namespace

void add_inspect_command(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<InspectCommandOptions>();
  CLI::App* command = app.add_subcommand("inspect", "Explain a captured message or receipt layer by layer");
  command->footer(
      "Example: signet --home /srv/signet inspect request.http --mdn response.http\n"
      "FILE may be an HTTP request or response as captured, a MIME message, or a CMS message (DER, BER, PEM, "
      "base64). Without a\n"
      "home nothing is decrypted. Nothing is written anywhere, and no payload is shown unless --show-payload "
      "asks for it.\n"
      "Exit code 0: all that could be checked held; 1: something did not; 2: FILE cannot be understood;\n"
      "3: it is not there.");
  command->add_option("file", options->file, "What was captured; - for standard input")->required();
  command->add_option("--mdn", options->mdn, "The receipt for it: explained too, and its MIC compared");
  command->add_option("--mic", options->mic, "A MIC to compare, e.g. 'qZk+NkcGgWq6PiVxeFDCbJzQ2J0=, sha1'");
  command->add_option("--content-type", options->content_type,
                      "FILE is a body of this type, without its header");
  command->add_option("--agreement", options->agreement,
                      "Hold it against this agreement, whatever AS2-From and AS2-To say");
  command->add_option("--at", options->at, "The moment whose certificates count (RFC 3339); now by default");
  command->add_option("--memory", options->memory, "Megabytes that a layer may take")
      ->check([](const std::string& text) { return check_number(text, 1, kMostMegabytes); })
      ->capture_default_str();
  command->add_flag("--mic-variants", options->mic_variants,
                    "List every MIC that somebody might compute for it");
  command
      ->add_option("--show-payload", options->show_payload,
                   "Show so many octets of the payload, printable (256 if no number)")
      ->expected(0, 1)
      ->default_str(std::to_string(kDefaultShown));
  command->callback([&app, &context, options] {
    log::set_level(log::Level::Warning);
    options->home_given = app.get_option("--home")->count() > 0;
    run_command(context, [&] { return InspectRun(context, *options).run(); });
  });
}

}  // namespace signet::gateway
