// Masks against a plain twin that tries every token, and texts that are ended in time.
#include <gtest/gtest.h>

#include "ml/grammar/grammar_harness.hpp"

namespace notso::ml {
namespace {

using namespace testing;

const std::vector<std::string>& grammars() {
    static const std::vector<std::string> all = {
        std::string(kJsonGrammar),
        "root ::= \"a\"* | \"b\"+",
        "root ::= \"{\" s (\",\" s){0,3} \"}\"\ns ::= \"\\\"\" [^\"\\\\]{2,40} \"\\\"\"",
        "root ::= s{30,60}\ns ::= \"a\" | \"bb\"",
        "root ::= (\"a\"* \"b\"?){3,50} \"12\"?",
        "root ::= \"(\" root \")\" | \"aa\" root \"bb\" | \"\"",
        "root ::= (\"ä\" | [😀-😂] | \"a\" [^b])* \"the end\"?",
        "root ::= \"[\" (item (\",\" item)*)? \"]\"\nitem ::= \"[\" item* \"]\" | ([0-9]+ \".\")? "
        "[0-9]+ | \"\\\"\" \"aa\"* \"\\\"\"",
        "root ::= (x | y)\nx ::= \"aa\" x | \"ab\"\ny ::= \"a\" y | \"bb\""};
    return all;
}

/// Every token is tried on a copy of the matcher.
std::vector<std::uint64_t> plain_mask(const GrammarMatcher& matcher, const Tokenizer& tokenizer) {
    std::vector<std::uint64_t> mask(mask_words(tokenizer.vocab_size()));
    for (std::size_t i = 0; i < tokenizer.vocab_size(); ++i) {
        const TokenId id{static_cast<std::int32_t>(i)};
        GrammarMatcher copy = matcher;
        const bool fits = tokenizer.is_control(id) ? matcher.is_complete()
                                                   : copy.accept(tokenizer.token_bytes(id));
        if (fits) mask[i / 64] |= std::uint64_t{1} << (i % 64);
    }
    return mask;
}

/// A token of the mask; none when it is empty.
std::optional<TokenId> draw(TokenMask mask, std::mt19937& rng) {
    std::vector<TokenId> ids;
    for (std::size_t i = 0; i < mask.size() * 64; ++i) {
        const TokenId id{static_cast<std::int32_t>(i)};
        if (in_mask(mask, id)) ids.push_back(id);
    }
    if (ids.empty()) return std::nullopt;
    return ids[rng() % ids.size()];
}

TEST(GrammarMask, HoldsExactlyTheTokensThatFit) {
    const ListTokenizer tokenizer(some_tokens());
    std::mt19937 rng(5);
    for (const std::string& gbnf : grammars()) {
        const auto masks = masks_of(gbnf, tokenizer);
        for (int text = 0; text < 12; ++text) {
            GrammarMatcher matcher(masks);
            std::string written;
            for (int n = 0; n < 60 && matcher.can_go_on(); ++n) {
                const TokenMask mask = matcher.mask(1'000'000);
                ASSERT_EQ(std::vector(mask.begin(), mask.end()), plain_mask(matcher, tokenizer))
                    << gbnf << "\nafter " << written;
                const auto id = draw(mask, rng);
                ASSERT_TRUE(id) << gbnf << "\nafter " << written;
                if (tokenizer.is_control(*id)) break;
                written += tokenizer.token_bytes(*id);
                ASSERT_TRUE(matcher.accept(tokenizer.token_bytes(*id)));
            }
        }
    }
}

TEST(GrammarMask, TextsAreEndedInTime) {
    const ListTokenizer tokenizer(some_tokens());
    std::mt19937 rng(6);
    for (const std::string& gbnf : grammars()) {
        const auto masks = masks_of(gbnf, tokenizer);
        const auto least = static_cast<std::int32_t>(GrammarMatcher(masks).n_to_end());
        for (std::int32_t room = least; room < least + 40; ++room) {
            GrammarGuide guide(masks, tokenizer);
            std::string written;
            std::int32_t n_left = room;
            for (;; --n_left) {
                const Allowed allowed = guide.next(n_left);
                if (allowed.kind == Allowed::Kind::kEnd) break;
                ASSERT_EQ(allowed.kind, Allowed::Kind::kSet) << gbnf << "\nafter " << written;
                const auto id = draw(allowed.mask, rng);
                ASSERT_TRUE(id) << gbnf << "\nafter " << written;
                if (tokenizer.is_control(*id)) break;
                written += tokenizer.token_bytes(*id);
                guide.accept(*id);
            }
            EXPECT_GE(n_left, 0);
            EXPECT_EQ(fits(masks, written), 'y') << gbnf << "\n" << written;
        }
    }
}

TEST(GrammarMask, TheLimitLeavesOutNothingThatCouldBeEnded) {
    const ListTokenizer tokenizer(some_tokens());
    const auto masks = masks_of(kJsonGrammar, tokenizer);
    GrammarMatcher matcher(masks);
    ASSERT_TRUE(matcher.accept(R"({"a": [{"b": ")"));
    const std::uint32_t least = matcher.n_to_end();
    EXPECT_EQ(least, 4U) << "each in a rule of its own";
    for (std::uint32_t room = least; room < 12; ++room) {
        const TokenMask mask = matcher.mask(room);
        for (std::int32_t id = 0; id < 256 + std::ssize(some_tokens()); ++id) {
            GrammarMatcher copy = matcher;
            const bool in_time =
                copy.accept(tokenizer.token_bytes(TokenId{id})) && copy.n_to_end() < room;
            EXPECT_EQ(in_mask(mask, TokenId{id}), in_time)
                << room << " " << tokenizer.token_bytes(TokenId{id});
        }
    }
}

TEST(GrammarMask, TooLittleRoomLeavesTheQuickestWay) {
    const ListTokenizer tokenizer({});
    GrammarGuide guide(masks_of("root ::= \"abc\" | \"x\" \"y\"{5}", tokenizer), tokenizer);
    const Allowed allowed = guide.next(1);
    EXPECT_TRUE(in_mask(allowed.mask, TokenId{'a'}));
    EXPECT_FALSE(in_mask(allowed.mask, TokenId{'x'}));
    EXPECT_EQ(guide.next(0).kind, Allowed::Kind::kDeadEnd);
}

TEST(GrammarMask, EndsWhereNothingMayFollow) {
    const ListTokenizer tokenizer({});
    GrammarGuide guide(masks_of("root ::= \"a\" \"b\"?", tokenizer), tokenizer);
    guide.accept(TokenId{'a'});
    const Allowed may_end = guide.next(5);
    ASSERT_EQ(may_end.kind, Allowed::Kind::kSet);
    EXPECT_TRUE(in_mask(may_end.mask, tokenizer.end_tokens()[0]));
    EXPECT_TRUE(in_mask(may_end.mask, TokenId{'b'}));
    EXPECT_EQ(guide.next(0).kind, Allowed::Kind::kEnd);
    guide.accept(TokenId{'b'});
    EXPECT_EQ(guide.next(5).kind, Allowed::Kind::kEnd);
    guide.accept(TokenId{'c'});
    EXPECT_EQ(guide.next(5).kind, Allowed::Kind::kDeadEnd);
}

TEST(GrammarMask, HostileGrammarsStayBounded) {
    const ListTokenizer tokenizer(some_tokens());
    std::mt19937 rng(7);
    for (const std::string gbnf :
         {"root ::= (\"a\" root \"b\" | \"a\" root \"c\" | \"a\" root \"bb\")?",
          "root ::= ((\"a\"? \"a\"? \"a\"? \"a\"?){0,2000}){0,2000}",
          "root ::= (((((\"a\"*)*)*)*)* | (\"a\" | \"aa\" | \"aaa\"){0,2000})*",
          "root ::= s s s s s s s s\ns ::= (\"a\" | \"aa\")* s2 | \"b\"\ns2 ::= \"a\" s s | \"b\" "
          "s?"}) {
        GrammarGuide guide(masks_of(gbnf, tokenizer), tokenizer);
        for (std::int32_t n_left = 300; n_left > 0; --n_left) {
            const Allowed allowed = guide.next(n_left);
            if (allowed.kind != Allowed::Kind::kSet) break;
            const auto id = draw(allowed.mask, rng);
            ASSERT_TRUE(id) << gbnf;
            if (tokenizer.is_control(*id)) break;
            guide.accept(*id);
        }
    }
}

TEST(GrammarMask, AVocabularyThatCannotWriteItIsRefused) {
    class NoBytes final : public Tokenizer {
      public:
        std::vector<TokenId> encode(std::string_view, const EncodeOptions&) const override {
            return {};
        }
        std::string_view token_bytes(TokenId) const override { return "ab"; }
        std::string decode(std::span<const TokenId>, bool) const override { return {}; }
        std::optional<TokenId> find(std::string_view) const override { return std::nullopt; }
        bool is_control(TokenId) const override { return false; }
        std::size_t vocab_size() const override { return 1; }
        std::optional<TokenId> bos() const override { return std::nullopt; }
        std::optional<TokenId> eos() const override { return std::nullopt; }
        bool adds_bos() const override { return false; }
        std::span<const TokenId> end_tokens() const override { return {}; }
    };
    const auto trie = std::make_shared<const TokenTrie>(NoBytes());
    const auto made = GrammarMasks::create(grammar_of("root ::= \"xyz\""), trie);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace notso::ml
