#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "gateway/cli/call_record.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/cli/subcommands.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/operations/revocation_status.h"
#include "gateway/revocation/list_intake.h"
#include "gateway/revocation/wanted_lists.h"

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kLargestFile = 16 * 1024 * 1024;  ///< PEM of the largest list

struct CrlOptions {
  std::filesystem::path file;
  std::string name;
};

ordered_json to_json(const StoredRevocationList& stored, Time now) {
  const certstore::Crl& list = stored.list;
  return {{"authority", stored.authority},
          {"issuer", list.issuer().text()},
          {"partial", !stored.scope.empty()},
          {"number", list.number()},
          {"thisUpdate", to_rfc3339(list.this_update())},
          {"nextUpdate", to_rfc3339(list.next_update())},
          {"current", list.current_at(now)},
          {"entries", list.entries().size()},
          {"source", stored.source.empty() ? "imported" : url_for_people(stored.source)},
          {"taken", to_rfc3339(stored.taken)}};
}

std::string to_text(const StoredRevocationList& stored, Time now) {
  const certstore::Crl& list = stored.list;
  return fmt::format("{}  {} until {}  {} {}  {}\n    of {}\n    {}\n",
                     list.current_at(now) ? "good " : "ended", to_rfc3339(list.this_update()).substr(0, 16),
                     to_rfc3339(list.next_update()).substr(0, 16), list.entries().size(),
                     list.entries().size() == 1 ? "entry" : "entries",
                     stored.source.empty() ? "imported" : url_for_people(stored.source),
                     printable(list.issuer().text()), stored.authority);
}

ordered_json to_json(const RevocationSource& source) {
  return {{"authority", source.authority},
          {"urls", source.urls},
          {"tried", to_rfc3339(source.tried)},
          {"failures", source.failures},
          {"reason", source.reason}};
}

Result<> list(CommandContext& context, const CrlOptions&) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  const Time now = home->clock().now();
  SIGNET_TRY(const auto account, home->current_account());
  SIGNET_TRY(const auto stored, home->revocations().lists());
  SIGNET_TRY(const auto sources, home->revocations().sources());
  RevocationLists lists(home->revocations());
  SIGNET_CHECK(lists.reload());
  ordered_json value = {{"lists", ordered_json::array()},
                        {"fetches", ordered_json::array()},
                        {"certificates", ordered_json::array()}};
  std::string text = stored.empty() ? "no revocation lists\n" : "";
  for (const StoredRevocationList& one : stored) {
    value["lists"].push_back(to_json(one, now));
    text += to_text(one, now);
  }
  for (const RevocationSource& source : sources) {
    value["fetches"].push_back(to_json(source));
    if (source.failures > 0)
      text += fmt::format("not fetched since {} ({} in a row): {}\n", to_rfc3339(source.tried),
                          source.failures, printable(source.reason, 400));
  }
  const auto standings = revocation_standings(account, lists, now);
  if (!standings.empty()) text += "looked up\n";
  for (const RevocationStanding& standing : standings) {
    value["certificates"].push_back(to_json(standing));
    text += to_text(standing);
  }
  context.print(value, text);
  return {};
}

void print_taken(const CommandContext& context, const Intake& intake, Time now) {
  const bool taken = intake.change == RevocationStore::Change::Taken;
  ordered_json value = to_json(intake.list, now);
  value["change"] = taken ? "taken" : "unchanged";
  context.print(value, fmt::format("revocation list {}\n{}", taken ? "taken" : "is the one at hand",
                                   to_text(intake.list, now)));
}

Result<> import_list(CommandContext& context, const CrlOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto account, home->current_account());
  SIGNET_TRY(const Bytes octets, read_file(options.file, kLargestFile));
  const Time now = home->clock().now();
  const std::string what =
      fmt::format("{}, SHA-256 {}", options.file.string(), hex_upper(digest(Hash::Sha256, octets)));
  auto taken =
      recorded(*home, {caller().name, "importRevocationList", {{}, "revocation-lists", {}}, what},
               [&] { return take_list(octets, "", account->authorities(), {}, home->revocations(), now); });
  if (!taken && taken.error().kind == ErrorKind::AlreadyExists)
    return fail(
        ErrorKind::AlreadyExists,
        fmt::format("{}: {}; an authority that has begun to number anew: signet crl remove comes first",
                    options.file.string(), taken.error().detail));
  if (!taken) return fail(std::move(taken).error().within(options.file.string()));
  print_taken(context, *taken, now);
  return {};
}

/// Notes what became of it, as the gateway does.
Result<Intake> fetch_wanted(Home& home, const FetchPorts& ports, const AllowedUrls& allowed,
                            const WantedList& wanted) {
  auto fetched =
      recorded(home,
               {caller().name,
                "fetchRevocationList",
                {{}, "revocation-lists/" + wanted.authority, {}},
                wanted.joined_urls()},
               [&] { return fetch_list(ports, allowed, wanted.urls, wanted.issuer, wanted.subjects); });
  RevocationSource source{wanted.authority, wanted.joined_urls(), ports.clock.now(), 0, {}};
  if (!fetched) {
    source.failures = 1;
    source.reason = fetched.error().detail;
  }
  SIGNET_CHECK(ports.store.put_source(source));
  return fetched;
}

Result<> fetch(CommandContext& context, const CrlOptions&) {
  log::set_level(log::Level::Warning);
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const ServeSettings settings, read_serve_settings({}, home->directory() / "serve.toml"));
  SIGNET_TRY(const auto account, home->current_account());
  RevocationLists lists(home->revocations());
  SIGNET_CHECK(lists.reload());
  HttpClient client(home->spool_area());
  const FetchPorts ports{[&client](const HttpGet& get) { return client.get(get); }, home->revocations(),
                         home->clock()};
  const AllowedUrls allowed = crl_places_of(settings);
  const Time now = home->clock().now();
  ordered_json value = ordered_json::array();
  std::string text;
  for (const WantedList& wanted : wanted_lists(account, lists, now)) {
    const auto fetched = fetch_wanted(*home, ports, allowed, wanted);
    if (!fetched) context.exit_code = ExitCode::Refused;
    ordered_json one =
        fetched ? to_json(fetched->list, now) : ordered_json{{"issuer", wanted.issuer.subject()}};
    one["certificates"] = wanted.certificates;
    one["change"] = !fetched                                            ? "failed"
                    : fetched->change == RevocationStore::Change::Taken ? "taken"
                                                                        : "unchanged";
    one["reason"] = fetched ? "" : fetched.error().detail;
    value.push_back(std::move(one));
    text += fetched ? to_text(fetched->list, now)
                    : fmt::format("not fetched, for {}: {}\n", fmt::join(wanted.certificates, ", "),
                                  fetched.error().detail);
  }
  context.print(value,
                text.empty() ? "no agreement has certificates looked up that another one issued" : text);
  return {};
}

Result<> check(CommandContext& context, const CrlOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto account, home->current_account());
  SIGNET_TRY(const certstore::Certificate certificate, account->certificate(options.name));
  RevocationLists lists(home->revocations());
  SIGNET_CHECK(lists.reload());
  const RevocationFinding finding = lists.look_up(certificate, account, home->clock().now());
  if (finding.status == RevocationStatus::Revoked) context.exit_code = ExitCode::Refused;
  if (finding.status == RevocationStatus::Unknown) context.exit_code = ExitCode::Unavailable;
  context.print(
      {{"certificate", options.name}, {"status", to_string(finding.status)}, {"reason", finding.reason}},
      fmt::format("{}: {}{}", options.name, to_string(finding.status),
                  finding.reason.empty() ? "" : ": " + finding.reason));
  return {};
}

Result<> remove(CommandContext& context, const CrlOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_CHECK(recorded(
      *home,
      {caller().name, "removeRevocationLists", {{}, "revocation-lists/" + printable(options.name), {}}},
      [&] { return home->revocations().remove(options.name); }));
  context.print({{"removed", options.name}}, fmt::format("the revocation lists of {} removed", options.name));
  return {};
}

}  // namespace

void add_crl_commands(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<CrlOptions>();
  CLI::App* crl = app.add_subcommand("crl", "Revocation lists that certificates are looked up in");
  crl->require_subcommand(1);
  crl->footer("Example: signet crl list");
  const Subcommands command(*crl, context, options);
  command("list", "The lists at hand, what could not be fetched, and how the certificates stand",
          "Example: signet crl list --output json", list);
  command("import", "Take a list in that an authority of the account's public certificates has signed",
          "Example: signet crl import globex-ca.crl", import_list)
      ->add_option("file", options->file, "The list: DER or PEM")
      ->required();
  command("fetch",
          "Fetch the lists of the certificates in use now, from where serve.toml allows (crl-allow-url)",
          "Example: signet crl fetch\nThe gateway does that by itself, before a list ends.", fetch);
  command("check", "Look a certificate of the account up in the lists at hand",
          "Example: signet crl check globex-2026\nThe exit code is 0 for one that is not revoked, or "
          "self-signed; 1 for one that is; 5 when nobody can say.",
          check)
      ->add_option("name", options->name, "Its name")
      ->required();
  command("remove", "Remove the lists of an authority, so that an older one can take their place",
          "Example: signet crl remove 0A1B... (the authority, as 'signet crl list' shows it)", remove)
      ->add_option("authority", options->name, "SHA-256 of its key")
      ->required();
}

}  // namespace signet::gateway
