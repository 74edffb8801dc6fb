// Any bytes as a Hugging Face tokenizer.json, for models of several sizes.
#include "ml/tokenizer/tokenizer.hpp"
#include "tests/fuzz/memory_file.hpp"
#include "tests/fuzz/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace notso;
    static const test::MemoryFile memory;
    memory.assign(test::bytes_of(data, size));
    for (const std::size_t rows : {4UL, 12UL, 420UL}) {
        const auto loaded = ml::Tokenizer::from_hf_json(memory.path(), rows);
        if (!loaded) continue;
        FUZZ_CHECK((*loaded)->vocab_size() == rows);
        const auto ids =
            (*loaded)->encode("the ab <|im_start|>\xFF", {.special = ml::SpecialTokens::kParse});
        for (const ml::TokenId id : ids) FUZZ_CHECK(ml::to_index(id) < rows);
        (void)(*loaded)->decode(ids);
    }
    return 0;
}
