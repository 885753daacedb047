#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "as2/mime/headers.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/stream.h"
#include "certstore/x509/key_handle.h"

/// The way out: one POST to a partner.

namespace signet::gateway {

/// Whom a TLS connection may end at.
struct TlsTrust {
  enum class Kind {
    System,       ///< a chain to one of the machine's certificate authorities
    Authorities,  ///< a chain to one of `certificates`
    Pinned,  ///< the server's own certificate is one of `certificates`, octet by octet; whoever signed it
  };
  Kind kind = Kind::System;
  std::vector<certstore::Certificate> certificates;
  bool ignore_name_mismatch = false;  ///< accept a certificate that does not name the URL's host
};

/// RFC 7617. Sent at once, without waiting to be asked.
struct BasicCredentials {
  std::string user;  ///< without ":"
  SecretBytes password;
};

struct HttpPost {
  std::string url;             ///< http or https; no user, password or fragment in it
  as2::mime::Headers headers;  ///< Host, Content-Length, Transfer-Encoding, Connection and Expect are the
                               ///< client's own business
  Slice body;                  ///< streamed; its Content-Length is always sent, never chunks

  std::chrono::milliseconds connect_timeout{15'000};  ///< name, TCP and TLS
  std::chrono::milliseconds total_timeout{300'000};   ///< from start to the answer's last octet

  TlsTrust trust;
  std::optional<certstore::PrivateCertificate>
      client_certificate;  ///< shown when the server asks; its key may be the vault's
  std::vector<certstore::Certificate> client_chain;  ///< intermediates sent with it
  std::optional<BasicCredentials> basic;

  std::uint64_t answer_limit = 16 * 1024 * 1024;  ///< octets of the answer's body
  bool expect_continue = false;                   ///< ask before sending the body
};

struct HttpAnswer {
  int status = 0;
  as2::mime::Headers headers;  ///< of the final answer, folds replaced by one space
  Slice body;
};

/// Posts to partners. Safe to use from several threads at once: each thread borrows a connection pool of its
/// own, so that keep-alive works and no two posts wait for each other.
///
/// Never follows a redirect (the 3xx is the answer), never uses a proxy of the environment, speaks nothing
/// but http and https.
class HttpClient {
 public:
  HttpClient();
  /// `spool` is where large answers go.
  explicit HttpClient(SpoolArea spool);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Sends one request and waits for its answer; any status is an answer, not an error.
  ///
  /// @error InvalidInput   a URL, header or credential that cannot be sent (a CR, LF or NUL in it, another
  /// scheme, ...).
  /// @error Unavailable    no such host, refused, reset, too slow: worth trying again.
  /// @error CryptoFailure  TLS failed, and why: which certificate came and what is wrong with it. Nothing was
  /// sent.
  /// @error LimitExceeded  an answer beyond answer_limit, or a head beyond 64 KiB.
  /// @error IoFailure      our own disk, reading the body or keeping the answer.
  Result<HttpAnswer> post(const HttpPost& post);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace signet::gateway
