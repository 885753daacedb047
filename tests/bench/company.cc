#include "tests/bench/company.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/file.h"

namespace signet::bench {
namespace {

constexpr std::chrono::seconds kStartTimeout{30};

std::string account_xml(const std::string& host, const Partner& guest) {
  const auto partner = [](const std::string& name) {
    return fmt::format(
        "<partner "
        "name=\"{0}\"><businessIdentities><businessIdentity><value>{0}</value></businessIdentity></"
        "businessIdentities>"
        "</partner>",
        name);
  };
  return fmt::format(
      R"(<integrationAccount xmlns="urn:signet:account:2026" xmlns:x="urn:signet:ext:2026">
  <partners>{}{}</partners>
  <certificates>
    <certificate name="host"><publicCertificate x:file="host.cer"/>
      <key><keyVault>signet</keyVault><keyName>host</keyName></key></certificate>
    <certificate name="guest"><publicCertificate x:file="guest.cer"/></certificate>
  </certificates>
  <agreements>
    <agreement name="bench">
      <hostPartner>{}</hostPartner>
      <guestPartner>{}</guestPartner>
      <receiveAgreement>
        <securitySettings>
          <signingCertificateName>guest</signingCertificateName>
          <encryptionCertificateName>host</encryptionCertificateName>
        </securitySettings>
      </receiveAgreement>
      <sendAgreement>
        <mdnSettings><needMDN>{}</needMDN></mdnSettings>
      </sendAgreement>
      <x:connection url="{}"/>
    </agreement>
  </agreements>
</integrationAccount>
)",
      partner(host), partner(guest.name), host, guest.name, guest.wants_receipt, guest.url);
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

Result<> Company::trade_with(const Partner& partner) {
  SIGNET_CHECK(write_file_durably(directory_ / "guest.cer", as_bytes(partner.certificate.pem())));
  const auto xml = directory_ / "account.xml";
  SIGNET_CHECK(write_file_durably(xml, as_bytes(account_xml(name_, partner))));
  SIGNET_CHECK(command({"apply", xml.string()}));
  return {};
}

Result<> Company::serve() {
  const auto ports = directory_ / "ports.json";
  const auto counter = directory_ / "syncs";
  SIGNET_CHECK(write_file_durably(counter, Bytes(sizeof(std::uint64_t))));
  const auto begin = std::chrono::steady_clock::now();
  SIGNET_TRY(Running gateway,
             Running::start({signet_, "--home", home_.string(), "serve", "--listen", "127.0.0.1:0",
                             "--ports-file", ports.string()},
                            {{"LD_PRELOAD", SIGNET_SYNC_COUNTER}, {"SIGNET_SYNC_COUNT", counter.string()}},
                            directory_ / "gateway.log"));
  gateway_.emplace(std::move(gateway));
  while (!std::filesystem::exists(ports)) {
    if (!gateway_->alive() || std::chrono::steady_clock::now() - begin > kStartTimeout)
      return fail(ErrorKind::Unavailable,
                  fmt::format("the gateway did not start; see {}", (directory_ / "gateway.log").string()));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  start_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  SIGNET_TRY(const std::string text, read_text_file(ports));
  const auto listeners = nlohmann::json::parse(text, nullptr, false);
  if (!listeners.is_array() || listeners.empty() || !listeners[0].contains("port"))
    return fail(ErrorKind::InvalidInput, "the ports file is not one: " + text);
  port_ = listeners[0]["port"].get<std::uint16_t>();
  return {};
}

Result<Ended> Company::send(const std::filesystem::path& document) {
  return command({"send", "--agreement", "bench", document.string()});
}

std::string Company::url() const { return fmt::format("http://127.0.0.1:{}/as2", port_); }

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
  for (const auto& entry : std::filesystem::directory_iterator(home_ / "delivery" / "bench", error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with('.') && !name.ends_with(".json")) ++count;
  }
  return count;
}

}  // namespace signet::bench
