#include "gateway/cli/serve_issuance.h"

#include <algorithm>

#include "base/log.h"
#include "gateway/cli/notice_settings.h"

namespace signet::gateway {
namespace {

constexpr std::chrono::seconds kTick{1};
/// Another process may have changed a policy, or begun a certificate.
constexpr std::chrono::minutes kLongestRound{1};
/// Of the certificate service: a CRL is due for hours before it ends.
constexpr std::chrono::minutes kUpkeep{5};

/// Issuers ask from several places, and others ask in vain.
HttpLimits limits_for_challenges() {
  HttpLimits limits;
  limits.head_size = 8 * 1024;
  limits.connections = 256;
  limits.connections_per_address = 32;
  limits.queued_requests = 256;
  return limits;
}

void report(const vault::CertificateNotice& event) {
  const std::string certificate = to_string(event.id);
  const std::string expires = to_rfc3339(event.expires);
  switch (event.event) {
    case vault::CertificateNotice::Event::NearExpiry:
      return log::warning("vault-certificate-expires-soon",
                          {{"certificate", certificate}, {"expires", expires}});
    case vault::CertificateNotice::Event::RenewalBegins:
      return log::info("certificate-renewal-begins", {{"certificate", certificate}, {"expires", expires}});
    case vault::CertificateNotice::Event::Renewed:
      return log::info("certificate-renewed", {{"certificate", certificate}, {"expires", expires}});
    case vault::CertificateNotice::Event::NotRenewed:
      return log::error("certificate-not-renewed",
                        {{"certificate", certificate}, {"expires", expires}, {"reason", event.reason}});
  }
}

}  // namespace

ServeIssuance::ServeIssuance(Home& home, const ServeSettings& settings, const GivenOptions& given)
    : home_(home),
      settings_(settings),
      inventory_(home, given),
      client_(home.spool_area()),
      acme_(acme_ports(),
            settings.listen_acme.empty() ? static_cast<Challenges&>(no_challenges_) : challenges_),
      own_service_(home.authority()),
      desk_(
          {home.vault(), [this](std::string_view provider) { return provider_of(provider); }, home.clock()}),
      notices_({home.vault(), home.clock(), notice_ways()}),
      expiry_notices_(
          {[this] { return inventory_.certificates(); }, home.expiry_notices(), home.clock(), notice_ways()},
          expiry_notices_of(settings)),
      exchanges_(home, given),
      exchange_notices_({home.exchanges(), home.clock(), notice_ways()}, settings.expiry_contact) {}

AcmePorts ServeIssuance::acme_ports() {
  return {[this](const HttpGet& get) { return client_.get(get); },
          [this](const HttpPost& post) { return client_.post(post); }};
}

NoticeWays ServeIssuance::notice_ways() {
  NoticeWays ways{{}, {}, [this](const HttpPost& post) { return client_.post(post); }};
  if (!settings_.smtp_url.empty()) ways.mail = [this](const Mail& one) { return mail(one); };
  if (!settings_.notice_webhook.empty())
    ways.webhook = [this] { return notice_webhook_of(home_, settings_); };
  return ways;
}

Result<std::unique_ptr<ServeIssuance>> ServeIssuance::listen(Home& home, const ServeSettings& settings,
                                                             const GivenOptions& given) {
  std::unique_ptr<ServeIssuance> made(new ServeIssuance(home, settings, given));
  SIGNET_CHECK(made->check_mail_server());
  SIGNET_CHECK(made->open_listeners());
  return made;
}

Result<> ServeIssuance::check_mail_server() {
  if (settings_.smtp_tls == "none" && settings_.smtp_url.starts_with("smtp://"))
    log::warning("mail-without-tls",
                 {{"smtp_url", settings_.smtp_url},
                  {"reason", "smtp-tls is none: whoever is on the way can read the mails"}});
  SIGNET_CHECK(mail_authorities_of(settings_));
  return {};
}

Result<> ServeIssuance::open_listeners() {
  if (settings_.listen_acme.empty()) return {};
  HttpServerConfig config;
  SIGNET_TRY(config.listeners, parse_listeners(settings_.listen_acme, "acme"));
  config.limits = limits_for_challenges();
  config.spool = home_.spool_area();
  config.workers = 1;
  SIGNET_TRY(open_, SideListeners::open(std::move(config), challenges_));
  open_.server->accept();
  return {};
}

Result<> ServeIssuance::mail(const Mail& mail) {
  SIGNET_TRY(const MailServer server, mail_server_of(home_, settings_));
  return send_mail(server, mail, stopping_);
}

void ServeIssuance::start() {
  thread_ = std::thread([this] { run(); });
}

void ServeIssuance::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ends_.notify_one();
  client_.stop();
  if (thread_.joinable()) thread_.join();
  if (open_.server) open_.server->stop(std::chrono::milliseconds(0));
}

void ServeIssuance::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    if (!home_.vault().is_sealed()) work();
    lock.lock();
    ends_.wait_for(lock, kTick, [this] { return stopping_.load(); });
  }
}

namespace {

/// Also where the moment is further away than a round can be: it was set by a clock that was ahead.
bool is_due(Time next, Time now, std::chrono::microseconds longest) {
  return now >= next || next > now + longest;
}

}  // namespace

void ServeIssuance::work() {
  // What was just issued has a lifetime of its own.
  if (desk_.work() || is_due(next_round_, home_.clock().now(), kLongestRound)) renew();
  if (is_due(next_upkeep_, home_.clock().now(), kUpkeep)) keep_certificate_service_up();
  notices_.work();
  exchanges_.settle();
  exchange_notices_.work();
  expiry_notices_.work();
}

vault::CertificateProvider* ServeIssuance::provider_of(std::string_view provider) {
  if (vault::is_own_service(provider)) return &own_service_;
  return vault::is_served(provider) ? &acme_ : nullptr;
}

void ServeIssuance::keep_certificate_service_up() {
  next_upkeep_ = home_.clock().now() + kUpkeep;
  if (const auto made = home_.authority().keep_up(); !made)
    log::error("certificate-service-not-kept-up", {{"reason", made.error().detail}});
  else if (*made > 0)
    log::info("crls-reissued", {{"count", std::to_string(*made)}});
}

void ServeIssuance::renew() {
  const Time latest = home_.clock().now() + kLongestRound;
  next_round_ = latest;
  const auto round = home_.vault().renew_due();
  if (!round) return log::error("certificates-not-renewed", {{"reason", round.error().detail}});
  for (const vault::CertificateNotice& event : round->events) report(event);
  if (round->next) next_round_ = std::min(latest, *round->next);
}

}  // namespace signet::gateway
