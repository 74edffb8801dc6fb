// notso chat: a conversation in the terminal. Nothing is stored; the page (`notso serve`) keeps
// conversations.
#include <unistd.h>

#include <iostream>

#include "app/answer.hpp"
#include "app/backend_choice.hpp"
#include "app/commands/command.hpp"
#include "app/line_reader.hpp"

namespace notso::app {
namespace {

constexpr std::string_view kHelp =
    "/new       start over\n"
    "/think     let the model think before it answers\n"
    "/no_think  answer at once\n"
    "/exit      leave (also Ctrl-D)\n"
    "Ctrl-C     stop the answer; at the prompt, twice: leave\n";

struct Options {
    std::optional<std::string> system;
    bool think = false;
};

enum class Verdict { kGoOn, kLeave };

/// The conversation and how it is shown.
class TerminalChat {
  public:
    TerminalChat(services::ChatBackend& backend, Interrupts& interrupts, const Options& options)
        : backend_(backend), interrupts_(interrupts), options_(options), thinking_(options.think) {
        start_over();
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
        if (options_.system) messages_.push_back({.role = "system", .content = *options_.system});
    }

    Verdict command(const std::string& line) {
        const std::string name = line.substr(0, line.find_last_not_of(" \t") + 1);
        if (name == "/exit" || name == "/quit") return Verdict::kLeave;
        if (name == "/help") {
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

    void ask(const std::string& text) {
        messages_.push_back({.role = "user", .content = text});
        services::ChatRequest request;
        request.messages = messages_;
        request.thinking = thinking_;
        request.thinking_overrides_system = true;
        AnswerView view;
        view.on_thinking = [this](const std::string& piece) { show_thinking(piece); };
        view.on_text = [this](const std::string& piece) { show_text(piece); };
        const auto answer = follow_answer(backend_, request, interrupts_, view);
        end_dim();
        if (!answer) {
            messages_.pop_back();  // The question was not taken.
            print_error(answer.error().detail);
            return;
        }
        std::cout << '\n';
        if (answer->end.finish == services::ChatFinish::kCancelled) std::cout << "(stopped)\n";
        if (answer->end.finish == services::ChatFinish::kLength)
            std::cout << "(cut: the context is full; /new)\n";
        std::cout << std::flush;
        if (answer->end.error) print_error(answer->end.error->detail);
        messages_.push_back({.role = "assistant", .content = answer->text});
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
    TerminalChat chat(*backend, interrupts, options);
    return converse(chat, reader);
}

}  // namespace

CommandBody declare_chat(OptionList& options) {
    auto values = std::make_shared<Options>();
    options.text("--system", values->system, "system prompt");
    options.flag("--think,!--no-think", values->think, "let the model think before it answers");
    return [values](const Settings& settings) { return run(settings, *values); };
}

}  // namespace notso::app
