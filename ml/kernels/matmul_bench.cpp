// Prints how fast the matrix products of every block type are on one core, in processor time: one
// token over weights that stay in the L2 cache (what decoding could reach if memory were no limit),
// and 128 tokens. usage: matmul_bench [TYPE…]
#include <time.h>

#include <cstdio>

#include "ml/kernels/kernels_harness.hpp"

namespace notso::ml::kernels {
namespace {

constexpr std::int32_t kRows = 48;
constexpr std::int32_t kCols = 2048;

double processor_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Billions of multiply-adds per second, the best of several runs.
double rate(const Product& product, Matmul matmul, std::int32_t n_tokens) {
    const double macs = 1.0 * kRows * kCols * n_tokens;
    const int n_calls = static_cast<int>(1 + 1e8 / macs);
    Floats out(static_cast<std::size_t>(n_tokens * kRows));
    Floats scratch(matmul_scratch_floats(kCols));
    const MatmulArgs args = product.arguments(n_tokens, out, scratch);
    double best = INFINITY;
    for (int run = 0; run < 15; ++run) {
        const double start = processor_seconds();
        for (int i = 0; i < n_calls; ++i) matmul(args);
        best = std::min(best, processor_seconds() - start);
    }
    return 1e-9 * macs * n_calls / best;
}

int bench(int argc, char** argv) {
    std::mt19937 rng(1);
    const auto wanted = [&](std::string_view name) {
        return argc < 2 ||
               std::any_of(argv + 1, argv + argc, [&](char* arg) { return name == arg; });
    };
    for (const KernelTable* table : fast_tables()) {
        std::printf(
            "%s: GMAC/s of one core\n%-8s %10s %11s\n", table->name, "", "1 token", "128 tokens");
        for (const quant::TypeTraits& type : quant::runnable_types()) {
            if (!wanted(type.name)) continue;
            const Product product(type, kRows, kCols, kMatmulTokens, rng);
            const Matmul matmul = find_matmul(*table, type);
            std::printf("%-8s %10.1f %11.1f\n",
                        std::string(type.name).c_str(),
                        rate(product, matmul, 1),
                        rate(product, matmul, kMatmulTokens));
        }
    }
    return 0;
}

}  // namespace
}  // namespace notso::ml::kernels

int main(int argc, char** argv) { return notso::ml::kernels::bench(argc, argv); }
