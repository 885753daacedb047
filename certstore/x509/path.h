#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "certstore/x509/certificate.h"
#include "certstore/x509/crl.h"

/// Whether a certificate is to be trusted: a path of certificates from it to one that is, by RFC 5280
/// section 6. Everything that counts is given; nothing is fetched, and no clock is asked.

namespace signet::certstore {

/// Which certificates of a path a revocation list is needed for. A trust anchor is trusted by decision, and
/// asked about by nobody.
enum class RevocationCheck { None, HolderAlone, WholePath };

/// What the holder's certificate is to be good for, by its key usage and extended key usage.
enum class PathPurpose { Any, TlsServer, TlsClient, MailSigning, MailEncryption };

/// Certificate policies (RFC 5280 section 6.1.1 (c) and (e) to (g)).
struct PolicyDemands {
  std::vector<std::string> acceptable;  ///< object identifiers; empty is any
  bool require_explicit = false;        ///< every certificate of the path must have one that is acceptable
  bool inhibit_mapping = false;         ///< one authority's policies do not stand for another's
  bool inhibit_any = false;             ///< anyPolicy does not stand for others
};

struct PathQuestion {
  std::vector<Certificate> anchors;        ///< trusted, whether or not they signed themselves
  std::vector<Certificate> intermediates;  ///< known, not trusted; at most 100
  std::vector<Crl> lists;                  ///< known, not yet believed; at most 100
  Time time{};                             ///< at which everything has to be valid
  RevocationCheck revocation = RevocationCheck::WholePath;
  PathPurpose purpose = PathPurpose::Any;
  PolicyDemands policies;
};

/// What a path fails by. The words beside it say more.
enum class PathProblem {
  None,               ///< trusted
  NoAnchor,           ///< no path leads to a trusted certificate
  Signature,          ///< a certificate is not signed by the one that it names
  NotYetValid,        ///< of a certificate
  Expired,            ///< of a certificate
  Revoked,            ///< a list says so
  RevocationUnknown,  ///< no list that counts speaks of a certificate
  ListOutdated,       ///< a list is past its nextUpdate, or not of now yet
  ListNotBelieved,    ///< a list's signer may not sign it, or did not
  Purpose,            ///< for something else
  Constraints,        ///< basic constraints, path length, key usage or name constraints
  Policy,             ///< certificate policies
  WeakKey,            ///< a key or a signature that counts for nothing
  Form,               ///< against RFC 5280's form, or with a critical extension that is not known
};

/// "no-anchor", "revoked", ...: for JSON and the log.
std::string_view to_string(PathProblem problem);

struct PathVerdict {
  PathProblem problem = PathProblem::NoAnchor;
  /// One sentence that stands alone: which certificate, what about it.
  std::string text;
  /// From the holder's certificate to the anchor; as far as it came when there is a problem.
  std::vector<Certificate> path;

  [[nodiscard]] bool trusted() const { return problem == PathProblem::None; }
};

/// Judges. Strict: RFC 5280's demands on form count (OpenSSL's X509_V_FLAG_X509_STRICT), policies are always
/// processed, each signature is by SHA-256 or better, each key of the path as check_key_strength() asks, and
/// at most eight authorities stand between.
///
/// A list counts when somebody in the question with its issuer's name signed it; forged ones are as if they
/// were not there. Delta lists and lists for other issuers are not read (crl.h). A self-signed anchor that is
/// itself the holder's needs no list.
///
/// @error InvalidInput  no anchor given; a policy that is no object identifier.  @error LimitExceeded
Result<PathVerdict> check_path(const Certificate& certificate, const PathQuestion& question);

}  // namespace signet::certstore
