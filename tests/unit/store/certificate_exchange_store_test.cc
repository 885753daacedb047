#include "gateway/store/certificate_exchange_store.h"

#include <gmock/gmock.h>

#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

CertificateExchangeRecord proposal(const std::string& id, const std::string& thumbprint = "AA") {
  CertificateExchangeRecord record;
  record.id = id;
  record.agreement = "trade";
  record.request_id = "r1";
  record.usages = "digitalSignature";
  record.certificate = some_octets(20);
  record.thumbprint = thumbprint;
  record.message = "m1";
  record.respond_by = kNoon;
  record.created = kNoon;
  record.settled = true;
  return record;
}

const std::string kId = "0123456789abcdef0123456789abcdef";

class CertificateExchangeStoreTest : public StoreTest {};

TEST_F(CertificateExchangeStoreTest, KeepsEachOnceAndItsFirstDecision) {
  CertificateExchangeRecord record = proposal(kId);
  {
    SqliteCertificateExchangeStore store(open()->database());
    ASSERT_TRUE(store.add(record));
    ASSERT_TRUE(store.add(proposal("fedcba9876543210fedcba9876543210")));  // the same certificate again
    EXPECT_THAT(*store.list(), ElementsAre(record));
    EXPECT_THAT(*store.of_request(ExchangeOrigin::Partner, "trade", "r1"), SizeIs(1));
    EXPECT_THAT(*store.of_request(ExchangeOrigin::Us, "trade", "r1"), IsEmpty());
    EXPECT_THAT(*store.of_request(ExchangeOrigin::Partner, "other", "r1"), IsEmpty());
    record.state = ExchangeState::Accepted;
    record.decided = kNoon;
    record.decided_by = "approver";
    record.terms = {"globex-2", kNoon, kNoon + std::chrono::hours(1)};
    record.response = "m2";
    record.settled = false;
    ASSERT_TRUE(store.decide(record));
    CertificateExchangeRecord other = record;
    other.state = ExchangeState::Rejected;
    EXPECT_EQ(store.decide(other).error().kind, ErrorKind::AlreadyExists);
  }
  SqliteCertificateExchangeStore store(open()->database());
  EXPECT_EQ(*store.find(kId), record);
  EXPECT_EQ(*store.find("01234567"), record);
  EXPECT_EQ(store.find("0123456").error().kind, ErrorKind::NotFound);
  EXPECT_THAT(*store.open(), ElementsAre(record));
  ASSERT_TRUE(store.settle(kId, ExchangeState::Waiting));
  EXPECT_THAT(*store.open(), SizeIs(1)) << "what follows from an earlier state is not all of it";
  ASSERT_TRUE(store.settle(kId, ExchangeState::Accepted));
  ASSERT_TRUE(store.tell(kId, "proposed"));
  EXPECT_THAT(*store.open(), IsEmpty());
  EXPECT_EQ(store.find(kId)->told, "proposed");
}

TEST_F(CertificateExchangeStoreTest, WhatAMessageAnnouncesComesWithIt) {
  const auto messages = open();
  SqliteCertificateExchangeStore store(messages->database());
  MessageRecord record;
  record.id = "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f";
  record.direction = Direction::Inbound;
  record.state = MessageState::Delivered;
  record.agreement = "trade";
  record.as2_from = "GLOBEX";
  record.as2_to = "ACME";
  record.message_id = "<1@globex>";
  record.created = kNoon;
  record.settled = kNoon;
  record.delivered_to = "certificate exchange";
  InboundCommit commit;
  commit.record = record;
  commit.unique = true;
  commit.announced = {proposal(kId)};
  commit.features = "multiple-attachments, CEM";
  ASSERT_TRUE(messages->commit_inbound(commit));
  EXPECT_THAT(*store.list(), ElementsAre(proposal(kId)));
  EXPECT_EQ(*store.features("trade"), "multiple-attachments, CEM");
  EXPECT_EQ(*store.features("other"), "");
  EXPECT_THAT(*messages->undelivered(), IsEmpty());

  CertificateExchangeRecord ours = proposal("abababababababababababababababab", "BB");
  ours.origin = ExchangeOrigin::Us;
  ASSERT_TRUE(store.add(ours));
  commit.record.id = "1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f";
  commit.record.message_id = "<2@globex>";
  commit.announced.clear();
  commit.features.clear();
  commit.answers = {{ours.id, ExchangeState::Accepted, "", commit.record.id, kNoon}};
  ASSERT_TRUE(messages->commit_inbound(commit));
  const auto answered = store.find(ours.id);
  EXPECT_EQ(answered->state, ExchangeState::Accepted);
  EXPECT_EQ(answered->response, commit.record.id);
  EXPECT_FALSE(answered->settled);
  EXPECT_EQ(*store.features("trade"), "multiple-attachments, CEM") << "saying nothing takes nothing back";

  commit.record.id = "2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f";
  commit.record.message_id = "<3@globex>";
  commit.answers = {{ours.id, ExchangeState::Rejected, "no", commit.record.id, kNoon}};
  ASSERT_TRUE(messages->commit_inbound(commit));
  EXPECT_EQ(store.find(ours.id)->state, ExchangeState::Accepted) << "the first answer counts";
}

}  // namespace
}  // namespace signet::gateway
