#include "agreements/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "agreements/grammar.h"
#include "base/bytes.h"

namespace signet::agreements {

namespace {

constexpr std::string_view kNone = "(none)";
constexpr std::string_view kOrder = "(order)";

/// One entry as a list of its settings, defaults and all, in the grammar's order.
struct Flat {
  struct Value {
    std::string exact;
    std::string shown;
  };
  std::vector<std::string> paths;
  std::unordered_map<std::string, Value> values;

  void add(std::string path, Value value) {
    if (values.emplace(path, std::move(value)).second) paths.push_back(std::move(path));
  }
};

std::string key_of(const Element& element, const void* object, std::size_t index) {
  for (const Setting& setting : element.settings)
    if (!element.key.empty() && setting.name == element.key) return setting.write(object);
  return std::to_string(index + 1);
}

void flatten(const Element& element, const void* object, const std::string& path, Flat& flat) {
  const std::string prefix = path.empty() ? path : path + "/";
  for (const Setting& setting : element.settings) {
    if (setting.replaces_content) continue;
    const std::string here = setting.form == Form::Content ? path : prefix + std::string(setting.name);
    flat.add(here, {setting.write(object), setting.show(object)});
  }
  for (const Element& child : element.children) {
    std::string order;
    const std::size_t count = child.count(object);
    for (std::size_t i = 0; i < count; ++i) {
      const void* entry = child.at(object, i);
      const std::string key = key_of(child, entry, i);
      order += (order.empty() ? "" : ", ") + key;
      flatten(child, entry, child_path(path, child, key), flat);
    }
    if (child.repeats && !child.key.empty() && count > 1)
      flat.add(prefix + std::string(kOrder), {order, order});
  }
}

std::string sorted_words(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(", "), list.size());
    words.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 2, list.size()));
  }
  std::sort(words.begin(), words.end());
  return fmt::format("{}", fmt::join(words, ", "));
}

/// That an order changed is news only where it is all that changed: new and gone names are told by
/// themselves.
bool is_news(std::string_view path, const Flat::Value* before, const Flat::Value* after) {
  if (!path.ends_with(kOrder)) return true;
  return before != nullptr && after != nullptr && sorted_words(before->exact) == sorted_words(after->exact);
}

const Flat::Value* find(const Flat& flat, const std::string& path) {
  const auto found = flat.values.find(path);
  return found == flat.values.end() ? nullptr : &found->second;
}

std::vector<SettingChange> compare(const Flat& before, const Flat& after) {
  std::vector<SettingChange> changes;
  const auto look_at = [&](const std::string& path) {
    const Flat::Value* was = find(before, path);
    const Flat::Value* is = find(after, path);
    if (was != nullptr && is != nullptr && was->exact == is->exact) return;
    if (!is_news(path, was, is)) return;
    changes.push_back({path, was == nullptr ? std::string(kNone) : was->shown,
                       is == nullptr ? std::string(kNone) : is->shown});
  };
  for (const std::string& path : before.paths) look_at(path);
  for (const std::string& path : after.paths)
    if (find(before, path) == nullptr) look_at(path);
  return changes;
}

template <class Entry>
void diff_lists(const std::vector<Entry>& before, const std::vector<Entry>& after, EntryKind kind,
                std::vector<EntryChange>& changes) {
  std::unordered_map<std::string_view, const Entry*> old_entries;
  for (const Entry& entry : before) old_entries.emplace(entry.name, &entry);
  std::unordered_map<std::string_view, const Entry*> kept;
  for (const Entry& entry : after) {
    kept.emplace(entry.name, &entry);
    const auto old = old_entries.find(entry.name);
    if (old == old_entries.end()) {
      changes.push_back({ChangeKind::Added, kind, entry.name, {}});
    } else if (!(*old->second == entry)) {
      Flat was, is;
      flatten(entry_element(kind), old->second, "", was);
      flatten(entry_element(kind), &entry, "", is);
      std::vector<SettingChange> settings = compare(was, is);
      if (!settings.empty()) changes.push_back({ChangeKind::Changed, kind, entry.name, std::move(settings)});
    }
  }
  for (const Entry& entry : before)
    if (kept.find(entry.name) == kept.end()) changes.push_back({ChangeKind::Removed, kind, entry.name, {}});
}

std::string_view sign(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::Added:
      return "+";
    case ChangeKind::Changed:
      return "~";
    case ChangeKind::Removed:
      return "-";
  }
  return "?";
}

/// Empty values are shown as such, and a stranger's control characters not at all.
std::string shown(std::string_view value) { return value.empty() ? "(empty)" : printable(value, 120); }

}  // namespace

std::vector<EntryChange> diff(const Account& before, const Account& after) {
  std::vector<EntryChange> changes;
  diff_lists(before.partners, after.partners, EntryKind::Partner, changes);
  diff_lists(before.certificates, after.certificates, EntryKind::Certificate, changes);
  diff_lists(before.agreements, after.agreements, EntryKind::Agreement, changes);
  return changes;
}

std::string_view to_string(ChangeKind change) {
  switch (change) {
    case ChangeKind::Added:
      return "added";
    case ChangeKind::Changed:
      return "changed";
    case ChangeKind::Removed:
      return "removed";
  }
  return "changed";
}

std::string_view to_string(EntryKind kind) {
  switch (kind) {
    case EntryKind::Partner:
      return "partner";
    case EntryKind::Certificate:
      return "certificate";
    case EntryKind::Agreement:
      return "agreement";
  }
  return "?";
}

std::string to_string(const std::vector<EntryChange>& changes) {
  std::string text;
  for (const EntryChange& change : changes) {
    text += fmt::format("{} {} {}\n", sign(change.change), entry_element(change.kind).name, change.name);
    for (const SettingChange& setting : change.settings)
      text += fmt::format("    {}: {} -> {}\n", setting.path, shown(setting.before), shown(setting.after));
  }
  return text;
}

}  // namespace signet::agreements
