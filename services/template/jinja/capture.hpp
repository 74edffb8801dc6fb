// Scopes of a rendering in C++: captured output, the depth of calls, and the template that is
// running.
#pragma once

#include "services/template/jinja/interpreter.hpp"
#include "services/template/jinja/parser.hpp"

namespace notso::services::jinja {

/// Counts calls of macros, includes and recursive loops while it lives.
class CallDepth {
  public:
    explicit CallDepth(Interpreter& interpreter) : interpreter_(interpreter) {
        ++interpreter_.call_depth_;
    }
    ~CallDepth() { --interpreter_.call_depth_; }
    CallDepth(const CallDepth&) = delete;
    CallDepth& operator=(const CallDepth&) = delete;
    Result<void> check() const {
        if (interpreter_.call_depth_ <= interpreter_.limits_.max_calls) return {};
        return fail(ErrorCode::kTooLarge,
                    "calls nest deeper than {} levels",
                    interpreter_.limits_.max_calls);
    }

  private:
    Interpreter& interpreter_;
};

/// Errors name the template whose code runs.
class CurrentTemplate {
  public:
    CurrentTemplate(Interpreter& interpreter, const TemplateImpl& current)
        : restored_(interpreter.current_, &current) {}

  private:
    Restored<const TemplateImpl*> restored_;
};

template <class Run>
Result<std::string> Interpreter::capture(Run&& body) {
    TextBuilder captured = builder();
    {
        const Restored output(out_, &captured);
        const Restored shown(suppressed_, false);
        NOTSO_CHECK(std::forward<Run>(body)());
    }
    return std::move(captured).finish();
}

}  // namespace notso::services::jinja
