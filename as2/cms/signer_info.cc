#include "as2/cms/signer_info_internal.h"

#include <ctime>

namespace signet::as2::cms {

const void* single_signed_value(CMS_SignerInfo* info, int nid, int type) {
  constexpr int kExactlyOne = -3;  // fails on a second attribute of the type, and on a second value
  return CMS_signed_get0_data_by_OBJ(info, OBJ_nid2obj(nid), kExactlyOne, type);
}

std::optional<Time> read_signing_time(CMS_SignerInfo* info) {
  const auto* utc = single_signed_value(info, NID_pkcs9_signingTime, V_ASN1_UTCTIME);
  const auto* general = single_signed_value(info, NID_pkcs9_signingTime, V_ASN1_GENERALIZEDTIME);
  std::tm fields{};
  const auto* const time = static_cast<const ASN1_TIME*>(utc != nullptr ? utc : general);
  const bool readable = time != nullptr && ASN1_TIME_to_tm(time, &fields) == 1;
  ERR_clear_error();
  if (!readable) return std::nullopt;
  return Time(std::chrono::seconds(timegm(&fields)));
}

}  // namespace signet::as2::cms
