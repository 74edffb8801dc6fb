// notso tool: runs a tool as a model would, from the terminal. With arguments: one call, its text
// on stdout. Without: one JSON object of arguments per line of stdin, one JSON object of output per
// line.
#include <algorithm>
#include <boost/json.hpp>
#include <iostream>
#include <thread>

#include "app/commands/command.hpp"
#include "app/interrupts.hpp"
#include "app/tools.hpp"
#include "base/log.hpp"

namespace notso::app {
namespace {

namespace json = boost::json;

struct Options {
    std::optional<std::string> name;
    std::optional<std::string> arguments;
    std::optional<std::string> file;
    std::optional<std::string> time_zone;
    bool progress = false;
};

Result<services::ToolContext> context_of(const Options& options) {
    services::ToolContext context;
    context.notes = std::make_shared<services::MemoryNoteBook>();
    context.time_zone = options.time_zone.value_or("UTC");
    if (options.file) {
        const std::filesystem::path path(*options.file);
        std::error_code error;
        const std::uint64_t bytes = std::filesystem::file_size(path, error);
        if (error) return fail(ErrorCode::kNotFound, "{}: {}", path.string(), error.message());
        context
            .attachments = std::make_shared<services::FixedShelf>(std::vector<services::Attachment>{
            {.name = path.filename().string(), .media_type = {}, .path = path, .bytes = bytes}});
    }
    return context;
}

/// Waits until every MCP server is ready or has failed; failures are said on stderr.
void wait_for_servers(const services::McpClient& servers, const std::stop_token& stop) {
    constexpr std::chrono::milliseconds kStep{20};
    for (;;) {
        const auto all = servers.status();
        const bool starting = std::ranges::any_of(all, [](const services::McpStatus& each) {
            return each.state == services::McpState::kStarting;
        });
        if (starting && !stop.stop_requested()) {
            std::this_thread::sleep_for(kStep);
            continue;
        }
        for (const services::McpStatus& each : all) {
            if (each.state == services::McpState::kFailed)
                std::cerr << fmt::format(
                    "MCP server {}: {}\n", log::field(each.name), log::field(each.detail));
        }
        return;
    }
}

void print_tools(const services::ToolBox& box) {
    for (const services::ToolPtr& tool : box.list()) {
        const std::string& text = tool->info().description;
        std::cout << fmt::format("{:<24} {}\n", tool->info().name, log::field(text));
    }
}

void print_progress(const services::ToolProgress& progress) {
    std::cerr << fmt::format(
        "{} / {} {}\n", progress.done, progress.total, log::field(progress.text));
}

Result<int> run(const Settings& settings, const Options& options) {
    std::stop_source stop;
    std::optional<Interrupts> interrupts;  // not while stdin is read: Ctrl-C just ends that
    if (options.arguments) interrupts.emplace().handle([&] { stop.request_stop(); });
    NOTSO_TRY(const Tools tools, make_all_tools(settings, options.name.value_or("")));
    const services::ToolBox& box = *tools.box;
    wait_for_servers(*tools.servers, stop.get_token());
    if (!options.name) {
        print_tools(box);
        return kExitOk;
    }
    NOTSO_TRY(services::ToolContext context, context_of(options));
    context.stop = stop.get_token();
    if (options.progress) context.on_progress = print_progress;
    if (options.arguments) {
        const auto output = box.run({*options.name, *options.arguments}, context);
        if (stop.stop_requested()) return kExitInterrupted;
        if (output.is_error) return fail(ErrorCode::kInvalidArgument, "{}", output.text);
        std::cout << output.text << '\n';
        return kExitOk;
    }
    for (std::string line; std::getline(std::cin, line);) {
        const auto output = box.run({*options.name, line}, context);
        const json::object row{{"text", output.text}, {"is_error", output.is_error}};
        std::cout << json::serialize(row) << std::endl;
    }
    return kExitOk;
}

}  // namespace

CommandBody declare_tool(OptionList& options) {
    auto values = std::make_shared<Options>();
    options.text("name", values->name, "the tool; without it: list them");
    options.text(
        "arguments", values->arguments, "JSON object; without it: one object per line of stdin");
    options.text("--attach", values->file, "a file that the tool may read as an attachment");
    options.text("--time-zone", values->time_zone, "IANA name of the asker's zone");
    options.flag("--progress", values->progress, "say on stderr how far the tool is");
    return [values](const Settings& settings) { return run(settings, *values); };
}

}  // namespace notso::app
