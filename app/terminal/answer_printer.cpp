#include "app/terminal/answer_printer.hpp"

#include <algorithm>
#include <utility>

#include "app/answer.hpp"

namespace notso::app {
namespace {

using services::ToolDecision;
using services::ToolUse;
using services::ToolUseState;
using services::TurnPhase;

/// What the model does before it writes; empty: nothing that is worth a line.
std::string status_line(const services::TurnStatus& status) {
    switch (status.phase) {
        case TurnPhase::kQueued:
            return status.queue_position > 0
                       ? fmt::format("Waiting, {} before this one", status.queue_position)
                       : "";
        case TurnPhase::kPrefill:
            return status.prefill_total > 0
                       ? fmt::format("Reading {} %",
                                     status.prefill_done * 100 / status.prefill_total)
                       : "Reading";
        case TurnPhase::kUsingTools:
            return status.tool_asks ? "" : fmt::format("Using {}", status.tool);
        default:
            return "";
    }
}

}  // namespace

void AnswerPrinter::begin(const services::Message& so_far) {
    so_far_ = so_far.text;
    decided_.clear();
    announced_.clear();
    for (const ToolUse& use : so_far.tool_uses) announced_.insert(use.id);
    told_ = announced_;
    left_out_ = 0;
}

void AnswerPrinter::on_status(const services::TurnStatus& status) {
    left_out_ = status.messages_left_out;
    if (const std::string line = status_line(status); !line.empty()) deps_.screen.status(line);
}

void AnswerPrinter::on_thinking(const std::string& piece) { deps_.screen.thinking(piece); }

void AnswerPrinter::on_text(const std::string& piece) {
    if (!so_far_.empty()) deps_.screen.answer_so_far(std::exchange(so_far_, {}));
    deps_.screen.answer(piece);
}

void AnswerPrinter::on_tools(const std::vector<ToolUse>& uses) {
    so_far_.clear();
    for (const ToolUse& use : uses) {
        show(use);
        if (use.state == ToolUseState::kAsking && decided_.insert(use.id).second) decide(use);
    }
}

void AnswerPrinter::show(const ToolUse& use) {
    const bool ended = use.state != ToolUseState::kAsking && use.state != ToolUseState::kRunning;
    const bool asks = use.state == ToolUseState::kAsking;
    if (!ended && !asks) {  // its result comes soon, and the call with it
        deps_.screen.finish();
        return deps_.screen.status(fmt::format("Using {}", use.name));
    }
    if (announced_.insert(use.id).second)
        deps_.screen.say_aside(fmt::format("[{} {}]", use.name, use.arguments));
    if (ended && told_.insert(use.id).second) deps_.screen.say_aside(use.output);
}

void AnswerPrinter::decide(const ToolUse& use) {
    if (deps_.allow_all) return deps_.session.decide(use.id, ToolDecision::kAllowOnce);
    if (!deps_.reader.interactive()) return deps_.session.decide(use.id, ToolDecision::kDeny);
    std::string question = "Let it use " + terminal_safe(use.name);
    if (!use.sends_to.empty()) question += ", which sends this to " + terminal_safe(use.sends_to);
    question += "? (y)es, (a)lways, (n)o: ";
    while (true) {
        const ReadLine read = deps_.reader.ask(question);
        if (read.end == LineEnd::kInterrupted) return deps_.session.stop();
        const bool none = read.end != LineEnd::kLine || read.text.empty();
        const char choice = none ? 'n' : static_cast<char>(read.text[0] | 0x20);
        if (choice == 'y') return deps_.session.decide(use.id, ToolDecision::kAllowOnce);
        if (choice == 'a') return deps_.session.decide(use.id, ToolDecision::kAllowAlways);
        if (choice == 'n') return deps_.session.decide(use.id, ToolDecision::kDeny);
    }
}

}  // namespace notso::app
