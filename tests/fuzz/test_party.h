#pragma once

#include <openssl/pem.h>

#include <cstdio>
#include <cstdlib>

#include "base/file.h"
#include "base/openssl.h"
#include "certstore/x509/key_handle.h"

namespace signet::fuzz {

/// A file of tests/, which the targets cannot do without.
inline Bytes test_file(const std::string& path) {
  auto bytes = read_file(std::string(SIGNET_SOURCE_DIR "/tests/") + path);
  if (bytes) return *std::move(bytes);
  std::fprintf(stderr, "%s\n", bytes.error().detail.c_str());
  std::exit(2);
}

/// The certificate of tests/vectors/cms by this name.
inline certstore::Certificate test_certificate(const std::string& name) {
  return certstore::Certificate::parse(test_file("vectors/cms/" + name + ".crt")).value();
}

/// The same with its key.
inline certstore::PrivateCertificate test_party(const std::string& name) {
  const Bytes pem = test_file("vectors/cms/" + name + ".key");
  const BioPtr bio = borrow_as_bio(pem);
  return {test_certificate(name),
          certstore::KeyHandle::adopt(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr))};
}

}  // namespace signet::fuzz
