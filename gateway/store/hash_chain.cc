#include "gateway/store/hash_chain.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/bytes.h"
#include "base/digest.h"

namespace signet::gateway {

std::string_view no_record() {
  static const std::string zeros(64, '0');
  return zeros;
}

std::string chain_line(JsonLine record, std::string_view previous) {
  record.add("previous", previous);
  return std::move(record).finish();
}

std::string chain_hash(std::string_view line) { return hex_lower(digest(Hash::Sha256, as_bytes(line))); }

std::string chain_field(std::string_view line, std::string_view name) {
  const auto record = nlohmann::json::parse(line, nullptr, false);
  const auto field = record.is_object() ? record.find(name) : record.end();
  return field != record.end() && field->is_string() ? field->get<std::string>() : "";
}

ChainCheck::ChainCheck(std::vector<std::string> heads) : wanted_(std::move(heads)) {
  report_.head = no_record();
}

bool ChainCheck::next(std::string_view line) {
  if (report_.flaw) return false;
  ++report_.records;
  const auto record = nlohmann::json::parse(line, nullptr, false);
  const auto previous = record.is_object() ? record.find("previous") : record.end();
  if (!record.is_object() || previous == record.end() || !previous->is_string()) {
    broken(report_.records, "is not a record of a chain");
  } else if (previous->get_ref<const std::string&>() != report_.head) {
    broken(report_.records,
           "does not follow the line before it: one of the two was edited, or lines were taken out, put in "
           "or moved");
  } else {
    report_.head = chain_hash(line);
    if (std::find(wanted_.begin(), wanted_.end(), report_.head) != wanted_.end())
      report_.heads_found.push_back(report_.head);
  }
  return !report_.flaw;
}

void ChainCheck::broken(std::uint64_t line, std::string what) {
  if (!report_.flaw) report_.flaw = ChainReport::Flaw{line, std::move(what)};
}

}  // namespace signet::gateway
