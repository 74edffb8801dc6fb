// Q5_K from f32 weights.
#include "ml/quant/q5_k.hpp"

#include "ml/quant/encode/encoders.hpp"
#include "ml/quant/encode/super_block.hpp"

namespace notso::ml::quant {

void encode_q5_k(const float* row, std::byte* out, std::size_t n) noexcept {
    auto* blocks = reinterpret_cast<BlockQ5_K*>(out);
    for (std::size_t b = 0; b < n / BlockQ5_K::kElements; ++b) {
        const encode::SuperBlock fit = encode::fit_super_block(row + b * BlockQ5_K::kElements, 31);
        BlockQ5_K& block = blocks[b];
        block.d = fit.d;
        block.dmin = fit.dmin;
        encode::pack_scales(fit, block.packed);
        for (int i = 0; i < 32; ++i) {
            int bits = 0;
            for (int group = 0; group < 8; ++group)
                bits |= (fit.levels[32 * group + i] >> 4) << group;
            block.fifths[i] = static_cast<std::uint8_t>(bits);
        }
        encode::store_nibbles(fit, block.nibbles);
    }
}

}  // namespace notso::ml::quant
