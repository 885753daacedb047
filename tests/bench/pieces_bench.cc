#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agreements/directory.h"
#include "as2/cms/compress.h"
#include "as2/cms/decrypt.h"
#include "as2/cms/encrypt.h"
#include "as2/cms/sign.h"
#include "as2/cms/verify.h"
#include "as2/mdn.h"
#include "as2/mic.h"
#include "as2/mime/entity.h"
#include "as2/receipt.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/random.h"
#include "certstore/vault/provider.h"
#include "gateway/cli/home.h"
#include "tests/bench/messages.h"
#include "tests/support/test_certificates.h"

/// What each step of a message costs by itself, on one thread.

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

/// EDI of so many octets, in memory as long as a gateway would keep it there.
Slice content(std::int64_t size = kSize) {
  constexpr std::size_t kPart = std::size_t{1} << 20;
  static std::map<std::int64_t, Slice> made;
  Slice& slice = made[size];
  if (!slice.empty()) return slice;
  const auto spool = std::make_shared<Spool>(SpoolArea{"/var/tmp"});
  auto left = static_cast<std::size_t>(size);
  for (std::size_t i = 0; left > 0; ++i) {
    Bytes part = bench::edi(std::min(kPart, left), i);
    part.resize(std::min(kPart, left));
    require(spool->write(part));
    left -= part.size();
  }
  return slice = Spool::finish(spool);
}

/// 1 KB to 100 MB.
void sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgName("octets");
  for (const std::int64_t size : {1'024, 10'240, 1'048'576, 104'857'600}) bench->Arg(size);
}

void count_octets(benchmark::State& state) {
  state.SetBytesProcessed(state.range(0) * static_cast<std::int64_t>(state.iterations()));
}

/// Takes octets and does nothing with them.
class Nowhere final : public Sink {
 public:
  Result<> write(ByteView /*bytes*/) override { return {}; }
};

/// What an operation makes of octets, to be read again.
template <class Operation>
Slice made_by(const Operation& operation) {
  const auto spool = std::make_shared<Spool>(SpoolArea{"/var/tmp"});
  require(operation(*spool));
  return Spool::finish(spool);
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

// ---- MIME

void read_an_entity(benchmark::State& state) {
  std::string text =
      "Content-Type: application/EDIFACT\r\nContent-Transfer-Encoding: binary\r\n"
      "Content-Disposition: attachment; filename=\"orders.edi\"\r\n\r\n";
  text += as_text(content().in_memory().value());
  const Slice slice = Slice::of(std::string_view(text));
  for (auto _ : state) benchmark::DoNotOptimize(as2::mime::read_entity(slice).value());
}
BENCHMARK(read_an_entity);

void split_a_signed_body(benchmark::State& state) {
  const auto spool = std::make_shared<Spool>(SpoolArea{"/var/tmp"});
  require(spool->write(as_bytes("--b\r\nContent-Type: application/EDIFACT\r\n\r\n")));
  require(content(state.range(0)).copy_to(*spool));
  require(spool->write(as_bytes("\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\n" +
                                base64_lines(random_bytes(1500)) + "\r\n--b--\r\n")));
  const Slice body = Spool::finish(spool);
  for (auto _ : state) benchmark::DoNotOptimize(as2::mime::split_signed(body, "b").value());
  count_octets(state);
}
BENCHMARK(split_a_signed_body)->Apply(sizes);

void mic(benchmark::State& state) {
  const Slice octets = content(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(digest(Hash::Sha256, octets).value());
  count_octets(state);
}
BENCHMARK(mic)->Apply(sizes);

// ---- CMS

void sign(benchmark::State& state) {
  const Slice octets = content(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(as2::cms::sign_detached(octets, party(), {}).value());
  count_octets(state);
}
BENCHMARK(sign)->Apply(sizes);

void verify(benchmark::State& state) {
  const Slice octets = content(state.range(0));
  const Bytes signature = as2::cms::sign_detached(octets, party(), {}).value();
  const std::vector<certstore::Certificate> accepted = {party().certificate};
  for (auto _ : state)
    benchmark::DoNotOptimize(as2::cms::verify_detached(signature, octets, accepted, {}).value());
  count_octets(state);
}
BENCHMARK(verify)->Apply(sizes);

Result<> encrypt_into(Sink& out, const Slice& octets, as2::cms::ContentCipher cipher) {
  SliceSource source(octets);
  return as2::cms::encrypt(source, std::vector{party().certificate}, {.cipher = cipher}, out);
}

template <as2::cms::ContentCipher kCipher>
void encrypt(benchmark::State& state) {
  const Slice octets = content(state.range(0));
  Nowhere nowhere;
  for (auto _ : state) require(encrypt_into(nowhere, octets, kCipher));
  count_octets(state);
}
BENCHMARK_TEMPLATE(encrypt, as2::cms::ContentCipher::Aes256Cbc)->Name("encrypt_cbc")->Apply(sizes);
BENCHMARK_TEMPLATE(encrypt, as2::cms::ContentCipher::Aes256Gcm)->Name("encrypt_gcm")->Apply(sizes);

template <as2::cms::ContentCipher kCipher>
void decrypt(benchmark::State& state) {
  const Slice octets = content(state.range(0));
  const Slice message = made_by([&](Sink& out) { return encrypt_into(out, octets, kCipher); });
  const std::vector ours = {party()};
  Nowhere nowhere;
  for (auto _ : state) benchmark::DoNotOptimize(as2::cms::decrypt(message, ours, {}, nowhere).value());
  count_octets(state);
}
BENCHMARK_TEMPLATE(decrypt, as2::cms::ContentCipher::Aes256Cbc)->Name("decrypt_cbc")->Apply(sizes);
BENCHMARK_TEMPLATE(decrypt, as2::cms::ContentCipher::Aes256Gcm)->Name("decrypt_gcm")->Apply(sizes);

Result<> compress_into(Sink& out, const Slice& octets) {
  SliceSource source(octets);
  return as2::cms::compress(source, out);
}

void compress(benchmark::State& state) {
  const Slice octets = content(state.range(0));
  Nowhere nowhere;
  for (auto _ : state) require(compress_into(nowhere, octets));
  count_octets(state);
}
BENCHMARK(compress)->Apply(sizes);

void decompress(benchmark::State& state) {
  const Slice octets = content(state.range(0));
  const Slice message = made_by([&](Sink& out) { return compress_into(out, octets); });
  Nowhere nowhere;
  for (auto _ : state)
    if (!as2::cms::decompress(message, {}, nowhere)) std::exit(1);
  count_octets(state);
}
BENCHMARK(decompress)->Apply(sizes);

// ---- Receipts

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

void sign_a_receipt(benchmark::State& state) {
  const as2::MdnContent content = receipt();
  const as2::ReceiptSettings settings{.signer = party(), .spool = {"/var/tmp"}};
  for (auto _ : state) benchmark::DoNotOptimize(as2::make_receipt(content, settings).value());
}
BENCHMARK(sign_a_receipt);

void check_a_receipt(benchmark::State& state) {
  const as2::MdnContent content = receipt();
  const as2::Receipt made = as2::make_receipt(content, {.signer = party(), .spool = {"/var/tmp"}}).value();
  const Slice body = Slice::of(made.body);
  as2::ReceiptExpectation expected{*content.original_message_id, content.mic};
  expected.signers = {party().certificate};
  expected.now = SystemClock().now();
  expected.spool = {"/var/tmp"};
  for (auto _ : state)
    if (!as2::check_receipt(made.headers, body, expected).proves_delivery) std::exit(1);
}
BENCHMARK(check_a_receipt);

// ---- Agreements, vault, store

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
