// Q5_1 from f32 weights.
#include "ml/quant/q5_1.hpp"

#include "ml/quant/encode/encoders.hpp"
#include "ml/quant/encode/small_block.hpp"

namespace notso::ml::quant {

void encode_q5_1(const float* row, std::byte* out, std::size_t n) noexcept {
    auto* blocks = reinterpret_cast<BlockQ5_1*>(out);
    for (std::size_t b = 0; b < n / BlockQ5_1::kElements; ++b) {
        std::uint8_t levels[32];
        BlockQ5_1& block = blocks[b];
        const encode::OffsetBlock fit =
            encode::fit_offset_block(row + b * BlockQ5_1::kElements, levels);
        block.d = fit.d;
        block.m = fit.offset;
        encode::store_five_bits(levels, block.fifths, block.nibbles);
    }
}

}  // namespace notso::ml::quant
