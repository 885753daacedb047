#include "certstore/authority/request.h"

#include "certstore/vault/word_list.h"

namespace signet::authority {
namespace {

constexpr std::array<vault::Word<RequestKind>, 2> kRequestKinds = {
    {{RequestKind::KeyPair, "keyPair"}, {RequestKind::Signing, "signing"}}};
constexpr std::array<vault::Word<KeyFormat>, 2> kKeyFormats = {
    {{KeyFormat::Pfx, "PFX"}, {KeyFormat::Pem, "PEM"}}};
constexpr std::array<vault::Word<RequestState>, 7> kRequestStates = {{{RequestState::New, "New"},
                                                                      {RequestState::Approved, "Approved"},
                                                                      {RequestState::Rejected, "Rejected"},
                                                                      {RequestState::Failed, "Failure"},
                                                                      {RequestState::Accepted, "Accepted"},
                                                                      {RequestState::Revoked, "Revoked"},
                                                                      {RequestState::Removed, "Removed"}}};

}  // namespace

std::string_view to_string(RequestKind kind) { return vault::word_of(kRequestKinds, kind); }
Result<RequestKind> parse_request_kind(std::string_view text) {
  return vault::find_word(kRequestKinds, text, "kind of request");
}
std::string_view to_string(KeyFormat format) { return vault::word_of(kKeyFormats, format); }
Result<KeyFormat> parse_key_format(std::string_view text) {
  return vault::find_word(kKeyFormats, text, "format of a private key");
}
std::string_view to_string(RequestState state) { return vault::word_of(kRequestStates, state); }
Result<RequestState> parse_request_state(std::string_view text) {
  return vault::find_word(kRequestStates, text, "state of a request");
}

Result<> check_revocation_reason(RevocationReason reason) {
  switch (reason) {
    case RevocationReason::Unspecified:
    case RevocationReason::KeyCompromise:
    case RevocationReason::AffiliationChanged:
    case RevocationReason::Superseded:
    case RevocationReason::CessationOfOperation:
    case RevocationReason::PrivilegeWithdrawn:
      return {};
    case RevocationReason::CaCompromise:
    case RevocationReason::CertificateHold:
    case RevocationReason::AaCompromise:
      break;
  }
  return fail(ErrorKind::InvalidInput,
              fmt::format("'{}' is no reason for which a certificate is revoked here: one of unspecified, "
                          "keyCompromise, affiliationChanged, superseded, cessationOfOperation, "
                          "privilegeWithdrawn",
                          certstore::to_string(reason)));
}

}  // namespace signet::authority
