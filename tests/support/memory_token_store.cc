#include "tests/support/memory_token_store.h"

#include <algorithm>

#include "base/bytes.h"

namespace signet::test {

Result<std::optional<std::string>> MemoryTokenStore::token(std::string_view vault) {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(to_lower(vault));
  return found == tokens_.end() ? std::nullopt : std::optional(found->second);
}

Result<> MemoryTokenStore::put_token(std::string_view vault, std::string_view uri) {
  SIGNET_TRY(const auto rows, keys_at_rest(vault));
  const std::lock_guard lock(mutex_);
  if (!rows.empty() && tokens_.count(to_lower(vault)) == 0)
    return fail(ErrorKind::AlreadyExists, "the vault holds keys already");
  tokens_[to_lower(vault)] = uri;
  return {};
}

Result<std::vector<vault::KeyAtRest>> MemoryTokenStore::keys_at_rest(std::string_view vault) {
  std::vector<vault::KeyAtRest> rows = keys_.at_rest();
  for (vault::KeyAtRest& row : certificates_.at_rest()) rows.push_back(std::move(row));
  rows.erase(std::remove_if(rows.begin(), rows.end(),
                            [&](const auto& row) { return !equal_ignoring_case(row.id.vault, vault); }),
             rows.end());
  return rows;
}

Result<> MemoryTokenStore::note_objects(std::string_view vault, const std::vector<Bytes>& ids, Time now) {
  SIGNET_CHECK(forget_objects(vault, ids));
  const std::lock_guard lock(mutex_);
  for (const Bytes& id : ids) noted_.push_back({{std::string(vault), id}, now});
  return {};
}

Result<std::vector<vault::NotedObject>> MemoryTokenStore::noted_objects(Time before) {
  const std::lock_guard lock(mutex_);
  std::vector<vault::NotedObject> objects;
  for (const Noted& noted : noted_)
    if (noted.time <= before) objects.push_back(noted.object);
  return objects;
}

Result<> MemoryTokenStore::forget_objects(std::string_view vault, const std::vector<Bytes>& ids) {
  const std::lock_guard lock(mutex_);
  noted_.erase(std::remove_if(noted_.begin(), noted_.end(),
                              [&](const Noted& noted) {
                                return equal_ignoring_case(noted.object.vault, vault) &&
                                       std::find(ids.begin(), ids.end(), noted.object.id) != ids.end();
                              }),
               noted_.end());
  return {};
}

}  // namespace signet::test
