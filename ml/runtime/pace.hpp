// Pace: how long forward passes take on this machine, as measured, and what follows: how many
// prompt tokens a pass takes, when answers go on beside a prompt, how many guesses pay.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "ml/kernels/precision.hpp"

namespace notso::ml {

class Pace {
  public:
    /// @param most  Tokens of a prefill pass.
    Pace(std::int32_t n_layers, std::int32_t most);

    /// Prompt tokens of the next pass: so many that one layer takes 30 ms and all take a second, at
    /// most. What is read does not depend on it: the forward pass gives the same bits for any cut.
    std::int32_t prefill_tokens(Precision precision) const;
    void note_prefill(Precision precision,
                      std::int32_t n_tokens,
                      std::chrono::duration<double> taken);

    /// Seconds of a pass over each number of generated and guessed tokens, from n_tokens to
    /// n_tokens + n_more: measured, or guessed from the nearest that were.
    std::vector<double> decode_seconds(std::int32_t n_tokens, std::int32_t n_more) const;
    void note_decode(std::int32_t n_tokens, std::chrono::duration<double> taken);

    /// How long a prompt is read before running answers get another token.
    std::chrono::duration<double> slice() const;

  private:
    static constexpr std::size_t kMeasured = 64;

    double pass_seconds_;
    std::int32_t most_;
    std::array<double, 2> prefill_rate_{};        // tokens per second by Precision, 0 = unknown
    std::array<double, kMeasured + 1> decode_{};  // seconds by tokens, 0 = unknown
    double last_decode_ = 0;                      // seconds
};

}  // namespace notso::ml
