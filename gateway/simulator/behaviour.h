#pragma once

#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// What a simulated partner can be told to do, by name; docs/simulator.md has the same as two tables.

namespace signet::gateway::simulator {

/// What is wrong with a receipt.
enum class Flaw {
  None,
  WrongSigner,
  WrongMic,
  NoMic,
  WrongMessageId,
  Unsigned,
  Tampered,
  Error,
  Failed,
  Warning,
  Contradictory,
  Garbage,
};

/// How a message is answered, and its receipt brought.
enum class Manner {
  AsAsked,  ///< in the answer, or posted behind it
  Late,
  Early,  ///< a receipt that is posted comes before the answer
  Twice,
  Never,
  Slow,
  Drip,
  Reset,
  ResetMidBody,
  ResetMidAnswer,
  NotHttp,
  Status,
  FirstUnavailable,  ///< 503 for the first attempt of each message
};

/// How a message of the gateway's is answered.
struct AnswerBehaviour {
  std::string_view name;  ///< "http-NNN" for every status
  Flaw flaw = Flaw::None;
  Manner manner = Manner::AsAsked;
  std::string_view does;          ///< what the partner does
  std::string_view gateway_must;  ///< what a good gateway makes of it
  int status = 0;                 ///< of Manner::Status

  /// As it is written in a script: "http-503".
  [[nodiscard]] std::string word() const;
};

/// All but http-NNN, which stands for three hundred.
std::span<const AnswerBehaviour> answer_behaviours();
/// @error InvalidInput  lists the names there are.
Result<AnswerBehaviour> parse_answer_behaviour(std::string_view name);

/// Behaviours in the order in which messages get them; the last one is for all that follow. Thread-safe.
class Script {
 public:
  /// "http-503*2,correct": names, each for one message or for as many as it says. White space and line ends
  /// separate like commas; what follows a "#" up to the line's end is a note.
  ///
  /// @error InvalidInput  a name that there is not, a count that is none, nothing at all.
  static Result<Script> parse(std::string_view text);
  Script(Script&& other) noexcept : steps_(std::move(other.steps_)) {}

  AnswerBehaviour next();

 private:
  struct Step {
    AnswerBehaviour behaviour;
    unsigned times = 1;
  };
  explicit Script(std::vector<Step> steps) : steps_(std::move(steps)) {}

  std::mutex mutex_;
  std::vector<Step> steps_;
  std::size_t step_ = 0;
  unsigned done_ = 0;  ///< of the step
};

/// How a message to the gateway is made, and sent.
enum class Sending {
  Correct,
  WrongSigner,
  Tampered,
  Truncated,
  Unsigned,
  NotEncrypted,
  WrongRecipient,
  UnknownSender,
  BadMessageId,
  BadMicRequest,
  BadProtocolRequest,
  Duplicate,
  ChangedDuplicate,
  Slow,
  ResetMidBody,
  Async,
  AsyncElsewhere,
};

struct SendBehaviour {
  std::string_view name;
  Sending sending = Sending::Correct;
  std::string_view does;
  std::string_view gateway_must;
};

std::span<const SendBehaviour> send_behaviours();
/// @error InvalidInput  lists the names there are.
Result<SendBehaviour> parse_send_behaviour(std::string_view name);

}  // namespace signet::gateway::simulator
