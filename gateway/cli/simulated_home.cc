#include "gateway/cli/simulated_home.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "agreements/lint.h"
#include "agreements/xml.h"
#include "base/file.h"
#include "certstore/vault/provider.h"
#include "certstore/vault/self_signed.h"
#include "gateway/cli/account_services.h"
#include "gateway/cli/version.h"
#include "gateway/simulator/simulated_account.h"

namespace signet::gateway {
namespace {

constexpr std::string_view kPartnerKey = "partner-test-key";
constexpr std::string_view kStrangerKey = "stranger-test-key";
constexpr std::string_view kSuffix = "-test-key";
constexpr std::size_t kMaxName = 80;  ///< of a certificate in the account
/// Both keys' certificates say the same of their holder, so a gateway that trusts by name is found out.
constexpr std::string_view kHolder = "TEST KEY of signet simulate";

std::filesystem::path marker(const std::filesystem::path& directory) { return directory / "simulator.json"; }

/// A directory that is being filled: emptied again unless it is kept.
class Filling {
 public:
  explicit Filling(std::filesystem::path directory) : directory_(std::move(directory)) {}
  ~Filling() {
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
  }
  Filling(const Filling&) = delete;
  Filling& operator=(const Filling&) = delete;
  void keep() { directory_.clear(); }

 private:
  std::filesystem::path directory_;
};

/// A key of the vault under this name, and its certificate.
Result<agreements::CertificateEntry> make_test_key(Home& home, std::string_view key,
                                                   const std::string& certificate_name, vault::KeyKind kind) {
  SIGNET_TRY(const vault::KeyInfo info,
             home.vault().create_key(vault::Principal::local_operator(), kDefaultVault, key, kind, {}));
  vault::SelfSignedSettings settings;
  settings.common_name = kHolder;
  settings.not_before = home.clock().now() - std::chrono::minutes(5);  // for gateways whose clocks are slow
  SIGNET_TRY(const certstore::Certificate certificate,
             vault::make_self_signed(home.vault(), vault::Principal::gateway(), info.id, settings));
  return agreements::CertificateEntry{
      certificate_name,
      certificate.der(),
      agreements::KeyReference{std::string(kDefaultVault), std::string(key), ""},
      {}};
}

Result<> check(const agreements::Account& account, Time now) {
  const auto problems = agreements::lint(account, ParsedCertificateFacts(), now);
  if (!agreements::has_errors(problems)) return {};
  return fail(ErrorKind::InvalidInput, agreements::to_string(problems) + "nothing was changed");
}

}  // namespace

Result<SimulatedHome::Made> SimulatedHome::make(const std::filesystem::path& directory,
                                                const agreements::Account& gateway,
                                                const SimulatedHomeSettings& settings) {
  SIGNET_CHECK(Home::initialise(directory, {}));
  Filling filling(directory);
  SIGNET_TRY(const auto home, Home::open(directory));
  const std::string certificate_name =
      (settings.agreement + "-simulated").substr(0, kMaxName - kSuffix.size()) + std::string(kSuffix);
  SIGNET_TRY(auto partner_key, make_test_key(*home, kPartnerKey, certificate_name, settings.kind));
  SIGNET_TRY(auto stranger_key, make_test_key(*home, kStrangerKey, std::string(kStrangerKey), settings.kind));
  SIGNET_TRY(simulator::Simulation simulation,
             simulator::simulate_guest(
                 gateway, {settings.agreement, settings.url, settings.receipt_url, settings.gateway_url,
                           settings.gateway_receipt_url, std::move(partner_key)}));
  simulation.partner.certificates.push_back(std::move(stranger_key));
  SIGNET_CHECK(check(simulation.gateway, home->clock().now()));
  SIGNET_CHECK(check(simulation.partner, home->clock().now()));

  SIGNET_CHECK(home->accounts().replace(simulation.partner, 0));
  SIGNET_CHECK(write_file_durably(directory / "gateway-account.xml",
                                  as_bytes(agreements::write_account(simulation.gateway))));
  const nlohmann::ordered_json what = {
      {"agreement", simulation.agreement}, {"url", settings.url}, {"receiptUrl", settings.receipt_url}};
  SIGNET_CHECK(write_file_durably(marker(directory), as_bytes(what.dump(2) + "\n")));
  filling.keep();
  return Made{std::move(simulation.agreement), std::move(simulation.gateway)};
}

Result<SimulatedHome> SimulatedHome::open(const std::filesystem::path& directory) {
  auto text = read_text_file(marker(directory));
  if (!text && text.error().kind == ErrorKind::NotFound)
    return fail(ErrorKind::NotFound,
                fmt::format("{} is no simulated partner's home: make one with 'signet simulate init'",
                            directory.string()));
  if (!text) return fail(std::move(text).error());
  SimulatedHome simulated;
  const auto what = nlohmann::json::parse(*text, nullptr, false);
  for (const auto& [name, value] :
       {std::pair{"agreement", &simulated.agreement_}, std::pair{"url", &simulated.url_},
        std::pair{"receiptUrl", &simulated.receipt_url_}}) {
    if (!what.is_object() || !what.contains(name) || !what[name].is_string())
      return fail(ErrorKind::InvalidInput,
                  fmt::format("{} should name \"{}\" and does not: make the simulated partner anew",
                              marker(directory).string(), name));
    *value = what[name];
  }
  SIGNET_TRY(simulated.home_, Home::open(directory));
  SIGNET_CHECK(vault::self_check());
  simulated.client_ = std::make_unique<HttpClient>(simulated.home_->spool_area());
  return simulated;
}

Result<simulator::PartnerPorts> SimulatedHome::ports() {
  SIGNET_TRY(const auto account, home_->current_account());
  SIGNET_TRY(certstore::PrivateCertificate stranger, account->private_certificate(std::string(kStrangerKey)));
  return simulator::PartnerPorts{
      [home = home_.get()] { return home->current_account(); },
      std::move(stranger),
      home_->clock(),
      [client = client_.get()](const HttpPost& request) { return client->post(request); },
      home_->spool_area(),
      std::string(kProduct) + " simulator"};
}

}  // namespace signet::gateway
