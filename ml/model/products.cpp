#include "ml/model/products.hpp"

#include <algorithm>

#include "ml/quant/pack.hpp"

namespace notso::ml {
namespace {

/// Rows that are multiplied with tokens of one precision before those of the other: few enough for
/// the weights to stay in the cache.
std::int32_t rows_of_piece(const Matrix& matrix) {
    constexpr std::size_t kBytes = std::size_t{256} << 10;
    const auto fitting = static_cast<std::int32_t>(kBytes / matrix.row_bytes);
    return std::max(fitting / kRowMultiple, 1) * kRowMultiple;
}

}  // namespace

void Products::quantize(const TokenBuffer& tokens,
                        const TokenRuns& runs,
                        std::int32_t token,
                        IndexRange cols) const noexcept {
    put_integers({tokens, runs, token, cols}, tokens.row(token) + cols.first);
}

void Products::put(const TokenPart& part, const float* x) const noexcept {
    if (part.tokens.has_unpacked)
        std::copy_n(x, part.cols.n, part.tokens.row(part.token) + part.cols.first);
    put_integers(part, x);
}

void Products::put_integers(const TokenPart& part, const float* x) const noexcept {
    if (!part.tokens.has_packed) return;
    const TokenRun run = part.runs.of_token(part.token);
    kernels_.packed[static_cast<std::size_t>(run.precision)].quantize_token(
        x, part.cols.n, part.tokens.place(run, part.token, part.cols.first));
}

void Products::multiply(const Product& product) const noexcept {
    const std::int32_t n_rows = product.matrix.n_rows;
    const std::int32_t rows = rows_per_task(n_rows);
    pool_.run(divide_up(n_rows, rows), [&](std::int32_t task, std::int32_t thread) {
        const std::int32_t first = task * rows;
        multiply_rows(product, {first, std::min(rows, n_rows - first)}, thread);
    });
}

void Products::multiply_rows(const Product& product,
                             IndexRange rows,
                             std::int32_t thread) const noexcept {
    const ProductOut out{product.out + rows.first, extent(product.matrix.n_rows)};
    multiply_rows(product, rows, out, thread);
}

void Products::multiply_rows(const Product& product,
                             IndexRange rows,
                             const ProductOut& out,
                             std::int32_t thread) const noexcept {
    const Matrix& matrix = product.matrix;
    if (matrix.is_packed()) {
        multiply_packed(product, rows, out);
    } else {
        multiply_unpacked(product, rows, out, thread);
    }
    if (matrix.bias == nullptr) return;
    for (std::int32_t t = 0; t < product.runs.size(); ++t) {
        float* sums = out.data + extent(t) * out.stride;
        for (std::int32_t i = 0; i < rows.n; ++i) sums[i] += matrix.bias[rows.first + i];
    }
}

void Products::multiply_packed(const Product& product,
                               IndexRange rows,
                               const ProductOut& out) const noexcept {
    const Matrix& matrix = product.matrix;
    const bool mixed = product.runs.n_exact > 0 && product.runs.n_fast > 0;
    const std::int32_t step = mixed ? rows_of_piece(matrix) : rows.n;
    for (std::int32_t done = 0; done < rows.n; done += step) {
        for (const TokenRun& run : {product.runs.exact(), product.runs.fast()}) {
            if (run.size == 0) continue;
            matrix.packed[static_cast<std::size_t>(run.precision)](
                {.panels = matrix.row(rows.first + done),
                 .panel_bytes = quant::kPackRows * matrix.row_bytes,
                 .n_rows = std::min(step, rows.n - done),
                 .n_cols = matrix.n_cols,
                 .n_tokens = run.size,
                 .store = product.store,
                 .x = product.x.integers(run),
                 .out = out.data + extent(run.first) * out.stride + done,
                 .out_stride = out.stride});
        }
    }
}

void Products::multiply_unpacked(const Product& product,
                                 IndexRange rows,
                                 const ProductOut& out,
                                 std::int32_t thread) const noexcept {
    const Matrix& matrix = product.matrix;
    matrix.matmul({.weights = matrix.row(rows.first),
                   .row_bytes = matrix.row_bytes,
                   .decode = matrix.type->decode,
                   .n_rows = rows.n,
                   .n_cols = matrix.n_cols,
                   .n_tokens = product.runs.size(),
                   .store = product.store,
                   .x = product.x.values.data(),
                   .x_stride = extent(matrix.n_cols),
                   .out = out.data,
                   .out_stride = out.stride,
                   .scratch = work_.scratch[extent(thread)].data()});
}

std::int32_t Products::rows_per_task(std::int32_t n_rows) const noexcept {
    constexpr std::int32_t kTasksPerThread =
        4;  // enough to even out unequal threads, few enough to be cheap
    return divide_up(divide_up(n_rows, pool_.size() * kTasksPerThread), kRowMultiple) *
           kRowMultiple;
}

}  // namespace notso::ml
