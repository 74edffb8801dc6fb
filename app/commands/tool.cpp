// notso tool: runs a tool as a model would, from the terminal. With arguments: one call, its text
// on stdout. Without: one JSON object of arguments per line of stdin, one JSON object of output per
// line.
#include <boost/json.hpp>
#include <iostream>

#include "app/commands/command.hpp"
#include "app/tools.hpp"

namespace notso::app {
namespace {

namespace json = boost::json;

struct Options {
    std::optional<std::string> name;
    std::optional<std::string> arguments;
    std::optional<std::string> file;
    std::optional<std::string> time_zone;
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

void print_tools(const services::ToolBox& box) {
    for (const services::ToolPtr& tool : box.list())
        std::cout << fmt::format("{:<20} {}\n", tool->info().name, tool->info().description);
}

Result<int> run(const Options& options) {
    const auto box = make_full_tool_box();
    if (!options.name) {
        print_tools(*box);
        return kExitOk;
    }
    NOTSO_TRY(const services::ToolContext context, context_of(options));
    if (options.arguments) {
        const auto output = box->run({*options.name, *options.arguments}, context);
        if (output.is_error) return fail(ErrorCode::kInvalidArgument, "{}", output.text);
        std::cout << output.text << '\n';
        return kExitOk;
    }
    for (std::string line; std::getline(std::cin, line);) {
        const auto output = box->run({*options.name, line}, context);
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
    return [values](const Settings&) { return run(*values); };
}

}  // namespace notso::app
