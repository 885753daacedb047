#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/api/principal.h"
#include "gateway/store/database.h"

namespace signet::gateway {

/// Principals and tokens as rows.
class SqlitePrincipalStore final : public api::PrincipalStore {
 public:
  explicit SqlitePrincipalStore(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  Result<> add(const api::Principal& principal) override;
  Result<api::Principal> find(std::string_view name) override;
  Result<std::vector<api::Principal>> list() override;
  Result<> update(const api::Principal& principal) override;
  Result<> remove(std::string_view name) override;

  Result<> add_token(const api::StoredToken& token) override;
  Result<std::vector<api::TokenInfo>> tokens(std::string_view principal) override;
  Result<> remove_token(std::string_view id) override;
  Result<std::optional<TokenHolder>> holder_of(ByteView sha256) override;

  Result<> add_certificate(const api::ManagementCertificate& certificate) override;
  Result<std::vector<api::ManagementCertificate>> certificates(std::string_view principal) override;
  Result<> remove_certificate(std::string_view thumbprint) override;
  Result<std::optional<api::Principal>> holder_of_certificate(std::string_view thumbprint) override;

  Result<std::optional<api::Principal>> holder_of_jwt_subject(std::string_view subject) override;
  Result<api::Installation> installation() override;

 private:
  const std::shared_ptr<Database> database_;
};

}  // namespace signet::gateway
