// F16 from f32 weights: rounded to nearest, cut at the largest finite f16.
#include "ml/quant/f16.hpp"

#include <algorithm>

#include "ml/quant/encode/encoders.hpp"
#include "ml/quant/half.hpp"

namespace notso::ml::quant {

void encode_f16(const float* row, std::byte* out, std::size_t n) noexcept {
    auto* blocks = reinterpret_cast<BlockF16*>(out);
    for (std::size_t i = 0; i < n; ++i)
        blocks[i].bits = f32_to_f16(std::clamp(row[i], -65504.0f, 65504.0f));
}

}  // namespace notso::ml::quant
