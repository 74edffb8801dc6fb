// What a call goes through: find, check, run, cap. The threads are tool_crew.cpp's part.
#include "services/tools/tool_box.hpp"

#include <algorithm>
#include <exception>

#include "base/log.hpp"
#include "base/utf8.hpp"
#include "services/tools/arguments.hpp"
#include "services/tools/tool_crew.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

ToolOutput failed(std::string text) { return {.text = std::move(text), .is_error = true}; }

/// Well-formed and no longer than allowed; what was left out is said.
ToolOutput capped(ToolOutput output, std::size_t max_bytes) {
    if (!is_valid_utf8(output.text)) output.text = repair_utf8(output.text);
    const std::size_t whole = output.text.size();
    if (whole <= max_bytes) return output;
    const std::string note = fmt::format("\n[cut: the output has {} bytes; ask for less]", whole);
    const std::size_t room = max_bytes > note.size() ? max_bytes - note.size() : 0;
    output.text.resize(truncate_utf8(output.text, room).size());
    output.text += note;
    return output;
}

std::string names_of(const std::vector<ToolPtr>& tools) {
    std::string out;
    for (const ToolPtr& tool : tools) {
        if (!out.empty()) out += ", ";
        out += tool->info().name;
    }
    return out.empty() ? "none" : out;
}

Result<ToolOutput> run_guarded(const Tool& tool,
                               const json::object& arguments,
                               const ToolContext& context) {
    try {
        return tool.run(arguments, context);
    } catch (const std::exception& error) {  // a third party's, out of memory among them
        log::error("event=tool_threw tool={} what={}",
                   log::field(tool.info().name),
                   log::field(error.what()));
        return fail(ErrorCode::kInternal, "the tool failed inside; try something else");
    }
}

ToolOutput answer_of(Result<ToolOutput> result, const ToolInfo& info, const ToolContext& context) {
    if (result) return *std::move(result);
    if (context.stop.stop_requested() || SteadyClock::now() >= context.deadline)
        return failed(ended_text(info, context));
    return failed(fmt::format("{}: {}", info.name, result.error().detail));
}

}  // namespace

std::string ended_text(const ToolInfo& info, const ToolContext& context) {
    if (SteadyClock::now() < context.deadline) return "the call was cancelled";
    return fmt::format("{} was not ready within {} s and was stopped; ask for less, or do without",
                       info.name,
                       static_cast<double>(info.timeout.count()) / 1000.0);
}

ToolBox::ToolBox(std::vector<ToolPtr> tools,
                 std::vector<std::shared_ptr<const ToolSource>> sources,
                 ToolLimits limits)
    : tools_(std::move(tools)),
      sources_(std::move(sources)),
      limits_(limits),
      crew_(std::make_unique<ToolCrew>(limits)) {}

ToolBox::~ToolBox() = default;

std::vector<ToolPtr> ToolBox::list() const {
    std::vector<ToolPtr> out;
    const auto add = [&](const ToolPtr& tool) {
        const auto same = [&](const ToolPtr& other) {
            return other->info().name == tool->info().name;
        };
        if (std::ranges::none_of(out, same)) out.push_back(tool);
    };
    std::ranges::for_each(tools_, add);
    for (const auto& source : sources_) std::ranges::for_each(source->tools(), add);
    return out;
}

ToolPtr ToolBox::find(std::string_view name) const {
    const std::vector<ToolPtr> tools = list();
    const auto found =
        std::ranges::find_if(tools, [&](const ToolPtr& tool) { return tool->info().name == name; });
    return found == tools.end() ? nullptr : *found;
}

json::array ToolBox::openai_tools(std::span<const std::string> names) const {
    json::array out;
    for (const ToolPtr& tool : list()) {
        const ToolInfo& info = tool->info();
        if (!names.empty() && std::ranges::find(names, info.name) == names.end()) continue;
        out.push_back({{"type", "function"},
                       {"function",
                        {{"name", info.name},
                         {"description", info.description},
                         {"parameters", info.parameters}}}});
    }
    return out;
}

Result<ToolBox::Checked> ToolBox::find_and_check(const ToolCall& call) const {
    const ToolPtr tool = find(call.name);
    if (!tool) {
        return fail(ErrorCode::kNotFound,
                    "there is no tool named \"{}\"; there are: {}",
                    truncate_utf8(call.name, 64),
                    names_of(list()));
    }
    NOTSO_TRY(
        json::object arguments,
        read_arguments(call.arguments, limits_.max_argument_bytes, limits_.max_argument_depth));
    NOTSO_CHECK(check_arguments(arguments, tool->info().parameters));
    return Checked{tool, std::move(arguments)};
}

Result<json::object> ToolBox::check(const ToolCall& call) const {
    NOTSO_TRY(Checked checked, find_and_check(call));
    return std::move(checked.arguments);
}

ToolOutput ToolBox::run(const ToolCall& call, const ToolContext& context) const {
    auto checked = find_and_check(call);
    if (!checked) return capped(failed(checked.error().detail), limits_.max_output_bytes);
    return run_checked(*checked, context);
}

ToolOutput ToolBox::run_checked(const Checked& checked, ToolContext context) const {
    const ToolInfo& info = checked.tool->info();
    context.deadline = std::min(context.deadline, SteadyClock::now() + info.timeout);
    if (context.stop.stop_requested()) return failed(ended_text(info, context));
    auto result = run_guarded(*checked.tool, checked.arguments, context);
    return capped(answer_of(std::move(result), info, context), limits_.max_output_bytes);
}

void ToolBox::start(ToolCall call, ToolContext context, ToolDone done) {
    auto checked = find_and_check(call);
    if (!checked) {
        done(capped(failed(checked.error().detail), limits_.max_output_bytes));
        return;
    }
    const ToolInfo& info = checked->tool->info();
    context.deadline = std::min(context.deadline, SteadyClock::now() + info.timeout);
    crew_->start({.info = info,
                  .context = std::move(context),
                  .work = [this, checked = *std::move(checked)](
                              const ToolContext& of_run) { return run_checked(checked, of_run); },
                  .done = std::move(done)});
}

}  // namespace notso::services
