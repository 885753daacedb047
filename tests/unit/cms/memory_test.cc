#include <sys/resource.h>

#include "as2/cms/ber.h"
#include "as2/cms/oids.h"
#include "tests/unit/cms/cms_fixture.h"

/// Contents of 64 MiB, and what they leave in memory.

namespace signet::as2::cms::test {
namespace {

constexpr std::uint64_t kSize = 64U << 20;
constexpr long kAllowedGrowth = 16L << 10;  // KiB

long peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/// Octets that do not compress to nothing, made as they are read.
class Document final : public Source {
 public:
  explicit Document(std::uint64_t size) : left_(size) {}
  Result<std::size_t> read(std::span<std::uint8_t> out) override {
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_));
    for (std::size_t i = 0; i < count; ++i) {
      state_ = state_ * 6364136223846793005U + 1442695040888963407U;
      out[i] = static_cast<std::uint8_t>('A' + (state_ >> 60));
    }
    left_ -= count;
    return count;
  }

 private:
  std::uint64_t left_;
  std::uint64_t state_ = 1;
};

class ConstantMemory : public testing::Test {
 protected:
  [[nodiscard]] std::shared_ptr<Spool> spool() const {
    return std::make_shared<Spool>(SpoolArea{.directory = directory_.file(".")});
  }
  template <class Work>
  Slice spooled(Work work) {
    const auto made = spool();
    work(*made);
    return Spool::finish(made);
  }
  Slice document() {
    return spooled([](Sink& out) {
      Document source(kSize);
      EXPECT_TRUE(copy(source, out));
    });
  }
  static Bytes digest_of(const Slice& slice) { return digest(Hash::Sha256, slice).value(); }

  TemporaryDirectory directory_;
};

TEST_F(ConstantMemory, EncryptsAndDecrypts) {
  const auto recipient = rsa();
  const std::vector<Certificate> recipients = {recipient.certificate};
  const std::vector<PrivateCertificate> ours = {recipient};
  const Slice plain = document();
  EXPECT_FALSE(plain.in_memory());
  static_cast<void>(decrypted(encrypted(kText, recipients), ours));  // what OpenSSL loads once
  const long before = peak_memory();
  for (const ContentCipher cipher : {ContentCipher::Aes256Cbc, ContentCipher::Aes256Gcm})
    for (const bool known : {true, false}) {
      const Slice message = spooled([&](Sink& out) {
        SliceSource source(plain);
        EncryptOptions options{.cipher = cipher};
        if (known) options.content_size = plain.size();
        EXPECT_TRUE(encrypt(source, recipients, options, out));
      });
      EXPECT_GT(message.size(), kSize);
      const Slice again = spooled([&](Sink& out) { EXPECT_TRUE(decrypt(message, ours, {}, out)); });
      EXPECT_EQ(digest_of(again), digest_of(plain));
    }
  EXPECT_LT(peak_memory() - before, kAllowedGrowth);
}

TEST_F(ConstantMemory, SignsAndVerifies) {
  const auto signer = rsa();
  const std::vector<Certificate> accepted = {signer.certificate};
  const Slice plain = document();
  static_cast<void>(verified(signature(kText, signer), kText, accepted));
  const long before = peak_memory();
  const Bytes p7s = sign_detached(plain, signer, {}).value();
  EXPECT_TRUE(verify_detached(p7s, plain, accepted, {}));

  // The opaque form, put together from the detached one: its content goes in front of the certificates.
  ber::Walker walker(slice(p7s));
  ASSERT_TRUE(walker.enter(ber::kSequence, ""));
  ASSERT_TRUE(walker.skip_any(""));
  ASSERT_TRUE(walker.enter(ber::context(0), ""));
  ASSERT_TRUE(walker.enter(ber::kSequence, ""));
  const Bytes version = walker.take(ber::kInteger, 9, "").value();
  const Bytes digests = walker.take(ber::kSet, 99, "").value();
  ASSERT_TRUE(walker.skip_any(""));
  const Bytes rest = slice(p7s).sub(walker.position()).to_bytes(99'999).value();
  const Slice message = spooled([&](Sink& out) {
    EXPECT_TRUE(out.write(Bytes{0x30, 0x80}));
    EXPECT_TRUE(out.write(oid::kSignedData));
    EXPECT_TRUE(out.write(Bytes{0xA0, 0x80, 0x30, 0x80}));
    EXPECT_TRUE(out.write(version));
    EXPECT_TRUE(out.write(digests));
    EXPECT_TRUE(out.write(Bytes{0x30, 0x80}));
    EXPECT_TRUE(out.write(oid::kData));
    EXPECT_TRUE(out.write(Bytes{0xA0, 0x80, 0x24, 0x80}));
    Bytes chunk(1000);
    SliceSource source(plain);
    for (;;) {
      const std::size_t count = source.read(chunk).value();
      if (count == 0) break;
      EXPECT_TRUE(out.write(ber::header(ber::kOctetString, count)));
      EXPECT_TRUE(out.write(ByteView(chunk).first(count)));
    }
    EXPECT_TRUE(out.write(Bytes(6, 0)));
    EXPECT_TRUE(out.write(rest));
    EXPECT_TRUE(out.write(Bytes(6, 0)));
  });
  const Slice again = spooled([&](Sink& out) {
    const auto proof = verify_opaque(message, accepted, {}, out);
    EXPECT_TRUE(proof) << proof.error().cause.detail;
  });
  EXPECT_EQ(digest_of(again), digest_of(plain));
  EXPECT_LT(peak_memory() - before, kAllowedGrowth);
}

TEST_F(ConstantMemory, CompressesAndExpands) {
  const Slice plain = document();
  const long before = peak_memory();
  const Slice message = spooled([&](Sink& out) {
    SliceSource source(plain);
    EXPECT_TRUE(compress(source, out, 1));
  });
  EXPECT_LT(message.size(), kSize);
  const Slice again = spooled([&](Sink& out) { EXPECT_TRUE(decompress(message, {}, out)); });
  EXPECT_EQ(digest_of(again), digest_of(plain));
  EXPECT_LT(peak_memory() - before, kAllowedGrowth);
}

}  // namespace
}  // namespace signet::as2::cms::test
