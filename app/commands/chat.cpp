// notso chat: a conversation in the terminal. Nothing of it is stored but what was typed
// (app/terminal/history); the page (`notso serve`) keeps conversations.
#include "app/terminal/chat.hpp"

#include <algorithm>
#include <optional>

#include "app/answer.hpp"
#include "app/backend_choice.hpp"
#include "app/commands/command.hpp"
#include "app/model_shelf.hpp"
#include "app/tools.hpp"
#include "web/pages/format.hpp"

namespace notso::app {
namespace {

constexpr const char* kHistoryFile = "terminal_history";

struct Options {
    std::optional<std::string> system;
    bool think = false;
    bool allow_tools = false;
    bool history = true;
    std::optional<std::string> file;
};

/// Waits for the model; a person sees how far it is.
Result<> load(services::ChatBackend& backend, Interrupts& interrupts, Screen& screen) {
    const std::string what =
        backend.info().remote_host.empty() ? "Loading the model" : "Asking the server";
    screen.status(what);
    LoadView view;
    view.on_note = [&screen, tell = view.on_note](const std::string& line) {
        screen.finish();
        tell(line);
    };
    view.on_progress = [&](double progress) {
        screen.status(progress > 0 ? fmt::format("{}, {:.0f} %", what, 100 * progress) : what);
    };
    Result<> loaded = wait_until_ready(backend, interrupts, view);
    screen.finish();
    return loaded;
}

/// Servers of tools are not started for models that can't call any.
bool any_calls_tools(const services::ChatBackend& backend) {
    return std::ranges::any_of(backend.models(), [](const services::ModelEntry& model) {
        return model.info.can_call_tools;
    });
}

void open_history(const Settings& settings, LineReader& reader, Screen& screen) {
    const Result<> opened = reader.use_history(settings.data_dir / kHistoryFile);
    if (!opened) screen.say(web::format_sentence(web::Language::english(), terminal_safe(opened.error().detail)) + "\n");
}

Result<int> run(const Settings& settings, const Options& options) {
    Interrupts interrupts(QuitKey::kAsks);
    const auto backend = make_terminal_backend(settings);
    Screen screen;
    NOTSO_CHECK(load(*backend, interrupts, screen));
    const services::ModelInfo model = backend->info();
    if (options.think && !model.can_think)
        return usage_error("--think: this model has no thinking mode");
    LineReader reader(interrupts);
    if (reader.interactive())
        screen.say(fmt::format("{}{} · /help for commands\n",
                               terminal_safe(model.name),
                               model.scripted ? " (scripted)" : ""));
    if (options.history) open_history(settings, reader, screen);
    std::optional<Tools> tools;
    if (any_calls_tools(*backend)) tools = make_tools(settings);
    services::ToolBox* box = tools ? tools->box.get() : nullptr;
    TerminalSession session({*backend, box, interrupts, settings.thinking_budget});
    TerminalChat chat({.backend = *backend,
                       .tools = box,
                       .session = session,
                       .screen = screen,
                       .reader = reader,
                       .interrupts = interrupts,
                       .start = {.settings = {.system_prompt = options.system.value_or("")},
                                 .thinking = options.think},
                       .allow_tools = options.allow_tools});
    NOTSO_CHECK(chat.begin(options.file));
    return chat.converse();
}

}  // namespace

CommandBody declare_chat(OptionList& options) {
    auto values = std::make_shared<Options>();
    options.text("--system", values->system, "system prompt");
    options.flag("--think,!--no-think", values->think, "let the model think before it answers");
    options.text("--file", values->file, "a text, code or PDF file for the first message");
    options.flag("--tools-allow",
                 values->allow_tools,
                 "tools that act or send text away run without asking");
    options.flag("--history,!--no-history",
                 values->history,
                 "keep what is typed for Up and Ctrl-R in later runs; on unless it is turned off");
    return [values](const Settings& settings) { return run(settings, *values); };
}

}  // namespace notso::app
