// MachineProbe: how fast this machine reads memory and multiplies bytes, and how soon its threads
// follow each other. Decode can't be faster than the first, prompts can't be read faster than the
// second.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/result.hpp"
#include "ml/kernels/table.hpp"

namespace notso::ml {

/// The best of several rounds over a buffer, all threads together, with as many streams per thread
/// as are fastest here, over pages as the weights of a model have.
/// @param bytes  Size of the buffer; several times the last-level cache, or the figure is the
/// cache's.
/// @return bytes per second.
/// @errors kOutOfMemory with the number of bytes.
/// @cost `time`, and the time to touch the buffer once.
Result<double> measure_read_rate(const kernels::KernelTable& kernels,
                                 std::int32_t n_threads,
                                 std::uint64_t bytes,
                                 std::chrono::milliseconds time);

/// Multiply-adds of bytes per second, all threads together, by the widest instruction that the
/// kernels use; 0 where they have none. The best of several rounds.
/// @cost about `time`
double measure_multiply_rate(const kernels::KernelTable& kernels,
                             std::int32_t n_threads,
                             std::chrono::milliseconds time);

/// What a job of a ThreadPool takes beyond its tasks, one of some microseconds for each thread: all
/// must notice that it is there, and the caller that it is done. The median of many.
/// @return seconds; 0 with one thread.
/// @cost about `time`
double measure_join_seconds(std::int32_t n_threads, std::chrono::milliseconds time);

}  // namespace notso::ml
