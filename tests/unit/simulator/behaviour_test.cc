#include "gateway/simulator/behaviour.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace signet::gateway::simulator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// The words of what the first `count` messages get.
std::vector<std::string> first(std::string_view text, int count) {
  auto script = Script::parse(text);
  EXPECT_TRUE(script) << script.error().detail;
  std::vector<std::string> words;
  for (int i = 0; script && i < count; ++i) words.push_back(script->next().word());
  return words;
}

TEST(Script, GoesStepByStepAndStaysAtTheLast) {
  EXPECT_THAT(first("wrong-mic", 2), ElementsAre("wrong-mic", "wrong-mic"));
  EXPECT_THAT(first("http-503*2,correct", 4), ElementsAre("http-503", "http-503", "correct", "correct"));
  EXPECT_THAT(first("reset,correct,no-mdn*2", 5),
              ElementsAre("reset", "correct", "no-mdn", "no-mdn", "no-mdn"));
}

TEST(Script, MayBeAFileWithNotes) {
  EXPECT_THAT(first("# the first two fail\nhttp-503*2  # as if it restarted\n\ncorrect", 3),
              ElementsAre("http-503", "http-503", "correct"));
}

TEST(Script, RefusesWhatItCannotPlay) {
  for (const std::string_view text :
       {"", " , ", "# nothing", "http-503*0", "http-503*", "http-503*two", "http-503*-1", "*2"})
    EXPECT_FALSE(Script::parse(text)) << text;
  const auto unknown = Script::parse("correct,wrong-mik");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::InvalidInput);
  EXPECT_THAT(unknown.error().detail, HasSubstr("'wrong-mik'"));
  EXPECT_THAT(unknown.error().detail, HasSubstr("wrong-mic"));
}

TEST(AnswerBehaviour, OfAStatusSaysWhatFollowsFromIt) {
  EXPECT_THAT(parse_answer_behaviour("http-404")->gateway_must, HasSubstr("failed"));
  for (const char* transient : {"http-408", "http-425", "http-429", "http-500", "http-599"})
    EXPECT_THAT(parse_answer_behaviour(transient)->gateway_must, HasSubstr("same octets again")) << transient;
  EXPECT_THAT(parse_answer_behaviour("http-200")->gateway_must, HasSubstr("resendIfMDNNotReceived"));
  for (const char* none : {"http-", "http-NNN", "http-100", "http-600", "http-5000", "http-50x", "http-+50"})
    EXPECT_FALSE(parse_answer_behaviour(none)) << none;
}

TEST(SendBehaviour, IsKnownByItsName) {
  for (const SendBehaviour& behaviour : send_behaviours())
    EXPECT_EQ(parse_send_behaviour(behaviour.name)->sending, behaviour.sending);
  const auto unknown = parse_send_behaviour("wrong-mic");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().detail, HasSubstr("wrong-signer"));
}

TEST(Behaviours, AreAllInTheDocumentation) {
  const auto page = read_text_file(SIGNET_SOURCE_DIR "/docs/simulator.md");
  ASSERT_TRUE(page) << page.error().detail;
  const auto row = [](const auto& behaviour) {
    return "| `" + std::string(behaviour.name) + "` | " + std::string(behaviour.does) + " | " +
           std::string(behaviour.gateway_must) + " |\n";
  };
  for (const AnswerBehaviour& behaviour : answer_behaviours()) EXPECT_THAT(*page, HasSubstr(row(behaviour)));
  for (const SendBehaviour& behaviour : send_behaviours()) EXPECT_THAT(*page, HasSubstr(row(behaviour)));
}

}  // namespace
}  // namespace signet::gateway::simulator
