#include "app/cli.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

#include "app/commands/command.hpp"
#include "base/log.hpp"

namespace notso::app {
namespace {

using enum SettingGroup;

/// Every command of the program, one line each.
const std::vector<Command>& command_table() {
    static const std::vector<Command> kCommands = {
        {"serve",
         "the chat page and the API",
         {kModel, kEngine, kRemote, kDownload, kChats, kData, kServer},
         declare_serve},
        {"chat", "chat in the terminal", {kModel, kEngine, kRemote, kChats, kData}, declare_chat},
        {"run", "answer one message", {kModel, kEngine, kRemote}, declare_run},
        {"tokenize", "JSON strings from stdin to token ids", {kModel}, declare_tokenize},
        {"detokenize", "token ids from stdin to JSON strings", {kModel}, declare_detokenize},
        {"render", "the prompt that a chat template makes", {kModel}, declare_render},
        {"logits", "the model's raw output for given tokens", {kModel, kEngine}, declare_logits},
        {"perplexity", "how well the model predicts a text", {kModel, kEngine}, declare_perplexity},
        {"inspect", "what is in a GGUF file", {kModel}, declare_inspect},
        {"quantize", "write a model in smaller types", {kModel, kEngine}, declare_quantize},
        {"bench", "how fast a model runs on this machine", {kModel, kEngine}, declare_bench},
        {"doctor",
         "check this machine, the data folder and a model",
         {kModel, kEngine, kChats, kData, kServer},
         declare_doctor},
        {"pull", "fetch a model", {kModel, kDownload}, declare_pull},
        {"models", "list the installed models", {kModel}, declare_models},
        {"tool", "run a tool as a model would", {kChats, kData, kServer}, declare_tool},
        {"user", "accounts of the people who share a server", {kData, kServer}, declare_user},
        {"backup", "copy the database into a file", {kData, kServer}, declare_backup},
        {"restore", "put a backup in the database's place", {kData, kServer}, declare_restore},
        {"export", "write all conversations into a file", {kData, kServer}, declare_export},
        {"import", "add the conversations of a file", {kData, kServer}, declare_import},
    };
    return kCommands;
}

/// What the command line chose; filled while CLI11 parses.
struct Chosen {
    SettingValues flags;
    std::optional<std::filesystem::path> file;
    std::string log_default = "off";  // their one line of error says it all
};

std::string long_flag(std::string_view declared) {
    return std::string(declared.substr(
        declared.rfind(',') == std::string_view::npos ? 0 : declared.rfind(',') + 1));
}

void add_setting(CLI::App& options, const SettingRow& row, Chosen& chosen) {
    auto* option = options.add_option_function<std::vector<std::string>>(
        row.flag,
        [&chosen, key = row.key, flag = long_flag(row.flag)](
            const std::vector<std::string>& values) {
            chosen.flags[key] = SettingValue{values, flag};
        },
        row.help);
    option->expected(1)->allow_extra_args(false)->type_name("");
    option->multi_option_policy(row.list ? CLI::MultiOptionPolicy::TakeAll
                                         : CLI::MultiOptionPolicy::TakeLast);
}

void add_settings(CLI::App& options, const Command& command, Chosen& chosen) {
    for (const SettingRow& row : setting_table()) {
        const bool wanted = row.group == kGeneral ||
                            std::ranges::find(command.groups, row.group) != command.groups.end();
        if (wanted) add_setting(options, row, chosen);
    }
    options
        .add_option(
            "--config", chosen.file, "settings file; default: ./notso.toml where there is one")
        ->type_name("");
}

int run_command(const CommandBody& body, const Chosen& chosen) {
    const auto configured = log::configure(chosen.log_default);
    if (!configured) return usage_error(configured.error().detail);
    const auto settings = resolve_settings({chosen.flags, process_environment(), chosen.file});
    if (!settings) {
        print_error(settings.error().detail);
        const bool from_flag = settings.error().detail.starts_with("--");
        return from_flag ? kExitUsage : kExitFailed;
    }
    const Result<int> result = body(*settings);
    std::cout.flush();
    if (!result) {
        print_error(result.error().detail);
        return result.error().code == ErrorCode::kCancelled ? kExitInterrupted : kExitFailed;
    }
    if (!std::cout) {
        print_error("could not write all of the output to stdout");
        return kExitFailed;
    }
    return *result;
}

}  // namespace

void print_error(std::string_view detail) {
    std::string line(detail);
    std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\r'; }, ' ');
    std::cerr << "notso: " << line << std::endl;
}

int usage_error(std::string_view detail) {
    print_error(fmt::format("{} (see --help)", detail));
    return kExitUsage;
}

int run_cli(int argc, const char* const* argv) {
    CLI::App app{"A chatbot that runs small language models on your own machine.", "notso"};
    app.set_version_flag("--version", "notso " NOTSO_VERSION);
    app.require_subcommand(1);
    Chosen chosen;
    CommandBody body;
    std::vector<std::pair<CLI::App*, CommandBody>> bodies;
    for (const Command& command : command_table()) {
        CLI::App* options = app.add_subcommand(command.name, command.help);
        add_settings(*options, command, chosen);
        OptionList own(*options);
        bodies.emplace_back(options, command.declare(own));
        if (std::string_view(command.name) == "serve")
            options->parse_complete_callback([&] { chosen.log_default = "info"; });
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& wanted) {  // --help, --version
        return app.exit(wanted);
    } catch (const CLI::ParseError& error) {
        return usage_error(error.what());
    }
    for (const auto& [options, candidate] : bodies)
        if (options->parsed()) body = candidate;
    return run_command(body, chosen);
}

}  // namespace notso::app
