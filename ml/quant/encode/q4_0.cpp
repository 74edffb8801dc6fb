// Q4_0 from f32 weights.
#include "ml/quant/q4_0.hpp"

#include "ml/quant/encode/encoders.hpp"
#include "ml/quant/encode/small_block.hpp"

namespace notso::ml::quant {

void encode_q4_0(const float* row, std::byte* out, std::size_t n) noexcept {
    auto* blocks = reinterpret_cast<BlockQ4_0*>(out);
    for (std::size_t b = 0; b < n / BlockQ4_0::kElements; ++b) {
        std::uint8_t levels[32];
        BlockQ4_0& block = blocks[b];
        block.d = encode::fit_symmetric_block(row + b * BlockQ4_0::kElements, 8, levels);
        for (int i = 0; i < 16; ++i)
            block.nibbles[i] = static_cast<std::uint8_t>(levels[i] | (levels[i + 16] << 4));
    }
}

}  // namespace notso::ml::quant
