#include "as2/mime/entity.h"

#include "as2/mime/content_type.h"
#include "as2/mime/transfer_encoding.h"
#include "tests/fuzz/slices.h"

/// Whatever is found in an entity is a piece of the octets that came, in their order, and headers mean the
/// same once written by us and read again.

using namespace signet;
using namespace signet::as2;
using fuzz::require;
using fuzz::require_within;

namespace {

constexpr std::size_t kMaxParts = 50;

std::string boundary_of(const mime::Entity& entity) {
  const auto type = mime::content_type(entity.headers);
  if (!type || !*type) return "b";
  return std::string((*type)->parameter("boundary").value_or("b"));
}

void check_headers(const mime::Headers& headers) {
  const std::string written = headers.serialise() + "\r\n";
  auto again = mime::parse_headers(written);
  if (headers.empty() || written.size() > mime::HeaderRules::body().max_octets) return;
  require(again && again->headers == headers && again->octets == written.size(),
          "headers survive writing and reading");
}

void check_parts(const Slice& body, const std::vector<Slice>& parts) {
  require(parts.size() <= kMaxParts, "no more parts than allowed");
  const std::uint8_t* end = nullptr;
  for (const Slice& part : parts) {
    require_within(part, body, "a part lies within the body");
    if (part.empty()) continue;
    const ByteView octets = part.in_memory().value();
    require(octets.data() >= end, "parts do not overlap");
    end = octets.data() + octets.size();
  }
}

void check_decoding(const mime::Entity& entity) {
  const auto encoding = mime::transfer_encoding(entity.headers);
  const auto decoded = mime::decoded(entity, fuzz::memory_area());
  if (!decoded) return;
  require(encoding.has_value(), "nothing is decoded from an unknown encoding");
  require(decoded->size() <= entity.body.size(), "decoding makes nothing longer");
  if (mime::is_identity(*encoding))
    require(decoded->size() == entity.body.size(), "7bit, 8bit and binary stay as they are");
}

}  // namespace

SIGNET_FUZZ_TARGET(mime_entity) {
  const Slice octets = fuzz::as_slice(input);
  const auto entity = mime::read_entity(octets);
  if (!entity) return;
  require(entity->whole.size() == octets.size(), "an entity is all the octets");
  require(entity->body.size() <= octets.size(), "a body is no longer than its entity");
  require_within(entity->body, octets, "a body lies within its entity");
  check_headers(entity->headers);
  check_decoding(*entity);

  const std::string boundary = boundary_of(*entity);
  const auto parts = mime::split_multipart(entity->body, boundary, kMaxParts);
  if (parts) check_parts(entity->body, *parts);
  if (const auto halves = mime::split_signed(entity->body, boundary)) {
    require(parts && parts->size() == 2, "a multipart/signed has two parts");
    require_within(halves->content, entity->body, "the signed part lies within the body");
    require_within(halves->signature.whole, entity->body, "the signature's part lies within the body");
  }
}
