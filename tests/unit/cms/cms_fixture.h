#pragma once

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "as2/cms/compress.h"
#include "as2/cms/content_info.h"
#include "as2/cms/decrypt.h"
#include "as2/cms/encrypt.h"
#include "as2/cms/sign.h"
#include "as2/cms/verify.h"
#include "base/file.h"
#include "base/random.h"
#include "tests/support/test_certificates.h"

/// What the tests of as2/cms share.

namespace signet::as2::cms::test {

using certstore::Certificate;
using certstore::PrivateCertificate;

inline const std::string kText =
    "Content-Type: application/edi-x12\r\n\r\nISA*00*          *00*          *ZZ*A~\r\n";

inline PrivateCertificate rsa(const std::string& name = "RSA Partner") {
  return signet::test::make_certificate({.common_name = name});
}
inline PrivateCertificate ec(const std::string& name = "EC Partner", const std::string& curve = "P-256") {
  return signet::test::make_certificate({.common_name = name, .key = "ec:" + curve});
}

inline Slice slice(ByteView bytes) { return Slice::of(Bytes(bytes.begin(), bytes.end())); }

inline Bytes vector_file(const std::string& name) {
  return read_file(std::string(SIGNET_SOURCE_DIR "/tests/vectors/cms/") + name).value();
}

inline Bytes encrypted(const std::string& text, const std::vector<Certificate>& recipients,
                       const EncryptOptions& options = {}) {
  MemorySource source(as_bytes(text));
  MemorySink out;
  const auto done = encrypt(source, recipients, options, out);
  EXPECT_TRUE(done) << (done ? "" : done.error().detail);
  return out.take();
}

/// The plaintext, or the refusal.
inline Step<std::string> decrypted(ByteView message, const std::vector<PrivateCertificate>& ours,
                                   const DecryptPolicy& policy = {}) {
  MemorySink out;
  auto done = decrypt(slice(message), ours, policy, out);
  if (!done) return tl::unexpected(done.error());
  return std::string(as_text(out.bytes()));
}

inline Bytes compressed(const std::string& text, int level = 6) {
  MemorySource source(as_bytes(text));
  MemorySink out;
  EXPECT_TRUE(compress(source, out, level));
  return out.take();
}

inline Step<std::string> decompressed(ByteView message, const DecompressLimits& limits = {}) {
  MemorySink out;
  auto done = decompress(slice(message), limits, out);
  if (!done) return tl::unexpected(done.error());
  return std::string(as_text(out.bytes()));
}

inline Bytes signature(const std::string& text, const PrivateCertificate& signer,
                       const SignOptions& options = {}) {
  auto made = sign_detached(Slice::of(text), signer, options);
  EXPECT_TRUE(made) << (made ? "" : made.error().detail);
  return made.value_or(Bytes());
}

inline Step<VerifiedSigner> verified(ByteView p7s, const std::string& text,
                                     const std::vector<Certificate>& accepted,
                                     const VerifyPolicy& policy = {}) {
  return verify_detached(p7s, Slice::of(text), accepted, policy);
}

/// A directory of a test's own.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = testing::TempDir() + "/signet-cms-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, ByteView bytes) const {
    std::ofstream(file(name), std::ios::binary)
        .write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
    return file(name);
  }
  [[nodiscard]] Bytes read(const std::string& name) const { return read_file(file(name)).value_or(Bytes()); }
  /// Runs the openssl command within the directory. @returns whether it was content.
  [[nodiscard]] bool openssl(const std::string& arguments) const {
    return std::system(("cd '" + path_ + "' && openssl " + arguments + " 2>openssl.log").c_str()) == 0;
  }
  [[nodiscard]] std::string log() const { return std::string(as_text(read("openssl.log"))); }

 private:
  std::string path_;
};

}  // namespace signet::as2::cms::test
