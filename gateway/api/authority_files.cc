#include "gateway/api/authority_files.h"

#include <fmt/format.h>
#include <openssl/x509.h>

#include <algorithm>

#include "base/bytes.h"
#include "certstore/x509/distinguished_name.h"
#include "certstore/x509/pem.h"

namespace signet::gateway::api {
namespace {

constexpr std::string_view kPemType = "application/x-pem-file";
constexpr std::string_view kTextType = "text/plain; charset=us-ascii";
constexpr std::size_t kLongestName = 64;  ///< characters of a common name

/// Fit for every file system: whatever a name has, it names a file in the folder that it is put into.
std::string stem_of(const certstore::Certificate& certificate) {
  const auto subject = certstore::DistinguishedName::copy_of(X509_get_subject_name(certificate.native()));
  const std::string common = subject.common_name();
  std::string name = printable_name(common.empty() ? certificate.subject() : common, kLongestName);
  constexpr std::string_view kUnfit = R"(/\:*?"<>|)";
  std::replace_if(
      name.begin(), name.end(), [&](char c) { return kUnfit.find(c) != std::string_view::npos; }, '_');
  return fmt::format("{} [{}]", name, certificate.thumbprint_sha1());
}

NamedFile file_of(std::string stem, ByteView der, FileForm form, std::string_view type,
                  std::string_view extension, std::string_view label) {
  switch (form) {
    case FileForm::Pem:
      return {stem + ".pem", std::string(kPemType), to_bytes(certstore::pem_of(der, label))};
    case FileForm::Base64:
      return {stem + ".txt", std::string(kTextType), to_bytes(base64(der))};
    case FileForm::Der:
      break;
  }
  return {stem + std::string(extension), std::string(type), Bytes(der.begin(), der.end())};
}

}  // namespace

Result<FileForm> parse_file_form(std::string_view text) {
  if (text.empty() || equal_ignoring_case(text, "der")) return FileForm::Der;
  if (equal_ignoring_case(text, "pem")) return FileForm::Pem;
  if (equal_ignoring_case(text, "base64")) return FileForm::Base64;
  return fail(ErrorKind::InvalidInput,
              fmt::format("the format of a file is der, pem or base64, not '{}'", printable(text)));
}

NamedFile certificate_file(const certstore::Certificate& certificate, FileForm form) {
  return file_of(stem_of(certificate), certificate.der(), form, "application/pkix-cert", ".der",
                 "CERTIFICATE");
}

NamedFile crl_file(const authority::PublishedCrl& crl, const certstore::Certificate& issuer, FileForm form) {
  return file_of(stem_of(issuer), crl.der, form, "application/pkix-crl", ".crl", "X509 CRL");
}

Result<NamedFile> key_file(const authority::FetchedCertificate& fetched) {
  const authority::Request& request = fetched.request;
  if (request.kind == authority::RequestKind::Signing)
    return fail(ErrorKind::AlreadyExists,
                "the key of this request was never here: who made the PKCS#10 request has it");
  if (!fetched.key_file || !request.certificate)
    return fail(ErrorKind::AlreadyExists,
                fmt::format("this request is {}, and its private key is here only while it is Approved",
                            to_string(request.state)));
  const bool pfx = request.key_format == authority::KeyFormat::Pfx;
  return NamedFile{stem_of(*request.certificate) + (pfx ? ".pfx" : ".pem"),
                   pfx ? "application/x-pkcs12" : std::string(kPemType), *fetched.key_file};
}

Answer answer_of(NamedFile file) {
  return Answer::of_file(Slice::of(std::move(file.octets)), file.content_type, file.name);
}

}  // namespace signet::gateway::api
