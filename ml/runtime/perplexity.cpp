#include "ml/runtime/perplexity.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ml/runtime/kv_cache.hpp"

namespace notso::ml {
namespace {

constexpr std::size_t kChunk = 64;  // rows of logits in memory: 64 × 128 k tokens are 33 MB

/// Runs one window over an empty cache and adds what positions from `first` on predicted.
Result<> score_window(const Model& model,
                      std::span<const TokenId> tokens,
                      std::size_t first,
                      KvCache& cache,
                      Precision precision,
                      PredictionScore& score) {
    const auto n_vocab = static_cast<std::size_t>(model.config().n_vocab);
    std::vector<float> rows;
    // The last token predicts nothing that could be checked.
    const std::span<const TokenId> read = tokens.first(tokens.size() - 1);
    for (std::size_t start = 0; start < read.size(); start += kChunk) {
        const std::size_t count = std::min(kChunk, read.size() - start);
        const std::size_t end = start + count;
        const std::size_t wanted = end > first ? std::min(count, end - first) : 0;
        rows.resize(wanted * n_vocab);
        NOTSO_CHECK(model.forward(read.subspan(start, count), cache, rows, precision));
        for (std::size_t row = 0; row < wanted; ++row) {
            const std::size_t position = end - wanted + row;
            score.add(negative_log_likelihood(std::span(rows).subspan(row * n_vocab, n_vocab),
                                              tokens[position + 1]));
        }
    }
    return {};
}

Result<> check_window(const Model& model,
                      std::span<const TokenId> tokens,
                      const PerplexityOptions& options) {
    const std::int32_t trained = model.config().context_length;
    if (options.window < kLeastWindow || options.window > trained)
        return fail(ErrorCode::kInvalidArgument,
                    "a window of {} tokens was asked for; with this model it is {} to {}",
                    options.window,
                    kLeastWindow,
                    trained);
    if (std::ssize(tokens) < options.window)
        return fail(ErrorCode::kInvalidArgument,
                    "the text has {} tokens, one window has {}; use a longer text or a shorter "
                    "window",
                    tokens.size(),
                    options.window);
    return {};
}

}  // namespace

double PredictionScore::nats_per_token() const { return nll / static_cast<double>(n_scored); }

double PredictionScore::perplexity() const { return std::exp(nats_per_token()); }

double PredictionScore::standard_error() const {
    if (n_scored < 2) return 0;
    const double mean = nats_per_token();
    const double variance = nll_square / static_cast<double>(n_scored) - mean * mean;
    return std::sqrt(std::max(0.0, variance) / static_cast<double>(n_scored - 1)) * perplexity();
}

void PredictionScore::add(double token_nll) {
    nll += token_nll;
    nll_square += token_nll * token_nll;
    ++n_scored;
}

double negative_log_likelihood(std::span<const float> logits, TokenId id) noexcept {
    const double largest = *std::ranges::max_element(logits);
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
    return std::log(sum) + largest -
           static_cast<double>(logits[static_cast<std::size_t>(to_int(id))]);
}

Result<PredictionScore> score_windows(const Model& model,
                                      std::span<const TokenId> tokens,
                                      const PerplexityOptions& options) {
    NOTSO_CHECK(check_window(model, tokens, options));
    const auto size = static_cast<std::size_t>(options.window);
    const auto total = static_cast<std::int32_t>(tokens.size() / size);
    const Tokenizer& tokenizer = model.tokenizer();
    NOTSO_TRY(const auto cache, KvCache::create(model.config(), options.window, options.kv));
    PredictionScore score;
    for (std::int32_t index = 0; index < total; ++index) {
        if (options.stop.stop_requested())
            return fail(ErrorCode::kCancelled, "interrupted after {} of {} windows", index, total);
        const auto part = tokens.subspan(static_cast<std::size_t>(index) * size, size);
        std::vector<TokenId> window(part.begin(), part.end());
        if (tokenizer.adds_bos() && tokenizer.bos()) window.front() = *tokenizer.bos();
        cache->truncate(0);
        NOTSO_CHECK(score_window(model, window, size / 2, *cache, options.precision, score));
        if (options.on_window) options.on_window(index + 1, total, score);
    }
    return score;
}

std::vector<TokenId> text_tokens(const Tokenizer& tokenizer, std::string_view text) {
    std::vector<TokenId> tokens = tokenizer.encode(text);
    if (tokenizer.adds_bos() && tokenizer.bos()) tokens.insert(tokens.begin(), *tokenizer.bos());
    return tokens;
}

Result<PredictionScore> score_text(const Model& model,
                                   std::span<const TokenId> tokens,
                                   std::size_t first,
                                   KvType kv) {
    if (tokens.size() < first + 2)
        return fail(
            ErrorCode::kInvalidArgument, "{} tokens leave nothing to predict", tokens.size());
    NOTSO_TRY(const auto cache,
              KvCache::create(model.config(), static_cast<std::int32_t>(tokens.size()), kv));
    PredictionScore score;
    NOTSO_CHECK(score_window(model, tokens, first, *cache, Precision::kExact, score));
    return score;
}

}  // namespace notso::ml
