#include "gateway/cli/output_file.h"

#include <fmt/format.h>

namespace signet::gateway {
namespace {

/// Most of what commands leave behind is for others: certificates, requests and agreements, nothing secret.
unsigned mode_for(OutputFile::Readers readers) {
  return readers == OutputFile::Readers::Everybody ? 0644 : 0600;
}

}  // namespace

Result<OutputFile> OutputFile::create(const std::filesystem::path& path, Readers readers) {
  OutputFile output;
  if (path.empty()) return output;
  auto file = NewFile::create(path, mode_for(readers));
  if (!file && file.error().kind == ErrorKind::AlreadyExists)
    return fail(ErrorKind::AlreadyExists,
                fmt::format("{} is there already and is not overwritten: name a new file", path.string()));
  if (!file) return fail(std::move(file).error());
  output.path_ = path;
  output.file_.emplace(*std::move(file));
  return output;
}

Result<OutputFile> OutputFile::write(const std::filesystem::path& path, ByteView octets, Readers readers) {
  SIGNET_TRY(OutputFile output, create(path, readers));
  SIGNET_CHECK(output.fill(octets));
  return output;
}

Result<> OutputFile::fill(ByteView octets) {
  if (!file_) return {};
  SIGNET_CHECK(file_->write(octets));
  SIGNET_CHECK(file_->sync());
  return sync_directory(path_.has_parent_path() ? path_.parent_path() : ".");
}

OutputFile::~OutputFile() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove(path_, ignored);
}

}  // namespace signet::gateway
