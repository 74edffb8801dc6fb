// Reads grammars in GBNF, the notation of llama.cpp: rules, literals, character classes, groups,
// alternatives and repeats. The text may come from anybody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "ml/grammar/grammar_source.hpp"

namespace notso::ml {

/// What a grammar may have at most. Beyond: kInvalidArgument.
struct GrammarLimits {
    std::size_t max_bytes = 64 * 1024;
    std::int32_t max_depth = 64;  ///< Groups within groups.
    std::size_t max_rules = 4096;
    std::int32_t max_repeat = 2000;  ///< The numbers in {m,n}.
};

/// @errors kInvalidArgument with line and column, counted from 1 in bytes.
/// @cost O(bytes).
Result<GrammarSource> parse_gbnf(std::string_view text, const GrammarLimits& limits = {});

}  // namespace notso::ml
