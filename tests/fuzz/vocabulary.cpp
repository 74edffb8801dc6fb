// A GGUF file's vocabulary: whatever loads must encode and decode without ever leaving its own ids.
#include "ml/gguf/file.hpp"
#include "ml/tokenizer/tokenizer.hpp"
#include "tests/fuzz/memory_file.hpp"
#include "tests/fuzz/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace notso;
    static const test::MemoryFile memory;
    memory.assign(test::bytes_of(data, size));
    const auto file = ml::gguf::File::open(memory.path());
    if (!file) return 0;
    const auto loaded = ml::Tokenizer::from_gguf(**file);
    if (!loaded) return 0;
    const ml::Tokenizer& tokenizer = **loaded;
    const std::string text = "the <|im_start|>the\xFF 12\n\xF0\x9F\x98\x80";
    for (const auto special : {ml::SpecialTokens::kAsText, ml::SpecialTokens::kParse}) {
        for (const ml::TokenId id : tokenizer.encode(text, {.special = special})) {
            FUZZ_CHECK(ml::to_index(id) < tokenizer.vocab_size());
        }
    }
    for (std::size_t id = 0; id < tokenizer.vocab_size() + 2; ++id) {
        (void)tokenizer.token_bytes(static_cast<ml::TokenId>(id));
        (void)tokenizer.is_control(static_cast<ml::TokenId>(id));
    }
    for (const ml::TokenId id : tokenizer.end_tokens())
        FUZZ_CHECK(ml::to_index(id) < tokenizer.vocab_size());
    return 0;
}
