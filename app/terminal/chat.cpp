#include "app/terminal/chat.hpp"

#include "app/answer.hpp"
#include "app/cli.hpp"
#include "services/chat/compaction.hpp"
#include "web/pages/format.hpp"

namespace notso::app {
namespace {

using services::ConversationView;
using services::MessageState;

constexpr std::string_view kWhiteSpace = " \t\r\n";

}  // namespace

Result<> TerminalChat::begin(const std::optional<std::string>& file) {
    NOTSO_CHECK(deps_.session.begin(deps_.start));
    return file ? attach(*file) : Result<>();
}

int TerminalChat::converse() {
    bool interrupted_before = false;
    const bool typed = deps_.reader.interactive();
    while (true) {
        const ReadLine read = deps_.reader.next();
        if (read.end == LineEnd::kEndOfInput) break;
        if (read.end == LineEnd::kInterrupted) {
            if (interrupted_before || !typed || deps_.interrupts.terminated())
                return kExitInterrupted;
            interrupted_before = true;
            deps_.screen.say("(Ctrl-C again or Ctrl-D leaves)\n");
            continue;
        }
        interrupted_before = false;
        if (const auto problem = deps_.reader.history_problem()) refuse(*problem);
        if (take(read.text) == Verdict::kLeave) break;
        if (!typed && deps_.session.interrupted()) return kExitInterrupted;
        if (deps_.interrupts.terminated()) return kExitInterrupted;
    }
    return !typed && deps_.screen.failed() ? kExitFailed : kExitOk;
}

TerminalChat::Verdict TerminalChat::take(const std::string& text) {
    if (text.find_first_not_of(kWhiteSpace) == std::string::npos) return Verdict::kGoOn;
    if (services::is_slash_line(text)) return command(text);
    write(deps_.session.send(services::unescape_slash(text)));
    return Verdict::kGoOn;
}

/// Shows an answer until it ends.
void TerminalChat::write(const Sent& sent) {
    if (!sent) return refuse(sent.error());
    printer_.begin(sent->answer);
    const services::Message answer = deps_.session.follow(*sent, printer_);
    if (answer.state == MessageState::kComplete && answer.text.empty()) deps_.screen.answer("\n");
    deps_.screen.end_answer();
    tell_end(answer);
}

void TerminalChat::tell_end(const services::Message& answer) {
    const auto view = deps_.session.view();
    if (!view) return refuse(view.error());
    const bool goes_on = view->can_continue;
    if (answer.state == MessageState::kStopped)
        deps_.screen.say(goes_on ? "(stopped) /continue goes on from here.\n" : "(stopped)\n");
    if (answer.state == MessageState::kLength) {
        const bool has_older = view->messages.size() > 2;
        deps_.screen.say(fmt::format(
            "(cut) The model can't read and write more than its context holds. {}{}\n",
            has_older && goes_on ? "/continue goes on without the oldest messages. " : "",
            has_older ? "/compact summarises what was said before, /new begins anew."
                      : "Ask for the rest in a new message, or in smaller steps."));
    }
    if (answer.state == MessageState::kFailed) {
        deps_.screen.complain(answer.error);
        if (deps_.reader.interactive())
            deps_.screen.say(goes_on ? "/continue goes on from here, /regenerate tries again.\n"
                                     : "/regenerate tries again.\n");
    }
    tell_of_context(*view);
}

/// Nothing is left out silently.
void TerminalChat::tell_of_context(const ConversationView& view) {
    const std::int64_t before = std::exchange(left_out_, printer_.messages_left_out());
    if (left_out_ > before)
        deps_.screen.say(
            fmt::format("The context is full: the {} oldest messages were left out. /compact "
                        "summarises them, /new begins anew.\n",
                        left_out_));
    const auto& [used, budget, summarised] = view.context;
    const bool full = services::is_nearly_full(used, budget);
    const bool tell = full && left_out_ == 0 && deps_.reader.interactive() && !warned_;
    warned_ = full;
    if (!tell) return;
    deps_.screen.say(
        fmt::format("The context is {} % full. /compact summarises what was said before, /new "
                    "begins anew.\n",
                    std::min<std::int64_t>(used * 100 / budget, 100)));
}

void TerminalChat::refuse(const Error& error) {
    if (!deps_.reader.interactive()) return deps_.screen.complain(error.detail);
    deps_.screen.say(web::format_sentence(web::Language::english(), terminal_safe(error.detail)) +
                     "\n");
}

}  // namespace notso::app
