#include "gateway/cli/master_key_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <vector>

#include "base/failpoint.h"
#include "base/file.h"

namespace signet::gateway {
namespace {

struct Place {
  MasterKeyKind kind;
  const char* name;
};
/// Where nothing says otherwise, the first that is there is meant.
constexpr std::array kPlaces = {
    Place{MasterKeyKind::Passphrase, "master.scrypt"}, Place{MasterKeyKind::KeyFile, "master.key"},
    Place{MasterKeyKind::Passphrase, "master.scrypt.new"}, Place{MasterKeyKind::KeyFile, "master.key.new"}};

const char* name_of(MasterKeyKind kind) {
  return kind == MasterKeyKind::Passphrase ? "master.scrypt" : "master.key";
}

std::filesystem::path place_of(const std::filesystem::path& home, MasterKeyKind kind) {
  return home / name_of(kind);
}
std::filesystem::path next_place_of(const std::filesystem::path& home, MasterKeyKind kind) {
  return home / (std::string(name_of(kind)) + ".new");
}

std::vector<MasterKeyFile> files_in(const std::filesystem::path& home) {
  std::vector<MasterKeyFile> files;
  std::error_code ignored;
  for (const Place& place : kPlaces)
    if (std::filesystem::exists(home / place.name, ignored)) files.push_back({place.kind, home / place.name});
  return files;
}

Result<Bytes> check_value_of(const MasterKeyFile& file) {
  if (file.kind == MasterKeyKind::Passphrase) return vault::MasterKey::check_value_of(file.path);
  SIGNET_TRY(const vault::MasterKey key, vault::MasterKey::load_file(file.path));
  return key.check_value();
}

Result<> remove_file(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return fail(errno_error("removing " + path.string()));
}

Result<vault::MasterKey> create_at(const std::filesystem::path& path, MasterKeyKind kind,
                                   const SecretBytes& passphrase) {
  return kind == MasterKeyKind::Passphrase ? vault::MasterKey::create_with_passphrase(path, passphrase)
                                           : vault::MasterKey::create_file(path);
}

}  // namespace

bool has_master_key(const std::filesystem::path& home) { return !files_in(home).empty(); }

Result<MasterKeyFile> find_master_key(const std::filesystem::path& home, const std::optional<Bytes>& check) {
  const std::vector<MasterKeyFile> files = files_in(home);
  if (files.empty())
    return fail(ErrorKind::NotFound, fmt::format("there is no master key in {}", home.string()));
  // One that cannot be read, or belongs to another store, is told of when it is opened.
  if (!check || files.size() == 1) return files.front();
  for (const MasterKeyFile& file : files)
    if (const auto its = check_value_of(file); its && *its == *check) return file;
  return files.front();
}

Result<vault::MasterKey> open_master_key(const MasterKeyFile& file, const SecretBytes* passphrase) {
  if (file.kind == MasterKeyKind::KeyFile) return vault::MasterKey::load_file(file.path);
  if (passphrase != nullptr) return vault::MasterKey::open_with_passphrase(file.path, *passphrase);
  return fail(ErrorKind::PermissionDenied,
              "the vault of this home is locked by a passphrase: let SIGNET_PASSPHRASE_FILE name a file "
              "(or a pipe) whose first "
              "line it is");
}

Result<vault::MasterKey> create_master_key(const std::filesystem::path& home, MasterKeyKind kind,
                                           const SecretBytes& passphrase) {
  return create_at(place_of(home, kind), kind, passphrase);
}

Result<vault::MasterKey> create_next_master_key(const std::filesystem::path& home, MasterKeyKind kind,
                                                const SecretBytes& passphrase) {
  return create_at(next_place_of(home, kind), kind, passphrase);
}

Result<> settle_master_key(const std::filesystem::path& home, const std::optional<Bytes>& check) {
  if (!check || files_in(home).size() < 2) return {};
  SIGNET_TRY(const MasterKeyFile own, find_master_key(home, check));
  SIGNET_TRY(const Bytes its, check_value_of(own));
  if (its != *check) return {};  // opening the vault says so
  const std::filesystem::path place = place_of(home, own.kind);
  if (own.path != place) {
    failpoint("master.rename");
    if (::rename(own.path.c_str(), place.c_str()) != 0)
      return fail(errno_error(fmt::format("renaming {} to {}", own.path.string(), place.string())));
    SIGNET_CHECK(sync_directory(home));
    failpoint("master.renamed");
  }
  for (const MasterKeyFile& file : files_in(home))
    if (file.path != place) SIGNET_CHECK(remove_file(file.path));
  failpoint("master.removed");
  return sync_directory(home);
}

}  // namespace signet::gateway
