#include "tests/bench/arithmetic.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>
#include <vector>

#include "base/digest.h"
#include "base/file.h"
#include "base/openssl.h"
#include "base/random.h"
#include "tests/support/test_certificates.h"

namespace signet::bench {
namespace {

using Moment = std::chrono::steady_clock::time_point;

constexpr std::size_t kAttributes = 160;  // octets of the signed attributes of a signature

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double seconds_since(Moment begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

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

/// One thread's share of the arithmetic.
class Receiver {
 public:
  explicit Receiver(const MessageSizes& sizes)
      : key_(test::make_certificate({.common_name = "Floor"}).key),
        encrypted_(random_bytes(sizes.encrypted / 16 * 16)),
        signed_content_(random_bytes(sizes.signed_content)),
        receipt_(random_bytes(sizes.receipt)),
        attributes_(random_bytes(kAttributes)) {}

  bool prepare() {
    for (EvpPkeyCtxPtr* context : {&decryption_, &signing_, &verification_})
      context->reset(EVP_PKEY_CTX_new(key_.native(), nullptr));
    const Bytes content_key = random_bytes(32);
    EvpPkeyCtxPtr encryption(EVP_PKEY_CTX_new(key_.native(), nullptr));
    std::size_t size = wrapped_.size();
    return EVP_PKEY_encrypt_init(encryption.get()) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(encryption.get(), RSA_PKCS1_PADDING) == 1 &&
           EVP_PKEY_encrypt(encryption.get(), wrapped_.data(), &size, content_key.data(),
                            content_key.size()) == 1 &&
           EVP_PKEY_decrypt_init(decryption_.get()) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(decryption_.get(), RSA_PKCS1_PADDING) == 1 &&
           EVP_PKEY_sign_init(signing_.get()) == 1 && set_signature(signing_.get()) &&
           EVP_PKEY_verify_init(verification_.get()) == 1 && set_signature(verification_.get()) &&
           sha_.of(attributes_) && sign();
  }

  bool receive() {
    std::size_t size = unwrapped_.size();
    return EVP_PKEY_decrypt(decryption_.get(), unwrapped_.data(), &size, wrapped_.data(), wrapped_.size()) ==
               1 &&
           aes_.begin(false) && aes_.update(encrypted_, decrypted_) && sha_.of(signed_content_) &&
           sha_.of(attributes_) &&
           EVP_PKEY_verify(verification_.get(), signature_.data(), signature_.size(), sha_.value(), 32) ==
               1 &&
           sha_.of(receipt_) && sha_.of(attributes_) && sign();
  }

 private:
  static bool set_signature(EVP_PKEY_CTX* context) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1;
  }
  bool sign() {
    std::size_t size = signature_.size();
    return EVP_PKEY_sign(signing_.get(), signature_.data(), &size, sha_.value(), 32) == 1;
  }

  const certstore::KeyHandle key_;
  const Bytes encrypted_;
  const Bytes signed_content_;
  const Bytes receipt_;
  const Bytes attributes_;
  EvpPkeyCtxPtr decryption_;
  EvpPkeyCtxPtr signing_;
  EvpPkeyCtxPtr verification_;
  Aes aes_;
  Sha256 sha_;
  Bytes wrapped_ = Bytes(256);
  Bytes unwrapped_ = Bytes(256);
  Bytes signature_ = Bytes(256);
  Bytes decrypted_;
};

struct Share {
  bool done = true;
  double cpu = 0;
  std::vector<double> times;
};

Share receive_until(const MessageSizes& sizes, Moment end) {
  Share share;
  Receiver receiver(sizes);
  share.done = receiver.prepare();
  const double cpu = cpu_seconds();
  for (Moment begin; share.done && (begin = std::chrono::steady_clock::now()) < end;) {
    share.done = receiver.receive();
    share.times.push_back(seconds_since(begin));
  }
  share.cpu = cpu_seconds() - cpu;
  return share;
}

}  // namespace

Result<SmallFloor> receive_floor(const MessageSizes& sizes, unsigned threads, double seconds) {
  test::make_certificate({.common_name = "Floor"});  // one key for all threads
  const Moment begin = std::chrono::steady_clock::now();
  const Moment end =
      begin + std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
  std::vector<Share> shares(threads);
  std::vector<std::thread> running;
  for (Share& share : shares)
    running.emplace_back([&share, &sizes, end] { share = receive_until(sizes, end); });
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

Result<LargeFloor> large_floor(std::uint64_t size, bool encrypting, const std::filesystem::path& directory) {
  const std::uint64_t pieces = size / kChunkSize;
  const Bytes piece = random_bytes(kChunkSize);
  Bytes out;
  LargeFloor floor;
  bool done = true;

  Aes aes;
  Moment begin = std::chrono::steady_clock::now();
  done = aes.begin(encrypting);
  for (std::uint64_t i = 0; done && i < pieces; ++i) done = aes.update(piece, out);
  floor.aes_seconds = seconds_since(begin);

  Sha256 sha;
  begin = std::chrono::steady_clock::now();
  done = done && sha.begin();
  for (std::uint64_t i = 0; done && i < pieces; ++i) done = sha.update(piece);
  floor.sha_seconds = seconds_since(begin);
  if (!done) return fail(take_openssl_error(ErrorKind::CryptoFailure, "measuring the floor"));

  const auto path = directory / "floor";
  begin = std::chrono::steady_clock::now();
  {
    SIGNET_TRY(NewFile file, NewFile::create(path));
    for (std::uint64_t i = 0; i < pieces; ++i) SIGNET_CHECK(file.write(piece));
    SIGNET_CHECK(file.sync());
  }
  floor.write_seconds = seconds_since(begin);
  std::filesystem::remove(path);
  return floor;
}

}  // namespace signet::bench
