// What a command is: a name, the settings it takes, and a function that declares its own options.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "app/cli.hpp"
#include "app/settings.hpp"
#include "base/result.hpp"

namespace notso::app {

/// Runs a command with the resolved settings. @return its exit code, or an error (exit 1, one
/// line).
using CommandBody = std::function<Result<int>(const Settings&)>;

struct Command {
    const char* name;
    const char* help;
    std::vector<SettingGroup> groups;           ///< Which shared settings have flags here.
    CommandBody (*declare)(CLI::App& options);  ///< Adds the command's own options.
};

// One line per command; each stands in the file of its name.
CommandBody declare_serve(CLI::App& options);
CommandBody declare_chat(CLI::App& options);
CommandBody declare_run(CLI::App& options);
CommandBody declare_tokenize(CLI::App& options);
CommandBody declare_detokenize(CLI::App& options);
CommandBody declare_logits(CLI::App& options);
CommandBody declare_render(CLI::App& options);
CommandBody declare_perplexity(CLI::App& options);
CommandBody declare_doctor(CLI::App& options);
CommandBody declare_inspect(CLI::App& options);
CommandBody declare_quantize(CLI::App& options);
CommandBody declare_models(CLI::App& options);

}  // namespace notso::app
