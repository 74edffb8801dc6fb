// For tests of grammars: a vocabulary made of a list, and short ways to ask what fits.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ml/grammar/grammar_guide.hpp"
#include "ml/grammar/grammar_matcher.hpp"

namespace notso::ml::testing {

/// The 256 bytes, then the given texts, then the control token <end>, which is the end token.
class ListTokenizer final : public Tokenizer {
  public:
    explicit ListTokenizer(const std::vector<std::string>& more) {
        for (int byte = 0; byte < 256; ++byte) texts_.emplace_back(1, static_cast<char>(byte));
        texts_.insert(texts_.end(), more.begin(), more.end());
        end_ = TokenId{static_cast<std::int32_t>(texts_.size())};
        texts_.emplace_back("<end>");
    }
    std::vector<TokenId> encode(std::string_view text, const EncodeOptions&) const override {
        std::vector<TokenId> ids;
        for (const char c : text) ids.push_back(TokenId{static_cast<unsigned char>(c)});
        return ids;
    }
    std::string_view token_bytes(TokenId id) const override { return texts_[to_index(id)]; }
    std::string decode(std::span<const TokenId> ids, bool) const override {
        std::string text;
        for (const TokenId id : ids) text += token_bytes(id);
        return text;
    }
    std::optional<TokenId> find(std::string_view) const override { return std::nullopt; }
    bool is_control(TokenId id) const override { return id == end_; }
    std::size_t vocab_size() const override { return texts_.size(); }
    std::optional<TokenId> bos() const override { return std::nullopt; }
    std::optional<TokenId> eos() const override { return end_; }
    bool adds_bos() const override { return false; }
    std::span<const TokenId> end_tokens() const override { return std::span(&end_, 1); }

  private:
    std::vector<std::string> texts_;
    TokenId end_{};
};

/// Pieces of JSON and of words, some of them across what a grammar keeps apart.
inline const std::vector<std::string>& some_tokens() {
    static const std::vector<std::string> tokens = {
        "\"",    "{\"",  "\":",  "\": \"", "\",",      "\", \"",   "\"}",       "},",   "}}",
        "[]",    "[{\"", "]}",   " a",     "the",      "name",     "na",        "true", "tr",
        "false", "null", "12",   "0.5",    "-1",       "e+",       "\\n",       "\\u",  "\n  ",
        "ä",     "äö",   "\xC3", "\xA4",   "\xF0\x9F", "\x98\x80", "the end\"", "aaaa", "aa",
        "bb",    "ab",   "(((",  "))",     "\"a\":1"};
    return tokens;
}

inline std::shared_ptr<const Grammar> grammar_of(std::string_view gbnf) {
    auto made = Grammar::from_gbnf(gbnf);
    EXPECT_TRUE(made) << made.error().detail << "\n" << gbnf;
    return made.value();
}

inline std::string refusal(std::string_view gbnf) {
    const auto made = Grammar::from_gbnf(gbnf);
    if (made) return "accepted";
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
    return made.error().detail;
}

inline std::shared_ptr<GrammarMasks> masks_of(std::string_view gbnf, const Tokenizer& tokenizer) {
    return GrammarMasks::create(grammar_of(gbnf), std::make_shared<const TokenTrie>(tokenizer))
        .value();
}

/// 'y': a whole text; 'p': the beginning of one; 'n': neither.
inline char fits(const std::shared_ptr<GrammarMasks>& masks, std::string_view text) {
    GrammarMatcher matcher(masks);
    if (!matcher.accept(text)) return 'n';
    return matcher.is_complete() ? 'y' : 'p';
}

inline constexpr std::string_view kJsonGrammar = R"(
root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws
object ::=
  "{" ws (
            string ":" ws value
    ("," ws string ":" ws value)*
  )? "}" ws
array  ::=
  "[" ws (
            value
    ("," ws value)*
  )? "]" ws
string ::=
  "\"" (
    [^"\\\x7F\x00-\x1F] |
    "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) # escapes
  )* "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws
ws ::= | " " | "\n" [ \t]{0,20}
)";

}  // namespace notso::ml::testing
