#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "certstore/x509/certificate.h"
#include "tests/bench/process.h"

/// One side of an exchange: a home made by the `signet` command, as an operator makes it, and its gateway.

namespace signet::bench {

/// The partner as an account describes it.
struct Partner {
  std::string name;
  certstore::Certificate certificate;
  std::string url = "http://127.0.0.1:9/as2";
  bool wants_receipt = true;  ///< of what we send
};

class Company {
 public:
  /// Makes the home, with a key of RSA-2048 in its vault and a certificate for it.
  static Result<std::unique_ptr<Company>> make(std::string signet, const std::filesystem::path& directory,
                                               std::string name);

  /// Makes the agreement with a partner the only one.
  Result<> trade_with(const Partner& partner);
  /// Starts the gateway on a free port and waits until it listens.
  Result<> serve();
  /// Sends a document to the partner by `signet send`.
  Result<Ended> send(const std::filesystem::path& document);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const certstore::Certificate& certificate() const { return *certificate_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const;
  [[nodiscard]] const std::filesystem::path& home() const { return home_; }
  [[nodiscard]] double start_seconds() const { return start_seconds_; }
  [[nodiscard]] Running& gateway() { return *gateway_; }
  /// Calls of fsync and fdatasync that the gateway has made.
  [[nodiscard]] std::uint64_t syncs() const;
  /// Payloads handed over to the business so far.
  [[nodiscard]] std::size_t delivered() const;

 private:
  Company(std::string signet, std::filesystem::path directory, std::string name);
  Result<Ended> command(std::vector<std::string> arguments);

  const std::string signet_;
  const std::filesystem::path directory_;
  const std::filesystem::path home_;
  const std::string name_;
  std::optional<certstore::Certificate> certificate_;
  std::optional<Running> gateway_;
  std::uint16_t port_ = 0;
  double start_seconds_ = 0;
};

}  // namespace signet::bench
