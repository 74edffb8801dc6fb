// Implementation of the sequence. Invariant: held_ names exactly the tokens whose keys and values
// are in the cache.
#include "ml/runtime/engine_sequence.hpp"

#include <algorithm>
#include <utility>

namespace notso::ml {

Sequence::Sequence(const Model& model, std::unique_ptr<KvCache> cache)
    : model_(model),
      cache_(std::move(cache)),
      logits_(static_cast<std::size_t>(model.config().n_vocab)) {}

std::int32_t Sequence::reuse(std::span<const TokenId> prompt) {
    const auto differs =
        std::mismatch(held_.begin(), held_.end(), prompt.begin(), prompt.end()).first;
    const std::ptrdiff_t shared = std::min(differs - held_.begin(), std::ssize(prompt) - 1);
    held_.resize(static_cast<std::size_t>(shared));
    cache_->truncate(static_cast<std::int32_t>(shared));
    return static_cast<std::int32_t>(shared);
}

Result<> Sequence::read(std::span<const TokenId> tokens, bool want_logits, Precision precision) {
    held_.insert(held_.end(), tokens.begin(), tokens.end());
    auto done = model_.forward(
        tokens, *cache_, want_logits ? std::span<float>(logits_) : std::span<float>(), precision);
    if (done && cache_->size() != std::ssize(held_)) {
        done = fail(ErrorCode::kInternal,
                    "the cache holds {} tokens instead of {}",
                    cache_->size(),
                    held_.size());
    }
    if (!done) clear();
    return done;
}

void Sequence::clear() noexcept {
    held_.clear();
    cache_->truncate(0);
}

}  // namespace notso::ml
