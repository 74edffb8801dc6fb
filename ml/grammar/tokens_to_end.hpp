// How many tokens it takes at least to bring each state of a grammar to its end, so that an answer
// can be ended in time.
#pragma once

#include "ml/grammar/grammar.hpp"
#include "ml/grammar/stack_pool.hpp"
#include "ml/grammar/token_trie.hpp"

namespace notso::ml {

/// Never too few: what is counted is a way that exists. Tokens over the end of a rule are not
/// counted, so there may be a shorter one. kNeverEnds where the vocabulary lacks a byte.
/// @cost O(states * token length), a few times.
TokensToEnd tokens_to_end(const Grammar& grammar, const TokenTrie& trie);

}  // namespace notso::ml
