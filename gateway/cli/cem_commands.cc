#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "certstore/x509/certificate.h"
#include "gateway/api/exchange_json.h"
#include "gateway/api/lifecycle_json.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/home_exchanges.h"
#include "gateway/cli/printed_list.h"
#include "gateway/cli/subcommands.h"

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

struct CemOptions {
  std::string id;
  std::string name;
  std::string use_from, retire_at;
  std::string reason;
  bool dry_run = false;
};

std::string to_line(const CertificateExchangeRecord& record) {
  return fmt::format("{}  {:<8} {:<24} {}  {}, {}{}\n", record.id, to_string(record.origin), record.agreement,
                     to_string(record.state), record.usages,
                     record.terms.name.empty() ? "" : record.terms.name + ", ", to_rfc3339(record.created));
}

std::string to_text(const CertificateExchangeRecord& record) {
  std::string text;
  const auto line = [&text](std::string_view name, std::string_view value) {
    if (!value.empty()) text += fmt::format("{:<12} {}\n", name, value);
  };
  const bool ours = record.origin == ExchangeOrigin::Us;
  line("id", record.id);
  line("agreement", record.agreement);
  line("whose", ours ? "ours, for the partner to answer" : "the partner's, for us to answer");
  line("state", fmt::format("{}{}", to_string(record.state),
                            record.settled ? "" : ", and something is left to be done"));
  line("certificate", record.terms.name);
  if (const auto certificate = certstore::Certificate::parse(record.certificate)) {
    line("subject", printable_line(certificate->subject(), 300));
    line("issuer", printable_line(certificate->issuer(), 300));
    line("serial", certificate->serial());
    line("valid", fmt::format("{} to {}", to_rfc3339(certificate->not_before()),
                              to_rfc3339(certificate->not_after())));
  }
  line("SHA-256", record.thumbprint);
  line("usages", record.usages);
  line("announced", fmt::format("{}{}{}", to_rfc3339(record.created), ours ? " by " : "", record.created_by));
  if (record.respond_by) line("respond by", to_rfc3339(*record.respond_by));
  if (record.decided)
    line("decided",
         fmt::format("{} by {}", to_rfc3339(*record.decided), ours ? "the partner" : record.decided_by));
  line("reason", printable_line(record.reason, 300));
  if (!ours && record.state == ExchangeState::Accepted) {
    line("use from", to_rfc3339(record.terms.use_from));
    line("retire at", to_rfc3339(record.terms.retire_at));
  }
  line("request", record.request_id);
  line("message", record.message);
  line("response", record.response);
  return text;
}

Result<> list(CommandContext& context, const CemOptions&) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto records, HomeExchanges(*home).list());
  print_list(
      context, records,
      [](const CertificateExchangeRecord& one) {
        return ListItem{api::json_of(one), to_line(one)};
      },
      "no certificates were exchanged by messages");
  return {};
}

Result<> show(CommandContext& context, const CemOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const CertificateExchangeRecord record, HomeExchanges(*home).show(options.id));
  context.print(api::json_of(record), to_text(record));
  return {};
}

Result<std::optional<Time>> optional_date(const std::string& text, std::string_view option) {
  if (text.empty()) return std::nullopt;
  auto time = parse_time(text);
  if (!time) return fail(std::move(time).error().within(option));
  return std::optional<Time>(std::chrono::floor<std::chrono::seconds>(*time));
}

Result<> accept(CommandContext& context, const CemOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  api::ExchangeAcceptance acceptance;
  acceptance.id = options.id;
  acceptance.name = options.name;
  SIGNET_TRY(acceptance.use_from, optional_date(options.use_from, "--use-from"));
  SIGNET_TRY(acceptance.retire_at, optional_date(options.retire_at, "--retire-at"));
  SIGNET_TRY(const auto outcome, HomeExchanges(*home).accept(caller(), acceptance, options.dry_run));
  if (!outcome.errors.empty()) context.exit_code = ExitCode::Refused;
  std::string text = agreements::to_string(outcome.errors) + agreements::to_string(outcome.changes);
  text += outcome.changed ? "accepted; the partner is told by the gateway that serves this home\n"
                          : "nothing was decided\n";
  ordered_json value = api::json_of(outcome);
  value["errors"] = ordered_json::array();
  for (const agreements::Problem& error : outcome.errors)
    value["errors"].push_back(agreements::to_string(error));
  context.print(value, text, outcome.warnings);
  return {};
}

Result<> reject(CommandContext& context, const CemOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const CertificateExchangeRecord record,
             HomeExchanges(*home).reject(caller(), options.id, options.reason));
  context.print(api::json_of(record), to_text(record));
  return {};
}

}  // namespace

void add_cem_commands(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<CemOptions>();
  CLI::App* cem =
      app.add_subcommand("cem", "Certificates that partners and we announce to each other by messages (CEM)");
  cem->require_subcommand(1);
  cem->footer("Example: signet cem list\nOurs are announced by 'signet rollover announce'.");
  const Subcommands command(*cem, context, options);
  const auto with_id = [&](CLI::App* made) {
    made->add_option("id", options->id, "Its id, or the first 8 digits of it or more")->required();
    return made;
  };
  command("list", "All of them, the newest first", "Example: signet cem list", list);
  with_id(command("show", "One of them", "Example: signet cem show 4f1c9a02", show));
  CLI::App* accepting = with_id(command(
      "accept", "Take a partner's certificate into the account and his agreement, and tell him",
      "Example: signet cem accept 4f1c9a02 --name globex-2027 --use-from 2027-03-01 --retire-at 2027-04-01",
      accept));
  accepting->add_option("--name", options->name,
                        "The certificate's name in the account; one is made by default");
  accepting->add_option(
      "--use-from", options->use_from,
      "When we encrypt for it: a day, or a time such as 2027-03-01T06:00:00Z; at once by default");
  accepting->add_option("--retire-at", options->retire_at,
                        "When the partner's present one is no longer accepted; 30 days later by default");
  accepting->add_flag("--dry-run", options->dry_run,
                      "Only print what would change, and what stands against it");
  with_id(
      command("reject", "Turn a partner's certificate down, and tell him",
              "Example: signet cem reject 4f1c9a02 --reason \"The fingerprint is not the one we were given\"",
              reject))
      ->add_option("--reason", options->reason, "Why; the partner reads it")
      ->required();
}

}  // namespace signet::gateway
