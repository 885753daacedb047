#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "certstore/vault/key_store.h"
#include "certstore/vault/master_key.h"
#include "certstore/vault/secret_store.h"
#include "certstore/vault/vault_certificate_store.h"

/// Internal to the embedded vault: keys, secrets and certificates as blobs that only this installation opens.
///
/// A blob is sealed by AES-256-GCM under a key of its own, derived from the master key, for keys or for
/// secrets. Inside is what the store holds of every version, whose private halves and values are sealed once
/// more, as they are at rest: nothing is in the clear while a blob is made or read.

namespace signet::vault {

/// Of one name, the oldest version first.
///
/// @error LimitExceeded  more than kMaxBackupSize octets.
Result<Bytes> write_backup(const MasterKey& master_key, const std::vector<StoredKey>& versions);
Result<Bytes> write_backup(const MasterKey& master_key, const std::vector<StoredSecret>& versions);
Result<Bytes> write_backup(const MasterKey& master_key, const WholeCertificate& certificate);

/// One version or more of one name, as they were when the blob was made.
///
/// @error InvalidInput  edited, cut, of another installation, or of the other kind. Which of them it is
/// cannot be told.
Result<std::vector<StoredKey>> read_key_backup(const MasterKey& master_key, ByteView blob);
Result<std::vector<StoredSecret>> read_secret_backup(const MasterKey& master_key, ByteView blob);
Result<WholeCertificate> read_certificate_backup(const MasterKey& master_key, ByteView blob);

}  // namespace signet::vault
