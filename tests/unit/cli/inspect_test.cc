#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "agreements/xml.h"
#include "base/file.h"
#include "certstore/vault/import.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"

/// `signet inspect` as an operator runs it, over messages recorded from OpenAS2, with and without a home.

namespace signet::gateway {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::filesystem::path kWire = SIGNET_SOURCE_DIR "/tests/vectors/openas2-wire";

struct Ran {
  int exit_code = 0;
  std::string out;
  std::string errors;
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(out); }
};

class InspectCommand : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "signet-inspect-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::filesystem::path home() const { return directory_ / "home"; }

  /// The receiver of the samples: its key in the vault, and an agreement for each sample.
  void make_home() {
    ASSERT_TRUE(Home::initialise(home(), {}));
    const auto opened = Home::open(home());
    ASSERT_TRUE(opened) << opened.error().detail;
    const auto key =
        vault::read_key_file(read_file(kWire / "keys" / "partnera.key.pem").value(), std::nullopt);
    ASSERT_TRUE(key) << key.error().detail;
    ASSERT_TRUE((*opened)->vault().import_key(vault::Principal::local_operator(), kDefaultVault, "partnera",
                                              key->key, {}));
    const auto account = agreements::parse_account(account_xml());
    ASSERT_TRUE(account.account) << "the account of this test does not parse";
    const auto stored = (*opened)->accounts().load();
    ASSERT_TRUE(stored);
    const auto replaced = (*opened)->accounts().replace(*account.account, stored->generation);
    ASSERT_TRUE(replaced) << replaced.error().detail;
  }

  static std::string partner(const std::string& name, const std::string& identity) {
    return fmt::format(
        "<partner name='{}'><businessIdentities><businessIdentity><value>{}</value></businessIdentity>"
        "</businessIdentities></partner>",
        name, identity);
  }

  static std::string agreement(const std::string& sample, const std::string& guest) {
    return fmt::format(
        "<agreement "
        "name='{0}'><hostPartner>{0}</hostPartner><guestPartner>{1}</guestPartner><receiveAgreement>"
        "<validationSettings><signMessage>{2}</signMessage><encryptMessage>{3}</encryptMessage></"
        "validationSettings>"
        "<securitySettings><signingCertificateName>mycompany</signingCertificateName>"
        "<encryptionCertificateName>partnera</encryptionCertificateName></securitySettings></"
        "receiveAgreement>"
        "<x:connection url='https://partner.example/as2'/></agreement>",
        sample, guest, sample != "comp-only", sample.find("enc") != std::string::npos);
  }

  static std::string account_xml() {
    std::string partners = partner("MyCompany", "MyCompany_OID") + partner("Rogue", "Rogue_OID");
    std::string agreements;
    for (const std::string sample : {"signenc-sha256-aes256", "comp-only", "neg-wrongsigcert"}) {
      partners += partner(sample, sample);
      agreements += agreement(sample, sample == "neg-wrongsigcert" ? "Rogue" : "MyCompany");
    }
    std::string certificates;
    for (const std::string name : {"partnera", "mycompany", "rogue"}) {
      const auto certificate =
          certstore::Certificate::parse(read_file(kWire / "keys" / (name + ".cert.pem")).value()).value();
      certificates += fmt::format(
          "<certificate name='{}'><publicCertificate>{}</publicCertificate>{}</certificate>", name,
          base64(certificate.der()),
          name == "partnera" ? "<key><keyVault>signet</keyVault><keyName>partnera</keyName></key>" : "");
    }
    return "<integrationAccount xmlns='urn:signet:account:2026' xmlns:x='urn:signet:ext:2026'><partners>" +
           partners + "</partners><certificates>" + certificates + "</certificates><agreements>" +
           agreements + "</agreements></integrationAccount>";
  }

  Ran run(std::vector<std::string> arguments) {
    CLI::App app;
    app.fallthrough();
    CommandContext context;
    context.home = directory_ / "no-home";
    app.add_option("--home", context.home);
    std::string output;
    app.add_option("--output", output)->each([&](const std::string& form) { context.json = form == "json"; });
    add_inspect_command(app, context);
    std::reverse(arguments.begin(), arguments.end());
    Ran ran;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    app.parse(arguments);
    ran.out = testing::internal::GetCapturedStdout();
    ran.errors = testing::internal::GetCapturedStderr();
    ran.exit_code = static_cast<int>(context.exit_code);
    return ran;
  }

  static std::string sample(const std::string& name, const std::string& file = "request.http") {
    return (kWire / name / file).string();
  }

  std::filesystem::path directory_;
};

TEST_F(InspectCommand, WithoutAHomeShowsTheOutsideAndWhatItWouldTake) {
  const Ran ran = run({"inspect", sample("signenc-sha256-aes256")});
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_THAT(ran.out, HasSubstr("as2-to          signenc-sha256-aes256"));
  EXPECT_THAT(ran.out, HasSubstr("AES-256-CBC"));
  EXPECT_THAT(ran.out, HasSubstr("takes the private key of issuer CN=partnera"));
}

TEST_F(InspectCommand, AHomeThatWasNamedMustBeThere) {
  const Ran ran = run({"inspect", sample("sign-sha256"), "--home", (directory_ / "nowhere").string()});
  EXPECT_EQ(ran.exit_code, static_cast<int>(ExitCode::NotFound));
}

TEST_F(InspectCommand, WithAHomeDecryptsVerifiesAndComparesTheReceiptsMic) {
  make_home();
  const Ran ran = run({"inspect", sample("signenc-sha256-aes256"), "--mdn",
                       sample("signenc-sha256-aes256", "response.http"), "--home", home().string()});
  EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.errors;
  EXPECT_THAT(ran.out, HasSubstr("a partner's message to us"));
  EXPECT_THAT(ran.out, HasSubstr("decrypted with our certificate 'partnera'"));
  EXPECT_THAT(ran.out, HasSubstr("signed with the agreement's certificate 'mycompany'"));
  EXPECT_THAT(ran.out, HasSubstr("our receipt for a partner's message"));
  EXPECT_THAT(ran.out, HasSubstr("It is the MIC of this message"));
  EXPECT_THAT(ran.out, HasSubstr("ok: accepted: encrypted (AES-256-CBC"));
  EXPECT_THAT(ran.out, Not(HasSubstr("ISA*")));
}

TEST_F(InspectCommand, JsonSaysTheSameForPrograms) {
  make_home();
  const Ran ran = run({"inspect", sample("comp-only"), "--mdn", sample("comp-only", "response.http"),
                       "--home", home().string(), "--output", "json"});
  EXPECT_EQ(ran.exit_code, 1) << ran.errors;
  const nlohmann::json value = ran.json();
  EXPECT_FALSE(value["held"]);
  EXPECT_EQ(value["message"]["security"], nlohmann::json::array({"compressed"}));
  EXPECT_EQ(value["mic"]["compared"][0]["variant"], "decompressed-body");
  EXPECT_THAT(value["mic"]["compared"][0]["verdict"], HasSubstr("compressedUnsigned"));
  EXPECT_GT(value["mic"]["variants"].size(), 4U);
  EXPECT_TRUE(value["mdn"]["receipt"]);
}

TEST_F(InspectCommand, NamesTheCertificateThatSignedInsteadAndWhatThePartnerIsTold) {
  make_home();
  const Ran ran = run({"inspect", sample("neg-wrongsigcert"), "--home", home().string()});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.out, HasSubstr("signed with the account's certificate 'rogue'"));
  EXPECT_THAT(ran.out, HasSubstr("authentication-failed"));
}

TEST_F(InspectCommand, ComparesAMicGivenByHand) {
  EXPECT_EQ(run({"inspect", sample("sign-sha256"), "--mic",
                 "1Ql/2nuk0o/FGXqI+/SS0BjArXT8tWyVclfGjI1n6SI=, SHA-256"})
                .exit_code,
            0);
  const Ran other = run(
      {"inspect", sample("sign-sha256"), "--mic", "W0Zbl9XxxGjGyWfb2TpV2dL6UGt5hDHTwPb9E0u8w0E=, SHA-256"});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.out, HasSubstr("leaves the MIME headers out"));
}

TEST_F(InspectCommand, ShowsThePayloadOnlyWhenAskedTo) {
  EXPECT_THAT(run({"inspect", sample("sign-sha256")}).out, Not(HasSubstr("ISA*")));
  const Ran shown = run({"inspect", sample("sign-sha256"), "--show-payload", "8"});
  EXPECT_THAT(shown.out, HasSubstr("The payload begins:\nISA*00* "));
  EXPECT_THAT(shown.out, Not(HasSubstr("ISA*00*   ")));
}

TEST_F(InspectCommand, AFileThatIsNoMessageIsRefusedWithoutShowingIt) {
  std::ofstream(directory_ / "order.edi") << "UNB+UNOC:3+SECRET";
  const Ran ran = run({"inspect", (directory_ / "order.edi").string()});
  EXPECT_EQ(ran.exit_code, static_cast<int>(ExitCode::Usage));
  EXPECT_THAT(ran.errors, HasSubstr("no HTTP request or response"));
  EXPECT_THAT(ran.errors, Not(HasSubstr("SECRET")));
  EXPECT_EQ(run({"inspect", (directory_ / "missing").string()}).exit_code,
            static_cast<int>(ExitCode::NotFound));
}

TEST_F(InspectCommand, LeavesNothingBehind) {
  make_home();
  const auto files = [&] {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_))
      names.insert(entry.path().string());
    return names;
  };
  run({"inspect", sample("signenc-sha256-aes256"), "--home", home().string()});
  const auto before = files();
  run({"inspect", sample("signenc-sha256-aes256"), "--home", home().string(), "--mic-variants"});
  EXPECT_EQ(files(), before);
}

}  // namespace
}  // namespace signet::gateway
