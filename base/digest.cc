#include "base/digest.h"

#include <openssl/hmac.h>

#include <array>
#include <new>
#include <utility>

#include "base/openssl.h"

namespace signet {
namespace {

struct HashFacts {
  const char* openssl_name;
  std::string_view name;
  std::size_t size;
};

constexpr std::array<HashFacts, 6> kHashes = {{{"MD5", "md5", 16},
                                               {"SHA1", "sha1", 20},
                                               {"SHA224", "sha-224", 28},
                                               {"SHA256", "sha-256", 32},
                                               {"SHA384", "sha-384", 48},
                                               {"SHA512", "sha-512", 64}}};

const HashFacts& facts(Hash hash) { return kHashes[static_cast<std::size_t>(hash)]; }

/// Fetched once per process: a fetch by name costs more than the digest of a small header.
const EVP_MD* algorithm(Hash hash) {
  static const auto kFetched = [] {
    std::array<EvpMdPtr, kHashes.size()> all;
    for (std::size_t i = 0; i < kHashes.size(); ++i)
      all[i].reset(EVP_MD_fetch(nullptr, kHashes[i].openssl_name, nullptr));
    return all;
  }();
  return kFetched[static_cast<std::size_t>(hash)].get();
}

}  // namespace

std::string_view to_string(Hash hash) { return facts(hash).name; }
std::size_t digest_size(Hash hash) { return facts(hash).size; }

struct Digest::State {
  EvpMdCtxPtr context;
  Hash hash;
};

Digest::Digest(Hash hash) : state_(std::make_unique<State>(State{EvpMdCtxPtr(EVP_MD_CTX_new()), hash})) {
  if (!state_->context || EVP_DigestInit_ex2(state_->context.get(), algorithm(hash), nullptr) != 1)
    throw std::bad_alloc();
}
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::update(ByteView bytes) {
  if (EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) != 1) throw std::bad_alloc();
}
Result<> Digest::write(ByteView bytes) {
  update(bytes);
  return {};
}

Bytes Digest::finish() && {
  Bytes out(digest_size(state_->hash));
  if (EVP_DigestFinal_ex(state_->context.get(), out.data(), nullptr) != 1) throw std::bad_alloc();
  return out;
}

Bytes digest(Hash hash, ByteView bytes) {
  Digest running(hash);
  running.update(bytes);
  return std::move(running).finish();
}

Bytes hmac_sha256(ByteView key, ByteView text) {
  Bytes out(digest_size(Hash::Sha256));
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), text.data(), text.size(), out.data(),
           &size) == nullptr)
    throw std::bad_alloc();
  return out;
}

Result<Bytes> digest(Hash hash, const Slice& slice) {
  if (auto known = slice.known_digest(hash)) return *std::move(known);
  Digest running(hash);
  SIGNET_CHECK(slice.copy_to(running));
  Bytes value = std::move(running).finish();
  slice.note_digest(hash, value);
  return value;
}

}  // namespace signet
