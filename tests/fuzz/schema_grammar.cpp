// Grammars and JSON schemas of clients: refused with a reason, or compiled to something whose every
// text can be followed: what a guide allows fits, and ends where it says.
#include <boost/json.hpp>
#include <random>
#include <string>

#include "ml/grammar/grammar_harness.hpp"
#include "services/schema/answer_form.hpp"
#include "services/schema/form_grammar.hpp"
#include "tests/fuzz/target.hpp"

namespace {

using namespace notso;

/// Follows a random text of at most so many tokens; it must end in time.
void follow(const services::AnswerForm& form, unsigned seed) {
    static const ml::testing::ListTokenizer tokenizer(ml::testing::some_tokens());
    static const auto trie = std::make_shared<const ml::TokenTrie>(tokenizer);
    const auto grammar = services::compile_form(form);
    FUZZ_CHECK(grammar);
    auto masks = ml::GrammarMasks::create(*grammar, trie);
    if (!masks) return;
    ml::GrammarMatcher check(*masks);
    ml::GrammarGuide guide(*masks, tokenizer);
    constexpr std::int32_t kRoom = 40;
    const bool fits = check.n_to_end() <= kRoom;
    std::mt19937 rng(seed);
    for (std::int32_t n_left = kRoom;; --n_left) {
        const ml::Allowed allowed = guide.next(n_left);
        if (allowed.kind != ml::Allowed::Kind::kSet) break;
        std::vector<ml::TokenId> ids;
        for (std::size_t i = 0; i < tokenizer.vocab_size(); ++i)
            if (const ml::TokenId id{static_cast<std::int32_t>(i)}; ml::in_mask(allowed.mask, id))
                ids.push_back(id);
        FUZZ_CHECK(!ids.empty());
        const ml::TokenId id = ids[rng() % ids.size()];
        if (tokenizer.is_control(id)) break;
        FUZZ_CHECK(check.accept(tokenizer.token_bytes(id)) || !check.is_exact());
        guide.accept(id);
    }
    FUZZ_CHECK(!fits || check.is_complete() || !check.is_exact());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = test::text_of(data, size);
    boost::system::error_code failure;
    const boost::json::value schema = boost::json::parse(text, failure);
    const auto form = failure ? services::grammar_form(text) : services::json_schema_form(schema);
    if (form) {
        follow(*form, static_cast<unsigned>(size));
    } else {
        FUZZ_CHECK(form.error().code == ErrorCode::kInvalidArgument);
        FUZZ_CHECK(!form.error().detail.empty());
    }
    return 0;
}
