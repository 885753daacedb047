#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <vector>

#include "as2/mime/content_type.h"
#include "as2/mime/entity.h"
#include "as2/mime/transfer_encoding.h"
#include "base/file.h"

/// Other libraries' test messages through our parsers (tests/corpora/mime/README.md).

namespace signet::as2::mime {
namespace {

std::vector<std::filesystem::path> corpus() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(SIGNET_SOURCE_DIR "/tests/corpora/mime"))
    if (entry.is_regular_file()) files.push_back(entry.path());
  return files;
}

/// Takes a message apart as deep as it goes, with everything that looks at a part looking at each.
void take_apart(const Slice& octets, std::size_t depth) {
  const auto entity = read_entity(octets);
  if (!entity) return;
  ASSERT_LE(entity->body.size(), octets.size());
  EXPECT_LE(safe_file_name(file_name(entity->headers).value_or("")).size(), 120U);
  for (const Header& field : entity->headers) (void)decode_words(field.value);
  (void)decoded(*entity, SpoolArea{testing::TempDir(), 1U << 22U, 1U << 22U});
  const auto type = content_type(entity->headers);
  if (!type || !*type || depth == 0) return;
  const auto boundary = (*type)->parameter("boundary");
  if (!boundary) return;
  (void)split_signed(entity->body, *boundary);
  const auto parts = split_multipart(entity->body, *boundary, 100);
  if (!parts) return;
  for (const Slice& part : *parts) take_apart(part, depth - 1);
}

TEST(MimeCorpus, IsSurvivedInNoTime) {
  const auto files = corpus();
  ASSERT_GT(files.size(), 50U);
  for (const auto& file : files) {
    const auto start = std::chrono::steady_clock::now();
    take_apart(Slice::of(*read_file(file)), 8);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2)) << file;
  }
}

TEST(MimeCorpus, IsSurvivedAtEveryPrefixOfItsSmallMessages) {
  for (const auto& file : corpus()) {
    const Slice whole = Slice::of(*read_file(file));
    if (whole.size() > 2000) continue;
    for (std::uint64_t length = 0; length < whole.size(); length += 3) take_apart(whole.sub(0, length), 8);
  }
}

}  // namespace
}  // namespace signet::as2::mime
