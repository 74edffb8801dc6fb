// The tiny golden models of tests/golden/models (tests/oracle/make_tiny_models.py) and their
// reference logits. Test code only.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string_view>
#include <vector>

#include "ml/tokenizer/token_id.hpp"

namespace notso::ml::test {

inline constexpr std::int32_t kGoldenTokens = 24;
inline constexpr std::int32_t kGoldenVocab = 264;

/// One of every architecture at least; tiny_odd has sizes that only the plain kernels take.
inline constexpr const char* kGoldenModels[] = {
    "tiny_smollm3", "tiny_llama", "tiny_odd", "tiny_qwen2", "tiny_qwen3", "tiny_biases"};

inline std::filesystem::path golden_model(std::string_view name) {
    return std::filesystem::path(NOTSO_SOURCE_DIR) / "tests/golden/models" /
           fmt::format("{}.gguf", name);
}

inline std::vector<TokenId> golden_tokens() {
    std::vector<TokenId> tokens;
    for (std::int32_t i = 0; i < kGoldenTokens; ++i)
        tokens.push_back(TokenId{(i * 37 + 11) % kGoldenVocab});
    return tokens;
}

/// [kGoldenTokens, kGoldenVocab], computed in double by the numpy oracle.
inline std::vector<float> golden_logits(std::string_view name) {
    std::vector<float> logits(std::size_t{kGoldenTokens} * kGoldenVocab);
    std::ifstream in(std::filesystem::path(NOTSO_SOURCE_DIR) / "tests/golden/models" /
                         fmt::format("{}.logits.f32", name),
                     std::ios::binary);
    in.read(reinterpret_cast<char*>(logits.data()),
            static_cast<std::streamsize>(logits.size() * sizeof(float)));
    if (!in) logits.clear();
    return logits;
}

}  // namespace notso::ml::test
