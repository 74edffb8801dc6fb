// Q5_0 from f32 weights.
#include "ml/quant/q5_0.hpp"

#include "ml/quant/encode/encoders.hpp"
#include "ml/quant/encode/small_block.hpp"

namespace notso::ml::quant {

void encode_q5_0(const float* row, std::byte* out, std::size_t n) noexcept {
    auto* blocks = reinterpret_cast<BlockQ5_0*>(out);
    for (std::size_t b = 0; b < n / BlockQ5_0::kElements; ++b) {
        std::uint8_t levels[32];
        BlockQ5_0& block = blocks[b];
        block.d = encode::fit_symmetric_block(row + b * BlockQ5_0::kElements, 16, levels);
        encode::store_five_bits(levels, block.fifths, block.nibbles);
    }
}

}  // namespace notso::ml::quant
