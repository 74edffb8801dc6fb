// Histogram: how often a number fell into which range, as Prometheus counts it. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace notso {

class Histogram {
  public:
    /// @param bounds  Upper bounds of the ranges, ascending, inclusive; one more has no bound.
    explicit Histogram(std::vector<double> bounds)
        : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

    void add(double value) {
        const auto range = std::ranges::lower_bound(bounds_, value);
        ++counts_[static_cast<std::size_t>(range - bounds_.begin())];
        sum_ += value;
    }

    const std::vector<double>& bounds() const noexcept { return bounds_; }
    /// Per range, the one without a bound last.
    const std::vector<std::uint64_t>& counts() const noexcept { return counts_; }
    double sum() const noexcept { return sum_; }

  private:
    std::vector<double> bounds_;
    std::vector<std::uint64_t> counts_;
    double sum_ = 0;
};

}  // namespace notso
