#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gateway/cli/home.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/endpoint/http_server.h"

namespace signet::gateway {

/// What TLS listeners show: the certificates of these names, in their order. A service certificate's name
/// comes before one of the account.
///
/// @param setting  "tls-certificate", for errors
/// @error InvalidInput  there are no names.  @error NotFound, PermissionDenied, ...  a certificate or its
/// key.
Result<TlsIdentity> identity_of(const AccountSnapshot& account, const std::vector<std::string>& names,
                                std::string_view setting);

/// What the TLS listeners among these show, as ShownCertificates has it; empty where there are none.
std::string shown_by(const std::vector<Listener>& listeners);

/// Keeps what a running gateway's listeners show what it has to be: after SIGHUP, and within a second of a
/// binding or a certificate that was changed, by whichever process. Open connections keep what they have.
class ShownCertificates {
 public:
  using Renew = std::function<Result<>(const TlsIdentity&)>;

  /// Listeners that show the same. They have been opened with what the settings said.
  struct Shown {
    std::string_view setting;  ///< "tls-certificate"; borrowed for good
    std::vector<std::string> ServeSettings::*names;
    Renew renew;
    std::string thumbprints;  ///< thumbprints_of() what they show; the same is not shown anew
  };

  /// The home outlives this. Looks for changes from now on until it is gone.
  ShownCertificates(Home& home, const ServeSettings& settings, std::vector<Shown> shown);
  ~ShownCertificates();
  ShownCertificates(const ShownCertificates&) = delete;
  ShownCertificates& operator=(const ShownCertificates&) = delete;

  /// Goes by other settings from now on, for messages too: everything is looked up before anything is
  /// changed. @error  as identity_of(): nothing has changed.
  Result<> take_up(const ServeSettings& settings);

  /// What an identity shows, as text: another one where that differs.
  static std::string thumbprints_of(const TlsIdentity& identity);

 private:
  void watch();
  Result<> look();
  Result<> renew_changed(const AccountSnapshot& account);
  Result<> tell_of_bindings();
  void warn_of_objections();

  Home& home_;
  std::vector<Shown> shown_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_over_ = false;
  ServeSettings settings_;
  std::uint64_t generation_ = 0;
  std::map<std::string, std::string, std::less<>> bound_;  ///< names, and what they were bound to
  std::thread thread_;
};

}  // namespace signet::gateway
