#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "agreements/diff.h"
#include "base/file.h"
#include "base/network.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/cli/simulated_home.h"
#include "gateway/cli/subcommands.h"
#include "gateway/simulator/sender.h"
#include "gateway/simulator/simulated_account.h"
#include "gateway/simulator/wire_server.h"

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

struct SimulateOptions {
  std::filesystem::path directory;

  std::string agreement;
  std::string url = "http://127.0.0.1:4180/as2";
  std::string receipt_url = "http://127.0.0.1:4181/as2/receipts";
  std::string gateway_url;
  std::string kind = "RSA-2048";
  bool asynchronous = false;
  bool apply = false;

  std::string listen;
  std::vector<std::string> behaviours;
  std::filesystem::path script;
  double answer_delay = 30;
  std::size_t count = 0;
  bool allow_remote = false;
  std::filesystem::path ports_file;

  std::filesystem::path file;
  double octet_delay = 1;
  double patience = 120;
};

constexpr double kDay = 86'400;  ///< seconds

std::chrono::milliseconds to_milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

/// One line for each thing that happens: programs read it as it comes.
void print_line(const CommandContext& context, const ordered_json& value, const std::string& text) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::cout << (context.json ? value.dump(-1, ' ', true, ordered_json::error_handler_t::replace) : text)
            << std::endl;
}

// ---- init, remove

/// Where the gateway that serves a home is reached on this machine.
Result<std::string> gateway_base(const CommandContext& context, const ServeSettings& settings) {
  SIGNET_TRY(const Listener listener, parse_listener(settings.listen.front()));
  if (listener.port == 0)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("{} listens on any free port: say where with --gateway-url", context.home.string()));
  std::string host = listener.address;
  if (host == "0.0.0.0" || host == "::") host = host == "::" ? "::1" : "127.0.0.1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return fmt::format("http://{}:{}", host, listener.port);
}

Result<SimulatedHomeSettings> home_settings(const CommandContext& context, const SimulateOptions& options) {
  SimulatedHomeSettings settings{options.agreement,   options.url, options.receipt_url,
                                 options.gateway_url, "",          {}};
  for (const std::string& url : {options.url, options.receipt_url}) {
    SIGNET_TRY(const UrlParts parts, parse_url(url));
    if (parts.scheme != "http")
      return fail(ErrorKind::Unsupported,
                  fmt::format("the simulated partner speaks http only, not '{}'", printable(url)));
  }
  SIGNET_TRY(const ServeSettings serve, read_serve_settings({}, context.home / "serve.toml"));
  std::string base;
  if (options.gateway_url.empty()) {
    SIGNET_TRY(base, gateway_base(context, serve));
    settings.gateway_url = base + serve.path;
  } else {
    SIGNET_TRY(const UrlParts parts, parse_url(options.gateway_url));
    base = options.gateway_url.substr(0, options.gateway_url.size() - parts.path.size());
  }
  if (options.asynchronous) settings.gateway_receipt_url = base + serve.receipt_path;
  SIGNET_TRY(settings.kind, vault::parse_key_kind(options.kind));
  return settings;
}

Result<> init(CommandContext& context, const SimulateOptions& options) {
  SIGNET_TRY(const auto gateway, Home::open(context.home));
  SIGNET_TRY(const agreements::StoredAccount stored, gateway->accounts().load());
  SIGNET_TRY(const SimulatedHomeSettings settings, home_settings(context, options));
  SIGNET_TRY(const SimulatedHome::Made made,
             SimulatedHome::make(options.directory, stored.account, settings));
  const std::string directory = options.directory.string();
  std::string text =
      fmt::format("made a simulated partner for agreement '{}' in {}, with test keys of its own\n",
                  options.agreement, directory);
  if (options.apply) {
    SIGNET_CHECK(gateway->accounts().replace(made.gateway, stored.generation));
    text += agreements::to_string(agreements::diff(stored.account, made.gateway)) + "applied\n";
  } else {
    text += fmt::format(
        "next: signet apply {}/gateway-account.xml    # its test certificate, and agreement '{}'\n",
        directory, made.agreement);
  }
  text += fmt::format(
      "{} signet simulate serve {} --behaviour wrong-mic\n      signet send --agreement {} FILE\n",
      options.apply ? "next:" : "     ", directory, made.agreement);
  context.print({{"home", directory},
                 {"agreement", made.agreement},
                 {"url", settings.url},
                 {"receiptUrl", settings.receipt_url},
                 {"gatewayUrl", settings.gateway_url},
                 {"applied", options.apply}},
                text);
  return {};
}

Result<> remove(CommandContext& context, const SimulateOptions&) {
  SIGNET_TRY(const auto gateway, Home::open(context.home));
  SIGNET_TRY(const agreements::StoredAccount stored, gateway->accounts().load());
  const agreements::Account left = simulator::without_simulations(stored.account);
  const auto changes = agreements::diff(stored.account, left);
  if (!changes.empty()) SIGNET_CHECK(gateway->accounts().replace(left, stored.generation));
  ordered_json removed = ordered_json::array();
  for (const agreements::EntryChange& change : changes) removed.push_back(change.name);
  context.print({{"removed", removed}},
                changes.empty()
                    ? "there is no simulated partner in the account"
                    : agreements::to_string(changes) + "removed; the partners' homes are yours to delete");
  return {};
}

// ---- serve

/// Where to listen for what is posted to a URL of the simulated partner's.
Result<Listener> listener_for(const std::string& url, const SimulateOptions& options) {
  Listener listener{"simulator", "127.0.0.1", 0, std::nullopt};
  if (options.listen.empty()) {
    SIGNET_TRY(const UrlParts parts, parse_url(url));
    if (IpAddress::parse(parts.host)) listener.address = parts.host;
    listener.port = parts.port;
  } else {
    SIGNET_TRY(listener, parse_listener(options.listen));
  }
  if (!options.allow_remote && !simulator::is_loopback(listener.address))
    return fail(ErrorKind::InvalidInput, fmt::format("{} is no loopback address, and a partner that "
                                                     "misbehaves is for tests: --allow-remote if you mean it",
                                                     listener.address));
  return listener;
}

Result<simulator::Script> script_of(const SimulateOptions& options) {
  std::string text;
  for (const std::string& behaviour : options.behaviours) text += behaviour + "\n";
  if (!options.script.empty()) {
    SIGNET_TRY(text, read_text_file(options.script));
  }
  return simulator::Script::parse(text.empty() ? "correct" : text);
}

/// Before any thread is made: they inherit it.
sigset_t block_ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

Result<> serve(CommandContext& context, const SimulateOptions& options) {
  SIGNET_TRY(simulator::Script script, script_of(options));
  const sigset_t signals = block_ending_signals();
  SIGNET_TRY(SimulatedHome home, SimulatedHome::open(options.directory));
  SIGNET_TRY(Listener listener, listener_for(home.url(), options));
  SIGNET_TRY(const UrlParts url, parse_url(home.url()));
  SIGNET_TRY(const simulator::PartnerPorts ports, home.ports());
  const auto tell = [&context, &ports](const simulator::Event& event) {
    const std::string time = to_rfc3339(ports.clock.now());
    ordered_json line = {{"time", time}, {"event", event.name}};
    for (const auto& [name, value] : event.facts) line[name] = value;
    print_line(context, line, time + "  " + event.text);
  };
  simulator::SimulatedPartner partner(ports,
                                      {url.path, to_milliseconds(options.answer_delay), options.allow_remote},
                                      std::move(script), tell);
  const auto answer = [&](simulator::Conversation& conversation) {
    partner.serve(conversation);
    if (options.count != 0 && partner.answered() >= options.count) ::kill(::getpid(), SIGTERM);
  };
  SIGNET_TRY(const auto server, simulator::WireServer::start(listener, ports.spool, ports.clock, answer));
  listener.port = server->port();
  if (!options.ports_file.empty()) {
    const ordered_json taken = {
        {{"name", listener.name}, {"address", listener.address}, {"port", listener.port}}};
    SIGNET_CHECK(write_file_durably(options.ports_file, as_bytes(taken.dump())));
  }
  tell({"listening",
        {{"address", listener.address}, {"port", std::to_string(listener.port)}, {"path", url.path}},
        fmt::format("listening on {} port {} for messages of agreement '{}'", listener.address, listener.port,
                    home.agreement())});
  int signal = 0;
  sigwait(&signals, &signal);
  server->stop();
  return {};
}

// ---- send

Result<std::vector<simulator::SendBehaviour>> sendings(const SimulateOptions& options) {
  std::vector<simulator::SendBehaviour> chosen;
  for (const std::string& name : options.behaviours) {
    if (name == "all") {
      const auto all = simulator::send_behaviours();
      chosen.insert(chosen.end(), all.begin(), all.end());
    } else {
      SIGNET_TRY(chosen.emplace_back(), simulator::parse_send_behaviour(name));
    }
  }
  return chosen;
}

/// @returns whether the gateway handled it as it must. A behaviour that would show nothing is an error, but
/// where all are tried.
Result<bool> send_one(
    const CommandContext& context, const simulator::SendBehaviour& behaviour, bool of_many,
    const std::function<Result<simulator::SendVerdict>(const simulator::SendBehaviour&)>& send) {
  auto verdict = send(behaviour);
  ordered_json line = {{"behaviour", behaviour.name}, {"gatewayMust", behaviour.gateway_must}};
  if (!verdict) {
    if (!of_many || verdict.error().kind != ErrorKind::InvalidInput) return fail(std::move(verdict).error());
    line["skipped"] = verdict.error().detail;
    print_line(context, line, fmt::format("skipped  {}: {}", behaviour.name, verdict.error().detail));
    return true;
  }
  line["handled"] = verdict->handled;
  line["verdict"] = verdict->sentence;
  line["messageId"] = verdict->message_id;
  line["httpStatus"] = verdict->http_status;
  line["disposition"] = verdict->disposition;
  line["receiptSigned"] = verdict->receipt_signed;
  std::string text =
      fmt::format("{}  {}: {}", verdict->handled ? "handled" : "FAILED ", behaviour.name, verdict->sentence);
  if (!verdict->handled) text += fmt::format("; it must {}", behaviour.gateway_must);
  print_line(context, line, text);
  return verdict->handled;
}

Result<> send(CommandContext& context, const SimulateOptions& options) {
  SIGNET_TRY(auto behaviours, sendings(options));
  if (behaviours.empty()) behaviours.push_back(*simulator::parse_send_behaviour("correct"));
  SIGNET_TRY(const Slice payload, Slice::of_file(options.file));
  SIGNET_TRY(SimulatedHome home, SimulatedHome::open(options.directory));
  SIGNET_TRY(const simulator::PartnerPorts ports, home.ports());
  simulator::SendSettings settings;
  settings.agreement = home.agreement();
  settings.url = options.gateway_url;
  settings.delay = to_milliseconds(options.octet_delay);
  settings.patience = to_milliseconds(options.patience);
  SIGNET_TRY(settings.receipt_listener, listener_for(home.receipt_url(), options));
  const simulator::StopSignal stop;
  const auto send = [&](const simulator::SendBehaviour& behaviour) {
    return simulator::send(ports, settings, behaviour, payload, options.file.filename().string(), stop);
  };
  for (const simulator::SendBehaviour& behaviour : behaviours) {
    SIGNET_TRY(const bool handled, send_one(context, behaviour, behaviours.size() > 1, send));
    if (!handled) context.exit_code = ExitCode::Refused;
  }
  return {};
}

/// Names and what they mean, for --help.
template <class Behaviours>
std::string list(const Behaviours& behaviours) {
  std::string text = "Behaviours:\n";
  for (const auto& behaviour : behaviours)
    text += fmt::format("  {:<22} {}\n", behaviour.name, behaviour.does);
  return text;
}

}  // namespace

void add_simulate_commands(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<SimulateOptions>();
  CLI::App* simulate =
      app.add_subcommand("simulate", "A trading partner that misbehaves on demand, to try the gateway with");
  simulate->require_subcommand(1);
  simulate->footer("Example: signet simulate init sim --for acme-globex --apply");
  const Subcommands command(*simulate, context, options);
  const auto with_directory = [&](CLI::App* made) {
    made->add_option("directory", options->directory, "The simulated partner's home")->required();
  };

  CLI::App* initialising = command(
      "init", "Make a partner from an agreement of the gateway's: the same terms, test keys of its own",
      "Example: signet simulate init sim --for acme-globex --apply\n"
      "Without --apply, 'signet apply sim/gateway-account.xml' lets the gateway trade with the partner.",
      init);
  with_directory(initialising);
  initialising->add_option("--for", options->agreement, "The agreement whose guest it plays")->required();
  initialising->add_flag(
      "--apply", options->apply,
      "Take the partner, its test certificate and its agreement into the gateway's account");
  initialising->add_flag("--asynchronous", options->asynchronous,
                         "Let the gateway ask for receipts by connections of their own");
  initialising->add_option("--url", options->url, "Where the gateway reaches the partner")
      ->capture_default_str();
  initialising->add_option("--receipt-url", options->receipt_url, "Where it posts receipts to the partner")
      ->capture_default_str();
  initialising->add_option("--gateway-url", options->gateway_url,
                           "Where the partner reaches the gateway; by default as serve.toml says");
  initialising->add_option("--kind", options->kind, "Of the test keys: RSA-2048, RSA-3072, EC-P-256...")
      ->capture_default_str();

  command("remove", "Take every simulated partner out of the gateway's account",
          "Example: signet --home /srv/signet simulate remove", remove);

  const auto with_listener = [&](CLI::App* made, const char* what) {
    made->add_option("--listen", options->listen, what);
    made->add_flag("--allow-remote", options->allow_remote,
                   "Let it listen on, and post to, other addresses than loopback ones");
  };
  CLI::App* serving = command("serve", "Be the partner that the gateway sends to, and answer as told",
                              "Example: signet simulate serve sim --behaviour http-503*2,correct\n" +
                                  list(simulator::answer_behaviours()) +
                                  "  http-NNN               answers with this HTTP status and no receipt\n"
                                  "A list is gone through message by message, NAME*COUNT for several; its "
                                  "last entry is for all that follow.",
                              serve);
  with_directory(serving);
  CLI::Option* behaviour =
      serving->add_option("--behaviour", options->behaviours, "What to do; 'correct' unless given")
          ->expected(1)
          ->take_all();
  serving
      ->add_option("--script", options->script,
                   "A file of behaviours, as a list or one a line; # begins a note")
      ->excludes(behaviour);
  serving->add_option("--delay", options->answer_delay, "Seconds of what is late, slow or drips")
      ->check([](const std::string& text) { return check_seconds(text, 0, kDay); })
      ->capture_default_str();
  serving->add_option("--count", options->count, "End after so many messages; 0: never")
      ->check(check_whole_number)
      ->capture_default_str();
  serving->add_option("--ports-file", options->ports_file,
                      "Write the port taken to this file, as JSON, once listening");
  with_listener(serving, "Address and port; by default those of its URL. Port 0 takes a free one");

  CLI::App* sending =
      command("send", "Be the partner that sends to the gateway, and judge its answer",
              "Example: signet simulate send sim order.edi --behaviour unsigned\n" +
                  list(simulator::send_behaviours()) +
                  "  all                    each of them\n"
                  "Exit code 0 when the gateway handled every message as it must, 1 when it did not.",
              send);
  with_directory(sending);
  sending->add_option("file", options->file, "The document")->required();
  sending->add_option("--behaviour", options->behaviours, "How to send; 'correct' unless given")
      ->delimiter(',');
  sending->add_option("--gateway-url", options->gateway_url, "Another gateway than the agreement's");
  sending->add_option("--delay", options->octet_delay, "Seconds between two octets of a slow message")
      ->check([](const std::string& text) { return check_seconds(text, 0.001, 3600); })
      ->capture_default_str();
  sending
      ->add_option("--patience", options->patience,
                   "Seconds to wait for a slow message's end, and for a receipt")
      ->check([](const std::string& text) { return check_seconds(text, 0.1, kDay); })
      ->capture_default_str();
  with_listener(sending, "Address and port for receipts; by default those of the receipt URL");
}

}  // namespace signet::gateway
