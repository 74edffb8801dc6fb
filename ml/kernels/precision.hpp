// Precision: how many bits of the activations reach the products of packed weights. Plain types
// only, like table.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace notso::ml {

enum class Precision : std::uint8_t {
    kExact,  ///< 16 bits: prompts and answers get the same bits. The default.
    kFast,   ///< 8 bits where that costs least accuracy: for new prompt text only.
};
/// By Precision, as `--precision` takes them.
inline constexpr const char* kPrecisionNames[] = {"exact", "fast"};
inline constexpr std::size_t kPrecisions = sizeof(kPrecisionNames) / sizeof(kPrecisionNames[0]);

}  // namespace notso::ml
