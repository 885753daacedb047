#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "certstore/vault/token_store.h"
#include "tests/support/memory_key_store.h"
#include "tests/support/memory_vault_certificate_store.h"

namespace signet::test {

/// In which tokens the keys of vaults are, in memory, beside keys and certificates.
class MemoryTokenStore final : public vault::TokenStore {
 public:
  MemoryTokenStore(MemoryKeyStore& keys, MemoryVaultCertificateStore& certificates)
      : keys_(keys), certificates_(certificates) {}

  Result<std::optional<std::string>> token(std::string_view vault) override;
  Result<> put_token(std::string_view vault, std::string_view uri) override;
  Result<std::vector<vault::KeyAtRest>> keys_at_rest(std::string_view vault) override;
  Result<> note_objects(std::string_view vault, const std::vector<Bytes>& ids, Time now) override;
  Result<std::vector<vault::NotedObject>> noted_objects(Time before) override;
  Result<> forget_objects(std::string_view vault, const std::vector<Bytes>& ids) override;

 private:
  struct Noted {
    vault::NotedObject object;
    Time time{};
  };
  MemoryKeyStore& keys_;
  MemoryVaultCertificateStore& certificates_;
  std::mutex mutex_;
  std::map<std::string, std::string> tokens_;  ///< by the vault's name in lower case
  std::vector<Noted> noted_;
};

}  // namespace signet::test
