// Architecture: what a model family adds to the common decoder-only transformer of transformer.hpp.
// All families here store the rows of q and k for interleaved rotation (pairs 2i, 2i + 1); the
// loader puts them back to half-split order.
#pragma once

#include <cstdint>
#include <string_view>

namespace notso::ml {

struct Architecture {
    std::string_view name;  ///< As in general.architecture, and the prefix of its keys.
    /// False for layers without positional encoding (NoPE).
    bool (*rotates)(std::int32_t layer) noexcept;
};

}  // namespace notso::ml
