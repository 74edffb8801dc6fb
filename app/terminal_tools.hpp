// Calls of tools in a terminal chat: shown, asked for where they act, run one after the other. What
// a person always allows counts until the program ends.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "app/answer.hpp"
#include "app/interrupts.hpp"
#include "app/line_reader.hpp"
#include "app/tools.hpp"

namespace notso::app {

class TerminalTools {
  public:
    struct Options {
        bool allow_all = false;  ///< Tools that ask first run without asking.
        bool show = false;       ///< Stdout is a terminal: calls and results are shown, dimmed.
    };

    /// @param interrupts, reader  Outlive this.
    TerminalTools(Tools tools, Interrupts& interrupts, LineReader& reader, Options options);

    /// The `tools` of a request.
    boost::json::array offered() const { return tools_.box->openai_tools(); }

    /// What the calls of an answer gave, in their order. Where nobody can be asked, what asks first
    /// is denied. After Ctrl-C the rest is not run, and interrupted() says so.
    /// @param files  Null: nothing is attached.
    std::vector<std::string> run(const std::vector<AnswerCall>& calls,
                                 std::shared_ptr<services::AttachmentShelf> files);
    bool interrupted() const { return interrupted_; }
    /// A new conversation has no notes yet.
    void start_over();

  private:
    bool may_run(const AnswerCall& call);
    bool ask(const services::ToolInfo& tool, const AnswerCall& call);
    services::ToolOutput run(const AnswerCall& call);

    Tools tools_;
    Interrupts& interrupts_;
    LineReader& reader_;
    Options options_;
    std::set<std::string> always_;
    std::shared_ptr<services::NoteBook> notes_;
    std::shared_ptr<services::AttachmentShelf> files_;  // of the calls that run
    bool interrupted_ = false;
};

}  // namespace notso::app
