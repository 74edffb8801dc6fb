#include "ml/model/weight_memory.hpp"

#include <sys/mman.h>

#include <utility>

namespace notso::ml {
namespace {

constexpr std::size_t kLargePage = std::size_t{2} << 20;

}  // namespace

std::uint64_t WeightMemory::whole_pages(std::uint64_t bytes) noexcept {
    return (bytes + kLargePage - 1) / kLargePage * kLargePage;
}

Result<WeightMemory> WeightMemory::allocate(std::uint64_t bytes) {
    const std::size_t size = whole_pages(bytes);
    void* data = mmap(
        nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED) {
        return fail(ErrorCode::kOutOfMemory, "the system refused {} MiB for weights", bytes >> 20);
    }
    madvise(data,
            size,
            MADV_HUGEPAGE);  // a wish; without large pages everything works, somewhat slower
    WeightMemory memory;
    memory.data_ = static_cast<std::byte*>(data);
    memory.size_ = size;
    return memory;
}

WeightMemory::WeightMemory(WeightMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

WeightMemory& WeightMemory::operator=(WeightMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

WeightMemory::~WeightMemory() {
    if (data_ != nullptr) munmap(data_, size_);
}

}  // namespace notso::ml
