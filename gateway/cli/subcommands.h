#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "gateway/cli/command.h"

namespace signet::gateway {

/// Has `fill` give `command` its options and its own commands when the command line names it: making all that
/// there are is a third of what a start costs.
template <class Fill>
void when_named(CLI::App& command, Fill fill) {
  command.preparse_callback([&command, fill = std::move(fill), filled = false](std::size_t) mutable {
    if (!std::exchange(filled, true)) fill(command);
  });
}

/// Adds commands to a group, each of which a function does that gets what the options said.
template <class Options>
class Subcommands {
 public:
  using Work = Result<> (*)(CommandContext&, const Options&);

  /// The group and the context outlive the commands.
  Subcommands(CLI::App& group, CommandContext& context, std::shared_ptr<Options> options)
      : group_(group), context_(context), options_(std::move(options)) {}

  /// @param footer  an example, at the end of its help
  CLI::App* operator()(const std::string& name, const std::string& description, const std::string& footer,
                       Work work) const {
    CLI::App* made = group_.add_subcommand(name, description);
    made->footer(footer);
    made->callback([&context = context_, options = options_, work] {
      run_command(context, [&] { return work(context, *options); });
    });
    return made;
  }

 private:
  CLI::App& group_;
  CommandContext& context_;
  std::shared_ptr<Options> options_;
};

/// The same of commands about one vault, which --vault names.
template <class Options>
class VaultSubcommands {
 public:
  VaultSubcommands(CLI::App& group, CommandContext& context, std::shared_ptr<Options> options)
      : command_(group, context, options), options_(std::move(options)) {}

  CLI::App* operator()(const std::string& name, const std::string& description, const std::string& footer,
                       typename Subcommands<Options>::Work work) const {
    CLI::App* made = command_(name, description, footer, work);
    made->add_option("--vault", options_->vault, "The vault's name")->capture_default_str();
    return made;
  }

 private:
  Subcommands<Options> command_;
  std::shared_ptr<Options> options_;
};

}  // namespace signet::gateway
