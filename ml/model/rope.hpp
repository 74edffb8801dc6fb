// Rotary position embedding: the angles of a model, with the scalings that stretch its context.
// Source: Su et al. 2021, arXiv:2104.09864; YaRN: Peng et al. 2023, arXiv:2309.00071.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace notso::ml {

enum class RopeScaling { kNone, kLinear, kYarn };

struct RopeConfig {
    std::int32_t n_rot = 0;  ///< Rotated dimensions of a head, even.
    double base = 0;         ///< > 1
    RopeScaling scaling = RopeScaling::kNone;
    double factor = 1;            ///< > 0; how far the context is stretched.
    double original_context = 0;  ///< Tokens; for YaRN.
    double beta_fast = 32;        ///< YaRN: pairs with at least so many turns over it stay,
    double beta_slow = 1;         ///< with at most so many are stretched.
};

class RopeTable {
  public:
    RopeTable() = default;
    /// @param divisors  [n_rot / 2] of the file's rope_freqs.weight (Llama 3), or empty.
    RopeTable(const RopeConfig& config, std::span<const float> divisors);

    /// Rotated pairs of a head.
    std::int32_t n_pairs() const noexcept { return static_cast<std::int32_t>(frequencies_.size()); }

    /// Writes [n_pairs] cosines, then [n_pairs] sines of position `pos`. Angles are computed in
    /// double: at position 60,000 a float has lost the fraction of a turn. @cost O(n_pairs)
    void write(std::int32_t pos, float* cos_sin) const noexcept;

  private:
    std::vector<double> frequencies_;  // radians per token
    double gain_ = 1;                  // of cosines and sines; YaRN sharpens attention with it
};

}  // namespace notso::ml
