#include "gateway/operations/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <optional>

#include "as2/disposition.h"

namespace signet::gateway {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;

/// From an answer out of the cache to a partner who makes us wait for a day.
const Histogram::BucketBoundaries kSeconds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                              1,     2.5,    5,     10,   30,    60,   600, 3600, 86400};

std::string_view word(MessageEvent event) {
  switch (event) {
    case MessageEvent::Accepted:
      return "accepted";
    case MessageEvent::Repeated:
      return "repeated";
    case MessageEvent::Refused:
      return "refused";
    case MessageEvent::NotTaken:
      return "not-taken";
    case MessageEvent::HeldBack:
      return "held-back";
    case MessageEvent::Delivered:
      return "delivered";
    case MessageEvent::Submitted:
      return "submitted";
    case MessageEvent::Confirmed:
      return "confirmed";
    case MessageEvent::Failed:
      return "failed";
  }
  return "";
}

std::string_view word(Posting what) { return what == Posting::Message ? "message" : "receipt"; }

constexpr std::array kEvents = {MessageEvent::Accepted,  MessageEvent::Repeated,  MessageEvent::Refused,
                                MessageEvent::NotTaken,  MessageEvent::HeldBack,  MessageEvent::Delivered,
                                MessageEvent::Submitted, MessageEvent::Confirmed, MessageEvent::Failed};

/// An event happens in one direction only.
std::string direction_of(MessageEvent event) {
  switch (event) {
    case MessageEvent::Accepted:
    case MessageEvent::Repeated:
    case MessageEvent::Refused:
    case MessageEvent::NotTaken:
    case MessageEvent::HeldBack:
    case MessageEvent::Delivered:
      return "inbound";
    case MessageEvent::Submitted:
    case MessageEvent::Confirmed:
    case MessageEvent::Failed:
      return "outbound";
  }
  return "";
}

double seconds(std::chrono::microseconds time) {
  return std::max(0.0, std::chrono::duration<double>(time).count());  // a clock may be set back
}

/// What the partner's own words in a disposition amount to: one of a few, whatever he wrote.
std::string outcome_of(const std::string& disposition) {
  const auto read = as2::parse_disposition(disposition);
  return read ? std::string(as2::to_string(read->outcome)) : "unreadable";
}

/// Why we refused: our own word for the fault; another one where only an HTTP error was the answer.
std::string reason_of(const MessageRecord& record) {
  const auto read = as2::parse_disposition(record.disposition);
  return read && read->fault ? as2::Disposition::of(*read->fault).modifier : "no-as2-message";
}

Family<Counter>& counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
Family<Histogram>& histogram(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

prometheus::MetricFamily to_family(const Reading& reading) {
  prometheus::MetricFamily family;
  family.name = reading.name;
  family.help = reading.help;
  family.type = reading.kind == Reading::Kind::Counter ? prometheus::MetricType::Counter
                                                       : prometheus::MetricType::Gauge;
  for (const Reading::Value& value : reading.values) {
    prometheus::ClientMetric& metric = family.metric.emplace_back();
    for (const auto& [name, text] : value.labels) metric.label.push_back({name, text});
    metric.counter.value = metric.gauge.value = value.value;
  }
  return family;
}

}  // namespace

struct Metrics::Series {
  prometheus::Registry registry;
  Family<Counter>& messages = counter(registry, "signet_messages_total", "Messages by what became of them");
  Family<Counter>& octets =
      counter(registry, "signet_payload_bytes_total", "Octets of accepted and submitted payloads");
  Family<Counter>& refusals =
      counter(registry, "signet_refusals_total", "Inbound messages that were turned down, by reason");
  Family<Counter>& sent =
      counter(registry, "signet_receipts_sent_total", "Receipts for inbound messages, by disposition");
  Family<Counter>& received = counter(registry, "signet_receipts_received_total",
                                      "Receipts for outbound messages, by disposition and worth");
  Family<Counter>& posts =
      counter(registry, "signet_posts_total", "What was posted to partners, by whether they took it");
  Family<Counter>& not_posted = counter(registry, "signet_receipts_not_posted_total",
                                        "Receipts of ours that could not be posted, for good");
  Histogram& receive =
      histogram(registry, "signet_receive_seconds", "From a complete request to its receipt being on disk")
          .Add({}, kSeconds);
  Histogram& hand_over = histogram(registry, "signet_hand_over_seconds",
                                   "From a complete request to the payload being handed over")
                             .Add({}, kSeconds);
  Histogram& confirm =
      histogram(registry, "signet_confirm_seconds", "From submission to the receipt that proves delivery")
          .Add({}, kSeconds);
  Family<Histogram>& post =
      histogram(registry, "signet_post_seconds", "From the connection to a partner to the end of his answer");

  Counter& of(MessageEvent event, const std::string& agreement) {
    return messages.Add({{"direction", direction_of(event)},
                         {"agreement", agreement},
                         {"outcome", std::string(word(event))}});
  }
  Counter& octets_of(MessageEvent event, const std::string& agreement) {
    return octets.Add({{"direction", direction_of(event)}, {"agreement", agreement}});
  }
  Counter& refusals_of(const std::string& agreement, const std::string& reason) {
    return refusals.Add({{"agreement", agreement}, {"reason", reason}});
  }
  Counter& sent_of(const std::string& agreement, const std::string& disposition) {
    return sent.Add({{"agreement", agreement}, {"disposition", disposition}});
  }
  Counter& posts_of(const std::string& agreement, Posting what, bool taken) {
    return posts.Add(
        {{"agreement", agreement}, {"what", std::string(word(what))}, {"taken", taken ? "true" : "false"}});
  }
  Counter& not_posted_of(const std::string& agreement) { return not_posted.Add({{"agreement", agreement}}); }
  Histogram& post_of(Posting what) { return post.Add({{"what", std::string(word(what))}}, kSeconds); }
  Counter& of_receipt(const std::string& agreement, const std::string& disposition, bool proven) {
    return received.Add({{"agreement", agreement},
                         {"disposition", disposition},
                         {"proves_delivery", proven ? "true" : "false"}});
  }
};

Metrics::Metrics(const Clock& clock) : clock_(clock), series_(std::make_unique<Series>()) {
  for (const Posting what : {Posting::Message, Posting::Receipt}) series_->post_of(what);
}
Metrics::~Metrics() = default;

void Metrics::know(const std::string& agreement) {
  for (const MessageEvent event : kEvents) series_->of(event, agreement);
  for (const MessageEvent event : {MessageEvent::Accepted, MessageEvent::Submitted})
    series_->octets_of(event, agreement);
  for (const as2::Fault usual : {as2::Fault::AuthenticationFailed, as2::Fault::DecryptionFailed,
                                 as2::Fault::InsufficientMessageSecurity})
    series_->refusals_of(agreement, as2::Disposition::of(usual).modifier);
  series_->sent_of(agreement, "processed");
  series_->not_posted_of(agreement);
  for (const bool good : {true, false}) {
    series_->of_receipt(agreement, "processed", good);
    for (const Posting what : {Posting::Message, Posting::Receipt}) series_->posts_of(agreement, what, good);
  }
}

void Metrics::message(MessageEvent event, const MessageRecord& record) {
  series_->of(event, record.agreement).Increment();
  if (event == MessageEvent::Accepted || event == MessageEvent::Submitted)
    series_->octets_of(event, record.agreement).Increment(static_cast<double>(record.payload_size));
  if (event == MessageEvent::Refused) series_->refusals_of(record.agreement, reason_of(record)).Increment();

  const double since_creation = seconds(clock_.now() - record.created);
  if (event == MessageEvent::Accepted || event == MessageEvent::Refused)
    series_->receive.Observe(since_creation);
  if (event == MessageEvent::Delivered) series_->hand_over.Observe(since_creation);
  if (event == MessageEvent::Confirmed) series_->confirm.Observe(since_creation);
}

void Metrics::receipt_sent(const MessageRecord& record) {
  series_->sent_of(record.agreement, outcome_of(record.disposition)).Increment();
}

void Metrics::receipt_received(const MessageRecord& record) {
  const bool proven = record.state == MessageState::Confirmed;
  series_->of_receipt(record.agreement, outcome_of(record.disposition), proven).Increment();
}

void Metrics::posted(Posting what, const std::string& agreement, bool taken, std::chrono::microseconds took) {
  series_->posts_of(agreement, what, taken).Increment();
  series_->post_of(what).Observe(seconds(took));
}

void Metrics::receipt_post_ended(const ReceiptPost& post) {
  if (post.given_up) series_->not_posted_of(post.agreement).Increment();
}

std::string Metrics::text(const std::vector<Reading>& readings) const {
  std::vector<prometheus::MetricFamily> families = series_->registry.Collect();
  for (const Reading& reading : readings) families.push_back(to_family(reading));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace signet::gateway
