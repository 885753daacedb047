#include "gateway/cli/inspect_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace signet::gateway {
namespace {

using as2::CheckResult;
using as2::ExplainedLayer;
using as2::Explanation;
using as2::Fact;
using nlohmann::ordered_json;

constexpr std::size_t kTextWidth = 110;
constexpr std::size_t kMinColumn = 40;

std::string_view word(as2::LayerKind kind) {
  switch (kind) {
    case as2::LayerKind::Encrypted:
      return "encrypted";
    case as2::LayerKind::Signed:
      return "signed";
    case as2::LayerKind::Compressed:
      return "compressed";
  }
  return "";
}

std::string_view mark(CheckResult result) {
  switch (result) {
    case CheckResult::Held:
      return "ok";
    case CheckResult::Failed:
      return "FAILED";
    case CheckResult::NotChecked:
      return "not checked";
  }
  return "";
}

/// `text` after `lead`, wrapped, every further line under the first one's beginning.
std::string wrapped(const std::string& lead, std::string_view text) {
  const std::size_t width = std::max(kTextWidth > lead.size() ? kTextWidth - lead.size() : 0, kMinColumn);
  std::string out = lead;
  for (bool first = true; first || !text.empty(); first = false) {
    std::size_t cut = text.size();
    if (text.size() > width) {
      cut = text.rfind(' ', width);
      if (cut == std::string_view::npos || cut == 0) cut = std::min(text.find(' '), text.size());
    }
    if (!first) out += std::string(lead.size(), ' ');
    out += text.substr(0, cut);
    out += '\n';
    text = text.substr(std::min(text.size(), cut + 1));
  }
  return out;
}

std::size_t name_width(const std::vector<Fact>& facts) {
  std::size_t width = 0;
  for (const Fact& fact : facts) width = std::max(width, fact.name.size());
  return width;
}

std::string facts_text(const std::vector<Fact>& facts, const std::string& indent) {
  const std::size_t width = name_width(facts);
  std::string text;
  for (const Fact& fact : facts) {
    text += wrapped(fmt::format("{}{:<{}}  ", indent, fact.name, width), fact.value);
    text += facts_text(fact.parts, indent + "  ");
  }
  return text;
}

std::string layer_text(const ExplainedLayer& layer, std::size_t depth) {
  const std::string indent(2 * depth, ' ');
  std::string text = indent + layer.title + '\n' + facts_text(layer.facts, indent + "  ");
  for (const std::string& remark : layer.remarks) text += wrapped(indent + "  ! ", remark);
  for (const as2::Check& check : layer.checks)
    text += wrapped(fmt::format("{}  {}: ", indent, mark(check.result)), check.text);
  return text;
}

std::string explanation_text(const Explanation& explanation) {
  std::string text;
  std::size_t depth = 0;
  for (const ExplainedLayer& layer : explanation.layers) {
    text += layer_text(layer, layer.kind == "verdict" ? 0 : depth);
    const bool wraps = layer.kind == "encrypted" || layer.kind == "signed" || layer.kind == "compressed";
    if (wraps) ++depth;
  }
  return text;
}

/// One hash's column of the table, since four would not fit on a line.
std::string variants_text(const std::vector<as2::MicVariant>& variants, Hash hash) {
  std::string text = fmt::format("  variants, {}:\n", to_string(hash));
  std::size_t width = 0;
  for (const as2::MicVariant& each : variants) width = std::max(width, each.id.size());
  for (const as2::MicVariant& each : variants)
    if (const as2::Mic* mic = each.of(hash))
      text += fmt::format("    {:<{}}  {:>10}  {}\n", each.id, width, each.size, base64(mic->value));
  return text;
}

std::string mic_text(const InspectReport& report) {
  const Explanation& message = report.message;
  if (!message.mic && report.mics.empty()) return "";
  std::string text = "MIC\n";
  if (message.mic) {
    text += fmt::format("  ours   {}\n", as2::to_string(*message.mic));
    text += wrapped("  rule   ", message.mic_rule);
  }
  for (const MicFinding& each : report.mics) {
    text += fmt::format("  {}: {}\n", each.source, each.comparison.given);
    text += wrapped(
        fmt::format("    {}: ", mark(each.comparison.equal ? CheckResult::Held : CheckResult::Failed)),
        each.comparison.verdict);
  }
  if (report.show_variants)
    text += variants_text(report.variants, message.mic ? message.mic->hash : Hash::Sha256);
  return text;
}

std::string summary_text(const InspectReport& report) {
  if (report.held())
    return report.message.complete
               ? "Everything that could be checked held.\n"
               : "What could be checked held; the rest needs keys or more of the message.\n";
  return "Something did not hold: see FAILED above.\n";
}

// ---- JSON

/// A name that stands once is a value, one that stands several times a list.
void add(ordered_json& object, const std::string& name, ordered_json value) {
  if (!object.contains(name)) {
    object[name] = std::move(value);
    return;
  }
  ordered_json& there = object[name];
  if (!there.is_array()) there = ordered_json::array({there});
  there.push_back(std::move(value));
}

ordered_json facts_json(const std::vector<Fact>& facts) {
  ordered_json object = ordered_json::object();
  for (const Fact& fact : facts) {
    if (fact.parts.empty()) {
      add(object, fact.name, fact.value);
      continue;
    }
    ordered_json parts = ordered_json::object();
    parts["value"] = fact.value;
    parts.update(facts_json(fact.parts));
    add(object, fact.name, std::move(parts));
  }
  return object;
}

ordered_json layer_json(const ExplainedLayer& layer) {
  ordered_json checks = ordered_json::array();
  for (const as2::Check& check : layer.checks)
    checks.push_back({{"result", as2::to_string(check.result)}, {"text", check.text}});
  return {{"kind", layer.kind},
          {"title", layer.title},
          {"facts", facts_json(layer.facts)},
          {"remarks", layer.remarks},
          {"checks", std::move(checks)}};
}

ordered_json explanation_json(const Explanation& explanation) {
  ordered_json security = ordered_json::array();
  for (const as2::LayerKind kind : explanation.security) security.push_back(word(kind));
  ordered_json layers = ordered_json::array();
  for (const ExplainedLayer& layer : explanation.layers) layers.push_back(layer_json(layer));
  return {{"security", std::move(security)},
          {"complete", explanation.complete},
          {"receipt", explanation.receipt.has_value()},
          {"layers", std::move(layers)}};
}

ordered_json mic_json(const InspectReport& report) {
  ordered_json mic = ordered_json::object();
  if (report.message.mic) {
    mic["ours"] = as2::to_string(*report.message.mic);
    mic["rule"] = report.message.mic_rule;
  }
  mic["compared"] = ordered_json::array();
  for (const MicFinding& each : report.mics) {
    const as2::MicComparison& comparison = each.comparison;
    mic["compared"].push_back(
        {{"source", each.source},
         {"given", comparison.given},
         {"equal", comparison.equal},
         {"variant", comparison.variant ? ordered_json(*comparison.variant) : ordered_json()},
         {"verdict", comparison.verdict}});
  }
  mic["variants"] = ordered_json::array();
  for (const as2::MicVariant& each : report.variants) {
    ordered_json mics = ordered_json::object();
    for (const as2::Mic& value : each.mics) mics[std::string(to_string(value.hash))] = base64(value.value);
    mic["variants"].push_back({{"id", each.id},
                               {"covers", each.covers},
                               {"lineEnds", as2::to_string(each.line_ends)},
                               {"size", each.size},
                               {"mics", std::move(mics)}});
  }
  return mic;
}

}  // namespace

bool InspectReport::held() const {
  return message.held() && (!receipt || receipt->held()) &&
         std::all_of(mics.begin(), mics.end(), [](const MicFinding& each) { return each.comparison.equal; });
}

nlohmann::ordered_json to_json(const InspectReport& report) {
  ordered_json value = {{"held", report.held()}, {"message", explanation_json(report.message)}};
  if (report.receipt) value["mdn"] = explanation_json(*report.receipt);
  value["mic"] = mic_json(report);
  if (!report.payload.empty()) value["payload"] = report.payload;
  return value;
}

std::string to_text(const InspectReport& report) {
  std::string text = explanation_text(report.message);
  if (report.receipt) text += "\nThe receipt given with --mdn\n\n" + explanation_text(*report.receipt);
  if (const std::string mic = mic_text(report); !mic.empty()) text += '\n' + mic;
  if (!report.payload.empty()) text += "\nThe payload begins:\n" + report.payload + '\n';
  return text + '\n' + summary_text(report);
}

}  // namespace signet::gateway
