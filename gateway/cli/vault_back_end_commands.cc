#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gateway/cli/home.h"
#include "gateway/cli/subcommands.h"
#include "gateway/cli/vault_lifecycle.h"

/// Vaults of this home: `vault create`, and what `vault show` says of one.

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

struct BackEndOptions {
  std::string vault;
  std::filesystem::path module;
  std::string token;
  std::filesystem::path pin_file;
};

Result<std::optional<vault::TokenUri>> token_of(const BackEndOptions& options) {
  const int given =
      int{!options.module.empty()} + int{!options.token.empty()} + int{!options.pin_file.empty()};
  if (given == 0) return std::nullopt;
  if (given != 3)
    return fail(ErrorKind::InvalidInput,
                "a token is named by --pkcs11-module, --token and --pin-file together");
  SIGNET_TRY(vault::TokenUri token,
             vault::TokenUri::of(std::filesystem::absolute(options.module), options.token,
                                 std::filesystem::absolute(options.pin_file)));
  return std::optional(std::move(token));
}

/// A new vault lets the gateway use its keys, as the first one does.
Result<> let_gateway_in(Home& home, const std::string& vault) {
  SIGNET_TRY(const auto policies, home.vault().policies(caller(), vault));
  if (!policies.empty()) return {};
  return home.vault().set_policy(caller(),
                                 {vault, vault::Principal::gateway(), vault::gateway_key_permissions(),
                                  vault::gateway_secret_permissions()});
}

Result<> create(CommandContext& context, const BackEndOptions& options) {
  SIGNET_TRY(const auto token, token_of(options));
  SIGNET_TRY(const auto home, Home::open(context.home));
  if (token) SIGNET_CHECK(home->vault().set_token(caller(), options.vault, *token));
  SIGNET_CHECK(let_gateway_in(*home, options.vault));
  return print_own_vault(context, *home, options.vault);
}

}  // namespace

Result<> print_own_vault(const CommandContext& context, Home& home, const std::string& vault) {
  SIGNET_TRY(const auto token, home.vault().token(vault));
  ordered_json value{{"name", vault}, {"where", "here"}, {"backEnd", token ? "pkcs11" : "embedded"}};
  std::string text = fmt::format("name         {}\nwhere        here\nkeys are in  {}\n", vault,
                                 token ? fmt::format("token '{}'", token->name()) : "the store, sealed");
  if (token) {
    const auto there = home.vault().check_token(vault);
    value["token"] = {{"name", token->name()},
                      {"uri", token->text()},
                      {"module", token->module().string()},
                      {"pinFile", token->pin_file().string()},
                      {"available", there.has_value()}};
    if (!there) value["token"]["reason"] = there.error().detail;
    text += fmt::format("module       {}\nPIN file     {}\nURI          {}\nstate        {}\n",
                        token->module().string(), token->pin_file().string(), token->text(),
                        there ? "available" : "not available: " + there.error().detail);
  }
  context.print(value, text);
  return {};
}

void add_vault_back_end_commands(CLI::App& vault, CommandContext& context) {
  auto options = std::make_shared<BackEndOptions>();
  CLI::App* creating = Subcommands(vault, context, options)(
      "create", "Make a vault that the gateway may use; its keys are in the store, or in a PKCS#11 token",
      "Example: signet vault create hsm --pkcs11-module /usr/lib/softhsm/libsofthsm2.so --token acme "
      "--pin-file /etc/signet/acme.pin\n"
      "The same again, with another module or PIN file, says where the token is found from now on.",
      create);
  creating->add_option("name", options->vault, "The vault's name")->required();
  creating->add_option("--pkcs11-module", options->module, "The library by which the token is reached");
  creating->add_option("--token", options->token, "The token's label");
  creating->add_option("--pin-file", options->pin_file,
                       "A file with the user's PIN, which its owner alone can read; it stays where it is");
}

}  // namespace signet::gateway
