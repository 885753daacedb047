#include "as2/mic_variants.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "as2/mime/canonical.h"

namespace signet::as2 {
namespace {

constexpr std::array<Hash, 4> kHashes = {Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512};
constexpr std::array<LineEnds, 5> kForms = {LineEnds::AsReceived, LineEnds::Crlf, LineEnds::Lf,
                                            LineEnds::WithCrlfAtEnd, LineEnds::WithoutLineEndAtEnd};

/// All the digests of what flows past, in one go.
class ManyDigests final : public Sink {
 public:
  ManyDigests() {
    for (const Hash hash : kHashes) digests_.emplace_back(hash);
  }
  Result<> write(ByteView bytes) override {
    size_ += bytes.size();
    for (Digest& each : digests_) each.update(bytes);
    return {};
  }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  std::vector<Mic> finish() && {
    std::vector<Mic> mics;
    for (std::size_t i = 0; i < kHashes.size(); ++i)
      mics.push_back({kHashes[i], std::move(digests_[i]).finish()});
    return mics;
  }

 private:
  std::vector<Digest> digests_;
  std::uint64_t size_ = 0;
};

/// Passes everything on but a CR before an LF.
class LfLineEnds final : public Sink {
 public:
  explicit LfLineEnds(Sink& out) : out_(out) {}
  Result<> write(ByteView bytes) override {
    changed_.clear();
    for (const std::uint8_t octet : bytes) {
      if (waiting_cr_ && octet != '\n') changed_.push_back('\r');
      waiting_cr_ = octet == '\r';
      if (!waiting_cr_) changed_.push_back(octet);
    }
    return out_.write(changed_);
  }
  Result<> finish() {
    constexpr std::array<std::uint8_t, 1> cr = {'\r'};
    return waiting_cr_ ? out_.write(cr) : Result<>();
  }

 private:
  Sink& out_;
  Bytes changed_;
  bool waiting_cr_ = false;
};

/// Without one CRLF or LF at the end.
Result<Slice> without_line_end(const Slice& octets) {
  const Slice end = octets.sub(octets.size() - std::min<std::uint64_t>(octets.size(), 2));
  SIGNET_TRY(const Bytes last, end.to_bytes(2));
  const std::string_view text = as_text(last);
  const std::size_t count = text.ends_with("\r\n") ? 2 : text.ends_with("\n") ? 1 : 0;
  return octets.sub(0, octets.size() - count);
}

Result<> write_in_form(const Slice& octets, LineEnds form, Sink& out) {
  constexpr std::array<std::uint8_t, 2> crlf = {'\r', '\n'};
  switch (form) {
    case LineEnds::AsReceived:
      return octets.copy_to(out);
    case LineEnds::Crlf: {
      SliceSource source(octets);
      mime::CanonicalLineEnds canonical(source);
      SIGNET_CHECK(copy(canonical, out));
      return {};
    }
    case LineEnds::Lf: {
      LfLineEnds filter(out);
      SIGNET_CHECK(octets.copy_to(filter));
      return filter.finish();
    }
    case LineEnds::WithCrlfAtEnd:
      SIGNET_CHECK(octets.copy_to(out));
      return out.write(crlf);
    case LineEnds::WithoutLineEndAtEnd: {
      SIGNET_TRY(const Slice shorter, without_line_end(octets));
      return shorter.copy_to(out);
    }
  }
  return {};
}

std::string_view suffix(LineEnds form) {
  switch (form) {
    case LineEnds::AsReceived:
      return "";
    case LineEnds::Crlf:
      return "+crlf";
    case LineEnds::Lf:
      return "+lf";
    case LineEnds::WithCrlfAtEnd:
      return "+crlf-at-end";
    case LineEnds::WithoutLineEndAtEnd:
      return "+no-line-end";
  }
  return "";
}

Result<MicVariant> make_variant(const MicBase& base, LineEnds form) {
  ManyDigests digests;
  SIGNET_CHECK(write_in_form(base.octets, form, digests));
  MicVariant variant{
      base.id + std::string(suffix(form)), base.covers, base.meaning, form, digests.size(), {}};
  variant.mics = std::move(digests).finish();
  return variant;
}

}  // namespace

std::string_view to_string(LineEnds form) {
  switch (form) {
    case LineEnds::AsReceived:
      return "as received";
    case LineEnds::Crlf:
      return "every line end made CRLF";
    case LineEnds::Lf:
      return "every CRLF made LF";
    case LineEnds::WithCrlfAtEnd:
      return "one CRLF more at the end";
    case LineEnds::WithoutLineEndAtEnd:
      return "without the line end at its end";
  }
  return "";
}

const Mic* MicVariant::of(Hash hash) const {
  const auto found =
      std::find_if(mics.begin(), mics.end(), [hash](const Mic& mic) { return mic.hash == hash; });
  return found == mics.end() ? nullptr : &*found;
}

Result<std::vector<MicVariant>> mic_variants(std::span<const MicBase> bases) {
  std::vector<MicVariant> variants;
  std::uint64_t budget = kMicVariantBudget;
  for (const LineEnds form : kForms) {
    for (const MicBase& base : bases) {
      if (base.octets.size() > budget) continue;
      budget -= base.octets.size();
      SIGNET_TRY(MicVariant variant, make_variant(base, form));
      const bool known = std::any_of(variants.begin(), variants.end(),
                                     [&](const MicVariant& each) { return each.mics == variant.mics; });
      if (!known) variants.push_back(std::move(variant));
    }
  }
  return variants;
}

std::optional<MicMatch> find_mic(std::span<const MicVariant> variants, ByteView digest) {
  for (const MicVariant& variant : variants)
    for (const Mic& mic : variant.mics)
      if (std::equal(mic.value.begin(), mic.value.end(), digest.begin(), digest.end()))
        return MicMatch{&variant, mic.hash};
  return std::nullopt;
}

}  // namespace signet::as2
