#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>

#include "base/file.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/endpoint/post_fault.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/endpoint/endpoint_support.h"

/// What a TLS listener agrees to, with the `openssl s_client` command as a judge; and whose certificate a
/// request came with.

namespace signet::gateway::test {
namespace {

using certstore::PrivateCertificate;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kRequest = "GET /tls HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
constexpr std::string_view kAnswer = "GET /tls 0";

class TlsListener : public testing::Test {
 protected:
  TlsListener() {
    server_.config.listeners[0].tls = TlsIdentity{own_, {}};
    server_.handler.request = [this](HttpRequest request, Responder responder) {
      {
        const std::lock_guard lock(mutex_);
        shown_.push_back(request.client_certificate ? request.client_certificate->thumbprint_sha256()
                                                    : "none");
      }
      HttpResponse response;
      response.body =
          Slice::of(request.method + " " + request.target + " " + std::to_string(request.body.size()));
      responder.respond(std::move(response));
    };
  }

  /// Of each request, in their order.
  std::vector<std::string> certificates_shown() {
    const std::lock_guard lock(mutex_);
    return shown_;
  }

  /// What the command says, errors included. Its input stays open until it ends by itself.
  std::string s_client(const std::string& options, std::string_view input = kRequest) {
    const std::string command =
        "exec timeout 60 openssl s_client -connect 127.0.0.1:" + std::to_string(server_.port()) +
        " -servername localhost " + options + " 2>&1";
    int to[2];
    int from[2];
    EXPECT_EQ(::pipe2(to, O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(from, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(to[0], STDIN_FILENO);
      ::dup2(from[1], STDOUT_FILENO);
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(to[0]);
    ::close(from[1]);
    EXPECT_EQ(::write(to[1], input.data(), input.size()), static_cast<ssize_t>(input.size()));
    std::string said;
    char octets[4096];
    for (ssize_t got = 0; (got = ::read(from[0], octets, sizeof octets)) > 0;)
      said.append(octets, static_cast<std::size_t>(got));
    ::close(from[0]);
    ::close(to[1]);
    ::waitpid(child, nullptr, 0);
    return said;
  }

  std::string write_file(const std::string& name, const std::string& text) {
    const std::filesystem::path path = server_.directory.path() / name;
    EXPECT_TRUE(write_file_durably(path, as_bytes(text)));
    return path.string();
  }
  /// Options by which the command shows a certificate.
  std::string shows(const PrivateCertificate& certificate) {
    return " -cert " + write_file("client.pem", certificate.certificate.pem()) + " -key " +
           write_file("client.key", signet::test::private_key_pem(certificate.key));
  }

  [[nodiscard]] HttpPost post() const {
    HttpPost post;
    post.url = server_.url("/as2", "https");
    post.body = Slice::of("hello");
    post.trust = {TlsTrust::Kind::Pinned, {own_.certificate}, false};
    return post;
  }

  const PrivateCertificate own_ = signet::test::make_certificate(
      {.common_name = "localhost", .subject_alternative_name = "DNS:localhost,IP:127.0.0.1"});
  std::mutex mutex_;
  std::vector<std::string> shown_;
  TestServer server_;
};

// ---- What is agreed to

TEST_F(TlsListener, AgreesWithTheCommandOnTls12AndTls13) {
  server_.start();
  const std::string modern = s_client("-tls1_3");
  EXPECT_THAT(modern, HasSubstr("New, TLSv1.3, Cipher is TLS_"));
  EXPECT_THAT(modern, HasSubstr(std::string(kAnswer)));
  for (const char* cipher :
       {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"}) {
    const std::string said = s_client(std::string("-tls1_2 -cipher ") + cipher);
    EXPECT_THAT(said, HasSubstr(std::string("New, TLSv1.2, Cipher is ") + cipher));
    EXPECT_THAT(said, HasSubstr(std::string(kAnswer)));
  }
}

TEST_F(TlsListener, AgreesOnNothingOlder) {
  server_.start();
  for (const char* version : {"-tls1", "-tls1_1"}) {
    const std::string said = s_client(std::string(version) + " -cipher ALL:@SECLEVEL=0");
    EXPECT_THAT(said, HasSubstr("Cipher is (NONE)")) << version;
    EXPECT_THAT(said, HasSubstr("alert protocol version")) << version;
  }
  EXPECT_TRUE(server_.handler.targets().empty());
}

TEST_F(TlsListener, AgreesOnNothingWithoutForwardSecrecyAndAuthenticatedEncryption) {
  server_.start();
  for (const char* cipher : {"AES256-GCM-SHA384", "AES128-SHA", "DHE-RSA-AES256-GCM-SHA384",
                             "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA", "aNULL", "eNULL"}) {
    const std::string said = s_client(std::string("-tls1_2 -cipher ") + cipher + ":@SECLEVEL=0");
    EXPECT_THAT(said, HasSubstr("Cipher is (NONE)")) << cipher;
  }
  EXPECT_TRUE(server_.handler.targets().empty());
}

TEST_F(TlsListener, CompressesNothing) {
  server_.start();
  EXPECT_THAT(s_client("-tls1_2 -comp"), HasSubstr("Compression: NONE"));
  EXPECT_THAT(s_client("-tls1_3 -comp"), HasSubstr("Compression: NONE"));
}

TEST_F(TlsListener, RenegotiatesWithNobody) {
  server_.start();
  const std::string said = s_client("-tls1_2", "R\n");
  EXPECT_THAT(said, HasSubstr("RENEGOTIATING"));
  EXPECT_THAT(said, HasSubstr("no renegotiation"));
  EXPECT_THAT(s_client("-tls1_2"), HasSubstr("Secure Renegotiation IS supported"))
      << "the indication of RFC 5746";
}

TEST_F(TlsListener, TakesASessionUpAgain) {
  server_.start();
  for (const std::string version : {"-tls1_2", "-tls1_3"}) {
    const std::string session = (server_.directory.path() / ("session" + version)).string();
    EXPECT_THAT(s_client(version + " -sess_out " + session), HasSubstr("New, TLSv1."));
    EXPECT_THAT(s_client(version + " -sess_in " + session), HasSubstr("Reused, TLSv1."));
  }
}

TEST_F(TlsListener, KeepsOpenConnectionsWhenItsIdentityIsRenewed) {
  std::promise<void> in_hand;
  std::promise<Responder> parked;
  server_.handler.request = [&](HttpRequest, Responder responder) {
    parked.set_value(std::move(responder));
    in_hand.set_value();
  };
  server_.start();
  HttpClient client;
  auto answer = std::async(std::launch::async, [&] { return client.post(post()); });
  in_hand.get_future().wait();

  const auto second = signet::test::make_certificate(
      {.common_name = "second", .subject_alternative_name = "DNS:localhost,IP:127.0.0.1"});
  ASSERT_TRUE(server_.server->renew_tls("test", TlsIdentity{second, {}}));
  server_.handler.request = [](HttpRequest, Responder responder) { responder.respond(HttpResponse{}); };
  HttpClient newcomer;
  EXPECT_FALSE(newcomer.post(post())) << "pinned to the first";
  HttpPost to_second = post();
  to_second.trust.certificates = {second.certificate};
  EXPECT_TRUE(newcomer.post(to_second));

  HttpResponse response;
  response.status = 202;
  parked.get_future().get().respond(std::move(response));
  const auto first = answer.get();
  ASSERT_TRUE(first) << first.error().detail;
  EXPECT_EQ(first->status, 202);
  const auto again = client.post(post());
  ASSERT_TRUE(again) << "the old connection goes on: " << again.error().detail;
}

TEST_F(TlsListener, ResumesNoSessionOfAnIdentityThatItShowsNoMore) {
  server_.start();
  const auto second = signet::test::make_certificate(
      {.common_name = "second", .subject_alternative_name = "DNS:localhost,IP:127.0.0.1"});
  const auto session = [&](const std::string& version) {
    return (server_.directory.path() / ("session" + version)).string();
  };
  for (const std::string version : {"-tls1_2", "-tls1_3"})
    EXPECT_THAT(s_client(version + " -sess_out " + session(version)), HasSubstr("New, TLSv1."));
  ASSERT_TRUE(server_.server->renew_tls("test", TlsIdentity{second, {}}));
  for (const std::string version : {"-tls1_2", "-tls1_3"}) {
    const std::string said = s_client(version + " -sess_in " + session(version));
    EXPECT_THAT(said, HasSubstr("New, TLSv1.")) << version;
    EXPECT_THAT(said, HasSubstr("subject=CN = second")) << version;
    EXPECT_THAT(said, HasSubstr(std::string(kAnswer))) << version;
  }
}

// ---- Several names

TEST_F(TlsListener, ShowsWhatIsForTheHostThatIsAskedFor) {
  const auto org = signet::test::make_certificate(
      {.common_name = "org", .subject_alternative_name = "DNS:as2.example.org"});
  const auto any =
      signet::test::make_certificate({.common_name = "any", .subject_alternative_name = "DNS:*.example.net"});
  server_.config.listeners[0].tls->for_other_hosts = {{org, {}}, {any, {}}};
  server_.start();
  for (const std::string version : {" -tls1_2", " -tls1_3"})
    for (const auto& [asked, shown] :
         {std::pair("localhost", "localhost"), std::pair("as2.example.org", "org"),
          std::pair("AS2.Example.ORG", "org"), std::pair("x.example.net", "any"),
          std::pair("unknown.example", "localhost")}) {
      const std::string said = s_client(version + " -servername " + asked);
      EXPECT_THAT(said, HasSubstr(std::string("subject=CN = ") + shown)) << asked << version;
      EXPECT_THAT(said, HasSubstr(std::string(kAnswer))) << asked << version;
    }
  const auto unasked = HttpClient().post(post());  // to an address: it asks for no host
  EXPECT_TRUE(unasked) << unasked.error().detail;
}

TEST_F(TlsListener, ResumesASessionUnderItsOwnIdentityAlone) {
  const auto org = signet::test::make_certificate(
      {.common_name = "org", .subject_alternative_name = "DNS:as2.example.org"});
  server_.config.listeners[0].tls->for_other_hosts = {{org, {}}};
  server_.start();
  for (const std::string version : {"-tls1_2", "-tls1_3"}) {
    const std::string session = (server_.directory.path() / ("session" + version)).string();
    const std::string at_org = version + " -servername as2.example.org";
    EXPECT_THAT(s_client(at_org + " -sess_out " + session), HasSubstr("New, TLSv1.")) << version;
    const std::string elsewhere = s_client(version + " -sess_in " + session);
    EXPECT_THAT(elsewhere, HasSubstr("New, TLSv1.")) << version;
    EXPECT_THAT(elsewhere, HasSubstr("subject=CN = localhost")) << version;
    EXPECT_THAT(s_client(at_org + " -sess_in " + session), HasSubstr("Reused, TLSv1.")) << version;
  }
}

// ---- Whose certificate

TEST_F(TlsListener, TellsWhichCertificateTheClientProved) {
  server_.config.listeners[0].client_certificates = ClientCertificates::Wanted;
  server_.start();
  const auto partner = signet::test::make_certificate({.common_name = "Partner", .key = "ec:P-256"});
  const auto expired =
      signet::test::make_certificate({.common_name = "Old Partner", .not_after = "2021-01-01"});
  for (const PrivateCertificate* certificate : {&partner, &expired}) {
    HttpClient client;
    HttpPost shown = post();
    shown.client_certificate = *certificate;
    for (int i = 0; i < 2; ++i) {
      const auto answer = client.post(shown);
      ASSERT_TRUE(answer) << answer.error().detail;
    }
  }
  EXPECT_THAT(certificates_shown(),
              ElementsAre(partner.certificate.thumbprint_sha256(), partner.certificate.thumbprint_sha256(),
                          expired.certificate.thumbprint_sha256(), expired.certificate.thumbprint_sha256()))
      << "whether one is any good is not the listener's to judge";
}

TEST_F(TlsListener, ServesWhoHasNoCertificate) {
  server_.config.listeners[0].client_certificates = ClientCertificates::Wanted;
  server_.start();
  HttpClient client;
  EXPECT_TRUE(client.post(post()));
  EXPECT_THAT(s_client("-tls1_2"), HasSubstr(std::string(kAnswer)));
  EXPECT_THAT(certificates_shown(), ElementsAre("none", "none"));
}

TEST_F(TlsListener, LetsNobodyInWithoutACertificateWhereOneIsRequired) {
  server_.config.listeners[0].client_certificates = ClientCertificates::Required;
  server_.start();
  HttpClient client;
  const auto refused = client.post(post());
  ASSERT_FALSE(refused);
  EXPECT_EQ(fault_of(refused.error().detail), PostFault::TlsRefusedByPeer) << refused.error().detail;
  EXPECT_THAT(s_client("-tls1_2"), Not(HasSubstr(std::string(kAnswer))));
  EXPECT_THAT(certificates_shown(), testing::IsEmpty());

  const auto partner = signet::test::make_certificate({.common_name = "Partner", .key = "ec:P-256"});
  HttpPost shown = post();
  shown.client_certificate = partner;
  EXPECT_TRUE(client.post(shown));
  EXPECT_THAT(certificates_shown(), ElementsAre(partner.certificate.thumbprint_sha256()));
}

TEST_F(TlsListener, AsksForNoCertificateUnlessToldTo) {
  server_.start();
  const auto partner = signet::test::make_certificate({.common_name = "Partner", .key = "ec:P-256"});
  EXPECT_THAT(s_client("-tls1_3" + shows(partner)), Not(HasSubstr("Acceptable client certificate")));
  HttpClient client;
  HttpPost shown = post();
  shown.client_certificate = partner;
  EXPECT_TRUE(client.post(shown));
  EXPECT_THAT(certificates_shown(), ElementsAre("none", "none"));
}

TEST_F(TlsListener, KnowsTheCertificateOfASessionThatIsTakenUpAgain) {
  server_.config.listeners[0].client_certificates = ClientCertificates::Wanted;
  server_.start();
  const auto partner = signet::test::make_certificate({.common_name = "Partner", .key = "ec:P-256"});
  const std::string session = (server_.directory.path() / "session").string();
  for (const std::string version : {"-tls1_2", "-tls1_3"}) {
    s_client(version + shows(partner) + " -sess_out " + session);
    EXPECT_THAT(s_client(version + " -sess_in " + session), HasSubstr("Reused, TLSv1."));
  }
  EXPECT_THAT(certificates_shown(), testing::Each(partner.certificate.thumbprint_sha256()));
  EXPECT_EQ(certificates_shown().size(), 4U);
}

TEST_F(TlsListener, LooksAtNoEndlessChain) {
  server_.config.listeners[0].client_certificates = ClientCertificates::Wanted;
  server_.start();
  const auto partner = signet::test::make_certificate({.common_name = "Partner", .key = "ec:P-256"});
  HttpClient client;
  HttpPost shown = post();
  shown.client_certificate = partner;
  shown.client_chain.assign(60, own_.certificate);
  EXPECT_FALSE(client.post(shown));
  EXPECT_TRUE(certificates_shown().empty());
}

}  // namespace
}  // namespace signet::gateway::test
