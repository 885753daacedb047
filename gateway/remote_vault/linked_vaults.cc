#include "gateway/remote_vault/linked_vaults.h"

#include <algorithm>

#include "base/bytes.h"

namespace signet::gateway {
namespace {

/// Answers hold secrets, so none goes to a file.
SpoolArea in_memory(SpoolArea area, const VaultClientLimits& limits) {
  area.memory_limit = std::max<std::size_t>(limits.answer, area.memory_limit) + 1;
  return area;
}

}  // namespace

LinkedVaults::LinkedVaults(VaultLinkStore& store, vault::AuditLog& audit, const Clock& clock, SpoolArea spool,
                           VaultClientLimits limits)
    : store_(store),
      audit_(audit),
      clock_(clock),
      limits_(limits),
      client_(in_memory(std::move(spool), limits)) {}

Result<> LinkedVaults::refresh() {
  SIGNET_TRY(const std::uint64_t generation, store_.link_generation());
  if (read_ && generation == generation_) return {};
  SIGNET_TRY(std::vector<VaultLink> links, store_.links());
  current_.clear();
  for (VaultLink& link : links) {
    const auto same =
        std::find_if(all_.begin(), all_.end(), [&](const auto& one) { return one->link() == link; });
    if (same != all_.end()) {
      current_.push_back(same->get());
      continue;
    }
    all_.push_back(std::make_unique<RemoteVault>(std::move(link), client_, audit_, clock_, limits_));
    if (stopping_) all_.back()->stop();
    current_.push_back(all_.back().get());
  }
  generation_ = generation;
  read_ = true;
  return {};
}

Result<RemoteVault*> LinkedVaults::find(std::string_view name) {
  const std::lock_guard lock(mutex_);
  SIGNET_CHECK(refresh());
  for (RemoteVault* vault : current_)
    if (equal_ignoring_case(vault->link().name, name)) return vault;
  return nullptr;
}

/// A failure behind the record leaves a second one.
template <class Work>
Result<> LinkedVaults::change(const vault::Principal& principal, std::string_view operation,
                              const std::string& name, std::string detail, Work work) {
  vault::AuditRecord record{
      clock_.now(),   principal.name,           std::string(operation),      vault::AuditObject::Key,
      {name, {}, {}}, vault::audited_message(), vault::AuditResult::Success, std::move(detail)};
  const bool allowed = principal == vault::Principal::local_operator();
  if (!allowed) record.result = vault::AuditResult::Denied;
  SIGNET_CHECK(audit_.append(record));
  if (!allowed)
    return fail(ErrorKind::PermissionDenied,
                "vaults are linked by the local administrator at the command line (signet vault link)");
  Result<> done = work();
  if (done) return done;
  record.result = vault::AuditResult::Failed;
  record.detail += ": " + done.error().detail;
  static_cast<void>(audit_.append(record));
  return done;
}

Result<VaultLink> LinkedVaults::link(const vault::Principal& principal, VaultLink wanted) {
  wanted.created = clock_.now();
  SIGNET_TRY(VaultLink link, checked_link(std::move(wanted)));
  SIGNET_CHECK(change(principal, "linkVault", link.name, link.url, [&] { return store_.put_link(link); }));
  return link;
}

Result<> LinkedVaults::unlink(const vault::Principal& principal, std::string_view name) {
  SIGNET_CHECK(vault::check_vault_name(name));
  return change(principal, "unlinkVault", to_lower(name), {}, [&] { return store_.remove_link(name); });
}

void LinkedVaults::stop() {
  client_.stop();
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  for (const auto& vault : all_) vault->stop();
}

}  // namespace signet::gateway
