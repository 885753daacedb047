#pragma once

#include <functional>
#include <string>
#include <vector>

#include "certstore/x509/certificate.h"
#include "gateway/endpoint/allowed_urls.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/revocation/revocation_store.h"

/// The way of a revocation list into the store, wherever it comes from.

namespace signet::gateway {

/// What was taken in.
struct Intake {
  StoredRevocationList list;
  RevocationStore::Change change = RevocationStore::Change::Taken;
};

/// Takes a list in that is by one of the authorities, in its time, and no older than the one in the store.
///
/// @param octets    of a stranger's: DER or PEM
/// @param source    the URL that they came from; empty: an operator gave them
/// @param subjects  one of which it has to be for; none: it is taken for whatever it is for
/// @error InvalidInput, Unsupported, LimitExceeded  as Crl::parse().  @error CryptoFailure  by none of them.
/// @error InvalidInput  its time is over, or has not come, or it is for none of the subjects.
/// @error AlreadyExists, LimitExceeded  as RevocationStore::put().
Result<Intake> take_list(ByteView octets, const std::string& source,
                         const std::vector<certstore::Certificate>& authorities,
                         const std::vector<certstore::Certificate>& subjects, RevocationStore& store,
                         Time now);

/// What fetching goes by.
struct FetchPorts {
  std::function<Result<HttpAnswer>(const HttpGet&)> get;
  RevocationStore& store;
  const Clock& clock;
};

/// Asks the URLs that are allowed one after the other, until one has a list of the issuer for one of the
/// subjects that is taken: whoever has the server could fill the store with others. No redirect is followed,
/// nothing else is connected to than addresses that are allowed, and an answer is bounded in size and time.
///
/// @error PermissionDenied  none of the URLs is allowed.  @error NotFound  there are none.
/// @error ...  what was wrong with the last one that was asked.
Result<Intake> fetch_list(const FetchPorts& ports, const AllowedUrls& allowed,
                          const std::vector<std::string>& urls, const certstore::Certificate& issuer,
                          const std::vector<certstore::Certificate>& subjects);

}  // namespace signet::gateway
