#include "ml/runtime/read_probe.hpp"

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
constexpr std::size_t kStreams = 4;  // one stream alone does not keep a core's memory pipes full

/// Sums all words of `part`, a whole number of lines per stream.
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
    do {
        const auto start = SteadyClock::now();
        pool.run(n_threads, [&](std::int32_t task, std::int32_t) noexcept {
            sink += read_all(memory.bytes().subspan(static_cast<std::size_t>(task) * part, part));
        });
        const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
        best = std::max(best,
                        static_cast<double>(part * static_cast<std::size_t>(n_threads)) / seconds);
    } while (SteadyClock::now() < end);
    return best;
}

}  // namespace notso::ml
