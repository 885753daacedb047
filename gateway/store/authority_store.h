#pragma once

#include <memory>
#include <utility>

#include "certstore/authority/authority_store.h"
#include "gateway/store/database.h"

namespace signet::gateway {

/// The certificate service's groups, applications, requests and certificates as rows.
class SqliteAuthorityStore final : public authority::AuthorityStore {
 public:
  explicit SqliteAuthorityStore(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  Result<bool> commit(const authority::Change& change) override;
  Result<std::vector<authority::Group>> groups() override;
  Result<authority::Group> group(std::string_view name) override;
  Result<std::vector<authority::IssuerVersion>> issuers(std::string_view group) override;
  Result<std::optional<authority::IssuerRequest>> issuer_request(std::string_view group) override;
  Result<authority::PublishedCrl> crl(std::string_view group, std::string_view issuer_serial) override;
  Result<authority::Application> application(std::string_view id) override;
  Result<std::vector<authority::Application>> applications(std::int64_t after, std::size_t limit) override;
  Result<authority::Request> request(std::string_view id) override;
  Result<authority::Page<authority::Request>> requests(const authority::RequestFilter& filter,
                                                       const authority::PageRequest& page) override;
  Result<std::vector<authority::Request>> requests_for(std::string_view application, std::string_view group,
                                                       ByteView signing_request_sha256) override;
  Result<std::optional<authority::IssuedCertificate>> issued(std::string_view group,
                                                             std::string_view issuer_serial,
                                                             std::string_view serial) override;
  Result<std::vector<authority::IssuedCertificate>> issued_between(std::string_view group, Time from,
                                                                   Time until) override;
  Result<std::vector<authority::IssuedCertificate>> revoked(std::string_view group,
                                                            std::string_view issuer_serial) override;

 private:
  const std::shared_ptr<Database> database_;
};

}  // namespace signet::gateway
