#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include "base/digest.h"
#include "base/openssl.h"
#include "certstore/x509/key_handle.h"

namespace signet::test {

/// A TLS server on a free port of the loopback that a test makes odd in a way in which no listener of ours
/// is. It serves one connection: answers a request with 200, and keeps what it heard.
class OddTlsServer {
 public:
  OddTlsServer(const certstore::PrivateCertificate& own, const std::function<void(SSL_CTX*)>& make_odd)
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        context_(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX_use_certificate(context_.get(), own.certificate.native());
    SSL_CTX_use_PrivateKey(context_.get(), own.key.native());
    make_odd(context_.get());
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size);
    ::listen(listener_, 1);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    url_ = "https://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/as2";
    thread_ = std::thread([this] { serve(); });
  }
  ~OddTlsServer() {
    if (thread_.joinable()) thread_.join();
    ::close(listener_);
  }
  OddTlsServer(const OddTlsServer&) = delete;
  OddTlsServer& operator=(const OddTlsServer&) = delete;

  [[nodiscard]] const std::string& url() const { return url_; }

  /// SHA-256 of the client's certificate, once the connection has ended; empty for none.
  std::string thumbprint_shown() { return ended().shown_; }
  /// What came over the agreed connection, once it has ended.
  std::string heard() { return ended().heard_; }

 private:
  OddTlsServer& ended() {
    if (thread_.joinable()) thread_.join();
    return *this;
  }

  void serve() {
    const int socket = ::accept(listener_, nullptr, nullptr);
    const Handle<SSL, SSL_free> ssl(SSL_new(context_.get()));
    SSL_set_fd(ssl.get(), socket);
    if (SSL_accept(ssl.get()) == 1) answer(ssl.get());
    ERR_clear_error();
    // Closing with octets unread would take our last words from the client.
    ::shutdown(socket, SHUT_WR);
    char rest[4096];
    while (::read(socket, rest, sizeof rest) > 0) {
    }
    ::close(socket);
  }

  void answer(SSL* ssl) {
    if (const X509Ptr certificate{SSL_get1_peer_certificate(ssl)}) {
      unsigned char* der = nullptr;
      const int size = i2d_X509(certificate.get(), &der);
      const OpensslMemory owner(der);
      shown_ = hex_upper(digest(Hash::Sha256, ByteView(der, static_cast<std::size_t>(size))));
    }
    char octets[4096];
    while (!is_complete()) {
      const int got = SSL_read(ssl, octets, sizeof octets);
      if (got <= 0) return;
      heard_.append(octets, static_cast<std::size_t>(got));
    }
    const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    SSL_write(ssl, text.data(), static_cast<int>(text.size()));
    SSL_shutdown(ssl);
  }

  [[nodiscard]] bool is_complete() const {
    const std::size_t head = heard_.find("\r\n\r\n");
    const std::size_t length = heard_.find("Content-Length: ");
    return head != std::string::npos && length < head &&
           heard_.size() >= head + 4 + std::strtoul(heard_.c_str() + length + 16, nullptr, 10);
  }

  int listener_;
  const Handle<SSL_CTX, SSL_CTX_free> context_;
  std::string url_;
  std::string shown_;
  std::string heard_;
  std::thread thread_;
};

}  // namespace signet::test
