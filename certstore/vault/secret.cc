#include "certstore/vault/secret.h"

#include <fmt/format.h>

namespace signet::vault {

Result<> check_secret_id(const SecretId& id) { return check_object_id(id, "secret"); }

Result<> check_enabled(const SecretInfo& info) {
  if (info.settings.attributes.enabled) return {};
  return fail(ErrorKind::Disabled,
              fmt::format("secret '{}' is not given out: it is disabled; enable it, or set a new version",
                          to_string(info.id)));
}

Result<> check_usable(const SecretInfo& info, Time now) {
  SIGNET_CHECK(check_enabled(info));
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorKind::PermissionDenied,
                fmt::format("secret '{}' may not be used: {}", to_string(info.id), why));
  };
  const SecretAttributes& attributes = info.settings.attributes;
  if (attributes.not_before && now < *attributes.not_before)
    return refuse("it is not valid before " + to_rfc3339(*attributes.not_before));
  if (attributes.expires && now >= *attributes.expires)
    return refuse(fmt::format("it expired at {}; set a new version", to_rfc3339(*attributes.expires)));
  return {};
}

}  // namespace signet::vault
