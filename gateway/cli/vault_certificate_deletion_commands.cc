#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/output_file.h"
#include "gateway/cli/printed_list.h"
#include "gateway/cli/subcommands.h"
#include "gateway/cli/vault_certificate_text.h"

/// signet vault certificate delete, deleted, recover, purge, backup and restore.

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

struct DeletionOptions {
  std::string vault{kDefaultVault};
  std::string name;
  std::filesystem::path file;
};

ordered_json to_json(const vault::CertificateInfo& info, const vault::Deletion& deletion) {
  ordered_json value = certificate_json(info);
  value["deleted"] = to_rfc3339(deletion.deleted);
  value["scheduledPurge"] = to_rfc3339(deletion.scheduled_purge);
  return value;
}

std::string recoverable_until(const vault::Deletion& deletion) {
  return "can be recovered until " + to_rfc3339(deletion.scheduled_purge);
}

Result<> remove(CommandContext& context, const DeletionOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const vault::DeletedCertificate deleted,
             home->vault().delete_certificate(caller(), options.vault, options.name));
  const vault::CertificateInfo& info = deleted.certificate.info;
  context.print(to_json(info, deleted.deletion),
                fmt::format("deleted {}/{}, all versions with their keys and secrets; it {}", info.id.vault,
                            info.id.name, recoverable_until(deleted.deletion)));
  return {};
}

Result<> list_deleted(CommandContext& context, const DeletionOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto all, home->vault().list_deleted_certificates(caller(), options.vault));
  print_list(
      context, all,
      [](const auto& one) {
        return ListItem{to_json(one.info, one.deletion),
                        fmt::format("{:<24} {}\n", one.info.id.name, recoverable_until(one.deletion))};
      },
      fmt::format("no deleted certificates in vault '{}'", options.vault));
  return {};
}

Result<> recover(CommandContext& context, const DeletionOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const vault::VaultCertificate back,
             home->vault().recover_certificate(caller(), options.vault, options.name));
  context.print(certificate_json(back), "recovered " + certificate_text(back));
  return {};
}

Result<> purge(CommandContext& context, const DeletionOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_CHECK(home->vault().purge_certificate(caller(), options.vault, options.name));
  context.print({{"vault", options.vault}, {"name", options.name}, {"purged", true}},
                fmt::format("purged {}/{}, for good", options.vault, options.name));
  return {};
}

Result<> back_up(CommandContext& context, const DeletionOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const Bytes blob, home->vault().backup_certificate(caller(), options.vault, options.name));
  SIGNET_TRY(OutputFile file, OutputFile::write(options.file, blob, OutputFile::Readers::OwnerAlone));
  file.keep();
  context.print({{"vault", options.vault}, {"name", options.name}, {"file", options.file.string()}},
                fmt::format("backed up {}/{} to {}; this installation alone can read it", options.vault,
                            options.name, options.file.string()));
  return {};
}

Result<> restore(CommandContext& context, const DeletionOptions& options) {
  SIGNET_TRY(const Bytes blob, read_file(options.file, vault::kMaxBackupSize));
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const vault::VaultCertificate back,
             home->vault().restore_certificate(caller(), options.vault, blob));
  context.print(certificate_json(back), "restored " + certificate_text(back));
  return {};
}

}  // namespace

void add_vault_certificate_deletion_commands(CLI::App& certificate, CommandContext& context) {
  auto options = std::make_shared<DeletionOptions>();
  const VaultSubcommands command(certificate, context, options);
  const auto named = [&](const char* name, const char* description, const char* example,
                         Result<> (*work)(CommandContext&, const DeletionOptions&)) {
    CLI::App* made = command(name, description, example, work);
    made->add_option("name", options->name, "The certificate's name")->required();
    return made;
  };
  named("delete",
        "Take a certificate out of use with its key and its secret, until it is recovered or purged",
        "Example: signet vault certificate delete acme-tls", remove);
  command("deleted", "What can be recovered", "Example: signet vault certificate deleted", list_deleted);
  named("recover", "Put a deleted certificate back to use",
        "Example: signet vault certificate recover acme-tls", recover);
  named("purge", "Remove a deleted certificate for good, with its key and its secret",
        "Example: signet vault certificate purge acme-tls", purge);
  named("backup",
        "Write all versions with their keys and secrets to a file that this installation alone can read",
        "Example: signet vault certificate backup acme-tls acme-tls.backup", back_up)
      ->add_option("file", options->file, "A new file")
      ->required();
  command("restore", "Put back what a backup holds",
          "Example: signet vault certificate restore acme-tls.backup", restore)
      ->add_option("file", options->file, "The backup")
      ->required()
      ->check(CLI::ExistingFile);
}

}  // namespace signet::gateway
