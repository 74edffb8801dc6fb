// What a command is: a name, the settings it takes, and a function that declares its own options.
#pragma once

#include <functional>
#include <vector>

#include "app/cli.hpp"
#include "app/commands/option_list.hpp"
#include "app/settings.hpp"
#include "base/result.hpp"

namespace notso::app {

/// Runs a command with the resolved settings. @return its exit code, or an error (exit 1, one
/// line).
using CommandBody = std::function<Result<int>(const Settings&)>;

struct Command {
    const char* name;
    const char* help;
    std::vector<SettingGroup> groups;             ///< Which shared settings have flags here.
    CommandBody (*declare)(OptionList& options);  ///< Adds the command's own options.
};

// One line per command; each stands in the file of its name.
CommandBody declare_serve(OptionList& options);
CommandBody declare_chat(OptionList& options);
CommandBody declare_run(OptionList& options);
CommandBody declare_tokenize(OptionList& options);
CommandBody declare_detokenize(OptionList& options);
CommandBody declare_logits(OptionList& options);
CommandBody declare_render(OptionList& options);
CommandBody declare_perplexity(OptionList& options);
CommandBody declare_bench(OptionList& options);
CommandBody declare_doctor(OptionList& options);
CommandBody declare_inspect(OptionList& options);
CommandBody declare_quantize(OptionList& options);
CommandBody declare_pull(OptionList& options);
CommandBody declare_models(OptionList& options);
CommandBody declare_tool(OptionList& options);
CommandBody declare_user(OptionList& options);
CommandBody declare_backup(OptionList& options);   // archive.cpp
CommandBody declare_restore(OptionList& options);  // archive.cpp
CommandBody declare_export(OptionList& options);   // archive.cpp
CommandBody declare_import(OptionList& options);   // archive.cpp

}  // namespace notso::app
