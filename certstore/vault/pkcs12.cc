#include "certstore/vault/pkcs12.h"

#include <fmt/format.h>
#include <openssl/asn1t.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <string>

#include "certstore/vault/key_library_internal.h"
#include "certstore/vault/pkcs12_handles_internal.h"

namespace signet::vault {
namespace {

constexpr int kMaxBags = 200;
constexpr int kMaxBagDepth = 4;
/// scrypt's N * r * p: what a PBKDF2 of the largest allowed length costs, roughly.
constexpr std::int64_t kMaxScryptWork = 16 * 1024 * 1024;

using X509SigPtr = Handle<X509_SIG, X509_SIG_free>;
using PbeParamPtr = Handle<PBEPARAM, PBEPARAM_free>;
using Pbe2ParamPtr = Handle<PBE2PARAM, PBE2PARAM_free>;
using Pbkdf2ParamPtr = Handle<PBKDF2PARAM, PBKDF2PARAM_free>;
using ScryptParamsPtr = Handle<SCRYPT_PARAMS, SCRYPT_PARAMS_free>;

/// A passphrase as OpenSSL's PKCS#12 calls want it: null means "none" in another way than an empty one.
struct Passphrase {
  const char* text = nullptr;
  int length = 0;
};

Error damaged(std::string_view what) {
  return ErrorQueueMark::newest(ErrorKind::InvalidInput, fmt::format("the key file is damaged: {}", what));
}

std::int64_t number(const ASN1_INTEGER* value) {
  std::int64_t out = 0;
  return ASN1_INTEGER_get_int64(&out, value) == 1 ? out : -1;
}

template <class T>
T* unpack(const ASN1_TYPE* parameter, const ASN1_ITEM* item) {
  return parameter == nullptr ? nullptr : static_cast<T*>(ASN1_TYPE_unpack_sequence(item, parameter));
}

Result<> spend_on_scrypt(const ASN1_TYPE* parameter, KeyDerivationBudget& budget) {
  const ScryptParamsPtr scrypt(unpack<SCRYPT_PARAMS>(parameter, ASN1_ITEM_rptr(SCRYPT_PARAMS)));
  if (!scrypt) return fail(damaged("its scrypt parameters cannot be read"));
  const std::int64_t n = number(scrypt->costParameter);
  const std::int64_t r = number(scrypt->blockSize);
  const std::int64_t p = number(scrypt->parallelizationParameter);
  if (n < 1 || r < 1 || p < 1 || n > kMaxScryptWork || r > kMaxScryptWork / n || p > kMaxScryptWork / (n * r))
    return fail(
        ErrorKind::LimitExceeded,
        fmt::format(
            "the key file asks for scrypt with N={} r={} p={}, which is more than the {} steps allowed", n, r,
            p, kMaxScryptWork));
  return budget.spend(n * r * p / 2);
}

Result<> spend_on_pbes2(const ASN1_TYPE* parameter, KeyDerivationBudget& budget) {
  const Pbe2ParamPtr pbes2(unpack<PBE2PARAM>(parameter, ASN1_ITEM_rptr(PBE2PARAM)));
  if (!pbes2) return fail(damaged("its PBES2 parameters cannot be read"));
  const ASN1_TYPE* const function = pbes2->keyfunc->parameter;
  switch (OBJ_obj2nid(pbes2->keyfunc->algorithm)) {
    case NID_id_scrypt:
      return spend_on_scrypt(function, budget);
    case NID_id_pbkdf2: {
      const Pbkdf2ParamPtr pbkdf2(unpack<PBKDF2PARAM>(function, ASN1_ITEM_rptr(PBKDF2PARAM)));
      if (!pbkdf2) return fail(damaged("its PBKDF2 parameters cannot be read"));
      return budget.spend(number(pbkdf2->iter));
    }
    default:
      return fail(ErrorKind::Unsupported, "the key file uses a key derivation other than PBKDF2 and scrypt");
  }
}

/// Looks at what an encryption would cost before anything is derived.
Result<> spend_on(const X509_ALGOR* algorithm, KeyDerivationBudget& budget) {
  const int nid = OBJ_obj2nid(algorithm->algorithm);
  if (nid == NID_pbes2) return spend_on_pbes2(algorithm->parameter, budget);
  const PbeParamPtr pbe(unpack<PBEPARAM>(algorithm->parameter, ASN1_ITEM_rptr(PBEPARAM)));
  if (!pbe) return fail(damaged("its encryption parameters cannot be read"));
  // RFC 7292 appendix C: of its six, the two with 3DES are what 3.0's default provider has; RC2 and RC4 are
  // "legacy".
  if (nid != NID_pbe_WithSHA1And3_Key_TripleDES_CBC && nid != NID_pbe_WithSHA1And2_Key_TripleDES_CBC) {
    const char* const name = nid == NID_undef ? nullptr : OBJ_nid2ln(nid);
    return fail(
        ErrorKind::Unsupported,
        fmt::format(
            "the key file is encrypted with {}, which is too weak; export it again with AES-256 (openssl "
            "pkcs12 -legacy reads the old file)",
            name != nullptr ? name : "an unknown algorithm"));
  }
  return budget.spend(number(pbe->iter));
}

Error wrong_passphrase(const std::optional<SecretBytes>& passphrase) {
  return Error{ErrorKind::CryptoFailure,
               passphrase
                   ? "the passphrase does not open the key file: the one is needed that it was exported with"
                   : "the key file is encrypted: its passphrase is needed"};
}

Result<SecretBytes> to_der(const PKCS8_PRIV_KEY_INFO* key) {
  const BioPtr out(BIO_new(BIO_s_secmem()));
  if (!out || ASN1_item_i2d_bio(ASN1_ITEM_rptr(PKCS8_PRIV_KEY_INFO), out.get(), key) != 1)
    return fail(damaged("its private key cannot be read"));
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return SecretBytes::copy_of(std::string_view(data, static_cast<std::size_t>(size)));
}

class Pkcs12Reader {
 public:
  Pkcs12Reader(PKCS12* file, const std::optional<SecretBytes>& given) : file_(file), given_(given) {
    if (given_) text_ = SecretBytes::copy_of(given_->view());
  }

  Result<Pkcs12Contents> read() {
    SIGNET_CHECK(check_mac());
    const AuthSafesPtr safes(PKCS12_unpack_authsafes(file_));
    if (!safes) return fail(damaged("its parts cannot be read"));
    for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i)
      SIGNET_CHECK(read_safe(sk_PKCS7_value(safes.get(), i)));
    return std::move(contents_);
  }

 private:
  /// RFC 7292 section 4: the MAC tells whether the passphrase is right. An empty passphrase is written in two
  /// ways.
  Result<> check_mac() {
    if (PKCS12_mac_present(file_) != 1) {
      passphrase_ = as_text_or_empty();
      return {};
    }
    const ASN1_INTEGER* rounds = nullptr;
    PKCS12_get0_mac(nullptr, nullptr, nullptr, &rounds, file_);
    SIGNET_CHECK(budget_.spend(rounds == nullptr ? 1 : number(rounds)));
    if (opens_with(as_text_or_empty())) return {};
    if (text_.empty()) {
      SIGNET_CHECK(budget_.spend(rounds == nullptr ? 1 : number(rounds)));
      if (opens_with({nullptr, 0})) return {};
    }
    return fail(wrong_passphrase(given_));
  }

  bool opens_with(Passphrase candidate) {
    const ErrorQueueMark mark;
    passphrase_ = candidate;
    return PKCS12_verify_mac(file_, candidate.text, candidate.length) == 1;
  }

  [[nodiscard]] Passphrase as_text_or_empty() const {
    if (text_.empty()) return {"", 0};
    return {reinterpret_cast<const char*>(text_.view().data()), static_cast<int>(text_.size())};
  }

  Result<> read_safe(PKCS7* safe) {
    if (OBJ_obj2nid(safe->type) == NID_pkcs7_data) {
      const SafeBagsPtr bags(PKCS12_unpack_p7data(safe));
      return bags ? read_bags(bags.get(), 0) : Result<>(fail(damaged("a part cannot be read")));
    }
    if (OBJ_obj2nid(safe->type) != NID_pkcs7_encrypted || safe->d.encrypted == nullptr)
      return fail(ErrorKind::Unsupported,
                  "the key file is encrypted for a certificate; one with a passphrase is needed");
    SIGNET_CHECK(spend_on(safe->d.encrypted->enc_data->algorithm, budget_));
    const SafeBagsPtr bags(PKCS12_unpack_p7encdata(safe, passphrase_.text, passphrase_.length));
    if (!bags) return fail(wrong_passphrase(given_));
    return read_bags(bags.get(), 0);
  }

  Result<> read_bags(const STACK_OF(PKCS12_SAFEBAG) * bags, int depth) {
    if (depth == kMaxBagDepth)
      return fail(ErrorKind::LimitExceeded, "the key file nests its parts too deeply");
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); ++i) {
      if (++bags_read_ > kMaxBags)
        return fail(ErrorKind::LimitExceeded, fmt::format("the key file has more than {} parts", kMaxBags));
      SIGNET_CHECK(read_bag(sk_PKCS12_SAFEBAG_value(bags, i), depth));
    }
    return {};
  }

  Result<> read_bag(const PKCS12_SAFEBAG* bag, int depth) {
    switch (PKCS12_SAFEBAG_get_nid(bag)) {
      case NID_keyBag:
        return add_key(PKCS12_SAFEBAG_get0_p8inf(bag));
      case NID_pkcs8ShroudedKeyBag:
        return add_shrouded_key(bag);
      case NID_certBag:
        return add_certificate(bag);
      case NID_safeContentsBag:
        return read_bags(PKCS12_SAFEBAG_get0_safes(bag), depth + 1);
      default:
        return {};  // CRLs and secrets: of no interest here
    }
  }

  Result<> add_key(const PKCS8_PRIV_KEY_INFO* key) {
    SIGNET_TRY(SecretBytes der, to_der(key));
    contents_.keys.push_back(std::move(der));
    return {};
  }

  Result<> add_shrouded_key(const PKCS12_SAFEBAG* bag) {
    const X509_ALGOR* algorithm = nullptr;
    X509_SIG_get0(PKCS12_SAFEBAG_get0_pkcs8(bag), &algorithm, nullptr);
    SIGNET_CHECK(spend_on(algorithm, budget_));
    const Pkcs8Ptr key(
        PKCS12_decrypt_skey_ex(bag, passphrase_.text, passphrase_.length, key_library(), nullptr));
    if (!key) return fail(wrong_passphrase(given_));
    return add_key(key.get());
  }

  Result<> add_certificate(const PKCS12_SAFEBAG* bag) {
    if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate) return {};
    const X509Ptr certificate(PKCS12_SAFEBAG_get1_cert(bag));
    unsigned char* der = nullptr;
    const int size = certificate ? i2d_X509(certificate.get(), &der) : -1;
    const OpensslMemory owned(der);
    if (size <= 0) return fail(damaged("a certificate in it cannot be read"));
    contents_.certificates.emplace_back(der, der + size);
    return {};
  }

  PKCS12* file_;
  const std::optional<SecretBytes>& given_;
  SecretBytes text_;
  Passphrase passphrase_;
  KeyDerivationBudget budget_;
  int bags_read_ = 0;
  Pkcs12Contents contents_;
};

}  // namespace

Result<> KeyDerivationBudget::spend(std::int64_t rounds) {
  if (rounds < 1)
    return fail(ErrorKind::InvalidInput,
                "the key file asks for no, or no sensible, number of key derivation rounds");
  if (rounds > left_)
    return fail(
        ErrorKind::LimitExceeded,
        fmt::format(
            "the key file asks for {} rounds of key derivation, with {} left of the {} that a file may "
            "ask for: export it again with fewer",
            rounds, left_, kMaxKeyDerivationRounds));
  left_ -= rounds;
  return {};
}

Result<Pkcs12Contents> read_pkcs12(ByteView file, const std::optional<SecretBytes>& passphrase) {
  const ErrorQueueMark mark;
  PKCS12* parsed = PKCS12_init_ex(NID_pkcs7_data, key_library(), nullptr);
  const unsigned char* at = file.data();
  const bool read = d2i_PKCS12(&parsed, &at, static_cast<long>(file.size())) != nullptr;
  const Pkcs12Ptr owned(parsed);
  if (!read || at != file.data() + file.size())
    return fail(
        ErrorKind::InvalidInput,
        "this is neither a PKCS#12 (.pfx, .p12) file nor a PEM file with '-----BEGIN ... PRIVATE KEY-----'");
  return Pkcs12Reader(owned.get(), passphrase).read();
}

Result<SecretBytes> decrypt_pkcs8(ByteView der, const std::optional<SecretBytes>& passphrase,
                                  KeyDerivationBudget& budget) {
  const ErrorQueueMark mark;
  const unsigned char* at = der.data();
  const X509SigPtr encrypted(d2i_X509_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!encrypted) return fail(damaged("its encrypted private key cannot be read"));
  const X509_ALGOR* algorithm = nullptr;
  X509_SIG_get0(encrypted.get(), &algorithm, nullptr);
  SIGNET_CHECK(spend_on(algorithm, budget));
  if (!passphrase) return fail(wrong_passphrase(passphrase));
  const char* const text =
      passphrase->empty() ? "" : reinterpret_cast<const char*>(passphrase->view().data());
  const Pkcs8Ptr key(
      PKCS8_decrypt_ex(encrypted.get(), text, static_cast<int>(passphrase->size()), key_library(), nullptr));
  if (!key) return fail(wrong_passphrase(passphrase));
  return to_der(key.get());
}

}  // namespace signet::vault
