// ReadProbe: how fast this machine's memory can be read, with the threads and the kind of pages
// that the weights of a model have. Decode can't be faster than this.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/result.hpp"

namespace notso::ml {

/// The best of several rounds over a buffer, all threads together.
/// @param bytes  Size of the buffer; several times the last-level cache, or the figure is the
/// cache's.
/// @return bytes per second.
/// @errors kOutOfMemory with the number of bytes.
/// @cost `time`, and the time to touch the buffer once.
Result<double> measure_read_rate(std::int32_t n_threads,
                                 std::uint64_t bytes,
                                 std::chrono::milliseconds time);

}  // namespace notso::ml
