#include "certstore/vault/secret.h"

namespace signet::vault {

Result<> check_secret_id(const SecretId& id) { return check_object_id(id, "secret"); }

}  // namespace signet::vault
