#include "ml/runtime/machine_probe.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <span>
#include <vector>

#include "base/clock.hpp"

namespace notso::ml {
namespace {

// One stream alone does not keep every core's memory pipes full, many are too much for some.
constexpr std::size_t kStreams[] = {1, 2, 4, 8};
constexpr std::size_t kPartMultiple = 8 * 64;

}  // namespace

ReadProbe::ReadProbe(const kernels::KernelTable& kernels,
                     std::int32_t n_threads,
                     WeightMemory memory)
    : kernels_(&kernels),
      pool_(std::make_unique<ThreadPool>(n_threads)),
      memory_(std::move(memory)) {}

Result<ReadProbe> ReadProbe::create(const kernels::KernelTable& kernels,
                                    std::int32_t n_threads,
                                    std::uint64_t bytes) {
    NOTSO_TRY(WeightMemory memory, WeightMemory::allocate(bytes));
    std::ranges::fill(memory.bytes(), std::byte{1});
    return ReadProbe(kernels, n_threads, std::move(memory));
}

double ReadProbe::rate(std::chrono::milliseconds time) const {
    const std::span<const std::byte> bytes = memory_.bytes();
    const auto n_threads = static_cast<std::size_t>(pool_->size());
    const std::size_t part = bytes.size() / n_threads / kPartMultiple * kPartMultiple;
    std::atomic<std::uint64_t> sink{0};  // so that no read can be left out
    double best = 0;
    const auto end = SteadyClock::now() + time;
    for (std::size_t round = 0; round < std::size(kStreams) || SteadyClock::now() < end; ++round) {
        const std::size_t streams = kStreams[round % std::size(kStreams)];
        const auto start = SteadyClock::now();
        pool_->run(pool_->size(), [&](std::int32_t task, std::int32_t) noexcept {
            const std::byte* begin = bytes.data() + static_cast<std::size_t>(task) * part;
            sink += kernels_->read_memory(begin, part / streams, streams);
        });
        best = std::max(best, static_cast<double>(part * n_threads) / seconds_since(start));
    }
    return best;
}

double measure_multiply_rate(const kernels::KernelTable& kernels,
                             std::int32_t n_threads,
                             std::chrono::milliseconds time) {
    if (kernels.multiply_bytes == nullptr) return 0;
    constexpr std::int64_t kSteps = 200'000;  // a tenth of a millisecond to a millisecond
    ThreadPool pool(n_threads);
    double best = 0;
    const auto end = SteadyClock::now() + time;
    do {
        std::atomic<std::int64_t> n_macs{0};
        const auto start = SteadyClock::now();
        pool.run(n_threads, [&](std::int32_t, std::int32_t) noexcept {
            n_macs += kernels.multiply_bytes(kSteps);
        });
        const double seconds = seconds_since(start);
        best = std::max(best, static_cast<double>(n_macs) / seconds);
    } while (SteadyClock::now() < end);
    return best;
}

double measure_join_seconds(std::int32_t n_threads, std::chrono::milliseconds time) {
    if (n_threads <= 1) return 0;
    // As long as small products are: threads are awake when the next job comes.
    constexpr std::chrono::microseconds kTask{5};
    ThreadPool pool(n_threads);
    std::vector<double> joins;
    const auto end = SteadyClock::now() + time;
    do {
        const auto start = SteadyClock::now();
        pool.run(n_threads, [&](std::int32_t, std::int32_t) noexcept {
            const auto task_end = SteadyClock::now() + kTask;
            while (SteadyClock::now() < task_end) {
            }
        });
        joins.push_back(seconds_since(start) - std::chrono::duration<double>(kTask).count());
    } while (SteadyClock::now() < end);
    const auto middle = joins.begin() + static_cast<std::ptrdiff_t>(joins.size() / 2);
    std::ranges::nth_element(joins, middle);
    return *middle;
}

}  // namespace notso::ml
