#include "as2/mime/transfer_encoding.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/chunk.h"
#include "base/hex_value.h"

namespace signet::as2::mime {
namespace {

constexpr std::size_t kMaxSpaces = 64 * 1024;
/// 57 octets are a line of 76 characters.
constexpr std::size_t kEncodedAtOnce = 57 * 1024;

constexpr std::int16_t kSkip = -1;
constexpr std::int16_t kPad = -2;
constexpr std::int16_t kBad = -3;

constexpr std::array<std::int16_t, 256> make_base64_values() {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<std::int16_t, 256> values{};
  for (auto& value : values) value = kBad;
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int16_t>(i);
  for (const char c : std::string_view(" \t\r\n")) values[static_cast<unsigned char>(c)] = kSkip;
  values['='] = kPad;
  return values;
}
constexpr auto kBase64Values = make_base64_values();

/// Moves what is ready, from `taken` on, to the front of `out`.
std::size_t hand_out(ByteView ready, std::size_t& taken, std::span<std::uint8_t> out) {
  const std::size_t count = std::min(out.size(), ready.size() - taken);
  std::copy_n(ready.begin() + static_cast<std::ptrdiff_t>(taken), count, out.begin());
  taken += count;
  return count;
}

/// How many octets at the front mean nothing but themselves in quoted-printable.
std::size_t plain_run(ByteView octets) {
  const auto special = [](std::uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '=';
  };
  return static_cast<std::size_t>(std::find_if(octets.begin(), octets.end(), special) - octets.begin());
}

}  // namespace

std::string_view to_string(TransferEncoding encoding) {
  switch (encoding) {
    case TransferEncoding::SevenBit:
      return "7bit";
    case TransferEncoding::EightBit:
      return "8bit";
    case TransferEncoding::Binary:
      return "binary";
    case TransferEncoding::Base64:
      return "base64";
    case TransferEncoding::QuotedPrintable:
      return "quoted-printable";
  }
  return "binary";
}

bool is_identity(TransferEncoding encoding) {
  return encoding != TransferEncoding::Base64 && encoding != TransferEncoding::QuotedPrintable;
}

Result<TransferEncoding> transfer_encoding(const Headers& headers) {
  const auto field = headers.value("Content-Transfer-Encoding");
  if (!field) return TransferEncoding::Binary;
  const std::string_view word = trim(field->substr(0, field->find_first_of(";(")));
  for (const TransferEncoding encoding :
       {TransferEncoding::SevenBit, TransferEncoding::EightBit, TransferEncoding::Binary,
        TransferEncoding::Base64, TransferEncoding::QuotedPrintable})
    if (equal_ignoring_case(word, to_string(encoding))) return encoding;
  return fail(
      ErrorKind::Unsupported,
      fmt::format(
          "Content-Transfer-Encoding should be 7bit, 8bit, binary, base64 or quoted-printable and is '{}'",
          printable(*field, 80)));
}

Result<std::size_t> Base64Decoder::read(std::span<std::uint8_t> out) {
  while (taken_ == ready_.size() && !ended_) SIGNET_CHECK(fill());
  return hand_out(ready_, taken_, out);
}

Result<> Base64Decoder::fill() {
  ready_.clear();
  taken_ = 0;
  Chunk input;
  SIGNET_TRY(const std::size_t count, encoded_.read(input));
  if (count == 0) return finish();
  return take(ByteView(input).first(count));
}

/// Whole groups of four without anything between them are most of any body, and go fast.
Result<> Base64Decoder::take(ByteView characters) {
  ready_.resize(characters.size() / 4 * 3 + 3);
  std::uint8_t* to = ready_.data();
  const auto put_group = [&to](std::uint32_t group) {
    *to++ = static_cast<std::uint8_t>(group >> 16U);
    *to++ = static_cast<std::uint8_t>(group >> 8U);
    *to++ = static_cast<std::uint8_t>(group);
  };
  for (std::size_t i = 0; i < characters.size();) {
    if (count_ == 0 && !padded_ && characters.size() - i >= 4) {
      const int a = kBase64Values[characters[i]];
      const int b = kBase64Values[characters[i + 1]];
      const int c = kBase64Values[characters[i + 2]];
      const int d = kBase64Values[characters[i + 3]];
      if ((a | b | c | d) >= 0) {
        put_group(static_cast<std::uint32_t>((((a << 6) | b) << 12) | (c << 6) | d));
        i += 4;
        continue;
      }
    }
    const std::uint8_t character = characters[i++];
    const std::int16_t value = kBase64Values[character];
    if (value >= 0 && !padded_) {
      group_ = (group_ << 6U) | static_cast<std::uint32_t>(value);
      if (++count_ < 4) continue;
      put_group(group_);
      group_ = 0;
      count_ = 0;
    } else if (value == kPad) {
      padded_ = true;
    } else if (value != kSkip) {
      return fail(ErrorKind::InvalidInput,
                  padded_
                      ? std::string("a base64 body goes on after its padding")
                      : fmt::format("a base64 body holds the octet 0x{:02x}, which is none of its alphabet",
                                    character));
    }
  }
  ready_.resize(static_cast<std::size_t>(to - ready_.data()));
  return {};
}

Result<> Base64Decoder::finish() {
  ended_ = true;
  if (count_ == 1) return fail(ErrorKind::InvalidInput, "a base64 body is cut off");
  if (count_ >= 2) ready_.push_back(static_cast<std::uint8_t>(group_ >> (count_ == 2 ? 4U : 10U)));
  if (count_ == 3) ready_.push_back(static_cast<std::uint8_t>(group_ >> 2U));
  return {};
}

Result<std::size_t> QuotedPrintableDecoder::read(std::span<std::uint8_t> out) {
  while (taken_ == ready_.size() && !ended_) SIGNET_CHECK(fill());
  return hand_out(ready_, taken_, out);
}

Result<> QuotedPrintableDecoder::fill() {
  ready_.clear();
  taken_ = 0;
  Chunk input;
  SIGNET_TRY(const std::size_t count, encoded_.read(input));
  if (count == 0) return finish();
  for (ByteView rest = ByteView(input).first(count); !rest.empty();) {
    const std::size_t run = state_ == State::Text && spaces_.empty() ? plain_run(rest) : 0;
    ready_.insert(ready_.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(run));
    rest = rest.subspan(run);
    if (rest.empty()) break;
    if (!take(rest.front()))
      return fail(ErrorKind::InvalidInput,
                  "a quoted-printable body holds '=' without two hexadecimal digits or a line end");
    rest = rest.subspan(1);
  }
  if (spaces_.size() > kMaxSpaces)
    return fail(ErrorKind::LimitExceeded,
                "a quoted-printable body holds more than 64 KiB of white space in a row");
  return {};
}

bool QuotedPrintableDecoder::take(std::uint8_t character) {
  const char c = static_cast<char>(character);
  switch (state_) {
    case State::Text:
      return take_text(character);
    case State::Equals:
      if (hex_value(c) >= 0) {
        high_ = c;
        state_ = State::HighDigit;
        return true;
      }
      [[fallthrough]];
    case State::SoftSpace:
      if (c == ' ' || c == '\t')
        state_ = State::SoftSpace;
      else if (c == '\r')
        state_ = State::SoftCr;
      else if (c == '\n')
        state_ = State::Text;
      else
        return false;
      return true;
    case State::HighDigit:
      if (hex_value(c) < 0) return false;
      ready_.push_back(static_cast<std::uint8_t>(hex_value(high_) * 16 + hex_value(c)));
      state_ = State::Text;
      return true;
    case State::SoftCr:
      state_ = State::Text;
      return c == '\n' || take_text(character);
  }
  return false;
}

/// White space waits until it is known whether a line ends behind it.
bool QuotedPrintableDecoder::take_text(std::uint8_t character) {
  state_ = State::Text;
  switch (character) {
    case ' ':
    case '\t':
      spaces_.push_back(character);
      return true;
    case '\r':
    case '\n':
      spaces_.clear();
      ready_.push_back(character);
      return true;
    default:
      ready_.insert(ready_.end(), spaces_.begin(), spaces_.end());
      spaces_.clear();
      if (character == '=')
        state_ = State::Equals;
      else
        ready_.push_back(character);
      return true;
  }
}

Result<> QuotedPrintableDecoder::finish() {
  ended_ = true;
  if (state_ == State::HighDigit) return fail(ErrorKind::InvalidInput, "a quoted-printable body is cut off");
  return {};
}

Result<std::size_t> Base64Encoder::read(std::span<std::uint8_t> out) {
  if (taken_ == ready_.size() && !ended_) SIGNET_CHECK(fill());
  return hand_out(as_bytes(ready_), taken_, out);
}

/// Full lines only, but for the last one.
Result<> Base64Encoder::fill() {
  taken_ = 0;
  input_.resize(kEncodedAtOnce);
  std::size_t filled = 0;
  while (filled < input_.size() && !ended_) {
    SIGNET_TRY(const std::size_t count, plain_.read(std::span(input_).subspan(filled)));
    filled += count;
    ended_ = count == 0;
  }
  ready_ = base64_lines(ByteView(input_).first(filled));
  return {};
}

Result<Slice> decoded(const Entity& entity, const SpoolArea& area) {
  SIGNET_TRY(const TransferEncoding encoding, transfer_encoding(entity.headers));
  if (is_identity(encoding)) return entity.body;
  SliceSource encoded(entity.body);
  const auto spool = std::make_shared<Spool>(area);
  if (encoding == TransferEncoding::Base64) {
    Base64Decoder plain(encoded);
    SIGNET_CHECK(copy(plain, *spool));
  } else {
    QuotedPrintableDecoder plain(encoded);
    SIGNET_CHECK(copy(plain, *spool));
  }
  return Spool::finish(spool);
}

}  // namespace signet::as2::mime
