// Architecture: what a model family adds to the common decoder-only transformer of transformer.hpp.
// One file per family in arch/, one line each in registry.cpp.
#pragma once

#include <cstdint>
#include <string_view>

namespace notso::ml {

/// Which two rows of a rotated head belong together, as the file has them. In memory it is always
/// kHalfSplit: the loader moves the rows of q and k (and their biases) of an interleaved file.
enum class RopePairs {
    kInterleaved,  ///< 2i and 2i + 1
    kHalfSplit,    ///< i and i + n_rot / 2
};

/// Whether files of a family have a kind of tensor.
enum class Presence { kNever, kMaybe, kAlways };

struct Architecture {
    std::string_view name;  ///< As in general.architecture, and the prefix of its keys.
    RopePairs stored_pairs;
    Presence qkv_bias;     ///< blk.N.attn_{q,k,v}.bias
    Presence output_bias;  ///< blk.N.attn_output.bias
    Presence ffn_bias;     ///< blk.N.ffn_{gate,up,down}.bias
    /// blk.N.attn_{q,k}_norm.weight, [head_dim]: RMS norms of each head, before it is rotated.
    Presence qk_norm;
    /// False for layers without positional encoding (NoPE).
    bool (*rotates)(std::int32_t layer) noexcept;
};

inline bool rotates_always(std::int32_t /*layer*/) noexcept { return true; }

}  // namespace notso::ml
