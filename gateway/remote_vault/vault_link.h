#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

/// Vaults elsewhere that names of ours stand for.

namespace signet::gateway {

/// Where a vault is, and who we are there. Either by a token, or as a client of an authority that gives
/// tokens out (OAuth 2.0, RFC 6749 section 4.4), as Azure's Entra does. Secrets are in files, which are read
/// when they are needed; a link holds none.
struct VaultLink {
  std::string name;                  ///< what our certificates and agreements call it, as KeyId::vault
  std::string url;                   ///< its origin: "https://host" or "https://host:port"
  std::filesystem::path token_file;  ///< absolute; its first line is the token

  std::string client_id;
  std::filesystem::path client_secret_file;  ///< absolute; its first line is the secret
  std::string authority;    ///< https URL: only authorities at it, or below it, are shown the secret
  std::string authorities;  ///< PEM: who vouches for the servers' certificates; empty: the machine's
  Time created{};

  [[nodiscard]] bool by_token() const { return !token_file.empty(); }
  friend bool operator==(const VaultLink&, const VaultLink&) = default;
};

/// The authority that is believed where none is named: Azure's public cloud.
inline constexpr std::string_view kDefaultAuthority = "https://login.microsoftonline.com";

/// Puts the URLs into the one form in which they are kept: lower case, without "/" at the end.
///
/// @error InvalidInput  a name, a URL or a certificate that will not do, or neither or both of the two ways
/// to say who we are; says which.
Result<VaultLink> checked_link(VaultLink link);

/// "https://host:port" of an https URL. @error InvalidInput
Result<std::string> https_origin(std::string_view url);

/// An https URL in the one form in which URLs are compared: its origin, its path without dot segments and
/// without "/" at the end.
///
/// @param what  what the URL is of, for the error
/// @error InvalidInput  another scheme, a query, or something percent-encoded.
Result<std::string> https_url(std::string_view url, std::string_view what);

/// The first line of a file that holds a secret.
///
/// @error PermissionDenied  it is somebody else's, or others may read or change it.
/// @error InvalidInput      it is empty, or longer than a token is.
/// @error NotFound, ...     as errno_error().
Result<SecretBytes> read_secret_line(const std::filesystem::path& file);

/// Keeps the links. Thread-safe.
class VaultLinkStore {
 public:
  virtual ~VaultLinkStore() = default;

  /// @error AlreadyExists  the name is that of a link, or of a vault of this home: it holds something, or has
  ///                       policies or settings.
  virtual Result<> put_link(const VaultLink& link) = 0;
  /// @error NotFound
  virtual Result<> remove_link(std::string_view name) = 0;
  virtual Result<std::vector<VaultLink>> links() = 0;
  /// Moves with every change of the links; cheap to ask for.
  virtual Result<std::uint64_t> link_generation() = 0;
};

}  // namespace signet::gateway
