#include "certstore/service/definition.h"

#include <gmock/gmock.h>

namespace signet::certstore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string refusal_of(std::string_view text) {
  const auto parsed = parse_service_certificate(text);
  return parsed ? "" : parsed.error().detail;
}

TEST(ServiceDefinition, HasANameAStoreHostsAndAUse) {
  const auto plain = parse_service_certificate("acme-as2");
  ASSERT_TRUE(plain) << plain.error().detail;
  EXPECT_EQ(*plain, (ServiceCertificate{"acme-as2", "signet", {}, ServiceUse::General}));
  EXPECT_FALSE(plain->for_listeners());

  const auto full = parse_service_certificate("edge/www=AS2.example.com,192.0.2.7:elevated");
  ASSERT_TRUE(full) << full.error().detail;
  EXPECT_EQ(*full,
            (ServiceCertificate{"www", "edge", {"as2.example.com", "192.0.2.7"}, ServiceUse::Listeners}));
  EXPECT_TRUE(full->for_listeners());

  EXPECT_EQ(parse_service_certificate("ca:intermediate")->use, ServiceUse::Intermediate);
}

TEST(ServiceDefinition, SaysWhatIsWrongAndWhatTheFormIs) {
  EXPECT_THAT(refusal_of("www=as2.example.com:Elevated"), HasSubstr("no use of a service certificate"));
  EXPECT_THAT(refusal_of("www:elevated"), HasSubstr("names their host"));
  EXPECT_THAT(refusal_of("ca=as2.example.com:intermediate"), HasSubstr("names no host"));
  EXPECT_THAT(refusal_of("edge/ca:intermediate"), HasSubstr("no store"));
  for (const char* text : {"www=", "www=a,,b", "www=*.example.com", "www=a b"})
    EXPECT_THAT(refusal_of(text), HasSubstr("no host that a listener can be reached by")) << text;
  for (const char* text : {"", "a b", "/www", "www/", "a/b/c", "=host"})
    EXPECT_THAT(refusal_of(text),
                HasSubstr("expected [STORE/]NAME[=HOST[,HOST]...][:elevated|:intermediate]"))
        << text;
}

TEST(ServiceDefinition, StandsThereOnceInWhateverCase) {
  EXPECT_THAT(parse_service_certificates({"www", "api", "WWW"}).error().detail, HasSubstr("defined twice"));
  const auto both = parse_service_certificates({"www", "api"});
  ASSERT_TRUE(both);
  const ServiceDefinitions definitions{*both};
  EXPECT_EQ(definitions.find("api")->name, "api");
  EXPECT_EQ(definitions.find("API"), nullptr) << "names are compared to the letter";
}

}  // namespace
}  // namespace signet::certstore
