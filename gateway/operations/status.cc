#include "gateway/operations/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "gateway/endpoint/http_client.h"
#include "gateway/operations/revocation_status.h"

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

struct StateQueue {
  MessageState state;
  std::string_view name;
};
constexpr std::array kStateQueues = {
    StateQueue{MessageState::Received, "to-be-opened"},
    StateQueue{MessageState::Queued, "outbox"},
    StateQueue{MessageState::Sending, "being-sent"},
    StateQueue{MessageState::AwaitingReceipt, "awaiting-receipt"},
};

long whole_days(double days) { return static_cast<long>(std::floor(days)); }

ordered_json moment(const std::optional<Time>& time) {
  return time ? ordered_json(to_rfc3339(*time)) : ordered_json();
}

ordered_json to_json(const MessageCount& count) {
  return {{"direction", to_string(count.direction)},
          {"state", to_string(count.state)},
          {"agreement", count.agreement},
          {"count", count.count},
          {"oldest", to_rfc3339(count.oldest)}};
}

ordered_json to_json(const CertificateExpiry& certificate, Time now) {
  ordered_json uses = ordered_json::array();
  for (const CertificateUse& use : certificate.uses)
    uses.push_back({{"agreement", use.agreement}, {"role", use.role}});
  return {{"name", certificate.name},
          {"owner", certificate.has_key ? "us" : "partner"},
          {"notAfter", to_rfc3339(certificate.not_after)},
          {"daysUntilExpiry", whole_days(certificate.days_left(now))},
          {"uses", std::move(uses)}};
}

ordered_json trouble_json(const MessageRecord& record) {
  return {{"id", record.id},
          {"created", to_rfc3339(record.created)},
          {"direction", to_string(record.direction)},
          {"state", to_string(record.state)},
          {"agreement", record.agreement},
          {"reason", record.reason}};
}

ordered_json receipt_json(const ReceiptPost& post) {
  return {{"id", post.id},
          {"agreement", post.agreement},
          {"url", url_for_people(post.url)},
          {"attempts", post.attempts},
          {"givenUp", moment(post.given_up)},
          {"reason", post.reason}};
}

template <class List, class Map>
ordered_json array_of(const List& list, Map map) {
  ordered_json array = ordered_json::array();
  for (const auto& one : list) array.push_back(map(one));
  return array;
}

std::string agreement_or_none(const std::string& agreement) {
  return agreement.empty() ? "(no agreement)" : agreement;
}

std::string lines_of(const std::vector<MessageCount>& counts) {
  std::string text;
  for (const MessageCount& count : counts)
    text += fmt::format("  {:>9}  {:<16}  {:<8}  {}\n", count.count, to_string(count.state),
                        to_string(count.direction), agreement_or_none(count.agreement));
  return text.empty() ? "  none\n" : text;
}

/// With the id as lists show it, for `signet message show`.
std::string line_of(const MessageRecord& trouble) {
  return fmt::format("  {}  {}  {:<8}  {}: {}\n", to_rfc3339(trouble.created), trouble.id.substr(0, 8),
                     to_string(trouble.state), agreement_or_none(trouble.agreement),
                     printable(trouble.reason, 300));
}

std::string line_of(const ReceiptPost& post) {
  return fmt::format("  {}  {}  {}: {}\n", to_rfc3339(*post.given_up), post.id.substr(0, 8), post.agreement,
                     printable(post.reason, 300));
}

/// The newest few.
std::string lines_of(const std::vector<ReceiptPost>& posts) {
  constexpr std::size_t kShown = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(posts.size(), kShown); ++i) text += line_of(posts[i]);
  if (posts.size() > kShown) text += fmt::format("  and {} more\n", posts.size() - kShown);
  return text.empty() ? "  none\n" : text;
}

std::string line_of(const CertificateExpiry& certificate, Time now) {
  return fmt::format("  {:>6} days  {:<24}  {:<7}  {}\n", whole_days(certificate.days_left(now)),
                     certificate.name, certificate.has_key ? "us" : "partner",
                     certificate.uses.empty() ? "not used" : to_string(certificate.uses));
}

}  // namespace

std::vector<QueueStatus> queues_of(const std::vector<MessageCount>& counts) {
  std::vector<QueueStatus> queues;
  for (const StateQueue& queue : kStateQueues) {
    QueueStatus& status = queues.emplace_back(QueueStatus{std::string(queue.name), 0, std::nullopt});
    for (const MessageCount& count : counts) {
      if (count.state != queue.state) continue;
      status.waiting += count.count;
      const Time due = count.next_due.value_or(count.oldest);
      status.next_due = std::min(status.next_due.value_or(due), due);
    }
  }
  return queues;
}

ordered_json to_json(const HomeStatus& status) {
  ordered_json gateway = {{"running", status.gateway.has_value()}};
  if (status.gateway) {
    gateway["process"] = status.gateway->id;
    gateway["since"] = to_rfc3339(status.gateway->since);
  }
  return {
      {"version", status.version},
      {"openssl", status.openssl},
      {"home", status.home.string()},
      {"time", to_rfc3339(status.now)},
      {"gateway", std::move(gateway)},
      {"queues", array_of(status.queues,
                          [](const QueueStatus& queue) {
                            return ordered_json{{"name", queue.name},
                                                {"waiting", queue.waiting},
                                                {"nextDue", moment(queue.next_due)}};
                          })},
      {"failures",
       {{"since", to_rfc3339(status.failures_since)},
        {"messages", array_of(status.failures, [](const MessageCount& count) { return to_json(count); })}}},
      {"troubles", array_of(status.troubles, trouble_json)},
      {"receiptsNotPosted", array_of(status.receipts_given_up, receipt_json)},
      {"messages", array_of(status.messages, [](const MessageCount& count) { return to_json(count); })},
      {"certificates",
       array_of(status.certificates, [&](const CertificateExpiry& one) { return to_json(one, status.now); })},
      {"revocation", array_of(status.revocation, [](const RevocationStanding& one) { return to_json(one); })},
      {"volumes", array_of(status.volumes, [](const Volume& volume) {
         return ordered_json{
             {"path", volume.path.string()}, {"freeBytes", volume.free}, {"sizeBytes", volume.size}};
       })}};
}

std::string to_text(const HomeStatus& status) {
  std::string text = fmt::format("{} at {}, {}\n", status.version, status.home.string(), status.openssl);
  text += status.gateway ? fmt::format("served by process {} since {}\n", status.gateway->id,
                                       to_rfc3339(status.gateway->since))
                         : "not served: no gateway runs for this home\n";
  text += "\nwaiting\n";
  for (const QueueStatus& queue : status.queues)
    text += fmt::format("  {:>9}  {:<16}  {}\n", queue.waiting, queue.name,
                        queue.next_due ? "next " + to_rfc3339(*queue.next_due) : "");
  text += fmt::format("\nrefused and failed since {}\n{}", to_rfc3339(status.failures_since),
                      lines_of(status.failures));
  text += "\nlatest troubles, for `signet message show`\n";
  for (const MessageRecord& trouble : status.troubles) text += line_of(trouble);
  if (status.troubles.empty()) text += "  none\n";
  text += fmt::format("\nreceipts that could not be posted since {}, for `signet message resend`\n{}",
                      to_rfc3339(status.failures_since), lines_of(status.receipts_given_up));
  text += "\nmessages\n" + lines_of(status.messages);
  text += "\ncertificates\n";
  for (const CertificateExpiry& certificate : status.certificates) text += line_of(certificate, status.now);
  if (status.certificates.empty()) text += "  none\n";
  if (!status.revocation.empty()) text += "\nlooked up in revocation lists\n";
  for (const RevocationStanding& one : status.revocation) text += to_text(one);
  text += "\ndisks\n";
  for (const Volume& volume : status.volumes)
    text += fmt::format("  {:>9} MiB free of {} MiB at {}\n", volume.free >> 20, volume.size >> 20,
                        volume.path.string());
  return text;
}

}  // namespace signet::gateway
