// Formulas in Markdown: \(…\), \[…\], $…$ and $$…$$. Markdown itself knows none of them and would
// take their backslashes, stars and underscores for its own, so they are taken out before it is
// parsed. What is shown of them is the renderer's.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace notso::services {

/// Longer ones are text.
inline constexpr std::size_t kMaxFormulaBytes = 4000;

struct Formula {
    std::string source;  ///< As it was written, with its delimiters.
    std::string tex;     ///< What stands between them.
    bool display = false;
};

/// A text with a mark in the place of each formula.
struct MarkedText {
    std::string text;
    std::vector<Formula> formulas;
};

/// Finds formulas outside code, none over a blank line. Prices are none: a dollar sign opens one
/// only before and closes one only behind something that is no white space, neither stands in a
/// word, and "$5 or 6$" has nothing mathematical in it. A text that has characters which the marks
/// are made of is left as it is.
/// @cost O(n).
MarkedText take_formulas(std::string_view text);

/// Goes through a piece of the marked text: what stands between marks, and the formulas that they
/// stand for.
void visit_marked(std::string_view piece,
                  const std::vector<Formula>& formulas,
                  const std::function<void(std::string_view)>& on_text,
                  const std::function<void(const Formula&)>& on_formula);

}  // namespace notso::services
