#include "certstore/x509/ocsp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certstore/x509/ocsp_internal.h"
#include "tests/support/test_authority.h"

namespace signet::certstore {
namespace {

using test::at;
using test::authority_profile;
using test::key_of;
using test::leaf_profile;
using test::TestAuthority;
using testing::HasSubstr;

const Bytes kNonce{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

Time now() { return at("2026-11-28T12:00:00Z"); }

/// A question about the certificate, answered.
OcspContents answering(const OcspRequest& request, CertificateStatus status) {
  OcspContents contents;
  for (const OcspCertificateId& id : request.wanted)
    contents.answers.push_back({id, status, at("2026-11-20T10:00:00Z"), RevocationReason::KeyCompromise});
  contents.produced_at = now();
  contents.this_update = now() - std::chrono::hours(1);
  contents.next_update = now() + std::chrono::hours(12);
  contents.nonce = request.nonce;
  return contents;
}

OcspRequest question(const Certificate& leaf, const Certificate& issuer, ByteView nonce = kNonce) {
  return OcspRequest::parse(make_ocsp_request(leaf, issuer, nonce).value()).value();
}

std::string refusal(const Result<OcspStatus>& read, ErrorKind kind) {
  if (read) return "read";
  EXPECT_EQ(read.error().kind, kind) << read.error().detail;
  return read.error().detail;
}

/// A delegate of the authority's, with these extended key usages.
TestAuthority delegate_of(const TestAuthority& authority, std::vector<std::string> usages) {
  CertificateProfile profile = leaf_profile("CN=Acme OCSP");
  profile.extended_key_usages = std::move(usages);
  SigningKey key = key_of("ec:P-256");
  IssuingTerms terms;
  terms.ocsp_no_check = true;
  Certificate issued =
      issue_certificate(authority.key, authority.certificate, key.public_key, profile, terms).value();
  return {std::move(key), std::move(issued)};
}

TEST(OcspRequest, IsReadAsItWasMade) {
  const TestAuthority authority;
  const Certificate leaf = authority.issue();
  const OcspRequest request = question(leaf, authority.certificate);
  ASSERT_EQ(request.wanted.size(), 1U);
  EXPECT_EQ(request.wanted[0].serial, leaf.serial());
  EXPECT_EQ(request.nonce, kNonce);
  EXPECT_TRUE(request.wanted[0].is_of(authority.certificate));
  EXPECT_FALSE(request.wanted[0].is_of(TestAuthority().certificate));  // the same name, another key
  EXPECT_FALSE(request.wanted[0].is_of(leaf));
  EXPECT_TRUE(question(leaf, authority.certificate, {}).nonce.empty());
}

TEST(OcspRequest, NamesItsIssuerByAnyHashInUse) {
  const TestAuthority authority;
  const Certificate leaf = authority.issue();
  for (const EVP_MD* hash : {EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512(), EVP_md5()}) {
    const OcspCertIdPtr id(OCSP_cert_to_id(hash, leaf.native(), authority.certificate.native()));
    OcspCertificateId read;
    read.der = encode<OCSP_CERTID>(id.get(), i2d_OCSP_CERTID).value();
    EXPECT_EQ(read.is_of(authority.certificate), hash != EVP_md5());
  }
}

TEST(OcspResponse, SaysGoodRevokedAndUnknown) {
  for (const char* kind : {"rsa:2048", "ec:P-256"}) {
    const TestAuthority authority(kind);
    const Certificate leaf = authority.issue();
    const OcspRequest request = question(leaf, authority.certificate);
    for (const auto status :
         {CertificateStatus::Good, CertificateStatus::Revoked, CertificateStatus::Unknown}) {
      const auto made = make_ocsp_response(authority.key, authority.certificate, answering(request, status));
      ASSERT_TRUE(made) << made.error().detail;
      const auto read = read_ocsp_response(*made, leaf, authority.certificate, kNonce, now());
      ASSERT_TRUE(read) << read.error().detail;
      EXPECT_EQ(read->status, status);
      EXPECT_EQ(read->this_update, now() - std::chrono::hours(1));
      EXPECT_EQ(read->next_update, now() + std::chrono::hours(12));
      EXPECT_TRUE(read->fresh);
      if (status != CertificateStatus::Revoked) continue;
      EXPECT_EQ(read->revoked, at("2026-11-20T10:00:00Z"));
      EXPECT_EQ(read->reason, RevocationReason::KeyCompromise);
    }
  }
}

TEST(OcspResponse, SaysWhenItWasMade) {
  const TestAuthority authority;
  const Bytes made = make_ocsp_response(authority.key, authority.certificate,
                                        answering(question(authority.issue(), authority.certificate),
                                                  CertificateStatus::Good))
                         .value();
  const unsigned char* first = made.data();
  const OcspResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &first, static_cast<long>(made.size())));
  const OcspBasicPtr basic(OCSP_response_get1_basic(response.get()));
  EXPECT_EQ(time_of(OCSP_resp_get0_produced_at(basic.get()), "producedAt").value(), now());
  const ASN1_OCTET_STRING* key = nullptr;
  const X509_NAME* name = nullptr;
  OCSP_resp_get0_id(basic.get(), &key, &name);
  EXPECT_NE(key, nullptr);
  EXPECT_EQ(name, nullptr);
}

// [RFC6960 4.2.2.2]
TEST(OcspResponse, MayBeADelegates) {
  const TestAuthority authority;
  const Certificate leaf = authority.issue();
  const OcspContents contents = answering(question(leaf, authority.certificate), CertificateStatus::Good);
  const TestAuthority delegate = delegate_of(authority, {std::string(kOcspSigning)});
  const Bytes made = make_ocsp_response(delegate.key, delegate.certificate, contents).value();
  EXPECT_TRUE(read_ocsp_response(made, leaf, authority.certificate, kNonce, now()));
  EXPECT_THAT(refusal(read_ocsp_response(made, leaf, authority.certificate, kNonce, at("2029-01-01")),
                      ErrorKind::CryptoFailure),
              HasSubstr("not valid now"));
  const TestAuthority other = delegate_of(TestAuthority(), {std::string(kOcspSigning)});
  const Bytes foreign = make_ocsp_response(other.key, other.certificate, contents).value();
  EXPECT_THAT(refusal(read_ocsp_response(foreign, leaf, authority.certificate, kNonce, now()),
                      ErrorKind::CryptoFailure),
              HasSubstr("has no certificate by"));
  const TestAuthority plain = delegate_of(authority, {std::string(kServerAuthentication)});
  EXPECT_THAT(make_ocsp_response(plain.key, plain.certificate, contents).error().detail,
              HasSubstr("signs no OCSP responses"));
}

TEST(OcspResponse, IsNotBelievedOfAnybodyElse) {
  const TestAuthority authority;
  const TestAuthority impostor;  // the same name, another key
  const Certificate leaf = authority.issue();
  const OcspContents contents = answering(question(leaf, authority.certificate), CertificateStatus::Good);
  const Bytes forged = make_ocsp_response(impostor.key, impostor.certificate, contents).value();
  EXPECT_THAT(refusal(read_ocsp_response(forged, leaf, authority.certificate, kNonce, now()),
                      ErrorKind::CryptoFailure),
              HasSubstr("neither by the issuer"));
  Bytes changed = make_ocsp_response(authority.key, authority.certificate, contents).value();
  changed.back() ^= 1U;
  EXPECT_FALSE(read_ocsp_response(changed, leaf, authority.certificate, kNonce, now()));
  // A certificate of the same authority, that may do much, and not this.
  const SigningKey key = key_of("ec:P-256");
  const Certificate holder = authority.issue(leaf_profile(), key);
  const OcspBasicPtr basic(OCSP_BASICRESP_new());
  const OcspCertIdPtr id(OCSP_cert_to_id(EVP_sha1(), leaf.native(), authority.certificate.native()));
  const Handle<ASN1_TIME, ASN1_TIME_free> time(ASN1_TIME_new());
  set_time(time.get(), now());
  OCSP_basic_add1_status(basic.get(), id.get(), V_OCSP_CERTSTATUS_GOOD, 0, nullptr, time.get(), time.get());
  ASSERT_EQ(OCSP_basic_sign(basic.get(), holder.native(), key.key.native(), EVP_sha256(), nullptr, 0), 1);
  const OcspResponsePtr response(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
  const Bytes by_holder = encode<OCSP_RESPONSE>(response.get(), i2d_OCSP_RESPONSE).value();
  EXPECT_THAT(refusal(read_ocsp_response(by_holder, leaf, authority.certificate, {}, now()),
                      ErrorKind::CryptoFailure),
              HasSubstr("may not sign OCSP responses"));
}

TEST(OcspResponse, IsOfNow) {
  const TestAuthority authority;
  const Certificate leaf = authority.issue();
  const Bytes made =
      make_ocsp_response(authority.key, authority.certificate,
                         answering(question(leaf, authority.certificate), CertificateStatus::Good))
          .value();
  const auto read_at = [&](Time time) {
    return read_ocsp_response(made, leaf, authority.certificate, kNonce, time);
  };
  const Time from = now() - std::chrono::hours(1);
  const Time until = now() + std::chrono::hours(12);
  const auto minutes = [](int count) { return std::chrono::minutes(count); };
  EXPECT_TRUE(read_at(from - minutes(5)));
  EXPECT_THAT(refusal(read_at(from - minutes(6)), ErrorKind::Unavailable), HasSubstr("good from"));
  EXPECT_TRUE(read_at(until + minutes(5)));
  EXPECT_THAT(refusal(read_at(until + minutes(6)), ErrorKind::Unavailable), HasSubstr("good from"));
}

// [RFC8954 2.1]
TEST(OcspNonce, IsRepeatedOrTheAnswerIsAnothers) {
  const TestAuthority authority;
  const Certificate leaf = authority.issue();
  const auto answer = [&](const Bytes& nonce) {
    OcspContents contents = answering(question(leaf, authority.certificate), CertificateStatus::Good);
    contents.nonce = nonce;
    return make_ocsp_response(authority.key, authority.certificate, contents);
  };
  const Bytes another(16, 7);
  EXPECT_THAT(refusal(read_ocsp_response(*answer(another), leaf, authority.certificate, kNonce, now()),
                      ErrorKind::CryptoFailure),
              HasSubstr("the nonce is not ours"));
  EXPECT_FALSE(read_ocsp_response(*answer({}), leaf, authority.certificate, kNonce, now())->fresh);
  EXPECT_THAT(answer(Bytes(33, 1)).error().detail, HasSubstr("a nonce of 33 octets"));
  EXPECT_THAT(make_ocsp_request(leaf, authority.certificate, Bytes(33, 1)).error().detail, HasSubstr("33"));
}

/// A request as strangers make them.
template <class Change>
Bytes request_with(Change change) {
  const TestAuthority authority;
  const Bytes plain = make_ocsp_request(authority.issue(), authority.certificate, {}).value();
  const auto request = decode_der<OcspRequestPtr>(plain, d2i_OCSP_REQUEST, "request").value().release();
  const OcspRequestPtr owner(request);
  change(request);
  return encode<OCSP_REQUEST>(request, i2d_OCSP_REQUEST).value();
}

void add_nonce(OCSP_REQUEST* request, const Bytes& value) {
  const Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> octets(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(octets.get(), value.data(), static_cast<int>(value.size()));
  const Handle<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509_EXTENSION_create_by_NID(nullptr, NID_id_pkix_OCSP_Nonce, 0, octets.get()));
  OCSP_REQUEST_add_ext(request, extension.get(), -1);
}

std::string malformed(const Bytes& der) {
  const auto read = OcspRequest::parse(der);
  return read ? "read" : read.error().detail;
}

TEST(OcspRequest, RefusesWhatIsNone) {
  Bytes good = request_with([](OCSP_REQUEST*) {});
  EXPECT_EQ(malformed(good), "read");
  good.push_back(0);
  EXPECT_THAT(malformed(good), HasSubstr("1 octets follow"));
  good.resize(good.size() - 2);
  EXPECT_THAT(malformed(good), HasSubstr("no OCSP request"));
  EXPECT_THAT(malformed({}), HasSubstr("no OCSP request"));
  EXPECT_THAT(malformed(Bytes(16 * 1024 + 1)), HasSubstr("at most 16384"));
  const OcspRequestPtr nothing(OCSP_REQUEST_new());
  EXPECT_THAT(malformed(encode<OCSP_REQUEST>(nothing.get(), i2d_OCSP_REQUEST).value()),
              HasSubstr("asks nothing"));
}

TEST(OcspRequest, HasANonceOfOneTo32Octets) {
  const auto with = [](const Bytes& value) {
    return malformed(request_with([&](OCSP_REQUEST* request) { add_nonce(request, value); }));
  };
  EXPECT_EQ(with({4, 1, 9}), "read");
  EXPECT_THAT(with({4, 0}), HasSubstr("a nonce of 0 octets"));
  Bytes long_one(35, 1);
  long_one[0] = 4;
  long_one[1] = 33;
  EXPECT_THAT(with(long_one), HasSubstr("a nonce of 33 octets"));
  EXPECT_THAT(with({1, 2, 3}), HasSubstr("no nonce"));
  EXPECT_THAT(malformed(request_with([](OCSP_REQUEST* request) {
                add_nonce(request, {4, 1, 9});
                add_nonce(request, {4, 1, 9});
              })),
              HasSubstr("two nonces"));
}

TEST(OcspRequest, IsBounded) {
  const auto with = [](int count) {
    return request_with([&](OCSP_REQUEST* request) {
      for (int i = 1; i < count; ++i) {
        OCSP_CERTID* const first = OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0));
        OCSP_request_add0_id(request, OCSP_CERTID_dup(first));
      }
    });
  };
  EXPECT_EQ(OcspRequest::parse(with(32))->wanted.size(), 32U);
  EXPECT_THAT(malformed(with(33)), HasSubstr("33 questions"));
  EXPECT_THAT(malformed(request_with([](OCSP_REQUEST* request) {
                ASN1_INTEGER* serial = nullptr;
                OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial,
                                  OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0)));
                const Bytes number(33, 1);
                ASN1_STRING_set(serial, number.data(), 33);
              })),
              HasSubstr("a serial number of 33 octets"));
}

TEST(OcspRequest, RefusesCriticalExtensionsThatItDoesNotKnow) {
  EXPECT_THAT(malformed(request_with([](OCSP_REQUEST* request) {
                const Handle<ASN1_NULL, ASN1_NULL_free> nothing(ASN1_NULL_new());
                OCSP_REQUEST_add1_ext_i2d(request, NID_id_pkix_OCSP_noCheck, nothing.get(), 1,
                                          X509V3_ADD_DEFAULT);
              })),
              HasSubstr("critical extension"));
}

TEST(OcspResponse, AnswersSeveralQuestionsAndIsReadForOne) {
  const TestAuthority authority;
  const Certificate one = authority.issue();
  const Certificate two = authority.issue();
  OcspContents contents = answering(question(one, authority.certificate), CertificateStatus::Good);
  const OcspContents more = answering(question(two, authority.certificate), CertificateStatus::Revoked);
  contents.answers.push_back(more.answers[0]);
  const Bytes made = make_ocsp_response(authority.key, authority.certificate, contents).value();
  EXPECT_EQ(read_ocsp_response(made, one, authority.certificate, kNonce, now())->status,
            CertificateStatus::Good);
  EXPECT_EQ(read_ocsp_response(made, two, authority.certificate, kNonce, now())->status,
            CertificateStatus::Revoked);
  EXPECT_THAT(refusal(read_ocsp_response(made, authority.issue(), authority.certificate, kNonce, now()),
                      ErrorKind::InvalidInput),
              HasSubstr("says nothing of the certificate"));
  contents.answers.push_back(contents.answers[0]);
  const Bytes twice = make_ocsp_response(authority.key, authority.certificate, contents).value();
  EXPECT_THAT(
      refusal(read_ocsp_response(twice, one, authority.certificate, kNonce, now()), ErrorKind::InvalidInput),
      HasSubstr("twice"));
}

TEST(OcspResponse, IsNotMadeOfWhatMakesNone) {
  const TestAuthority authority;
  const OcspContents good =
      answering(question(authority.issue(), authority.certificate), CertificateStatus::Good);
  OcspContents bad = good;
  bad.answers.clear();
  EXPECT_FALSE(make_ocsp_response(authority.key, authority.certificate, bad));
  bad = good;
  bad.next_update = bad.this_update;
  EXPECT_FALSE(make_ocsp_response(authority.key, authority.certificate, bad));
  EXPECT_EQ(make_ocsp_response(key_of("ec:P-256"), authority.certificate, good).error().kind,
            ErrorKind::InvalidInput);
}

// [RFC6960 4.2.1]
TEST(OcspRefusal, IsOneAndReadsAsOne) {
  const TestAuthority authority;
  const Certificate leaf = authority.issue();
  const auto read = [&](OcspRefusal refused, ErrorKind kind) {
    return refusal(read_ocsp_response(make_ocsp_refusal(refused), leaf, authority.certificate, {}, now()),
                   kind);
  };
  EXPECT_THAT(read(OcspRefusal::MalformedRequest, ErrorKind::InvalidInput), HasSubstr("malformedRequest"));
  EXPECT_THAT(read(OcspRefusal::InternalError, ErrorKind::Unavailable), HasSubstr("internalError"));
  EXPECT_THAT(read(OcspRefusal::TryLater, ErrorKind::Unavailable), HasSubstr("tryLater"));
  EXPECT_THAT(read(OcspRefusal::Unauthorized, ErrorKind::InvalidInput), HasSubstr("unauthorized"));
}

}  // namespace
}  // namespace signet::certstore
