#include "tests/bench/arithmetic.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <zlib.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/openssl.h"
#include "base/random.h"
#include "certstore/x509/key_handle.h"
#include "tests/bench/timing.h"
#include "tests/support/test_certificates.h"

namespace signet::bench {
namespace {

constexpr std::size_t kAttributes = 160;  // octets of the signed attributes of a signature

/// What both directions of AES need, fetched once.
class Aes {
 public:
  Aes() : cipher_(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)), context_(EVP_CIPHER_CTX_new()) {}

  bool begin(bool encrypting) {
    return EVP_CipherInit_ex2(context_.get(), cipher_.get(), key_.data(), iv_.data(), encrypting ? 1 : 0,
                              nullptr) == 1 &&
           EVP_CIPHER_CTX_set_padding(context_.get(), 0) == 1;
  }
  bool update(ByteView in, Bytes& out) {
    out.resize(in.size() + 32);
    int size = 0;
    return EVP_CipherUpdate(context_.get(), out.data(), &size, in.data(), static_cast<int>(in.size())) == 1;
  }

 private:
  EvpCipherPtr cipher_;
  EvpCipherCtxPtr context_;
  const Bytes key_ = random_bytes(32);
  const Bytes iv_ = random_bytes(16);
};

class Sha256 {
 public:
  Sha256() : method_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {}
  bool begin() { return EVP_DigestInit_ex2(context_.get(), method_.get(), nullptr) == 1; }
  bool update(ByteView octets) { return EVP_DigestUpdate(context_.get(), octets.data(), octets.size()) == 1; }
  bool of(ByteView octets) {
    unsigned size = 0;
    return begin() && update(octets) && EVP_DigestFinal_ex(context_.get(), value_, &size) == 1;
  }
  [[nodiscard]] const unsigned char* value() const { return value_; }

 private:
  EvpMdPtr method_;
  EvpMdCtxPtr context_;
  unsigned char value_[32] = {};
};

EvpPkeyCtxPtr context_for(const certstore::KeyHandle& key) {
  return EvpPkeyCtxPtr(EVP_PKEY_CTX_new(key.native(), nullptr));
}

bool set_padding(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
}

bool set_hash(EVP_PKEY_CTX* context) { return EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1; }

/// What RSA-2048 does to the content key of a message, both ways.
class KeyTransport {
 public:
  explicit KeyTransport(const certstore::KeyHandle& key)
      : encryption_(context_for(key)), decryption_(context_for(key)) {}

  bool prepare() {
    return EVP_PKEY_encrypt_init(encryption_.get()) == 1 && set_padding(encryption_.get()) &&
           EVP_PKEY_decrypt_init(decryption_.get()) == 1 && set_padding(decryption_.get()) && wrap();
  }
  bool wrap() {
    std::size_t size = wrapped_.size();
    return EVP_PKEY_encrypt(encryption_.get(), wrapped_.data(), &size, content_key_.data(),
                            content_key_.size()) == 1;
  }
  bool unwrap() {
    std::size_t size = unwrapped_.size();
    return EVP_PKEY_decrypt(decryption_.get(), unwrapped_.data(), &size, wrapped_.data(), wrapped_.size()) ==
           1;
  }

 private:
  EvpPkeyCtxPtr encryption_;
  EvpPkeyCtxPtr decryption_;
  const Bytes content_key_ = random_bytes(32);
  Bytes wrapped_ = Bytes(256);
  Bytes unwrapped_ = Bytes(256);
};

/// Signatures by one key.
class Signatures {
 public:
  explicit Signatures(const certstore::KeyHandle& key, bool is_rsa)
      : is_rsa_(is_rsa), signing_(context_for(key)), verification_(context_for(key)) {}

  bool prepare() {
    return EVP_PKEY_sign_init(signing_.get()) == 1 && EVP_PKEY_verify_init(verification_.get()) == 1 &&
           (!is_rsa_ || (set_padding(signing_.get()) && set_padding(verification_.get()))) &&
           set_hash(signing_.get()) && set_hash(verification_.get()) && sign(digest_.data());
  }
  bool sign(const unsigned char* digest) {
    std::size_t size = signature_.size();
    const bool done = EVP_PKEY_sign(signing_.get(), signature_.data(), &size, digest, kDigest) == 1;
    size_ = size;
    return done;
  }
  /// The signature of prepare().
  bool verify() {
    return EVP_PKEY_verify(verification_.get(), signature_.data(), size_, digest_.data(), kDigest) == 1;
  }

 private:
  static constexpr std::size_t kDigest = 32;
  const bool is_rsa_;
  EvpPkeyCtxPtr signing_;
  EvpPkeyCtxPtr verification_;
  const Bytes digest_ = random_bytes(kDigest);
  Bytes signature_ = Bytes(256);
  std::size_t size_ = 0;
};

/// One thread's share of the arithmetic.
class Arithmetic {
 public:
  Arithmetic(Way way, const MessageSizes& sizes)
      : way_(way),
        key_(test::make_certificate({.common_name = "Floor"}).key),
        curve_key_(test::make_certificate({.common_name = "Floor", .key = "ec:P-256"}).key),
        encrypted_(random_bytes(sizes.encrypted / 16 * 16)),
        signed_content_(random_bytes(sizes.signed_content)),
        receipt_(random_bytes(sizes.receipt)),
        attributes_(random_bytes(kAttributes)),
        transport_(key_),
        ours_(key_, true),
        partners_(way == Way::Inbound ? key_ : curve_key_, way == Way::Inbound) {}

  bool prepare() { return transport_.prepare() && ours_.prepare() && partners_.prepare(); }

  bool message() {
    const bool inbound = way_ == Way::Inbound;
    return (inbound ? transport_.unwrap() : transport_.wrap()) && aes_.begin(!inbound) &&
           aes_.update(encrypted_, out_) && digest(signed_content_) && digest(receipt_) &&
           ours_.sign(sha_.value()) && partners_.verify();
  }

 private:
  /// Of what is signed, and of the attributes that stand between it and the signature.
  bool digest(const Bytes& content) { return sha_.of(content) && sha_.of(attributes_); }

  const Way way_;
  const certstore::KeyHandle key_;
  const certstore::KeyHandle curve_key_;
  const Bytes encrypted_;
  const Bytes signed_content_;
  const Bytes receipt_;
  const Bytes attributes_;
  KeyTransport transport_;
  Signatures ours_;
  Signatures partners_;
  Aes aes_;
  Sha256 sha_;
  Bytes out_;
};

struct Share {
  bool done = true;
  double cpu = 0;
  std::vector<double> times;
};

Share compute_until(Way way, const MessageSizes& sizes, Moment end) {
  Share share;
  Arithmetic arithmetic(way, sizes);
  share.done = arithmetic.prepare();
  const double cpu = thread_cpu_seconds();
  for (Moment begin; share.done && (begin = std::chrono::steady_clock::now()) < end;) {
    share.done = arithmetic.message();
    share.times.push_back(seconds_since(begin));
  }
  share.cpu = thread_cpu_seconds() - cpu;
  return share;
}

/// One pass over so many octets, a piece at a time.
template <class Step>
Result<double> pass(std::uint64_t size, const Step& step) {
  const Moment begin = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < size / kChunkSize; ++i)
    if (!step()) return fail(take_openssl_error(ErrorKind::CryptoFailure, "measuring the floor"));
  return seconds_since(begin);
}

constexpr int kWindow = 15;  // of zlib's format, the largest

/// zlib in one direction, a piece at a time, as fast as it is.
template <auto kStep, class Take>
Result<> run_zlib(z_stream& stream, Source& source, const Take& take) {
  Bytes in(kChunkSize);
  Bytes out(kChunkSize);
  for (int state = Z_OK; state != Z_STREAM_END;) {
    SIGNET_TRY(const std::size_t got, source.read(in));
    stream.next_in = in.data();
    stream.avail_in = static_cast<uInt>(got);
    do {
      stream.next_out = out.data();
      stream.avail_out = static_cast<uInt>(out.size());
      state = kStep(&stream, got == 0 ? Z_FINISH : Z_NO_FLUSH);
      SIGNET_CHECK(take(ByteView(out.data(), out.size() - stream.avail_out)));
    } while (stream.avail_out == 0);
    if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR)
      return fail(ErrorKind::Internal, "measuring the floor of zlib");
  }
  return {};
}

/// How long zlib takes to compress the octets, or to expand what comes of that.
Result<double> zlib_floor(Way way, const Slice& octets, const std::filesystem::path& directory) {
  z_stream stream{};
  Moment begin = std::chrono::steady_clock::now();
  const auto compressed = std::make_shared<Spool>(SpoolArea{directory});
  SliceSource source(octets);
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kWindow, 8, Z_DEFAULT_STRATEGY);
  const auto deflated =
      run_zlib<deflate>(stream, source, [&](ByteView part) { return compressed->write(part); });
  deflateEnd(&stream);
  SIGNET_CHECK(deflated);
  if (way == Way::Outbound) return seconds_since(begin);

  SliceSource back(Spool::finish(compressed));
  begin = std::chrono::steady_clock::now();
  stream = {};
  inflateInit2(&stream, kWindow);
  const auto inflated = run_zlib<inflate>(stream, back, [](ByteView) { return Result<>(); });
  inflateEnd(&stream);
  SIGNET_CHECK(inflated);
  return seconds_since(begin);
}

Result<double> write_floor(std::uint64_t size, const std::filesystem::path& path) {
  const Bytes piece = random_bytes(kChunkSize);
  const Moment begin = std::chrono::steady_clock::now();
  SIGNET_TRY(NewFile file, NewFile::create(path));
  for (std::uint64_t written = 0; written < size; written += piece.size())
    SIGNET_CHECK(file.write(ByteView(piece).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), size - written)))));
  SIGNET_CHECK(file.sync());
  const double seconds = seconds_since(begin);
  std::filesystem::remove(path);
  return seconds;
}

}  // namespace

SmallFloor SmallFloor::between(const SmallFloor& before, const SmallFloor& after) {
  return {(before.per_second + after.per_second) / 2, (before.cpu_ms + after.cpu_ms) / 2,
          (before.median_ms + after.median_ms) / 2};
}

Result<SmallFloor> small_floor(Way way, const MessageSizes& sizes, unsigned threads, double seconds) {
  for (const char* key : {"rsa:2048", "ec:P-256"})  // the same for all threads
    test::make_certificate({.common_name = "Floor", .key = key});
  const Moment begin = std::chrono::steady_clock::now();
  const Moment end = after(seconds);
  std::vector<Share> shares(threads);
  std::vector<std::thread> running;
  for (Share& share : shares)
    running.emplace_back([&share, way, &sizes, end] { share = compute_until(way, sizes, end); });
  for (std::thread& thread : running) thread.join();
  const double passed = seconds_since(begin);

  std::vector<double> times;
  double cpu = 0;
  for (const Share& share : shares) {
    if (!share.done || share.times.empty())
      return fail(take_openssl_error(ErrorKind::CryptoFailure, "measuring the floor"));
    times.insert(times.end(), share.times.begin(), share.times.end());
    cpu += share.cpu;
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  const auto count = static_cast<double>(times.size());
  return SmallFloor{count / passed, cpu / count * 1000, times[times.size() / 2] * 1000};
}

Result<LargeFloor> large_floor(Way way, const LargeSizes& sizes, const std::filesystem::path& directory) {
  const Bytes piece = random_bytes(kChunkSize);
  Bytes out;
  LargeFloor floor;
  Aes aes;
  Sha256 sha;
  if (!aes.begin(way == Way::Outbound) || !sha.begin())
    return fail(take_openssl_error(ErrorKind::CryptoFailure, "measuring the floor"));
  SIGNET_TRY(floor.aes_seconds, pass(sizes.encrypted, [&] { return aes.update(piece, out); }));
  SIGNET_TRY(floor.sha_seconds, pass(sizes.hashed, [&] { return sha.update(piece); }));
  if (sizes.compressed) {
    SIGNET_TRY(floor.zlib_seconds, zlib_floor(way, *sizes.compressed, directory));
  }
  SIGNET_TRY(floor.write_seconds, write_floor(sizes.written, directory / "floor"));
  return floor;
}

}  // namespace signet::bench
