// f16 against the compiler's own _Float16, every value one way, roundings the other way.
#include "ml/quant/half.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace notso::ml::quant {
namespace {

TEST(Half, EveryF16HasItsF32) {
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const auto half = static_cast<std::uint16_t>(bits);
        const auto expected = static_cast<float>(std::bit_cast<_Float16>(half));
        const float value = f16_to_f32(half);
        if (std::isnan(expected)) {
            ASSERT_TRUE(std::isnan(value)) << bits;
            ASSERT_TRUE(std::isnan(f16_to_f32(f32_to_f16(value)))) << bits;
        } else {
            ASSERT_EQ(std::bit_cast<std::uint32_t>(value), std::bit_cast<std::uint32_t>(expected))
                << bits;
            ASSERT_EQ(f32_to_f16(value), half) << bits;
        }
    }
}

TEST(Half, RoundsToNearestEven) {
    // Between every two neighbours: just below the middle, the middle, just above.
    for (std::uint32_t bits = 0; bits < 0x7C00; ++bits) {
        const float low = f16_to_f32(static_cast<std::uint16_t>(bits));
        const float high =
            bits + 1 == 0x7C00 ? 65536.0f : f16_to_f32(static_cast<std::uint16_t>(bits + 1));
        const float middle = low + (high - low) / 2;
        for (const float value :
             {std::nextafter(middle, low), middle, std::nextafter(middle, high)}) {
            const auto expected = std::bit_cast<std::uint16_t>(static_cast<_Float16>(value));
            ASSERT_EQ(f32_to_f16(value), expected) << value;
            ASSERT_EQ(f32_to_f16(-value), expected | 0x8000) << value;
        }
    }
    EXPECT_EQ(f32_to_f16(INFINITY), 0x7C00);
    EXPECT_EQ(f32_to_f16(1e30f), 0x7C00);
}

}  // namespace
}  // namespace notso::ml::quant
