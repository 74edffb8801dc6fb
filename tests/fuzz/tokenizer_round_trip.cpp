// decode(encode(text)) == text for a vocabulary that has every byte, with and without control
// tokens; a literal offset keeps a control token from being one.
#include "ml/gguf/file.hpp"
#include "ml/tokenizer/tokenizer.hpp"
#include "tests/fuzz/memory_file.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/fuzz/vocabulary_seed.hpp"

namespace {

using namespace notso;

std::shared_ptr<const ml::Tokenizer> load() {
    const test::MemoryFile memory;
    memory.assign(std::as_bytes(std::span(kVocabulary)));
    const auto file = ml::gguf::File::open(memory.path());
    FUZZ_CHECK(file.has_value());
    const auto tokenizer = ml::Tokenizer::from_gguf(**file);
    FUZZ_CHECK(tokenizer.has_value());
    return *tokenizer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto kTokenizer = load();
    const std::string_view text = test::text_of(data, size);
    const auto plain = kTokenizer->encode(text);
    FUZZ_CHECK(kTokenizer->decode(plain) == text);
    for (const ml::TokenId id : plain) FUZZ_CHECK(!kTokenizer->is_control(id));
    const auto parsed = kTokenizer->encode(text, {.special = ml::SpecialTokens::kParse});
    FUZZ_CHECK(kTokenizer->decode(parsed) == text);
    std::vector<std::size_t> everywhere(size);
    for (std::size_t i = 0; i < size; ++i) everywhere[i] = i;
    const ml::EncodeOptions literal{.special = ml::SpecialTokens::kParse,
                                    .literal_offsets = everywhere};
    FUZZ_CHECK(kTokenizer->encode(text, literal) == plain);
    return 0;
}
