#include "gateway/api/host_paths.h"

#include <array>
#include <string>
#include <string_view>

namespace signet::gateway::api {
namespace {

using agreements::Agreement;

struct HostPath {
  std::string_view pointer;
  std::string (*of)(const Agreement&);
};

constexpr std::array kPaths = {
    HostPath{"/properties/metadata/receiveAgreement~1x:delivery~1@folder",
             [](const Agreement& agreement) { return agreement.receive_agreement.delivery.folder; }},
    HostPath{"/properties/metadata/sendAgreement~1x:pickup~1@folder",
             [](const Agreement& agreement) {
               const auto& pickup = agreement.send_agreement.pickup;
               return pickup ? pickup->folder : std::string();
             }},
    HostPath{"/properties/metadata/x:connection~1x:tlsTrust~1@caFile",
             [](const Agreement& agreement) { return agreement.connection.tls_trust.ca_file; }},
};

}  // namespace

std::vector<agreements::Problem> paths_on_this_host(const Agreement& agreement, const Agreement* before) {
  std::vector<agreements::Problem> problems;
  for (const HostPath& path : kPaths) {
    const std::string now = path.of(agreement);
    if (!now.starts_with('/') || (before != nullptr && path.of(*before) == now)) continue;
    agreements::Problem problem;
    problem.path = path.pointer;
    problem.expected = "no absolute path that the stored agreement does not have";
    problem.found = "another one";
    problem.advice = "Whoever runs the gateway can set it: signet apply.";
    problems.push_back(std::move(problem));
  }
  return problems;
}

}  // namespace signet::gateway::api
