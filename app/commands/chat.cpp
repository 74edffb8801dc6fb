// notso chat: a conversation in the terminal. Nothing is stored; the page (`notso serve`) keeps
// conversations.
#include <unistd.h>

#include <iostream>

#include "app/answer.hpp"
#include "app/backend_choice.hpp"
#include "app/commands/command.hpp"
#include "app/line_reader.hpp"
#include "app/terminal_files.hpp"
#include "app/terminal_settings.hpp"
#include "app/terminal_tools.hpp"
#include "services/chat/tool_round.hpp"

namespace notso::app {
namespace {

struct Options {
    std::optional<std::string> system;
    bool think = false;
    bool allow_tools = false;
    std::optional<std::string> file;
    std::int64_t thinking_budget = 0;  ///< As Settings has it.
};

using services::SlashCommand;

enum class Verdict { kGoOn, kLeave };

/// The conversation and how it is shown.
class TerminalChat {
  public:
    /// @param tools  Null: the model can't call any.
    TerminalChat(services::ChatBackend& backend,
                 Interrupts& interrupts,
                 const Options& options,
                 TerminalTools* tools)
        : backend_(backend), interrupts_(interrupts), options_(options), tools_(tools) {
        start_over();
    }

    Result<> attach(const std::string& path) {
        NOTSO_TRY(const std::string done, files_.attach(path));
        if (terminal_) std::cout << done << ".\n" << std::flush;
        return {};
    }

    Verdict take_line(const std::string& line) {
        if (line.find_first_not_of(" \t") == std::string::npos) return Verdict::kGoOn;
        if (services::is_slash_line(line)) return command(line);
        ask(services::unescape_slash(line));
        return Verdict::kGoOn;
    }

  private:
    /// With the settings of the command line.
    void start_over() {
        settings_ = {.values = {.system_prompt = options_.system.value_or("")},
                     .thinking = options_.think};
        if (options_.thinking_budget > 0)
            settings_.values.thinking_budget = options_.thinking_budget;
        forget();
    }

    void forget() {
        messages_.clear();
        last_.reset();
        files_.start_over();
        if (tools_ != nullptr) tools_->start_over();
    }

    Verdict command(const std::string& text) {
        const auto line = services::parse_slash_line(text, services::SlashPlace::kTerminal);
        if (!line) {
            print(terminal_safe(line.error().detail) + ".\n");
            return Verdict::kGoOn;
        }
        switch (line->command) {
            case SlashCommand::kLeave:
                return Verdict::kLeave;
            case SlashCommand::kNew:
            case SlashCommand::kClear:
                start_over();
                print("New conversation.\n");
                break;
            case SlashCommand::kReset:
                forget();
                print("New conversation, with the same settings.\n");
                break;
            case SlashCommand::kAttach:
                if (const Result<> attached = attach(line->argument); !attached)
                    print_error(attached.error().detail);
                break;
            case SlashCommand::kRegenerate:
                regenerate();
                break;
            default:
                tell(*line);
        }
        return Verdict::kGoOn;
    }

    /// What a command that runs no model says.
    void tell(const services::SlashLine& line) {
        const services::ModelInfo model = backend_.info();
        if (line.command == SlashCommand::kHelp) return print(slash_help());
        if (line.command == SlashCommand::kStats) return print(stats_words(last_));
        if (line.command == SlashCommand::kStatus) return print(status_words(model, last_));
        if (line.command == SlashCommand::kTools) return print(tool_names());
        const auto told = change_settings(line, model, settings_);
        print(told ? *told : terminal_safe(told.error().detail) + "\n");
    }

    std::string tool_names() const {
        if (tools_ == nullptr) return "This model can't call tools.\n";
        std::string names;
        for (const boost::json::value& tool : tools_->offered())
            names += fmt::format(
                "{}\n",
                terminal_safe(std::string_view(tool.at("function").at("name").as_string())));
        return names.empty() ? "No tool is on.\n" : names;
    }

    /// The last question once more, without what was answered.
    void regenerate() {
        std::vector<services::ChatMessage> before = messages_;
        while (!messages_.empty() && messages_.back().role != "user") messages_.pop_back();
        if (messages_.empty()) return print("There is no answer yet.\n");
        const std::string question = std::move(messages_.back().content);
        messages_.pop_back();
        const std::size_t earlier = messages_.size();
        ask(question);
        if (messages_.size() == earlier) messages_ = std::move(before);  // it was not taken
    }

    static void print(std::string_view text) { std::cout << text << std::flush; }

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
        const services::ChatSettings& values = settings_.values;
        if (!values.system_prompt.empty())
            request.messages.push_back({.role = "system", .content = values.system_prompt});
        request.messages.insert(request.messages.end(), messages_.begin(), messages_.end());
        request.thinking = settings_.thinking;
        request.thinking_overrides_system = true;
        request.sampling.temperature = values.temperature;
        if (values.thinking_budget.value_or(0) > 0)
            request.thinking_budget = values.thinking_budget;
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
        last_ = answer;
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
    TerminalSettings settings_;
    std::optional<Answer> last_;
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
