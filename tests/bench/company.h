#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "certstore/x509/certificate.h"
#include "certstore/x509/key_handle.h"
#include "tests/bench/layers.h"
#include "tests/bench/process.h"

/// One side of an exchange: a home made by the `signet` command, as an operator makes it, and its gateway.

namespace signet::bench {

/// The partner as an account describes it. The agreement with him is named like him.
struct Partner {
  std::string name;
  certstore::Certificate certificate;  ///< he signs with it, and we encrypt for it
  std::string url = "http://127.0.0.1:9/as2";
  bool wants_receipt = true;  ///< of what we send
  std::optional<certstore::Certificate> receipt_certificate =
      {};                         ///< what he signs receipts with, where that is another one
  bool is_picked_up_for = false;  ///< documents for him are taken from a folder
  bool is_told_file_names = true;
  Layers demanded = {};  ///< of his messages
  Layers applied = {};   ///< to ours
};

class Company {
 public:
  /// Makes the home, with a key of RSA-2048 in its vault and a certificate for it.
  static Result<std::unique_ptr<Company>> make(std::string signet, const std::filesystem::path& directory,
                                               std::string name);

  /// Takes in another key with its certificate, which the account will have from the next trade_with() on.
  Result<> import_key(const std::string& name, const certstore::PrivateCertificate& own);
  /// Makes the agreements with these partners the only ones. @returns how long `signet apply` took.
  Result<double> trade_with(const std::vector<Partner>& partners);
  /// Starts the gateway on a free port and waits until it listens.
  ///
  /// @param options  of `signet serve`, beside that
  Result<> serve(const std::vector<std::string>& options = {});
  /// Sends a document to the partner by `signet send`.
  Result<Ended> send(const std::string& partner, const std::filesystem::path& document);
  /// Any `signet` command.
  Result<Ended> command(std::vector<std::string> arguments);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const certstore::Certificate& certificate() const { return *certificate_; }
  /// Of the listener with this name. @returns 0 when there is none.
  [[nodiscard]] std::uint16_t port(const std::string& listener = "as2") const;
  [[nodiscard]] std::string url() const;
  [[nodiscard]] const std::filesystem::path& home() const { return home_; }
  [[nodiscard]] std::filesystem::path pickup_folder(const std::string& partner) const {
    return home_ / "pickup" / partner;
  }
  [[nodiscard]] double start_seconds() const { return start_seconds_; }
  /// What was resident when the gateway listened.
  [[nodiscard]] double idle_mib() const { return idle_mib_; }
  [[nodiscard]] Running& gateway() { return *gateway_; }
  /// Calls of fsync and fdatasync that the gateway has made.
  [[nodiscard]] std::uint64_t syncs() const;
  /// Payloads handed over to the business so far.
  [[nodiscard]] std::size_t delivered() const;
  /// Waits until so many are. @error Unavailable  it takes more than three minutes.
  [[nodiscard]] Result<> await_delivered(std::size_t count) const;
  [[nodiscard]] std::filesystem::path log() const { return directory_ / "gateway.log"; }

 private:
  Company(std::string signet, std::filesystem::path directory, std::string name);

  const std::string signet_;
  const std::filesystem::path directory_;
  const std::filesystem::path home_;
  const std::string name_;
  std::optional<certstore::Certificate> certificate_;
  std::string imported_;  ///< as the account has it
  std::optional<Running> gateway_;
  std::map<std::string, std::uint16_t> ports_;
  double start_seconds_ = 0;
  double idle_mib_ = 0;
};

}  // namespace signet::bench
