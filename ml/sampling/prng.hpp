// Prng: the generator behind every draw. Integer arithmetic only, so a seed gives the same numbers
// on every machine.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace notso::ml {

/// xoshiro256**, its state filled by splitmix64 from one 64-bit seed.
/// @source Blackman and Vigna 2018, arXiv:1805.01407 (xoshiro256**); Steele et al. 2014
/// (splitmix64).
class Prng {
  public:
    explicit Prng(std::uint64_t seed) noexcept {
        for (std::uint64_t& word : state_) {
            seed += 0x9E3779B97F4A7C15U;
            std::uint64_t mixed = seed;
            mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
            word = mixed ^ (mixed >> 31);
        }
    }

    std::uint64_t next() noexcept {
        const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

    /// Uniform in [0, 1), 53 bits.
    double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }

  private:
    std::array<std::uint64_t, 4> state_{};
};

}  // namespace notso::ml
