#include "ml/runtime/machine_probe.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "base/clock.hpp"
#include "ml/model/weight_memory.hpp"
#include "ml/runtime/thread_pool.hpp"

namespace notso::ml {
namespace {

constexpr std::size_t kLine = 64;

/// Sums all words of `part`, a whole number of lines per stream. One stream alone does not keep
/// every core's memory pipes full, many are too much for some.
template <std::size_t kStreams>
std::uint64_t read_all(std::span<const std::byte> part) noexcept {
    const std::size_t step = part.size() / kStreams / kLine * kLine;
    std::array<std::uint64_t, kLine / sizeof(std::uint64_t)> sums{};
    for (std::size_t at = 0; at < step; at += kLine) {
        for (std::size_t stream = 0; stream < kStreams; ++stream) {
            std::array<std::uint64_t, kLine / sizeof(std::uint64_t)> line;
            std::memcpy(line.data(), part.data() + stream * step + at, kLine);
            for (std::size_t i = 0; i < line.size(); ++i) sums[i] += line[i];
        }
    }
    std::uint64_t sum = 0;
    for (const std::uint64_t value : sums) sum += value;
    return sum;
}

using ReadAll = std::uint64_t (*)(std::span<const std::byte> part) noexcept;
constexpr ReadAll kReaders[] = {read_all<1>, read_all<2>, read_all<4>, read_all<8>};

}  // namespace

Result<double> measure_read_rate(std::int32_t n_threads,
                                 std::uint64_t bytes,
                                 std::chrono::milliseconds time) {
    NOTSO_TRY(const WeightMemory memory, WeightMemory::allocate(bytes));
    std::ranges::fill(memory.bytes(), std::byte{1});
    ThreadPool pool(n_threads);
    const std::size_t part = memory.bytes().size() / static_cast<std::size_t>(n_threads);
    std::atomic<std::uint64_t> sink{0};  // so that no read can be left out
    double best = 0;
    const auto end = SteadyClock::now() + time;
    for (std::size_t round = 0; round < std::size(kReaders) || SteadyClock::now() < end; ++round) {
        const ReadAll read = kReaders[round % std::size(kReaders)];
        const auto start = SteadyClock::now();
        pool.run(n_threads, [&](std::int32_t task, std::int32_t) noexcept {
            sink += read(memory.bytes().subspan(static_cast<std::size_t>(task) * part, part));
        });
        const double seconds = seconds_since(start);
        best = std::max(best,
                        static_cast<double>(part * static_cast<std::size_t>(n_threads)) / seconds);
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

}  // namespace notso::ml
