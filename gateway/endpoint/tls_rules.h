#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace signet::gateway {

enum class TlsVersion { Tls12, Tls13 };

/// What a TLS connection may agree to. Whatever they say: 1.2 and 1.3 only, forward secrecy and authenticated
/// encryption only.
struct TlsRules {
  TlsVersion minimum = TlsVersion::Tls12;
  std::string ciphers;  ///< of TLS 1.2, as check_tls_ciphers() takes them; empty: all that we know
};

/// Whether `ciphers` are OpenSSL's names, best first and ':' between them, of what we speak in TLS 1.2.
/// @error InvalidInput  names the first that is not, and all that are.
Result<> check_tls_ciphers(std::string_view ciphers);

}  // namespace signet::gateway
