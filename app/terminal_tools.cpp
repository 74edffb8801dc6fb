#include "app/terminal_tools.hpp"

#include <iostream>
#include <optional>
#include <utility>

#include "base/serial_worker.hpp"
#include "services/tools/time/time_zone.hpp"

namespace notso::app {
namespace {

constexpr std::string_view kNotAllowed =
    "The person did not allow this call. Go on without it, or ask what they want instead.";
constexpr std::string_view kStopped = "The person stopped this call.";

void print_dim(std::string_view text) {
    std::cout << "\x1b[2m" << terminal_safe(text) << "\x1b[0m\n" << std::flush;
}

}  // namespace

TerminalTools::TerminalTools(Tools tools,
                             Interrupts& interrupts,
                             LineReader& reader,
                             Options options)
    : tools_(std::move(tools)), interrupts_(interrupts), reader_(reader), options_(options) {
    start_over();
}

void TerminalTools::start_over() { notes_ = std::make_shared<services::MemoryNoteBook>(); }

std::vector<std::string> TerminalTools::run(const std::vector<AnswerCall>& calls,
                                            std::shared_ptr<services::AttachmentShelf> files) {
    interrupted_ = false;
    files_ = std::move(files);
    std::vector<std::string> results;
    for (const AnswerCall& call : calls) {
        if (options_.show) print_dim(fmt::format("[{} {}]", call.name, call.arguments));
        std::string result(kNotAllowed);
        if (!interrupted_ && may_run(call)) result = run(call).text;
        if (interrupted_) result = kStopped;
        if (options_.show) print_dim(result);
        results.push_back(std::move(result));
    }
    return results;
}

/// A tool that there is not is run: the answer to the model says so.
bool TerminalTools::may_run(const AnswerCall& call) {
    const services::ToolPtr tool = tools_.box->find(call.name);
    const bool asks = tool && tool->info().policy == services::ToolPolicy::kAsksFirst;
    if (!asks || options_.allow_all || always_.contains(call.name)) return true;
    return reader_.interactive() && ask(tool->info(), call);
}

bool TerminalTools::ask(const services::ToolInfo& tool, const AnswerCall& call) {
    std::string question = "Let it use " + terminal_safe(call.name);
    if (!tool.sends_to.empty()) question += ", which sends this to " + terminal_safe(tool.sends_to);
    question += "? (y)es, (a)lways, (n)o: ";
    while (true) {
        const ReadLine read = reader_.ask(question);
        interrupted_ = read.end == LineEnd::kInterrupted;
        if (read.end != LineEnd::kLine) return false;
        const char choice = read.text.empty() ? 'n' : static_cast<char>(read.text[0] | 0x20);
        if (choice == 'a') always_.insert(call.name);
        if (choice == 'y' || choice == 'a') return true;
        if (choice == 'n') return false;
    }
}

services::ToolOutput TerminalTools::run(const AnswerCall& call) {
    // Shared with the tool's thread, which may still hold it when we leave.
    auto loop = std::make_shared<RunLoop>();
    auto output = std::make_shared<std::optional<services::ToolOutput>>();
    std::stop_source stop;
    services::ToolContext context;
    context.notes = notes_;
    context.attachments = files_;
    context.time_zone = services::TimeZone::local_name();
    context.stop = stop.get_token();
    tools_.box->start(
        {call.name, call.arguments}, std::move(context), [loop, output](services::ToolOutput gave) {
            loop->post([output, gave = std::move(gave)] { *output = gave; });
        });
    interrupts_.handle([stop]() mutable { stop.request_stop(); });
    if (interrupts_.take()) stop.request_stop();  // it came while the call was begun
    loop->run_until([&output] { return output->has_value(); });
    interrupts_.handle({});
    interrupted_ = stop.stop_requested();
    return **std::move(output);
}

}  // namespace notso::app
