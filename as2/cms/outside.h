#pragma once

#include <cstdint>
#include <optional>

#include "as2/cms/ber.h"
#include "as2/cms/content_info.h"

/// The outside that all CMS messages share: ContentInfo around one of the content types, read and written.
/// Internal to as2/cms.

namespace signet::as2::cms {

/// Octets that an AlgorithmIdentifier, a SignerInfo or a RecipientInfo may have; real ones have hundreds.
inline constexpr std::size_t kMaxAlgorithmSize = 1024;
inline constexpr std::size_t kMaxInfoSize = 64 * 1024;

/// Whether an element of `bytes` is the object identifier.
template <class Oid>
bool is_oid(ByteView bytes, const Oid& oid) {
  return std::equal(bytes.begin(), bytes.end(), oid.begin(), oid.end());
}

/// Opens the ContentInfo and reads its type; the walker then stands at its content.
Result<CmsType> enter_content_info(ber::Walker& walker);
/// The same, and opens the content's own SEQUENCE behind its [0]; the type must be as expected.
Result<> enter_content(ber::Walker& walker, CmsType expected);
/// Closes both. After the message may stand a few line ends, as MIME bodies have them, and nothing else.
Result<> leave_content(ber::Walker& walker);
/// Passes over an element that need not be there.
Result<bool> skip_optional(ber::Walker& walker, std::uint8_t identifier);
/// Reads the type of an encapsulated content, which S/MIME says is id-data.
Result<> expect_data(ber::Walker& walker);

/// Whether an encapsulated content has to be id-data, as S/MIME says, or may be of any type.
enum class Encapsulated { DataOnly, Anything };
/// Passes over an EncapsulatedContentInfo (RFC 5652 section 5.2). @returns where its OCTET STRING lies;
/// nothing when it is detached.
Result<std::optional<ber::Element>> find_content(ber::Walker& walker, Encapsulated type);

/// A ContentInfo around the fields of a content, in DER.
Bytes content_info(ByteView type, std::initializer_list<ByteView> fields);

/// What stands before and after content that streams through, once its outside is built from the inside out
/// with around().
struct Frame {
  std::optional<std::uint64_t>
      content_size;  ///< of the octets in the middle; absent: indefinite lengths all the way out
  Bytes before;
  Bytes after;
};

/// The innermost frame: an OCTET STRING, or one with an IMPLICIT tag (given for its primitive form).
Frame octet_string_frame(std::uint8_t identifier, std::optional<std::uint64_t> content_size);
/// A constructed element that holds `first`, then the inner frame with its content, then `last`.
Frame around(std::uint8_t identifier, std::initializer_list<ByteView> first, Frame inner, ByteView last = {});

/// Writes the middle: as it comes when its size is known, in pieces of 64 KiB, each an OCTET STRING, when it
/// is not.
class FramedContent final : public Sink {
 public:
  FramedContent(bool in_pieces, Sink& out) : in_pieces_(in_pieces), out_(out) {}
  Result<> write(ByteView bytes) override;
  /// Writes the last piece.
  Result<> finish();
  [[nodiscard]] std::uint64_t written() const { return written_; }

 private:
  Result<> write_piece();

  bool in_pieces_;
  Sink& out_;
  Bytes piece_;
  std::uint64_t written_ = 0;
};

/// Reads until `out` is full or the source at its end.
Result<std::size_t> read_full(Source& source, std::span<std::uint8_t> out);

}  // namespace signet::as2::cms
