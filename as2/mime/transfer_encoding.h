#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "as2/mime/entity.h"
#include "base/result.h"
#include "base/stream.h"

/// Content-Transfer-Encoding [RFC2045 6], as filters that octets are pulled through.

namespace signet::as2::mime {

enum class TransferEncoding { SevenBit, EightBit, Binary, Base64, QuotedPrintable };

/// "base64", as written in the field.
std::string_view to_string(TransferEncoding encoding);

/// The entity's encoding; Binary when there is no such field [RFC4130 5.2.1: AS2 knows no other default].
///
/// @error Unsupported  an encoding that RFC 2045 does not define.
Result<TransferEncoding> transfer_encoding(const Headers& headers);

/// Whether the octets are written as they are.
bool is_identity(TransferEncoding encoding);

/// Undoes base64. White space is skipped, padding may be absent.
///
/// @error InvalidInput  any other character, something behind the padding, or a length that no octets give.
class Base64Decoder final : public Source {
 public:
  /// Borrows the source.
  explicit Base64Decoder(Source& encoded) : encoded_(encoded) {}
  Result<std::size_t> read(std::span<std::uint8_t> out) override;

 private:
  Result<> fill();
  Result<> take(ByteView characters);
  Result<> finish();

  Source& encoded_;
  Bytes ready_;
  std::size_t taken_ = 0;
  std::uint32_t group_ = 0;
  unsigned count_ = 0;
  bool padded_ = false;
  bool ended_ = false;
};

/// Undoes quoted-printable. White space at the end of a line is dropped, soft line ends vanish, hard ones
/// stay as they are.
///
/// @error InvalidInput   "=" followed by neither two hexadecimal digits nor a line end.
/// @error LimitExceeded  more than 64 KiB of white space in a row.
class QuotedPrintableDecoder final : public Source {
 public:
  /// Borrows the source.
  explicit QuotedPrintableDecoder(Source& encoded) : encoded_(encoded) {}
  Result<std::size_t> read(std::span<std::uint8_t> out) override;

 private:
  enum class State { Text, Equals, HighDigit, SoftSpace, SoftCr };

  Result<> fill();
  bool take(std::uint8_t character);
  bool take_text(std::uint8_t character);
  Result<> finish();

  Source& encoded_;
  Bytes ready_;
  std::size_t taken_ = 0;
  Bytes spaces_;
  State state_ = State::Text;
  char high_ = 0;
  bool ended_ = false;
};

/// Writes base64 in lines of 76 characters, each ended by CRLF.
class Base64Encoder final : public Source {
 public:
  /// Borrows the source.
  explicit Base64Encoder(Source& plain) : plain_(plain) {}
  Result<std::size_t> read(std::span<std::uint8_t> out) override;

 private:
  Result<> fill();

  Source& plain_;
  Bytes input_;
  std::string ready_;
  std::size_t taken_ = 0;
  bool ended_ = false;
};

/// The body without its transfer encoding: the same slice for 7bit, 8bit and binary, a new spool otherwise.
///
/// @error Unsupported, InvalidInput, LimitExceeded  as above, and past the area's size limit.
/// @error IoFailure  the spool could not be read or written.
Result<Slice> decoded(const Entity& entity, const SpoolArea& area);

}  // namespace signet::as2::mime
