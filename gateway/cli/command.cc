#include "gateway/cli/command.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/bytes.h"

namespace signet::gateway {
namespace {

std::optional<std::uint64_t> whole_number(const std::string& text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return number;
}

}  // namespace

ExitCode exit_code_for(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::InvalidInput:
    case ErrorKind::LimitExceeded:
      return ExitCode::Usage;
    case ErrorKind::AlreadyExists:
    case ErrorKind::DeletedButRecoverable:
    case ErrorKind::Unsupported:
    case ErrorKind::CryptoFailure:
      return ExitCode::Refused;
    case ErrorKind::NotFound:
      return ExitCode::NotFound;
    case ErrorKind::PermissionDenied:
    case ErrorKind::Disabled:
      return ExitCode::Denied;
    case ErrorKind::IoFailure:
      return ExitCode::Broken;
    case ErrorKind::Unavailable:
      return ExitCode::Unavailable;
    case ErrorKind::Internal:
      return ExitCode::Internal;
  }
  return ExitCode::Internal;
}

void CommandContext::print(const nlohmann::ordered_json& value, const std::string& text) const {
  if (json)
    std::cout << value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
  else
    std::cout << text << (text.empty() || text.back() == '\n' ? "" : "\n");
  std::cout.flush();
}

void CommandContext::print(nlohmann::ordered_json value, std::string text,
                           const std::vector<std::string>& warnings) const {
  value["warnings"] = warnings;
  if (!text.empty() && text.back() != '\n') text += '\n';
  for (const std::string& warning : warnings) text += "warning: " + warning + "\n";
  print(value, text);
}

std::string check_count(const std::string& text) {
  const auto count = whole_number(text);
  if (count && *count > 0) return "";
  return fmt::format("expected a whole number of 1 or more, got {}", printable(text));
}

std::string check_whole_number(const std::string& text) {
  if (whole_number(text)) return "";
  return fmt::format("expected a whole number of 0 or more, got {}", printable(text));
}

std::string check_number(const std::string& text, std::uint64_t least, std::uint64_t most) {
  const auto number = whole_number(text);
  if (number && *number >= least && *number <= most) return "";
  return fmt::format("expected a whole number from {} to {}, got {}", least, most, printable(text));
}

std::string check_wait(const std::string& text) {
  constexpr std::uint64_t kYear = 31'536'000;
  return check_number(text, 0, kYear);
}

std::string check_seconds(const std::string& text, double least, double most) {
  double seconds = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, seconds);
  if (error == std::errc{} && rest == end && seconds >= least && seconds <= most) return "";
  return fmt::format("expected {} to {} seconds, got {}", least, most, printable(text));
}

Result<std::optional<Time>> time_option(const std::string& text) {
  if (text.empty()) return std::nullopt;
  SIGNET_TRY(const Time time, parse_time(text));
  return time;
}

void run_command(CommandContext& context, const std::function<Result<>()>& work) {
  auto done = work();
  if (done) return;
  const Error& error = done.error();
  context.exit_code = exit_code_for(error.kind);
  if (context.json) {
    const nlohmann::ordered_json value = {
        {"error", {{"kind", to_string(error.kind)}, {"message", error.detail}}}};
    std::cerr << value.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) << '\n';
  } else {
    std::cerr << "signet: " << error.detail << '\n';
  }
}

}  // namespace signet::gateway
