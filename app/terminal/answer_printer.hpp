// AnswerPrinter: an answer of `notso chat` as it comes: what the model does, its thoughts and
// words, its calls of tools, and the questions whether those may run.
#pragma once

#include <set>
#include <string>

#include "app/terminal/line_reader.hpp"
#include "app/terminal/screen.hpp"
#include "app/terminal/session.hpp"

namespace notso::app {

class AnswerPrinter final : public AnswerListener {
  public:
    struct Deps {
        TerminalSession& session;
        Screen& screen;
        LineReader& reader;
        bool allow_all = false;  ///< Tools that ask first run without asking.
    };

    explicit AnswerPrinter(const Deps& deps) : deps_(deps) {}

    /// Another answer begins, or one goes on.
    void begin(const services::Message& so_far);

    void on_status(const services::TurnStatus& status) override;
    void on_thinking(const std::string& piece) override;
    void on_text(const std::string& piece) override;
    void on_rewritten(const std::string& text) override { so_far_ = text; }
    void on_tools(const std::vector<services::ToolUse>& uses) override;

    /// Oldest messages that the model did not read for this answer.
    std::int64_t messages_left_out() const { return left_out_; }

  private:
    void show(const services::ToolUse& use);
    void decide(const services::ToolUse& use);

    Deps deps_;
    std::string so_far_;               // shown before the first new piece
    std::set<std::string> announced_;  // calls, by id
    std::set<std::string> decided_;
    std::set<std::string> told_;  // calls whose output was shown
    std::int64_t left_out_ = 0;
};

}  // namespace notso::app
