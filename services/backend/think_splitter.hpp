// ThinkSplitter: finds thoughts that a server sends as plain text between <think> and </think> at
// the beginning of an answer. Servers that keep them apart themselves never trigger it.
#pragma once

#include <string>
#include <string_view>

namespace notso::services {

class ThinkSplitter {
  public:
    struct Parts {
        std::string thinking;
        std::string text;
    };

    /// Adds a piece of the answer; returns what is certain now. Nothing of the tags is ever
    /// returned.
    Parts push(std::string_view piece);
    /// The answer has ended: what was held back.
    Parts finish();

  private:
    enum class Mode { kOpening, kThinkingBegins, kThinking, kTextBegins, kText };

    void open();
    void skip_newlines(Mode next);
    void think(Parts& parts);

    Mode mode_ = Mode::kOpening;
    std::string held_;
};

}  // namespace notso::services
