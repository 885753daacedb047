#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "certstore/account/key_reference.h"
#include "certstore/service/thumbprint.h"

/// Service certificates, the configuration: which certificate a name stands for, and what must be kept of it.

namespace signet::certstore {

/// What a name stands for. It has no key and no certificate, only the thumbprint of one.
struct ServiceBinding {
  std::string name;
  Thumbprint thumbprint;
  Time changed{};
  std::string changed_by;  ///< a principal's name
  /// What it stood for before, the newest first, each once and none that it stands for now.
  std::vector<Thumbprint> earlier = {};
};

/// One name that is to stand for something else.
struct BindingChange {
  std::string name;
  std::optional<Thumbprint> before;  ///< absent: for nothing yet
  std::optional<Thumbprint> after;   ///< absent: for nothing any more

  friend bool operator==(const BindingChange&, const BindingChange&) = default;
};

/// A certificate of a key vault that names can be bound to: one version of it.
struct ServiceCandidate {
  KeyReference key;                ///< with its version
  std::vector<Certificate> chain;  ///< its own, then those of its issuers as far as they came with it
  bool enabled = true;
};

/// gateway/store implements it. Thread-safe.
///
/// @error IoFailure, Unavailable  of every call: the store could not be read or written; nothing was changed.
class ServiceBindingStore {
 public:
  virtual ~ServiceBindingStore() = default;
  /// All, by name.
  virtual Result<std::vector<ServiceBinding>> bindings() = 0;
  /// All changes, or none. Durable on return.
  ///
  /// @error AlreadyExists  a name stands for something else than `before` says: somebody was faster.
  /// @error NotFound       what a name is to stand for is in no store any more.
  virtual Result<> change(const std::vector<BindingChange>& changes, std::string_view by, Time now) = 0;
  /// Every version of every certificate that is in use in a key vault, the newest first; or in all of them,
  /// where none is named.
  virtual Result<std::vector<ServiceCandidate>> candidates(std::string_view key_vault) = 0;
};

}  // namespace signet::certstore
