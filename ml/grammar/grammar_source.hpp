// GrammarSource: a grammar as it is written, a tree of expressions for each rule. Made by the GBNF
// parser, read by the compiler.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace notso::ml {

/// Code points from first to last, both included.
struct CharRange {
    char32_t first = 0;
    char32_t last = 0;
};

/// Number of an expression in GrammarSource::expressions.
using ExprId = std::int32_t;

inline constexpr std::int32_t kNoLimit = std::numeric_limits<std::int32_t>::max();

struct Expression {
    enum class Kind : std::uint8_t {
        kLiteral,   ///< `bytes`
        kChars,     ///< One code point of `ranges`.
        kRule,      ///< What the rule number `min` stands for.
        kSequence,  ///< `parts`, one after the other; none = the empty text.
        kChoice,    ///< One of `parts`.
        kRepeat,    ///< The only part, `min` to `max` times.
    };
    Kind kind = Kind::kSequence;
    std::string bytes = {};
    std::vector<CharRange> ranges = {};  ///< Ascending, without overlap.
    std::vector<ExprId> parts = {};
    std::int32_t min = 0;
    std::int32_t max = 0;
};

struct GrammarRule {
    std::string name;
    ExprId body = -1;
};

struct GrammarSource {
    std::vector<Expression> expressions;
    std::vector<GrammarRule> rules;
    std::int32_t root = 0;  ///< The rule that the whole text follows.
};

}  // namespace notso::ml
