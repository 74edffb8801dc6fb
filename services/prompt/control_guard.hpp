// ControlGuard: keeps text that people, tools and documents wrote from ever becoming control
// tokens. Before rendering, a marker is put in front of everything that looks like a control token;
// after rendering, the markers are taken out again and their places become the tokenizer's literal
// offsets. Templates may move, trim or quote the text in between: the markers travel with it.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ml/tokenizer/special_matcher.hpp"
#include "ml/tokenizer/tokenizer.hpp"

namespace notso::services {

/// A rendered text without its markers, and the byte offsets where they stood (ascending).
struct UnmarkedText {
    std::string text;
    std::vector<std::size_t> literal_offsets;
};

/// Immutable; safe to use from several threads.
class ControlGuard {
  public:
    /// Collects the texts to guard: control tokens, and for safety every token written like <…> or
    /// […].
    explicit ControlGuard(const ml::Tokenizer& tokenizer);

    /// A marker that occurs in none of `texts`: one printable character, so that quoting and
    /// trimming leave it alone.
    /// @errors kInvalidArgument when every possible marker occurs (a text made for that).
    static Result<std::string> choose_marker(const std::vector<std::string_view>& texts);

    /// `text` with the marker before each guarded token text, except for those listed in `keep`.
    std::string mark(std::string_view text,
                     std::string_view marker,
                     std::initializer_list<std::string_view> keep = {}) const;

    /// The same for all strings and keys in a JSON value.
    boost::json::value mark_json(const boost::json::value& value, std::string_view marker) const;

    /// Takes the markers out.
    static UnmarkedText unmark(std::string_view rendered, std::string_view marker);

  private:
    ml::SpecialMatcher guarded_;
};

}  // namespace notso::services
