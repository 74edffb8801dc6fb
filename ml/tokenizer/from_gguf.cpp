// Tokenizer::from_gguf: vocabulary, merges and special tokens from the `tokenizer.ggml.*` keys.
#include <array>
#include <limits>

#include "base/log.hpp"
#include "ml/gguf/file.hpp"
#include "ml/tokenizer/vocabulary.hpp"

namespace notso::ml {
namespace {

// Token types as GGUF numbers them.
constexpr std::int64_t kControlType = 3;
constexpr std::int64_t kUserDefinedType = 4;
constexpr std::int64_t kLastType = 6;

constexpr std::size_t kMaxTokens = std::numeric_limits<std::int32_t>::max();

std::unexpected<Error> corrupt(std::string_view key, std::string_view problem) {
    return fail(ErrorCode::kCorruptData, "key \"{}\": {}", key, problem);
}

/// A key that must be there.
template <class T>
Result<T> required(std::string_view key, Result<std::optional<T>> value) {
    if (!value) return std::unexpected(std::move(value).error());
    if (!*value) return corrupt(key, "is missing; the file has no usable tokenizer");
    return **std::move(value);
}

Result<PreTokenizer> read_pre_tokenizer(const gguf::File& file) {
    constexpr std::string_view kModel = "tokenizer.ggml.model";
    constexpr std::string_view kPre = "tokenizer.ggml.pre";
    NOTSO_TRY(const auto model, required(kModel, file.get_string(kModel)));
    if (model != "gpt2") {
        return fail(ErrorCode::kUnsupported,
                    "tokenizer model {} is not supported; byte-level BPE (\"gpt2\") is",
                    log::field(model));
    }
    NOTSO_TRY(const auto name, required(kPre, file.get_string(kPre)));
    const auto kind = pre_tokenizer_by_name(name);
    if (!kind) {
        return fail(ErrorCode::kUnsupported,
                    "pre-tokenizer {} is not supported; smollm, smaug-bpe, llama-bpe, llama3, "
                    "gpt-2 and qwen2 are",
                    log::field(name));
    }
    return *kind;
}

TokenKind kind_of(std::int64_t type) {
    if (type == kControlType) return TokenKind::kControl;
    if (type == kUserDefinedType) return TokenKind::kUserDefined;
    return TokenKind::kNormal;
}

Result<> read_tokens(const gguf::File& file, VocabularySource& source) {
    constexpr std::string_view kTokens = "tokenizer.ggml.tokens";
    constexpr std::string_view kTypes = "tokenizer.ggml.token_type";
    NOTSO_TRY(source.tokens, required(kTokens, file.get_strings(kTokens)));
    const std::size_t size = source.tokens.size();
    if (size == 0 || size > kMaxTokens) return corrupt(kTokens, fmt::format("has {} tokens", size));
    source.mergeable.assign(size, true);
    source.kinds.assign(size, TokenKind::kNormal);
    NOTSO_TRY(const auto types, file.get_ints(kTypes));
    if (!types) return {};
    if (types->size() != size) {
        return corrupt(kTypes, fmt::format("has {} entries for {} tokens", types->size(), size));
    }
    for (std::size_t id = 0; id < size; ++id) {
        const std::int64_t type = (*types)[id];
        if (type < 0 || type > kLastType) {
            return corrupt(kTypes, fmt::format("token {} has the unknown type {}", id, type));
        }
        source.kinds[id] = kind_of(type);
        if (source.kinds[id] != TokenKind::kNormal) {
            source.specials.push_back({.text = source.tokens[id], .id = static_cast<TokenId>(id)});
        }
    }
    return {};
}

Result<> read_merges(const gguf::File& file, VocabularySource& source) {
    constexpr std::string_view kMerges = "tokenizer.ggml.merges";
    NOTSO_TRY(const auto lines, required(kMerges, file.get_strings(kMerges)));
    source.merges.reserve(lines.size());
    for (const std::string_view line : lines) {
        const std::size_t space = line.find(' ');
        if (space == std::string_view::npos) {
            return corrupt(kMerges,
                           fmt::format("merge {} is {}, not two tokens with a space between",
                                       source.merges.size(),
                                       log::field(line)));
        }
        source.merges.emplace_back(line.substr(0, space), line.substr(space + 1));
    }
    return {};
}

Result<std::optional<TokenId>> read_id(const gguf::File& file,
                                       std::string_view key,
                                       std::size_t size) {
    NOTSO_TRY(const auto id, file.get_uint(key));
    if (!id) return std::optional<TokenId>();
    if (*id >= size) {
        return corrupt(key, fmt::format("token {} is outside the vocabulary of {}", *id, size));
    }
    return std::optional(static_cast<TokenId>(*id));
}

Result<> read_roles(const gguf::File& file, VocabularySource& source) {
    const std::size_t size = source.tokens.size();
    NOTSO_TRY(source.bos, read_id(file, "tokenizer.ggml.bos_token_id", size));
    NOTSO_TRY(source.eos, read_id(file, "tokenizer.ggml.eos_token_id", size));
    constexpr std::array<std::string_view, 2> kEnds = {"tokenizer.ggml.eot_token_id",
                                                       "tokenizer.ggml.eom_token_id"};
    for (const std::string_view key : kEnds) {
        NOTSO_TRY(const auto id, read_id(file, key, size));
        if (id) source.end_tokens.push_back(*id);
    }
    NOTSO_TRY(const auto adds_bos, file.get_bool("tokenizer.ggml.add_bos_token"));
    NOTSO_TRY(const auto pre, file.get_string("tokenizer.ggml.pre"));
    // Llama 3 was trained with BOS in front of every text, and its files often leave the key out.
    source.adds_bos = adds_bos.value_or(pre == "llama-bpe" || pre == "llama3");
    return {};
}

Result<std::shared_ptr<const Tokenizer>> load(const gguf::File& file) {
    VocabularySource source;
    NOTSO_TRY(source.pre_tokenizer, read_pre_tokenizer(file));
    source.ignore_merges = ignores_merges(source.pre_tokenizer);
    NOTSO_CHECK(read_tokens(file, source));
    NOTSO_CHECK(read_merges(file, source));
    NOTSO_CHECK(read_roles(file, source));
    auto tokenizer = make_bpe_tokenizer(source);
    if (tokenizer) return tokenizer;
    return fail(tokenizer.error().code, "tokenizer.ggml: {}", tokenizer.error().detail);
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> Tokenizer::from_gguf(const gguf::File& file) {
    auto tokenizer = load(file);
    if (tokenizer) return tokenizer;
    // gguf::File puts its path before its own errors.
    const std::string path = file.path().string();
    if (tokenizer.error().detail.starts_with(path)) return tokenizer;
    return fail(tokenizer.error().code, "{}: {}", path, tokenizer.error().detail);
}

}  // namespace notso::ml
