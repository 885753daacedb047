#include "gateway/delivery/webhook_signature.h"

#include <fmt/format.h>

#include "base/digest.h"

namespace signet::gateway {
namespace {

/// RFC 9421: the names of what is signed and the text that the signature is over.
class SignatureBase {
 public:
  void add(std::string_view name, std::string_view value) {
    names_ += fmt::format("{}\"{}\"", names_.empty() ? "" : " ", name);
    lines_ += fmt::format("\"{}\": {}\n", name, value);
  }
  /// The value of Signature-Input after "sig1=", and of "@signature-params".
  [[nodiscard]] std::string parameters(Time created, std::string_view key_id) const {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(created).time_since_epoch().count();
    return fmt::format("({});created={};keyid=\"{}\";alg=\"hmac-sha256\"", names_, seconds, key_id);
  }
  [[nodiscard]] std::string text(std::string_view parameters) const {
    return lines_ + fmt::format("\"@signature-params\": {}", parameters);
  }

 private:
  std::string names_;
  std::string lines_;
};

}  // namespace

void sign_post(HttpPost& post, std::initializer_list<const char*> fields, std::string_view key_id,
               const SecretBytes& secret, Time now) {
  SignatureBase base;
  base.add("@method", "POST");
  base.add("@target-uri", post.url);
  for (const char* name : fields) base.add(name, post.headers.value(name).value_or(""));
  const std::string parameters = base.parameters(now, key_id);
  const Bytes signature = hmac_sha256(secret.view(), as_bytes(base.text(parameters)));
  post.headers.add("Signature-Input", "sig1=" + parameters);
  post.headers.add("Signature", fmt::format("sig1=:{}:", base64(signature)));
}

}  // namespace signet::gateway
