#include "tests/bench/company.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/file.h"
#include "tests/bench/timing.h"
#include "tests/support/test_certificates.h"

namespace signet::bench {
namespace {

constexpr std::chrono::seconds kStartTimeout{120};
constexpr std::chrono::seconds kDeliveryTimeout{180};

std::string partner_xml(const std::string& name) {
  return fmt::format(
      "<partner name=\"{0}\"><businessIdentities><businessIdentity><value>{0}</value></businessIdentity>"
      "</businessIdentities></partner>\n",
      name);
}

/// @param key  in the vault; empty for a certificate of somebody else's
std::string certificate_xml(const std::string& name, const certstore::Certificate& certificate,
                            const std::string& key = "") {
  const std::string link =
      key.empty() ? "" : fmt::format("<key><keyVault>signet</keyVault><keyName>{}</keyName></key>", key);
  return fmt::format("<certificate name=\"{}\"><publicCertificate>{}</publicCertificate>{}</certificate>\n",
                     name, base64(certificate.der()), link);
}

std::string validation_xml(const Layers& layers) {
  return fmt::format(
      "<validationSettings><encryptMessage>{}</encryptMessage><signMessage>{}</signMessage>"
      "<compressMessage>{}</compressMessage></validationSettings>",
      layers.is_encrypted, layers.is_signed, layers.is_compressed);
}

std::string agreement_xml(const std::string& host, const Partner& guest) {
  std::string send = fmt::format(
      "<mdnSettings><needMDN>{}</needMDN></mdnSettings>{}<envelopeSettings><transmitFileNameInMimeHeader>{}"
      "</transmitFileNameInMimeHeader></envelopeSettings>",
      guest.wants_receipt, validation_xml(guest.applied), guest.is_told_file_names);
  if (guest.receipt_certificate)
    send += fmt::format(
        R"(<x:certificates role="verifyMdn"><x:certificate name="{}-receipts"/></x:certificates>)",
        guest.name);
  if (guest.is_picked_up_for) send += R"(<x:pickup stableFor="100ms"/>)";
  return fmt::format(
      R"(<agreement name="{0}">
  <hostPartner>{1}</hostPartner>
  <guestPartner>{0}</guestPartner>
  <receiveAgreement>
    <securitySettings>
      <signingCertificateName>{0}</signingCertificateName>
      <encryptionCertificateName>host</encryptionCertificateName>
    </securitySettings>
    {2}
  </receiveAgreement>
  <sendAgreement>{3}</sendAgreement>
  <x:connection url="{4}"/>
</agreement>
)",
      guest.name, host, validation_xml(guest.demanded), send, guest.url);
}

/// @param certificates  of the host's, as XML
std::string account_xml(const std::string& host, std::string certificates,
                        const std::vector<Partner>& guests) {
  std::string partners = partner_xml(host);
  std::string agreements;
  for (const Partner& guest : guests) {
    partners += partner_xml(guest.name);
    certificates += certificate_xml(guest.name, guest.certificate);
    if (guest.receipt_certificate)
      certificates += certificate_xml(guest.name + "-receipts", *guest.receipt_certificate);
    agreements += agreement_xml(host, guest);
  }
  return fmt::format(
      R"(<integrationAccount xmlns="urn:signet:account:2026" xmlns:x="urn:signet:ext:2026">
<partners>
{}</partners>
<certificates>
{}</certificates>
<agreements>
{}</agreements>
</integrationAccount>
)",
      partners, certificates, agreements);
}

}  // namespace

Company::Company(std::string signet, std::filesystem::path directory, std::string name)
    : signet_(std::move(signet)),
      directory_(std::move(directory)),
      home_(directory_ / "home"),
      name_(std::move(name)) {}

Result<Ended> Company::command(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {signet_, "--home", home_.string(), "--output", "json"});
  return run(arguments);
}

Result<std::unique_ptr<Company>> Company::make(std::string signet, const std::filesystem::path& directory,
                                               std::string name) {
  std::filesystem::create_directories(directory);
  std::unique_ptr<Company> company(new Company(std::move(signet), directory, std::move(name)));
  const std::string certificate = (directory / "host.cer").string();
  SIGNET_CHECK(company->command({"init"}));
  SIGNET_CHECK(company->command({"vault", "key", "create", "host", "--kind", "RSA-2048"}));
  SIGNET_CHECK(company->command({"certificate", "create", "host", "--key", "host", "--common-name",
                                 company->name_, "--certificate-file", certificate}));
  SIGNET_TRY(const Bytes bytes, read_file(certificate));
  SIGNET_TRY(company->certificate_, certstore::Certificate::parse(bytes));
  return company;
}

Result<> Company::import_key(const std::string& name, const certstore::PrivateCertificate& own) {
  const auto pem = directory_ / (name + ".pem");
  SIGNET_CHECK(write_file_durably(pem, as_bytes(test::private_key_pem(own.key))));
  SIGNET_CHECK(command({"vault", "key", "import", name, pem.string()}));
  imported_ += certificate_xml(name, own.certificate, name);
  return {};
}

Result<double> Company::trade_with(const std::vector<Partner>& partners) {
  const auto xml = directory_ / "account.xml";
  const std::string own = certificate_xml("host", *certificate_, "host") + imported_;
  SIGNET_CHECK(write_file_durably(xml, as_bytes(account_xml(name_, own, partners))));
  SIGNET_TRY(const Ended applied, command({"apply", xml.string()}));
  return applied.seconds;
}

Result<> Company::serve(const std::vector<std::string>& options) {
  const auto ports = directory_ / "ports.json";
  const auto counter = directory_ / "syncs";
  std::filesystem::remove(ports);
  SIGNET_CHECK(write_file_durably(counter, Bytes(sizeof(std::uint64_t))));
  std::vector<std::string> command = {signet_,    "--home",      home_.string(), "serve",
                                      "--listen", "127.0.0.1:0", "--ports-file", ports.string()};
  command.insert(command.end(), options.begin(), options.end());
  const auto begin = std::chrono::steady_clock::now();
  SIGNET_TRY(
      Running gateway,
      Running::start(command, {{"LD_PRELOAD", SIGNET_SYNC_COUNTER}, {"SIGNET_SYNC_COUNT", counter.string()}},
                     log()));
  gateway_.emplace(std::move(gateway));
  while (!std::filesystem::exists(ports)) {
    if (!gateway_->alive() || std::chrono::steady_clock::now() - begin > kStartTimeout)
      return fail(ErrorKind::Unavailable, fmt::format("the gateway did not start; see {}", log().string()));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  start_seconds_ = seconds_since(begin);
  idle_mib_ = gateway_->resident_mib();
  SIGNET_TRY(const std::string text, read_text_file(ports));
  const auto listeners = nlohmann::json::parse(text, nullptr, false);
  if (!listeners.is_array() || listeners.empty())
    return fail(ErrorKind::InvalidInput, "the ports file is not one: " + text);
  for (const auto& listener : listeners)
    ports_[listener.value("name", "")] = listener.value("port", std::uint16_t{0});
  return {};
}

Result<Ended> Company::send(const std::string& partner, const std::filesystem::path& document) {
  return command({"send", "--agreement", partner, document.string()});
}

std::uint16_t Company::port(const std::string& listener) const {
  const auto found = ports_.find(listener);
  return found == ports_.end() ? std::uint16_t{0} : found->second;
}

std::string Company::url() const { return fmt::format("http://127.0.0.1:{}/as2", port()); }

std::uint64_t Company::syncs() const {
  const auto bytes = read_file(directory_ / "syncs");
  std::uint64_t count = 0;
  if (bytes && bytes->size() == sizeof count)
    std::copy(bytes->begin(), bytes->end(), reinterpret_cast<std::uint8_t*>(&count));
  return count;
}

std::size_t Company::delivered() const {
  std::size_t count = 0;
  std::error_code error;
  for (const auto& folder : std::filesystem::directory_iterator(home_ / "delivery", error)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with('.') && !name.ends_with(".json")) ++count;
    }
  }
  return count;
}

Result<> Company::await_delivered(std::size_t count) const {
  const auto end = std::chrono::steady_clock::now() + kDeliveryTimeout;
  for (std::size_t now = 0; (now = delivered()) < count;) {
    if (std::chrono::steady_clock::now() > end)
      return fail(ErrorKind::Unavailable,
                  fmt::format("{} messages were answered and {} of them handed over", count, now));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return {};
}

}  // namespace signet::bench
