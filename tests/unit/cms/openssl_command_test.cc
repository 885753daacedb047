#include "tests/unit/cms/cms_fixture.h"

/// The `openssl cms` command as a judge: it reads what we make, and we read what it makes.

namespace signet::as2::cms::test {
namespace {

class OpensslCommand : public testing::Test {
 protected:
  void SetUp() override {
    add("rsa", rsa());
    add("ec", ec());
    directory_.write("content", as_bytes(kText));
  }
  void add(const std::string& name, const PrivateCertificate& certificate) {
    directory_.write(name + ".crt", as_bytes(certificate.certificate.pem()));
    directory_.write(name + ".key", as_bytes(signet::test::private_key_pem(certificate.key)));
  }
  /// What openssl left in the file "out" as decrypted or verified content.
  [[nodiscard]] std::string output() const { return std::string(as_text(directory_.read("out"))); }

  TemporaryDirectory directory_;
};

constexpr const char* kVerify =
    "cms -verify -binary -inform DER -in p7s -content content -certfile {}.crt -nointern -noverify -out out";

std::string verify_with(const std::string& name) {
  std::string command = kVerify;
  return command.replace(command.find("{}"), 2, name);
}

TEST_F(OpensslCommand, VerifiesOurSignatures) {
  for (const auto& [name, signer, options] :
       {std::tuple("rsa", rsa(), SignOptions{}), std::tuple("rsa", rsa(), SignOptions{.hash = Hash::Sha512}),
        std::tuple("rsa", rsa(), SignOptions{.scheme = SignatureScheme::RsaPss}),
        std::tuple(
            "rsa", rsa(),
            SignOptions{.hash = Hash::Sha384, .scheme = SignatureScheme::RsaPss, .signed_attributes = false}),
        std::tuple("rsa", rsa(), SignOptions{.include_certificate = false, .algorithm_protection = true}),
        std::tuple("rsa", rsa(), SignOptions{.signed_attributes = false}),
        std::tuple("ec", ec(), SignOptions{.hash = Hash::Sha384})}) {
    directory_.write("p7s", signature(kText, signer, options));
    directory_.write(std::string(name) + ".crt", as_bytes(signer.certificate.pem()));
    EXPECT_TRUE(directory_.openssl(verify_with(name))) << directory_.log();
    EXPECT_EQ(output(), kText);
  }
  directory_.write("content", as_bytes(kText + "x"));
  EXPECT_FALSE(directory_.openssl(verify_with("ec")));
}

TEST_F(OpensslCommand, MakesSignaturesThatWeVerify) {
  const auto certificate = [&](const std::string& name) {
    return Certificate::parse(directory_.read(name + ".crt")).value();
  };
  for (const auto& [name, options] : {
           std::pair("rsa", "-md sha256"),
           std::pair("rsa", "-md sha384 -noattr"),
           std::pair("rsa", "-md sha512 -nocerts"),
           std::pair("rsa", "-md sha256 -keyopt rsa_padding_mode:pss"),
           std::pair("rsa", "-md sha256 -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:20"),
           std::pair("rsa", "-md sha512 -noattr -keyopt rsa_padding_mode:pss"),

           std::pair("ec", "-md sha256"),
           std::pair("ec", "-md sha512 -noattr"),
           std::pair("rsa", "-md sha256 -receipt_request_all -receipt_request_to a@b"),
       }) {
    const std::string who(name);
    ASSERT_TRUE(directory_.openssl("cms -sign -binary -outform DER -in content -out p7s -signer " + who +
                                   ".crt -inkey " + who + ".key " + options))
        << directory_.log();
    const auto proof = verified(directory_.read("p7s"), kText, {certificate(who)});
    EXPECT_TRUE(proof) << options << ": " << (proof ? "" : proof.error().cause.detail);
  }
  // PSS whose MGF1 uses another hash than the content does.
  ASSERT_TRUE(
      directory_.openssl("cms -sign -binary -outform DER -in content -out p7s -signer rsa.crt -inkey rsa.key "
                         "-md sha256 -keyopt rsa_padding_mode:pss -keyopt rsa_mgf1_md:sha1"));
  EXPECT_FALSE(verified(directory_.read("p7s"), kText, {certificate("rsa")}));
}

TEST_F(OpensslCommand, MakesOpaqueSignaturesThatWeVerify) {
  const std::string big(200'000, 'E');
  directory_.write("content", as_bytes(big));
  for (const char* options : {"-nodetach", "-nodetach -stream"}) {
    ASSERT_TRUE(directory_.openssl(
        std::string("cms -sign -binary -outform DER -in content -out p7m -signer rsa.crt -inkey "
                    "rsa.key -md sha256 ") +
        options));
    const std::vector<Certificate> accepted = {Certificate::parse(directory_.read("rsa.crt")).value()};
    MemorySink content;
    ASSERT_TRUE(verify_opaque(slice(directory_.read("p7m")), accepted, {}, content));
    EXPECT_EQ(as_text(content.bytes()), big);
  }
}

constexpr std::array<std::pair<const char*, ContentCipher>, 7> kCiphers = {
    {{"aes-128-cbc", ContentCipher::Aes128Cbc},
     {"aes-192-cbc", ContentCipher::Aes192Cbc},
     {"aes-256-cbc", ContentCipher::Aes256Cbc},
     {"aes-128-gcm", ContentCipher::Aes128Gcm},
     {"aes-192-gcm", ContentCipher::Aes192Gcm},
     {"aes-256-gcm", ContentCipher::Aes256Gcm},
     {"des3", ContentCipher::Des3Cbc}}};

TEST_F(OpensslCommand, DecryptsWhatWeEncrypt) {
  const std::string big(200'000, 'E');
  for (const auto& [name, cipher] : kCiphers)
    for (const char* who : {"rsa", "ec"})
      for (const bool known : {true, false}) {
        const std::vector<Certificate> both = {Certificate::parse(directory_.read("rsa.crt")).value(),
                                               Certificate::parse(directory_.read("ec.crt")).value()};
        EncryptOptions options{.cipher = cipher, .key_transport = KeyTransport::OaepSha256};
        if (known) options.content_size = big.size();
        directory_.write("p7m", encrypted(big, both, options));
        const std::string recipient = std::string(" -recip ") + who + ".crt -inkey " + who + ".key";
        ASSERT_TRUE(directory_.openssl("cms -decrypt -binary -inform DER -in p7m -out out" + recipient))
            << name << who << directory_.log();
        EXPECT_EQ(output(), big) << name << who;
      }
  EXPECT_FALSE(directory_.openssl(
      "cms -decrypt -binary -inform DER -in content -out out -recip rsa.crt -inkey rsa.key"));
}

TEST_F(OpensslCommand, EncryptsWhatWeDecrypt) {
  const std::string big(200'000, 'E');
  directory_.write("content", as_bytes(big));
  std::vector<PrivateCertificate> ours;
  for (const char* who : {"rsa", "ec"})
    ours.push_back(signet::test::load_certificate(directory_.file(std::string(who) + ".crt"),
                                                  directory_.file(std::string(who) + ".key")));
  for (const auto& [name, cipher] : kCiphers)
    for (const char* recipients :
         {"-recip rsa.crt", "-recip rsa.crt -keyopt rsa_padding_mode:oaep", "-recip ec.crt",
          "-recip rsa.crt -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha512",
          "-keyid -stream -recip ec.crt -recip rsa.crt", "-stream -recip rsa.crt",
          "-recip ec.crt -keyopt ecdh_kdf_md:sha384"}) {
      const std::string command =
          std::string("cms -encrypt -binary -outform DER -in content -out p7m -") + name + " " + recipients;
      if (!directory_.openssl(command)) {
        // Key identifiers need certificates that have one, which ours do not.
        ASSERT_NE(std::string(recipients).find("-keyid"), std::string::npos) << command << directory_.log();
        continue;
      }
      DecryptPolicy policy;
      policy.allowed_ciphers = {cipher};
      const auto text = decrypted(directory_.read("p7m"), ours, policy);
      ASSERT_TRUE(text) << command << ": " << text.error().cause.detail;
      EXPECT_EQ(*text, big);
    }
}

}  // namespace
}  // namespace signet::as2::cms::test
