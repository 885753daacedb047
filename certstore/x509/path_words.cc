#include <fmt/format.h>

#include <array>

#include "base/openssl.h"
#include "certstore/x509/path_internal.h"

namespace signet::certstore {
namespace {

struct Words {
  int code;
  PathProblem problem;
  std::string_view text;
};

constexpr std::array kWords{
    Words{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, PathProblem::NoAnchor, "has an issuer that is not known"},
    Words{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, PathProblem::NoAnchor,
          "has an issuer that is neither trusted nor known"},
    Words{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, PathProblem::NoAnchor,
          "is self-signed, and not trusted itself"},
    Words{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, PathProblem::NoAnchor,
          "ends the path: it is self-signed, and not trusted"},
    Words{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, PathProblem::NoAnchor,
          "has an issuer that is not known"},
    Words{X509_V_ERR_CERT_CHAIN_TOO_LONG, PathProblem::NoAnchor,
          "stands behind more authorities than are followed"},
    Words{X509_V_ERR_CERT_UNTRUSTED, PathProblem::NoAnchor, "is not trusted for this"},
    Words{X509_V_ERR_CERT_REJECTED, PathProblem::NoAnchor, "is marked as rejected"},
    Words{X509_V_ERR_CERT_SIGNATURE_FAILURE, PathProblem::Signature, "has a signature that does not hold"},
    Words{X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, PathProblem::Signature,
          "has a signature that does not hold"},
    Words{X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, PathProblem::Signature,
          "has an issuer whose public key cannot be read"},
    Words{X509_V_ERR_SUBJECT_ISSUER_MISMATCH, PathProblem::Signature, "was not issued by the one before it"},
    Words{X509_V_ERR_AKID_SKID_MISMATCH, PathProblem::Signature, "names another key of its issuer"},
    Words{X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH, PathProblem::Signature,
          "names another certificate of its issuer"},
    Words{X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH, PathProblem::Signature,
          "is signed by another algorithm than its issuer's key is for"},
    Words{X509_V_ERR_SIGNATURE_ALGORITHM_INCONSISTENCY, PathProblem::Signature,
          "names two signature algorithms"},
    Words{X509_V_ERR_CERT_NOT_YET_VALID, PathProblem::NotYetValid, "is not valid yet"},
    Words{X509_V_ERR_CERT_HAS_EXPIRED, PathProblem::Expired, "has expired"},
    Words{X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, PathProblem::Form, "has a notBefore that is no time"},
    Words{X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, PathProblem::Form, "has a notAfter that is no time"},
    Words{X509_V_ERR_CERT_REVOKED, PathProblem::Revoked, "was revoked"},
    Words{X509_V_ERR_UNABLE_TO_GET_CRL, PathProblem::RevocationUnknown,
          "may have been revoked: no revocation list that counts speaks of it"},
    Words{X509_V_ERR_DIFFERENT_CRL_SCOPE, PathProblem::RevocationUnknown,
          "may have been revoked: the revocation lists of its issuer are not for it"},
    Words{X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION, PathProblem::RevocationUnknown,
          "may have been revoked: its revocation list says something critical that is not known here"},
    Words{X509_V_ERR_CRL_HAS_EXPIRED, PathProblem::ListOutdated,
          "may have been revoked: the revocation list for it is out of date"},
    Words{X509_V_ERR_CRL_NOT_YET_VALID, PathProblem::ListOutdated,
          "may have been revoked: the revocation list for it is from the future"},
    Words{X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD, PathProblem::ListOutdated,
          "may have been revoked: the revocation list for it has a thisUpdate that is no time"},
    Words{X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD, PathProblem::ListOutdated,
          "may have been revoked: the revocation list for it has a nextUpdate that is no time"},
    Words{X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, PathProblem::ListNotBelieved,
          "may have been revoked: who signed the revocation list for it is not known"},
    Words{X509_V_ERR_CRL_SIGNATURE_FAILURE, PathProblem::ListNotBelieved,
          "may have been revoked: the signature of the revocation list for it does not hold"},
    Words{X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, PathProblem::ListNotBelieved,
          "may have been revoked: the signature of the revocation list for it does not hold"},
    Words{X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, PathProblem::ListNotBelieved,
          "may have been revoked: the signer of the revocation list for it may sign none (key usage)"},
    Words{X509_V_ERR_CRL_PATH_VALIDATION_ERROR, PathProblem::ListNotBelieved,
          "may have been revoked: the signer of the revocation list for it is not trusted"},
    Words{X509_V_ERR_INVALID_PURPOSE, PathProblem::Purpose, "is for another purpose"},
    Words{X509_V_ERR_INVALID_CA, PathProblem::Constraints, "is no authority's, and issued certificates"},
    Words{X509_V_ERR_INVALID_NON_CA, PathProblem::Constraints, "is an authority's, where none is expected"},
    Words{X509_V_ERR_PATH_LENGTH_EXCEEDED, PathProblem::Constraints,
          "has more authorities below it than it may"},
    Words{X509_V_ERR_KEYUSAGE_NO_CERTSIGN, PathProblem::Constraints,
          "may not issue certificates (key usage)"},
    Words{X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE, PathProblem::Constraints, "may not sign (key usage)"},
    Words{X509_V_ERR_PERMITTED_VIOLATION, PathProblem::Constraints,
          "has a name that is not among those that an authority above it may give"},
    Words{X509_V_ERR_EXCLUDED_VIOLATION, PathProblem::Constraints,
          "has a name of those that an authority above it must not give"},
    Words{X509_V_ERR_SUBTREE_MINMAX, PathProblem::Constraints,
          "has name constraints with bounds, which RFC 5280 forbids"},
    Words{X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, PathProblem::Constraints,
          "has name constraints of a kind that is not known here"},
    Words{X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX, PathProblem::Constraints,
          "has name constraints that cannot be read"},
    Words{X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, PathProblem::Constraints, "has a name that cannot be read"},
    Words{X509_V_ERR_INVALID_POLICY_EXTENSION, PathProblem::Policy,
          "has policies or mappings that contradict themselves"},
    Words{X509_V_ERR_NO_EXPLICIT_POLICY, PathProblem::Policy,
          "is under none of the policies that are wanted"},
    Words{X509_V_ERR_EE_KEY_TOO_SMALL, PathProblem::WeakKey, "has a key that is too weak"},
    Words{X509_V_ERR_CA_KEY_TOO_SMALL, PathProblem::WeakKey, "has a key that is too weak"},
    Words{X509_V_ERR_CA_MD_TOO_WEAK, PathProblem::WeakKey, "is signed with a hash that is too weak"},
    Words{X509_V_ERR_EC_KEY_EXPLICIT_PARAMS, PathProblem::WeakKey, "has a key on a curve that it spells out"},
    Words{X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, PathProblem::Form,
          "has a critical extension that is not known here"},
    Words{X509_V_ERR_INVALID_EXTENSION, PathProblem::Form, "has an extension that cannot be read"},
};

}  // namespace

std::pair<PathProblem, std::string> explain_path_error(int code) {
  for (const Words& known : kWords)
    if (known.code == code) return {known.problem, std::string(known.text)};
  return {PathProblem::Form,
          fmt::format("is not of the form that RFC 5280 demands: {}", X509_verify_cert_error_string(code))};
}

std::string_view to_string(PathProblem problem) {
  switch (problem) {
    case PathProblem::None:
      return "none";
    case PathProblem::NoAnchor:
      return "no-anchor";
    case PathProblem::Signature:
      return "signature";
    case PathProblem::NotYetValid:
      return "not-yet-valid";
    case PathProblem::Expired:
      return "expired";
    case PathProblem::Revoked:
      return "revoked";
    case PathProblem::RevocationUnknown:
      return "revocation-unknown";
    case PathProblem::ListOutdated:
      return "list-outdated";
    case PathProblem::ListNotBelieved:
      return "list-not-believed";
    case PathProblem::Purpose:
      return "purpose";
    case PathProblem::Constraints:
      return "constraints";
    case PathProblem::Policy:
      return "policy";
    case PathProblem::WeakKey:
      return "weak-key";
    case PathProblem::Form:
      return "form";
  }
  return "form";
}

}  // namespace signet::certstore
