// MachineProbe: how fast this machine reads memory and multiplies bytes, and how soon its threads
// follow each other. Decode can't be faster than the first, prompts can't be read faster than the
// second.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "base/result.hpp"
#include "ml/kernels/table.hpp"
#include "ml/model/weight_memory.hpp"
#include "ml/runtime/thread_pool.hpp"

namespace notso::ml {

/// Reads a buffer of its own, over pages as the weights of a model have.
class ReadProbe {
  public:
    /// @param bytes  Size of the buffer; several times the last-level cache, or the figure is the
    /// cache's.
    /// @errors kOutOfMemory with the number of bytes.
    /// @cost the time to touch the buffer once
    static Result<ReadProbe> create(const kernels::KernelTable& kernels,
                                    std::int32_t n_threads,
                                    std::uint64_t bytes);

    /// The best of several rounds, all threads together, with as many streams per thread as are
    /// fastest here.
    /// @return bytes per second.
    /// @cost about `time`, a round with each number of streams at least
    double rate(std::chrono::milliseconds time) const;

  private:
    ReadProbe(const kernels::KernelTable& kernels, std::int32_t n_threads, WeightMemory memory);

    const kernels::KernelTable* kernels_;
    std::unique_ptr<ThreadPool> pool_;
    WeightMemory memory_;
};

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
