#include "as2/cms/content_info.h"

#include <algorithm>

#include "as2/cms/oids.h"
#include "as2/cms/outside.h"

namespace signet::as2::cms {

std::string_view to_string(CmsType type) {
  switch (type) {
    case CmsType::Signed:
      return "signed-data";
    case CmsType::Enveloped:
      return "enveloped-data";
    case CmsType::AuthEnveloped:
      return "authEnveloped-data";
    case CmsType::Compressed:
      return "compressed-data";
    case CmsType::Other:
      return "other";
  }
  return "other";
}

Result<CmsType> detect_type(const Slice& message) {
  ber::Walker walker(message);
  return enter_content_info(walker);
}

}  // namespace signet::as2::cms
