#include "as2/message_id.h"

#include <gtest/gtest.h>

namespace signet::as2 {
namespace {

// Checklist 22, 23, 62
TEST(MessageId, IsKeptAsItCameAndComparedWithoutBrackets) {
  const auto with = MessageId::parse(" <a@b> ");
  const auto without = MessageId::parse("a@b");
  ASSERT_TRUE(with && without);
  EXPECT_EQ(with->text(), "<a@b>");
  EXPECT_EQ(without->text(), "a@b");
  EXPECT_EQ(*with, *without);
  EXPECT_EQ(with->bare(), "a@b");
  EXPECT_NE(*with, *MessageId::parse("<A@b>"));
}

TEST(MessageId, MayBeWhatPeersSend) {
  for (const std::string_view text : {"<20261120230523+0000-496-MyCompany_OID_x_po.edi>", "<with spaces@x>",
                                      "no-at", "<../../etc/passwd@x>", "<a@x> Bcc: y", "<<a>>", "<a", "a>"})
    EXPECT_EQ(MessageId::parse(text)->text(), text);
  EXPECT_TRUE(MessageId::parse("<" + std::string(996, 'x') + ">"));
}

TEST(MessageId, IsRefusedWhenEmptyTooLongOrUnprintable) {
  for (const std::string_view text : {"", " ", "<>", "< >", "<a\r\nb>", "<a\tb>", "<\x7f>", "<\xc3\xa4@x>"})
    EXPECT_FALSE(MessageId::parse(text)) << text;
  EXPECT_FALSE(MessageId::parse("<" + std::string(997, 'x') + ">"));
}

TEST(MessageId, IsGeneratedWellFormedAndUnique) {
  const MessageId id = MessageId::generate("gateway.example\r\n <evil>");
  EXPECT_EQ(id.text().substr(33), "@gateway.exampleevil>");
  EXPECT_NE(id, MessageId::generate("gateway.example"));
  EXPECT_EQ(MessageId::generate("").text().substr(33), "@localhost>");
  EXPECT_EQ(MessageId::parse(id.text())->text(), id.text());
  EXPECT_LE(MessageId::generate(std::string(5000, 'h')).text().size(), 255U);
}

}  // namespace
}  // namespace signet::as2
