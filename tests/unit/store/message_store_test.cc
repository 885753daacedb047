#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <future>
#include <thread>

#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

using testing::HasSubstr;

using MessageStoreTest = StoreTest;

MessageRecord record_with_everything() {
  MessageRecord record = accepted_record("everything");
  record.subject = "Order 4711";
  record.settled = kNoon + std::chrono::seconds(1);
  record.request_id = "0123456789abcdef0123456789abcdef";
  record.remote_address = "192.0.2.1";
  record.content_type = "application/edi-x12";
  record.file_name = "order.edi";
  record.payload_size = 5;
  record.mic = "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=";
  record.mic_algorithm = "sha-256";
  record.disposition = "automatic-action/MDN-sent-automatically; processed";
  record.signer_thumbprint = "AB";
  record.receipt_signer_thumbprint = "CD";
  record.security = "encrypted aes256-cbc (rsa), signed sha-256 (rsa)";
  record.reason = "none";
  record.delivered_to = "nowhere yet";
  return record;
}

void expect_equal(const MessageRecord& a, const MessageRecord& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.direction, b.direction);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.agreement, b.agreement);
  EXPECT_EQ(a.as2_from, b.as2_from);
  EXPECT_EQ(a.as2_to, b.as2_to);
  EXPECT_EQ(a.message_id, b.message_id);
  EXPECT_EQ(a.subject, b.subject);
  EXPECT_EQ(a.created, b.created);
  EXPECT_EQ(a.settled, b.settled);
  EXPECT_EQ(a.request_id, b.request_id);
  EXPECT_EQ(a.remote_address, b.remote_address);
  EXPECT_EQ(a.content_type, b.content_type);
  EXPECT_EQ(a.file_name, b.file_name);
  EXPECT_EQ(a.payload_size, b.payload_size);
  EXPECT_EQ(a.mic, b.mic);
  EXPECT_EQ(a.mic_algorithm, b.mic_algorithm);
  EXPECT_EQ(a.disposition, b.disposition);
  EXPECT_EQ(a.signer_thumbprint, b.signer_thumbprint);
  EXPECT_EQ(a.receipt_signer_thumbprint, b.receipt_signer_thumbprint);
  EXPECT_EQ(a.security, b.security);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.delivered_to, b.delivered_to);
}

TEST_F(MessageStoreTest, KeepsAMessageWithPayloadAndReceiptAcrossAReopening) {
  const MessageRecord record = record_with_everything();
  ASSERT_TRUE(open()->commit_inbound(record, Slice::of("hello"), receipt_saying("processed"), true));
  const auto store = open();
  const auto found = store->find(record.id);
  ASSERT_TRUE(found) << found.error().detail;
  expect_equal(*found, record);
  EXPECT_EQ(octets_of(store->payload(record.id).value()), to_bytes("hello"));
  const auto receipt = store->receipt(record.id);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->http_status, 200);
  EXPECT_EQ(receipt->headers, receipt_saying("").headers);
  EXPECT_EQ(receipt->body, to_bytes("processed"));
}

TEST_F(MessageStoreTest, KeepsEverythingToItsOwner) {
  const auto store = open();
  ASSERT_TRUE(store->commit_inbound(accepted_record("a"), Slice::of(some_octets(300'000)),
                                    receipt_saying("r"), true));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
    struct stat facts {};
    ASSERT_EQ(::stat(entry.path().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 077U, 0U) << entry.path();
  }
}

TEST_F(MessageStoreTest, ClosesADirectoryThatOthersMayEnter) {
  std::filesystem::create_directories(directory_.path() / "store");
  ASSERT_EQ(::chmod((directory_.path() / "store").c_str(), 0777), 0);
  const auto store = open();
  struct stat facts {};
  ASSERT_EQ(::stat((directory_.path() / "store").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0700U);
}

TEST_F(MessageStoreTest, FindsTheReceiptOfAnAcceptedMessageByItsNames) {
  const auto store = open();
  const MessageRecord record = accepted_record("a");
  ASSERT_TRUE(store->commit_inbound(record, Slice::of("x"), receipt_saying("the receipt"), true));
  const auto found = store->find_earlier("Acme", "Globex", record.message_id, kNoon - std::chrono::hours(1));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->receipt->body, to_bytes("the receipt"));
}

TEST_F(MessageStoreTest, TakesAMessageIdWithAndWithoutItsAngleBracketsForTheSame) {
  const auto store = open();
  MessageRecord record = accepted_record("a");
  ASSERT_TRUE(store->commit_inbound(record, Slice::of("x"), receipt_saying("r"), true));
  EXPECT_TRUE(store->find_earlier("Acme", "Globex", "a@acme.example", Time()).value());
  EXPECT_FALSE(store->find_earlier("Acme", "Globex", "<a@acme.example", Time()).value());
  record.id = id_of("another id");
  record.message_id = "a@acme.example";
  EXPECT_EQ(store->commit_inbound(record, Slice::of("y"), receipt_saying("s"), true).error().kind,
            ErrorKind::AlreadyExists);
}

TEST_F(MessageStoreTest, FindsNoReceiptUnderNamesThatAreNotExactlyTheSame) {
  const auto store = open();
  const MessageRecord record = accepted_record("a");
  ASSERT_TRUE(store->commit_inbound(record, Slice::of("x"), receipt_saying("r"), true));
  EXPECT_FALSE(store->find_earlier("acme", "Globex", record.message_id, Time()).value());
  EXPECT_FALSE(store->find_earlier("AcmeG", "lobex", record.message_id, Time()).value());
  EXPECT_FALSE(store->find_earlier("Globex", "Acme", record.message_id, Time()).value());
  EXPECT_FALSE(store->find_earlier("Acme", "Globex", "<b@acme.example>", Time()).value());
  EXPECT_FALSE(
      store->find_earlier("Acme", "Globex", record.message_id, kNoon + std::chrono::seconds(1)).value());
}

TEST_F(MessageStoreTest, StoresNothingOfASecondMessageUnderTakenNames) {
  const auto store = open();
  MessageRecord record = accepted_record("a");
  ASSERT_TRUE(store->commit_inbound(record, Slice::of("first"), receipt_saying("first"), true));
  record.id = id_of("another id");
  const auto second =
      store->commit_inbound(record, Slice::of(some_octets(300'000)), receipt_saying("second"), true);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(store->find(record.id).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(body_files(), 0U);
  EXPECT_EQ((*store->find_earlier("Acme", "Globex", record.message_id, Time()).value()).receipt->body,
            to_bytes("first"));
}

TEST_F(MessageStoreTest, StoresASecondMessageUnderTakenNamesWhenTheyNeedNotBeUnique) {
  const auto store = open();
  MessageRecord record = accepted_record("a");
  ASSERT_TRUE(store->commit_inbound(record, Slice::of("first"), receipt_saying("first"), false));
  record.id = id_of("another id");
  ASSERT_TRUE(store->commit_inbound(record, Slice::of("second"), receipt_saying("second"), false));
  EXPECT_EQ((*store->find_earlier("Acme", "Globex", record.message_id, Time()).value()).receipt->body,
            to_bytes("second"));
  EXPECT_EQ(store->undelivered()->size(), 2U);
}

TEST_F(MessageStoreTest, ARefusedMessageDoesNotTakeItsNames) {
  const auto store = open();
  MessageRecord record = accepted_record("a");
  record.state = MessageState::Refused;
  ASSERT_TRUE(store->commit_inbound(record, Slice(), receipt_saying("failed"), false));
  EXPECT_FALSE(store->find_earlier("Acme", "Globex", record.message_id, Time()).value());
  EXPECT_TRUE(store->undelivered()->empty());
  EXPECT_TRUE(store->payload(record.id)->empty());
  EXPECT_EQ(store->receipt(record.id)->body, to_bytes("failed"));

  record.id = id_of("the retry");
  record.state = MessageState::Accepted;
  EXPECT_TRUE(store->commit_inbound(record, Slice::of("x"), receipt_saying("processed"), true));
}

TEST_F(MessageStoreTest, OneOfManyAtTheSameInstantGetsTheNames) {
  const auto store = open();
  std::atomic<int> accepted = 0;
  std::atomic<int> repeated = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 10; ++round) {
        MessageRecord record = accepted_record("round " + std::to_string(round));
        record.id = id_of(std::to_string(round) + "/" + std::to_string(i));
        const auto outcome =
            store->commit_inbound(record, Slice::of(record.id), receipt_saying(record.id), true);
        if (outcome) ++accepted;
        if (!outcome && outcome.error().kind == ErrorKind::AlreadyExists) ++repeated;
        const auto stored = store->find_earlier("Acme", "Globex", record.message_id, Time());
        EXPECT_TRUE(stored && *stored);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(accepted, 10);
  EXPECT_EQ(repeated, 150);
  EXPECT_EQ(store->undelivered()->size(), 10U);
}

TEST_F(MessageStoreTest, GivesOutWhatIsUndeliveredOldestFirstUntilItIsMarked) {
  const auto store = open();
  for (const char* name : {"c", "a", "b"})
    ASSERT_TRUE(store->commit_inbound(accepted_record(name), Slice::of(name), receipt_saying("r"), true));
  ASSERT_TRUE(store->mark_delivered(id_of("a"), "/in/a", kNoon));
  ASSERT_TRUE(store->mark_delivered(id_of("a"), "/in/elsewhere", kNoon + std::chrono::hours(1)));
  const auto left = store->undelivered();
  ASSERT_TRUE(left);
  ASSERT_EQ(left->size(), 2U);
  EXPECT_EQ((*left)[0].id, id_of("c"));
  EXPECT_EQ((*left)[1].id, id_of("b"));
  const auto marked = store->find(id_of("a"));
  EXPECT_EQ(marked->state, MessageState::Delivered);
  EXPECT_EQ(marked->delivered_to, "/in/a");
  EXPECT_EQ(marked->settled, kNoon);
}

TEST_F(MessageStoreTest, MarksOnlyWhatWasAccepted) {
  const auto store = open();
  MessageRecord refused = accepted_record("refused");
  refused.state = MessageState::Refused;
  ASSERT_TRUE(store->commit_inbound(refused, Slice(), receipt_saying("failed"), false));
  EXPECT_EQ(store->mark_delivered(refused.id, "/in", kNoon).error().kind, ErrorKind::InvalidInput);
  EXPECT_EQ(store->mark_delivered(id_of("unknown"), "/in", kNoon).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(store->find(refused.id)->state, MessageState::Refused);
}

TEST_F(MessageStoreTest, SettlesAnOutboundMessageOnce) {
  const auto store = open();
  MessageRecord record = accepted_record("out");
  record.direction = Direction::Outbound;
  record.state = MessageState::Sending;
  ASSERT_TRUE(
      store->commit_outbound({record, Slice::of("order"), wire_saying("wire")}, MessageStore::Tell::Nobody));
  EXPECT_EQ(store->receipt(record.id).error().kind, ErrorKind::NotFound);

  record.state = MessageState::Confirmed;
  record.disposition = "processed";
  record.settled = kNoon;
  record.receipt_signer_thumbprint = "AB";
  ASSERT_TRUE(store->settle_outbound(record, receipt_saying("their receipt"), MessageStore::Tell::Nobody));
  record.state = MessageState::Failed;
  record.reason = "a forged receipt, later";
  EXPECT_EQ(store->settle_outbound(record, receipt_saying("forged"), MessageStore::Tell::Nobody).error().kind,
            ErrorKind::AlreadyExists);

  const auto found = store->find(record.id);
  EXPECT_EQ(found->state, MessageState::Confirmed);
  EXPECT_EQ(found->disposition, "processed");
  EXPECT_EQ(found->reason, "");
  EXPECT_EQ(found->receipt_signer_thumbprint, "AB");
  EXPECT_EQ(store->receipt(record.id)->body, to_bytes("their receipt"));
  EXPECT_EQ(octets_of(*store->payload(record.id)), to_bytes("order"));
  record.id = id_of("never sent");
  EXPECT_EQ(store->settle_outbound(record, receipt_saying(""), MessageStore::Tell::Nobody).error().kind,
            ErrorKind::NotFound);
}

TEST_F(MessageStoreTest, ListsNewestFirstByAnyMixtureOfFilters) {
  const auto store = open();
  for (const char* name : {"1", "2", "3"}) {
    MessageRecord record = accepted_record(name);
    if (record.id == id_of("2")) record.agreement = "other";
    ASSERT_TRUE(store->commit_inbound(record, Slice::of("x"), receipt_saying("r"), true));
  }
  MessageRecord out = accepted_record("4");
  out.direction = Direction::Outbound;
  out.state = MessageState::Sending;
  ASSERT_TRUE(store->commit_outbound({out, Slice::of("x"), wire_saying("wire")}, MessageStore::Tell::Nobody));

  const auto ids = [&](const MessageFilter& filter) {
    std::vector<std::string> found;
    const auto records = store->list(filter).value();
    for (const MessageRecord& record : records) found.push_back(record.id);
    return found;
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(ids({}), (Ids{id_of("4"), id_of("3"), id_of("2"), id_of("1")}));
  EXPECT_EQ(ids({Direction::Outbound, {}, "", "", {}, {}, 100}), Ids{id_of("4")});
  EXPECT_EQ(ids({{}, MessageState::Accepted, "", "", {}, {}, 2}), (Ids{id_of("3"), id_of("2")}));
  EXPECT_EQ(ids({{}, MessageState::Accepted, "other", "", {}, {}, 100}), Ids{id_of("2")});
  EXPECT_EQ(ids({{}, {}, "", "<1@acme.example>", {}, {}, 100}), Ids{id_of("1")});
  EXPECT_EQ(ids({{}, MessageState::Failed, "", "", {}, {}, 100}), Ids{});
  EXPECT_EQ(ids({{}, {}, "", "", {}, {}, 0}), Ids{});
  EXPECT_EQ(ids({{}, {}, "", "", {}, {}, SIZE_MAX}).size(), 4U);
  EXPECT_EQ(ids({{}, {}, "' OR 1=1 --", "", {}, {}, 100}), Ids{});
  EXPECT_EQ(ids({.since = kNoon, .until = kNoon + std::chrono::seconds(1)}).size(), 4U);
  EXPECT_EQ(ids({.since = kNoon + std::chrono::seconds(1)}), Ids{});
  EXPECT_EQ(ids({.until = kNoon}), Ids{});
}

TEST_F(MessageStoreTest, CountsByStateAndAgreement) {
  const auto store = open();
  EXPECT_EQ(store->counts().value(), std::vector<MessageCount>{});
  for (int i = 0; i < 3; ++i) {
    MessageRecord record = accepted_record(std::to_string(i));
    record.created = kNoon + std::chrono::hours(i);
    if (i == 2) record.agreement = "";
    ASSERT_TRUE(store->commit_inbound(record, Slice::of("x"), receipt_saying("r"), true));
  }
  for (int i = 0; i < 2; ++i) {
    MessageRecord out = accepted_record("out " + std::to_string(i));
    out.direction = Direction::Outbound;
    out.state = MessageState::Queued;
    out.due = kNoon + std::chrono::minutes(10 - i);
    ASSERT_TRUE(
        store->commit_outbound({out, Slice::of("x"), wire_saying("wire")}, MessageStore::Tell::Nobody));
  }
  const MessageCount strangers{
      Direction::Inbound, MessageState::Accepted, "", 1, kNoon + std::chrono::hours(2), {}};
  const MessageCount accepted{Direction::Inbound, MessageState::Accepted, "acme-globex", 2, kNoon, {}};
  const MessageCount queued{
      Direction::Outbound, MessageState::Queued, "acme-globex", 2, kNoon, kNoon + std::chrono::minutes(9)};
  EXPECT_EQ(store->counts().value(), (std::vector<MessageCount>{strangers, accepted, queued}));
  EXPECT_EQ(store->counts(kNoon + std::chrono::hours(2)).value(), std::vector<MessageCount>{strangers});
}

TEST_F(MessageStoreTest, VisitsEveryMatchOldestFirstHoweverManyThereAre) {
  const auto store = open();
  constexpr int kMany = 600;  // more than are read at once
  for (int i = 0; i < kMany; ++i) {
    MessageRecord record = accepted_record(std::to_string(i));
    record.agreement = i % 2 == 0 ? "even" : "odd";
    store->commit_inbound({record, Slice(), receipt_saying("r"), true, std::nullopt, {}},
                          [](const Result<>&) {});
  }
  ASSERT_TRUE(store->commit_inbound(accepted_record("last"), Slice(), receipt_saying("r"), true));
  std::vector<std::string> ids;
  const auto keep = [&](const MessageRecord& record) -> Result<> {
    ids.push_back(record.id);
    EXPECT_TRUE(store->receipt(record.id)) << "the store can be asked meanwhile";
    return {};
  };
  ASSERT_TRUE(store->visit({.agreement = "odd", .limit = 1}, keep));
  ASSERT_EQ(ids.size(), kMany / 2);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], id_of(std::to_string(2 * i + 1)));

  const auto ended =
      store->visit({}, [](const MessageRecord&) { return Result<>(fail(ErrorKind::IoFailure, "full")); });
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().detail, "full");
  EXPECT_TRUE(store->visit({.agreement = "none"}, [](const MessageRecord&) {
    return Result<>(fail(ErrorKind::Internal, "called"));
  }));
}

TEST_F(MessageStoreTest, FindsByTheFirstDigitsOfAnIdUnlessSeveralHaveThem) {
  const auto store = open();
  const std::string rest(22, '0');
  for (const std::string& id : {"0123456789" + rest, "0123456790" + rest, "fffffffff0" + rest}) {
    MessageRecord record = accepted_record("message " + id);
    record.id = id;
    ASSERT_TRUE(store->commit_inbound(record, Slice(), receipt_saying("taken"), true));
  }
  EXPECT_EQ(store->find("0123456789")->id, "0123456789" + rest);
  EXPECT_EQ(store->find("ffffffff")->id, "fffffffff0" + rest);
  EXPECT_EQ(store->find("01234567").error().kind, ErrorKind::InvalidInput);
  EXPECT_EQ(store->find("fffffff").error().kind, ErrorKind::NotFound) << "too few to name one by";
  EXPECT_EQ(store->find("FFFFFFFF").error().kind, ErrorKind::NotFound);
  EXPECT_EQ(store->find("ffffffff%").error().kind, ErrorKind::NotFound);
}

TEST_F(MessageStoreTest, FindsByMessageIdWithAndWithoutBracketsUnlessSeveralHaveIt) {
  const auto store = open();
  MessageRecord record = accepted_record("a");
  ASSERT_TRUE(store->commit_inbound(record, Slice::of("x"), receipt_saying("r"), true));
  EXPECT_EQ(store->find("<a@acme.example>")->id, record.id);
  EXPECT_EQ(store->find("a@acme.example")->id, record.id);
  EXPECT_EQ(store->find("A@acme.example").error().kind, ErrorKind::NotFound);
  EXPECT_EQ(store->find("").error().kind, ErrorKind::NotFound);
  record.id = id_of("second");
  ASSERT_TRUE(store->commit_inbound(record, Slice::of("x"), receipt_saying("r"), false));
  EXPECT_EQ(store->find("<a@acme.example>").error().kind, ErrorKind::InvalidInput);
}

TEST_F(MessageStoreTest, KeepsALargePayloadAsAFileOfItsOwn) {
  const auto store = open();
  const Bytes large = some_octets(3'000'000);
  const auto spool = std::make_shared<Spool>(SpoolArea{store->spool_directory(), 1000, 1U << 30});
  ASSERT_TRUE(spool->write(large));
  ASSERT_TRUE(
      store->commit_inbound(accepted_record("spooled"), Spool::finish(spool), receipt_saying("r"), true));
  ASSERT_TRUE(
      store->commit_inbound(accepted_record("in memory"), Slice::of(large), receipt_saying("r"), true));
  const Slice part = Slice::of(large).sub(1, 2'000'000);
  ASSERT_TRUE(store->commit_inbound(accepted_record("a part"), part, receipt_saying("r"), true));
  EXPECT_EQ(body_files(), 3U);

  const auto again = open();
  EXPECT_EQ(octets_of(*again->payload(id_of("spooled"))), large);
  EXPECT_EQ(octets_of(*again->payload(id_of("in memory"))), large);
  EXPECT_EQ(octets_of(*again->payload(id_of("a part"))), octets_of(part));
  const std::string id = id_of("spooled");
  EXPECT_TRUE(std::filesystem::exists(directory_.path() / "store/bodies" / id.substr(0, 2) / id));
}

TEST_F(MessageStoreTest, KeepsALargePayloadInTheFileThatItWasTakenOutOf) {
  const auto store = open();
  const Bytes large = some_octets(3'000'000);
  const auto spool = std::make_shared<Spool>(SpoolArea{store->spool_directory(), 1000, 1U << 30});
  ASSERT_TRUE(spool->write(large));
  const Slice whole = Spool::finish(spool);
  const Slice payload = whole.sub(500, 2'999'000);
  const MessageRecord record = accepted_record("within");
  ASSERT_TRUE(store->commit_inbound(record, payload, receipt_saying("r"), true));
  const auto file = directory_.path() / "store/bodies" / record.id.substr(0, 2) / record.id;
  EXPECT_EQ(std::filesystem::file_size(file), large.size());  // so nothing was copied

  const auto again = open();
  EXPECT_EQ(octets_of(*again->payload(record.id)), octets_of(payload));
  std::filesystem::resize_file(file, 2'999'499);
  const auto cut_short = again->payload(record.id);
  ASSERT_FALSE(cut_short);
  EXPECT_EQ(cut_short.error().kind, ErrorKind::IoFailure);
  EXPECT_THAT(cut_short.error().detail, HasSubstr("2998999 octets and should have 2999000"));
}

TEST_F(MessageStoreTest, KeepsTwoLargeBodiesOfOneSpoolInFilesOfTheirOwn) {
  const auto store = open();
  const Bytes large = some_octets(3'000'000);
  const auto spool = std::make_shared<Spool>(SpoolArea{store->spool_directory(), 1000, 1U << 30});
  ASSERT_TRUE(spool->write(large));
  const Slice whole = Spool::finish(spool);
  const MessageRecord record = accepted_record("both");
  std::promise<Result<>> outcome;
  store->commit_inbound({record, whole.sub(500), receipt_saying("r"), true, WireCopy{{}, whole}, {}},
                        [&](Result<> stored) { outcome.set_value(std::move(stored)); });
  ASSERT_TRUE(outcome.get_future().get());
  EXPECT_EQ(body_files(), 2U);
  const auto again = open();
  EXPECT_EQ(octets_of(*again->payload(record.id)), octets_of(whole.sub(500)));
  EXPECT_EQ(octets_of(again->wire(record.id)->body), large);
}

TEST_F(MessageStoreTest, KeepsPayloadsOnBothSidesOfTheBorderBetweenRowAndFile) {
  const auto store = open();
  std::size_t files = 0;
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{262'143}, std::size_t{262'144}, std::size_t{262'145}}) {
    const Bytes octets = some_octets(size);
    const MessageRecord record = accepted_record(std::to_string(size));
    ASSERT_TRUE(store->commit_inbound(record, Slice::of(octets), receipt_saying("r"), true));
    EXPECT_EQ(octets_of(*store->payload(record.id)), octets);
    if (size > 262'144) ++files;
    EXPECT_EQ(body_files(), files) << size;
  }
}

TEST_F(MessageStoreTest, GivesHostileTextBackUnchangedAndNamesNoFileByIt) {
  const auto store = open();
  const std::vector<std::string> hostile = {"'; DROP TABLE messages; --",
                                            std::string("a\0b", 3),
                                            std::string("\0", 1),
                                            "line\r\nX-Injected: yes",
                                            "../../../../etc/cron.d/evil",
                                            "..\\..\\autorun.inf",
                                            "\xFF\xFE not UTF-8 \xC0\xAF",
                                            std::string(20'000, 'A'),
                                            "%s%n%x",
                                            "?1",
                                            "\xE2\x80\xAE"
                                            "gpj.exe"};
  for (std::size_t i = 0; i < hostile.size(); ++i) {
    MessageRecord record = record_with_everything();
    record.id = id_of("hostile " + std::to_string(i));
    record.payload_size = 300'000;
    for (std::string* field :
         {&record.agreement, &record.as2_from, &record.as2_to, &record.message_id, &record.subject,
          &record.content_type, &record.file_name, &record.remote_address, &record.reason})
      *field = hostile[i];
    const StoredReceipt receipt{200, {{hostile[i], hostile[i]}, {"", ""}}, to_bytes(hostile[i])};
    ASSERT_TRUE(store->commit_inbound(record, Slice::of(some_octets(300'000)), receipt, true)) << i;
    expect_equal(*store->find(record.id), record);
    EXPECT_EQ(store->find(hostile[i])->id, record.id);
    EXPECT_EQ(store->receipt(record.id)->headers, receipt.headers);
    EXPECT_EQ(store->receipt(record.id)->body, receipt.body);
    EXPECT_TRUE(*store->find_earlier(hostile[i], hostile[i], hostile[i], Time())) << i;
    EXPECT_EQ(store->list({.agreement = hostile[i], .message_id = hostile[i]})->size(), 1U);
    MessageRecord twin = record;
    twin.id = id_of("twin");
    EXPECT_EQ(store->commit_inbound(twin, Slice::of("x"), receipt, true).error().kind,
              ErrorKind::AlreadyExists);
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
    const std::string name = entry.path().filename().string();
    const bool ours = BodyFiles::is_id(name) || name.size() == 2 || name == "store" || name == "bodies" ||
                      name == "spool" || name == "sending" || name == "lock" ||
                      name.rfind("signet.db", 0) == 0;
    EXPECT_TRUE(ours) << entry.path();
  }
}

TEST_F(MessageStoreTest, TakesNoIdThatIsNotOneOfOurs) {
  const auto store = open();
  for (const std::string& id : {std::string("../../../../tmp/x"), std::string(), std::string(32, 'G'),
                                std::string(31, 'a'), std::string(33, 'a'), std::string(31, 'a') + '\0'}) {
    MessageRecord record = accepted_record("a");
    record.id = id;
    EXPECT_FALSE(store->commit_inbound(record, Slice::of("x"), receipt_saying("r"), true));
    EXPECT_FALSE(store->commit_outbound({record, Slice::of(some_octets(300'000)), wire_saying("wire")},
                                        MessageStore::Tell::Nobody));
    EXPECT_EQ(store->payload(id).error().kind, ErrorKind::NotFound);
    EXPECT_EQ(store->receipt(id).error().kind, ErrorKind::NotFound);
  }
  EXPECT_TRUE(store->list({})->empty());
}

TEST_F(MessageStoreTest, UsesAnIdOnce) {
  const auto store = open();
  MessageRecord record = accepted_record("a");
  const Bytes large = some_octets(300'000);
  ASSERT_TRUE(store->commit_inbound(record, Slice::of(large), receipt_saying("r"), true));
  record.message_id = "<other@acme.example>";
  EXPECT_FALSE(store->commit_inbound(record, Slice::of("x"), receipt_saying("r"), true));
  EXPECT_FALSE(store->commit_inbound(record, Slice::of(some_octets(400'000)), receipt_saying("r"), true));
  EXPECT_EQ(octets_of(*store->payload(record.id)), large);
}

}  // namespace
}  // namespace signet::gateway
