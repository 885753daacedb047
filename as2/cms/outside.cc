#include "as2/cms/outside.h"

#include <fmt/format.h>

#include <algorithm>

#include "as2/cms/oids.h"

namespace signet::as2::cms {
namespace {

constexpr std::size_t kMaxOidSize = 64;
constexpr std::uint64_t kMaxTrailingLineEnds = 16;

CmsType type_of(ByteView type) {
  if (is_oid(type, oid::kSignedData)) return CmsType::Signed;
  if (is_oid(type, oid::kEnvelopedData)) return CmsType::Enveloped;
  if (is_oid(type, oid::kAuthEnvelopedData)) return CmsType::AuthEnveloped;
  if (is_oid(type, oid::kCompressedData)) return CmsType::Compressed;
  return CmsType::Other;
}

Result<> expect_end(const Slice& rest) {
  if (rest.size() <= kMaxTrailingLineEnds) {
    SIGNET_TRY(const Bytes bytes, rest.to_bytes(kMaxTrailingLineEnds));
    if (std::all_of(bytes.begin(), bytes.end(),
                    [](std::uint8_t octet) { return octet == '\r' || octet == '\n'; }))
      return {};
  }
  return fail(ErrorKind::InvalidInput,
              fmt::format("{} octets follow the end of the CMS message", rest.size()));
}

void append(Bytes& to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

}  // namespace

Result<CmsType> enter_content_info(ber::Walker& walker) {
  SIGNET_CHECK(walker.enter(ber::kSequence, "a CMS ContentInfo"));
  SIGNET_TRY(const Bytes type, walker.take(ber::kOid, kMaxOidSize, "a content type"));
  return type_of(type);
}

Result<> enter_content(ber::Walker& walker, CmsType expected) {
  SIGNET_TRY(const CmsType type, enter_content_info(walker));
  if (type != expected)
    return fail(ErrorKind::InvalidInput,
                fmt::format("expected CMS {}, found {}", to_string(expected), to_string(type)));
  SIGNET_CHECK(walker.enter(ber::context(0), "the content of a ContentInfo"));
  return walker.enter(ber::kSequence, to_string(expected));
}

Result<> leave_content(ber::Walker& walker) {
  SIGNET_CHECK(walker.leave("the content"));
  SIGNET_CHECK(walker.leave("the content of a ContentInfo"));
  SIGNET_CHECK(walker.leave("a CMS ContentInfo"));
  return expect_end(walker.octets().sub(walker.position()));
}

Result<bool> skip_optional(ber::Walker& walker, std::uint8_t identifier) {
  SIGNET_TRY(const bool there, walker.next_is(identifier));
  if (there) SIGNET_CHECK(walker.skip(identifier, "an optional field"));
  return there;
}

Result<> expect_data(ber::Walker& walker) {
  SIGNET_TRY(const Bytes type, walker.take(ber::kOid, kMaxOidSize, "an encapsulated content type"));
  if (!is_oid(type, oid::kData))
    return fail(ErrorKind::InvalidInput,
                fmt::format("expected content of the type id-data, found the OID {}", hex_lower(type)));
  return {};
}

Result<std::optional<ber::Element>> find_content(ber::Walker& walker, Encapsulated type) {
  SIGNET_CHECK(walker.enter(ber::kSequence, "the encapsulated content"));
  if (type == Encapsulated::DataOnly)
    SIGNET_CHECK(expect_data(walker));
  else
    SIGNET_CHECK(walker.skip(ber::kOid, "an encapsulated content type"));
  std::optional<ber::Element> content;
  SIGNET_TRY(const bool there, walker.next_is(ber::context(0)));
  if (there) {
    SIGNET_CHECK(walker.enter(ber::context(0), "the encapsulated content's octets"));
    SIGNET_TRY(content, walker.skip_any("an OCTET STRING"));
    if ((content->identifier & ~ber::kConstructed) != ber::kOctetString)
      return fail(ErrorKind::InvalidInput, "the encapsulated content is not an OCTET STRING");
    SIGNET_CHECK(walker.leave("the encapsulated content's octets"));
  }
  SIGNET_CHECK(walker.leave("the encapsulated content"));
  return content;
}

Bytes content_info(ByteView type, std::initializer_list<ByteView> fields) {
  const Bytes content = ber::element(ber::kSequence, fields);
  const Bytes explicit_content = ber::element(ber::context(0), {content});
  return ber::element(ber::kSequence, {type, explicit_content});
}

Frame octet_string_frame(std::uint8_t identifier, std::optional<std::uint64_t> content_size) {
  Frame frame{content_size, {}, {}};
  if (content_size) {
    frame.before = ber::header(identifier, *content_size);
  } else {
    frame.before = {static_cast<std::uint8_t>(identifier | ber::kConstructed), 0x80};
    frame.after = {0, 0};
  }
  return frame;
}

Frame around(std::uint8_t identifier, std::initializer_list<ByteView> first, Frame inner, ByteView last) {
  Bytes before;
  for (const ByteView part : first) append(before, part);
  append(before, inner.before);
  append(inner.after, last);
  if (inner.content_size) {
    Bytes whole = ber::header(identifier, before.size() + *inner.content_size + inner.after.size());
    append(whole, before);
    inner.before = std::move(whole);
  } else {
    inner.before = {identifier, 0x80};
    append(inner.before, before);
    inner.after.insert(inner.after.end(), {0, 0});
  }
  return inner;
}

Result<> FramedContent::write(ByteView bytes) {
  written_ += bytes.size();
  if (!in_pieces_) return out_.write(bytes);
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), kChunkSize - piece_.size());
    append(piece_, bytes.first(count));
    bytes = bytes.subspan(count);
    if (piece_.size() == kChunkSize) SIGNET_CHECK(write_piece());
  }
  return {};
}

Result<> FramedContent::finish() { return piece_.empty() ? Result<>() : write_piece(); }

Result<> FramedContent::write_piece() {
  SIGNET_CHECK(out_.write(ber::header(ber::kOctetString, piece_.size())));
  SIGNET_CHECK(out_.write(piece_));
  piece_.clear();
  return {};
}

Result<std::size_t> read_full(Source& source, std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    SIGNET_TRY(const std::size_t count, source.read(out.subspan(done)));
    if (count == 0) break;
    done += count;
  }
  return done;
}

}  // namespace signet::as2::cms
