// Perplexity: how well a model predicts a text. Windows and scored positions are those of
// llama.cpp's perplexity tool, so that figures can be compared.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ml/model/model.hpp"

namespace notso::ml {

/// Sums over scored tokens: each is predicted from those before it in its window.
struct PredictionScore {
    double nll = 0;         ///< Sum of −ln p, nats.
    double nll_square = 0;  ///< Sum of (−ln p)².
    std::int64_t n_scored = 0;

    double nats_per_token() const;
    double perplexity() const;
    /// Standard error of the perplexity (delta method); 0 below two tokens.
    double standard_error() const;
    void add(double token_nll);
};

struct PerplexityOptions {
    std::int32_t window = 512;  ///< Tokens, at least kLeastWindow.
    KvType kv = KvType::kF16;
    Precision precision = Precision::kExact;
    /// After each window, on the calling thread.
    std::function<void(std::int32_t done, std::int32_t total, const PredictionScore&)> on_window =
        {};
    std::stop_token stop = {};
};

constexpr std::int32_t kLeastWindow = 4;
constexpr std::int32_t kDefaultWindow = 512;

/// Scores `tokens` in consecutive windows; what does not fill the last one is left out. Each window
/// starts from an empty cache, its first token becomes BOS where the model adds one, and the
/// predictions made from its second half are scored: window − window / 2 − 1 of them.
/// @param tokens  The text's tokens, with BOS in front where the model adds one.
/// @errors kInvalidArgument: a window below kLeastWindow, longer than the model's context or than
/// the text; kCancelled; as Model::forward.
Result<PredictionScore> score_windows(const Model& model,
                                      std::span<const TokenId> tokens,
                                      const PerplexityOptions& options);

/// The tokens of a text to score: control tokens are ordinary text, BOS stands in front where the
/// model adds one.
std::vector<TokenId> text_tokens(const Tokenizer& tokenizer, std::string_view text);

/// Scores the predictions made at positions `first` and later of one text that starts at an empty
/// cache: tokens first + 1 … size − 1.
/// @errors kInvalidArgument when there is nothing to score; as Model::forward.
/// @cost One forward pass; memory for 64 rows of logits beside the cache.
Result<PredictionScore> score_text(const Model& model,
                                   std::span<const TokenId> tokens,
                                   std::size_t first,
                                   KvType kv = KvType::kF16);

/// −ln of the softmax of `logits` at `id`, in double. `id` is an index into `logits`.
double negative_log_likelihood(std::span<const float> logits, TokenId id) noexcept;

}  // namespace notso::ml
