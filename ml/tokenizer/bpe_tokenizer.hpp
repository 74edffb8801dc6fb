// BpeTokenizer: the byte-level BPE behind the Tokenizer interface. Built by make_bpe_tokenizer
// (vocabulary.hpp).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include "ml/tokenizer/bpe.hpp"
#include "ml/tokenizer/merge_table.hpp"
#include "ml/tokenizer/special_matcher.hpp"
#include "ml/tokenizer/vocabulary.hpp"

namespace notso::ml {

class BpeTokenizer final : public Tokenizer {
  public:
    static Result<std::shared_ptr<const Tokenizer>> make(const VocabularySource& source);

    std::vector<TokenId> encode(std::string_view text, const EncodeOptions& options) const override;
    std::string_view token_bytes(TokenId id) const override;
    std::string decode(std::span<const TokenId> ids, bool with_control) const override;
    std::optional<TokenId> find(std::string_view text) const override;
    bool is_control(TokenId id) const override;
    std::size_t vocab_size() const override { return kinds_.size(); }
    std::optional<TokenId> bos() const override { return bos_; }
    std::optional<TokenId> eos() const override { return eos_; }
    bool adds_bos() const override { return adds_bos_; }
    std::span<const TokenId> end_tokens() const override { return end_tokens_; }

  private:
    struct Encoding;
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };

    BpeTokenizer() = default;
    void add_tokens(const VocabularySource& source);
    Result<> add_merges(const VocabularySource& source);
    Result<> add_specials(const VocabularySource& source);
    void choose_end_tokens(const VocabularySource& source);

    void encode_specials(Encoding& encoding,
                         std::size_t begin,
                         std::size_t end,
                         std::size_t pass) const;
    void encode_plain(Encoding& encoding, std::string_view text) const;
    void encode_word(Encoding& encoding, std::string_view word) const;

    static constexpr std::uint32_t kNoToken = UINT32_MAX;

    std::string bytes_;                // all token bytes, one after the other
    std::vector<std::size_t> starts_;  // [vocab + 1] offsets in bytes_
    std::vector<TokenKind> kinds_;     // [vocab]
    std::array<std::uint32_t, 256> byte_tokens_{};
    MergeTable merges_;
    std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>>
        words_;  // mergeable tokens by bytes
    std::size_t longest_word_ = 0;
    std::array<SpecialMatcher, 2> specials_;  // by pass
    PreTokenizer pre_tokenizer_ = PreTokenizer::kGpt2;
    bool ignore_merges_ = false;
    std::optional<TokenId> bos_;
    std::optional<TokenId> eos_;
    bool adds_bos_ = false;
    std::vector<TokenId> end_tokens_;
};

}  // namespace notso::ml
