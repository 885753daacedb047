#include "tests/bench/trade.h"

#include <fmt/format.h>
#include <openssl/x509.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/openssl.h"
#include "tests/support/test_certificates.h"

namespace signet::bench {
namespace {

constexpr std::size_t kPreparedMessages = 400;

/// A certificate like another one, for another name.
certstore::Certificate copy_for(const std::string& name, const certstore::Certificate& model,
                                const certstore::PrivateCertificate& issuer) {
  const X509Ptr copy(X509_dup(model.native()));
  X509_NAME* subject = X509_get_subject_name(copy.get());
  X509_NAME_delete_entry(subject, 0);
  const ByteView text = as_bytes(name);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text.data(), static_cast<int>(text.size()), -1, 0);
  X509_set_issuer_name(copy.get(), X509_get_subject_name(issuer.certificate.native()));
  X509_sign(copy.get(), issuer.key.native(), EVP_sha256());
  unsigned char* der = nullptr;
  const int size = i2d_X509(copy.get(), &der);
  const OpensslMemory owner(der);
  return certstore::Certificate::parse(ByteView(der, static_cast<std::size_t>(size))).value();
}

}  // namespace

std::string partner_name(std::size_t number) { return fmt::format("Partner{:05}", number); }

std::vector<std::pair<std::string, certstore::PrivateCertificate>> make_partners(std::size_t count) {
  const auto model = test::make_certificate({.common_name = "Bench Partner"});
  // An issuer by ECDSA signs ten thousand of them in a second.
  const auto issuer =
      test::make_certificate({.common_name = "Bench CA", .key = "ec:P-256", .authority = true});
  std::vector<std::pair<std::string, certstore::PrivateCertificate>> partners;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = partner_name(i);
    partners.emplace_back(
        name, certstore::PrivateCertificate{copy_for(name, model.certificate, issuer), model.key});
  }
  return partners;
}

Result<std::unique_ptr<Trade>> Trade::make(const Bench& bench, const std::string& directory,
                                           std::size_t senders, const Layers& demanded,
                                           std::vector<Partner> others) {
  auto trade = std::make_unique<Trade>();
  SIGNET_TRY(trade->receiver_,
             Company::make(bench.options.signet, bench.directory / directory, "BenchReceiver"));
  Company& receiver = *trade->receiver_;
  const auto partners = make_partners(senders);
  std::vector<Partner>& guests = trade->guests_;
  for (const auto& [name, own] : partners)
    guests.emplace_back(Partner{name, own.certificate}).demanded = demanded;
  guests.insert(guests.end(), std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
  SIGNET_CHECK(trade->agree());

  // Spread evenly over all of them.
  const std::size_t stride = std::max<std::size_t>(1, partners.size() / kPreparedMessages);
  for (std::size_t i = 0; i < kPreparedMessages; ++i) {
    const auto& [name, own] = partners[i * stride % partners.size()];
    Sender sender(name, own, receiver.certificate(), receiver.name(), bench.spool);
    SIGNET_TRY(Prepared message, sender.prepare(Slice::of(edi(kSmallSize, i))));
    trade->small_.push_back(std::move(message));
    if (i == 0) trade->sender_ = std::move(sender);
  }
  return trade;
}

Result<> Trade::agree() {
  SIGNET_TRY(apply_seconds_, receiver_->trade_with(guests_));
  return {};
}

Result<LoadResult> Trade::send_small(std::size_t connections, double seconds) {
  SIGNET_TRY(LoadResult load, send_many(receiver_->port(), small_, connections, seconds));
  sent_ += load.messages();
  SIGNET_CHECK(check(load, small_));
  return load;
}

Result<double> Trade::first_answer() {
  SIGNET_TRY(const LoadResult load, send_large(small_.front()));
  return receiver_->start_seconds() + load.seconds;
}

Result<LoadResult> Trade::send_large(const Prepared& message, Framing framing) {
  SIGNET_TRY(LoadResult load, send_one(receiver_->port(), message, framing));
  ++sent_;
  SIGNET_CHECK(check(load, {message}));
  return load;
}

Result<> Trade::check(const LoadResult& load, const std::vector<Prepared>& messages) const {
  for (const Sample& sample : load.samples) {
    auto checked = sender().check_receipt(sample.answer, sample.message_id, messages[sample.message].mic);
    if (!checked) return fail(std::move(checked).error().within("the receipt for " + sample.message_id));
  }
  return {};
}

}  // namespace signet::bench
