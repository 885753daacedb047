#include <malloc.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "base/file.h"
#include "base/secret.h"
#include "certstore/vault/certificate_secret_internal.h"
#include "certstore/vault/private_key_internal.h"
#include "tests/support/sanitizers.h"
#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

/// The last octets of the private exponent in tests/vectors/pfx, most significant first, each XOR kMask so
/// that the test itself does not hold what it looks for.
constexpr std::uint8_t kMask = 0x5a;
constexpr std::array<std::uint8_t, 16> kMaskedExponent{0xcd, 0xfc, 0x35, 0x1f, 0x7a, 0xf3, 0x24, 0x87,
                                                       0x07, 0xff, 0xc3, 0xf0, 0x6e, 0x7f, 0xc6, 0xff};

bool is_exponent_at(const std::uint8_t* at) {
  bool forward = true;
  bool backward = true;
  for (std::size_t i = 0; i < kMaskedExponent.size() && (forward || backward); ++i) {
    forward = forward && at[i] == (kMaskedExponent[i] ^ kMask);
    backward = backward && at[i] == (kMaskedExponent[kMaskedExponent.size() - 1 - i] ^ kMask);
  }
  return forward || backward;
}

struct Found {
  int in_secure_heap = 0;
  int elsewhere = 0;
};

/// Looks through all of the process's writable memory.
Found find_exponent() {
  Found found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long from = 0;
    unsigned long to = 0;
    char mode[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &from, &to, mode) != 3 ||
        !std::string_view(mode).starts_with("rw"))
      continue;
    const auto* const end = reinterpret_cast<const std::uint8_t*>(to) - kMaskedExponent.size();
    for (const auto* at = reinterpret_cast<const std::uint8_t*>(from); at <= end; ++at)
      if (is_exponent_at(at)) ++(CRYPTO_secure_allocated(at) != 0 ? found.in_secure_heap : found.elsewhere);
  }
  return found;
}

/// What OpenSSL gives back is wiped while somebody watches, so that only those who leave the exponent in it
/// are counted, and none who got that memory after them.
bool watching = false;
bool counting = false;
int given_back_unwiped = 0;

void give_back(void* block, const char*, int) {
  const std::size_t size = watching && block != nullptr ? malloc_usable_size(block) : 0;
  const auto* const octets = static_cast<const std::uint8_t*>(block);
  for (std::size_t at = 0; counting && at + kMaskedExponent.size() <= size; ++at)
    if (is_exponent_at(octets + at)) ++given_back_unwiped;
  if (size != 0) OPENSSL_cleanse(block, size);
  std::free(block);
}

/// Before anything else asks OpenSSL for memory.
const bool kWatched =
    CRYPTO_set_mem_functions(
        [](std::size_t size, const char*, int) { return std::malloc(size); },
        [](void* block, std::size_t size, const char*, int) { return std::realloc(block, size); },
        give_back) == 1;

TEST(CertificateSecret, LeavesNoKeyInMemoryThatIsGivenBack) {
  ASSERT_TRUE(kWatched);
  watching = true;
  const Bytes octets =
      read_file(std::filesystem::path(SIGNET_SOURCE_DIR) / "tests/vectors/pfx/pem-pkcs8-certfirst.pem")
          .value();
  const ImportedKey file = read_key_file(octets, std::nullopt).value();
  const auto key = SoftwareKey::from_pkcs8(file.key.pkcs8.view()).value();
  for (const CertificateContent content : {CertificateContent::Pkcs12, CertificateContent::Pem}) {
    counting = true;
    const auto secret = certificate_secret(content, key.get(), file.certificates);
    counting = false;
    ASSERT_TRUE(secret) << secret.error().detail;
    EXPECT_EQ(given_back_unwiped, 0) << to_string(content);
  }
  watching = false;
}

TEST_F(VaultFixture, KeepsThePrivateExponentInTheSecureHeapAlone) {
  if (test::kSanitized) GTEST_SKIP() << "sanitizers map terabytes";
  if (!enable_secure_heap(1024 * 1024)) GTEST_SKIP() << "no memory can be locked here";
  {
    const Bytes file =
        read_file(std::filesystem::path(SIGNET_SOURCE_DIR) / "tests/vectors/pfx/pem-pkcs8-certfirst.pem")
            .value();
    const ImportedKey imported = read_key_file(file, std::nullopt).value();
    ASSERT_TRUE(vault_->import_key(kOperator, "kv1", "k", imported.key, {}).has_value());
    EXPECT_GT(find_exponent().in_secure_heap, 0) << "the file's key is still here";
    EXPECT_EQ(find_exponent().elsewhere, 0);
  }
  EXPECT_EQ(find_exponent().in_secure_heap, 0) << "wiped";
  const Bytes hash = digest(Hash::Sha256, as_bytes("text"));
  ASSERT_TRUE(vault_->sign(kGateway, {"kv1", "k", {}}, SignatureAlgorithm::RS256, hash).has_value());
  EXPECT_EQ(find_exponent().in_secure_heap, 1) << "the opened key";
  EXPECT_EQ(find_exponent().elsewhere, 0);
  vault_.reset();
  EXPECT_EQ(find_exponent().in_secure_heap, 0);
  EXPECT_EQ(find_exponent().elsewhere, 0);
}

}  // namespace
}  // namespace signet::vault
