// TypedMessage: one message out of the lines that somebody types or pipes in. A line that ends in a
// backslash goes on in the next one; everything between """ and """ is one message.
#pragma once

#include <string>
#include <string_view>

namespace notso::app {

class TypedMessage {
  public:
    /// @return True when the message is whole: take() has it.
    bool add(std::string_view line);
    /// Something was added, and more is to come.
    bool is_open() const { return state_ != State::kEmpty; }
    /// What was added so far; the next line begins another message.
    std::string take();

  private:
    enum class State { kEmpty, kGoesOn, kBlock };

    bool add_to_block(std::string_view line);

    State state_ = State::kEmpty;
    bool at_first_line_ = true;  // of a block, which has no text yet
    std::string text_;
};

}  // namespace notso::app
