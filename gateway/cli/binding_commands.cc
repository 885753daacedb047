#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/printed_list.h"
#include "gateway/cli/service_bindings.h"
#include "gateway/cli/subcommands.h"

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

struct BindingOptions {
  std::vector<std::string> pairs;  ///< name, thumbprint, name, thumbprint...
  std::string algorithm;
  std::string name;
  bool dry_run = false;
};

ordered_json to_json(const std::optional<certstore::Thumbprint>& thumbprint) {
  if (!thumbprint) return nullptr;
  return {{"thumbprint", thumbprint->digits}, {"thumbprintAlgorithm", to_string(thumbprint->algorithm)}};
}

std::string to_text(const std::optional<certstore::Thumbprint>& thumbprint) {
  return thumbprint ? to_string(*thumbprint) : "nothing";
}

ordered_json to_json(const api::ServiceCertificateView& view) {
  ordered_json value = {{"name", view.definition.name},
                        {"store", view.definition.store},
                        {"hosts", view.definition.hosts},
                        {"permissionLevel", to_string(view.definition.use)},
                        {"binding", nullptr},
                        {"usedBy", view.users},
                        {"objections", view.objections}};
  if (view.binding) {
    value["binding"] = to_json(view.binding->thumbprint);
    value["binding"]["changed"] = to_rfc3339(view.binding->changed);
    value["binding"]["changedBy"] = view.binding->changed_by;
    value["binding"]["earlier"] = ordered_json::array();
    for (const certstore::Thumbprint& thumbprint : view.binding->earlier)
      value["binding"]["earlier"].push_back(to_json(thumbprint));
  }
  if (view.certificate)
    value["certificate"] = {{"subject", view.certificate->subject()},
                            {"notAfter", to_rfc3339(view.certificate->not_after())},
                            {"thumbprintSha256", view.certificate->thumbprint_sha256()}};
  return value;
}

std::string to_line(const api::ServiceCertificateView& view) {
  std::string text = fmt::format(
      "{:<24} {:<18} {}{}{}\n", view.definition.name, to_string(view.definition.use),
      view.binding ? to_string(view.binding->thumbprint) : "not bound",
      view.certificate ? "  until " + to_rfc3339(view.certificate->not_after()).substr(0, 10) : "",
      view.users.empty() ? "" : fmt::format("  used by {}", fmt::join(view.users, ", ")));
  for (const std::string& objection : view.objections)
    text += fmt::format("{:<24} the certificate {}\n", "", objection);
  return text;
}

std::string to_text(const api::ServiceCertificateView& view) {
  std::string text;
  const auto line = [&text](std::string_view name, std::string_view value) {
    if (!value.empty()) text += fmt::format("{:<12} {}\n", name, value);
  };
  line("name", view.definition.name);
  line("store", view.definition.store);
  line("hosts", fmt::format("{}", fmt::join(view.definition.hosts, ", ")));
  line("level", to_string(view.definition.use));
  line("bound to", view.binding ? to_string(view.binding->thumbprint) : "nothing");
  if (view.binding)
    line("since", fmt::format("{} by {}", to_rfc3339(view.binding->changed), view.binding->changed_by));
  if (view.certificate) {
    line("subject", printable(view.certificate->subject()));
    line("until", to_rfc3339(view.certificate->not_after()));
  }
  if (view.binding)
    for (const certstore::Thumbprint& thumbprint : view.binding->earlier)
      line("before", to_string(thumbprint));
  line("used by", fmt::format("{}", fmt::join(view.users, ", ")));
  for (const std::string& objection : view.objections) line("objection", "the certificate " + objection);
  return text;
}

ordered_json to_json(const api::BindingOutcome& outcome) {
  ordered_json changes = ordered_json::array();
  for (const certstore::BindingChange& change : outcome.changes)
    changes.push_back(
        {{"name", change.name}, {"before", to_json(change.before)}, {"after", to_json(change.after)}});
  ordered_json refusals = ordered_json::array();
  for (const api::BindingRefusal& refusal : outcome.refusals)
    refusals.push_back({{"name", refusal.name}, {"reason", refusal.reason}});
  return {{"changed", outcome.changed}, {"changes", std::move(changes)}, {"refusals", std::move(refusals)}};
}

std::string to_text(const api::BindingOutcome& outcome, bool dry_run) {
  std::string text;
  for (const certstore::BindingChange& change : outcome.changes)
    text += fmt::format("{:<24} {} -> {}\n", change.name, to_text(change.before), to_text(change.after));
  for (const api::BindingRefusal& refusal : outcome.refusals)
    text += fmt::format("refused: '{}' {}\n", refusal.name, refusal.reason);
  if (outcome.changed) return text + "bound\n";
  if (!outcome.refusals.empty()) return text + "nothing was changed\n";
  if (outcome.changes.empty()) return text + "nothing to change\n";
  return text + (dry_run ? "dry run: nothing was changed\n" : "nothing was changed\n");
}

Result<> set(CommandContext& context, const BindingOptions& options) {
  if (options.pairs.size() % 2 != 0)
    return fail(ErrorKind::InvalidInput,
                fmt::format("'{}' has no thumbprint behind it: names and thumbprints come in pairs",
                            printable(options.pairs.back())));
  std::vector<api::BindingRequest> requests;
  for (std::size_t i = 0; i < options.pairs.size(); i += 2)
    requests.push_back({options.pairs[i], options.pairs[i + 1], options.algorithm});
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const api::BindingOutcome outcome,
             HomeServiceCertificates(*home).bind(caller(), requests, options.dry_run));
  if (!outcome.refusals.empty()) context.exit_code = ExitCode::Refused;
  context.print(to_json(outcome), to_text(outcome, options.dry_run), outcome.warnings);
  return {};
}

Result<> list(CommandContext& context, const BindingOptions&) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto views, HomeServiceCertificates(*home).list());
  print_list(
      context, views,
      [](const api::ServiceCertificateView& view) {
        return ListItem{to_json(view), to_line(view)};
      },
      "no service certificates: serve.toml defines them");
  return {};
}

Result<> show(CommandContext& context, const BindingOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const api::ServiceCertificateView view, HomeServiceCertificates(*home).show(options.name));
  context.print(to_json(view), to_text(view));
  return {};
}

/// A name that somebody goes by has to be bound, and what it is bound to has to do.
Result<> check(CommandContext& context, const BindingOptions&) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto views, HomeServiceCertificates(*home).list());
  ordered_json problems = ordered_json::array();
  std::string text;
  const auto add = [&](const std::string& name, const std::string& reason) {
    problems.push_back({{"name", name}, {"reason", reason}});
    text += fmt::format("'{}' {}\n", name, reason);
  };
  for (const api::ServiceCertificateView& view : views) {
    for (const std::string& objection : view.objections)
      add(view.definition.name, "is bound to a certificate that " + objection);
    if (!view.binding && !view.users.empty())
      add(view.definition.name, fmt::format("is not bound, and {} goes by it", fmt::join(view.users, ", ")));
  }
  if (!problems.empty()) context.exit_code = ExitCode::Refused;
  context.print({{"problems", problems}}, text.empty() ? "all bindings hold" : text);
  return {};
}

Result<> remove(CommandContext& context, const BindingOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_CHECK(HomeServiceCertificates(*home).unbind(caller(), options.name));
  context.print({{"unbound", options.name}}, fmt::format("{} is bound to nothing", options.name));
  return {};
}

}  // namespace

void add_binding_commands(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<BindingOptions>();
  CLI::App* binding = app.add_subcommand(
      "binding", "Which certificates of the vault the names of service certificates stand for");
  binding->require_subcommand(1);
  binding->footer("Example: signet binding list");
  const Subcommands command(*binding, context, options);
  const auto with_name = [&](CLI::App* made) {
    made->add_option("name", options->name, "The service certificate's name")->required();
  };

  CLI::App* setting = command(
      "set",
      "Bind names to certificates by their thumbprints, all or none; a running gateway goes by them within a "
      "second",
      "Example: signet binding set www 3F0A...C2 api 77B1...09 --dry-run", set);
  setting
      ->add_option("bindings", options->pairs,
                   "Names, and behind each a thumbprint: hexadecimal digits; spaces and colons do not matter")
      ->required();
  setting
      ->add_option("--algorithm", options->algorithm,
                   "What the thumbprints are made with; by default their length says it")
      ->check(CLI::IsMember({"sha256", "sha1"}));
  setting->add_flag("--dry-run", options->dry_run,
                    "Only print what would change, and what stands against it");

  command("list", "All service certificates, and what they are bound to", "Example: signet binding list",
          list);
  with_name(command("show", "One service certificate", "Example: signet binding show www", show));
  command("check", "Whether every name is bound, to a certificate that still does",
          "Example: signet binding check", check);
  with_name(command("delete", "Take the binding from a name that no agreement and no listener goes by",
                    "Example: signet binding delete www", remove));
}

}  // namespace signet::gateway
