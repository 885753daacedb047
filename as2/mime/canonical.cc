#include "as2/mime/canonical.h"

#include <algorithm>

namespace signet::as2::mime {

Result<std::size_t> CanonicalLineEnds::read(std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    if (owes_lf_) {
      out[done++] = '\n';
      owes_lf_ = false;
      continue;
    }
    if (position_ == filled_ && !ended_) SIGNET_CHECK(fill());
    if (after_cr_) {
      after_cr_ = false;
      owes_lf_ = true;
      if (position_ < filled_ && input_[position_] == '\n') ++position_;
      continue;
    }
    if (position_ == filled_) break;
    done += copy_run(out.subspan(done));
  }
  return done;
}

Result<> CanonicalLineEnds::fill() {
  SIGNET_TRY(filled_, text_.read(input_));
  position_ = 0;
  ended_ = filled_ == 0;
  return {};
}

/// Copies up to and including the next CR, or the CR that a lone LF gets.
std::size_t CanonicalLineEnds::copy_run(std::span<std::uint8_t> out) {
  const std::size_t room = std::min(out.size(), filled_ - position_);
  const std::uint8_t* from = input_.data() + position_;
  const std::uint8_t* stop =
      std::find_if(from, from + room, [](std::uint8_t octet) { return octet == '\r' || octet == '\n'; });
  std::size_t count = static_cast<std::size_t>(stop - from);
  std::copy(from, stop, out.begin());
  position_ += count;
  if (count == room) return count;
  (input_[position_] == '\r' ? after_cr_ : owes_lf_) = true;
  ++position_;
  out[count++] = '\r';
  return count;
}

}  // namespace signet::as2::mime
