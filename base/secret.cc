#include "base/secret.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)  // g++
#define SIGNET_HAS_LSAN
#elif defined(__has_feature)  // clang
#if __has_feature(address_sanitizer)
#define SIGNET_HAS_LSAN
#endif
#endif
#ifdef SIGNET_HAS_LSAN
#include <sanitizer/lsan_interface.h>
#endif

namespace signet {
namespace {

/// OpenSSL's random generators live in the secure heap and point out of it. A leak checker that does not look
/// there takes what they point to for lost.
void show_to_leak_checker([[maybe_unused]] std::size_t size) {
#ifdef SIGNET_HAS_LSAN
  void* whole = OPENSSL_secure_malloc(size);  // the only way to learn where the heap begins
  if (whole != nullptr) __lsan_register_root_region(whole, size);
  OPENSSL_secure_free(whole);
#endif
}

// What OpenSSL gets its memory by. OPENSSL_cleanse() takes eight octets at a time and explicit_bzero() as
// many as the processor can.

void* take(std::size_t size, const char* /*file*/, int /*line*/) {
  return size == 0 ? nullptr : std::malloc(size);
}

void give_back(void* block, const char* /*file*/, int /*line*/) {
  if (block == nullptr) return;
  ::explicit_bzero(block, ::malloc_usable_size(block));
  std::free(block);
}

void* resize(void* block, std::size_t size, const char* /*file*/, int /*line*/) {
  const std::size_t before = block == nullptr ? 0 : ::malloc_usable_size(block);
  if (size != 0 && size <= before && size >= before / 2) return block;
  void* const moved = size == 0 ? nullptr : std::malloc(size);
  if (moved == nullptr && size != 0) return nullptr;  // what was there stays
  if (before != 0 && size != 0)
    std::copy_n(static_cast<std::uint8_t*>(block), std::min(before, size), static_cast<std::uint8_t*>(moved));
  give_back(block, nullptr, 0);
  return moved;
}

}  // namespace

SecretBytes::SecretBytes(std::size_t size) : size_(size) {
  if (size == 0) return;
  data_ = static_cast<std::uint8_t*>(OPENSSL_secure_zalloc(size));
  if (data_ == nullptr) throw std::bad_alloc();
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

SecretBytes::~SecretBytes() { OPENSSL_secure_clear_free(data_, size_); }

SecretBytes SecretBytes::copy_of(ByteView bytes) {
  SecretBytes secret(bytes.size());
  std::copy(bytes.begin(), bytes.end(), secret.data_);
  return secret;
}

void wipe(std::span<std::uint8_t> memory) { OPENSSL_cleanse(memory.data(), memory.size()); }

Result<> enable_secure_heap(std::size_t size_in_bytes) {
  constexpr std::size_t kSmallestPiece = 16;
  if (CRYPTO_secure_malloc_initialized() != 0) return {};
  // 1: set up and locked; 2: set up, but the memory could not be locked or guarded.
  const int outcome = CRYPTO_secure_malloc_init(size_in_bytes, kSmallestPiece);
  show_to_leak_checker(size_in_bytes);
  if (outcome != 1)
    return fail(ErrorKind::Unavailable,
                "private keys are kept in memory that could not be locked: raise RLIMIT_MEMLOCK (ulimit -l)");
  return {};
}

Result<> wipe_what_openssl_gives_back() {
  if (CRYPTO_set_mem_functions(take, resize, give_back) == 1) return {};
  return fail(ErrorKind::Internal,
              "OpenSSL had memory before it could be told to wipe it: copies of keys may stay in it");
}

void forbid_core_dumps() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

}  // namespace signet
