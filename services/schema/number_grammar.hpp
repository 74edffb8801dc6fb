// Numbers within bounds, written as GBNF.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace notso::services {

/// Whole numbers from `low` to `high`; a missing bound is some 15 digits away. Empty when there is
/// none.
std::string integer_range(std::optional<std::int64_t> low, std::optional<std::int64_t> high);

struct NumberBounds {
    std::optional<double> low = {};
    std::optional<double> high = {};
    bool low_excluded = false;
    bool high_excluded = false;
};

/// The whole numbers within bounds, as bounds themselves. A missing one stays missing.
std::optional<std::int64_t> lowest_integer(const NumberBounds& bounds);
std::optional<std::int64_t> highest_integer(const NumberBounds& bounds);

/// Numbers within bounds, with up to six digits behind the point: some of those that there are,
/// never one that is not within. Empty when none was found.
std::string number_range(const NumberBounds& bounds);

/// Whole numbers within bounds that `step` divides. Empty when there is none; absent where it would
/// take too many rules to say.
std::optional<std::string> multiples(std::int64_t step, const NumberBounds& bounds);

}  // namespace notso::services
