#pragma once

#include <string>
#include <vector>

#include "base/wipe_text.h"

namespace signet {

/// Overwrites every text in a JSON value (nlohmann's, of either kind): there are secrets among them. However
/// deep it is.
template <class Json>
void wipe_texts(Json& value) {
  std::vector<Json*> left{&value};
  while (!left.empty()) {
    Json& one = *left.back();
    left.pop_back();
    if (one.is_string()) {
      auto& text = one.template get_ref<std::string&>();
      wipe_text(text);
    } else if (one.is_structured()) {
      for (Json& member : one) left.push_back(&member);
    }
  }
}

}  // namespace signet
