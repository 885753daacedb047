#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <stdexcept>

#include "base/digest.h"
#include "base/openssl.h"
#include "base/random.h"
#include "base/secret.h"

namespace signet {
namespace {

using testing::HasSubstr;

// [FIPS180-4] and [RFC1321 A.5]: the digests of "abc".
TEST(Digests, GiveTheirStandardsVectors) {
  const std::vector<std::pair<Hash, std::string>> vectors = {
      {Hash::Md5, "900150983cd24fb0d6963f7d28e17f72"},
      {Hash::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
      {Hash::Sha224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
      {Hash::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {Hash::Sha384,
       "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
      {Hash::Sha512,
       "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
       "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"}};
  for (const auto& [hash, expected] : vectors) {
    EXPECT_EQ(hex_lower(digest(hash, as_bytes("abc"))), expected);
    EXPECT_EQ(digest_size(hash) * 2, expected.size());
  }
  EXPECT_EQ(hex_lower(digest(Hash::Sha256, ByteView())),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digests, DoNotDependOnHowTheOctetsArrive) {
  Digest running(Hash::Sha512);
  EXPECT_TRUE(running.write(as_bytes("a")));
  EXPECT_TRUE(running.write({}));
  running.update(as_bytes("bc"));
  Digest moved = std::move(running);
  EXPECT_EQ(std::move(moved).finish(), digest(Hash::Sha512, as_bytes("abc")));
}

// [RFC5751 3.4.3.2]
TEST(Digests, AreNamedAsTheRfcSpellsThem) {
  EXPECT_EQ(to_string(Hash::Md5), "md5");
  EXPECT_EQ(to_string(Hash::Sha1), "sha1");
  EXPECT_EQ(to_string(Hash::Sha256), "sha-256");
  EXPECT_EQ(to_string(Hash::Sha512), "sha-512");
}

TEST(Secrets, MoveAndAreGoneWhereTheyWere) {
  SecretBytes secret = SecretBytes::copy_of("hunter2");
  EXPECT_EQ(as_text(secret.view()), "hunter2");
  SecretBytes moved = std::move(secret);
  EXPECT_EQ(moved.size(), 7U);
  EXPECT_TRUE(secret.empty());  // NOLINT(bugprone-use-after-move): what is left is the point
  SecretBytes assigned;
  assigned = std::move(moved);
  EXPECT_EQ(as_text(assigned.view()), "hunter2");
}

TEST(Secrets, BeginAsZerosAndCanBeFilled) {
  SecretBytes secret(4);
  EXPECT_EQ(hex_lower(secret.view()), "00000000");
  secret.writable()[0] = 1;
  EXPECT_EQ(hex_lower(secret.view()), "01000000");
  EXPECT_TRUE(SecretBytes::copy_of(ByteView()).empty());
  static_assert(!std::is_copy_constructible_v<SecretBytes> && !std::is_copy_assignable_v<SecretBytes>);
}

TEST(Secrets, AreWipedOnDemand) {
  Bytes memory = to_bytes("hunter2");
  wipe(memory);
  EXPECT_EQ(memory, Bytes(7));
  wipe({});
}

// The two below change the process for good; CTest gives each test a process of its own.
TEST(Secrets, LieInTheSecureHeapOnceThereIsOne) {
  const auto enabled = enable_secure_heap(64 * 1024);
  if (!enabled) GTEST_SKIP() << enabled.error().detail;
  const SecretBytes secret = SecretBytes::copy_of("hunter2");
  EXPECT_EQ(CRYPTO_secure_allocated(secret.view().data()), 1);
  EXPECT_TRUE(enable_secure_heap(64 * 1024)) << "a second time does nothing";
}

TEST(Secrets, AreNotDumpedWithACore) {
  forbid_core_dumps();
  rlimit limit{1, 1};
  ASSERT_EQ(getrlimit(RLIMIT_CORE, &limit), 0);
  EXPECT_EQ(limit.rlim_cur, 0U);
  EXPECT_EQ(prctl(PR_GET_DUMPABLE), 0);
}

TEST(OpensslErrors, BecomeOneErrorAndLeaveTheQueueEmpty) {
  const Bytes garbage = {0x30, 0x03, 0x02, 0x05, 0x00};
  const unsigned char* position = garbage.data();
  ASSERT_EQ(d2i_X509(nullptr, &position, static_cast<long>(garbage.size())), nullptr);
  const Error error = take_openssl_error(ErrorKind::InvalidInput, "reading it");
  EXPECT_EQ(error.kind, ErrorKind::InvalidInput);
  EXPECT_THAT(error.detail, HasSubstr("reading it: "));
  EXPECT_EQ(ERR_peek_error(), 0UL);
  EXPECT_EQ(take_openssl_error(ErrorKind::Internal, "nothing").detail, "nothing");
}

TEST(OpensslErrors, SayARepeatedReasonOnce) {
  for (int i = 0; i < 3; ++i) ERR_raise(ERR_LIB_ASN1, ERR_R_NESTED_ASN1_ERROR);
  ERR_raise(ERR_LIB_ASN1, ERR_R_MALLOC_FAILURE);
  EXPECT_EQ(take_openssl_error(ErrorKind::Internal, "x").detail, "x: nested asn1 error; malloc failure");
}

TEST(BorrowedBio, ReadsTheOctetsWhereTheyAre) {
  const BioPtr bio = borrow_as_bio(as_bytes("abc"));
  char out[8];
  EXPECT_EQ(BIO_read(bio.get(), out, sizeof out), 3);
  const BioPtr empty = borrow_as_bio({});
  EXPECT_LE(BIO_read(empty.get(), out, sizeof out), 0);
}

}  // namespace
}  // namespace signet
