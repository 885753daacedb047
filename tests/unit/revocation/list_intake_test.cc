#include "gateway/revocation/list_intake.h"

#include "tests/unit/revocation/revocation_fixture.h"

namespace signet::gateway {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ListIntakeTest : public RevocationTest {
 protected:
  Result<Intake> take(ByteView octets, Time now = kToday) {
    return take_list(octets, "", {root_.certificate, authority_.certificate}, {}, store_, now);
  }
  Result<Intake> take(const certstore::Crl& list, Time now = kToday) { return take(list.der(), now); }
};

TEST_F(ListIntakeTest, TakesAListOfAnAuthorityOnce) {
  const certstore::Crl list = test::make_list(authority_);
  const auto taken = take(list);
  ASSERT_TRUE(taken) << taken.error().detail;
  EXPECT_EQ(taken->change, RevocationStore::Change::Taken);
  EXPECT_EQ(taken->list.authority, certstore::key_thumbprint(authority_.certificate.public_key()));
  EXPECT_EQ(taken->list.scope, "");
  EXPECT_EQ(take(as_bytes(list.pem()))->change, RevocationStore::Change::Unchanged);
}

TEST_F(ListIntakeTest, RefusesAListByAnotherKeyUnderTheSameName) {
  const auto impostor = test::make_certificate({.common_name = "Authority",
                                                .key = "ec:P-384",
                                                .key_usage = "keyCertSign,cRLSign",
                                                .subject_key_identifier = true,
                                                .authority = true});
  const auto taken = take(test::make_list(impostor));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, ErrorKind::CryptoFailure);
  EXPECT_THAT(store_.lists().value(), IsEmpty());
}

TEST_F(ListIntakeTest, RefusesAListThatWasChanged) {
  Bytes octets = test::make_list(authority_, {.revoked = {globex_}}).der();
  octets[octets.size() - 1] ^= 1;
  EXPECT_FALSE(take(octets));
  EXPECT_FALSE(take(as_bytes("no list")));
  EXPECT_FALSE(take(ByteView()));
}

TEST_F(ListIntakeTest, RefusesAListOutsideItsTime) {
  const certstore::Crl list = test::make_list(authority_);
  for (const char* day : {"2026-11-19", "2026-11-29"}) {
    const auto taken = take(list, moment(day));
    ASSERT_FALSE(taken) << day;
    EXPECT_EQ(taken.error().kind, ErrorKind::InvalidInput);
    EXPECT_THAT(taken.error().detail, AllOf(HasSubstr("2026-11-20"), HasSubstr("2026-11-28")));
  }
  EXPECT_TRUE(take(list, moment("2026-11-19T23:56:00Z"))) << "its issuer's clock is a little ahead";
}

TEST_F(ListIntakeTest, RefusesAListThatIsOlderThanTheOneAtHand) {
  ASSERT_TRUE(take(test::make_list(authority_, {.number = 7, .revoked = {globex_}})));
  const auto older = take(test::make_list(authority_, {.number = 6}));
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().kind, ErrorKind::AlreadyExists);
  EXPECT_TRUE(take(test::make_list(authority_, {.number = 8})));
}

// ---- Fetching

/// A network in which each URL has an answer.
class FetchTest : public ListIntakeTest {
 protected:
  Result<Intake> fetch(const std::vector<std::string>& urls) {
    const FetchPorts ports{[this](const HttpGet& get) { return answer(get); }, store_, clock_};
    return fetch_list(ports, allowed_, urls, authority_.certificate, subjects_);
  }
  Result<HttpAnswer> answer(const HttpGet& get) {
    asked_.push_back(get.url);
    if (!get.allows_address("192.0.2.1") || get.allows_address("127.0.0.1"))
      ADD_FAILURE() << "not guarded: " << get.url;
    const auto found = answers_.find(get.url);
    if (found == answers_.end()) return fail(ErrorKind::Unavailable, "no such host");
    return found->second;
  }
  void serve(const std::string& url, int status, const Bytes& body) {
    HttpAnswer answer;
    answer.status = status;
    answer.body = Slice::of(body);
    answers_.insert_or_assign(url, std::move(answer));
  }

  std::vector<certstore::Certificate> subjects_{globex_};
  FixedClock clock_{kToday};
  AllowedUrls allowed_{{"http://crl.example/"}, {"192.0.2.0/24"}};
  std::map<std::string, HttpAnswer> answers_;
  std::vector<std::string> asked_;
};

TEST_F(FetchTest, TakesAListFromWhereItIsAllowed) {
  serve("http://crl.example/a.crl", 200, test::make_list(authority_).der());
  const auto taken = fetch({"http://crl.example/a.crl"});
  ASSERT_TRUE(taken) << taken.error().detail;
  EXPECT_EQ(taken->list.source, "http://crl.example/a.crl");
}

TEST_F(FetchTest, AsksNobodyWhoIsNotAllowed) {
  serve("http://other.example/a.crl", 200, test::make_list(authority_).der());
  for (const char* url :
       {"http://other.example/a.crl", "http://crl.example:81/a.crl", "https://crl.example/a.crl",
        "http://crl.example@169.254.169.254/a.crl", "file:///etc/passwd"}) {
    const auto taken = fetch({url});
    ASSERT_FALSE(taken) << url;
    EXPECT_EQ(taken.error().kind, ErrorKind::PermissionDenied);
    EXPECT_THAT(taken.error().detail, HasSubstr("crl-allow-url"));
  }
  EXPECT_EQ(fetch({}).error().kind, ErrorKind::NotFound);
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(FetchTest, AsksTheNextWhereOneHasNoneThatIsGood) {
  serve("http://crl.example/moved", 302, {});
  serve("http://crl.example/forged", 200, test::make_list(root_).der());
  serve("http://crl.example/good", 200, test::make_list(authority_).der());
  const auto taken =
      fetch({"http://other.example/x", "http://crl.example/away", "http://crl.example/moved",
             "http://crl.example/forged", "http://crl.example/good", "http://crl.example/unneeded"});
  ASSERT_TRUE(taken) << taken.error().detail;
  EXPECT_THAT(asked_, ElementsAre("http://crl.example/away", "http://crl.example/moved",
                                  "http://crl.example/forged", "http://crl.example/good"));
}

TEST_F(FetchTest, TakesNoListThatIsForNobodyWhoIsLookedUp) {
  serve("http://crl.example/a.crl", 200, test::make_list(authority_).der());
  subjects_ = {authority_.certificate};  // whose issuer is another one
  const auto taken = fetch({"http://crl.example/a.crl"});
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().detail, HasSubstr("for other certificates of its issuer"));
  EXPECT_THAT(store_.lists().value(), IsEmpty());
}

TEST_F(FetchTest, SaysWhatIsWrongWithTheLast) {
  serve("http://crl.example/moved", 302, {});
  EXPECT_THAT(fetch({"http://crl.example/moved"}).error().detail, HasSubstr("no redirect is followed"));
  serve("http://crl.example/forged", 200, test::make_list(root_).der());
  const auto forged = fetch({"http://crl.example/forged"});
  EXPECT_EQ(forged.error().kind, ErrorKind::CryptoFailure);
  EXPECT_THAT(forged.error().detail, HasSubstr("http://crl.example/forged"));
}

}  // namespace
}  // namespace signet::gateway
