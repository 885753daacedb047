#include "certstore/vault/master_key.h"

#include <fmt/format.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <optional>

#include "base/digest.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/openssl.h"
#include "base/private_file.h"
#include "base/random.h"

namespace signet::vault {
namespace {

constexpr std::size_t kKeySize = 32;
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;
// 1 | nonce | ciphertext | tag, of a time when no home had more than one master key; and
// 2 | id of the key | nonce | ciphertext | tag.
constexpr std::uint8_t kWithoutId = 1;
constexpr std::uint8_t kWithId = 2;
constexpr std::size_t kHead = 1 + MasterKey::kIdSize;
constexpr std::string_view kCheckPurpose = "signet master key check 1";
constexpr std::string_view kRetiredContext = "signet retired master key 1";
constexpr std::size_t kCheckSize = 16;
constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kShortestPassphrase = 12;
constexpr std::size_t kLargestParameterFile = 1024;

// RFC 7914 section 2; 32 MiB and about a tenth of a second.
constexpr std::uint64_t kScryptN = 32768;
constexpr std::uint64_t kScryptR = 8;
constexpr std::uint64_t kScryptP = 1;
constexpr std::uint64_t kScryptMemory = 64 * 1024 * 1024;

Result<> write_new_file(const std::filesystem::path& path, ByteView bytes) {
  SIGNET_TRY(NewFile file, NewFile::create(path, 0600));
  const auto fill = [&]() -> Result<> {
    SIGNET_CHECK(file.write(bytes));
    SIGNET_CHECK(file.sync());
    failpoint("master.written");
    return sync_directory(path.has_parent_path() ? path.parent_path() : ".");
  };
  auto filled = fill();
  if (!filled) ::unlink(path.c_str());
  return filled;
}

/// What a passphrase file says, apart from the passphrase.
struct ScryptParameters {
  Bytes salt;
  Bytes check;
};

std::string to_text(const ScryptParameters& parameters) {
  return fmt::format("signet-master-key scrypt N={} r={} p={} salt={} check={}\n", kScryptN, kScryptR,
                     kScryptP, hex_lower(parameters.salt), hex_lower(parameters.check));
}

Result<ScryptParameters> parse_parameters(std::string_view text, const std::filesystem::path& path) {
  const auto broken = [&path] {
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("{} is no passphrase file of a master key: expected 'signet-master-key scrypt N={} r={} "
                    "p={} salt=<32 digits> check=<32 digits>'; restore it from a backup",
                    path.string(), kScryptN, kScryptR, kScryptP));
  };
  const std::string start =
      fmt::format("signet-master-key scrypt N={} r={} p={} salt=", kScryptN, kScryptR, kScryptP);
  constexpr std::string_view kCheckWord = " check=";
  text = trim(text);
  if (text.size() != start.size() + 2 * kSaltSize + kCheckWord.size() + 2 * kCheckSize ||
      !text.starts_with(start) || text.substr(start.size() + 2 * kSaltSize, kCheckWord.size()) != kCheckWord)
    return broken();
  Result<Bytes> salt = parse_hex(text.substr(start.size(), 2 * kSaltSize));
  Result<Bytes> check = parse_hex(text.substr(text.size() - 2 * kCheckSize));
  if (!salt || !check) return broken();
  return ScryptParameters{*std::move(salt), *std::move(check)};
}

/// HMAC-SHA-256 over a purpose.
SecretBytes derive(const SecretBytes& key, std::string_view purpose) {
  SecretBytes derived(kKeySize);
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.view().data(), static_cast<int>(key.size()), as_bytes(purpose).data(),
           purpose.size(), derived.writable().data(), &size) == nullptr)
    throw std::bad_alloc();
  return derived;
}

/// What a sealed thing is, in its parts.
struct Sealed {
  ByteView id;  ///< empty for one of the first form
  ByteView nonce;
  ByteView body;
  ByteView tag;
};

std::optional<Sealed> parse_sealed(ByteView sealed) {
  if (sealed.empty() || (sealed[0] != kWithoutId && sealed[0] != kWithId)) return std::nullopt;
  const std::size_t head = sealed[0] == kWithId ? kHead : 1;
  if (sealed.size() < head + kNonceSize + kTagSize) return std::nullopt;
  const ByteView rest = sealed.subspan(head);
  return Sealed{sealed.subspan(1, head - 1), rest.first(kNonceSize),
                rest.subspan(kNonceSize, rest.size() - kNonceSize - kTagSize), rest.last(kTagSize)};
}

Result<SecretBytes> derive_by_scrypt(const SecretBytes& passphrase, ByteView salt) {
  SecretBytes key(kKeySize);
  if (EVP_PBE_scrypt(reinterpret_cast<const char*>(passphrase.view().data()), passphrase.size(), salt.data(),
                     salt.size(), kScryptN, kScryptR, kScryptP, kScryptMemory, key.writable().data(),
                     kKeySize) != 1)
    return fail(take_openssl_error(ErrorKind::Unavailable, "deriving the master key from its passphrase"));
  return key;
}

}  // namespace

Result<MasterKey> MasterKey::create_file(const std::filesystem::path& path) {
  SecretBytes key(kKeySize);
  if (RAND_priv_bytes(key.writable().data(), static_cast<int>(kKeySize)) != 1)
    return fail(take_openssl_error(ErrorKind::Unavailable, "making a master key"));
  SIGNET_CHECK(write_new_file(path, key.view()));
  return MasterKey(std::move(key));
}

Result<MasterKey> MasterKey::load_file(const std::filesystem::path& path) {
  SIGNET_TRY(SecretBytes key, read_private_file(path, kKeySize, "master key file"));
  if (key.size() != kKeySize)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("master key file {} must hold {} octets and holds {}: restore it from a backup",
                    path.string(), kKeySize, key.size() > kKeySize ? "more" : std::to_string(key.size())));
  return MasterKey(std::move(key));
}

Result<MasterKey> MasterKey::create_with_passphrase(const std::filesystem::path& parameters_path,
                                                    const SecretBytes& passphrase) {
  if (passphrase.size() < kShortestPassphrase)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a master passphrase needs at least {} characters, this one has {}",
                            kShortestPassphrase, passphrase.size()));
  const Bytes salt = random_bytes(kSaltSize);
  SIGNET_TRY(SecretBytes derived, derive_by_scrypt(passphrase, salt));
  MasterKey key(std::move(derived));
  SIGNET_CHECK(write_new_file(parameters_path, as_bytes(to_text({salt, key.check_value()}))));
  return key;
}

Result<MasterKey> MasterKey::open_with_passphrase(const std::filesystem::path& parameters_path,
                                                  const SecretBytes& passphrase) {
  SIGNET_TRY(const SecretBytes text,
             read_private_file(parameters_path, kLargestParameterFile, "master key file"));
  SIGNET_TRY(const ScryptParameters parameters, parse_parameters(as_text(text.view()), parameters_path));
  SIGNET_TRY(SecretBytes derived, derive_by_scrypt(passphrase, parameters.salt));
  MasterKey key(std::move(derived));
  if (!equal_in_constant_time(key.check_value(), parameters.check))
    return fail(ErrorKind::CryptoFailure,
                fmt::format("wrong master passphrase: it is not the one that {} was made with",
                            parameters_path.string()));
  return key;
}

Result<Bytes> MasterKey::check_value_of(const std::filesystem::path& parameters_path) {
  SIGNET_TRY(const SecretBytes text,
             read_private_file(parameters_path, kLargestParameterFile, "master key file"));
  SIGNET_TRY(ScryptParameters parameters, parse_parameters(as_text(text.view()), parameters_path));
  return std::move(parameters.check);
}

MasterKey::MasterKey(SecretBytes key) : key_(std::move(key)) {
  const Bytes check = check_value();
  std::copy_n(check.begin(), kIdSize, id_.begin());
}

Bytes MasterKey::seal(ByteView secret, ByteView context) const {
  Bytes sealed(kHead + kNonceSize + secret.size() + kTagSize);
  sealed[0] = kWithId;
  std::copy(id_.begin(), id_.end(), sealed.begin() + 1);
  const Bytes nonce = random_bytes(kNonceSize);
  std::copy(nonce.begin(), nonce.end(), sealed.begin() + kHead);
  std::uint8_t* const body = sealed.data() + kHead + kNonceSize;
  int size = 0;
  const EvpCipherCtxPtr cipher(EVP_CIPHER_CTX_new());
  const bool done =
      cipher != nullptr &&
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.view().data(), nonce.data()) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &size, context.data(), static_cast<int>(context.size())) ==
          1 &&
      EVP_EncryptUpdate(cipher.get(), body, &size, secret.data(), static_cast<int>(secret.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), body + size, &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(kTagSize),
                          body + secret.size()) == 1;
  if (!done) throw std::bad_alloc();  // nothing else can fail here
  return sealed;
}

Result<SecretBytes> MasterKey::unseal(ByteView sealed, ByteView context) const {
  const auto refuse = [] {
    ERR_clear_error();
    return fail(ErrorKind::CryptoFailure,
                "cannot be unsealed: it was changed, belongs to something else, or was sealed under another "
                "master key; "
                "restore the store and its master key from the same backup");
  };
  const std::optional<Sealed> parts = parse_sealed(sealed);
  if (!parts) return refuse();
  if (!parts->id.empty() && !std::equal(parts->id.begin(), parts->id.end(), id_.begin()))
    return other_ ? other_->unseal(sealed, context) : refuse();
  Bytes tag(parts->tag.begin(), parts->tag.end());
  SecretBytes secret(parts->body.size());
  int size = 0;
  std::uint8_t rest[kTagSize];
  const EvpCipherCtxPtr cipher(EVP_CIPHER_CTX_new());
  const bool done =
      cipher != nullptr &&
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.view().data(), parts->nonce.data()) ==
          1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &size, context.data(), static_cast<int>(context.size())) ==
          1 &&
      EVP_DecryptUpdate(cipher.get(), secret.writable().data(), &size, parts->body.data(),
                        static_cast<int>(parts->body.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(kTagSize), tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), rest, &size) == 1;
  if (done) return secret;
  // Of the first form, which does not say whose it is.
  if (parts->id.empty() && other_) return other_->unseal(sealed, context);
  return refuse();
}

Bytes MasterKey::seal_retired(const MasterKey& retired) const {
  return seal(retired.key_.view(), as_bytes(kRetiredContext));
}

Result<MasterKey> MasterKey::unseal_retired(ByteView sealed) const {
  SIGNET_TRY(SecretBytes key, unseal(sealed, as_bytes(kRetiredContext)));
  return MasterKey(std::move(key));
}

MasterKey MasterKey::derived(std::string_view purpose) const { return MasterKey(derive(key_, purpose)); }

SecretBytes MasterKey::mac_key(std::string_view purpose) const {
  return derive(key_, fmt::format("signet mac key 1: {}", purpose));
}

Bytes MasterKey::check_value() const {
  const SecretBytes mac = derive(key_, kCheckPurpose);
  const ByteView start = mac.view().first(kCheckSize);
  return {start.begin(), start.end()};
}

ByteView sealed_under(ByteView sealed) {
  const std::optional<Sealed> parts = parse_sealed(sealed);
  return parts ? parts->id : ByteView();
}

bool is_sealed_without_id(ByteView sealed) {
  const std::optional<Sealed> parts = parse_sealed(sealed);
  return parts && parts->id.empty();
}

Bytes sealing_context(std::initializer_list<std::string_view> fields) {
  Bytes context;
  for (const std::string_view field : fields) {
    for (const unsigned shift : {24U, 16U, 8U, 0U})
      context.push_back(static_cast<std::uint8_t>(field.size() >> shift));
    context.insert(context.end(), field.begin(), field.end());
  }
  return context;
}

}  // namespace signet::vault
