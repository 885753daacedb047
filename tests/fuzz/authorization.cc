#include "gateway/exchange/sender_proof.h"
#include "tests/fuzz/fuzz_target.h"

/// The Authorization field of a request: nothing but the agreed name and password opens, and no refusal says
/// anything of what came.

using namespace signet;
using namespace signet::gateway;
using fuzz::require;

namespace {

const std::string_view kRight = "Aladdin:open sesame";  // RFC 7617's own example

const AccountSnapshot& account() {
  static const auto snapshot =
      AccountSnapshot::build(
          {}, [](const auto&, const auto&) -> Result<certstore::KeyHandle> { return certstore::KeyHandle(); },
          [](const auto&, const auto&) -> Result<SecretBytes> { return SecretBytes::copy_of("open sesame"); })
          .value();
  return *snapshot;
}

/// @returns why the field does not open, or nothing when it does
std::optional<Unproven> judge(const std::string& value) {
  agreements::OneWayAgreement agreed;
  agreed.required_basic_authentication = {"Aladdin", "vault", "secret"};
  auto verdict = check_sender({std::nullopt, value}, agreed, account(), Time());
  require(verdict.has_value(), "whatever comes is judged");
  return *std::move(verdict);
}

}  // namespace

SIGNET_FUZZ_TARGET(authorization) {
  static const std::string another_scheme = judge("Bearer mF_9.B5f-4.1JqM").value().reason;
  static const std::string wrong_password = judge("Basic QWxhZGRpbjpzZXNhbWU=").value().reason;
  const std::string value(as_text(input));
  const auto refusal = judge(value);
  if (!refusal) {
    const std::string_view given(value);
    require(given.size() > 6 && equal_ignoring_case(given.substr(0, 6), "Basic "), "only Basic opens");
    const auto decoded = parse_base64(given.substr(6));
    require(decoded && as_text(*decoded) == kRight, "only the agreed name and password open");
    return;
  }
  require(refusal->http_status == 401, "a refusal asks for HTTP Basic");
  require(refusal->reason == another_scheme || refusal->reason == wrong_password,
          "a refusal says nothing of what came");
}
