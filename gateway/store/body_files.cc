#include "gateway/store/body_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include "base/file.h"

namespace signet::gateway {
namespace {

constexpr std::size_t kIdLength = 32;
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

bool is_name(std::string_view name) {
  const std::string_view id = name.substr(0, kIdLength);
  return BodyFiles::is_id(id) &&
         (name == id || name == BodyFiles::wire_name(id) || name == BodyFiles::content_name(id));
}

}  // namespace

Result<> make_private_directory(const std::filesystem::path& directory) {
  if (directory.has_parent_path() && !std::filesystem::exists(directory.parent_path()))
    SIGNET_CHECK(make_private_directory(directory.parent_path()));
  if (::mkdir(directory.c_str(), 0700) == 0)
    return directory.has_parent_path() ? sync_directory(directory.parent_path()) : Result<>();
  if (errno != EEXIST) return fail(errno_error("making directory " + directory.string()));
  struct stat facts {};
  if (::stat(directory.c_str(), &facts) != 0) return fail(errno_error("looking at " + directory.string()));
  if (!S_ISDIR(facts.st_mode))
    return fail(ErrorKind::AlreadyExists,
                directory.string() + " should be a directory and is not; move it away");
  if ((facts.st_mode & kOthers) != 0 && ::chmod(directory.c_str(), 0700) != 0)
    return fail(errno_error("closing directory " + directory.string() + " to other users"));
  return {};
}

bool BodyFiles::is_id(std::string_view id) {
  return id.size() == kIdLength && std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<BodyFiles> BodyFiles::open(const std::filesystem::path& directory) {
  SIGNET_CHECK(make_private_directory(directory));
  return BodyFiles(directory);
}

std::filesystem::path BodyFiles::folder_of(std::string_view name) const {
  return directory_ / name.substr(0, 2);
}

Result<std::uint64_t> BodyFiles::save(std::string_view name, const Slice& body) const {
  if (!is_name(name))
    return fail(ErrorKind::Internal,
                "a body's id is 32 lower-case hexadecimal digits, not '" + printable(name) + "'");
  const std::filesystem::path folder = folder_of(name);
  SIGNET_CHECK(make_private_directory(folder));
  const auto save_durably = [&]() -> Result<std::uint64_t> {
    SIGNET_TRY(const std::uint64_t begin, body.save_within(folder / name));
    SIGNET_CHECK(sync_directory(folder));
    return begin;
  };
  auto saved = save_durably();
  if (!saved && saved.error().kind != ErrorKind::AlreadyExists) remove(name);
  return saved;
}

Result<Slice> BodyFiles::open_body(std::string_view name) const {
  if (!is_name(name)) return fail(ErrorKind::NotFound, "no body has the id '" + printable(name) + "'");
  return Slice::of_file(folder_of(name) / name);
}

void BodyFiles::remove(std::string_view name) const { ::unlink((folder_of(name) / name).c_str()); }

Result<std::size_t> BodyFiles::sweep(
    const std::function<Result<bool>(std::string_view name)>& is_known) const {
  std::size_t removed = 0;
  std::error_code error;
  using Entries = std::filesystem::directory_iterator;
  for (Entries folder(directory_, error); !error && folder != Entries(); folder.increment(error)) {
    if (!folder->is_directory()) continue;
    for (Entries file(folder->path(), error); !error && file != Entries(); file.increment(error)) {
      const std::string name = file->path().filename().string();
      if (!is_name(name) || folder_of(name) != folder->path()) continue;
      SIGNET_TRY(const bool known, is_known(name));
      if (known) continue;
      remove(name);
      ++removed;
    }
  }
  if (error) return fail(ErrorKind::IoFailure, "listing " + directory_.string() + ": " + error.message());
  return removed;
}

}  // namespace signet::gateway
