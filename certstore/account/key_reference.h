#pragma once

#include <string>

namespace signet::certstore {

/// Where the key of a private certificate lies: Azure's KeyVaultKeyReference.
struct KeyReference {
  std::string key_vault;
  std::string key_name;
  std::string key_version;  ///< empty: the latest, whichever that is when the key is used

  friend bool operator==(const KeyReference&, const KeyReference&) = default;
};

/// "vault/name/version", or "vault/name" for the latest.
std::string to_string(const KeyReference& key);

}  // namespace signet::certstore
