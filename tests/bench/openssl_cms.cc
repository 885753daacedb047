#include <fmt/format.h>
#include <openssl/cms.h>

#include <algorithm>

#include "base/file.h"
#include "base/openssl.h"
#include "tests/bench/arithmetic.h"
#include "tests/bench/bench.h"
#include "tests/bench/messages.h"
#include "tests/bench/process.h"
#include "tests/bench/timing.h"
#include "tests/support/test_certificates.h"

/// What the same work costs who writes it with OpenSSL's CMS functions and its command: decrypt, verify, sign
/// a receipt. No HTTP, no store, no hand-over, no agreement, no vault.

namespace signet::bench {
namespace {

// Not CMS_BINARY: OpenSSL 3.0 cuts a multipart/signed wrongly then. All lines of ours end in CRLF.
constexpr unsigned kVerify = CMS_NO_SIGNER_CERT_VERIFY;
constexpr unsigned kSign = CMS_BINARY | CMS_DETACHED;

struct Parties {
  certstore::PrivateCertificate receiver = test::make_certificate({.common_name = "CMS receiver"});
  certstore::PrivateCertificate sender = test::make_certificate({.common_name = "CMS sender"});
};

BioPtr memory() { return BioPtr(BIO_new(BIO_s_mem())); }

Error failure(const char* doing) { return take_openssl_error(ErrorKind::CryptoFailure, doing); }

/// Opens a message and makes a signed receipt for it.
Result<> receive(const Parties& parties, ByteView body, ByteView report) {
  const BioPtr in = borrow_as_bio(body);
  const CmsPtr enveloped(d2i_CMS_bio(in.get(), nullptr));
  const BioPtr opened = memory();
  if (!enveloped ||
      CMS_decrypt(enveloped.get(), parties.receiver.key.native(), parties.receiver.certificate.native(),
                  nullptr, opened.get(), CMS_BINARY) != 1)
    return fail(failure("decrypting by CMS_decrypt"));
  BIO* content = nullptr;
  const CmsPtr signature(SMIME_read_CMS(opened.get(), &content));
  const BioPtr owner(content);
  const BioPtr payload = memory();
  if (!signature || CMS_verify(signature.get(), nullptr, nullptr, content, payload.get(), kVerify) != 1)
    return fail(failure("verifying by CMS_verify"));
  const BioPtr text = borrow_as_bio(report);
  const CmsPtr receipt(CMS_sign(parties.receiver.certificate.native(), parties.receiver.key.native(), nullptr,
                                text.get(), kSign));
  const BioPtr out = memory();
  if (!receipt || i2d_CMS_bio(out.get(), receipt.get()) != 1)
    return fail(failure("signing a receipt by CMS_sign"));
  return {};
}

Result<> small(Bench& bench, const Parties& parties, const Sender& sender) {
  say("small messages by OpenSSL's CMS functions");
  SIGNET_TRY(const Prepared message, sender.prepare(Slice::of(edi(kSmallSize, 1))));
  SIGNET_TRY(const Bytes body, message.body.to_bytes(1 << 20));
  const Bytes report(900, 'r');
  const auto seconds = bench.quick_or(1.5, 5.0);
  SIGNET_TRY(const SmallFloor before,
             small_floor(Way::Inbound, MessageSizes::of_body(body.size()), cores(), seconds / 3));
  SIGNET_TRY(const Repeated received, repeat_on_threads(cores(), seconds, [&](std::size_t) {
               return receive(parties, body, report);
             }));
  SIGNET_TRY(const SmallFloor after,
             small_floor(Way::Inbound, MessageSizes::of_body(body.size()), cores(), seconds / 3));
  const SmallFloor floor = SmallFloor::between(before, after);
  const double rate = received.per_second();
  bench.figures.row_with_floor("openssl_cms.messages_per_second",
                               "10 KB decrypted, verified, and a receipt signed, per second", rate, "/s",
                               floor.per_second, rate / floor.per_second);
  bench.figures.keep("openssl_cms.floor_ratio", rate / floor.per_second);
  return {};
}

/// The command, as a script would use it: one process decrypts, another one verifies.
Result<> large(Bench& bench, const Parties& parties, const Sender& sender) {
  constexpr const char* kOpenssl = "/usr/bin/openssl";
  const std::uint64_t mib = bench.quick_or<std::uint64_t>(100, 256);
  say(fmt::format("{} MiB by openssl cms", mib));
  SIGNET_TRY(const Slice payload, large_edi(mib, bench.spool));
  SIGNET_TRY(const Prepared message, sender.prepare(payload));
  SIGNET_TRY(
      const LargeFloor floor,
      large_floor(Way::Inbound, {message.body.size(), payload.size(), payload.size()}, bench.directory));
  const auto path = [&](const char* name) { return (bench.directory / name).string(); };
  SIGNET_CHECK(message.body.save_as(path("message.p7m")));
  SIGNET_CHECK(write_file_durably(path("key.pem"), as_bytes(test::private_key_pem(parties.receiver.key))));
  SIGNET_CHECK(write_file_durably(path("receiver.pem"), as_bytes(parties.receiver.certificate.pem())));
  SIGNET_CHECK(write_file_durably(path("sender.pem"), as_bytes(parties.sender.certificate.pem())));
  SIGNET_TRY(const Ended decrypted,
             run({kOpenssl, "cms", "-decrypt", "-binary", "-inform", "DER", "-in", path("message.p7m"),
                  "-recip", path("receiver.pem"), "-inkey", path("key.pem"), "-out", path("opened")}));
  SIGNET_TRY(const Ended verified,
             run({kOpenssl, "cms", "-verify", "-in", path("opened"), "-certfile", path("sender.pem"),
                  "-CAfile", path("sender.pem"), "-out", path("payload")}));
  const double seconds = decrypted.seconds + verified.seconds;
  bench.figures.row_with_floor("openssl_cms.large.seconds",
                               fmt::format("{} MiB by openssl cms -decrypt and -verify: time", mib), seconds,
                               "s", floor.seconds(), seconds / floor.seconds());
  bench.figures.keep("openssl_cms.large.time_ratio", seconds / floor.seconds());
  bench.figures.row("openssl_cms.large.peak_mib", "  peak memory",
                    std::max(decrypted.peak_mib, verified.peak_mib), "MiB");
  return {};
}

}  // namespace

Result<> measure_openssl_cms(Bench& bench) {
  const Parties parties;
  const Sender sender("BenchPartner", parties.sender, parties.receiver.certificate, "BenchReceiver",
                      bench.spool);
  bench.figures.section("OpenSSL's CMS alone: no HTTP, no store, no hand-over");
  SIGNET_CHECK(small(bench, parties, sender));
  return large(bench, parties, sender);
}

}  // namespace signet::bench
