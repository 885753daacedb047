#include "gateway/notices/mail.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/failpoint.h"
#include "base/handle.h"
#include "base/wipe_text.h"

namespace signet::gateway {
namespace {

using EasyPtr = Handle<CURL, curl_easy_cleanup>;
using ListPtr = Handle<curl_slist, curl_slist_free_all>;

constexpr long kConnectSeconds = 15;
constexpr long kTotalSeconds = 60;
constexpr std::size_t kLongestAddress = 254;  // RFC 5321 section 4.5.3.1.3

/// RFC 5322, ended by CRLF.
std::string message_of(const MailServer& server, const Mail& mail) {
  const std::string host = server.from.substr(server.from.find('@') + 1);
  std::string text = fmt::format(
      "Date: {}\r\nFrom: Signet <{}>\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{}@{}>\r\nAuto-Submitted: "
      "auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: 8bit\r\n\r\n",
      to_rfc5322(mail.date), server.from, fmt::join(mail.to, ", "), printable(mail.subject), mail.id, host);
  for (const char c : mail.text) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return text;
}

struct Upload {
  std::string_view left;
  const std::atomic<bool>& stopping;
};

std::size_t read_message(char* out, std::size_t size, std::size_t count, void* data) {
  auto* upload = static_cast<Upload*>(data);
  const std::size_t octets = std::min(size * count, upload->left.size());
  std::memcpy(out, upload->left.data(), octets);
  upload->left.remove_prefix(octets);
  return octets;
}

int keep_going(void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Upload*>(data)->stopping ? 1 : 0;
}

ListPtr recipients_of(const Mail& mail) {
  ListPtr list;
  for (const std::string& address : mail.to) {
    curl_slist* longer = curl_slist_append(list.get(), fmt::format("<{}>", address).c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(list.release());
    list.reset(longer);
  }
  return list;
}

void set_tls(CURL* easy, const MailServer& server, const std::string& authorities) {
  curl_easy_setopt(easy, CURLOPT_USE_SSL, static_cast<long>(server.tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (authorities.empty()) return;
  curl_easy_setopt(easy, CURLOPT_CAINFO, nullptr);
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  std::string pem = authorities;
  curl_blob blob{pem.data(), pem.size(), CURL_BLOB_COPY};
  curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
}

void set_credentials(CURL* easy, const MailServer& server) {
  if (server.user.empty()) return;
  std::string password(as_text(server.password.view()));
  curl_easy_setopt(easy, CURLOPT_USERNAME, server.user.c_str());
  curl_easy_setopt(easy, CURLOPT_PASSWORD, password.c_str());
  wipe_text(password);
}

ErrorKind kind_of(CURLcode code) {
  switch (static_cast<int>(code)) {
    case CURLE_LOGIN_DENIED:
      return ErrorKind::PermissionDenied;
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return ErrorKind::CryptoFailure;
    default:
      return ErrorKind::Unavailable;
  }
}

}  // namespace

Result<> check_mail_address(std::string_view address) {
  const std::size_t at = address.find('@');
  const bool fits = std::all_of(address.begin(), address.end(), [](char c) {
    return c > ' ' && c < 0x7F && std::string_view("<>()[],;:\\\"").find(c) == std::string_view::npos;
  });
  if (fits && at != std::string_view::npos && at > 0 && at + 1 < address.size() &&
      address.find('@', at + 1) == std::string_view::npos && address.size() <= kLongestAddress)
    return {};
  return fail(
      ErrorKind::InvalidInput,
      fmt::format("'{}' is no mail address that can be written to: expected one such as edi@acme.example, "
                  "in ASCII",
                  printable(address)));
}

Result<> send_mail(const MailServer& server, const Mail& mail, const std::atomic<bool>& stopping) {
  SIGNET_CHECK(check_mail_address(server.from));
  for (const std::string& address : mail.to) SIGNET_CHECK(check_mail_address(address));
  const EasyPtr handle(curl_easy_init());
  CURL* const easy = handle.get();
  if (easy == nullptr) return fail(ErrorKind::Internal, "libcurl gives no handle");
  const std::string authorities = to_pem(server.authorities);
  const std::string message = message_of(server, mail);
  const ListPtr recipients = recipients_of(mail);
  Upload upload{message, stopping};
  char why[CURL_ERROR_SIZE] = {};

  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, why);
  curl_easy_setopt(easy, CURLOPT_URL, server.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, kTotalSeconds);
  curl_easy_setopt(easy, CURLOPT_MAIL_FROM, fmt::format("<{}>", server.from).c_str());
  curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_message);
  curl_easy_setopt(easy, CURLOPT_READDATA, &upload);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, keep_going);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &upload);
  set_tls(easy, server, authorities);
  set_credentials(easy, server);

  failpoint("mail.send");
  const CURLcode code = curl_easy_perform(easy);
  if (code == CURLE_OK) return {};
  return fail(kind_of(code), fmt::format("mailing by {}: {}", printable(server.url),
                                         why[0] != '\0' ? printable(why, 400) : curl_easy_strerror(code)));
}

}  // namespace signet::gateway
