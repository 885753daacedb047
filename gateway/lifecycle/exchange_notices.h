#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "gateway/exchange/certificate_exchange_store.h"
#include "gateway/notices/notice_sender.h"

/// Tells people and programs of certificates that are exchanged by messages: that a partner's waits for them
/// to decide on it, that he rejected one of ours, that he has not answered in time.

namespace signet::gateway {

struct ExchangeNoticePorts {
  CertificateExchangeStore& store;
  const Clock& clock;
  NoticeWays ways;
};

/// Each is told once, also over restarts; after a crash one may be told twice. What cannot be told is tried
/// again every minute. For one thread.
class ExchangeNotices {
 public:
  /// @param contacts  mail addresses
  /// Everything given by reference outlives this.
  ExchangeNotices(ExchangeNoticePorts ports, std::vector<std::string> contacts)
      : ports_(std::move(ports)), contacts_(std::move(contacts)) {}

  void work();

 private:
  Result<> round();
  Result<> tell(const CertificateExchangeRecord& record, const std::string& what);

  const ExchangeNoticePorts ports_;
  const std::vector<std::string> contacts_;
  Time next_round_{};
  std::map<std::string, std::string> logged_;  ///< what the log has, by the record's id
};

}  // namespace signet::gateway
