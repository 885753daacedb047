#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "certstore/authority/application.h"
#include "certstore/authority/group.h"
#include "certstore/authority/request.h"

/// What the certificate service must keep. gateway/store implements it; nothing that passes here is secret.

namespace signet::authority {

/// A certificate that was issued; stays when its request goes.
struct IssuedCertificate {
  std::string group;
  std::string issuer_serial;
  Certificate certificate;
  std::string request;  ///< its id
  std::string application;
  Stamp issued;
  std::optional<Stamp> revoked;
  RevocationReason reason = RevocationReason::Unspecified;  ///< of one that was revoked
};

/// Where the next part of a list begins, and how much of it is wanted.
struct PageRequest {
  std::int64_t after = 0;  ///< record number: those behind it
  std::size_t size = 100;  ///< 1 to 1000
};

template <class T>
struct Page {
  std::vector<T> items;
  std::optional<std::int64_t> next;  ///< for PageRequest::after; nothing at the end
};

/// What was read of an application's requests.
struct KnownRequests {
  std::string application;
  std::int64_t last = 0;  ///< record number of the newest; 0 for none
};

/// Everything that one step changes: all of it at once or none of it, on disk when commit() returns.
///
/// Rows that were read before are written by their revision: where somebody else was faster, nothing is
/// changed. Rows of revision 0 are new.
struct Change {
  std::vector<Group> groups;
  std::vector<Application> applications;
  std::vector<Request> requests;
  std::vector<Group> relied_on_groups;  ///< still as they were read, and not changed
  std::vector<Application> relied_on_applications;
  std::optional<KnownRequests> all_requests_of;  ///< an application has none that are newer
  std::vector<Request> removed_requests;         ///< rows that go
  std::vector<Application> removed_applications;

  std::optional<IssuerVersion> new_issuer;  ///< becomes the active one of its group
  /// In place of the one before it. Its number is one more than that one's, or somebody else was faster; 1
  /// comes with its issuer.
  std::vector<PublishedCrl> crls;
  std::optional<IssuerRequest> issuer_request;          ///< in place of the group's one before
  std::optional<IssuerRequest> settled_issuer_request;  ///< goes; still there, as it was read
  std::vector<IssuedCertificate> issued;
  std::vector<IssuedCertificate> revoked;  ///< `revoked` and `reason` count
};

/// Thread-safe; several processes may share what is behind it. Names of groups are matched without regard to
/// ASCII case.
class AuthorityStore {
 public:
  virtual ~AuthorityStore() = default;

  /// @returns false where somebody else changed something that this relied on, and nothing was done: read
  ///          again, decide again.
  /// @error AlreadyExists  a new group whose name is taken.
  virtual Result<bool> commit(const Change& change) = 0;

  /// By name.
  virtual Result<std::vector<Group>> groups() = 0;
  /// @error NotFound
  virtual Result<Group> group(std::string_view name) = 0;

  /// The newest first. None, when there is no such group.
  virtual Result<std::vector<IssuerVersion>> issuers(std::string_view group) = 0;
  /// Nothing where nothing waits.
  virtual Result<std::optional<IssuerRequest>> issuer_request(std::string_view group) = 0;
  /// The current one. @error NotFound
  virtual Result<PublishedCrl> crl(std::string_view group, std::string_view issuer_serial) = 0;

  /// @error NotFound
  virtual Result<Application> application(std::string_view id) = 0;
  /// All behind a record number, by it; at most `limit`.
  virtual Result<std::vector<Application>> applications(std::int64_t after, std::size_t limit) = 0;

  /// @error NotFound
  virtual Result<Request> request(std::string_view id) = 0;
  virtual Result<Page<Request>> requests(const RequestFilter& filter, const PageRequest& page) = 0;
  static constexpr std::size_t kMostRequestsFor = 100;
  /// Those for a PKCS#10 request of that digest (Request::signing_request_sha256): the newest first, at most
  /// kMostRequestsFor.
  virtual Result<std::vector<Request>> requests_for(std::string_view application, std::string_view group,
                                                    ByteView signing_request_sha256) = 0;

  /// Nothing where this issuer never issued it.
  virtual Result<std::optional<IssuedCertificate>> issued(std::string_view group,
                                                          std::string_view issuer_serial,
                                                          std::string_view serial) = 0;
  /// By the time of their issue, from then (inclusive) to then (exclusive); of every group when that is
  /// empty.
  virtual Result<std::vector<IssuedCertificate>> issued_between(std::string_view group, Time from,
                                                                Time until) = 0;
  /// Those of one issuer that were revoked.
  virtual Result<std::vector<IssuedCertificate>> revoked(std::string_view group,
                                                         std::string_view issuer_serial) = 0;
};

}  // namespace signet::authority
