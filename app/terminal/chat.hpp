// TerminalChat: what a person types, and what comes of it: messages are answered, commands done.
// chat_commands.cpp has the commands.
#pragma once

#include <optional>
#include <string>

#include "app/terminal/answer_printer.hpp"
#include "app/terminal/line_reader.hpp"
#include "app/terminal/screen.hpp"
#include "app/terminal/session.hpp"
#include "services/commands/slash_commands.hpp"

namespace notso::app {

class TerminalChat {
  public:
    struct Deps {
        services::ChatBackend& backend;
        const services::ToolBox* tools = nullptr;
        TerminalSession& session;
        Screen& screen;
        LineReader& reader;
        const Interrupts& interrupts;
        SessionStart start = {};  ///< Of new conversations.
        bool allow_tools = false;
    };

    explicit TerminalChat(Deps deps)
        : deps_(std::move(deps)),
          printer_({deps_.session, deps_.screen, deps_.reader, deps_.allow_tools}) {}

    /// Begins the first conversation, with a file for its first message.
    Result<> begin(const std::optional<std::string>& file);
    /// Until the person leaves, or the input ends. @return The program's exit code: where nobody
    /// types, one that says whether everything went well.
    int converse();

  private:
    enum class Verdict { kGoOn, kLeave };
    using Sent = Result<services::SentMessage>;

    Verdict take(const std::string& text);
    void write(const Sent& sent);
    void tell_end(const services::Message& answer);
    void tell_of_context(const services::ConversationView& view);
    /// Something was not done: people read it as it is, scripts as an error.
    void refuse(const Error& error);

    // chat_commands.cpp
    Verdict command(const std::string& text);
    Result<> run(const services::SlashLine& line);
    Result<> change(const services::SlashLine& line);
    Result<> tell(const services::SlashLine& line);
    Result<> start_over(bool keep_settings);
    Result<> set_thinking(bool on);
    Result<> choose_model(const std::string& name);
    Result<> compact();
    Result<> export_chat(const std::string& argument);
    Result<> attach(const std::string& argument);
    Result<std::string> tool_names();

    Deps deps_;
    AnswerPrinter printer_;
    std::int64_t left_out_ = 0;  // of the last answer
    bool warned_ = false;        // that the context is nearly full
};

}  // namespace notso::app
