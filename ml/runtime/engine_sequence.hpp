// Sequence: the one KV cache of an engine, and the tokens that are in it. A new prompt keeps the
// longest beginning that it shares with what is there. Used by the engine thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "ml/model/model.hpp"
#include "ml/runtime/kv_cache.hpp"
#include "ml/tokenizer/token_id.hpp"

namespace notso::ml {

class Sequence {
  public:
    /// @param cache  Empty.
    Sequence(const Model& model, std::unique_ptr<KvCache> cache);

    /// Drops what does not belong to `prompt`. At least the last token of the prompt is left to be
    /// read, since its logits are needed. Returns how many tokens need not be read again.
    std::int32_t reuse(std::span<const TokenId> prompt);

    /// Reads tokens; with `want_logits` those after the last one are in logits() afterwards. After
    /// an error the cache is empty.
    Result<> read(std::span<const TokenId> tokens, bool want_logits, Precision precision);

    /// Forgets everything: after an exception the cache can't be trusted.
    void clear() noexcept;

    /// [n_vocab] f32.
    std::span<const float> logits() const noexcept { return logits_; }
    std::int32_t size() const noexcept { return cache_->size(); }

  private:
    const Model& model_;
    std::unique_ptr<KvCache> cache_;
    std::vector<TokenId> held_;  // what the cache holds, in order
    std::vector<float> logits_;
};

}  // namespace notso::ml
