#pragma once

#include <memory>

#include "certstore/vault/embedded_vault.h"
#include "gateway/api/services.h"
#include "gateway/store/audit_file.h"
#include "gateway/store/audit_trail.h"
#include "gateway/store/authority_store.h"
#include "gateway/store/store.h"
#include "tests/support/memory_key_store.h"
#include "tests/support/memory_vault_certificate_store.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/api/account_services_fixture.h"
#include "tests/unit/api/memory_lifecycle.h"
#include "tests/unit/api/memory_principal_store.h"
#include "tests/unit/api/memory_service_certificates.h"
#include "tests/unit/api/memory_vaults.h"

namespace signet::gateway::api {

/// Everything that handlers work with: a real vault, on stores that nobody keeps.
struct MemoryServices : MemoryAccount {
  FixedClock clock{kNow};
  test::TemporaryFolder folder;
  test::MemoryKeyStore keys;
  test::MemorySecretStore secrets;
  test::MemoryVaultCertificateStore certificates{keys, secrets};
  std::unique_ptr<vault::EmbeddedVault> vault =
      vault::EmbeddedVault::open(keys, secrets, certificates, audit,
                                 vault::MasterKey::create_file(folder.path() / "master.key").value(), clock)
          .value();
  MemoryPrincipalStore principals;
  MemoryVaultAdministration administration{*vault, resources};
  MemoryServiceCertificates service_certificates;
  const std::unique_ptr<SqliteStore> store = SqliteStore::open(folder.path(), {}).value();
  SqliteAuthorityStore authority_rows{store->database()};
  const std::filesystem::path audit_log = folder.path() / "audit.log";
  AuditFileTrail trail{audit_log};
  authority::Authority authority{authority_rows, *vault, audit, trail, clock};
  MemoryRollovers rollovers;
  MemoryInventory inventory;
  MemoryExchanges exchanges;
  Services all{*vault,
               *vault,
               *vault,
               *vault,
               clock,
               services,
               {administration, principals},
               service_certificates,
               {authority, "pki.example.com", [this] { return AuditFile::snapshot(audit_log); }},
               rollovers,
               inventory,
               exchanges};

  MemoryServices() { EXPECT_TRUE(AuditFile::open(audit_log)); }
};

/// A call of `caller`, as a handler gets it.
struct TestCall {
  Principal caller{"id", "writer", {Role::Reader, Role::Writer}, true, {}};
  Target target;

  [[nodiscard]] Call with(PathParameters parameters, Json body = Json::object()) const {
    return {caller, {}, "https://h", "/", "2019-05-01", target, std::move(parameters), std::move(body)};
  }
};

}  // namespace signet::gateway::api
