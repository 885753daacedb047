#include <array>

#include "gateway/api/account_routes.h"
#include "gateway/api/audit_routes.h"
#include "gateway/api/authority_routes.h"
#include "gateway/api/certificate_routes.h"
#include "gateway/api/entry_routes.h"
#include "gateway/api/exchange_routes.h"
#include "gateway/api/key_routes.h"
#include "gateway/api/lifecycle_routes.h"
#include "gateway/api/route.h"
#include "gateway/api/secret_routes.h"
#include "gateway/api/service_certificate_routes.h"
#include "gateway/api/vault_resource_routes.h"

namespace signet::gateway::api {
namespace {

using Keys = vault::KeyPermission;
using Secrets = vault::SecretPermission;
using Certificates = vault::CertificatePermission;

#define SIGNET_ACCOUNTS \
  "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Logic/integrationAccounts"

#define SIGNET_VAULTS \
  "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults"

#define SIGNET_SERVICE "/certificateService"

// Literals come before the parameters that they could be taken for.
constexpr std::array kRoutes = {
    Route{Plane::Management, "GET", "/subscriptions", Role::Reader, list_subscriptions},
    Route{Plane::Management, "GET",
          "/subscriptions/{subscription}/providers/Microsoft.Logic/integrationAccounts", Role::Reader,
          list_accounts},
    Route{Plane::Management, "GET", SIGNET_ACCOUNTS "", Role::Reader, list_accounts},
    Route{Plane::Management, "PUT", SIGNET_ACCOUNTS "/{account}", Role::Writer, put_account},
    Route{Plane::Management, "GET", SIGNET_ACCOUNTS "/{account}", Role::Reader, get_account},
    Route{Plane::Management, "PATCH", SIGNET_ACCOUNTS "/{account}", Role::Writer, patch_account},
    Route{Plane::Management, "DELETE", SIGNET_ACCOUNTS "/{account}", Role::Writer, delete_account},
    Route{Plane::Management, "POST", SIGNET_ACCOUNTS "/{account}/listCallbackUrl", Role::Writer,
          list_callback_url},
    Route{Plane::Management, "POST", SIGNET_ACCOUNTS "/{account}/regenerateAccessKey", Role::Administrator,
          regenerate_access_key},
    Route{Plane::Management, "POST", SIGNET_ACCOUNTS "/{account}/listKeyVaultKeys", Role::Writer,
          list_key_vault_keys},
    Route{Plane::Management, "POST", SIGNET_ACCOUNTS "/{account}/logTrackingEvents", Role::Writer,
          log_tracking_events},
    Route{Plane::Management, "GET", SIGNET_ACCOUNTS "/{account}/partners", Role::Reader, list_partners},
    Route{Plane::Management, "PUT", SIGNET_ACCOUNTS "/{account}/partners/{name}", Role::Writer, put_partner},
    Route{Plane::Management, "GET", SIGNET_ACCOUNTS "/{account}/partners/{name}", Role::Reader, get_partner},
    Route{Plane::Management, "DELETE", SIGNET_ACCOUNTS "/{account}/partners/{name}", Role::Writer,
          delete_partner},
    Route{Plane::Management, "GET", SIGNET_ACCOUNTS "/{account}/partners/{name}/content", Role::Reader,
          partner_content},
    Route{Plane::Management, "POST", SIGNET_ACCOUNTS "/{account}/partners/{name}/listContentCallbackUrl",
          Role::Writer, partner_callback_url},
    Route{Plane::Management, "GET", SIGNET_ACCOUNTS "/{account}/certificates", Role::Reader,
          list_account_certificates},
    Route{Plane::Management, "PUT", SIGNET_ACCOUNTS "/{account}/certificates/{name}", Role::Writer,
          put_certificate},
    Route{Plane::Management, "GET", SIGNET_ACCOUNTS "/{account}/certificates/{name}", Role::Reader,
          get_account_certificate},
    Route{Plane::Management, "DELETE", SIGNET_ACCOUNTS "/{account}/certificates/{name}", Role::Writer,
          delete_account_certificate},
    Route{Plane::Management, "GET", SIGNET_ACCOUNTS "/{account}/agreements", Role::Reader, list_agreements},
    Route{Plane::Management, "PUT", SIGNET_ACCOUNTS "/{account}/agreements/{name}", Role::Writer,
          put_agreement},
    Route{Plane::Management, "GET", SIGNET_ACCOUNTS "/{account}/agreements/{name}", Role::Reader,
          get_agreement},
    Route{Plane::Management, "DELETE", SIGNET_ACCOUNTS "/{account}/agreements/{name}", Role::Writer,
          delete_agreement},
    Route{Plane::Management, "GET", SIGNET_ACCOUNTS "/{account}/agreements/{name}/content", Role::Reader,
          agreement_content},
    Route{Plane::Management, "POST", SIGNET_ACCOUNTS "/{account}/agreements/{name}/listContentCallbackUrl",
          Role::Writer, agreement_callback_url},

    Route{Plane::Management, "GET", "/subscriptions/{subscription}/providers/Microsoft.KeyVault/vaults",
          Role::Reader, list_vaults},
    Route{Plane::Management, "GET",
          "/subscriptions/{subscription}/providers/Microsoft.KeyVault/deletedVaults", Role::Reader,
          list_deleted_vaults},
    Route{Plane::Management, "GET",
          "/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/"
          "{name}",
          Role::Reader, get_deleted_vault},
    Route{Plane::Management, "POST",
          "/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/"
          "{name}/purge",
          Role::Administrator, purge_deleted_vault},
    Route{Plane::Management, "POST",
          "/subscriptions/{subscription}/providers/Microsoft.KeyVault/checkNameAvailability", Role::Reader,
          check_vault_name_availability},
    Route{Plane::Management, "GET", "/subscriptions/{subscription}/resources", Role::Reader, list_resources},
    Route{Plane::Management, "GET", SIGNET_VAULTS "", Role::Reader, list_vaults},
    Route{Plane::Management, "PUT", SIGNET_VAULTS "/{name}", Role::Writer, put_vault},
    Route{Plane::Management, "GET", SIGNET_VAULTS "/{name}", Role::Reader, get_vault},
    Route{Plane::Management, "PATCH", SIGNET_VAULTS "/{name}", Role::Writer, patch_vault},
    Route{Plane::Management, "DELETE", SIGNET_VAULTS "/{name}", Role::Administrator, delete_vault},
    Route{Plane::Management, "PUT", SIGNET_VAULTS "/{name}/accessPolicies/{kind}", Role::Administrator,
          change_access_policies},

    Route{Plane::Management, "GET", "/serviceCertificates", Role::Reader, list_service_certificates},
    Route{Plane::Management, "POST", "/serviceCertificates/bind", Role::CertificateBinder,
          bind_service_certificates},
    Route{Plane::Management, "GET", "/serviceCertificates/{name}", Role::Reader, get_service_certificate},
    Route{Plane::Management, "DELETE", "/serviceCertificates/{name}/binding", Role::CertificateBinder,
          unbind_service_certificate},

    Route{Plane::Management, "GET", SIGNET_SERVICE "/groups", Role::Reader, list_groups},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/groups", Role::Administrator, create_group},
    Route{Plane::Management, "GET", SIGNET_SERVICE "/groups/{name}", Role::Reader, get_group},
    Route{Plane::Management, "PATCH", SIGNET_SERVICE "/groups/{name}", Role::Administrator, change_group},
    Route{Plane::Management, "GET", SIGNET_SERVICE "/groups/{name}/trustList", Role::Reader, get_trust_list},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/groups/{name}/revoke", Role::Approver, revoke_group},
    Route{Plane::Management, "GET", SIGNET_SERVICE "/groups/{name}/issuers", Role::Reader,
          list_group_issuers},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/groups/{name}/issuers/create", Role::Administrator,
          create_group_issuer},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/groups/{name}/issuers/request", Role::Administrator,
          request_group_issuer},
    Route{Plane::Management, "GET", SIGNET_SERVICE "/groups/{name}/issuers/request", Role::Reader,
          get_issuer_request},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/groups/{name}/issuers/install", Role::Administrator,
          install_group_issuer},
    Route{Plane::Management, "GET", SIGNET_SERVICE "/groups/{name}/issuers/{serial}/certificate",
          Role::Reader, get_issuer_certificate},
    Route{Plane::Management, "GET", SIGNET_SERVICE "/groups/{name}/issuers/{serial}/crl", Role::Reader,
          get_issuer_crl},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/groups/{name}/issuers/{serial}/crl/renew",
          Role::Administrator, renew_issuer_crl},
    Route{Plane::Management, "GET", SIGNET_SERVICE "/issued", Role::Reader, list_issued},
    Route{Plane::Management, "GET", SIGNET_SERVICE "/applications", Role::Reader, list_applications},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/applications", Role::Writer, register_application},
    Route{Plane::Management, "GET", SIGNET_SERVICE "/applications/{id}", Role::Reader, get_application},
    Route{Plane::Management, "PUT", SIGNET_SERVICE "/applications/{id}", Role::Writer, change_application},
    Route{Plane::Management, "DELETE", SIGNET_SERVICE "/applications/{id}", Role::Administrator,
          remove_application},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/applications/{id}/approve", Role::Administrator,
          approve_application},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/applications/{id}/reject", Role::Administrator,
          reject_application},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/applications/{id}/unregister", Role::Writer,
          unregister_application},
    Route{Plane::Management, "GET", SIGNET_SERVICE "/requests", Role::Reader, list_requests},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/requests/keyPair", Role::Writer, request_key_pair},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/requests/sign", Role::Writer, request_signing},
    Route{Plane::Management, "GET", SIGNET_SERVICE "/requests/{id}", Role::Reader, get_request},
    Route{Plane::Management, "DELETE", SIGNET_SERVICE "/requests/{id}", Role::Administrator, purge_request},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/requests/{id}/approve", Role::Approver,
          approve_request},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/requests/{id}/reject", Role::Approver, reject_request},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/requests/{id}/accept", Role::Writer, accept_request},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/requests/{id}/remove", Role::Writer, remove_request},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/requests/{id}/requestRevocation", Role::Writer,
          request_revocation},
    Route{Plane::Management, "POST", SIGNET_SERVICE "/requests/{id}/revoke", Role::Approver, revoke_request},
    Route{Plane::Management, "GET", SIGNET_SERVICE "/requests/{id}/fetch", Role::Writer, fetch_request},
    Route{Plane::Management, "GET", SIGNET_SERVICE "/requests/{id}/certificate", Role::Reader,
          get_request_certificate},
    Route{Plane::Management, "GET", SIGNET_SERVICE "/requests/{id}/privateKey", Role::Writer,
          get_request_key},

    Route{Plane::Management, "GET", "/auditRecords", Role::Auditor, list_audit_records},
    Route{Plane::Management, "GET", "/auditRecords/export", Role::Auditor, export_audit_records},
    Route{Plane::Management, "GET", "/certificateInventory", Role::Reader, list_inventory},
    Route{Plane::Management, "GET", "/rollovers", Role::Reader, list_rollovers},
    Route{Plane::Management, "POST", "/rollovers", Role::Writer, plan_rollovers},
    Route{Plane::Management, "GET", "/rollovers/{agreement}/{certificate}", Role::Reader, get_rollover},
    Route{Plane::Management, "DELETE", "/rollovers/{agreement}/{certificate}", Role::Writer, cancel_rollover},
    Route{Plane::Management, "POST", "/rollovers/{agreement}/{certificate}/advance", Role::Writer,
          advance_rollover},
    Route{Plane::Management, "GET", "/certificateExchanges", Role::Reader, list_certificate_exchanges},
    Route{Plane::Management, "GET", "/certificateExchanges/{exchange}", Role::Reader,
          get_certificate_exchange},
    Route{Plane::Management, "POST", "/certificateExchanges/{exchange}/accept", Role::Approver,
          accept_certificate_exchange},
    Route{Plane::Management, "POST", "/certificateExchanges/{exchange}/reject", Role::Approver,
          reject_certificate_exchange},
    Route{Plane::Management, "POST", "/rollovers/{agreement}/{certificate}/announce", Role::Writer,
          announce_rollover},
    Route{Plane::Management, "POST", "/rollovers/{agreement}/{certificate}/complete", Role::Writer,
          complete_rollover},

    Route{Plane::Vault, "GET", "/keys", Keys::List, list_keys},
    Route{Plane::Vault, "POST", "/keys/restore", Keys::Restore, restore_key},
    Route{Plane::Vault, "GET", "/keys/{name}/versions", Keys::List, list_key_versions},
    Route{Plane::Vault, "POST", "/keys/{name}/create", Keys::Create, create_key},
    Route{Plane::Vault, "PUT", "/keys/{name}", Keys::Import, import_key},
    Route{Plane::Vault, "DELETE", "/keys/{name}", Keys::Delete, delete_key},
    Route{Plane::Vault, "POST", "/keys/{name}/backup", Keys::Backup, backup_key},
    Route{Plane::Vault, "POST", "/keys/{name}/rotate", Keys::Rotate, rotate_key},
    Route{Plane::Vault, "GET", "/keys/{name}/rotationpolicy", Keys::GetRotationPolicy, get_rotation_policy},
    Route{Plane::Vault, "PUT", "/keys/{name}/rotationpolicy", Keys::SetRotationPolicy, set_rotation_policy},
    Route{Plane::Vault, "GET", "/keys/{name}/{version?}", Keys::Get, get_key},
    Route{Plane::Vault, "PATCH", "/keys/{name}/{version?}", Keys::Update, update_key},
    Route{Plane::Vault, "POST", "/keys/{name}/{version?}/sign", Keys::Sign, sign},
    Route{Plane::Vault, "POST", "/keys/{name}/{version?}/verify", Keys::Verify, verify},
    Route{Plane::Vault, "POST", "/keys/{name}/{version?}/encrypt", Keys::Encrypt, encrypt},
    Route{Plane::Vault, "POST", "/keys/{name}/{version?}/decrypt", Keys::Decrypt, decrypt},
    Route{Plane::Vault, "POST", "/keys/{name}/{version?}/wrapkey", Keys::WrapKey, wrap_key},
    Route{Plane::Vault, "POST", "/keys/{name}/{version?}/unwrapkey", Keys::UnwrapKey, unwrap_key},

    Route{Plane::Vault, "GET", "/deletedkeys", Keys::List, list_deleted_keys},
    Route{Plane::Vault, "GET", "/deletedkeys/{name}", Keys::Get, get_deleted_key},
    Route{Plane::Vault, "POST", "/deletedkeys/{name}/recover", Keys::Recover, recover_key},
    Route{Plane::Vault, "DELETE", "/deletedkeys/{name}", Keys::Purge, purge_key},

    Route{Plane::Vault, "GET", "/secrets", Secrets::List, list_secrets},
    Route{Plane::Vault, "POST", "/secrets/restore", Secrets::Restore, restore_secret},
    Route{Plane::Vault, "GET", "/secrets/{name}/versions", Secrets::List, list_secret_versions},
    Route{Plane::Vault, "PUT", "/secrets/{name}", Secrets::Set, set_secret},
    Route{Plane::Vault, "DELETE", "/secrets/{name}", Secrets::Delete, delete_secret},
    Route{Plane::Vault, "POST", "/secrets/{name}/backup", Secrets::Backup, backup_secret},
    Route{Plane::Vault, "GET", "/secrets/{name}/{version?}", Secrets::Get, get_secret},
    Route{Plane::Vault, "PATCH", "/secrets/{name}/{version?}", Secrets::Set, update_secret},

    Route{Plane::Vault, "GET", "/deletedsecrets", Secrets::List, list_deleted_secrets},
    Route{Plane::Vault, "GET", "/deletedsecrets/{name}", Secrets::Get, get_deleted_secret},
    Route{Plane::Vault, "POST", "/deletedsecrets/{name}/recover", Secrets::Recover, recover_secret},
    Route{Plane::Vault, "DELETE", "/deletedsecrets/{name}", Secrets::Purge, purge_secret},

    Route{Plane::Vault, "GET", "/certificates", Certificates::List, list_certificates},
    Route{Plane::Vault, "POST", "/certificates/restore", Certificates::Restore, restore_certificate},
    Route{Plane::Vault, "GET", "/certificates/contacts", Certificates::ManageContacts, get_contacts},
    Route{Plane::Vault, "PUT", "/certificates/contacts", Certificates::ManageContacts, set_contacts},
    Route{Plane::Vault, "DELETE", "/certificates/contacts", Certificates::ManageContacts, delete_contacts},
    Route{Plane::Vault, "GET", "/certificates/issuers", Certificates::ListIssuers, list_issuers},
    Route{Plane::Vault, "GET", "/certificates/issuers/{name}", Certificates::GetIssuers, get_issuer},
    Route{Plane::Vault, "PUT", "/certificates/issuers/{name}", Certificates::SetIssuers, set_issuer},
    Route{Plane::Vault, "PATCH", "/certificates/issuers/{name}", Certificates::SetIssuers, update_issuer},
    Route{Plane::Vault, "DELETE", "/certificates/issuers/{name}", Certificates::DeleteIssuers, delete_issuer},
    Route{Plane::Vault, "POST", "/certificates/{name}/create", Certificates::Create, create_certificate},
    Route{Plane::Vault, "POST", "/certificates/{name}/import", Certificates::Import, import_certificate},
    Route{Plane::Vault, "GET", "/certificates/{name}/versions", Certificates::List,
          list_certificate_versions},
    Route{Plane::Vault, "GET", "/certificates/{name}/policy", Certificates::Get, get_certificate_policy},
    Route{Plane::Vault, "PATCH", "/certificates/{name}/policy", Certificates::Update,
          update_certificate_policy},
    Route{Plane::Vault, "GET", "/certificates/{name}/pending", Certificates::Get, get_certificate_operation},
    Route{Plane::Vault, "PATCH", "/certificates/{name}/pending", Certificates::Update,
          update_certificate_operation},
    Route{Plane::Vault, "DELETE", "/certificates/{name}/pending", Certificates::Update,
          delete_certificate_operation},
    Route{Plane::Vault, "POST", "/certificates/{name}/pending/merge", Certificates::Create,
          merge_certificate},
    Route{Plane::Vault, "POST", "/certificates/{name}/backup", Certificates::Backup, backup_certificate},
    Route{Plane::Vault, "DELETE", "/certificates/{name}", Certificates::Delete, delete_certificate},
    Route{Plane::Vault, "GET", "/certificates/{name}/{version?}", Certificates::Get, get_certificate},
    Route{Plane::Vault, "PATCH", "/certificates/{name}/{version?}", Certificates::Update, update_certificate},

    Route{Plane::Vault, "GET", "/deletedcertificates", Certificates::List, list_deleted_certificates},
    Route{Plane::Vault, "GET", "/deletedcertificates/{name}", Certificates::Get, get_deleted_certificate},
    Route{Plane::Vault, "POST", "/deletedcertificates/{name}/recover", Certificates::Recover,
          recover_certificate},
    Route{Plane::Vault, "DELETE", "/deletedcertificates/{name}", Certificates::Purge, purge_certificate},
};

#undef SIGNET_ACCOUNTS
#undef SIGNET_SERVICE
#undef SIGNET_VAULTS

}  // namespace

std::span<const Route> routes() { return kRoutes; }

}  // namespace signet::gateway::api
