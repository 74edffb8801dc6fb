// DetailTexts: details of errors in one language. They are written in English where errors are
// made, with their numbers and names filled in; this finds the pattern that one was made of. One
// that no pattern fits stays English.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace notso::web {

class DetailTexts {
  public:
    using Translate = std::function<std::string(std::string_view)>;

    /// @param english     As code has it: "the message has {} bytes"; {:.1f} is as good as {}.
    /// @param translated  The same with {} in the same order; {*} where what was filled in is to be
    /// translated too.
    void add(std::string_view english, std::string_view translated);

    /// The first pattern that fits; the detail itself where none does.
    /// @param inner  What {*} stands for. @cost O(patterns * length).
    std::string translate(std::string_view detail, const Translate& inner) const;

  private:
    struct Pattern {
        std::vector<std::string> literals;  ///< Around what is filled in: one more than of these.
        std::vector<std::string> texts;     ///< The same of the translation.
        std::vector<bool> inner;            ///< Of each that is filled in: it is {*}.
    };

    std::vector<Pattern> patterns_;
};

}  // namespace notso::web
