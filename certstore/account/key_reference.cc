#include "certstore/account/key_reference.h"

namespace signet::certstore {

std::string to_string(const KeyReference& key) {
  std::string text = key.key_vault + "/" + key.key_name;
  if (!key.key_version.empty()) text += "/" + key.key_version;
  return text;
}

}  // namespace signet::certstore
