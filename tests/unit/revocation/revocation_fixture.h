#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gateway/exchange/account_snapshot.h"
#include "gateway/revocation/revocation_store.h"
#include "tests/support/test_crl.h"

namespace signet::gateway {

inline Time moment(const char* text) { return parse_time(text).value(); }
inline const Time kToday = moment("2026-11-21");

/// In memory, with the rules of the one in the database.
class MemoryRevocationStore final : public RevocationStore {
 public:
  Result<std::uint64_t> generation() override {
    return locked([this] { return generation_; });
  }
  Result<std::vector<StoredRevocationList>> lists() override {
    return locked([this] {
      ++reads;
      std::vector<StoredRevocationList> all;
      for (const auto& [key, list] : lists_) all.push_back(list);
      return all;
    });
  }
  Result<Change> put(const StoredRevocationList& list) override {
    const std::lock_guard lock(mutex_);
    const auto before = lists_.find({list.authority, list.scope});
    if (before != lists_.end() && before->second.list == list.list) return Change::Unchanged;
    if (before != lists_.end() && list.list.older_than(before->second.list))
      return fail(ErrorKind::AlreadyExists, "the revocation list at hand is newer");
    lists_.insert_or_assign({list.authority, list.scope}, list);
    ++generation_;
    return Change::Taken;
  }
  Result<> remove(std::string_view authority) override {
    const std::lock_guard lock(mutex_);
    std::erase_if(lists_, [&](const auto& one) { return one.first.first == authority; });
    ++generation_;
    return {};
  }
  Result<std::vector<RevocationSource>> sources() override {
    return locked([this] {
      std::vector<RevocationSource> all;
      for (const auto& [key, source] : sources_) all.push_back(source);
      return all;
    });
  }
  Result<> put_source(const RevocationSource& source) override {
    const std::lock_guard lock(mutex_);
    sources_[{source.authority, source.urls}] = source;
    return {};
  }
  Result<> remove_source(std::string_view authority, std::string_view urls) override {
    const std::lock_guard lock(mutex_);
    sources_.erase({std::string(authority), std::string(urls)});
    return {};
  }

  int reads = 0;

 private:
  template <class F>
  auto locked(F work) -> Result<decltype(work())> {
    const std::lock_guard lock(mutex_);
    return work();
  }

  std::mutex mutex_;
  std::uint64_t generation_ = 0;
  std::map<std::pair<std::string, std::string>, StoredRevocationList> lists_;
  std::map<std::pair<std::string, std::string>, RevocationSource> sources_;
};

/// A root, an authority below it, and Globex' certificate from there; an account that trades with Globex.
class RevocationTest : public testing::Test {
 protected:
  const certstore::PrivateCertificate root_ = test::make_authority("Root");
  const certstore::PrivateCertificate authority_ = test::make_authority("Authority", &root_);
  const certstore::Certificate globex_ = leaf("Globex", "http://crl.example/authority.crl");

  certstore::Certificate leaf(const std::string& name, const std::string& crl_url = "") const {
    return test::make_certificate(
               {.common_name = name, .key = "ec:P-256", .crl_url = crl_url, .issuer = &authority_})
        .certificate;
  }

  /// With these certificates as public ones beside "globex", which is looked up both ways.
  static std::shared_ptr<const AccountSnapshot> account_of(
      const certstore::Certificate& globex, const std::vector<certstore::Certificate>& others,
      agreements::RevocationPolicy policy = agreements::RevocationPolicy::HardFail) {
    agreements::Account account;
    account.partners = {{.name = "us", .business_identities = {{.value = "us"}}},
                        {.name = "globex", .business_identities = {{.value = "globex"}}}};
    account.certificates = {{"globex", globex.der(), {}, {}}};
    for (std::size_t i = 0; i < others.size(); ++i)
      account.certificates.push_back({"other-" + std::to_string(i), others[i].der(), {}, {}});
    agreements::Agreement trade;
    trade.name = "trade";
    trade.host_partner = "us";
    trade.guest_partner = "globex";
    trade.connection.url = "https://globex.example/as2";
    trade.revocation.policy = policy;
    trade.receive_agreement.security_settings.signing_certificate_name = "globex";
    trade.receive_agreement.validation_settings.check_certificate_revocation_list_on_receive = true;
    account.agreements = {trade};
    auto snapshot = AccountSnapshot::build(
        account,
        [](const auto&, const auto&) -> Result<certstore::KeyHandle> {
          return fail(ErrorKind::Internal, "no key is opened here");
        },
        [](const auto&, const auto&) -> Result<SecretBytes> {
          return fail(ErrorKind::Internal, "nor is a secret asked for");
        });
    EXPECT_TRUE(snapshot) << (snapshot ? "" : snapshot.error().detail);
    return *snapshot;
  }

  static StoredRevocationList stored(const certstore::PrivateCertificate& by, certstore::Crl list) {
    return {certstore::key_thumbprint(by.certificate.public_key()), "", std::move(list), "", kToday};
  }
  void put(const certstore::PrivateCertificate& by, const test::CrlSpec& spec = {}) {
    const auto put = store_.put(stored(by, test::make_list(by, spec)));
    ASSERT_TRUE(put) << put.error().detail;
  }

  MemoryRevocationStore store_;
};

}  // namespace signet::gateway
