#include "tests/support/soft_token.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <stdexcept>

namespace signet::test {
namespace {

const std::string kPin = "1234567";

/// The folder of this process, which goes with it.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "softhsm-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
    std::filesystem::create_directory(path_ / "tokens");
    std::ofstream(path_ / "softhsm2.conf") << "directories.tokendir = " << (path_ / "tokens").string()
                                           << "\nobjectstore.backend = file\nlog.level = ERROR\n";
    ::setenv("SOFTHSM2_CONF", (path_ / "softhsm2.conf").c_str(), 1);
  }
  ~Folder() {
    if (::getpid() != owner_) return;
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  const pid_t owner_ = ::getpid();
  std::filesystem::path path_;
};

const Folder& folder() {
  static const Folder made;
  return made;
}

}  // namespace

const std::filesystem::path& SoftToken::tokens() {
  static const std::filesystem::path path = folder().path() / "tokens";
  return path;
}

const std::filesystem::path& SoftToken::module() {
  static const std::filesystem::path path = "/usr/lib/softhsm/libsofthsm2.so";
  return path;
}

SoftToken::SoftToken(std::string_view label) : label_(label), pin_file_(folder().path() / (label_ + ".pin")) {
  static std::map<std::string, std::filesystem::path> made;  // by label
  if (const auto known = made.find(label_); known != made.end()) {
    folder_ = known->second;
    return;
  }
  std::ofstream(pin_file_) << kPin << "\n";
  std::filesystem::permissions(pin_file_, std::filesystem::perms(0600));
  const std::string command = "softhsm2-util --init-token --free --label " + label_ +
                              " --so-pin 7654321 --pin " + kPin + " > /dev/null 2>&1";
  if (::system(command.c_str()) != 0) throw std::runtime_error(command + ": is softhsm2 installed?");
  for (const auto& entry : std::filesystem::directory_iterator(tokens()))
    if (std::none_of(made.begin(), made.end(), [&](const auto& one) { return one.second == entry.path(); }))
      folder_ = entry.path();
  made.emplace(label_, folder_);
}

vault::TokenUri SoftToken::uri(const std::filesystem::path& through) const {
  return vault::TokenUri::of(through, label_, pin_file_).value();
}

std::size_t SoftToken::keys() const {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_))
    count += entry.path().extension() == ".object" && entry.path().filename() != "token.object" ? 1U : 0U;
  return count;
}

void SoftToken::take_away() const {
  std::filesystem::rename(folder_, tokens().parent_path() / folder_.filename());
}

void SoftToken::put_back() const {
  std::filesystem::rename(tokens().parent_path() / folder_.filename(), folder_);
}

}  // namespace signet::test
