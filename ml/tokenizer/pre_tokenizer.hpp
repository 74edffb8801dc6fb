// Pre-tokenizers: cut text into the words inside which byte pairs may merge. Hand-written state
// machines for the regular expressions of the model families; there is no regex engine, and time is
// linear in the text.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace notso::ml {

enum class PreTokenizer {
    kGpt2,    ///< 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
    kSmollm,  ///< every digit alone, then kGpt2 between the digits
    kLlama3,  ///< (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
              ///< ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
    kQwen2,   ///< kLlama3 with \p{N} instead of \p{N}{1,3}
};

/// The pre-tokenizer that a GGUF file's `tokenizer.ggml.pre` names; empty for names we don't know.
std::optional<PreTokenizer> pre_tokenizer_by_name(std::string_view name) noexcept;

/// Whether the family takes a word that is a token as it is, without merging (`ignore_merges`).
bool ignores_merges(PreTokenizer kind) noexcept;

/// Cuts a text into words, front to back. The words joined are the text. Not thread-safe.
class WordScanner {
  public:
    WordScanner(PreTokenizer kind, std::string_view text) noexcept : kind_(kind), text_(text) {}

    /// The next word, empty at the end.
    std::string_view next() noexcept;

  private:
    std::size_t smollm_end() noexcept;

    PreTokenizer kind_;
    std::string_view text_;
    std::size_t pos_ = 0;
    std::size_t segment_end_ = 0;  // kSmollm: where the stretch without digits ends
};

}  // namespace notso::ml
