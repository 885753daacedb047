#include "gateway/exchange/receipt_url.h"

#include "gateway/endpoint/allowed_urls.h"

namespace signet::gateway {
namespace {

AllowedUrls allowed_by(const agreements::OneWayAgreement& direction) {
  AllowedUrls allowed{direction.receipt_policy.allowed_urls, direction.receipt_policy.allowed_networks};
  if (!direction.mdn_settings.receipt_delivery_url.empty())
    allowed.urls.push_back(direction.mdn_settings.receipt_delivery_url);
  return allowed;
}

}  // namespace

bool allows_receipt_url(const agreements::OneWayAgreement& receive_agreement, std::string_view url) {
  return allowed_by(receive_agreement).has_url(url);
}

bool allows_receipt_address(const agreements::OneWayAgreement& receive_agreement, std::string_view address) {
  return allowed_by(receive_agreement).has_address(address);
}

}  // namespace signet::gateway
