// Pieces of GBNF: how texts and sets of characters are written in it, and the rules of JSON that
// all grammars made from schemas share.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace notso::services {

/// Code points from first to last, both included.
using CodeRange = std::pair<char32_t, char32_t>;

inline constexpr char32_t kMaxCodePoint = 0x10FFFF;

/// A literal: "…" with what needs it escaped. `text` is UTF-8.
std::string gbnf_literal(std::string_view text);
/// One character of a JSON string's content out of ascending ranges: those that JSON wants escaped
/// are written escaped. Empty when there is none.
std::string gbnf_json_characters(const std::vector<CodeRange>& ranges);
/// A JSON value as a literal.
std::string gbnf_json_value(const boost::json::value& value);
/// A JSON value as text; numbers without an exponent where there is a short form.
std::string json_text(const boost::json::value& value);

/// Rules that others use: ws and sp (white space, bounded), char, string, integer, number, boolean,
/// any, any-object, any-array.
std::string_view json_rules();

}  // namespace notso::services
