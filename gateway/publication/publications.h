#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace signet::gateway {

/// Something that anybody may have.
struct Published {
  Bytes der;
  Time made{};  ///< since when it holds
  /// When a newer one is there at the latest; absent: nobody may keep it.
  std::optional<Time> until;
};

/// What those who meet one of our certificates need to believe it. Thread-safe.
class Publications {
 public:
  virtual ~Publications() = default;

  /// The newest CRL of an issuer (RFC 5280 section 5).
  ///
  /// @param serial  the issuer certificate's serial number: hexadecimal digits in any case
  /// @error NotFound
  virtual Result<Published> crl(const std::string& group, const std::string& serial) = 0;
  /// The issuer's certificate itself. @error NotFound
  virtual Result<Published> issuer(const std::string& group, const std::string& serial) = 0;
  /// Answers an OCSP request (RFC 6960 section 4.1). Whatever was asked, there is an answer: some say only
  /// that there is none, and carry no signature.
  ///
  /// @param network  whose signature it would be, as network_of_subscriber() says
  virtual Published ocsp(ByteView request, std::string_view network) = 0;
};

}  // namespace signet::gateway
