// The 6-bit scales and mins of Q4_K and Q5_K, twelve bytes for eight groups. Plain.
#pragma once

#include <cstdint>

namespace notso::ml::quant {

struct ScalesAndMins {
    std::uint8_t scales[8];
    std::uint8_t mins[8];
};

inline ScalesAndMins unpack_scales_and_mins(const std::uint8_t (&packed)[12]) noexcept {
    ScalesAndMins out;
    for (int i = 0; i < 4; ++i) {
        // Bytes 0..3 and 4..7 keep the first four scales and mins; their top two bits belong to the
        // last four, whose low nibbles sit in bytes 8..11.
        out.scales[i] = packed[i] & 0x3F;
        out.mins[i] = packed[i + 4] & 0x3F;
        out.scales[i + 4] =
            static_cast<std::uint8_t>((packed[i + 8] & 0x0F) | ((packed[i] >> 6) << 4));
        out.mins[i + 4] =
            static_cast<std::uint8_t>((packed[i + 8] >> 4) | ((packed[i + 4] >> 6) << 4));
    }
    return out;
}

}  // namespace notso::ml::quant
