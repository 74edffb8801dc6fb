// Tokenizer::from_gguf: vocabulary, merges and special tokens from the `tokenizer.ggml.*` keys.
#include <array>

#include "base/log.hpp"
#include "ml/gguf/file.hpp"
#include "ml/tokenizer/vocabulary.hpp"

namespace notso::ml {
namespace {

// Token types as GGUF numbers them.
constexpr std::int64_t kControlType = 3;
constexpr std::int64_t kUserDefinedType = 4;
constexpr std::int64_t kLastType = 6;

// Four times what the largest vocabularies have; keeps small what a hostile file makes us allocate.
constexpr std::uint64_t kMaxEntries = 1 << 20;

constexpr std::string_view kTokens = "tokenizer.ggml.tokens";
constexpr std::string_view kMerges = "tokenizer.ggml.merges";

std::unexpected<Error> corrupt(const gguf::File& file,
                               std::string_view key,
                               std::string_view problem) {
    return fail(ErrorCode::kCorruptData, "{} {}", gguf::key_label(file, key), problem);
}

/// A key that must be there.
template <class T>
Result<T> required(const gguf::File& file, std::string_view key, Result<std::optional<T>> value) {
    if (!value) return std::unexpected(std::move(value).error());
    if (!*value) return corrupt(file, key, "is missing; the file has no usable tokenizer");
    return **std::move(value);
}

/// An array of texts, not longer than any vocabulary is.
Result<std::vector<std::string_view>> required_texts(const gguf::File& file, std::string_view key) {
    const gguf::KeyValue* item = file.find(key);
    const auto* array = item == nullptr ? nullptr : std::get_if<gguf::Array>(&item->value);
    if (array != nullptr && array->count > kMaxEntries) {
        return corrupt(
            file,
            key,
            fmt::format("has {} entries, at most {} are allowed", array->count, kMaxEntries));
    }
    return required(file, key, file.get_strings(key));
}

Result<PreTokenizer> read_pre_tokenizer(const gguf::File& file) {
    constexpr std::string_view kModel = "tokenizer.ggml.model";
    constexpr std::string_view kPre = "tokenizer.ggml.pre";
    NOTSO_TRY(const auto model, required(file, kModel, file.get_string(kModel)));
    if (model != "gpt2") {
        return fail(ErrorCode::kUnsupported,
                    "{} is {}, which this program does not run; it runs byte-level BPE (\"gpt2\")",
                    gguf::key_label(file, kModel),
                    log::field(model));
    }
    NOTSO_TRY(const auto name, required(file, kPre, file.get_string(kPre)));
    const auto kind = pre_tokenizer_by_name(name);
    if (!kind) {
        return fail(ErrorCode::kUnsupported,
                    "{} is {}, a pre-tokenizer that this program does not know; it knows smollm, "
                    "smaug-bpe, llama-bpe, llama3, gpt-2 and qwen2",
                    gguf::key_label(file, kPre),
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
    constexpr std::string_view kTypes = "tokenizer.ggml.token_type";
    NOTSO_TRY(source.tokens, required_texts(file, kTokens));
    const std::size_t size = source.tokens.size();
    if (size == 0) return corrupt(file, kTokens, "has no tokens");
    source.mergeable.assign(size, true);
    source.kinds.assign(size, TokenKind::kNormal);
    NOTSO_TRY(const auto types, file.get_ints(kTypes));
    if (!types) return {};
    if (types->size() != size) {
        return corrupt(
            file, kTypes, fmt::format("has {} entries for {} tokens", types->size(), size));
    }
    for (std::size_t id = 0; id < size; ++id) {
        const std::int64_t type = (*types)[id];
        if (type < 0 || type > kLastType) {
            return corrupt(
                file, kTypes, fmt::format("gives token {} the unknown type {}", id, type));
        }
        source.kinds[id] = kind_of(type);
        if (source.kinds[id] != TokenKind::kNormal) {
            source.specials.push_back({.text = source.tokens[id], .id = static_cast<TokenId>(id)});
        }
    }
    return {};
}

Result<> read_merges(const gguf::File& file, VocabularySource& source) {
    NOTSO_TRY(const auto lines, required_texts(file, kMerges));
    source.merges.reserve(lines.size());
    for (const std::string_view line : lines) {
        const std::size_t space = line.find(' ');
        if (space == std::string_view::npos) {
            return corrupt(file,
                           kMerges,
                           fmt::format("has as merge {} {}, not two tokens with a space between",
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
        return corrupt(
            file, key, fmt::format("is {}, outside the vocabulary of {} tokens", *id, size));
    }
    return std::optional(static_cast<TokenId>(*id));
}

/// Keys that this tokenizer has no use for: what can't be right is refused all the same.
Result<> check_unused(const gguf::File& file, std::size_t size) {
    for (const std::string_view key :
         {"tokenizer.ggml.padding_token_id", "tokenizer.ggml.unknown_token_id"}) {
        NOTSO_TRY([[maybe_unused]] const auto id, file.get_uint(key));
    }
    constexpr std::string_view kScores = "tokenizer.ggml.scores";
    constexpr std::uint32_t kF32 = 6;
    const gguf::KeyValue* item = file.find(kScores);
    if (item == nullptr) return {};
    const auto* scores = std::get_if<gguf::Array>(&item->value);
    if (scores == nullptr || scores->element_type != kF32)
        return corrupt(file, kScores, "should be array of f32");
    if (scores->count == size) return {};
    return corrupt(file, kScores, fmt::format("has {} entries for {} tokens", scores->count, size));
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
    NOTSO_CHECK(check_unused(file, source.tokens.size()));
    auto tokenizer = make_bpe_tokenizer(source);
    if (tokenizer) return tokenizer;
    return fail(tokenizer.error().code,
                "{} and {}: {}",
                gguf::key_label(file, kTokens),
                gguf::key_label(file, kMerges),
                tokenizer.error().detail);
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
