// What the files of this folder define, for the table.
#pragma once

#include "ml/kernels/table.hpp"

namespace notso::ml::kernels::avxvnni {

std::int64_t multiply_bytes(std::int64_t n_steps) noexcept;

inline constexpr TileLimits kTiles = {.few = 8, .most_of_few = 4, .most = 5};

}  // namespace notso::ml::kernels::avxvnni
