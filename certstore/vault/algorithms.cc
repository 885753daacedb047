#include "certstore/vault/algorithms.h"

#include <fmt/format.h>

#include "certstore/vault/word_list.h"

namespace signet::vault {
namespace {

using enum SignatureAlgorithm;
constexpr std::array<Word<SignatureAlgorithm>, 9> kSignatures{{{RS256, "RS256"},
                                                               {RS384, "RS384"},
                                                               {RS512, "RS512"},
                                                               {PS256, "PS256"},
                                                               {PS384, "PS384"},
                                                               {PS512, "PS512"},
                                                               {ES256, "ES256"},
                                                               {ES384, "ES384"},
                                                               {ES512, "ES512"}}};

constexpr std::array<std::string_view, 4> kEncryptionNames{"RSA1_5", "RSA-OAEP", "RSA-OAEP-256",
                                                           "RSA-OAEP-512"};
constexpr std::array<EncryptionAlgorithm, 4> kEncryptions{kRsa15, kRsaOaep, kRsaOaep256, kRsaOaep512};

}  // namespace

std::string_view to_string(SignatureAlgorithm algorithm) { return word_of(kSignatures, algorithm); }

Result<SignatureAlgorithm> parse_signature_algorithm(std::string_view text) {
  return find_word(kSignatures, text, "signature algorithm");
}

Hash hash_of(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case RS256:
    case PS256:
    case ES256:
      return Hash::Sha256;
    case RS384:
    case PS384:
    case ES384:
      return Hash::Sha384;
    case RS512:
    case PS512:
    case ES512:
      return Hash::Sha512;
  }
  return Hash::Sha256;
}

std::string to_string(const EncryptionAlgorithm& algorithm) {
  for (std::size_t i = 0; i < kEncryptions.size(); ++i)
    if (kEncryptions[i] == algorithm) return std::string(kEncryptionNames[i]);
  return fmt::format("RSA-OAEP with {} and MGF1 {}", to_string(algorithm.hash),
                     to_string(algorithm.mgf1_hash));
}

Result<EncryptionAlgorithm> parse_encryption_algorithm(std::string_view text) {
  for (std::size_t i = 0; i < kEncryptions.size(); ++i)
    if (equal_ignoring_case(kEncryptionNames[i], text)) return kEncryptions[i];
  return fail(
      ErrorKind::Unsupported,
      fmt::format("'{}' is no encryption algorithm of the vault; there are: RSA1_5, RSA-OAEP, RSA-OAEP-256, "
                  "RSA-OAEP-512",
                  printable(text)));
}

}  // namespace signet::vault
