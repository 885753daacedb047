#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "gateway/cli/home.h"
#include "gateway/cli/home_exchanges.h"
#include "gateway/cli/home_inventory.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/cli/side_listeners.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/issuance/acme_provider.h"
#include "gateway/issuance/authority_provider.h"
#include "gateway/issuance/challenge_handler.h"
#include "gateway/issuance/order_desk.h"
#include "gateway/lifecycle/exchange_notices.h"
#include "gateway/lifecycle/expiry_notices.h"
#include "gateway/notices/notice_sender.h"

namespace signet::gateway {

/// What a running gateway does for the certificates of its vaults: orders them at their issuers, renews them
/// as their policies say, and tells those who look after them; and who is to be told of certificates that
/// end. On a thread of its own, so that an issuer or a mail server that is slow holds up nobody else.
class ServeIssuance {
 public:
  /// Opens the listeners for challenges; issuers can connect from now on. `home` outlives this.
  ///
  /// @error InvalidInput, NotFound  a setting that cannot be used.  @error ...  as HttpServer::start().
  static Result<std::unique_ptr<ServeIssuance>> listen(Home& home, const ServeSettings& settings,
                                                       const GivenOptions& given);
  ~ServeIssuance() { stop(); }

  /// Begins to work. Once.
  void start();
  /// Breaks off what is under way; it is taken up at the next start. Idempotent.
  void stop();

  /// Those for challenges, with the ports that they took.
  [[nodiscard]] const std::vector<Listener>& listeners() const { return open_.listeners; }

 private:
  ServeIssuance(Home& home, const ServeSettings& settings, const GivenOptions& given);
  Result<> open_listeners();
  Result<> check_mail_server();
  [[nodiscard]] AcmePorts acme_ports();
  [[nodiscard]] NoticeWays notice_ways();
  Result<> mail(const Mail& mail);

  void run();
  void work();
  [[nodiscard]] vault::CertificateProvider* provider_of(std::string_view provider);
  void renew();
  void keep_certificate_service_up();

  Home& home_;
  const ServeSettings settings_;
  HomeInventory inventory_;
  HttpClient client_;
  ChallengeHandler challenges_;
  NoChallenges no_challenges_;
  AcmeProvider acme_;
  AuthorityProvider own_service_;
  OrderDesk desk_;
  NoticeSender notices_;
  ExpiryNotices expiry_notices_;
  HomeExchanges exchanges_;
  ExchangeNotices exchange_notices_;
  SideListeners open_;  ///< nothing where there is none for challenges
  Time next_round_{};
  Time next_upkeep_{};

  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::condition_variable ends_;
  std::thread thread_;
};

}  // namespace signet::gateway
