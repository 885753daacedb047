#include "gateway/cli/seal_gate.h"

#include "base/log.h"
#include "certstore/vault/embedded_vault.h"

namespace signet::gateway {

HeadVerdict SealGate::on_head(const HttpRequest& head) {
  HeadVerdict verdict = handler_.on_head(head);
  const std::string_view path = path_of(head.target);
  if (verdict.refusal || head.method != "POST" || path == receipt_path_ || !is_sealed_()) return verdict;
  log::warning("message-not-taken", {{"request", head.request_id},
                                     {"remote", head.remote_address},
                                     {"reason", std::string(vault::kSealed)}});
  return HeadVerdict::refuse(
      later_response(503, "the message could not be taken at the moment; please send it again later",
                     std::chrono::seconds(60), head.request_id));
}

}  // namespace signet::gateway
