// Prints how fast the matrix products of every block type are on one core, in processor time: one
// token over weights that stay in the L2 cache (what decoding could reach if memory were no limit),
// and more tokens. usage: matmul_bench [TYPE…]
#include <time.h>

#include <cstdio>

#include "ml/kernels/packed_harness.hpp"

namespace notso::ml::kernels {
namespace {

constexpr std::int32_t kRows = 64;
constexpr std::int32_t kCols = 2048;

double processor_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Billions of multiply-adds per second of one call, the best of several runs.
template <class Call>
double rate(std::int32_t n_tokens, const Call& call) {
    const double macs = 1.0 * kRows * kCols * n_tokens;
    const int n_calls = static_cast<int>(1 + 1e9 / macs);
    double best = INFINITY;
    for (int run = 0; run < 15; ++run) {
        const double start = processor_seconds();
        for (int i = 0; i < n_calls; ++i) call();
        best = std::min(best, processor_seconds() - start);
    }
    return 1e-9 * macs * n_calls / best;
}

double unpacked_rate(const Product& product, Matmul matmul, std::int32_t n_tokens) {
    Floats out(static_cast<std::size_t>(n_tokens * kRows));
    Floats scratch(matmul_scratch_floats(kCols));
    const MatmulArgs args = product.arguments(n_tokens, out, scratch);
    return rate(n_tokens, [&] { matmul(args); });
}

double packed_rate(const KernelTable& table,
                   Precision precision,
                   const Product& product,
                   std::int32_t n_tokens) {
    const Packed packed(product);
    const bool is_short = product.type->elements < kTokenBlock;
    const TileLimits tiles = is_short ? table.tiles_of_short_blocks : table.tiles;
    const Tokens tokens(table, precision, tiles, product.x.data(), n_tokens, kCols);
    Floats out(static_cast<std::size_t>(n_tokens * kRows));
    const PackedMatmul matmul = find_packed(packed_kernels(table, precision), *product.type);
    const PackedMatmulArgs args =
        packed_arguments(product, packed, tokens.integers(), n_tokens, out);
    return rate(n_tokens, [&] { matmul(args); });
}

int bench(int argc, char** argv) {
    std::mt19937 rng(1);
    const auto wanted = [&](std::string_view name) {
        return argc < 2 ||
               std::any_of(argv + 1, argv + argc, [&](char* arg) { return name == arg; });
    };
    for (const KernelTable* table : fast_tables()) {
        std::printf("%s: GMAC/s of one core\n%-8s %18s %44s %28s\n",
                    table->name,
                    "",
                    "f32 activations",
                    "packed, 16 bits",
                    "packed, 8 bits");
        std::printf("%-8s %8d %8d %8d %8d %8d %8d %8d %8d %8d %8d\n",
                    "tokens",
                    1,
                    128,
                    1,
                    2,
                    4,
                    8,
                    128,
                    1,
                    8,
                    128);
        for (const quant::TypeTraits& type : quant::runnable_types()) {
            if (!wanted(type.name)) continue;
            const Product product(type, kRows, kCols, kMatmulTokens, rng);
            std::printf("%-8s", std::string(type.name).c_str());
            for (const std::int32_t n : {1, kMatmulTokens})
                std::printf(" %8.1f", unpacked_rate(product, find_matmul(*table, type), n));
            if (quant::find_pack_fields(type.type) != nullptr) {
                for (const std::int32_t n : {1, 2, 4, 8, kMatmulTokens})
                    std::printf(" %8.1f", packed_rate(*table, Precision::kExact, product, n));
                for (const std::int32_t n : {1, 8, kMatmulTokens})
                    std::printf(" %8.1f", packed_rate(*table, Precision::kFast, product, n));
            }
            std::printf("\n");
        }
    }
    return 0;
}

}  // namespace
}  // namespace notso::ml::kernels

int main(int argc, char** argv) { return notso::ml::kernels::bench(argc, argv); }
