#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gateway/exchange/account_snapshot.h"
#include "gateway/exchange/lanes.h"
#include "gateway/revocation/list_intake.h"
#include "gateway/revocation/revocation_lists.h"
#include "gateway/revocation/wanted_lists.h"

namespace signet::gateway {

/// When a list is fetched again.
struct FetchTimes {
  std::chrono::milliseconds first_retry{5'000};      ///< after a failure; doubles with each that follows
  std::chrono::milliseconds longest_retry{900'000};  ///< the doubling ends here
  /// After a success: half of what is left until the list ends, and no more and no less than these.
  std::chrono::milliseconds longest_wait{6 * 3'600'000};
  std::chrono::milliseconds shortest_wait{5'000};
};

/// When a list that was asked for last as `source` says is to be asked for again. Waits are shortened by up
/// to a fifth at random, so that what was fetched together is not fetched together for ever.
///
/// @param until  the end of the list at hand; nothing: there is none
Time next_fetch(const FetchTimes& times, const std::optional<RevocationSource>& source,
                const std::optional<Time>& until, double dice);

/// Fetches the lists that certificates in use are looked up in, from where they say and the operator allows,
/// before those at hand end. What was fetched is in the store, so that a restart asks for nothing again that
/// is not due. Each server is a lane of its own: one that hangs keeps no other list from coming, and nobody
/// who sends or receives ever waits. The log says when a list came and when it did not, and when a
/// certificate is found revoked, or can be looked up no more.
class RevocationFetcher {
 public:
  struct Ports {
    CurrentAccount account;
    RevocationLists& lists;
    FetchPorts fetch;
  };

  /// Everything given by reference outlives this.
  RevocationFetcher(Ports ports, AllowedUrls allowed, FetchTimes times = {});
  ~RevocationFetcher();
  RevocationFetcher(const RevocationFetcher&) = delete;
  RevocationFetcher& operator=(const RevocationFetcher&) = delete;

  /// Once.
  void start();
  /// Other places are allowed from now on.
  void allow(AllowedUrls allowed);
  /// Begins no further fetch. Those under way go on until their client is stopped. Idempotent.
  void stop();
  /// Waits for them, after stop(). Idempotent.
  void join();

 private:
  void run();
  void look_around();
  Result<> plan(const std::shared_ptr<const AccountSnapshot>& account);
  LaneRunner::Finish fetch(const Lanes::Turn& turn);
  void report_changes(const std::shared_ptr<const AccountSnapshot>& account);
  void report_endings(const std::shared_ptr<const AccountSnapshot>& account);
  [[nodiscard]] std::optional<WantedList> find(const std::string& id) const;
  [[nodiscard]] AllowedUrls allowed() const;
  [[nodiscard]] double dice(const std::string& id) const;

  const Ports ports_;
  const FetchTimes times_;
  const std::string nonce_;

  mutable std::mutex mutex_;
  std::condition_variable ends_;
  bool stopping_ = false;
  bool replan_ = true;
  AllowedUrls allowed_;
  std::map<std::string, WantedList, std::less<>> plan_;  ///< by the id of its job

  // Of the thread that looks around:
  std::shared_ptr<const AccountSnapshot> planned_;
  std::uint64_t planned_lists_ = 0;
  std::uint64_t planned_servers_ = 0;
  Time looked_{};
  std::map<std::string, RevocationStatus, std::less<>> reported_standings_;
  std::map<RevocationOrigin, Time> warned_of_;  ///< until when the list is that was spoken of

  LaneRunner lanes_;
  std::thread thread_;
};

}  // namespace signet::gateway
