// Any bytes as weights of every block type: decoding never reads or writes outside, the plain dot
// product is that of the decoded weights, and the kernels of this machine agree in what is finite.
#include <cmath>
#include <vector>

#include "ml/quant/type_table.hpp"
#include "tests/fuzz/target.hpp"

namespace {

using namespace notso;

void check_type(const ml::quant::TypeTraits& type, std::span<const std::byte> bytes) {
    constexpr std::size_t kMaxBlocks = 8;
    const std::size_t blocks = std::min(kMaxBlocks, bytes.size() / type.bytes);
    if (blocks == 0) return;
    const std::size_t n = blocks * type.elements;
    // Exactly as long as it has to be, so that a sanitizer sees one byte too many.
    const std::vector<std::byte> row(
        bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(blocks * type.bytes));
    std::vector<float> weights(n);
    type.decode(row.data(), weights.data(), n);
    std::vector<float> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>(i % 7) - 3.0F;
    double expected = 0;
    double size = 0;
    for (std::size_t i = 0; i < n; ++i) {
        expected += static_cast<double>(weights[i]) * static_cast<double>(x[i]);
        size += std::abs(static_cast<double>(weights[i]) * static_cast<double>(x[i]));
    }
    const auto dot = static_cast<double>(type.dot(row.data(), x.data(), n));
    if (!std::isfinite(expected) || size > 1e38) return;
    FUZZ_CHECK(std::abs(dot - expected) <= 1e-5 * size + 1e-40);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    for (const auto& type : ml::quant::runnable_types())
        check_type(type, test::bytes_of(data, size));
    return 0;
}
