// Tokenizer: text to token ids and back, byte-level BPE, exact for the pre-tokenizers it names.
// Knows nothing of chats; which texts are control tokens comes from the model file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ml/tokenizer/token_id.hpp"

namespace notso::ml {

namespace gguf {
class File;
}

/// Whether texts such as `<|im_start|>` in the input become their control tokens or stay ordinary text.
enum class SpecialTokens { kAsText, kParse };

struct EncodeOptions {
    SpecialTokens special = SpecialTokens::kAsText;
    /// With kParse: byte offsets, ascending, at which no control token may begin. Whoever builds a prompt lists
    /// here what came from users, tools or documents, so that it can never open a turn.
    std::span<const std::size_t> literal_offsets = {};
};

/// Immutable and safe to use from many threads.
class Tokenizer {
  public:
    /// Reads vocabulary, merges and control tokens from a GGUF file.
    /// @errors kUnsupported for an unknown `tokenizer.ggml.model` or `.pre`, named; kCorruptData with the key.
    static Result<std::shared_ptr<const Tokenizer>> from_gguf(const gguf::File& file);

    /// Reads a Hugging Face tokenizer.json.
    /// @param expected_vocab  Rows of the model's embedding; a file with more tokens, or whose highest id does
    ///                        not match the model, is refused (kInvalidArgument, both numbers).
    /// @errors kUnsupported names the unknown normalizer, pre-tokenizer or model type.
    static Result<std::shared_ptr<const Tokenizer>> from_hf_json(const std::filesystem::path& path,
                                                                std::size_t expected_vocab);

    virtual ~Tokenizer() = default;

    /// Token ids of `text`; no BOS is added. Any bytes are accepted. @cost O(n log n) in the longest word, linear in
    /// the text.
    virtual std::vector<TokenId> encode(std::string_view text, const EncodeOptions& options = {}) const = 0;

    /// Raw bytes of one token: may be part of a UTF-8 sequence. Control tokens give their text. Empty when out of range.
    virtual std::string_view token_bytes(TokenId id) const = 0;

    /// Bytes of all tokens joined; `with_control` false drops control tokens. Not necessarily valid UTF-8.
    virtual std::string decode(std::span<const TokenId> ids, bool with_control = true) const = 0;

    /// The token whose text is exactly `text` (control tokens by name, such as "<think>").
    virtual std::optional<TokenId> find(std::string_view text) const = 0;

    virtual bool is_control(TokenId id) const = 0;
    virtual std::size_t vocab_size() const = 0;
    virtual std::optional<TokenId> bos() const = 0;
    virtual std::optional<TokenId> eos() const = 0;
    virtual bool adds_bos() const = 0;
    /// Every token that ends a turn: eos, eot, and those known by name (<|im_end|>, <|eot_id|>, <|endoftext|>…).
    virtual std::span<const TokenId> end_tokens() const = 0;
};

}  // namespace notso::ml
