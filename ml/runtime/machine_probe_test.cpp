#include "ml/runtime/machine_probe.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "ml/kernels/generic/table.hpp"
#include "ml/kernels/kernels_harness.hpp"

namespace notso::ml {
namespace {

using std::chrono::milliseconds;

TEST(MachineProbe, ReadsMemoryAtAPlausibleRate) {
    std::vector<const kernels::KernelTable*> tables = kernels::fast_tables();
    tables.push_back(&kernels::generic_table());
    for (const kernels::KernelTable* table : tables) {
        const auto probe = ReadProbe::create(*table, 2, 64 << 20);
        ASSERT_TRUE(probe);
        const double rate = probe->rate(milliseconds(20));
        EXPECT_GT(rate, 1e7) << table->name;
        EXPECT_LT(rate, 1e14) << table->name;
    }
}

TEST(MachineProbe, ReadsEveryWord) {
    alignas(64) std::uint64_t words[64];
    std::iota(std::begin(words), std::end(words), 1);
    std::vector<const kernels::KernelTable*> tables = kernels::fast_tables();
    tables.push_back(&kernels::generic_table());
    for (const kernels::KernelTable* table : tables) {
        for (const std::size_t streams : {1, 2, 4, 8}) {
            EXPECT_EQ(
                table->read_memory(
                    reinterpret_cast<const std::byte*>(words), sizeof(words) / streams, streams),
                64 * 65 / 2)
                << table->name << ", " << streams;
        }
    }
}

TEST(MachineProbe, EveryFastSetOfKernelsMultipliesBytes) {
    for (const kernels::KernelTable* table : kernels::fast_tables()) {
        EXPECT_EQ(table->multiply_bytes(2) * 5, table->multiply_bytes(10)) << table->name;
        const double rate = measure_multiply_rate(*table, 2, milliseconds(5));
        EXPECT_GT(rate, 1e8) << table->name;
        EXPECT_LT(rate, 1e15) << table->name;
    }
    EXPECT_EQ(measure_multiply_rate(kernels::generic_table(), 2, milliseconds(1)), 0);
}

TEST(MachineProbe, JoinsTakeTimeUnlessAThreadIsAlone) {
    const double seconds = measure_join_seconds(2, milliseconds(20));
    EXPECT_GT(seconds, 0);
    EXPECT_LT(seconds, 1e-2);
    EXPECT_EQ(measure_join_seconds(1, milliseconds(1)), 0);
}

}  // namespace
}  // namespace notso::ml
