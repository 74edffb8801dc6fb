// Tables behind char_class(); see make_tables.py.
#pragma once

#include <cstdint>

namespace notso::ml::generated {

/// Number of the block that holds the classes of code points 256·i … 256·i + 255.
extern const std::uint8_t kClassBlock[];
/// Blocks of 128 bytes; a byte holds the classes of an even code point (low half) and of the next one.
extern const std::uint8_t kClassPairs[];

}  // namespace notso::ml::generated
