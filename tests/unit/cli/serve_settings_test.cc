#include "gateway/cli/serve_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>

#include "base/file.h"
#include "tests/unit/base/temporary_directory.h"

namespace signet::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ServeSettingsTest : public testing::Test {
 protected:
  Result<ServeSettings> read(const std::string& text, const GivenOptions& given = {}) {
    std::filesystem::remove(file_);
    EXPECT_TRUE(write_file_durably(file_, as_bytes(text)));
    return read_serve_settings(given, file_);
  }

  TemporaryDirectory directory_;
  const std::filesystem::path file_ = directory_.path() / "serve.toml";
};

TEST_F(ServeSettingsTest, WithoutAFileAreTheDefaults) {
  const auto settings = read_serve_settings({}, file_);
  ASSERT_TRUE(settings);
  EXPECT_EQ(*settings, ServeSettings());
}

TEST_F(ServeSettingsTest, NameOurHostOrElseTheMachine) {
  EXPECT_EQ(host_of(*read("host = \"as2.example.com\"\n")), "as2.example.com");
  std::array<char, 256> machine{};
  ASSERT_EQ(::gethostname(machine.data(), machine.size() - 1), 0);
  EXPECT_EQ(host_of(ServeSettings()), machine.data());
  EXPECT_FALSE(host_of(ServeSettings()).empty());
}

TEST_F(ServeSettingsTest, OfTheCommandLineWinOverThoseOfTheFile) {
  const auto settings =
      read("listen = [\"127.0.0.1:1\", \"127.0.0.1:2\"]\nhost = \"file.example\"\nbody-limit = 7\n",
           {{"--listen", {"127.0.0.1:3"}}, {"--host", {"line.example"}}});
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_THAT(settings->listen, ElementsAre("127.0.0.1:3"));
  EXPECT_EQ(settings->host, "line.example");
  EXPECT_EQ(settings->body_limit, 7);
  EXPECT_EQ(settings->path, "/as2");
}

TEST_F(ServeSettingsTest, OpenNoPlainListenerBesideHttpsUnlessTold) {
  EXPECT_THAT(read("")->listen, ElementsAre("127.0.0.1:4080"));
  EXPECT_THAT(read("listen-tls = [\"0.0.0.0:4443\"]\n")->listen, IsEmpty());
  EXPECT_THAT(read("", {{"--listen-tls", {"0.0.0.0:4443"}}})->listen, IsEmpty());
  EXPECT_THAT(read("listen = [\"0.0.0.0:80\"]\nlisten-tls = [\"0.0.0.0:4443\"]\n")->listen,
              ElementsAre("0.0.0.0:80"));
  EXPECT_THAT(read("listen-tls = [\"0.0.0.0:4443\"]\n", {{"--listen", {"0.0.0.0:80"}}})->listen,
              ElementsAre("0.0.0.0:80"));
}

TEST_F(ServeSettingsTest, AskClientsForCertificatesInThreeWays) {
  EXPECT_EQ(read("")->tls_client_certificates, "off");
  for (const std::string word : {"off", "wanted", "required"})
    EXPECT_EQ(read("tls-client-certificates = \"" + word + "\"\n")->tls_client_certificates, word);
}

TEST_F(ServeSettingsTest, WithAMistakeAreRefusedWithTheFileAndTheSetting) {
  for (const auto& [text, name] :
       {std::pair{"hsot = \"x\"\n", "hsot"},
        std::pair{"[section]\nhost = \"x\"\n", "[section]"},
        std::pair{"host = \"\"\n", "host"},
        std::pair{"body-limit = -1\n", "body-limit"},
        std::pair{"connections = 0\n", "connections"},
        std::pair{"workers = 257\n", "workers"},
        std::pair{"workers = -1\n", "workers"},
        std::pair{"path = \"as2\"\n", "path"},
        std::pair{"path = \"/a b\"\n", "path"},
        std::pair{"path = \"/as2?x\"\n", "path"},
        std::pair{"receipt-path = \"/as2\"\n", "receipt-path"},
        std::pair{"host = \"a b\"\n", "host"},
        std::pair{"listen = [\"127.0.0.1\"]\n", "listen"},
        std::pair{"listen = [\n", "listen"},
        std::pair{"listen = [\"127.0.0.1:65536\"]\n", "0 to 65535"},
        std::pair{"listen-tls = [\"localhost:1\"]\n", "listen-tls"},
        std::pair{"operations-listen = \":4081\"\n", "operations-listen"},
        std::pair{"listen\n", "listen"},
        std::pair{"= 1\n", ""},
        std::pair{"host = \"as2\n", "host"},
        std::pair{"tls-client-certificates = \"perhaps\"\n", "tls-client-certificates"},
        std::pair{"decryption-failures = -1\n",
                  "decryption-failures: expected a whole number from 0 to 1000000000, got -1"},
        std::pair{"queued-requests = \"many\"\n", "queued-requests"},
        std::pair{"log-level = \"loud\"\n", "log-level"},
        std::pair{"minimum-free-disk = -1\n",
                  "minimum-free-disk: expected a whole number of 0 or more, got -1"},
        std::pair{"minimum-free-disk = 1.5\n", "got 1.5"},
        std::pair{"crl-allow-url = [\"ldap://ca.example/\"]\n", "must begin with http:// or https://"},
        std::pair{"crl-allow-network = [\"10.0.0.1/8\"]\n", "crl-allow-network"},
        std::pair{"expiry-notice = -1\n", "expiry-notice: expected a whole number from 0 to 36500, got -1"},
        std::pair{"expiry-notice = \"soon\"\n", "got soon"},
        std::pair{"stranger-answer = \"shout\"\n", "stranger-answer"}}) {
    const auto settings = read(text);
    ASSERT_FALSE(settings) << text;
    EXPECT_EQ(settings.error().kind, ErrorKind::InvalidInput);
    EXPECT_THAT(settings.error().detail, HasSubstr(file_.string()));
    EXPECT_THAT(settings.error().detail, HasSubstr(name));
  }
}

TEST_F(ServeSettingsTest, WithAMistakeAreRefusedAlsoWhereTheCommandLineWins) {
  for (const std::string text : {"listen = [\n", "listen = [\"nowhere\"]\n", "listen = \n"}) {
    const auto settings = read(text, {{"--listen", {"127.0.0.1:3"}}});
    ASSERT_FALSE(settings) << text;
    EXPECT_THAT(settings.error().detail, HasSubstr(file_.string()));
  }
  const auto twice = read("host = \"a\"\npath = \"/b\"\nhost = \"c\"\n");
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().detail, HasSubstr("'host' stands in it twice"));
  for (const std::string text : {"host = \"a\"\nhost = \"b\"\n", "host = [\"a\", \"b\"]\n"}) {
    const auto two = read(text);
    ASSERT_FALSE(two) << text;
    EXPECT_THAT(two.error().detail, HasSubstr("'host' takes one value, and has 2 or stands in it twice"));
  }
}

TEST_F(ServeSettingsTest, AreTakenToTheirBounds) {
  const auto settings = read(
      "workers = 256\ndecryption-failures = 0\nminimum-free-disk = 0\nexpiry-notice = 36500\npath = "
      "\"/\"\nreceipt-path = "
      "\"/as2/~x/%20\"\nhost = \"as2_1.example-2.com\"\n"
      "listen = [\"[::1]:65535\", \"0.0.0.0:0\"]\n");
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_EQ(settings->workers, 256);
  EXPECT_EQ(settings->decryption_failures, 0);
  EXPECT_EQ(settings->minimum_free_disk, 0);
  EXPECT_EQ(settings->expiry_notice, 36'500);
  EXPECT_EQ(settings->path, "/");
  EXPECT_THAT(settings->listen, ElementsAre("[::1]:65535", "0.0.0.0:0"));
  EXPECT_EQ(parse_listener(settings->listen.front())->address, "::1");
}

TEST_F(ServeSettingsTest, OfACommandLineAreFoundAgain) {
  CLI::App command;
  ServeSettings settings;
  add_serve_options(command, settings);
  command.parse("--listen 127.0.0.1:1 --listen 127.0.0.1:2 --log-level debug");
  const auto read_again = read_serve_settings(given_options(command), file_);
  ASSERT_TRUE(read_again);
  EXPECT_EQ(*read_again, settings);
}

TEST_F(ServeSettingsTest, DefineServiceCertificatesAndSayWhichHostsListenersShowThemFor) {
  const auto settings = read(
      "service-certificate = [\"www=as2.example.com:elevated\", \"signer\"]\n"
      "tls-certificate = [\"www\", \"of-the-account\"]\n");
  ASSERT_TRUE(settings) << settings.error().detail;
  const certstore::ServiceDefinitions definitions = service_definitions_of(*settings);
  ASSERT_EQ(definitions.certificates.size(), 2U);
  EXPECT_EQ(definitions.find("www")->use, certstore::ServiceUse::Listeners);
  EXPECT_FALSE(definitions.self_signed_allowed);
  EXPECT_THAT(shown_certificates(*settings), ElementsAre("www", "of-the-account"));
  EXPECT_TRUE(service_definitions_of(*read("self-signed-certificates = \"allowed\"\n")).self_signed_allowed);

  EXPECT_THAT(read("service-certificate = \"signer\"\napi-certificate = \"signer\"\n").error().detail,
              HasSubstr("'signer', whose definition says no host"));
  EXPECT_THAT(read("service-certificate = [\"www\", \"WWW\"]\n").error().detail, HasSubstr("defined twice"));
  EXPECT_THAT(read("service-certificate = \"www:secret\"\n").error().detail,
              HasSubstr("no use of a service certificate"));
  EXPECT_FALSE(read("self-signed-certificates = \"yes\"\n"));
}

TEST_F(ServeSettingsTest, NameSecretsOfVaults) {
  const auto settings = read(
      "smtp-url = \"smtps://mail.example\"\nsmtp-from = \"a@b.example\"\nsmtp-user = \"u\"\n"
      "smtp-password = \"signet/mail\"\nnotice-webhook = \"https://hook.example/\"\n"
      "notice-webhook-secret = \"other/hook\"\n");
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_THAT(settings_with_secrets_of(*settings, "Signet"), ElementsAre("smtp-password"));
  EXPECT_THAT(settings_with_secrets_of(*settings, "other"), ElementsAre("notice-webhook-secret"));
  EXPECT_THAT(settings_with_secrets_of(*read(""), "signet"), IsEmpty());
}

TEST(SettingsForNextStart, AreThoseThatARunningGatewayCannotTakeUp) {
  const ServeSettings running;
  ServeSettings wanted;
  wanted.log_level = "debug";
  wanted.body_limit = 1;
  wanted.tls_certificate = {"other"};
  EXPECT_THAT(settings_for_next_start(running, wanted), IsEmpty());
  wanted.listen = {"127.0.0.1:1"};
  wanted.tls_client_certificates = "required";
  wanted.workers = 7;
  wanted.decryption_failures = 7;
  wanted.connections = 10;
  wanted.connections_per_address = 10;
  wanted.queued_requests = 10;
  EXPECT_THAT(settings_for_next_start(running, wanted),
              ElementsAre("listen", "tls-client-certificates", "workers", "decryption-failures",
                          "connections", "connections-per-address", "queued-requests"));
}

TEST_F(ServeSettingsTest, OfVaultsAloneAreNoneOfAs2AndHaveAListener) {
  const auto alone = [&](const std::string& text, const GivenOptions& given = {}) {
    EXPECT_TRUE(write_file_durably(file_, as_bytes(text)));
    return read_serve_settings(given, file_, Service::VaultsAlone);
  };
  const auto settings = alone("listen-vault = [\"signet=127.0.0.1:0\"]\ntls-minimum = \"1.3\"\n");
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_THAT(settings->listen, IsEmpty());
  EXPECT_THAT(alone("").error().detail, HasSubstr("needs a listener"));
  EXPECT_THAT(alone("listen-api = [\"127.0.0.1:0\"]\npath = \"/x\"\n").error().detail,
              HasSubstr("the setting 'path' is of AS2"));
  EXPECT_THAT(alone("listen-api = [\"127.0.0.1:0\"]\n", {{"--workers", {"1"}}}).error().detail,
              HasSubstr("the setting 'workers' is of AS2"));
}

TEST_F(ServeSettingsTest, TakeTokensOfAnIssuerByAllOfItOrNotAtAll) {
  const std::filesystem::path keys = directory_.path() / "keys.json";
  ASSERT_TRUE(write_file_durably(keys, as_bytes("{}")));
  const std::string issuer = "jwt-issuer = \"https://login.example/t\"\n";
  const std::string audience = "jwt-audience = [\"a\", \"b\"]\n";
  const std::string file = "jwt-keys = \"" + keys.string() + "\"\n";
  for (const std::string& part : {issuer, audience, file, issuer + audience, issuer + file, audience + file})
    EXPECT_THAT(read(part).error().detail, HasSubstr("go together")) << part;
  const auto whole = read(issuer + audience + file + "jwt-claim = \"oid\"\n");
  ASSERT_TRUE(whole) << whole.error().detail;
  EXPECT_THAT(whole->jwt_audience, ElementsAre("a", "b"));
  EXPECT_EQ(whole->jwt_claim, "oid");
  EXPECT_EQ(ServeSettings().jwt_claim, "sub");
  EXPECT_THAT(settings_for_next_start(*read(""), *whole),
              ElementsAre("jwt-issuer", "jwt-audience", "jwt-keys", "jwt-claim"));
  std::filesystem::remove(keys);
  EXPECT_FALSE(read(issuer + audience + file));
}

}  // namespace
}  // namespace signet::gateway
