#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "as2/inspect.h"
#include "as2/mime/content_type.h"

/// The part of inspect() that looks at a payload. Internal to as2.

namespace signet::as2 {

/// What the octets of a content look like, in one reading.
class TextLook final : public Sink {
 public:
  Result<> write(ByteView bytes) override;

  [[nodiscard]] std::string line_ends() const;
  [[nodiscard]] bool changes_when_canonical() const { return lf_ + cr_ > 0; }
  [[nodiscard]] bool is_7bit() const { return !high_ && !control_; }

  /// By its first octets, for an operator who must not see more.
  [[nodiscard]] std::string kind() const;

 private:
  static constexpr std::size_t kFront = 16;
  std::string front_;
  std::uint64_t crlf_ = 0;
  std::uint64_t lf_ = 0;
  std::uint64_t cr_ = 0;
  bool after_cr_ = false;
  bool high_ = false;
  bool control_ = false;
};

/// The parts of a multipart, each with those in it, as facts. What is not shown is told in a remark.
std::vector<Fact> explain_parts(const mime::Entity& entity, const mime::ContentType& type,
                                std::vector<std::string>& remarks);

}  // namespace signet::as2
