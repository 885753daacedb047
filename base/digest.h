#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/stream.h"

namespace signet {

/// The hash functions of AS2. SHA-1 is here to be verified where an agreement makes an exception, and for
/// thumbprints; MD5 is here to be recognised and refused.
enum class Hash { Md5, Sha1, Sha224, Sha256, Sha384, Sha512 };

/// "sha-256": RFC 5751 section 3.4.3.2's spelling, lower case.
std::string_view to_string(Hash hash);
/// Octets of a digest.
std::size_t digest_size(Hash hash);

/// The digest of octets that flow past; a Sink, so that it can stand anywhere in a stream.
class Digest final : public Sink {
 public:
  explicit Digest(Hash hash);
  ~Digest() override;
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;

  Result<> write(ByteView bytes) override;
  void update(ByteView bytes);
  /// The digest of everything written. The object is spent afterwards.
  Bytes finish() &&;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Bytes digest(Hash hash, ByteView bytes);
/// HMAC with SHA-256 (RFC 2104), 32 octets.
Bytes hmac_sha256(ByteView key, ByteView text);
/// The digest of a slice, in constant memory; noted there, so that it is computed once however often it is
/// asked for. @error IoFailure  the spool could not be read.
Result<Bytes> digest(Hash hash, const Slice& slice);

}  // namespace signet
