// Q4_K from f32 weights.
#include "ml/quant/q4_k.hpp"

#include "ml/quant/encode/encoders.hpp"
#include "ml/quant/encode/super_block.hpp"

namespace notso::ml::quant {

void encode_q4_k(const float* row, std::byte* out, std::size_t n) noexcept {
    auto* blocks = reinterpret_cast<BlockQ4_K*>(out);
    for (std::size_t b = 0; b < n / BlockQ4_K::kElements; ++b) {
        const encode::SuperBlock fit = encode::fit_super_block(row + b * BlockQ4_K::kElements, 15);
        BlockQ4_K& block = blocks[b];
        block.d = fit.d;
        block.dmin = fit.dmin;
        encode::pack_scales(fit, block.packed);
        encode::store_nibbles(fit, block.nibbles);
    }
}

}  // namespace notso::ml::quant
