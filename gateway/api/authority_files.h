#pragma once

#include <string>
#include <string_view>

#include "certstore/authority/authority.h"
#include "gateway/api/call.h"

/// What the certificate service gives out as files, over REST and by the command: certificates, CRLs, keys.

namespace signet::gateway::api {

enum class FileForm {
  Der,
  Pem,     ///< RFC 7468
  Base64,  ///< of the DER, on one line: to copy and paste
};

/// "der", "pem", "base64", in any case; Der when it is empty. @error InvalidInput  lists them.
Result<FileForm> parse_file_form(std::string_view text);

/// A file that has a name of its own.
struct NamedFile {
  std::string name;  ///< "Press 7 [3F0A...].der": the common name, and the certificate's SHA-1 thumbprint
  std::string content_type;
  Bytes octets;
};

NamedFile certificate_file(const certstore::Certificate& certificate, FileForm form);
/// Is called as the issuer is.
NamedFile crl_file(const authority::PublishedCrl& crl, const certstore::Certificate& issuer, FileForm form);
/// The PFX or PEM of a key pair, encrypted under its request's password.
///
/// @error AlreadyExists  there is none: it was accepted, or the requester has the key.
Result<NamedFile> key_file(const authority::FetchedCertificate& fetched);

Answer answer_of(NamedFile file);

}  // namespace signet::gateway::api
