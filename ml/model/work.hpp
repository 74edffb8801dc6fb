// Work: what one token costs a model, for comparing rates with a machine's limits.
#pragma once

#include <cstdint>

#include "ml/gguf/file.hpp"
#include "ml/model/model.hpp"

namespace notso::ml {

struct Work {
    std::uint64_t bytes_per_token;  ///< Weights that a decoded token reads: all but an embedding
                                    ///< that is not the head too.
    std::uint64_t prompt_macs;  ///< Multiply-adds of a prompt token with matrices of the layers.
    std::uint64_t head_macs;    ///< More of a token whose logits are wanted.
};

/// Attention is left out: it grows with the position.
Work work_of(const gguf::File& file, const ModelConfig& config);

}  // namespace notso::ml
