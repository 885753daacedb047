#include "gateway/publication/publication_handler.h"

#include <gmock/gmock.h>

namespace signet::gateway {
namespace {

using std::chrono::hours;
using testing::HasSubstr;

constexpr Time kNow = Time(std::chrono::seconds(1'795'000'000));

/// Has one issuer, and notes what OCSP was asked.
class MemoryPublications final : public Publications {
 public:
  Result<Published> crl(const std::string& group, const std::string& serial) override {
    return find(group, serial, "the CRL");
  }
  Result<Published> issuer(const std::string& group, const std::string& serial) override {
    return find(group, serial, "the issuer");
  }
  Published ocsp(ByteView request, std::string_view network) override {
    asked = as_text(request);
    asker = network;
    return {to_bytes("an answer"), kNow, signed_ ? std::optional(kNow + hours(1)) : std::nullopt};
  }

  std::string asked;
  std::string asker;
  bool signed_ = true;
  std::optional<Error> failure;

 private:
  Result<Published> find(const std::string& group, const std::string& serial, std::string_view what) {
    if (failure) return fail(*failure);
    if (group != "Plant" || serial != "0A1B") return fail(ErrorKind::NotFound, "no such issuer");
    return Published{to_bytes(what), kNow, kNow + hours(24)};
  }
};

class Answered final : public Responder::Target {
 public:
  void answer(HttpResponse response) override { response_ = std::move(response); }
  void give_up() override {}
  HttpResponse response_;
};

class PublicationHandlerTest : public testing::Test {
 protected:
  HttpResponse call(const std::string& method, const std::string& target, const std::string& body = {},
                    const as2::mime::Headers& headers = {}) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.headers = headers;
    request.remote_address = "192.0.2.1";
    if (const HeadVerdict verdict = handler_.on_head(request); verdict.refusal) return *verdict.refusal;
    request.body = Slice::of(body);
    const auto answered = std::make_shared<Answered>();
    handler_.on_request(std::move(request), Responder(answered));
    return std::move(answered->response_);
  }
  static std::string text_of(const HttpResponse& response) {
    return std::string(as_text(response.body.to_bytes(10'000).value()));
  }
  static as2::mime::Headers ocsp_request() {
    as2::mime::Headers headers;
    headers.add("Content-Type", "application/ocsp-request");
    return headers;
  }

  MemoryPublications publications_;
  FixedClock clock_{kNow};
  PublicationHandler handler_{publications_, clock_, {1e6, 1e6}};
};

TEST_F(PublicationHandlerTest, GivesOutWhatIsPublishedWithItsTypeAndHowLongItMayBeKept) {
  for (const auto& [target, text, type] :
       {std::tuple("/certs/crl/0A1B/Plant.crl", "the CRL", "application/pkix-crl"),
        std::tuple("/certs/issuer/0A1B/Plant.cer", "the issuer", "application/pkix-cert")}) {
    const HttpResponse response = call("GET", target);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(text_of(response), text);
    EXPECT_EQ(response.headers.value("Content-Type"), type);
    EXPECT_EQ(response.headers.value("Cache-Control"), "max-age=300, public, no-transform, must-revalidate");
    EXPECT_EQ(response.headers.value("Last-Modified"), to_http_date(kNow));
    EXPECT_EQ(response.headers.value("Expires"), to_http_date(kNow + std::chrono::minutes(5)));
    EXPECT_TRUE(response.headers.has("ETag"));
    EXPECT_EQ(call("HEAD", target).status, 200);
  }
}

TEST_F(PublicationHandlerTest, SaysNothingNewToWhoHasItAlready) {
  const HttpResponse first = call("GET", "/certs/crl/0A1B/Plant.crl");
  as2::mime::Headers headers;
  headers.add("If-None-Match", *first.headers.value("ETag"));
  const HttpResponse second = call("GET", "/certs/crl/0A1B/Plant.crl", {}, headers);
  EXPECT_EQ(second.status, 304);
  EXPECT_TRUE(second.body.empty());
  EXPECT_EQ(call("GET", "/certs/issuer/0A1B/Plant.cer", {}, headers).status, 200);
}

TEST_F(PublicationHandlerTest, HasNothingElse) {
  for (const char* target : {"/",
                             "/certs",
                             "/certs/",
                             "/certs/crl/",
                             "/certs/crl/0A1B",
                             "/certs/crl/0A1B/Plant",
                             "/certs/crl//Plant.crl",
                             "/certs/crl/0A1B/.crl",
                             "/certs/crl/0A1B/Plant.cer",
                             "/certs/crl/0A1B/Plant.crl/",
                             "/certs/crl/0A1B/Plant.crl?x",
                             "/certs/crl/0A1B/x/Plant.crl",
                             "/certs/crl/0A%31B/Plant.crl",
                             "/certs/crl/0A1C/Plant.crl",
                             "/certs/issuer/0A1B/Other.cer",
                             "/Certs/crl/0A1B/Plant.crl",
                             "/health",
                             "/metrics",
                             "/as2",
                             "/subscriptions",
                             "/certificateService/groups",
                             "/ocsp/no base64",
                             "/ocsp/%zz",
                             "/ocsp/AA%",
                             "/ocspx"}) {
    const HttpResponse response = call("GET", target);
    EXPECT_EQ(response.status, 404) << target;
    EXPECT_EQ(text_of(response).find("no such issuer"), std::string::npos) << target;
  }
  EXPECT_EQ(call("GET", "/ocsp/" + std::string(6000, 'A')).status, 404);
}

TEST_F(PublicationHandlerTest, TakesNoOtherMethods) {
  for (const char* method : {"PUT", "POST", "DELETE", "PATCH", "OPTIONS"}) {
    const HttpResponse response = call(method, "/certs/crl/0A1B/Plant.crl", {}, ocsp_request());
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_EQ(response.headers.value("Allow"), "GET, HEAD");
  }
  EXPECT_EQ(call("GET", "/ocsp").headers.value("Allow"), "POST");
  EXPECT_EQ(call("POST", "/ocsp/AAAA", {}, ocsp_request()).status, 405);
}

TEST_F(PublicationHandlerTest, AnswersOcspByPostAndByGetInEitherEncoding) {
  const HttpResponse posted = call("POST", "/ocsp", "a question", ocsp_request());
  EXPECT_EQ(posted.status, 200);
  EXPECT_EQ(text_of(posted), "an answer");
  EXPECT_EQ(posted.headers.value("Content-Type"), "application/ocsp-response");
  EXPECT_EQ(publications_.asked, "a question");
  EXPECT_EQ(publications_.asker, "192.0.2.1");
  // Octets whose base64 has + and / in it.
  const std::string octets = "\xfb\xef\xbe\xff?>";
  ASSERT_THAT(base64(as_bytes(octets)), HasSubstr("/"));
  for (const std::string& target :
       {std::string("/ocsp/++++/z8+"), std::string("/ocsp/%2B%2B%2B%2B%2fz8%2B")}) {
    EXPECT_EQ(call("GET", target).status, 200) << target;
    EXPECT_EQ(publications_.asked, octets) << target;
  }
}

TEST_F(PublicationHandlerTest, LetsNobodyKeepAnAnswerThatIsNotSigned) {
  publications_.signed_ = false;
  const HttpResponse response = call("POST", "/ocsp", "x", ocsp_request());
  EXPECT_EQ(response.headers.value("Cache-Control"), "no-store");
  EXPECT_FALSE(response.headers.has("ETag"));
}

TEST_F(PublicationHandlerTest, BoundsWhatIsPosted) {
  HttpRequest head;
  head.method = "POST";
  head.target = "/ocsp";
  head.headers = ocsp_request();
  EXPECT_EQ(handler_.on_head(head).body_limit, kLongestOcspRequest);
  head.headers.set("Content-Type", "text/plain");
  EXPECT_EQ(handler_.on_head(head).refusal->status, 415);
  head.method = "GET";
  head.target = "/certs/crl/0A1B/Plant.crl";
  EXPECT_EQ(handler_.on_head(head).body_limit, 0U);
}

TEST_F(PublicationHandlerTest, TellsStrangersNothingOfOurTroubles) {
  publications_.failure = Error{ErrorKind::IoFailure, "the disk of /srv is full"};
  const HttpResponse response = call("GET", "/certs/crl/0A1B/Plant.crl");
  EXPECT_EQ(response.status, 503);
  EXPECT_TRUE(response.headers.has("Retry-After"));
  EXPECT_EQ(text_of(response).find("/srv"), std::string::npos);
}

TEST_F(PublicationHandlerTest, LetsNoAddressAskTooOften) {
  PublicationHandler slow(publications_, clock_, {0.001, 2});
  HttpRequest head;
  head.method = "GET";
  head.target = "/certs/crl/0A1B/Plant.crl";
  head.remote_address = "192.0.2.1";
  EXPECT_FALSE(slow.on_head(head).refusal);
  EXPECT_FALSE(slow.on_head(head).refusal);
  EXPECT_EQ(slow.on_head(head).refusal->status, 429);
  head.remote_address = "192.0.2.2";
  EXPECT_FALSE(slow.on_head(head).refusal);
}

TEST_F(PublicationHandlerTest, TakesANetworkOfIpv6ForOneAddress) {
  PublicationHandler slow(publications_, clock_, {0.001, 2});
  HttpRequest head;
  head.method = "GET";
  head.target = "/certs/crl/0A1B/Plant.crl";
  for (const auto& [address, refused] :
       {std::pair("2001:db8:0:1::1", false), std::pair("2001:db8:0:1::2", false),
        std::pair("2001:db8:0:1:2:3:4:5", true), std::pair("2001:db8:0:2::1", false)}) {
    head.remote_address = address;
    EXPECT_EQ(slow.on_head(head).refusal.has_value(), refused) << address;
  }
}

}  // namespace
}  // namespace signet::gateway
