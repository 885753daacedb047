#include "gateway/cli/output_file.h"

#include <fmt/format.h>

#include "base/file.h"

namespace signet::gateway {
namespace {

/// What commands leave behind is for others: certificates and agreements, nothing secret.
constexpr unsigned kMode = 0644;

}  // namespace

Result<OutputFile> OutputFile::write(const std::filesystem::path& path, ByteView octets) {
  if (path.empty()) return OutputFile({});
  auto file = NewFile::create(path, kMode);
  if (!file && file.error().kind == ErrorKind::AlreadyExists)
    return fail(ErrorKind::AlreadyExists,
                fmt::format("{} is there already and is not overwritten: name a new file", path.string()));
  if (!file) return fail(std::move(file).error());
  OutputFile output(path);
  SIGNET_CHECK(file->write(octets));
  SIGNET_CHECK(file->sync());
  SIGNET_CHECK(sync_directory(path.has_parent_path() ? path.parent_path() : "."));
  return output;
}

OutputFile::~OutputFile() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove(path_, ignored);
}

}  // namespace signet::gateway
