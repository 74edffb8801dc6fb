// The small vocabulary of tests/golden/tokenizer, and GGUF files made from it. Test code only.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ml/gguf/file.hpp"
#include "ml/gguf/test_writer.hpp"
#include "ml/tokenizer/tokenizer.hpp"

namespace notso::ml::test {

inline std::filesystem::path golden(std::string_view name) {
    return std::filesystem::path(NOTSO_SOURCE_DIR) / "tests" / "golden" / "tokenizer" / name;
}

inline std::string read_bytes(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// What a tokenizer's GGUF keys hold; tests change single fields before writing.
struct Vocabulary {
    std::string model = "gpt2";
    std::string pre = "gpt-2";
    std::vector<std::string> tokens;
    std::vector<std::int32_t> types;
    std::vector<std::string> merges;
    std::uint32_t bos = 1;
    std::uint32_t eos = 2;

    gguf::test::Writer writer() const {
        gguf::test::Writer writer;
        writer.key("tokenizer.ggml.model", model)
            .key("tokenizer.ggml.pre", pre)
            .array<std::string>("tokenizer.ggml.tokens", tokens)
            .array<std::int32_t>("tokenizer.ggml.token_type", types)
            .array<std::string>("tokenizer.ggml.merges", merges)
            .key("tokenizer.ggml.bos_token_id", bos)
            .key("tokenizer.ggml.eos_token_id", eos);
        return writer;
    }
};

/// The vocabulary of tiny.gguf.
inline Vocabulary tiny_vocabulary() {
    const auto file = gguf::File::open(golden("tiny.gguf"));
    if (!file) {
        ADD_FAILURE() << file.error().detail;
        return {};
    }
    const auto tokens = (*file)->get_strings("tokenizer.ggml.tokens").value().value();
    const auto types = (*file)->get_ints("tokenizer.ggml.token_type").value().value();
    const auto merges = (*file)->get_strings("tokenizer.ggml.merges").value().value();
    Vocabulary vocabulary;
    vocabulary.tokens.assign(tokens.begin(), tokens.end());
    for (const auto type : types) vocabulary.types.push_back(static_cast<std::int32_t>(type));
    vocabulary.merges.assign(merges.begin(), merges.end());
    return vocabulary;
}

/// Writes a GGUF file and reads the tokenizer from it.
inline Result<std::shared_ptr<const Tokenizer>> tokenizer_from(const gguf::test::Writer& writer) {
    const gguf::test::TempFile temp(writer.bytes());
    NOTSO_TRY(const auto file, gguf::File::open(temp.path()));
    return Tokenizer::from_gguf(*file);
}

inline std::shared_ptr<const Tokenizer> tiny_tokenizer(std::string_view pre = "gpt-2") {
    Vocabulary vocabulary = tiny_vocabulary();
    vocabulary.pre = pre;
    auto tokenizer = tokenizer_from(vocabulary.writer());
    EXPECT_TRUE(tokenizer.has_value()) << tokenizer.error().detail;
    return tokenizer.value_or(nullptr);
}

inline std::vector<int> encode(const Tokenizer& tokenizer,
                               std::string_view text,
                               const EncodeOptions& options = {}) {
    std::vector<int> ids;
    for (const TokenId id : tokenizer.encode(text, options)) ids.push_back(to_int(id));
    return ids;
}

/// Expected ids of one text, by column ("gpt-2:text", "llama-bpe:special", …).
struct GoldenCases {
    struct Case {
        std::string text;
        std::vector<std::vector<int>> ids;
    };
    std::vector<std::string> columns;
    std::vector<Case> cases;
};

inline std::vector<std::string> split(const std::string& line, char separator) {
    std::vector<std::string> parts(1);
    for (const char c : line) {
        if (c == separator) {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

inline GoldenCases golden_cases() {
    GoldenCases golden_file;
    std::ifstream in(golden("cases.txt"));
    std::string line;
    while (std::getline(in, line)) {
        const auto cells = split(line, '\t');
        if (line.starts_with('#')) {
            golden_file.columns.assign(cells.begin() + 1, cells.end());
            continue;
        }
        GoldenCases::Case one;
        for (std::size_t i = 0; i + 1 < cells[0].size(); i += 2) {
            one.text += static_cast<char>(std::stoi(cells[0].substr(i, 2), nullptr, 16));
        }
        for (std::size_t column = 1; column < cells.size(); ++column) {
            auto& ids = one.ids.emplace_back();
            if (cells[column].empty()) continue;
            for (const std::string& id : split(cells[column], ',')) ids.push_back(std::stoi(id));
        }
        golden_file.cases.push_back(std::move(one));
    }
    return golden_file;
}

}  // namespace notso::ml::test
