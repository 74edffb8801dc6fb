// WeightMemory: where the weights of a model live. They are copied out of the file into memory with
// large pages: reads are faster there, and a file that is cut or replaced later can do no harm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"

namespace notso::ml {

/// Anonymous memory, zeroed, that asks for 2 MiB pages.
class WeightMemory {
  public:
    WeightMemory() = default;
    /// What allocate() really takes for `bytes`.
    static std::uint64_t whole_pages(std::uint64_t bytes) noexcept;
    /// @errors kOutOfMemory with the number of bytes.
    static Result<WeightMemory> allocate(std::uint64_t bytes);

    WeightMemory(WeightMemory&& other) noexcept;
    WeightMemory& operator=(WeightMemory&& other) noexcept;
    ~WeightMemory();

    std::span<std::byte> bytes() const noexcept { return {data_, size_}; }

  private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace notso::ml
