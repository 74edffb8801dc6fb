// VocabularySource: what a loader (GGUF, tokenizer.json) found, in one form. Views live as long as
// the loader's file; make_bpe_tokenizer copies what it keeps.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "ml/tokenizer/pre_tokenizer.hpp"
#include "ml/tokenizer/tokenizer.hpp"

namespace notso::ml {

enum class TokenKind : std::uint8_t {
    kAbsent,   ///< No token has this id.
    kNormal,   ///< Part of text, written in the byte-level alphabet.
    kControl,  ///< Structure (turns, thinking): matched in text only with SpecialTokens::kParse.
    kUserDefined,  ///< Matched like a control token, but it is text and stays in decoded text.
};

/// A token that is matched in the raw text, before any pre-tokenizer.
struct SpecialToken {
    std::string_view text;
    TokenId id;
    bool second_pass =
        false;  ///< Looked for only between the matches of all others ("normalized" in HF files).
};

struct VocabularySource {
    std::vector<std::string_view> tokens;  ///< By id, as written in the file.
    std::vector<TokenKind> kinds;          ///< As long as `tokens`.
    std::vector<bool> mergeable;           ///< Part of the BPE model itself; as long as `tokens`.
    std::vector<std::pair<std::string_view, std::string_view>> merges;  ///< In order of rank.
    std::vector<SpecialToken> specials;
    PreTokenizer pre_tokenizer = PreTokenizer::kGpt2;
    bool ignore_merges = false;
    std::optional<TokenId>
        unknown;  ///< Stands for bytes without a token; without it they are dropped.
    std::optional<TokenId> bos;
    std::optional<TokenId> eos;
    bool adds_bos = false;
    std::vector<TokenId> end_tokens;  ///< Named by the file besides eos.
};

/// Builds the tokenizer.
/// @errors kCorruptData for a merge that names no token or makes none, and for over-long special
/// tokens.
/// @cost O(tokens + merges).
Result<std::shared_ptr<const Tokenizer>> make_bpe_tokenizer(const VocabularySource& source);

}  // namespace notso::ml
