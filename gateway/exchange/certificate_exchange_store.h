#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

/// What must be kept of certificates that are exchanged by messages (CEM). gateway/store implements it.

namespace signet::gateway {

enum class ExchangeOrigin {
  Partner,  ///< he announced a certificate of his: it is for us to answer
  Us,       ///< we announced one of ours: it is for him to answer
};
/// "partner", "us".
std::string_view to_string(ExchangeOrigin origin);

enum class ExchangeState { Waiting, Accepted, Rejected };
/// "waiting", "accepted", "rejected".
std::string_view to_string(ExchangeState state);

/// When a partner's certificate takes the place of the present one, as was decided with its acceptance.
struct ExchangeTerms {
  std::string name;  ///< that it gets in the account
  Time use_from{};   ///< whole seconds, as the next
  Time retire_at{};  ///< the end of the one whose place it takes

  friend bool operator==(const ExchangeTerms&, const ExchangeTerms&) = default;
};

/// One certificate that was announced, and what became of it.
struct CertificateExchangeRecord {
  std::string id;  ///< ours: 32 hexadecimal digits
  ExchangeOrigin origin = ExchangeOrigin::Partner;
  std::string agreement;
  std::string request_id;  ///< that both messages have
  std::string
      usages;  ///< as on the wire, with a comma and a space between: "digitalSignature, keyEncipherment"
  Bytes certificate;       ///< DER
  std::string thumbprint;  ///< its SHA-256
  std::string message;     ///< the record of the message that announced it
  std::optional<Time> respond_by;
  Time created{};
  std::string created_by;  ///< who announced ours; empty for a partner's
  ExchangeState state = ExchangeState::Waiting;
  std::optional<Time> decided;
  std::string decided_by;  ///< who decided on a partner's; empty for ours
  std::string reason;      ///< of a rejection
  /// Of a partner's that was accepted; of ours, the name alone.
  ExchangeTerms terms;
  std::string response;  ///< the record of the message that answers it; empty before
  bool settled = true;   ///< everything that follows from its state is done
  std::string
      told;  ///< the last that its contacts were told of: "proposed", "rejected", "unanswered"; or empty

  friend bool operator==(const CertificateExchangeRecord&, const CertificateExchangeRecord&) = default;
};

/// A partner's answer to what we announced.
struct ExchangeAnswer {
  std::string id;  ///< of the record
  ExchangeState state = ExchangeState::Rejected;
  std::string reason;
  std::string response;  ///< the record of the message
  Time time{};
};

/// Thread-safe; durable on return. Nothing is ever removed: what was announced once is known for good, so
/// that a message sent again changes nothing.
///
/// @error IoFailure, Unavailable  of every call
class CertificateExchangeStore {
 public:
  virtual ~CertificateExchangeStore() = default;

  /// The newest first.
  virtual Result<std::vector<CertificateExchangeRecord>> list() = 0;
  /// By the id, or its first 8 digits or more. @error NotFound  @error InvalidInput  several begin so.
  virtual Result<CertificateExchangeRecord> find(std::string_view id) = 0;
  /// What was announced under an agreement in one request.
  virtual Result<std::vector<CertificateExchangeRecord>> of_request(ExchangeOrigin origin,
                                                                    std::string_view agreement,
                                                                    std::string_view request_id) = 0;
  /// Those that are not settled, the oldest first.
  virtual Result<std::vector<CertificateExchangeRecord>> open() = 0;

  virtual Result<> add(const CertificateExchangeRecord& record) = 0;
  /// Writes down a decision: state, decided, decided_by, reason, terms, response, settled.
  ///
  /// @error AlreadyExists  it was decided before; nothing is changed.
  virtual Result<> decide(const CertificateExchangeRecord& record) = 0;
  /// What follows from this state is done. Where another one was written down meanwhile, such as by the
  /// partner's answer to what has just been sent, that stays to be settled.
  virtual Result<> settle(std::string_view id, ExchangeState state) = 0;
  virtual Result<> tell(std::string_view id, std::string_view told) = 0;

  /// What the partner advertised last (EDIINT-Features, RFC 6017); empty: nothing.
  virtual Result<std::string> features(std::string_view agreement) = 0;
};

}  // namespace signet::gateway
