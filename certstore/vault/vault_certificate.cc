#include "certstore/vault/vault_certificate.h"

#include <fmt/format.h>

#include "certstore/vault/word_list.h"
#include "certstore/x509/pem.h"

namespace signet::vault {
namespace {

constexpr std::array<Word<OperationStatus>, 4> kStatuses{{{OperationStatus::InProgress, "inProgress"},
                                                          {OperationStatus::Completed, "completed"},
                                                          {OperationStatus::Cancelled, "cancelled"},
                                                          {OperationStatus::Failed, "failed"}}};

}  // namespace

std::string_view to_string(OperationStatus status) { return word_of(kStatuses, status); }
Result<OperationStatus> parse_operation_status(std::string_view text) {
  return find_word(kStatuses, text, "status of a certificate operation");
}

Result<> check_certificate_id(const CertificateId& id) {
  for (const std::string_view reserved : {"contacts", "issuers", "restore"})
    if (equal_ignoring_case(id.name, reserved))
      return fail(
          ErrorKind::InvalidInput,
          fmt::format("no certificate can be named '{}': the word has a meaning of its own", reserved));
  return check_object_id(id, "certificate");
}

Result<> check_chain(const std::vector<certstore::Certificate>& chain) {
  std::size_t octets = 0;
  for (const certstore::Certificate& certificate : chain) octets += certificate.der().size();
  if (chain.size() <= kMostInChain && octets <= kLargestChain) return {};
  return fail(
      ErrorKind::LimitExceeded,
      fmt::format(
          "{} certificates of {} octets together; a version has {} of {} octets at most, its issuers' "
          "included: leave out those that it was not issued under",
          chain.size(), octets, kMostInChain, kLargestChain));
}

std::string directory_of(const CertificateIssuer& issuer) {
  if (!issuer.directory.empty() || !issuer.organisation.starts_with("https://")) return issuer.directory;
  return issuer.organisation;
}

Result<CertificateFile> read_certificate_file(ByteView file, const std::optional<SecretBytes>& passphrase) {
  SIGNET_TRY(ImportedKey contents, read_key_file(file, passphrase));
  if (contents.certificates.empty())
    return fail(
        ErrorKind::InvalidInput,
        "the file holds a private key and no certificate: export both together, or take the key in alone");
  return CertificateFile{std::move(contents),
                         certstore::is_pem(file) ? CertificateContent::Pem : CertificateContent::Pkcs12};
}

}  // namespace signet::vault
