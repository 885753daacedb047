#include "as2/cms/compress.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>
#include <optional>

#include "as2/cms/oids.h"
#include "as2/cms/outside.h"
#include "base/chunk.h"

namespace signet::as2::cms {
namespace {

constexpr std::array<std::uint8_t, 3> kVersion0 = {ber::kInteger, 1, 0};

/// RFC 3274 section 1.1, from the inside out.
Frame compressed_frame(std::optional<std::uint64_t> size) {
  const Bytes algorithm = ber::element(ber::kSequence, {oid::kZlibCompress});
  Frame frame = around(ber::context(0), {}, octet_string_frame(ber::kOctetString, size));
  frame = around(ber::kSequence, {oid::kData}, std::move(frame));
  frame = around(ber::kSequence, {kVersion0, algorithm}, std::move(frame));
  frame = around(ber::context(0), {}, std::move(frame));
  return around(ber::kSequence, {oid::kCompressedData}, std::move(frame));
}

/// zlib's stream and the memory behind it.
class Deflater {
 public:
  explicit Deflater(int level) {
    if (deflateInit(&stream_, level) != Z_OK) throw std::bad_alloc();
  }
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  void give(std::span<std::uint8_t> input) {
    stream_.next_in = input.data();
    stream_.avail_in = static_cast<uInt>(input.size());
  }
  [[nodiscard]] bool hungry() const { return stream_.avail_in == 0; }
  /// @returns the octets written into `out`; fewer than it holds when input is wanted, or, with `last`, at
  ///     the end.
  std::size_t take(std::span<std::uint8_t> out, bool last) {
    stream_.next_out = out.data();
    stream_.avail_out = static_cast<uInt>(out.size());
    ended_ = deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_END;
    return out.size() - stream_.avail_out;
  }
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  z_stream stream_{};
  bool ended_ = false;
};

/// The compressed form of a source, to be read.
class CompressingSource final : public Source {
 public:
  CompressingSource(Source& plain, int level) : plain_(plain), deflater_(level) {}

  Result<std::size_t> read(std::span<std::uint8_t> out) override {
    std::size_t done = 0;
    while (done < out.size() && !deflater_.ended()) {
      if (deflater_.hungry() && !at_end_) {
        SIGNET_TRY(const std::size_t count, plain_.read(input_));
        at_end_ = count == 0;
        deflater_.give(std::span(input_).first(count));
      }
      done += deflater_.take(out.subspan(done), at_end_);
    }
    return done;
  }

 private:
  Source& plain_;
  Deflater deflater_;
  Chunk input_;
  bool at_end_ = false;
};

/// Decodes base64 as it flows past, white space left out. Only for what phpas2 makes of a compressed stream.
class Base64Source final : public Source {
 public:
  explicit Base64Source(Source& text) : text_(text) {}

  Result<std::size_t> read(std::span<std::uint8_t> out) override {
    while (decoded_.empty()) {
      SIGNET_TRY(const bool more, decode_some());
      if (!more) return 0U;
    }
    const std::size_t count = std::min(out.size(), decoded_.size());
    std::copy_n(decoded_.begin(), count, out.begin());
    decoded_.erase(decoded_.begin(), decoded_.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }

 private:
  /// Whole quads only are decoded; the rest waits for what follows. Padding ends the text.
  Result<bool> decode_some() {
    Bytes chunk(kChunkSize / 16);
    SIGNET_TRY(const std::size_t count, text_.read(chunk));
    for (const char c : as_text(ByteView(chunk).first(count)))
      if (c != ' ' && c != '\t' && c != '\r' && c != '\n') waiting_.push_back(c);
    const std::size_t whole = count == 0 ? waiting_.size() : waiting_.size() / 4 * 4;
    SIGNET_TRY(decoded_, parse_base64(std::string_view(waiting_).substr(0, whole)));
    waiting_.erase(0, whole);
    return count != 0;
  }

  Source& text_;
  std::string waiting_;
  Bytes decoded_;
};

/// Gives back the octets that were looked at, then the rest.
class PrefixedSource final : public Source {
 public:
  PrefixedSource(Bytes prefix, Source& rest) : prefix_(std::move(prefix)), first_(prefix_), rest_(rest) {}
  Result<std::size_t> read(std::span<std::uint8_t> out) override {
    SIGNET_TRY(const std::size_t count, first_.read(out));
    if (count > 0) return count;
    return rest_.read(out);
  }

 private:
  Bytes prefix_;
  MemorySource first_;
  Source& rest_;
};

auto damaged(std::string detail) {
  return refuse(Fault::DecompressionFailed, ErrorKind::InvalidInput, std::move(detail));
}

/// What a source of the message says is wrong: with the disk, or with the message.
tl::unexpected<Refusal> failure_to_expand(Error cause) {
  const Fault fault =
      cause.kind == ErrorKind::IoFailure ? Fault::UnexpectedProcessingError : Fault::DecompressionFailed;
  return refuse(fault, std::move(cause));
}

class Inflater {
 public:
  Inflater() {
    if (inflateInit(&stream_) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  Step<> run(Source& compressed, const DecompressLimits& limits, Sink& out) {
    Chunk input;
    for (;;) {
      auto count = compressed.read(input);
      if (!count) return failure_to_expand(std::move(count).error());
      if (*count == 0) break;
      if (ended_) return damaged("octets follow the end of the zlib stream");
      consumed_ += *count;
      stream_.next_in = input.data();
      stream_.avail_in = static_cast<uInt>(*count);
      SIGNET_CHECK(expand(limits, out));
    }
    if (!ended_) return damaged("the zlib stream is cut short");
    return {};
  }

 private:
  Step<> expand(const DecompressLimits& limits, Sink& out) {
    while (!ended_ && (stream_.avail_in > 0 || full_)) {
      stream_.next_out = output_.data();
      stream_.avail_out = static_cast<uInt>(output_.size());
      const int code = inflate(&stream_, Z_NO_FLUSH);
      // Z_BUF_ERROR only says that the last full buffer happened to be all there was.
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return damaged(fmt::format("the zlib stream is damaged: {}",
                                   stream_.msg != nullptr ? stream_.msg : "it wants a dictionary"));
      ended_ = code == Z_STREAM_END;
      full_ = stream_.avail_out == 0;
      SIGNET_CHECK(pass_on(ByteView(output_).first(output_.size() - stream_.avail_out), limits, out));
    }
    if (stream_.avail_in > 0) return damaged("octets follow the end of the zlib stream");
    return {};
  }

  Step<> pass_on(ByteView bytes, const DecompressLimits& limits, Sink& out) {
    produced_ += bytes.size();
    if (produced_ > limits.max_size)
      return refuse(Fault::DecompressionFailed, ErrorKind::LimitExceeded,
                    fmt::format("expands to more than the {} octets allowed", limits.max_size));
    if (produced_ > limits.ratio_floor &&
        produced_ / std::max<std::uint64_t>(limits.max_ratio, 1) > consumed_)
      return refuse(Fault::DecompressionFailed, ErrorKind::LimitExceeded,
                    fmt::format("{} octets expand to more than {}, over {} times as many", consumed_,
                                produced_, limits.max_ratio));
    return or_refuse(Fault::UnexpectedProcessingError, out.write(bytes));
  }

  z_stream stream_{};
  Chunk output_;
  std::uint64_t consumed_ = 0;
  std::uint64_t produced_ = 0;
  bool full_ = false;
  bool ended_ = false;
};

/// Where the zlib stream lies in the message.
Result<ber::Element> find_compressed(const Slice& message) {
  ber::Walker walker(message);
  SIGNET_CHECK(enter_content(walker, CmsType::Compressed));
  SIGNET_CHECK(walker.skip(ber::kInteger, "a version"));
  SIGNET_CHECK(walker.enter(ber::kSequence, "a compression algorithm"));
  SIGNET_TRY(const Bytes algorithm, walker.take(ber::kOid, 64, "a compression algorithm's identifier"));
  if (!is_oid(algorithm, oid::kZlibCompress))
    return fail(ErrorKind::Unsupported,
                "a compression algorithm other than zlib: OID " + hex_lower(algorithm));
  SIGNET_TRY(const std::optional<ber::Header> parameters, walker.peek());
  if (parameters) SIGNET_CHECK(walker.skip_any("parameters"));
  SIGNET_CHECK(walker.leave("a compression algorithm"));
  SIGNET_TRY(const std::optional<ber::Element> content, find_content(walker, Encapsulated::DataOnly));
  if (!content) return fail(ErrorKind::InvalidInput, "a CompressedData without content");
  SIGNET_CHECK(leave_content(walker));
  return *content;
}

/// The first octet of a zlib stream names deflate in its low four bits (RFC 1950); base64 of one begins with
/// 'e', 'a', ...
bool is_zlib(std::uint8_t first) { return (first & 0x0FU) == Z_DEFLATED; }

}  // namespace

Result<> compress(Source& content, Sink& out, int level) {
  if (level < 1 || level > 9)
    return fail(ErrorKind::InvalidInput, fmt::format("zlib's levels are 1 to 9, not {}", level));
  CompressingSource compressed(content, level);
  Chunk chunk;
  SIGNET_TRY(std::size_t count, read_full(compressed, chunk));
  const bool small = count < chunk.size();
  const Frame frame = compressed_frame(small ? std::optional<std::uint64_t>(count) : std::nullopt);
  SIGNET_CHECK(out.write(frame.before));
  FramedContent framed(!small, out);
  while (count > 0) {
    SIGNET_CHECK(framed.write(ByteView(chunk).first(count)));
    SIGNET_TRY(count, read_full(compressed, chunk));
  }
  SIGNET_CHECK(framed.finish());
  return out.write(frame.after);
}

Step<> decompress(const Slice& compressed, const DecompressLimits& limits, Sink& out) {
  auto content = find_compressed(compressed);
  if (!content) return failure_to_expand(std::move(content).error());
  ber::OctetStringSource octets(compressed, *content);
  Bytes first(1);
  auto count = octets.read(first);
  if (!count) return failure_to_expand(std::move(count).error());
  if (*count == 0) return damaged("the compressed content is empty");
  const bool plain_zlib = is_zlib(first[0]);
  PrefixedSource whole(std::move(first), octets);
  Inflater inflater;
  if (plain_zlib) return inflater.run(whole, limits, out);
  Base64Source decoded(whole);
  return inflater.run(decoded, limits, out);
}

}  // namespace signet::as2::cms
