#include <fmt/format.h>
#include <openssl/core_names.h>

#include <array>
#include <cstring>
#include <vector>

#include "base/openssl_keys.h"
#include "base/random.h"
#include "certstore/vault/key_library_internal.h"
#include "certstore/vault/token_key_internal.h"

/// How keys come into a token, are found there again and go.

namespace signet::vault {
namespace {

using OctetStringPtr = Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;

/// A template under construction. What is put into it must outlive it.
class Template {
 public:
  Template& put(CK_ATTRIBUTE_TYPE type, const CK_ULONG& number) { return put(type, &number, sizeof number); }
  Template& put(CK_ATTRIBUTE_TYPE type, bool flag) {
    static const CK_BBOOL yes = CK_TRUE;
    static const CK_BBOOL no = CK_FALSE;
    return put(type, flag ? &yes : &no, sizeof yes);
  }
  Template& put(CK_ATTRIBUTE_TYPE type, ByteView octets) { return put(type, octets.data(), octets.size()); }
  Template& put(CK_ATTRIBUTE_TYPE type, const std::string& text) {
    return put(type, text.data(), text.size());
  }
  CK_ATTRIBUTE* data() { return attributes_.data(); }
  [[nodiscard]] CK_ULONG size() const { return attributes_.size(); }

 private:
  Template& put(CK_ATTRIBUTE_TYPE type, const void* value, std::size_t size) {
    attributes_.push_back({type, const_cast<void*>(value), size});  // the standard's type; nobody writes
    return *this;
  }
  std::vector<CK_ATTRIBUTE> attributes_;
};

const CK_OBJECT_CLASS kPrivateKey = CKO_PRIVATE_KEY;
const CK_KEY_TYPE kRsa = CKK_RSA;
const CK_KEY_TYPE kEc = CKK_EC;

/// What every private key of ours is: it stays, is used by the logged-in user alone, and comes out in no
/// form. What it may be used for the vault says, and may say otherwise tomorrow.
Template private_template(KeyKind kind, const TokenKey::Name& name) {
  Template made;
  made.put(CKA_CLASS, kPrivateKey)
      .put(CKA_KEY_TYPE, is_rsa(kind) ? kRsa : kEc)
      .put(CKA_TOKEN, true)
      .put(CKA_PRIVATE, true)
      .put(CKA_SENSITIVE, true)
      .put(CKA_EXTRACTABLE, false)
      .put(CKA_ID, ByteView(name.id))
      .put(CKA_LABEL, name.label)
      .put(CKA_SIGN, true);
  return is_rsa(kind) ? made.put(CKA_DECRYPT, true) : made.put(CKA_DERIVE, true);
}

/// The curve's object identifier, DER (CKA_EC_PARAMS).
ByteView curve_of(KeyKind kind) {
  static constexpr std::array<std::uint8_t, 10> kP256{0x06, 0x08, 0x2a, 0x86, 0x48,
                                                      0xce, 0x3d, 0x03, 0x01, 0x07};
  static constexpr std::array<std::uint8_t, 7> kP384{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
  static constexpr std::array<std::uint8_t, 7> kP521{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};
  if (kind == KeyKind::EcP256) return kP256;
  return kind == KeyKind::EcP384 ? ByteView(kP384) : ByteView(kP521);
}

bool is_not_offered(CK_RV value) {
  switch (value) {
    case CKR_ATTRIBUTE_TYPE_INVALID:
    case CKR_ATTRIBUTE_VALUE_INVALID:
    case CKR_CURVE_NOT_SUPPORTED:
    case CKR_DOMAIN_PARAMS_INVALID:
    case CKR_FUNCTION_NOT_SUPPORTED:
    case CKR_KEY_SIZE_RANGE:
    case CKR_MECHANISM_INVALID:
    case CKR_MECHANISM_PARAM_INVALID:
    case CKR_TEMPLATE_INCOMPLETE:
    case CKR_TEMPLATE_INCONSISTENT:
      return true;
    default:
      return false;
  }
}

Result<> check_made(TokenSession& session, std::string_view function, KeyKind kind, CK_RV value) {
  if (!is_not_offered(value)) return session.check(function, value);
  return fail(ErrorKind::Unsupported, fmt::format("the token does not hold keys of kind {}: {}",
                                                  to_string(kind), session.error(function, value).detail));
}

Result<Bytes> read_attribute(TokenSession& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  CK_ATTRIBUTE attribute{type, nullptr, 0};
  SIGNET_CHECK(session.check("C_GetAttributeValue",
                             session->C_GetAttributeValue(session.handle(), object, &attribute, 1)));
  constexpr CK_ULONG kLongestAttribute = 4096;
  if (attribute.ulValueLen > kLongestAttribute)  // also: there is none
    return fail(session.error("C_GetAttributeValue", CKR_ATTRIBUTE_TYPE_INVALID));
  Bytes value(attribute.ulValueLen);
  attribute.pValue = value.data();
  SIGNET_CHECK(session.check("C_GetAttributeValue",
                             session->C_GetAttributeValue(session.handle(), object, &attribute, 1)));
  value.resize(attribute.ulValueLen);
  return value;
}

/// A point as the standard has it, an OCTET STRING; or bare, as some tokens give it.
Bytes bare_point(const Bytes& given, KeyKind kind) {
  if (given.size() == 1 + 2 * coordinate_size(kind)) return given;
  const unsigned char* at = given.data();
  const OctetStringPtr string(d2i_ASN1_OCTET_STRING(nullptr, &at, static_cast<long>(given.size())));
  if (!string) return {};
  const unsigned char* const octets = ASN1_STRING_get0_data(string.get());
  return Bytes(octets, octets + ASN1_STRING_length(string.get()));
}

Result<EvpPkeyPtr> read_public_half(TokenSession& session, CK_OBJECT_HANDLE object, KeyKind kind) {
  if (is_rsa(kind)) {
    SIGNET_TRY(const Bytes modulus, read_attribute(session, object, CKA_MODULUS));
    SIGNET_TRY(const Bytes exponent, read_attribute(session, object, CKA_PUBLIC_EXPONENT));
    auto key = rsa_public_key(key_library(), modulus, exponent);
    if (!key) return fail(ErrorKind::Unavailable, "the token made an RSA key that is none");
    return key;
  }
  SIGNET_TRY(const Bytes point, read_attribute(session, object, CKA_EC_POINT));
  auto key = ec_public_key(group_of(kind), bare_point(point, kind));
  if (!key) return fail(ErrorKind::Unavailable, "the token made an EC key that is none");
  return key;
}

/// The numbers of a private key, each in the secure heap.
Result<SecretBytes> number_of(const EVP_PKEY* key, const char* name, std::size_t size = 0) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1)
    return fail(ErrorQueueMark::newest(ErrorKind::InvalidInput,
                                       fmt::format("the private key lacks the number '{}'", name)));
  const Handle<BIGNUM, BN_clear_free> owned(number);
  SecretBytes octets(size != 0 ? size : static_cast<std::size_t>(BN_num_bytes(number)));
  if (BN_bn2binpad(number, octets.writable().data(), static_cast<int>(octets.size())) < 0)
    return fail(ErrorKind::InvalidInput, "the private key has a number that is too large");
  return octets;
}

Result<EvpPkeyPtr> read_public_key(const Bytes& der) {
  const unsigned char* at = der.data();
  EvpPkeyPtr key(d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(der.size()), key_library(), nullptr));
  if (!key) return fail(ErrorQueueMark::newest(ErrorKind::InvalidInput, "reading the public half of a key"));
  return key;
}

struct Number {
  CK_ATTRIBUTE_TYPE type;
  const char* name;
};
constexpr std::array<Number, 8> kRsaNumbers{{{CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N},
                                             {CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E},
                                             {CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D},
                                             {CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1},
                                             {CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2},
                                             {CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1},
                                             {CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2},
                                             {CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1}}};

Result<> put_numbers(const SoftwareKey& key, Template& made, std::vector<SecretBytes>& numbers) {
  if (!is_rsa(key.kind())) {
    SIGNET_TRY(SecretBytes secret,
               number_of(key.native(), OSSL_PKEY_PARAM_PRIV_KEY, coordinate_size(key.kind())));
    numbers.push_back(std::move(secret));
    made.put(CKA_EC_PARAMS, curve_of(key.kind())).put(CKA_VALUE, numbers.back().view());
    return {};
  }
  numbers.reserve(kRsaNumbers.size());
  for (const Number& number : kRsaNumbers) {
    SIGNET_TRY(SecretBytes octets, number_of(key.native(), number.name));
    numbers.push_back(std::move(octets));
    made.put(number.type, numbers.back().view());
  }
  return {};
}

/// The private keys with this name in the token; without one, some of all there are.
Result<std::vector<CK_OBJECT_HANDLE>> find_objects(TokenSession& session, const Bytes& id) {
  Template wanted;
  wanted.put(CKA_CLASS, kPrivateKey);
  if (!id.empty()) wanted.put(CKA_ID, ByteView(id));
  SIGNET_CHECK(session.check("C_FindObjectsInit",
                             session->C_FindObjectsInit(session.handle(), wanted.data(), wanted.size())));
  std::vector<CK_OBJECT_HANDLE> objects(16);
  CK_ULONG count = 0;
  const CK_RV found = session->C_FindObjects(session.handle(), objects.data(), objects.size(), &count);
  const CK_RV ended = session->C_FindObjectsFinal(session.handle());
  SIGNET_CHECK(session.check("C_FindObjects", found));
  SIGNET_CHECK(session.check("C_FindObjectsFinal", ended));
  objects.resize(count);
  return objects;
}

}  // namespace

Result<CK_OBJECT_HANDLE> TokenObject::find(TokenSession& session) const {
  {
    const std::lock_guard lock(mutex_);
    if (connection_ == session.connection()) return handle_;
  }
  SIGNET_TRY(const std::vector<CK_OBJECT_HANDLE> objects, find_objects(session, id_));
  if (objects.empty()) SIGNET_CHECK(session.check_alive());  // some see no objects where there is no token
  if (objects.size() != 1)
    return fail(ErrorKind::Unavailable,
                fmt::format("token '{}' has {} private keys with the CKA_ID {}, where there should be one: "
                            "put the key back from the token's own backup",
                            token_->uri().name(), objects.size(), hex_lower(id_)));
  const std::lock_guard lock(mutex_);
  handle_ = objects.front();
  connection_ = session.connection();
  return handle_;
}

Result<std::unique_ptr<TokenKey>> TokenKey::of(std::shared_ptr<Token> token, EvpPkeyPtr public_half,
                                               Bytes id) {
  SIGNET_TRY(const KeyKind kind, kind_of(public_half.get()));
  SIGNET_TRY(Bytes public_key, encode_public_key(public_half.get()));
  auto object = std::make_shared<const TokenObject>(std::move(token), std::move(id), kind);
  return std::unique_ptr<TokenKey>(
      new TokenKey(std::move(public_half), kind, std::move(public_key), std::move(object)));
}

Result<std::unique_ptr<TokenKey>> TokenKey::generate(std::shared_ptr<Token> token, KeyKind kind,
                                                     const Name& name) {
  static constexpr std::array<std::uint8_t, 3> kExponent{0x01, 0x00, 0x01};
  const ErrorQueueMark mark;
  const CK_ULONG bits = 8 * modulus_size(kind);
  Template public_half;
  public_half.put(CKA_TOKEN, false).put(CKA_VERIFY, true);
  if (is_rsa(kind))
    public_half.put(CKA_ENCRYPT, true).put(CKA_MODULUS_BITS, bits).put(CKA_PUBLIC_EXPONENT, kExponent);
  else
    public_half.put(CKA_EC_PARAMS, curve_of(kind));
  Template private_half = private_template(kind, name);
  CK_MECHANISM mechanism{is_rsa(kind) ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  SIGNET_TRY(EvpPkeyPtr made, token->use_once([&](TokenSession& session) -> Result<EvpPkeyPtr> {
    CK_OBJECT_HANDLE ours = CK_INVALID_HANDLE;
    CK_OBJECT_HANDLE theirs = CK_INVALID_HANDLE;
    SIGNET_CHECK(check_made(
        session, "C_GenerateKeyPair", kind,
        session->C_GenerateKeyPair(session.handle(), &mechanism, public_half.data(), public_half.size(),
                                   private_half.data(), private_half.size(), &theirs, &ours)));
    auto read = read_public_half(session, theirs, kind);
    session->C_DestroyObject(session.handle(), theirs);  // it was the session's, and is a row's from now on
    return read;
  }));
  return of(std::move(token), std::move(made), name.id);
}

Result<std::unique_ptr<TokenKey>> TokenKey::import(std::shared_ptr<Token> token, ByteView pkcs8,
                                                   const Name& name) {
  const ErrorQueueMark mark;
  SIGNET_TRY(const std::unique_ptr<SoftwareKey> key, SoftwareKey::from_pkcs8(pkcs8));
  Template made = private_template(key->kind(), name);
  std::vector<SecretBytes> numbers;
  SIGNET_CHECK(put_numbers(*key, made, numbers));
  SIGNET_CHECK(token->use_once([&](TokenSession& session) -> Result<> {
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    return check_made(session, "C_CreateObject", key->kind(),
                      session->C_CreateObject(session.handle(), made.data(), made.size(), &object));
  }));
  SIGNET_TRY(EvpPkeyPtr public_half, read_public_key(key->public_key()));
  return of(std::move(token), std::move(public_half), name.id);
}

Result<std::unique_ptr<TokenKey>> TokenKey::open(std::shared_ptr<Token> token, ByteView at_rest,
                                                 const Bytes& public_key) {
  const ErrorQueueMark mark;
  SIGNET_TRY(Bytes id, object_of(at_rest));
  SIGNET_TRY(EvpPkeyPtr public_half, read_public_key(public_key));
  return of(std::move(token), std::move(public_half), std::move(id));
}

Result<> TokenKey::destroy(Token& token, const Bytes& id) {
  bool is_sure = false;
  return token.use([&](TokenSession& session) -> Result<> {
    SIGNET_TRY(const std::vector<CK_OBJECT_HANDLE> objects, find_objects(session, id));
    if (objects.empty() && !std::exchange(is_sure, true)) {
      // Some see no objects where the token was away for a moment. Who sees others would see this one.
      SIGNET_TRY(const std::vector<CK_OBJECT_HANDLE> others, find_objects(session, {}));
      if (others.empty()) return fail(session.lose());
    }
    for (const CK_OBJECT_HANDLE object : objects)
      SIGNET_CHECK(session.check("C_DestroyObject", session->C_DestroyObject(session.handle(), object)));
    return {};
  });
}

Result<Bytes> TokenKey::object_of(ByteView at_rest) {
  const UriPtr uri(p11_kit_uri_new());
  if (!uri) throw std::bad_alloc();
  const std::string text(as_text(at_rest));
  if (p11_kit_uri_parse(text.c_str(), P11_KIT_URI_FOR_OBJECT, uri.get()) == P11_KIT_URI_OK)
    if (const CK_ATTRIBUTE* const id = p11_kit_uri_get_attribute(uri.get(), CKA_ID);
        id != nullptr && id->ulValueLen > 0) {
      const auto* const octets = static_cast<const std::uint8_t*>(id->pValue);
      return Bytes(octets, octets + id->ulValueLen);
    }
  return fail(ErrorKind::InvalidInput, "what is sealed does not name an object of a token");
}

Result<SecretBytes> TokenKey::at_rest() const {
  const UriPtr uri(p11_kit_uri_new());
  Bytes id = object_->id();
  CK_ATTRIBUTE name{CKA_ID, id.data(), id.size()};
  CK_OBJECT_CLASS type = CKO_PRIVATE_KEY;
  CK_ATTRIBUTE what{CKA_CLASS, &type, sizeof type};
  char* text = nullptr;
  if (!uri || p11_kit_uri_set_attribute(uri.get(), &name) != P11_KIT_URI_OK ||
      p11_kit_uri_set_attribute(uri.get(), &what) != P11_KIT_URI_OK ||
      p11_kit_uri_format(uri.get(), P11_KIT_URI_FOR_OBJECT, &text) != P11_KIT_URI_OK)
    throw std::bad_alloc();
  const Handle<char, free_text> owned(text);
  return SecretBytes::copy_of(std::string_view(text));
}

Result<SecretBytes> TokenKey::to_pkcs8() const {
  return fail(ErrorKind::Unsupported, fmt::format("the key is in token '{}', which gives it to nobody",
                                                  object_->token().uri().name()));
}

Result<certstore::KeyHandle> TokenKey::handle() const {
  SIGNET_CHECK(prove());
  return make_handle(object_, public_key());
}

Result<> TokenKey::prove() const {
  const std::lock_guard lock(mutex_);
  if (is_proved_) return {};
  const SignatureAlgorithm algorithm = is_rsa(kind()) ? SignatureAlgorithm::RS256 : SignatureAlgorithm::ES256;
  const Bytes challenge = random_bytes(digest_size(hash_of(algorithm)));
  SIGNET_TRY(const Bytes signature, object_->sign(algorithm, challenge));
  SIGNET_TRY(is_proved_, verify(algorithm, challenge, signature));
  if (is_proved_) return {};
  return fail(
      ErrorKind::Unavailable,
      fmt::format("token '{}': the key with the CKA_ID {} is stored with a public key that is not its own: "
                  "put it back from the token's own backup, or restore the store",
                  object_->token().uri().name(), hex_lower(object_->id())));
}

Result<Bytes> TokenKey::sign(SignatureAlgorithm algorithm, ByteView digest) const {
  const ErrorQueueMark mark;
  SIGNET_CHECK(check_fits(kind(), algorithm, digest));
  SIGNET_CHECK(prove());
  return object_->sign(algorithm, digest);
}

Result<SecretBytes> TokenKey::decrypt(const EncryptionAlgorithm& algorithm, ByteView ciphertext) const {
  const ErrorQueueMark mark;
  if (!is_rsa(kind()))
    return fail(ErrorKind::InvalidInput,
                fmt::format("this operation does not go with a key of kind {}", to_string(kind())));
  SIGNET_CHECK(prove());
  return object_->decrypt(algorithm, ciphertext);
}

Result<SecretBytes> TokenKey::derive(ByteView peer_point) const {
  const ErrorQueueMark mark;
  if (is_rsa(kind()))
    return fail(ErrorKind::InvalidInput, "key agreement needs an EC key, and this is an RSA key");
  SIGNET_CHECK(ec_public_key(group_of(kind()), peer_point));
  SIGNET_CHECK(prove());
  return object_->derive(peer_point);
}

}  // namespace signet::vault
