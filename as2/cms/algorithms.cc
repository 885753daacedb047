#include "as2/cms/algorithms.h"

#include <array>
#include <string_view>

namespace signet::as2::cms {
namespace {

struct CipherFacts {
  ContentCipher cipher;
  std::string_view name;
  std::size_t key_size;
  bool authenticated;
};

constexpr std::array<CipherFacts, 7> kCiphers = {{
    {ContentCipher::Aes128Cbc, "AES-128-CBC", 16, false},
    {ContentCipher::Aes192Cbc, "AES-192-CBC", 24, false},
    {ContentCipher::Aes256Cbc, "AES-256-CBC", 32, false},
    {ContentCipher::Aes128Gcm, "AES-128-GCM", 16, true},
    {ContentCipher::Aes192Gcm, "AES-192-GCM", 24, true},
    {ContentCipher::Aes256Gcm, "AES-256-GCM", 32, true},
    {ContentCipher::Des3Cbc, "3DES-CBC", 24, false},
}};

const CipherFacts& facts(ContentCipher cipher) { return kCiphers[static_cast<std::size_t>(cipher)]; }

}  // namespace

std::string_view to_string(ContentCipher cipher) { return facts(cipher).name; }
bool is_authenticated(ContentCipher cipher) { return facts(cipher).authenticated; }
std::size_t key_size(ContentCipher cipher) { return facts(cipher).key_size; }

std::string_view to_string(KeyTransport transport) {
  switch (transport) {
    case KeyTransport::Rsa15:
      return "RSA PKCS#1 v1.5";
    case KeyTransport::OaepSha1:
      return "RSAES-OAEP SHA-1";
    case KeyTransport::OaepSha256:
      return "RSAES-OAEP SHA-256";
    case KeyTransport::OaepSha384:
      return "RSAES-OAEP SHA-384";
    case KeyTransport::OaepSha512:
      return "RSAES-OAEP SHA-512";
  }
  return "unknown";
}

std::string_view to_string(SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::RsaPkcs1:
      return "RSASSA-PKCS1-v1_5";
    case SignatureScheme::RsaPss:
      return "RSASSA-PSS";
    case SignatureScheme::Ecdsa:
      return "ECDSA";
  }
  return "unknown";
}

}  // namespace signet::as2::cms
