#include "gateway/endpoint/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <exception>
#include <map>
#include <memory>
#include <mutex>

#include "base/digest.h"
#include "base/failpoint.h"
#include "base/handle.h"
#include "base/openssl.h"
#include "base/wipe_text.h"
#include "gateway/endpoint/tls_context_internal.h"

namespace signet::gateway {
namespace {

using EasyPtr = Handle<CURL, curl_easy_cleanup>;
using UrlPtr = Handle<CURLU, curl_url_cleanup>;
using CurlTextPtr = Handle<char, curl_free>;
using HeaderListPtr = Handle<curl_slist, curl_slist_free_all>;

constexpr std::size_t kMaxAnswerHead = 64 * 1024;
constexpr std::size_t kMaxIdleHandles = 64;
constexpr long kBufferSize = 128 * 1024;
/// Less than peers commonly keep an idle connection, so that we seldom write into one that is just being
/// closed.
constexpr long kMaxIdleSeconds = 30;

/// A handle with its open connections, and what was heard on them.
struct Line {
  const char* alert = nullptr;  ///< the last fatal alert of a server, since somebody looked
  EasyPtr easy{curl_easy_init()};
};

/// Whom a handle's open connections trust and show, as text. libcurl would use a connection again for a post
/// with another trust, since it does not see what our callback decided; so handles are kept apart by this.
std::string connection_kind(const HttpPost& post) {
  std::string kind =
      fmt::format("{}{}", static_cast<int>(post.trust.kind), post.trust.ignore_name_mismatch ? "i" : "n");
  for (const auto& certificate : post.trust.certificates) kind += "/" + certificate.thumbprint_sha256();
  if (post.check_server) kind += "/checked";
  if (post.client_certificate) kind += "/as/" + post.client_certificate->certificate.thumbprint_sha256();
  return kind;
}

bool is_field_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c < 0x7F && std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
  });
}

bool is_clients_own(std::string_view name) {
  for (const std::string_view own : {"Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect",
                                     "Trailer", "TE", "Upgrade", "Keep-Alive"})
    if (equal_ignoring_case(name, own)) return true;
  return false;
}

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

Result<HeaderListPtr> make_header_list(const HttpPost& post) {
  HeaderListPtr list;
  const auto append = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(list.release());
    list.reset(longer);
  };
  for (const auto& field : post.headers) {
    if (!is_field_name(field.name) || has_line_break(field.value))
      return fail(
          ErrorKind::InvalidInput,
          fmt::format("the header '{}' cannot be sent: its name is no token, or its value has a line break",
                      printable(field.name)));
    if (is_clients_own(field.name))
      return fail(ErrorKind::InvalidInput,
                  fmt::format("the header '{}' is not the caller's to set", field.name));
    append(field.value.empty() ? field.name + ";" : field.name + ": " + field.value);
  }
  // What libcurl would add by itself and nobody asked for.
  for (const char* unwanted : {"Accept", "Content-Type"})
    if (!post.headers.has(unwanted)) append(std::string(unwanted) + ":");
  append(post.expect_continue && !post.body.empty() ? "Expect: 100-continue" : "Expect:");
  if (!post.keep_alive) append("Connection: close");
  return list;
}

/// Why TLS failed: the fault, and its description.
using TlsFailure = ServerRefusal;

/// One post under way: what libcurl's callbacks read and write. No exception leaves a callback.
class Exchange {
 public:
  enum class Method { Post, Get };
  Exchange(Method method, const HttpPost& post, const SpoolArea& area, Line& line,
           const std::atomic<bool>& stopping)
      : method_(method), post_(post), line_(line), stopping_(stopping) {
    SpoolArea bounded = area;
    bounded.size_limit = std::min(area.size_limit, post.answer_limit);
    answer_body_ = std::make_shared<Spool>(std::move(bounded));
  }

  Result<HttpAnswer> run();

 private:
  Result<> configure(CURL* easy);
  void configure_tls(CURL* easy);
  void configure_connection(CURL* easy);
  bool keeps_going();
  curl_socket_t open_socket(const curl_sockaddr& target);
  Error error_of(CURL* easy, CURLcode code) const;
  [[nodiscard]] bool head_was_coming(CURL* easy) const;
  TlsFailure tls_failure(CURLcode code, const std::string& libcurl_text) const;
  Result<HttpAnswer> answer(CURL* easy);
  std::string peer() const;

  std::size_t read_body(std::span<std::uint8_t> out);
  std::size_t on_head_line(std::string_view line);
  std::size_t on_answer_body(ByteView octets);
  CURLcode on_tls_context(SSL_CTX* context);
  bool accept_certificate(X509_STORE_CTX* chain);
  bool accept_pinned(X509_STORE_CTX* chain, X509* leaf);
  bool check_server(CURL* easy);

  const Method method_;
  const HttpPost& post_;
  Line& line_;
  const std::atomic<bool>& stopping_;
  HeaderListPtr headers_;
  std::string authorities_pem_;
  char error_text_[CURL_ERROR_SIZE] = {};
  std::uint64_t body_position_ = 0;
  std::string head_;
  bool head_complete_ = false;
  std::shared_ptr<Spool> answer_body_;
  std::optional<Error> failure_;  ///< of one of our callbacks: the cause that libcurl only sees as "aborted"
  std::string peer_certificate_;  ///< the one that the server showed, for the error's text
  std::optional<TlsFailure> certificate_failure_;
  std::string refused_address_;
};

/// Calls a member as a C callback would want it: an exception is a failed call.
template <class Failed, class Call>
auto guarded(Failed failed, Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::exception&) {
    return failed;
  }
}

PostFault fault_of_chain(int verify_error, bool pinned) {
  switch (verify_error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return PostFault::TlsExpired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return PostFault::TlsNotYetValid;
    default:
      return pinned ? PostFault::TlsNotPinned : PostFault::TlsUntrusted;
  }
}

/// The octets where a TLS record should begin are none of TLS. libcurl has emptied OpenSSL's error queue and
/// gives the code in its text alone: "error:0A00010B:SSL routines::wrong version number".
bool is_not_tls(std::string_view libcurl_text) {
  static const std::string kCode =
      fmt::format("error:{:08X}:", ERR_PACK(ERR_LIB_SSL, 0, SSL_R_WRONG_VERSION_NUMBER));
  return libcurl_text.find(kCode) != std::string_view::npos;
}

/// OpenSSL 3.0 does not have all the words of TLS 1.3.
const char* words_of_alert(int value) {
  switch (value & 0xFF) {
    case TLS13_AD_MISSING_EXTENSION:
      return "missing extension";
    case TLS13_AD_CERTIFICATE_REQUIRED:
      return "certificate required";
    default:
      return SSL_alert_desc_string_long(value);
  }
}

/// A server that refuses our certificate says so by an alert, in TLS 1.3 after the handshake.
void note_alert(const SSL* connection, int where, int value) {
  constexpr int kFatal = 2;
  if (where != SSL_CB_READ_ALERT || value >> 8 != kFatal) return;
  auto* line = static_cast<Line*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), 0));
  line->alert = words_of_alert(value);
}

Result<Bytes> der_of(const X509& certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(&certificate, &der);
  const OpensslMemory owner(der);
  if (size <= 0) return fail(take_openssl_error(ErrorKind::Internal, "encoding a server's certificate"));
  return Bytes(der, der + size);
}

/// For people.
std::string describe(const X509& certificate) {
  const auto der = der_of(certificate);
  const Handle<char, free_openssl_memory> subject(
      X509_NAME_oneline(X509_get_subject_name(&certificate), nullptr, 0));
  return fmt::format("{} (SHA-256 {})", printable(subject ? subject.get() : "?"),
                     der ? hex_upper(digest(Hash::Sha256, *der)) : "?");
}

Result<certstore::Certificate> parsed(const X509& certificate) {
  SIGNET_TRY(const Bytes der, der_of(certificate));
  return certstore::Certificate::parse(der);
}

/// What was found in the handshake of a connection.
Result<TlsServer> server_of(const SSL* connection) {
  const X509* leaf = SSL_get0_peer_certificate(connection);
  if (leaf == nullptr) return fail(ErrorKind::CryptoFailure, "the server has shown no certificate");
  SIGNET_TRY(certstore::Certificate certificate, parsed(*leaf));
  TlsServer server{std::move(certificate), {}};
  const STACK_OF(X509)* const chain = SSL_get0_verified_chain(connection);
  for (int i = 1; i < sk_X509_num(chain); ++i) {  // -1 where there is none
    SIGNET_TRY(certstore::Certificate issuer, parsed(*sk_X509_value(chain, i)));
    server.issuers.push_back(std::move(issuer));
  }
  return server;
}

bool is_https(const std::string& url) {
  const auto parts = parse_url(url);
  return parts && parts->scheme == "https";
}

Result<HttpAnswer> Exchange::run() {
  CURL* const easy = line_.easy.get();
  line_.alert = nullptr;
  SIGNET_CHECK(parse_url(post_.url));
  SIGNET_CHECK(configure(easy));
  failpoint("post.send");
  const CURLcode code = curl_easy_perform(easy);
  failpoint("post.answered");
  if (code != CURLE_OK) return fail(error_of(easy, code));
  return answer(easy);
}

Result<> Exchange::configure(CURL* easy) {
  SIGNET_TRY(headers_, make_header_list(post_));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text_);
  curl_easy_setopt(easy, CURLOPT_URL, post_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, kMaxIdleSeconds);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(post_.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(post_.total_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, kBufferSize);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kBufferSize);

  if (method_ == Method::Get) {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  } else {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post_.body.size()));
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  if (!post_.headers.has("User-Agent")) curl_easy_setopt(easy, CURLOPT_USERAGENT, "Signet");

  curl_easy_setopt(easy, CURLOPT_READDATA, this);
  curl_easy_setopt(
      easy, CURLOPT_READFUNCTION,
      +[](char* out, std::size_t size, std::size_t count, void* self) -> std::size_t {
        return guarded(std::size_t{CURL_READFUNC_ABORT}, [&] {
          return static_cast<Exchange*>(self)->read_body(
              {reinterpret_cast<std::uint8_t*>(out), size * count});
        });
      });
  curl_easy_setopt(easy, CURLOPT_SEEKDATA, this);
  curl_easy_setopt(
      easy, CURLOPT_SEEKFUNCTION, +[](void* self, curl_off_t offset, int origin) -> int {
        if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
        static_cast<Exchange*>(self)->body_position_ = static_cast<std::uint64_t>(offset);
        return CURL_SEEKFUNC_OK;
      });
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(
      easy, CURLOPT_HEADERFUNCTION,
      +[](char* line, std::size_t size, std::size_t count, void* self) -> std::size_t {
        return guarded(std::size_t{0}, [&] {
          return static_cast<Exchange*>(self)->on_head_line({line, size * count});
        });
      });
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(
      easy, CURLOPT_WRITEFUNCTION,
      +[](char* octets, std::size_t size, std::size_t count, void* self) -> std::size_t {
        return guarded(std::size_t{0}, [&] {
          return static_cast<Exchange*>(self)->on_answer_body(as_bytes({octets, size * count}));
        });
      });

  if (post_.basic) {
    const std::string_view password = as_text(post_.basic->password.view());
    if (post_.basic->user.find(':') != std::string::npos || has_line_break(post_.basic->user) ||
        has_line_break(password))
      return fail(ErrorKind::InvalidInput,
                  "a user name with ':' in it, or credentials with a line break, cannot be sent");
    std::string text(password);
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(easy, CURLOPT_USERNAME, post_.basic->user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, text.c_str());
    wipe_text(text);
  }
  configure_tls(easy);
  configure_connection(easy);
  return {};
}

/// Whom we connect to, and when we let go.
void Exchange::configure_connection(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
  curl_easy_setopt(
      easy, CURLOPT_XFERINFOFUNCTION, +[](void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) -> int {
        return guarded(1, [&] { return static_cast<Exchange*>(self)->keeps_going() ? 0 : 1; });
      });
  if (!post_.keep_alive || post_.allows_address) {
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  }
  if (!post_.allows_address) return;
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(
      easy, CURLOPT_OPENSOCKETFUNCTION,
      +[](void* self, curlsocktype, curl_sockaddr* target) -> curl_socket_t {
        return guarded(curl_socket_t{CURL_SOCKET_BAD},
                       [&] { return static_cast<Exchange*>(self)->open_socket(*target); });
      });
}

bool Exchange::keeps_going() {
  if (!stopping_) return true;
  failure_ = Error{ErrorKind::Unavailable, "the gateway is stopping"};
  return false;
}

/// libcurl connects this socket to this very address: a name that stands for another one the next time
/// changes nothing.
curl_socket_t Exchange::open_socket(const curl_sockaddr& target) {
  char numeric[NI_MAXHOST] = {};
  if (::getnameinfo(&target.addr, target.addrlen, numeric, sizeof numeric, nullptr, 0, NI_NUMERICHOST) != 0 ||
      !post_.allows_address(numeric)) {
    refused_address_ = numeric;
    return CURL_SOCKET_BAD;
  }
  return ::socket(target.family, target.socktype | SOCK_CLOEXEC, target.protocol);
}

void Exchange::configure_tls(CURL* easy) {
  // libcurl keeps connections apart by this; what we agree to, on_tls_context() says.
  curl_easy_setopt(easy, CURLOPT_SSLVERSION,
                   post_.minimum_tls == TlsVersion::Tls13 ? static_cast<long>(CURL_SSLVERSION_TLSv1_3)
                                                          : static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, post_.trust.ignore_name_mismatch ? 0L : 2L);
  if (post_.trust.kind != TlsTrust::Kind::System) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, nullptr);
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  if (post_.trust.kind == TlsTrust::Kind::Authorities) {
    authorities_pem_ = to_pem(post_.trust.certificates);
    curl_blob blob{authorities_pem_.data(), authorities_pem_.size(), CURL_BLOB_NOCOPY};
    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
  }
  if (post_.check_server) {
    // A session that is resumed shows no chain.
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
    curl_easy_setopt(
        easy, CURLOPT_PREREQFUNCTION, +[](void* self, char*, char*, int, int) -> int {
          return guarded(CURL_PREREQFUNC_ABORT, [&] {
            auto* exchange = static_cast<Exchange*>(self);
            return exchange->check_server(exchange->line_.easy.get()) ? CURL_PREREQFUNC_OK
                                                                      : CURL_PREREQFUNC_ABORT;
          });
        });
  }
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, this);
  curl_easy_setopt(
      easy, CURLOPT_SSL_CTX_FUNCTION, +[](CURL*, void* context, void* self) -> CURLcode {
        return guarded(CURLE_OUT_OF_MEMORY, [&] {
          return static_cast<Exchange*>(self)->on_tls_context(static_cast<SSL_CTX*>(context));
        });
      });
}

std::size_t Exchange::read_body(std::span<std::uint8_t> out) {
  const Result<std::size_t> got = post_.body.read_at(body_position_, out);
  if (!got) {
    failure_ = got.error();
    return CURL_READFUNC_ABORT;
  }
  body_position_ += *got;
  return *got;
}

Error head_too_long() {
  return Error{ErrorKind::LimitExceeded,
               fmt::format("the answer's head is longer than {} octets", kMaxAnswerHead)};
}

/// Whether the server has begun to answer, and the head of its answer has no end yet.
bool Exchange::head_was_coming(CURL* easy) const {
  curl_off_t first_octet = 0;
  curl_easy_getinfo(easy, CURLINFO_STARTTRANSFER_TIME_T, &first_octet);
  return first_octet > 0 && !head_complete_;
}

/// One line of a head with its end. Every interim answer has a head of its own, and trailers come by this way
/// too.
std::size_t Exchange::on_head_line(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    head_.clear();
    head_complete_ = false;
    return line.size();
  }
  if (head_complete_) return line.size();
  if (head_.size() + line.size() > kMaxAnswerHead) {
    failure_ = head_too_long();
    return 0;
  }
  head_ += line;
  head_complete_ = trim(line).empty();
  return line.size();
}

std::size_t Exchange::on_answer_body(ByteView octets) {
  const Result<> written = answer_body_->write(octets);
  if (written) return octets.size();
  failure_ = Error(written.error()).within("keeping the answer");
  return 0;
}

CURLcode Exchange::on_tls_context(SSL_CTX* context) {
  if (const Result<> hardened = harden(context, {post_.minimum_tls, {}}); !hardened) {
    failure_ = hardened.error();
    return CURLE_SSL_CONNECT_ERROR;
  }
  // These outlive this post, as its connection does.
  SSL_CTX_set_ex_data(context, 0, &line_);
  SSL_CTX_set_info_callback(context, note_alert);
  SSL_CTX_set_cert_verify_callback(
      context,
      [](X509_STORE_CTX* chain, void* self) -> int {
        return guarded(0, [&] { return static_cast<Exchange*>(self)->accept_certificate(chain) ? 1 : 0; });
      },
      this);
  if (!post_.client_certificate) return CURLE_OK;
  if (const Result<> presented = present(context, *post_.client_certificate, post_.client_chain);
      !presented) {
    failure_ = presented.error();
    return CURLE_SSL_CERTPROBLEM;
  }
  return CURLE_OK;
}

/// The server's chain; the host's name is libcurl's to compare. What is found is kept for the error's text.
bool Exchange::accept_certificate(X509_STORE_CTX* chain) {
  X509* leaf = X509_STORE_CTX_get0_cert(chain);
  if (leaf == nullptr) return false;
  peer_certificate_ = describe(*leaf);

  const bool pinned = post_.trust.kind == TlsTrust::Kind::Pinned;
  const bool accepted = pinned ? accept_pinned(chain, leaf) : X509_verify_cert(chain) == 1;
  if (!accepted) {
    const int error = X509_STORE_CTX_get_error(chain);
    const PostFault fault = fault_of_chain(error, pinned);
    certificate_failure_ = TlsFailure{fault, fault == PostFault::TlsNotPinned
                                                 ? "the certificate is none of those pinned for this partner"
                                                 : X509_verify_cert_error_string(error)};
  }
  ERR_clear_error();
  return accepted;
}

bool Exchange::accept_pinned(X509_STORE_CTX* chain, X509* leaf) {
  const auto is_leaf = [leaf](const certstore::Certificate& pinned) {
    return X509_cmp(pinned.native(), leaf) == 0;
  };
  int error = X509_V_OK;
  if (std::none_of(post_.trust.certificates.begin(), post_.trust.certificates.end(), is_leaf)) {
    error = X509_V_ERR_CERT_UNTRUSTED;
  } else if (X509_cmp_current_time(X509_get0_notAfter(leaf)) <= 0) {
    error = X509_V_ERR_CERT_HAS_EXPIRED;
  } else if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0) {
    error = X509_V_ERR_CERT_NOT_YET_VALID;
  }
  X509_STORE_CTX_set_error(chain, error);
  return error == X509_V_OK;
}

/// Whether the request may go over this connection, a new one or one that is used again.
bool Exchange::check_server(CURL* easy) {
  const curl_tlssessioninfo* session = nullptr;
  if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || session == nullptr ||
      session->internals == nullptr)
    return !is_https(post_.url);
  auto shown = server_of(static_cast<const SSL*>(session->internals));
  if (!shown) {
    failure_ = std::move(shown).error();
    return false;
  }
  auto refusal = post_.check_server(*shown);
  if (!refusal) return true;
  peer_certificate_ = describe(*shown->certificate.native());
  certificate_failure_ = TlsFailure{refusal->fault, std::move(refusal->text)};
  return false;
}

std::string Exchange::peer() const {
  return peer_certificate_.empty() ? std::string()
                                   : fmt::format("; the server's certificate is {}", peer_certificate_);
}

/// Our own verdict over the certificate goes before what came of it. Where the chain was accepted, libcurl
/// has nothing left to compare but the name.
TlsFailure Exchange::tls_failure(CURLcode code, const std::string& libcurl_text) const {
  if (certificate_failure_) return *certificate_failure_;
  if (line_.alert != nullptr)
    return {PostFault::TlsRefusedByPeer, fmt::format("the server refuses with the alert '{}'", line_.alert)};
  if (code == CURLE_PEER_FAILED_VERIFICATION) return {PostFault::TlsNameMismatch, libcurl_text};
  if (code == CURLE_SSL_CACERT_BADFILE)  // there is no authority that could vouch
    return {PostFault::TlsUntrusted, libcurl_text};
  if (is_not_tls(libcurl_text))
    return {PostFault::TlsNotSpoken,
            fmt::format("what answers there does not speak TLS ({}): is it an http server?", libcurl_text)};
  return {PostFault::TlsFailed, libcurl_text};
}

Error Exchange::error_of(CURL* easy, CURLcode code) const {
  const std::string doing =
      fmt::format("{} {}", method_ == Method::Post ? "posting to" : "asking", printable(post_.url));
  if (failure_) return Error(*failure_).within(doing);
  if (!refused_address_.empty() && code == CURLE_COULDNT_CONNECT)
    return Error{
        ErrorKind::PermissionDenied,
        fmt::format("{}: its host's name stands for {}, which is not allowed", doing, refused_address_)};
  const std::string why = error_text_[0] != '\0' ? printable(error_text_, 400) : curl_easy_strerror(code);
  const auto told = [&](ErrorKind kind) { return Error{kind, fmt::format("{}: {}", doing, why)}; };
  const auto tls_failed = [&] {
    const auto [fault, text] = tls_failure(code, why);
    return Error{ErrorKind::CryptoFailure,
                 fmt::format("{}: {}: {}{}", to_string(fault), printable(post_.url), text, peer())};
  };
  if (line_.alert != nullptr || (certificate_failure_ && code == CURLE_ABORTED_BY_CALLBACK))
    return tls_failed();
  // libcurl has some 90 codes; those that are not here are mistakes of ours.
  long os_error = 0;
  const int number = code;
  switch (number) {
    case CURLE_URL_MALFORMAT:
      return told(ErrorKind::InvalidInput);
    case CURLE_OUT_OF_MEMORY:  // also what libcurl calls a single line of a head that is more than it takes
      return head_was_coming(easy) ? head_too_long().within(doing) : told(ErrorKind::Internal);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:  // the server's: what it says is no HTTP, or HTTP/0.9
    case CURLE_CHUNK_FAILED:
    case CURLE_HTTP2:
      return told(ErrorKind::Unavailable);
    case CURLE_SSL_CONNECT_ERROR:
      // A connection that broke in the middle of the handshake is a broken connection.
      curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
      return os_error != 0 ? told(ErrorKind::Unavailable) : tls_failed();
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return tls_failed();
    default:
      return told(ErrorKind::Internal);
  }
}

Result<HttpAnswer> Exchange::answer(CURL* easy) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  auto head = as2::mime::parse_headers(head_);
  if (!head)
    return fail(ErrorKind::Unavailable, fmt::format("the answer of {} cannot be read: {}",
                                                    printable(post_.url), head.error().detail));
  HttpAnswer answer;
  answer.status = static_cast<int>(status);
  answer.headers = std::move(head->headers);
  answer.body = Spool::finish(std::move(answer_body_));
  curl_off_t retry_after = 0;
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
  if (retry_after > 0) answer.retry_after = std::chrono::seconds(retry_after);
  return answer;
}

}  // namespace

/// Handles that are not in use, with their open connections.
class HttpClient::Impl {
 public:
  explicit Impl(SpoolArea area) : area_(std::move(area)) {
    static const CURLcode kInitialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    static_cast<void>(kInitialised);
  }

  void stop() { stopping_ = true; }

  Result<HttpAnswer> exchange(Exchange::Method method, const HttpPost& post) {
    const std::string kind = connection_kind(post);
    std::unique_ptr<Line> line = borrow(kind);
    if (!line->easy) return fail(ErrorKind::Internal, "libcurl gives no handle");
    auto answer = Exchange(method, post, area_, *line, stopping_).run();
    curl_easy_reset(line->easy.get());  // forgets everything but its connections
    give_back(kind, std::move(line));
    return answer;
  }

 private:
  std::unique_ptr<Line> borrow(const std::string& kind) {
    const std::lock_guard lock(mutex_);
    const auto idle = idle_.find(kind);
    if (idle == idle_.end()) return std::make_unique<Line>();
    std::unique_ptr<Line> line = std::move(idle->second);
    idle_.erase(idle);
    return line;
  }

  void give_back(const std::string& kind, std::unique_ptr<Line> line) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() >= kMaxIdleHandles) idle_.erase(idle_.begin());
    idle_.emplace(kind, std::move(line));
  }

  const SpoolArea area_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::multimap<std::string, std::unique_ptr<Line>> idle_;
};

HttpClient::HttpClient() : HttpClient(SpoolArea{std::filesystem::temp_directory_path()}) {}
HttpClient::HttpClient(SpoolArea spool) : impl_(std::make_unique<Impl>(std::move(spool))) {}
HttpClient::~HttpClient() = default;

Result<HttpAnswer> HttpClient::post(const HttpPost& post) {
  return impl_->exchange(Exchange::Method::Post, post);
}
Result<HttpAnswer> HttpClient::get(const HttpGet& get) {
  HttpPost same;
  same.url = get.url;
  same.headers = get.headers;
  same.connect_timeout = get.connect_timeout;
  same.total_timeout = get.total_timeout;
  same.trust = get.trust;
  same.answer_limit = get.answer_limit;
  same.allows_address = get.allows_address;
  return impl_->exchange(Exchange::Method::Get, same);
}
void HttpClient::stop() { impl_->stop(); }

std::string url_for_people(std::string_view url) {
  std::string_view shown = url.substr(0, url.find_first_of("?#"));
  const std::size_t authority = shown.find("//");
  const std::size_t user_end = shown.rfind('@');
  if (user_end == std::string_view::npos) return printable(shown, 500);
  const std::string_view scheme = authority == std::string_view::npos ? "" : shown.substr(0, authority + 2);
  return printable(std::string(scheme) + "...@" + std::string(shown.substr(user_end + 1)), 500);
}

Result<UrlParts> parse_url(std::string_view url) {
  const auto refused = [&](std::string_view why) {
    return fail(ErrorKind::InvalidInput, fmt::format("the URL '{}' {}", url_for_people(url), why));
  };
  if (has_line_break(url)) return refused("has a line break in it");
  const UrlPtr parsed(curl_url());
  if (const CURLUcode code = curl_url_set(parsed.get(), CURLUPART_URL, std::string(url).c_str(), 0);
      code != CURLUE_OK)
    return refused(fmt::format("cannot be used: {}", curl_url_strerror(code)));
  const auto part = [&](CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    curl_url_get(parsed.get(), which, &text, flags);
    return CurlTextPtr(text);
  };
  const auto text_of = [](const CurlTextPtr& text) { return text ? std::string(text.get()) : std::string(); };
  UrlParts parts;
  parts.scheme = to_lower(text_of(part(CURLUPART_SCHEME)));
  if (parts.scheme != "http" && parts.scheme != "https")
    return refused("must begin with http:// or https://");
  if (part(CURLUPART_USER) || part(CURLUPART_PASSWORD)) return refused("must not hold a user or a password");
  if (part(CURLUPART_FRAGMENT)) return refused("must not hold a fragment");
  parts.host = to_lower(text_of(part(CURLUPART_HOST)));
  if (parts.host.starts_with('[')) parts.host = parts.host.substr(1, parts.host.size() - 2);
  const std::string port = text_of(part(CURLUPART_PORT, CURLU_DEFAULT_PORT));
  std::from_chars(port.data(), port.data() + port.size(), parts.port);
  parts.path = text_of(part(CURLUPART_PATH));
  return parts;
}

}  // namespace signet::gateway
