#include <fmt/format.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "gateway/api/exchange_json.h"
#include "gateway/api/lifecycle_json.h"
#include "gateway/cli/call_record.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/home_exchanges.h"
#include "gateway/cli/home_rollovers.h"
#include "gateway/cli/notice_settings.h"
#include "gateway/cli/output_file.h"
#include "gateway/cli/printed_list.h"
#include "gateway/cli/subcommands.h"

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

struct RolloverOptions {
  std::string agreement;  ///< of one rollover
  std::string certificate;
  std::string replaced;
  std::vector<std::string> agreements;
  std::vector<std::string> roles;
  std::string accept_from, use_from, retire_at, respond_by;
  std::filesystem::path certificate_file;
  std::vector<std::string> mail;
  bool dry_run = false;
};

std::string to_text(const std::optional<Time>& time) { return time ? to_rfc3339(*time) : "-"; }

std::string to_line(const Rollover& rollover, Time now) {
  return fmt::format("{:<24} {} -> {}  {}, accepted from {}, used from {}, retired at {}{}\n",
                     rollover.agreement, fmt::join(rollover.replaced(), ", "), rollover.successor,
                     to_string(rollover.state(now)), to_text(rollover.accepted_from()),
                     to_text(rollover.used_from()), to_text(rollover.retired_at()),
                     rollover.awaits_acceptance() ? ", once the partner has accepted it" : "");
}

std::string to_text(const Rollover& rollover, Time now) {
  std::string text;
  const auto line = [&text](std::string_view name, std::string_view value) {
    text += fmt::format("{:<12} {}\n", name, value);
  };
  line("agreement", rollover.agreement);
  line("certificate", fmt::format("{}, {}", rollover.successor, rollover.ours ? "ours" : "the partner's"));
  line("replaces", fmt::format("{}", fmt::join(rollover.replaced(), ", ")));
  line("state", fmt::format("{}{}", to_string(rollover.state(now)),
                            rollover.awaits_acceptance() ? ", and the partner's acceptance is awaited" : ""));
  line("accept from", to_text(rollover.accepted_from()));
  line("use from", to_text(rollover.used_from()));
  line("retire at", to_text(rollover.retired_at()));
  for (const RoleRollover& role : rollover.roles)
    line("role", fmt::format("{}: from {} on, '{}' until {}", to_string(role.role), to_rfc3339(role.from),
                             role.replaced, to_text(role.retired_at)));
  return text;
}

ordered_json to_json(const api::RolloverOutcome& outcome) {
  ordered_json value = api::json_of(outcome);
  value["errors"] = ordered_json::array();
  for (const agreements::Problem& error : outcome.errors)
    value["errors"].push_back({{"path", error.path},
                               {"expected", error.expected},
                               {"found", error.found},
                               {"advice", error.advice}});
  return value;
}

void print(CommandContext& context, const api::RolloverOutcome& outcome, bool dry_run) {
  if (!outcome.errors.empty()) context.exit_code = ExitCode::Refused;
  std::string text = agreements::to_string(outcome.errors) + agreements::to_string(outcome.changes);
  if (outcome.changed)
    text += "changed; a running gateway goes by it from its next message on\n";
  else if (outcome.errors.empty() && outcome.changes.empty())
    text += "nothing to change\n";
  else
    text += dry_run && outcome.errors.empty() ? "dry run: nothing was changed\n" : "nothing was changed\n";
  context.print(to_json(outcome), text, outcome.warnings);
}

Result<Time> date(const std::string& text, std::string_view option) {
  auto time = parse_time(text);
  if (!time) return fail(std::move(time).error().within(option));
  return std::chrono::floor<std::chrono::seconds>(*time);
}

Result<> plan(CommandContext& context, const RolloverOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  RolloverPlan plan{options.certificate, options.replaced, options.agreements, {}, {}, {}, {}};
  for (const std::string& word : options.roles) {
    SIGNET_TRY(const agreements::CertificateRole role, parse_certificate_role(word));
    plan.roles.push_back(role);
  }
  plan.accept_from = std::chrono::floor<std::chrono::seconds>(home->clock().now());
  if (!options.accept_from.empty()) {
    SIGNET_TRY(plan.accept_from, date(options.accept_from, "--accept-from"));
  }
  SIGNET_TRY(plan.use_from, date(options.use_from, "--use-from"));
  SIGNET_TRY(plan.retire_at, date(options.retire_at, "--retire-at"));
  SIGNET_TRY(const auto outcome, HomeRollovers(*home).plan(caller(), plan, options.dry_run));
  print(context, outcome, options.dry_run);
  return {};
}

Result<> list(CommandContext& context, const RolloverOptions&) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto rollovers, HomeRollovers(*home).list());
  const Time now = home->clock().now();
  print_list(
      context, rollovers,
      [&](const Rollover& one) {
        return ListItem{api::json_of(one, now), to_line(one, now)};
      },
      "no rollovers");
  return {};
}

Result<> show(CommandContext& context, const RolloverOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const Rollover rollover, HomeRollovers(*home).show(options.agreement, options.certificate));
  const Time now = home->clock().now();
  context.print(api::json_of(rollover, now), to_text(rollover, now));
  return {};
}

using Step = Result<api::RolloverOutcome> (HomeRollovers::*)(const vault::Principal&, std::string_view,
                                                             std::string_view, bool);

template <Step step>
Result<> take(CommandContext& context, const RolloverOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  HomeRollovers rollovers(*home);
  SIGNET_TRY(const auto outcome,
             (rollovers.*step)(caller(), options.agreement, options.certificate, options.dry_run));
  print(context, outcome, options.dry_run);
  return {};
}

/// What the partner reads: the dates are what they have to go by.
std::string letter(const Rollover& rollover, const certstore::Certificate& certificate) {
  std::string text = fmt::format(
      "Our certificate changes. The new one is below, and attached to nothing else: please compare its "
      "SHA-256 with us by "
      "another way before you rely on it.\n\nsubject   {}\nSHA-256   {}\nvalid     {} to {}\n\n",
      printable_line(certificate.subject(), 300), certificate.thumbprint_sha256(),
      to_rfc3339(certificate.not_before()), to_rfc3339(certificate.not_after()));
  if (const auto from = rollover.used_from())
    text += fmt::format("We sign with it from {} on: please accept it before that, beside the present one.\n",
                        to_rfc3339(*from));
  if (const auto from = rollover.accepted_from())
    text += fmt::format("You can encrypt with it from {} on", to_rfc3339(*from));
  if (const auto until = rollover.retired_at())
    text += fmt::format("{}the present one {} until {}.\n", rollover.accepted_from() ? "; " : "",
                        rollover.accepted_from() ? "works" : "is in use", to_rfc3339(*until));
  return text + "\n" + certificate.pem();
}

Result<> write_certificate(const RolloverOptions& options, const certstore::Certificate& certificate) {
  SIGNET_TRY(OutputFile file, OutputFile::write(options.certificate_file, as_bytes(certificate.pem())));
  file.keep();
  return {};
}

Result<> mail_certificate(Home& home, const RolloverOptions& options, const Rollover& rollover,
                          const certstore::Certificate& certificate) {
  SIGNET_TRY(const ServeSettings settings, read_serve_settings({}, home.directory() / "serve.toml"));
  SIGNET_TRY(const MailServer server, mail_server_of(home, settings));
  const Time now = home.clock().now();
  return send_mail(
      server,
      {options.mail, "Our new AS2 certificate", letter(rollover, certificate),
       fmt::format("rollover.{}.{}", certificate.thumbprint_sha256(), now.time_since_epoch().count()), now},
      std::atomic<bool>(false));
}

/// A certificate is public: what is written down is that, and to whom, it was given.
Result<> publish(CommandContext& context, const RolloverOptions& options) {
  if (options.certificate_file.empty() == options.mail.empty())
    return fail(ErrorKind::InvalidInput,
                "say one of --certificate-file and --mail: where the certificate is to go");
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const Rollover rollover, HomeRollovers(*home).show(options.agreement, options.certificate));
  if (!rollover.ours)
    return fail(ErrorKind::InvalidInput, fmt::format("'{}' is the partner's certificate, who has it already",
                                                     printable(options.certificate)));
  SIGNET_TRY(const auto account, home->current_account());
  SIGNET_TRY(const certstore::Certificate certificate, account->certificate(options.certificate));
  const std::string where = options.mail.empty() ? options.certificate_file.string()
                                                 : fmt::format("{}", fmt::join(options.mail, ", "));
  const std::string what = fmt::format("SHA-256 {} to {}", certificate.thumbprint_sha256(), where);
  SIGNET_CHECK(recorded(
      *home, {caller().name, "publishCertificate", {{}, "certificates/" + options.certificate, {}}, what},
      [&] {
        return options.mail.empty() ? write_certificate(options, certificate)
                                    : mail_certificate(*home, options, rollover, certificate);
      }));
  context.print({{"certificate", options.certificate},
                 {"thumbprintSha256", certificate.thumbprint_sha256()},
                 {"to", where}},
                fmt::format("certificate {} ({}) is with {}\n", options.certificate,
                            certificate.thumbprint_sha256(), where));
  return {};
}

/// By a message (CEM): the partner answers.
Result<> announce(CommandContext& context, const RolloverOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  std::optional<Time> respond_by;
  if (!options.respond_by.empty()) {
    SIGNET_TRY(respond_by, date(options.respond_by, "--respond-by"));
  }
  SIGNET_TRY(const CertificateExchangeRecord record,
             HomeExchanges(*home).announce(caller(), options.agreement, options.certificate, respond_by));
  context.print(
      api::json_of(record),
      fmt::format("announced under {} in message {}, which the gateway that serves this home sends; '{}' is "
                  "used once the partner has accepted it\n",
                  record.id, record.message, options.certificate));
  return {};
}

void add_plan_options(CLI::App* planning, const std::shared_ptr<RolloverOptions>& options) {
  planning->add_option("certificate", options->certificate, "The new certificate's name")->required();
  planning->add_option("--replaces", options->replaced, "The name of the one whose place it takes")
      ->required();
  planning->add_option("--agreement", options->agreements,
                       "In this agreement; by default in all that have the old one");
  planning->add_option(
      "--role", options->roles,
      "In this role (verifyMessage, decrypt, signMdn, signMessage, encrypt, verifyMdn); by default in "
      "all that have the old one");
  planning->add_option("--accept-from", options->accept_from,
                       "When the new one is accepted beside the old one: a day, or a time such as "
                       "2027-03-01T06:00:00Z; at once by default");
  planning->add_option("--use-from", options->use_from, "When the new one signs and encrypts")->required();
  planning->add_option("--retire-at", options->retire_at, "When the old one is no longer accepted")
      ->required();
}

}  // namespace

void add_rollover_commands(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<RolloverOptions>();
  CLI::App* rollover = app.add_subcommand(
      "rollover", "How one certificate takes the place of another in agreements, while messages go on");
  rollover->require_subcommand(1);
  rollover->footer("Example: signet rollover list");
  const Subcommands command(*rollover, context, options);
  const auto with_names = [&](CLI::App* made) {
    made->add_option("agreement", options->agreement, "The agreement's name")->required();
    made->add_option("certificate", options->certificate, "The new certificate's name")->required();
    return made;
  };
  const auto with_dry_run = [&](CLI::App* made) {
    made->add_flag("--dry-run", options->dry_run, "Only print what would change, and what stands against it");
  };

  CLI::App* planning =
      command("plan", "Plan it, or give it other dates: all agreements or none",
              "Example: signet rollover plan acme-2027 --replaces acme-2026 --use-from 2027-03-01 "
              "--retire-at 2027-04-01 --dry-run",
              plan);
  add_plan_options(planning, options);
  with_dry_run(planning);
  command("list", "All that are under way", "Example: signet rollover list", list);
  with_names(command("show", "One of them", "Example: signet rollover show acme-globex acme-2027", show));
  CLI::App* publishing = with_names(
      command("publish", "Give our new certificate to the partner, with the dates",
              "Example: signet rollover publish acme-globex acme-2027 --mail as2@globex.example", publish));
  publishing->add_option("--certificate-file", options->certificate_file,
                         "Write it to this new file, as PEM");
  publishing->add_option("--mail", options->mail, "Mail it to this address, by the smtp-url of serve.toml");
  with_names(command("announce",
                     "Announce our new certificate to the partner by a message (CEM), and use it once he has "
                     "accepted it",
                     "Example: signet rollover announce acme-globex acme-2027 --respond-by 2027-02-15",
                     announce))
      ->add_option("--respond-by", options->respond_by,
                   "Until when the partner should answer; when its use is to begin by default");
  with_dry_run(with_names(command("advance", "Take the next step now: accept, use, or retire",
                                  "Example: signet rollover advance acme-globex acme-2027",
                                  take<&HomeRollovers::advance>)));
  with_dry_run(with_names(command("cancel", "Go back to the old certificate, at whatever step",
                                  "Example: signet rollover cancel acme-globex acme-2027",
                                  take<&HomeRollovers::cancel>)));
  with_dry_run(with_names(command("complete", "Take the old certificate, once retired, out of the agreement",
                                  "Example: signet rollover complete acme-globex acme-2027",
                                  take<&HomeRollovers::complete>)));
}

}  // namespace signet::gateway
