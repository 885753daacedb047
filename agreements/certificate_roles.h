#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "agreements/model.h"

/// Which certificates an agreement uses for what, in all six places.
///
/// A role's own certificates are Azure's name for it, if it has one, as if it had always been active, and
/// then what <x:certificates role="..."> adds; a certificate that is listed there by the same name has the
/// listed dates. A role with no certificates of its own takes those of another:
///
///     role           Azure's name for it                              else the own certificates of
///     verifyMessage  receiveAgreement signingCertificateName          encrypt
///     decrypt        receiveAgreement encryptionCertificateName       signMessage
///     signMessage    sendAgreement signingCertificateName             decrypt
///     encrypt        sendAgreement encryptionCertificateName          verifyMessage
///     signMdn        -                                                signMessage, as resolved above
///     verifyMdn      -                                                verifyMessage, as resolved above
///
/// So where each company has one certificate for everything, two names are enough; receipts are signed with
/// what signs our messages, and verified with what verifies the guest's, unless the agreement says otherwise.

namespace signet::agreements {

inline constexpr std::array kAllRoles{CertificateRole::VerifyMessage, CertificateRole::Decrypt,
                                      CertificateRole::SignMdn,       CertificateRole::SignMessage,
                                      CertificateRole::Encrypt,       CertificateRole::VerifyMdn};

/// Whether a role belongs to receiveAgreement; the others belong to sendAgreement.
bool is_receiving(CertificateRole role);

/// The half of the agreement that a role belongs to.
const OneWayAgreement& direction_of(const Agreement& agreement, CertificateRole role);
OneWayAgreement& direction_of(Agreement& agreement, CertificateRole role);

/// Where the agreement has Azure's name for the role, which may be empty. Null: Azure has none for it.
const std::string* azure_name_of(const Agreement& agreement, CertificateRole role);
std::string* azure_name_of(Agreement& agreement, CertificateRole role);

/// All certificates of a role, active or not, in the agreement's order. Empty: none.
std::vector<DatedCertificate> certificates_for(const Agreement& agreement, CertificateRole role);

/// The names active at a moment, the newest activation first (of equal ones, the first listed): the first is
/// used to sign and to encrypt; any of them is accepted when verifying and tried when decrypting.
///
/// One that awaits the guest's acceptance decrypts from its date on, and does nothing else; those that were
/// to end after it began do not end until it is accepted.
std::vector<std::string> active_certificates(const Agreement& agreement, CertificateRole role, Time time);

/// Whether the role uses our private key: decrypt, signMdn, signMessage.
bool needs_private_key(CertificateRole role);

/// What certificates are for that an agreement has looked up in revocation lists.
enum class LookedUpUse {
  VerifyMessage,
  SignMessage,
  Encrypt,
  VerifyMdn,
  TlsClient,  ///< the guest shows it when he connects to us
  TlsServer,  ///< his server shows it when we connect to it
};
inline constexpr std::array kAllLookedUpUses{LookedUpUse::VerifyMessage, LookedUpUse::SignMessage,
                                             LookedUpUse::Encrypt,       LookedUpUse::VerifyMdn,
                                             LookedUpUse::TlsClient,     LookedUpUse::TlsServer};
/// As the roles are spelled: "verifyMessage", ..., "tlsClient", "tlsServer".
std::string_view to_string(LookedUpUse use);

/// The certificates that are looked up for one use, as far as the agreement names them.
struct LookedUp {
  LookedUpUse use;
  std::vector<DatedCertificate> certificates;
};

/// What is looked up in revocation lists: for what is received (OnReceive) the certificates that verify the
/// guest's messages, and those that he has to show in TLS; for what is sent (OnSend) those that sign and
/// encrypt, as far as we do, those that verify signed receipts, and those that his server is pinned to. A
/// server that is trusted by an authority is looked up too, but the agreement does not name its certificate.
std::vector<LookedUp> certificates_looked_up(const Agreement& agreement);

/// Whether the agreement has the server's certificate looked up when something is posted to the guest.
bool looks_up_server(const Agreement& agreement);

/// Every certificate name in the agreement, TLS included, each once.
std::vector<std::string> certificates_named(const Agreement& agreement);

}  // namespace signet::agreements
