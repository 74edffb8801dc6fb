// Prints what masks cost on a JSON answer: usage: grammar_bench TOKENIZER.json N_VOCAB
// [GRAMMAR.gbnf TEXT] Without a grammar, any JSON object and a built-in answer.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "ml/grammar/grammar_guide.hpp"

namespace notso::ml {
namespace {

constexpr double kStepMs = 30;  // a decode step of a 3B model

constexpr std::string_view kJson = R"(
root   ::= object
value  ::= object | array | string | number | "true" | "false" | "null"
object ::= "{" ws (string ":" " "? value ("," ws string ":" " "? value)*)? ws "}"
array  ::= "[" ws (value ("," ws value)*)? ws "]"
string ::= "\"" ([^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4}))* "\""
number ::= "-"? ("0" | [1-9] [0-9]{0,15}) ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,3})?
ws ::= (" " | "\n" " "{0,20})?
)";
constexpr std::string_view kAnswer = R"({
  "name": "Ada Lovelace",
  "born": 1815,
  "summary": "She wrote the first program for a machine that was never finished, and saw what nobody else did: that numbers may stand for music, too.",
  "known_for": ["notes on the analytical engine", "Bernoulli numbers", "poetical science \"as she said\""],
  "address": {"street": "12 St. James's Square", "city": "London", "geo": {"lat": 51.507, "lon": -0.135}},
  "alive": false,
  "children": [{"name": "Byron", "age": null}, {"name": "Anne Isabella", "age": 24}, {"name": "Ralph", "age": 21}]
})";

double processor_ms() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

std::string read_file(const char* path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

void answer(std::string_view what,
            const std::shared_ptr<GrammarMasks>& masks,
            const Tokenizer& tokenizer,
            std::span<const TokenId> ids) {
    GrammarGuide guide(masks, tokenizer);
    double total = 0;
    double most = 0;
    TokenId dearest{};
    for (const TokenId id : ids) {
        const double begin = processor_ms();
        const Allowed allowed = guide.next(100'000);
        const double taken = processor_ms() - begin;
        if (allowed.kind != Allowed::Kind::kSet || !in_mask(allowed.mask, id)) {
            fmt::print("the answer does not fit at \"{}\"\n", tokenizer.token_bytes(id));
            return;
        }
        const double accept = processor_ms();
        guide.accept(id);
        total += taken + processor_ms() - accept;
        if (taken > most) dearest = id;
        most = std::max(most, taken);
    }
    const double mean = total / static_cast<double>(ids.size());
    fmt::print(
        "{}: {} tokens, {:.3f} ms each ({:.2f} % of a step of {} ms), most {:.2f} ms before "
        "\"{}\"\n",
        what,
        ids.size(),
        mean,
        100 * mean / kStepMs,
        kStepMs,
        most,
        tokenizer.token_bytes(dearest));
}

int run(int argc, char** argv) {
    if (argc != 3 && argc != 5) {
        fmt::print("usage: grammar_bench TOKENIZER.json N_VOCAB [GRAMMAR.gbnf TEXT]\n");
        return 2;
    }
    const auto tokenizer = Tokenizer::from_hf_json(argv[1], std::strtoull(argv[2], nullptr, 10));
    if (!tokenizer) {
        fmt::print("{}\n", tokenizer.error().detail);
        return 1;
    }
    const double begin = processor_ms();
    const auto trie = std::make_shared<const TokenTrie>(**tokenizer);
    const double trie_made = processor_ms();
    const auto grammar = Grammar::from_gbnf(argc == 5 ? read_file(argv[3]) : std::string(kJson));
    if (!grammar) {
        fmt::print("{}\n", grammar.error().detail);
        return 1;
    }
    const double grammar_made = processor_ms();
    const auto masks = GrammarMasks::create(*grammar, trie);
    if (!masks) {
        fmt::print("{}\n", masks.error().detail);
        return 1;
    }
    fmt::print(
        "{} tokens, {} nodes; trie {:.1f} ms, {} states {:.2f} ms, tokens to the end {:.2f} ms\n",
        trie->n_vocab(),
        trie->nodes().size(),
        trie_made - begin,
        (*grammar)->states().size(),
        grammar_made - trie_made,
        processor_ms() - grammar_made);
    const auto ids =
        (*tokenizer)->encode(argc == 5 ? read_file(argv[4]) : std::string(kAnswer), {});
    answer("first answer", *masks, **tokenizer, ids);
    answer("second answer", *masks, **tokenizer, ids);
    fmt::print("kept: {:.1f} MB\n", static_cast<double>((*masks)->memory_bytes()) / 1e6);
    return 0;
}

}  // namespace
}  // namespace notso::ml

int main(int argc, char** argv) { return notso::ml::run(argc, argv); }
