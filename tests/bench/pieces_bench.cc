#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "agreements/directory.h"
#include "as2/cms/decrypt.h"
#include "as2/cms/encrypt.h"
#include "as2/cms/sign.h"
#include "as2/cms/verify.h"
#include "as2/mdn.h"
#include "as2/mic.h"
#include "as2/mime/entity.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/random.h"
#include "certstore/vault/provider.h"
#include "gateway/cli/home.h"
#include "tests/support/test_certificates.h"

/// What each step of a 10 KB message costs by itself, on one thread.

namespace signet {
namespace {

constexpr std::size_t kSize = 10 * 1024;

/// Ends the benchmark where nothing is to fail.
void require(const Result<>& result) {
  if (result) return;
  std::fprintf(stderr, "%s\n", result.error().detail.c_str());
  std::exit(1);
}

const certstore::PrivateCertificate& party() {
  static const certstore::PrivateCertificate made = test::make_certificate({.common_name = "Bench"});
  return made;
}

Slice content() {
  static const Slice made = Slice::of(random_bytes(kSize));
  return made;
}

/// A home with a key in its vault; goes away at the end.
class BenchHome {
 public:
  static BenchHome& instance() {
    static BenchHome home;
    return home;
  }
  [[nodiscard]] gateway::Home& home() { return *home_; }
  [[nodiscard]] const vault::KeyId& key() const { return key_; }

 private:
  BenchHome() {
    log::set_level(log::Level::Warning);
    std::string pattern = "/var/tmp/signet-pieces.XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    require(gateway::Home::initialise(directory_ / "home", {}));
    home_ = gateway::Home::open(directory_ / "home").value();
    require(
        home_->vault().set_policy(vault::Principal::local_operator(),
                                  {std::string(gateway::kDefaultVault), vault::Principal::gateway(),
                                   vault::parse_key_permissions("encrypt,decrypt,sign,get,list").value()}));
    key_ = home_->vault()
               .create_key(vault::Principal::local_operator(), gateway::kDefaultVault, "bench",
                           vault::KeyKind::Rsa2048, {})
               .value()
               .id;
  }
  ~BenchHome() {
    home_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::filesystem::path directory_;
  std::unique_ptr<gateway::Home> home_;
  vault::KeyId key_;
};

void split_a_signed_body(benchmark::State& state) {
  std::string body = "--b\r\nContent-Type: application/EDIFACT\r\n\r\n";
  body += std::string(as_text(content().in_memory().value())) + "\r\n--b\r\n";
  body += "Content-Type: application/pkcs7-signature\r\n\r\n" + base64_lines(random_bytes(1500)) +
          "\r\n--b--\r\n";
  const Slice slice = Slice::of(std::string_view(body));
  for (auto _ : state) benchmark::DoNotOptimize(as2::mime::split_signed(slice, "b").value());
}
BENCHMARK(split_a_signed_body);

void sign(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(as2::cms::sign_detached(content(), party(), {}).value());
}
BENCHMARK(sign);

void verify(benchmark::State& state) {
  const Bytes signature = as2::cms::sign_detached(content(), party(), {}).value();
  const std::vector<certstore::Certificate> accepted = {party().certificate};
  for (auto _ : state)
    benchmark::DoNotOptimize(as2::cms::verify_detached(signature, content(), accepted, {}).value());
}
BENCHMARK(verify);

Bytes encrypted(as2::cms::ContentCipher cipher) {
  SliceSource source(content());
  MemorySink out;
  require(as2::cms::encrypt(source, std::vector{party().certificate}, {.cipher = cipher}, out));
  return out.take();
}

void encrypt(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(encrypted(static_cast<as2::cms::ContentCipher>(state.range(0))));
}
BENCHMARK(encrypt)
    ->Arg(static_cast<int>(as2::cms::ContentCipher::Aes256Cbc))
    ->Arg(static_cast<int>(as2::cms::ContentCipher::Aes256Gcm));

void decrypt(benchmark::State& state) {
  const Slice message = Slice::of(encrypted(static_cast<as2::cms::ContentCipher>(state.range(0))));
  const std::vector ours = {party()};
  for (auto _ : state) {
    MemorySink out;
    benchmark::DoNotOptimize(as2::cms::decrypt(message, ours, {}, out).value());
  }
}
BENCHMARK(decrypt)
    ->Arg(static_cast<int>(as2::cms::ContentCipher::Aes256Cbc))
    ->Arg(static_cast<int>(as2::cms::ContentCipher::Aes256Gcm));

void mic(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(digest(Hash::Sha256, content()).value());
}
BENCHMARK(mic);

as2::MdnContent receipt() {
  as2::MdnContent content;
  content.original_message_id = as2::MessageId::parse("<1@bench.example>").value();
  content.final_recipient = as2::As2Name::of("Bench").value();
  content.disposition = as2::Disposition::processed();
  content.mic = as2::Mic{Hash::Sha256, Bytes(32)};
  content.human_text = "The message was received.";
  content.reporting_ua = "Signet";
  return content;
}

void build_a_receipt(benchmark::State& state) {
  const as2::MdnContent content = receipt();
  for (auto _ : state) benchmark::DoNotOptimize(as2::build_mdn(content).entity());
}
BENCHMARK(build_a_receipt);

void parse_a_receipt(benchmark::State& state) {
  const Slice octets = Slice::of(as2::build_mdn(receipt()).entity());
  for (auto _ : state)
    benchmark::DoNotOptimize(as2::parse_mdn(as2::mime::read_entity(octets).value()).value());
}
BENCHMARK(parse_a_receipt);

void find_an_agreement(benchmark::State& state) {
  agreements::Account account;
  const auto add_partner = [&account](const std::string& name) {
    agreements::Partner partner;
    partner.name = name;
    agreements::BusinessIdentity identity;
    identity.value = name;
    partner.business_identities = {identity};
    account.partners.push_back(partner);
  };
  add_partner("Host");
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    const std::string name = "Guest" + std::to_string(i);
    add_partner(name);
    agreements::Agreement agreement;
    agreement.name = name;
    agreement.host_partner = "Host";
    agreement.guest_partner = name;
    account.agreements.push_back(agreement);
  }
  const auto directory = agreements::AgreementDirectory::build(account).value();
  for (auto _ : state) benchmark::DoNotOptimize(directory->find_inbound("Guest7", "Host"));
}
BENCHMARK(find_an_agreement)->Arg(10)->Arg(10'000);

void sign_in_the_vault(benchmark::State& state) {
  BenchHome& bench = BenchHome::instance();
  const Bytes value(32);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        bench.home()
            .vault()
            .sign(vault::Principal::gateway(), bench.key(), vault::SignatureAlgorithm::RS256, value)
            .value());
}
BENCHMARK(sign_in_the_vault);

void decrypt_in_the_vault(benchmark::State& state) {
  BenchHome& bench = BenchHome::instance();
  vault::KeyVault& keys = bench.home().vault();
  const Bytes wrapped =
      keys.encrypt(vault::Principal::gateway(), bench.key(), vault::kRsa15, Bytes(32)).value();
  for (auto _ : state)
    benchmark::DoNotOptimize(
        keys.decrypt(vault::Principal::gateway(), bench.key(), vault::kRsa15, wrapped).value());
}
BENCHMARK(decrypt_in_the_vault);

void commit_a_message(benchmark::State& state) {
  gateway::SqliteStore& store = BenchHome::instance().home().store();
  const gateway::StoredReceipt answer{200, {{"Content-Type", "multipart/signed; boundary=b"}}, Bytes(2500)};
  gateway::MessageRecord record;
  record.state = gateway::MessageState::Accepted;
  record.agreement = "bench";
  record.as2_from = "Bench";
  record.as2_to = "Host";
  record.created = SystemClock().now();
  for (auto _ : state) {
    record.id = random_id();
    record.message_id = "<" + record.id + "@bench.example>";
    require(store.commit_inbound(record, content(), answer, true));
  }
}
BENCHMARK(commit_a_message)->UseRealTime()->Threads(1)->Threads(8);

}  // namespace
}  // namespace signet
