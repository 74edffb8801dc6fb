// The units that convert_units knows: each by its size in the base unit of what it measures.
#pragma once

#include <span>
#include <string_view>

namespace notso::services {

/// One unit. Sizes are expressions of the calculator, so that they stay exact.
struct Unit {
    std::string_view quantity;
    std::string_view symbol;     ///< As it is written in results.
    std::string_view names;      ///< Others, parted by '|', singular; words in lower case.
    std::string_view size;       ///< In base units.
    std::string_view zero = {};  ///< Temperatures: its zero in base units.
};

std::span<const Unit> unit_table();

}  // namespace notso::services
