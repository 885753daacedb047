#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/subcommands.h"
#include "gateway/cli/vault_lifecycle.h"
#include "gateway/cli/vault_users.h"
#include "gateway/remote_vault/linked_vaults.h"
#include "gateway/store/vault_link_store.h"

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kLargestAuthorities = std::size_t{1} << 20;

struct LinkOptions {
  VaultLink link;
  std::filesystem::path ca;
};

std::filesystem::path absolute_path(const std::filesystem::path& file) {
  return file.empty() ? file : std::filesystem::absolute(file).lexically_normal();
}

ordered_json to_json(const VaultLink& link) {
  ordered_json value = {{"name", link.name}, {"where", link.url}};
  if (link.by_token()) {
    value["tokenFile"] = link.token_file.string();
  } else {
    value["clientId"] = link.client_id;
    value["clientSecretFile"] = link.client_secret_file.string();
    value["authority"] = link.authority;
  }
  value["authorities"] = link.authorities;
  value["linked"] = to_rfc3339(link.created);
  return value;
}

ordered_json own_json(const std::string& name) { return {{"name", name}, {"where", "here"}}; }

std::string to_text(const VaultLink& link) {
  const std::string who = link.by_token()
                              ? fmt::format("token       {}\n", link.token_file.string())
                              : fmt::format("client      {}\nsecret      {}\nauthority   {}\n",
                                            link.client_id, link.client_secret_file.string(), link.authority);
  return fmt::format("name        {}\nwhere       {}\n{}TLS         {}\nlinked      {}\n", link.name,
                     link.url, who,
                     link.authorities.empty() ? "by the machine's authorities" : "by the authorities given",
                     to_rfc3339(link.created));
}

/// What is linked is asked at once whether it knows us, so that a mistake shows here and not with the first
/// message. That it does not answer at the moment is no reason to link nothing.
std::vector<std::string> link_warnings(Home& home, const VaultLink& link) {
  const auto linked = home.linked_vaults().find(link.name);
  if (!linked || *linked == nullptr) return {};
  const Result<> answered = (*linked)->check();
  if (answered) return {};
  return {answered.error().detail};
}

Result<> link(CommandContext& context, const LinkOptions& options) {
  VaultLink wanted = options.link;
  wanted.token_file = absolute_path(wanted.token_file);
  wanted.client_secret_file = absolute_path(wanted.client_secret_file);
  if (!options.ca.empty()) {
    SIGNET_TRY(wanted.authorities, read_text_file(options.ca, kLargestAuthorities));
    if (wanted.authorities.empty())
      return fail(
          ErrorKind::InvalidInput,
          fmt::format("{} is empty: expected the certificates of those who vouch for the vault, as PEM",
                      options.ca.string()));
  }
  for (const auto& file : {wanted.token_file, wanted.client_secret_file})
    if (!file.empty()) SIGNET_CHECK(read_secret_line(file));
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const VaultLink made, home->linked_vaults().link(caller(), std::move(wanted)));
  context.print(to_json(made), "linked\n" + to_text(made), link_warnings(*home, made));
  return {};
}

Result<> unlink(CommandContext& context, const LinkOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const std::vector<std::string> users, users_of_vault(*home, {}, options.link.name));
  if (!users.empty())
    return fail(ErrorKind::AlreadyExists,
                fmt::format("vault '{}' is used by {}: have them use another one first; nothing was changed",
                            options.link.name, fmt::join(users, ", ")));
  SIGNET_CHECK(home->linked_vaults().unlink(caller(), options.link.name));
  context.print({{"name", to_lower(options.link.name)}, {"unlinked", true}},
                fmt::format("'{}' stands for no vault any more", options.link.name));
  return {};
}

Result<> list(CommandContext& context, const LinkOptions&) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto own, home->vault_links().own_vaults());
  SIGNET_TRY(const auto links, home->vault_links().links());
  ordered_json value = ordered_json::array();
  std::string text;
  for (const std::string& name : own) {
    value.push_back(own_json(name));
    text += fmt::format("{:<24} here\n", name);
  }
  for (const VaultLink& link : links) {
    value.push_back(to_json(link));
    text += fmt::format("{:<24} {}\n", link.name, link.url);
  }
  context.print(value, text.empty() ? "no vaults" : text);
  return {};
}

/// A linked vault is asked whether it answers.
Result<> show(CommandContext& context, const LinkOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(RemoteVault* const linked, home->linked_vaults().find(options.link.name));
  if (linked != nullptr) {
    const Result<> answers = linked->check();
    ordered_json value = to_json(linked->link());
    value["answers"] = answers.has_value();
    if (!answers) value["reason"] = answers.error().detail;
    context.print(value,
                  to_text(linked->link()) +
                      (answers ? "answers     yes\n" : "answers     no: " + answers.error().detail + "\n"));
    return {};
  }
  SIGNET_TRY(const auto own, home->vault_links().own_vaults());
  for (const std::string& name : own)
    if (equal_ignoring_case(name, options.link.name)) return print_own_vault(context, *home, name);
  return fail(ErrorKind::NotFound,
              fmt::format("there is no vault '{}': signet vault list shows those there are",
                          printable(options.link.name)));
}

}  // namespace

void add_vault_link_commands(CLI::App& vault, CommandContext& context) {
  auto options = std::make_shared<LinkOptions>();
  const Subcommands command(vault, context, options);
  const auto with_name = [&](CLI::App* made) {
    made->add_option("name", options->link.name, "What certificates and agreements call the vault")
        ->required();
  };

  command("list", "The vaults of this home, and those that are linked", "Example: signet vault list", list);
  with_name(command("show", "One vault: where it is, where its keys are, and whether they can be used",
                    "Example: signet vault show central", show));
  with_name(command("unlink", "Let a name stand for no vault any more",
                    "Example: signet vault unlink central", unlink));

  CLI::App* linking =
      command("link", "Let a name stand for a vault elsewhere: Azure's, or another Signet's",
              "Example: signet vault link central --url https://vault.example.com:4443 --token-file "
              "/etc/signet/vault.token "
              "--ca vault-ca.pem\n"
              "Example: signet vault link azure --url https://acme-edi.vault.azure.net --client-id 5c1f... "
              "--client-secret-file /etc/signet/azure.secret\n"
              "The files of secrets are read when they are needed, and never copied; nobody but their owner "
              "may read them.",
              link);
  with_name(linking);
  linking->add_option("--url", options->link.url, "The vault's origin, https://host or https://host:port")
      ->required();
  auto* token = linking->add_option("--token-file", options->link.token_file,
                                    "A file whose first line is our token there");
  auto* client =
      linking->add_option("--client-id", options->link.client_id,
                          "Who we are at the authority that gives tokens out (OAuth 2.0 client credentials)");
  auto* secret = linking->add_option("--client-secret-file", options->link.client_secret_file,
                                     "A file whose first line is this client's secret");
  client->needs(secret)->excludes(token);
  secret->needs(client);
  linking
      ->add_option("--authority", options->link.authority,
                   "The only authority that is shown the secret, or one below its URL; " +
                       std::string(kDefaultAuthority) + " unless given")
      ->needs(client);
  linking->add_option("--ca", options->ca,
                      "PEM file of the authorities that vouch for the vault's TLS certificate, and for the "
                      "authority's; the machine's unless given");
}

}  // namespace signet::gateway
