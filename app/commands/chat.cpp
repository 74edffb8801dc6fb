// notso chat: a conversation in the terminal. Nothing is stored; the page (`notso serve`) keeps
// conversations.
#include <unistd.h>

#include <iostream>

#include "app/answer.hpp"
#include "app/backend_choice.hpp"
#include "app/commands/command.hpp"
#include "app/line_reader.hpp"
#include "app/terminal_files.hpp"
#include "app/terminal_tools.hpp"
#include "services/chat/tool_round.hpp"

namespace notso::app {
namespace {

constexpr std::string_view kHelp =
    "/new       start over\n"
    "/attach F  send a text, code or PDF file with the next message\n"
    "/think     let the model think before it answers\n"
    "/no_think  answer at once\n"
    "/exit      leave (also Ctrl-D)\n"
    "Ctrl-C     stop the answer; at the prompt, twice: leave\n";

struct Options {
    std::optional<std::string> system;
    bool think = false;
    bool allow_tools = false;
    std::optional<std::string> file;
    std::int64_t thinking_budget = 0;  ///< As Settings has it.
};

enum class Verdict { kGoOn, kLeave };

/// The conversation and how it is shown.
class TerminalChat {
  public:
    /// @param tools  Null: the model can't call any.
    TerminalChat(services::ChatBackend& backend,
                 Interrupts& interrupts,
                 const Options& options,
                 TerminalTools* tools)
        : backend_(backend),
          interrupts_(interrupts),
          options_(options),
          tools_(tools),
          thinking_(options.think) {
        start_over();
    }

    Result<> attach(const std::string& path) {
        NOTSO_TRY(const std::string done, files_.attach(path));
        if (terminal_) std::cout << done << ".\n" << std::flush;
        return {};
    }

    Verdict take_line(const std::string& line) {
        if (line.find_first_not_of(" \t") == std::string::npos) return Verdict::kGoOn;
        if (line.starts_with('/')) return command(line);
        ask(line);
        return Verdict::kGoOn;
    }

  private:
    void start_over() {
        messages_.clear();
        files_.start_over();
        if (tools_ != nullptr) tools_->start_over();
        if (options_.system) messages_.push_back({.role = "system", .content = *options_.system});
    }

    Verdict command(const std::string& line) {
        const std::string name = line.substr(0, line.find_last_not_of(" \t") + 1);
        if (name == "/exit" || name == "/quit") return Verdict::kLeave;
        if (name == "/attach" || name.starts_with("/attach ")) {
            const Result<> attached = attach(name.substr(std::string_view("/attach").size()));
            if (!attached) print_error(attached.error().detail);
        } else if (name == "/help") {
            std::cout << kHelp << std::flush;
        } else if (name == "/new") {
            start_over();
            std::cout << "New conversation.\n" << std::flush;
        } else if (name == "/think" || name == "/no_think") {
            set_thinking(name == "/think");
        } else {
            std::cout << "Unknown command " << terminal_safe(name) << "; /help lists them.\n"
                      << std::flush;
        }
        return Verdict::kGoOn;
    }

    void set_thinking(bool on) {
        if (on && !backend_.info().can_think) {
            std::cout << "This model has no thinking mode.\n" << std::flush;
            return;
        }
        thinking_ = on;
        std::cout << (on ? "Thinking on.\n" : "Thinking off.\n") << std::flush;
    }

    /// The model's answer, with as many rounds of calls as it takes.
    void ask(const std::string& text) {
        const std::size_t before = messages_.size();
        auto content = files_.take_with(
            text, backend_, tools_ == nullptr ? boost::json::array() : tools_->offered());
        if (!content) return print_error(content.error().detail);
        messages_.push_back({.role = "user", .content = *std::move(content)});
        std::size_t n_calls = 0;
        for (bool goes_on = true; goes_on;) {
            const auto answer = follow();
            end_dim();
            if (!answer) {
                if (n_calls == 0) messages_.resize(before);  // The question was not taken.
                return print_error(answer.error().detail);
            }
            n_calls += answer->calls.size();
            if (n_calls > services::kMaxToolCalls) {
                messages_.push_back({.role = "assistant", .content = answer->text});
                return print_error(fmt::format("the model wanted more than {} calls of tools",
                                               services::kMaxToolCalls));
            }
            goes_on = take(*answer);
        }
    }

    Result<Answer> follow() {
        services::ChatRequest request;
        request.messages = messages_;
        request.thinking = thinking_;
        request.thinking_overrides_system = true;
        if (options_.thinking_budget > 0) request.thinking_budget = options_.thinking_budget;
        if (tools_ != nullptr) request.tools = tools_->offered();
        AnswerView view;
        view.on_thinking = [this](const std::string& piece) { show_thinking(piece); };
        view.on_text = [this](const std::string& piece) { show_text(piece); };
        return follow_answer(backend_, request, interrupts_, view);
    }

    /// True when its calls were run, and the model goes on with what they gave.
    bool take(const Answer& answer) {
        if (!answer.text.empty() || answer.calls.empty()) std::cout << '\n';
        using services::ChatFinish;
        if (answer.end.finish == ChatFinish::kCancelled) std::cout << "(stopped)\n";
        if (answer.end.finish == ChatFinish::kLength)
            std::cout << "(cut: the context is full; /new)\n";
        std::cout << std::flush;
        if (answer.end.error) print_error(answer.end.error->detail);
        messages_.push_back({.role = "assistant", .content = answer.text});
        if (answer.end.finish != ChatFinish::kToolCalls || tools_ == nullptr) return false;
        run_calls(answer.calls);
        if (tools_->interrupted()) std::cout << "(stopped)\n" << std::flush;
        return !tools_->interrupted();
    }

    void run_calls(const std::vector<AnswerCall>& calls) {
        for (const AnswerCall& call : calls) {
            messages_.back().tool_calls.push_back(boost::json::object{
                {"id", call.id},
                {"type", "function"},
                {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
        }
        const std::vector<std::string> results = tools_->run(calls, files_.shelf());
        for (std::size_t i = 0; i < calls.size(); ++i) {
            messages_.push_back({.role = "tool",
                                 .content = results[i],
                                 .name = calls[i].name,
                                 .tool_call_id = calls[i].id});
        }
    }

    void show_thinking(const std::string& piece) {
        if (!terminal_) return;  // Piped output is the answer alone.
        if (!std::exchange(dim_, true)) std::cout << "\x1b[2m";
        std::cout << terminal_safe(piece) << std::flush;
    }

    void show_text(const std::string& piece) {
        if (dim_) {
            end_dim();
            std::cout << "\n\n";
        }
        std::cout << (terminal_ ? terminal_safe(piece) : piece) << std::flush;
    }

    void end_dim() {
        if (std::exchange(dim_, false)) std::cout << "\x1b[0m" << std::flush;
    }

    services::ChatBackend& backend_;
    Interrupts& interrupts_;
    const Options& options_;
    TerminalTools* tools_;
    TerminalFiles files_;
    std::vector<services::ChatMessage> messages_;
    const bool terminal_ = ::isatty(STDOUT_FILENO) != 0;
    bool thinking_;
    bool dim_ = false;
};

int converse(TerminalChat& chat, LineReader& reader) {
    bool interrupted_before = false;
    while (true) {
        const ReadLine read = reader.next();
        if (read.end == LineEnd::kEndOfInput) return kExitOk;
        if (read.end == LineEnd::kInterrupted) {
            if (interrupted_before || !reader.interactive()) return kExitInterrupted;
            interrupted_before = true;
            std::cout << "(Ctrl-C again or Ctrl-D leaves)\n" << std::flush;
            continue;
        }
        interrupted_before = false;
        if (chat.take_line(read.text) == Verdict::kLeave) return kExitOk;
    }
}

Result<int> run(const Settings& settings, const Options& options) {
    Interrupts interrupts;
    const auto backend = make_backend(settings);
    LineReader reader(interrupts);
    if (reader.interactive())
        std::cout << (settings.backend == BackendKind::kRemote ? "Asking the server…\n"
                                                               : "Loading the model…\n")
                  << std::flush;
    NOTSO_CHECK(wait_until_ready(*backend, interrupts));
    const services::ModelInfo model = backend->info();
    if (options.think && !model.can_think)
        return usage_error("--think: this model has no thinking mode");
    if (reader.interactive())
        std::cout << fmt::format("{}{} · /help for commands\n",
                                 terminal_safe(model.name),
                                 model.scripted ? " (scripted)" : "")
                  << std::flush;
    std::optional<TerminalTools> tools;
    if (model.can_call_tools) {
        const bool shows = ::isatty(STDOUT_FILENO) != 0;  // piped output is the answer alone
        tools.emplace(make_tools(settings),
                      interrupts,
                      reader,
                      TerminalTools::Options{.allow_all = options.allow_tools, .show = shows});
    }
    TerminalChat chat(*backend, interrupts, options, tools ? &*tools : nullptr);
    if (options.file) NOTSO_CHECK(chat.attach(*options.file));
    return converse(chat, reader);
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
    return [values](const Settings& settings) {
        values->thinking_budget = settings.thinking_budget;
        return run(settings, *values);
    };
}

}  // namespace notso::app
