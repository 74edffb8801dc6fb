#include "ml/runtime/machine_probe.hpp"

#include <gtest/gtest.h>

#include "ml/kernels/generic/table.hpp"
#include "ml/kernels/kernels_harness.hpp"

namespace notso::ml {
namespace {

using std::chrono::milliseconds;

TEST(MachineProbe, ReadsMemoryAtAPlausibleRate) {
    const auto rate = measure_read_rate(2, 64 << 20, milliseconds(20));
    ASSERT_TRUE(rate);
    EXPECT_GT(*rate, 1e7);
    EXPECT_LT(*rate, 1e14);
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

}  // namespace
}  // namespace notso::ml
