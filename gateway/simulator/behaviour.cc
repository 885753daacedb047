#include "gateway/simulator/behaviour.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/bytes.h"

namespace signet::gateway::simulator {
namespace {

constexpr std::string_view kConfirm = "confirm the message";
constexpr std::string_view kFail = "end the message as failed, for good";
constexpr std::string_view kFailOrWait =
    "fail the message; keep such a receipt that is posted, and go on waiting";
constexpr std::string_view kTryAgain = "send the same octets again later, under the same Message-ID";
constexpr std::string_view kWhatTheReceiptSays =
    "confirm the message, unless its time-out is shorter than the delay";

constexpr std::array kAnswers = {
    AnswerBehaviour{"correct", Flaw::None, Manner::AsAsked, "gives the receipt that is asked for", kConfirm},
    AnswerBehaviour{"wrong-signer", Flaw::WrongSigner, Manner::AsAsked,
                    "signs the receipt with a key that the agreement does not name", kFailOrWait},
    AnswerBehaviour{"wrong-mic", Flaw::WrongMic, Manner::AsAsked, "gives the MIC of other content", kFail},
    AnswerBehaviour{"no-mic", Flaw::NoMic, Manner::AsAsked, "gives no MIC", kFail},
    AnswerBehaviour{"wrong-message-id", Flaw::WrongMessageId, Manner::AsAsked,
                    "gives a receipt for another message",
                    "fail the message; refuse such a receipt that is posted, and go on waiting"},
    AnswerBehaviour{
        "unsigned-mdn", Flaw::Unsigned, Manner::AsAsked, "does not sign the receipt",
        "where its agreement asks for a signed receipt, fail the message; keep such a receipt that "
        "is posted, and go on waiting"},
    AnswerBehaviour{"tampered-mdn", Flaw::Tampered, Manner::AsAsked, "alters the receipt after signing it",
                    kFail},
    AnswerBehaviour{"error-disposition", Flaw::Error, Manner::AsAsked,
                    "says processed/error: unexpected-processing-error", kFail},
    AnswerBehaviour{"failed-disposition", Flaw::Failed, Manner::AsAsked,
                    "says failed/Failure: unsupported format", kFail},
    AnswerBehaviour{"warning-disposition", Flaw::Warning, Manner::AsAsked,
                    "says processed/warning: duplicate-document", kConfirm},
    AnswerBehaviour{
        "contradictory-mdn", Flaw::Contradictory, Manner::Twice,
        "says processed and error in one receipt; posts one that says processed, then one that says error",
        "end the message as failed; of posted ones go by the first, and keep the second"},
    AnswerBehaviour{"garbage", Flaw::Garbage, Manner::AsAsked,
                    "gives noise that calls itself a signed receipt",
                    "end the message as failed; refuse such a receipt that is posted, and go on waiting"},
    AnswerBehaviour{"no-mdn", Flaw::None, Manner::Never, "takes the message and gives no receipt",
                    "send the message again where its agreement says resendIfMDNNotReceived, else fail it"},
    AnswerBehaviour{"late-mdn", Flaw::None, Manner::Late, "gives the receipt after the delay",
                    kWhatTheReceiptSays},
    AnswerBehaviour{"early-mdn", Flaw::None, Manner::Early, "posts the receipt before it answers", kConfirm},
    AnswerBehaviour{"duplicate-mdn", Flaw::None, Manner::Twice, "posts the receipt twice",
                    "confirm the message, and keep the second"},
    AnswerBehaviour{"slow", Flaw::None, Manner::Slow, "answers after the delay", kWhatTheReceiptSays},
    AnswerBehaviour{"drip", Flaw::None, Manner::Drip, "answers octet by octet, within the delay",
                    kWhatTheReceiptSays},
    AnswerBehaviour{"reset", Flaw::None, Manner::Reset, "resets the connection instead of answering",
                    kTryAgain},
    AnswerBehaviour{"reset-mid-body", Flaw::None, Manner::ResetMidBody,
                    "resets the connection while the message still comes", kTryAgain},
    AnswerBehaviour{"reset-mid-answer", Flaw::None, Manner::ResetMidAnswer,
                    "resets the connection in the middle of its answer", kTryAgain},
    AnswerBehaviour{"not-http", Flaw::None, Manner::NotHttp, "answers with what is no HTTP", kTryAgain},
    AnswerBehaviour{"http-503-then-correct", Flaw::None, Manner::FirstUnavailable,
                    "answers 503 to the first attempt of each message, and gives the receipt for the second",
                    "confirm the message at its second attempt"},
};

constexpr std::array kSends = {
    SendBehaviour{"correct", Sending::Correct, "sends as agreed",
                  "accept it, and answer with a receipt that proves it"},
    SendBehaviour{"wrong-signer", Sending::WrongSigner, "signs with a key that the agreement does not name",
                  "refuse it: authentication-failed"},
    SendBehaviour{"tampered", Sending::Tampered, "alters an octet on the way", "refuse it"},
    SendBehaviour{"truncated", Sending::Truncated, "leaves the second half out", "refuse it"},
    SendBehaviour{"unsigned", Sending::Unsigned, "does not sign",
                  "refuse it: insufficient-message-security, or (behind CBC) decryption-failed"},
    SendBehaviour{"not-encrypted", Sending::NotEncrypted, "does not encrypt",
                  "refuse it: insufficient-message-security"},
    SendBehaviour{"wrong-recipient", Sending::WrongRecipient, "encrypts for somebody else's key",
                  "refuse it: decryption-failed"},
    SendBehaviour{"unknown-sender", Sending::UnknownSender, "uses an AS2-From that no agreement knows",
                  "refuse it, and sign nothing"},
    SendBehaviour{"bad-message-id", Sending::BadMessageId, "uses a Message-ID of a thousand octets",
                  "refuse it: invalid-message-id"},
    SendBehaviour{"bad-mic-request", Sending::BadMicRequest, "asks for a MIC by a hash that nobody has",
                  "refuse it: unsupported MIC-algorithms"},
    SendBehaviour{"bad-protocol-request", Sending::BadProtocolRequest,
                  "asks for a receipt signed with OpenPGP", "refuse it: unsupported format"},
    SendBehaviour{
        "duplicate", Sending::Duplicate, "sends the same message twice",
        "accept it once, and answer the second with the first one's receipt or with duplicate-document"},
    SendBehaviour{"changed-duplicate", Sending::ChangedDuplicate,
                  "sends other content under a Message-ID that was accepted",
                  "never say that it has the other content"},
    SendBehaviour{"slow", Sending::Slow, "sends octet by octet, with the delay between them",
                  "break the connection off, or answer 408, in the end"},
    SendBehaviour{"reset-mid-body", Sending::ResetMidBody,
                  "resets the connection in the middle of the message, and sends it again",
                  "accept it the second time"},
    SendBehaviour{"async", Sending::Async,
                  "asks for the receipt by a connection of its own, at an agreed URL",
                  "answer at once, and post a receipt that proves the delivery"},
    SendBehaviour{"async-elsewhere", Sending::AsyncElsewhere,
                  "asks for the receipt at a URL that is not agreed", "never connect to it"},
};

template <class Behaviour>
std::string names(std::span<const Behaviour> behaviours) {
  std::string list;
  for (const Behaviour& behaviour : behaviours)
    list += fmt::format("{}{}", list.empty() ? "" : ", ", behaviour.name);
  return list;
}

template <class Behaviour>
const Behaviour* find(std::span<const Behaviour> behaviours, std::string_view name) {
  for (const Behaviour& behaviour : behaviours)
    if (behaviour.name == name) return &behaviour;
  return nullptr;
}

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// "http-503"; not 1xx, which is no answer yet.
std::optional<AnswerBehaviour> http_status(std::string_view name) {
  constexpr std::string_view kPrefix = "http-";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const auto status = whole_number<int>(name.substr(kPrefix.size()));
  if (!status || *status < 200 || *status > 599) return std::nullopt;
  AnswerBehaviour behaviour{
      "http-NNN", Flaw::None, Manner::Status, "answers with this HTTP status and no receipt", kFail, *status};
  const bool transient = *status >= 500 || *status == 408 || *status == 425 || *status == 429;
  if (transient) behaviour.gateway_must = kTryAgain;
  if (*status < 300) behaviour.gateway_must = find(answer_behaviours(), "no-mdn")->gateway_must;
  return behaviour;
}

}  // namespace

std::string AnswerBehaviour::word() const {
  return manner == Manner::Status ? fmt::format("http-{}", status) : std::string(name);
}

std::span<const AnswerBehaviour> answer_behaviours() { return kAnswers; }
std::span<const SendBehaviour> send_behaviours() { return kSends; }

Result<AnswerBehaviour> parse_answer_behaviour(std::string_view name) {
  if (const auto* known = find(answer_behaviours(), name)) return *known;
  if (const auto status = http_status(name)) return *status;
  return fail(ErrorKind::InvalidInput,
              fmt::format("there is no behaviour '{}'; there are {}, and http-200 to http-599",
                          printable(name), names(answer_behaviours())));
}

Result<SendBehaviour> parse_send_behaviour(std::string_view name) {
  if (const auto* known = find(send_behaviours(), name)) return *known;
  return fail(ErrorKind::InvalidInput, fmt::format("there is no behaviour '{}'; there are {}",
                                                   printable(name), names(send_behaviours())));
}

Result<Script> Script::parse(std::string_view text) {
  constexpr std::string_view kSeparators = ", \t\r\n";
  std::vector<Step> steps;
  while (!text.empty()) {
    if (text.front() == '#') {
      text.remove_prefix(std::min(text.find('\n'), text.size()));
    } else if (kSeparators.find(text.front()) != std::string_view::npos) {
      text.remove_prefix(1);
    } else {
      const std::string_view word = text.substr(0, text.find_first_of(", \t\r\n#"));
      text.remove_prefix(word.size());
      const std::size_t star = word.find('*');
      const auto times = star == std::string_view::npos ? 1U : whole_number<unsigned>(word.substr(star + 1));
      if (!times || *times == 0)
        return fail(
            ErrorKind::InvalidInput,
            fmt::format("'{}' should be a behaviour and how often, as in http-503*2", printable(word)));
      SIGNET_TRY(const AnswerBehaviour behaviour, parse_answer_behaviour(word.substr(0, star)));
      steps.push_back({behaviour, *times});
    }
  }
  if (steps.empty())
    return fail(ErrorKind::InvalidInput, "a script needs a behaviour at least, such as 'correct'");
  return Script(std::move(steps));
}

AnswerBehaviour Script::next() {
  const std::lock_guard lock(mutex_);
  const Step& step = steps_[step_];
  if (++done_ >= step.times && step_ + 1 < steps_.size()) {
    ++step_;
    done_ = 0;
  }
  return step.behaviour;
}

}  // namespace signet::gateway::simulator
