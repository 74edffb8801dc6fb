// What the tests of the kernels share: random weights and activations, one matrix product, and how
// far two results are apart.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "ml/device/cpu.hpp"
#include "ml/quant/type_table.hpp"

namespace notso::ml::kernels {

using Floats = std::vector<float>;

/// Those that this CPU runs.
inline std::vector<const KernelTable*> fast_tables() {
    std::vector<const KernelTable*> tables;
    for (const char* name : {"avx2", "avxvnni", "avx512", "amx"}) {
        if (const auto table = choose_kernels(detect_cpu(), name)) tables.push_back(*table);
    }
    return tables;
}

inline Floats random_floats(std::size_t n, std::mt19937& rng, float scale = 1.0f) {
    std::normal_distribution<float> normal(0.0f, scale);
    Floats out(n);
    for (float& value : out) value = normal(rng);
    return out;
}

/// Random blocks whose scales are ordinary numbers: found by trying bytes until the decoded block
/// is tame.
inline std::vector<std::byte> random_blocks(const quant::TypeTraits& type,
                                            std::size_t n,
                                            std::mt19937& rng) {
    std::vector<std::byte> blocks(n * type.bytes);
    Floats weights(type.elements);
    for (std::size_t i = 0; i < n; ++i) {
        std::byte* block = blocks.data() + i * type.bytes;
        float largest = INFINITY;
        while (!(largest < 1000.0f && largest > 1e-6f)) {
            for (std::size_t j = 0; j < type.bytes; ++j)
                block[j] = static_cast<std::byte>(rng() & 0xFF);
            type.decode(block, weights.data(), type.elements);
            largest = 0;
            for (const float w : weights)
                largest = std::isfinite(w) ? std::max(largest, std::abs(w)) : INFINITY;
        }
    }
    return blocks;
}

inline Matmul find_matmul(const KernelTable& table, const quant::TypeTraits& type) {
    const Matmul matmul = table.matmul_by_type[static_cast<std::size_t>(type.type)];
    return matmul != nullptr ? matmul : table.matmul_any;
}

/// A weight matrix [n_rows, n_cols] and tokens to multiply it with.
struct Product {
    const quant::TypeTraits* type;
    std::int32_t n_rows;
    std::int32_t n_cols;
    std::vector<std::byte> weights;
    Floats x;

    Product(const quant::TypeTraits& type_,
            std::int32_t rows,
            std::int32_t cols,
            std::int32_t tokens,
            std::mt19937& rng)
        : type(&type_),
          n_rows(rows),
          n_cols(cols),
          weights(
              random_blocks(type_, static_cast<std::size_t>(rows * cols) / type_.elements, rng)),
          x(random_floats(static_cast<std::size_t>(tokens * cols), rng)) {}

    /// Tokens [first, first + n) times all rows, added to ones where `store` says so.
    Floats run(Matmul matmul,
               std::int32_t first,
               std::int32_t n,
               Store store = Store::kReplace) const {
        Floats out(static_cast<std::size_t>(n * n_rows), store == Store::kAdd ? 1.0f : NAN);
        Floats scratch(matmul_scratch_floats(n_cols));
        MatmulArgs args = arguments(n, out, scratch);
        args.x += static_cast<std::size_t>(first) * args.x_stride;
        args.store = store;
        matmul(args);
        return out;
    }

    /// Of a call with the first n tokens. `out` [n, n_rows] and `scratch` must outlive it.
    MatmulArgs arguments(std::int32_t n, Floats& out, Floats& scratch) const {
        const auto cols = static_cast<std::size_t>(n_cols);
        return {.weights = weights.data(),
                .row_bytes = cols / type->elements * type->bytes,
                .decode = type->decode,
                .n_rows = n_rows,
                .n_cols = n_cols,
                .n_tokens = n,
                .store = Store::kReplace,
                .x = x.data(),
                .x_stride = cols,
                .out = out.data(),
                .out_stride = static_cast<std::size_t>(n_rows),
                .scratch = scratch.data()};
    }
};

/// Largest error relative to the size of the sums that were made.
inline double worst_error(const Floats& actual, const Floats& expected) {
    double norm = 0;
    double worst = 0;
    for (const float value : expected) norm = std::max(norm, std::abs(static_cast<double>(value)));
    for (std::size_t i = 0; i < actual.size(); ++i) {
        const double error =
            std::abs(static_cast<double>(actual[i]) - static_cast<double>(expected[i]));
        worst = std::isnan(error) ? INFINITY : std::max(worst, error);
    }
    return worst / norm;
}

inline bool bit_equal(const Floats& a, const Floats& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

}  // namespace notso::ml::kernels
