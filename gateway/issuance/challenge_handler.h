#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/endpoint/http_server.h"

/// Proof that we hold a host's name: an issuer asks that host, by plain HTTP, for what we told it (RFC 8555
/// section 8.3).

namespace signet::gateway {

/// What is to be answered, by token. Thread-safe.
class Challenges {
 public:
  virtual ~Challenges() = default;
  /// Whether anybody can ask us at all.
  [[nodiscard]] virtual bool are_answered() const = 0;
  virtual void publish(const std::string& token, const std::string& key_authorization) = 0;
  /// What is answered no more: everything published for a token.
  virtual void withdraw(const std::string& token) = 0;
};

/// A listener's handler that answers GET /.well-known/acme-challenge/TOKEN and nothing else: anybody may ask,
/// and learns what an issuer was going to learn.
class ChallengeHandler final : public HttpHandler, public Challenges {
 public:
  HeadVerdict on_head(const HttpRequest& head) override;
  void on_request(HttpRequest request, Responder responder) override;

  [[nodiscard]] bool are_answered() const override { return true; }
  void publish(const std::string& token, const std::string& key_authorization) override;
  void withdraw(const std::string& token) override;

 private:
  [[nodiscard]] std::optional<std::string> find(std::string_view target) const;

  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> answers_;
};

/// Where there is no listener.
class NoChallenges final : public Challenges {
 public:
  [[nodiscard]] bool are_answered() const override { return false; }
  void publish(const std::string&, const std::string&) override {}
  void withdraw(const std::string&) override {}
};

}  // namespace signet::gateway
