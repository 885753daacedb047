#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "as2/mime/headers.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/stream.h"
#include "certstore/x509/key_handle.h"
#include "gateway/endpoint/basic_credentials.h"
#include "gateway/endpoint/post_fault.h"
#include "gateway/endpoint/tls_rules.h"

/// The way out: one POST to a partner, or one GET.

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

/// The server that a TLS connection has ended at, once it is trusted.
struct TlsServer {
  certstore::Certificate certificate;
  /// That vouch for it, by a chain that was verified: its own issuer first, the one that is trusted last.
  /// None of one that is pinned.
  std::vector<certstore::Certificate> issuers;
};

/// Why a server that is trusted gets nothing all the same.
struct ServerRefusal {
  PostFault fault;
  std::string text;  ///< for the operator
};

/// The parts of an http or https URL that tell where it leads.
struct UrlParts {
  std::string scheme;  ///< "http" or "https"
  std::string host;    ///< lower case; of a numeric IPv6 address without its brackets
  std::uint16_t port = 0;
  std::string path;  ///< "/" at least, dot segments resolved; without query
};

/// @error InvalidInput  no absolute http or https URL, or one with a user, a password or a fragment.
Result<UrlParts> parse_url(std::string_view url);

/// A URL for logs and error texts: printable, without user and password, and without its query, where secrets
/// travel too.
std::string url_for_people(std::string_view url);

struct HttpPost {
  std::string url;             ///< http or https; no user, password or fragment in it
  as2::mime::Headers headers;  ///< Host, Content-Length, Transfer-Encoding, Connection and Expect are the
                               ///< client's own business
  Slice body;                  ///< streamed; its Content-Length is always sent, never chunks

  std::chrono::milliseconds connect_timeout{15'000};  ///< name, TCP and TLS
  std::chrono::milliseconds total_timeout{300'000};   ///< from start to the answer's last octet

  TlsTrust trust;
  TlsVersion minimum_tls = TlsVersion::Tls12;
  std::optional<certstore::PrivateCertificate>
      client_certificate;  ///< shown when the server asks; its key may be the vault's
  std::vector<certstore::Certificate> client_chain;  ///< intermediates sent with it
  std::optional<BasicCredentials> basic;             ///< sent at once, without waiting to be asked

  std::uint64_t answer_limit = 16 * 1024 * 1024;  ///< octets of the answer's body
  bool expect_continue = false;                   ///< ask before sending the body
  bool keep_alive = true;  ///< false: a connection for this post alone, and the server is told so

  /// Asked about the numeric address that the host's name stands for, before that very address is connected
  /// to, by a connection that serves this post alone; unset allows all.
  std::function<bool(std::string_view address)> allows_address;

  /// Asked about an https server that is trusted and has the URL's name, before anything of the request goes
  /// to it, over a connection that is used again too; unset takes all. It must not wait for anything.
  std::function<std::optional<ServerRefusal>(const TlsServer& server)> check_server;
};

/// A question that changes nothing.
struct HttpGet {
  std::string url;             ///< as HttpPost's
  as2::mime::Headers headers;  ///< likewise
  std::chrono::milliseconds connect_timeout{15'000};
  std::chrono::milliseconds total_timeout{300'000};
  TlsTrust trust;
  std::uint64_t answer_limit = 16 * 1024 * 1024;
  std::function<bool(std::string_view address)> allows_address;  ///< as HttpPost's
};

struct HttpAnswer {
  int status = 0;
  as2::mime::Headers headers;  ///< of the final answer, folds replaced by one space
  Slice body;
  std::optional<std::chrono::seconds> retry_after;  ///< RFC 9110 section 10.2.3, whichever way it was said
};

/// Posts to partners. Safe to use from several threads at once: each thread borrows a connection pool of its
/// own, so that keep-alive works and no two posts wait for each other.
///
/// Never follows a redirect (the 3xx is the answer), never uses a proxy of the environment, speaks nothing
/// but http and https, and TLS only as our listeners do: 1.2 and 1.3, forward secrecy, authenticated
/// encryption.
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
  /// @error CryptoFailure  TLS failed. The text begins with the word of a PostFault (post_fault.h), and says
  ///                       which certificate came and what is wrong with it, or what the server says is wrong
  ///                       with ours. Nothing was sent to anybody who is not trusted.
  /// @error LimitExceeded  an answer beyond answer_limit, or a head beyond 64 KiB.
  /// @error IoFailure      our own disk, reading the body or keeping the answer.
  Result<HttpAnswer> post(const HttpPost& post);
  /// The same with GET.
  Result<HttpAnswer> get(const HttpGet& get);

  /// Breaks off every post, and lets no other begin: they end as Unavailable. For the end of the process.
  /// Idempotent.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace signet::gateway
