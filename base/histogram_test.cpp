#include "base/histogram.hpp"

#include <gtest/gtest.h>

namespace notso {
namespace {

TEST(HistogramTest, CountsEachNumberInItsRange) {
    Histogram histogram({1, 10});
    for (const double value : {-5.0, 1.0, 1.5, 10.0, 10.5, 1e300}) histogram.add(value);
    EXPECT_EQ(histogram.counts(), (std::vector<std::uint64_t>{2, 2, 2})) << "bounds are inclusive";
    EXPECT_DOUBLE_EQ(histogram.sum(), 1e300);
    EXPECT_EQ(Histogram({}).counts().size(), 1U);
}

}  // namespace
}  // namespace notso
