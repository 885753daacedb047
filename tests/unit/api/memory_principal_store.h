#pragma once

#include <algorithm>

#include "gateway/api/principal.h"

namespace signet::gateway::api {

/// Principals and tokens in memory, for one thread.
class MemoryPrincipalStore final : public PrincipalStore {
 public:
  Result<> add(const Principal& principal) override {
    if (at(principal.name) != principals_.end()) return fail(ErrorKind::AlreadyExists, "it is there");
    principals_.push_back(principal);
    return {};
  }
  Result<Principal> find(std::string_view name) override {
    const auto found = at(name);
    if (found == principals_.end()) return fail(ErrorKind::NotFound, "it is not there");
    return *found;
  }
  Result<std::vector<Principal>> list() override { return principals_; }
  Result<> update(const Principal& principal) override {
    const auto found = at(principal.name);
    if (found == principals_.end()) return fail(ErrorKind::NotFound, "it is not there");
    *found = principal;
    return {};
  }
  Result<> remove(std::string_view name) override {
    std::erase_if(tokens_, [&](const StoredToken& token) { return token.info.principal == name; });
    if (std::erase_if(principals_, [&](const Principal& known) { return known.name == name; }) == 0)
      return fail(ErrorKind::NotFound, "it is not there");
    return {};
  }
  Result<> add_token(const StoredToken& token) override {
    tokens_.push_back(token);
    return {};
  }
  Result<std::vector<TokenInfo>> tokens(std::string_view principal) override {
    std::vector<TokenInfo> infos;
    for (const StoredToken& token : tokens_)
      if (principal.empty() || token.info.principal == principal) infos.push_back(token.info);
    return infos;
  }
  Result<> remove_token(std::string_view id) override {
    if (std::erase_if(tokens_, [&](const StoredToken& token) { return token.info.id == id; }) == 0)
      return fail(ErrorKind::NotFound, "it is not there");
    return {};
  }
  Result<std::optional<TokenHolder>> holder_of(ByteView sha256) override {
    for (const StoredToken& token : tokens_)
      if (std::ranges::equal(token.sha256, sha256))
        return TokenHolder{*at(token.info.principal), token.info.expires};
    return std::nullopt;
  }
  Result<> add_certificate(const ManagementCertificate& certificate) override {
    certificates_.push_back(certificate);
    return {};
  }
  Result<std::vector<ManagementCertificate>> certificates(std::string_view principal) override {
    std::vector<ManagementCertificate> found;
    for (const ManagementCertificate& certificate : certificates_)
      if (principal.empty() || certificate.principal == principal) found.push_back(certificate);
    return found;
  }
  Result<> remove_certificate(std::string_view thumbprint) override {
    if (std::erase_if(certificates_, [&](const auto& known) { return known.thumbprint == thumbprint; }) == 0)
      return fail(ErrorKind::NotFound, "it is not there");
    return {};
  }
  Result<std::optional<Principal>> holder_of_certificate(std::string_view thumbprint) override {
    for (const ManagementCertificate& certificate : certificates_)
      if (certificate.thumbprint == thumbprint) return *at(certificate.principal);
    return std::nullopt;
  }
  Result<std::optional<Principal>> holder_of_jwt_subject(std::string_view subject) override {
    for (const Principal& known : principals_)
      if (known.jwt_subject == subject) return known;
    return std::nullopt;
  }
  Result<Installation> installation() override { return Installation{"tenant", "subscription"}; }

 private:
  std::vector<Principal>::iterator at(std::string_view name) {
    return std::find_if(principals_.begin(), principals_.end(),
                        [&](const Principal& known) { return equal_ignoring_case(known.name, name); });
  }
  std::vector<Principal> principals_;
  std::vector<StoredToken> tokens_;
  std::vector<ManagementCertificate> certificates_;
};

}  // namespace signet::gateway::api
