#pragma once

#include <string>
#include <utility>

#include "certstore/x509/path.h"

namespace signet::certstore {

/// Internal: what one of OpenSSL's verification errors (X509_V_ERR_...) means here, as the end of a sentence
/// about a certificate. One that is not known means Form: it is an error all the same.
std::pair<PathProblem, std::string> explain_path_error(int code);

/// How strong keys and signatures of a path have to be.
enum class PathStrength {
  Today,     ///< as check_path() says
  Whatever,  ///< SHA-1 and RSA of 1024 bits will do: for test suites of that time alone, never for a decision
};

/// check_path(), which asks for Today.
Result<PathVerdict> judge_path(const Certificate& certificate, const PathQuestion& question,
                               PathStrength strength);

}  // namespace signet::certstore
