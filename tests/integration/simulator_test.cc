// The simulated partner, and with it a real gateway: what each misbehaviour makes of a message, and each
// misshapen message of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <condition_variable>
#include <mutex>

#include "gateway/simulator/partner.h"
#include "gateway/simulator/sender.h"
#include "gateway/simulator/simulated_account.h"
#include "tests/integration/scripted_partner.h"
#include "tests/support/test_gateway.h"

namespace signet::test {
namespace {

namespace simulator = gateway::simulator;
using gateway::HttpRequest;
using gateway::HttpResponse;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kAgreement = "trade-simulated";

/// Whatever a partner tells of what it does.
class Events {
 public:
  simulator::Tell tell() {
    return [this](const simulator::Event& event) {
      const std::lock_guard lock(mutex_);
      events_.push_back(event);
      came_.notify_all();
    };
  }
  /// The values of a fact, in the events of this name, once there are so many of them.
  std::vector<std::string> wait(std::string_view name, std::string_view fact, std::size_t count) {
    std::unique_lock lock(mutex_);
    std::vector<std::string> values;
    came_.wait_for(lock, std::chrono::seconds(60), [&] {
      values.clear();
      for (const simulator::Event& event : events_)
        for (const auto& [key, value] : event.facts)
          if (event.name == name && key == fact) values.push_back(value);
      return values.size() >= count;
    });
    return values;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<simulator::Event> events_;
};

/// Acme's gateway with its agreement with Globex, and a simulated Globex beside the real one.
class SimulatedTrade {
 public:
  /// Changes the agreement that is simulated, at Acme.
  using Terms = std::function<void(Agreement&)>;

  SimulatedTrade() {
    gateway::HttpLimits impatient;
    impatient.transfer_grace = std::chrono::milliseconds(300);
    pair_.acme.stop();
    pair_.acme.options.http_limits = impatient;
    pair_.acme.start();
  }

  /// Has the simulated partner answer by this script.
  void answer_by(std::string_view script, bool asynchronous = false, const Terms& terms = {},
                 std::chrono::milliseconds delay = std::chrono::milliseconds(100)) {
    server_.reset();  // and with it whoever still talks to the partner before
    partner_ = std::make_unique<simulator::SimulatedPartner>(
        ports(), simulator::AnswerSettings{"/as2", delay, false}, need(simulator::Script::parse(script)),
        events.tell());
    server_ = need(simulator::WireServer::start(
        {"partner", "127.0.0.1", 0, std::nullopt}, home_.home().spool_area(), clock_,
        [this](simulator::Conversation& talk) { partner_->serve(talk); }));
    agree(asynchronous, terms);
  }

  void agree(bool asynchronous = false, const Terms& terms = {}) {
    Account account = pair_.accounts().first;
    Agreement& original = account.agreements.front();
    original.retry = {.attempts = 5, .first_interval = std::chrono::hours(1)};
    if (terms) terms(original);
    simulator::SimulationSettings settings{
        .agreement = "trade",
        .partner_url = server_ ? "http://127.0.0.1:" + std::to_string(server_->port()) + "/as2"
                               : "http://127.0.0.1:1/as2",
        .receipt_url = receipt_url(),
        .gateway_url = pair_.acme.url(),
        .gateway_receipt_url = asynchronous ? pair_.acme.receipt_url() : "",
        .certificate = certificate_};
    const simulator::Simulation simulation = need(simulator::simulate_guest(account, settings));
    pair_.acme.apply(simulation.gateway);
    home_.apply(simulation.partner);
  }

  /// As `signet send` does: one attempt.
  MessageRecord send() { return need(acme().send(std::string(kAgreement), "an order")); }
  /// Leaves the attempts to the gateway, which a receipt that is posted may overtake. @returns the record's
  /// id.
  std::string submit() { return need(acme().submit(std::string(kAgreement), "an order")).id; }

  /// Sends to the gateway, or to another one that takes its place; receipts that are posted come to
  /// receipt_url().
  Result<simulator::SendVerdict> try_to_send(std::string_view behaviour, const std::string& url = "",
                                             std::chrono::milliseconds patience = std::chrono::seconds(60)) {
    const simulator::SendSettings settings{
        .agreement = std::string(kAgreement),
        .url = url,
        .receipt_listener = {"receipts", "127.0.0.1", receipt_port_, std::nullopt},
        .delay = std::chrono::milliseconds(5),
        .patience = patience};
    return simulator::send(ports(), settings, need(simulator::parse_send_behaviour(behaviour)),
                           Slice::of("an order"), "order.edi", stop_);
  }
  simulator::SendVerdict send(std::string_view behaviour, const std::string& url = "") {
    return need(try_to_send(behaviour, url), behaviour);
  }
  /// Changes the gateway's side of the agreement, and not the partner's.
  void deviate(const std::function<void(Account& account, Agreement& agreement)>& change) {
    Account account = acme().account();
    for (Agreement& agreement : account.agreements)
      if (agreement.name == kAgreement) change(account, agreement);
    acme().apply(account);
  }

  TestGateway& acme() { return pair_.acme; }
  /// The stranger's certificate as an entry of an account.
  const agreements::CertificateEntry& stranger() const { return stranger_entry_; }

  Events events;

 private:
  simulator::PartnerPorts ports() {
    return {[this] { return home_.home().current_account(); }, stranger_, clock_,
            [this](const HttpPost& request) { return client_.post(request); }, home_.home().spool_area()};
  }
  std::string receipt_url() const {
    return "http://127.0.0.1:" + std::to_string(receipt_port_) + "/receipts";
  }

  static std::uint16_t free_port() {
    const SystemClock clock;
    return need(simulator::WireServer::start({"", "127.0.0.1", 0, std::nullopt}, {}, clock, [](auto&) {}))
        ->port();
  }

  TradingPair pair_;
  TestGateway home_{{.name = "Simulated"}};  // keys and account; it serves nobody
  const certstore::PrivateCertificate stranger_ = make_certificate({.common_name = "Simulated stranger"});
  const agreements::CertificateEntry stranger_entry_{
      "stranger", stranger_.certificate.der(), std::nullopt, {}};
  const agreements::CertificateEntry certificate_ =
      home_.add_key("simulated-test-key", {.common_name = "Simulated"});
  const SystemClock clock_;
  const std::uint16_t receipt_port_ = free_port();
  gateway::HttpClient client_;
  simulator::StopSignal stop_;
  std::unique_ptr<simulator::SimulatedPartner> partner_;
  std::unique_ptr<simulator::WireServer> server_;  // last: its threads use everything above
};

class Simulator : public testing::Test {
 protected:
  SimulatedTrade trade_;
};

// ---- Answers

struct AnswerCase {
  std::string_view script;
  MessageState state;
  std::string_view reason = "";
};

constexpr std::array kAnswersInTheResponse = {
    AnswerCase{"correct", MessageState::Confirmed},
    AnswerCase{"wrong-signer", MessageState::Failed, "signature does not hold"},
    AnswerCase{"wrong-mic", MessageState::Failed, "received something else"},
    AnswerCase{"no-mic", MessageState::Failed, "no Received-Content-MIC"},
    AnswerCase{"wrong-message-id", MessageState::Failed, "the receipt is for message"},
    AnswerCase{"unsigned-mdn", MessageState::Failed, "not signed"},
    AnswerCase{"tampered-mdn", MessageState::Failed, "signature does not hold"},
    AnswerCase{"error-disposition", MessageState::Failed, "did not accept the message"},
    AnswerCase{"failed-disposition", MessageState::Failed, "unsupported format"},
    AnswerCase{"warning-disposition", MessageState::Confirmed},
    AnswerCase{"contradictory-mdn", MessageState::Failed, "did not accept the message"},
    AnswerCase{"garbage", MessageState::Failed, "signature does not hold"},
    AnswerCase{"no-mdn", MessageState::Queued, "without the receipt"},
    AnswerCase{"late-mdn", MessageState::Confirmed},
    AnswerCase{"early-mdn", MessageState::Confirmed},
    AnswerCase{"duplicate-mdn", MessageState::Confirmed},
    AnswerCase{"slow", MessageState::Confirmed},
    AnswerCase{"drip", MessageState::Confirmed},
    AnswerCase{"reset", MessageState::Queued, "posting to"},
    AnswerCase{"reset-mid-body", MessageState::Queued, "posting to"},
    AnswerCase{"reset-mid-answer", MessageState::Queued, "posting to"},
    AnswerCase{"not-http", MessageState::Queued, "posting to"},
    AnswerCase{"http-503-then-correct", MessageState::Queued, "503"},
    AnswerCase{"http-500", MessageState::Queued, "500"},
    AnswerCase{"http-429", MessageState::Queued, "429"},
    AnswerCase{"http-404", MessageState::Failed, "404"},
    AnswerCase{"http-307", MessageState::Failed, "307"},
};

TEST_F(Simulator, AnswersInTheResponseAreJudgedByTheGateway) {
  for (const AnswerCase& test : kAnswersInTheResponse) {
    SCOPED_TRACE(test.script);
    trade_.answer_by(test.script);
    const MessageRecord record = trade_.send();
    EXPECT_EQ(to_string(record.state), to_string(test.state)) << record.reason;
    EXPECT_THAT(record.reason, HasSubstr(std::string(test.reason)));
    EXPECT_EQ(record.due.has_value(), test.state == MessageState::Queued);
  }
}

TEST_F(Simulator, ThereIsAnExampleOfEveryAnswer) {
  for (const simulator::AnswerBehaviour& behaviour : simulator::answer_behaviours())
    EXPECT_THAT(kAnswersInTheResponse, Contains(testing::Field(&AnswerCase::script, behaviour.name)));
}

TEST_F(Simulator, PostedReceiptsAreJudgedByTheGateway) {
  for (const AnswerCase& test :
       {AnswerCase{"correct", MessageState::Confirmed},
        AnswerCase{"wrong-mic", MessageState::Failed, "received something else"},
        AnswerCase{"no-mic", MessageState::Failed, "no Received-Content-MIC"},
        AnswerCase{"tampered-mdn", MessageState::Failed, "signature does not hold"},
        AnswerCase{"error-disposition", MessageState::Failed, "did not accept the message"},
        AnswerCase{"warning-disposition", MessageState::Confirmed},
        AnswerCase{"late-mdn", MessageState::Confirmed}, AnswerCase{"slow", MessageState::Confirmed},
        AnswerCase{"early-mdn", MessageState::Confirmed}}) {
    SCOPED_TRACE(test.script);
    trade_.answer_by(test.script, true);
    const MessageRecord record = trade_.acme().wait_for_state(trade_.submit(), test.state);
    EXPECT_THAT(record.reason, HasSubstr(std::string(test.reason)));
  }
}

/// Anybody can have posted them, so they must not end the message before the partner's own one comes.
TEST_F(Simulator, AReceiptThatIsNotThePartnersSettlesNothingWhenItIsPosted) {
  trade_.answer_by("unsigned-mdn,wrong-signer", true);
  const std::string first = trade_.submit();
  EXPECT_THAT(trade_.events.wait("receipt", "status", 1), testing::ElementsAre("200"));
  const std::string second = trade_.submit();
  EXPECT_THAT(trade_.events.wait("receipt", "status", 2), testing::ElementsAre("200", "200"));
  for (const std::string& id : {first, second})
    trade_.acme().wait_for_state(id, MessageState::AwaitingReceipt);
}

TEST_F(Simulator, AReceiptForAnotherMessageOrNoiseSettlesNothingWhenItIsPosted) {
  trade_.answer_by("wrong-message-id,garbage", true);
  const std::string first = trade_.submit();
  EXPECT_THAT(trade_.events.wait("receipt", "status", 1), testing::ElementsAre("404"));
  const std::string second = trade_.submit();
  EXPECT_THAT(trade_.events.wait("receipt", "status", 2), testing::ElementsAre("404", "400"));
  for (const std::string& id : {first, second})
    trade_.acme().wait_for_state(id, MessageState::AwaitingReceipt);
}

TEST_F(Simulator, APostedReceiptThatComesTwiceIsTakenTwiceAndConfirmsOnce) {
  trade_.answer_by("duplicate-mdn", true);
  const std::string sent = trade_.submit();
  EXPECT_THAT(trade_.events.wait("receipt", "status", 2), testing::ElementsAre("200", "200"));
  EXPECT_EQ(trade_.acme().message(sent).state, MessageState::Confirmed);
}

TEST_F(Simulator, OfTwoContradictoryPostedReceiptsTheFirstCounts) {
  trade_.answer_by("contradictory-mdn", true);
  const std::string sent = trade_.submit();
  EXPECT_THAT(trade_.events.wait("receipt", "status", 2), SizeIs(2));
  const MessageRecord record = trade_.acme().message(sent);
  EXPECT_EQ(record.state, MessageState::Confirmed);
  EXPECT_THAT(record.disposition, testing::Not(HasSubstr("error")));
}

TEST_F(Simulator, APostedReceiptThatNeverComesIsMissedAfterItsTime) {
  trade_.answer_by("no-mdn", true, [](Agreement& agreement) {
    agreement.send_agreement.expected_receipt.timeout = std::chrono::milliseconds(100);
    agreement.send_agreement.error_settings.resend_if_mdn_not_received = false;
  });
  const MessageRecord sent = trade_.send();
  EXPECT_THAT(trade_.acme().wait_for_state(sent.id, MessageState::Failed).reason,
              HasSubstr("no receipt came"));
  EXPECT_THAT(trade_.events.wait("receipt", "status", 0), IsEmpty());
}

TEST_F(Simulator, AnAnswerThatTakesLongerThanTheAgreementGivesItIsBrokenOff) {
  trade_.answer_by(
      "slow", false,
      [](Agreement& agreement) { agreement.connection.total_timeout = std::chrono::milliseconds(300); },
      std::chrono::hours(1));
  EXPECT_EQ(trade_.send().state, MessageState::Queued);
}

TEST_F(Simulator, AScriptSaysWhatEachMessageGets) {
  trade_.answer_by("http-503*2,correct", false, [](Agreement& agreement) {
    agreement.retry.first_interval = std::chrono::milliseconds(5);
  });
  const MessageRecord first = trade_.acme().wait_for_state(trade_.send().id, MessageState::Confirmed);
  EXPECT_EQ(first.attempts, 3U);
  EXPECT_THAT(trade_.events.wait("message", "attempt", 3), testing::ElementsAre("1", "2", "3"));
  EXPECT_EQ(trade_.send().attempts, 1U) << "the last step is for all that follow";
}

TEST_F(Simulator, TheFirstAttemptOfEachMessageCanBeMadeToFail) {
  trade_.answer_by("http-503-then-correct", false, [](Agreement& agreement) {
    agreement.retry.first_interval = std::chrono::milliseconds(5);
  });
  for (int i = 0; i < 2; ++i) {
    const MessageRecord record = trade_.acme().wait_for_state(trade_.send().id, MessageState::Confirmed);
    EXPECT_EQ(record.attempts, 2U);
  }
}

TEST_F(Simulator, AMessageThatItCannotAcceptGetsTheReceiptThatSaysSo) {
  trade_.answer_by("wrong-mic");
  auto message = trade_.acme().compose(std::string(kAgreement), "an order");
  Bytes body = need(message.body.to_bytes(SIZE_MAX));
  body[body.size() / 2] ^= 1;
  message.body = Slice::of(std::move(body));
  const HttpAnswer answer = answer_to(message);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(field_in(text_of(answer.body), "Disposition"), HasSubstr("decryption-failed"));
}

TEST_F(Simulator, WhomItDoesNotKnowItRefuses) {
  trade_.answer_by("correct");
  auto message = trade_.acme().compose(std::string(kAgreement), "an order");
  message.headers.set("AS2-From", "Mallory");
  EXPECT_EQ(answer_to(message).status, 403);
  message.url.replace(message.url.rfind("/as2"), 4, "/other");
  EXPECT_EQ(answer_to(message).status, 404);
  EXPECT_THAT(trade_.events.wait("refused", "status", 2), testing::ElementsAre("403", "404"));
}

TEST_F(Simulator, PostsNoReceiptToOtherMachines) {
  // 192.0.2.1 is nobody's [RFC5737]; it is never connected to.
  trade_.answer_by("correct", true);
  auto message = trade_.acme().compose(std::string(kAgreement), "an order");
  message.headers.set("Receipt-Delivery-Option", "http://192.0.2.1/as2/receipts");
  EXPECT_EQ(answer_to(message).status, 204);
  EXPECT_THAT(trade_.events.wait("receipt", "error", 1), Contains(HasSubstr("192.0.2.1")));
}

TEST_F(Simulator, TheRealPartnerIsNotTouched) {
  trade_.answer_by("wrong-mic");
  EXPECT_EQ(trade_.send().state, MessageState::Failed);
  EXPECT_EQ(need(trade_.acme().send("trade", "an order")).state, MessageState::Confirmed);
}

// ---- Messages

TEST_F(Simulator, AGoodGatewayHandlesEachMessageAsItMust) {
  trade_.agree();
  std::size_t accepted = 0;
  for (const simulator::SendBehaviour& behaviour : simulator::send_behaviours()) {
    SCOPED_TRACE(behaviour.name);
    const simulator::SendVerdict verdict = trade_.send(behaviour.name);
    EXPECT_TRUE(verdict.handled) << verdict.sentence;
    if (behaviour.gateway_must.starts_with("refuse") || behaviour.gateway_must.starts_with("break")) continue;
    trade_.acme().wait_delivered(verdict.message_id);
    ++accepted;
  }
  trade_.acme().drain();
  EXPECT_THAT(trade_.acme().delivered(std::string(kAgreement)), SizeIs(accepted));
}

TEST_F(Simulator, AGatewayThatTakesEverythingAndSaysNothingIsFoundOut) {
  ScriptedPartner silent;
  silent.script = [](const HttpRequest&) { return HttpResponse{}; };
  trade_.agree();
  for (const simulator::SendBehaviour& behaviour : simulator::send_behaviours()) {
    if (behaviour.sending == simulator::Sending::AsyncElsewhere) continue;  // it does connect to nobody
    SCOPED_TRACE(behaviour.name);
    const auto verdict =
        need(trade_.try_to_send(behaviour.name, silent.url(), std::chrono::milliseconds(200)));
    EXPECT_FALSE(verdict.handled) << verdict.sentence;
  }
}

TEST_F(Simulator, AGatewayThatIsOutOfOrderIsFoundOut) {
  ScriptedPartner broken;
  broken.script = [](const HttpRequest&) {
    HttpResponse response;
    response.status = 500;
    return response;
  };
  trade_.agree();
  for (const simulator::SendBehaviour& behaviour : simulator::send_behaviours()) {
    if (behaviour.sending == simulator::Sending::Slow) continue;  // it has not heard the end of the message
    SCOPED_TRACE(behaviour.name);
    const simulator::SendVerdict verdict = trade_.send(behaviour.name, broken.url());
    EXPECT_FALSE(verdict.handled) << verdict.sentence;
    EXPECT_EQ(verdict.http_status, 500);
  }
}

TEST_F(Simulator, AGatewayThatAcceptsWhatItMustNotIsFoundOut) {
  trade_.agree();
  trade_.deviate([&](Account& account, Agreement& agreement) {
    account.certificates.push_back(trade_.stranger());
    OneWayAgreement& receive = agreement.receive_agreement;
    receive.certificates.push_back(
        {agreements::CertificateRole::VerifyMessage, {{trade_.stranger().name, std::nullopt, std::nullopt}}});
    receive.validation_settings.sign_message = false;
    receive.validation_settings.encrypt_message = false;
    receive.validation_settings.check_duplicate_message = false;
  });
  for (const std::string_view behaviour : {"wrong-signer", "unsigned", "not-encrypted"})
    EXPECT_THAT(trade_.send(behaviour).sentence, HasSubstr("accepted it")) << behaviour;
  EXPECT_THAT(trade_.send("duplicate").sentence, HasSubstr("does not call it a duplicate"));
  EXPECT_THAT(trade_.send("changed-duplicate").sentence, HasSubstr("confirmed the other content"));
}

TEST_F(Simulator, AGatewayThatIgnoresWhereTheReceiptIsAskedForIsFoundOut) {
  trade_.agree();
  trade_.deviate([](Account&, Agreement& agreement) {
    agreement.receive_agreement.receipt_policy.allowed_urls.clear();
  });
  const simulator::SendVerdict verdict = trade_.send("async");
  EXPECT_FALSE(verdict.handled);
  EXPECT_THAT(verdict.sentence, HasSubstr("put the receipt into its answer"));
}

TEST_F(Simulator, AGatewayThatConnectsToWhereverAMessageSaysIsFoundOut) {
  ScriptedPartner obedient;
  obedient.script = [](const HttpRequest& request) {
    const WireMessage receipt{
        std::string(*request.headers.value("Receipt-Delivery-Option")), {}, Slice::of("a receipt"), {}};
    EXPECT_EQ(answer_to(receipt).status, 200);
    return HttpResponse{};
  };
  trade_.agree();
  const simulator::SendVerdict verdict = trade_.send("async-elsewhere", obedient.url());
  EXPECT_FALSE(verdict.handled);
  EXPECT_THAT(verdict.sentence, HasSubstr("only the message names"));
}

TEST_F(Simulator, AMessageThatWouldShowNothingIsNotSent) {
  trade_.agree(false, [](Agreement& agreement) {
    agreement.receive_agreement.validation_settings.sign_message = false;
    agreement.receive_agreement.validation_settings.encrypt_message = false;
    agreement.receive_agreement.mdn_settings.need_mdn = false;
  });
  for (const std::string_view behaviour :
       {"wrong-signer", "tampered", "truncated", "unsigned", "not-encrypted", "wrong-recipient",
        "bad-mic-request", "bad-protocol-request", "async"}) {
    const auto verdict = trade_.try_to_send(behaviour);
    ASSERT_FALSE(verdict) << behaviour;
    EXPECT_EQ(verdict.error().kind, ErrorKind::InvalidInput);
    EXPECT_THAT(verdict.error().detail, HasSubstr("would show nothing"));
  }
  EXPECT_THAT(trade_.acme().messages(), IsEmpty());
}

}  // namespace
}  // namespace signet::test
