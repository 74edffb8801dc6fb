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

RowTasks::RowTasks(std::int32_t n_rows,
                   std::int32_t n_threads,
                   std::int32_t multiple,
                   std::int32_t most)
    : n_rows_(n_rows), n_threads_(n_threads), multiple_(multiple), most_(most) {
    for (std::int32_t left = n_rows; left > 0;) {
        const std::int32_t rows = rows_of_round(left);
        const std::int32_t n_tasks = std::min(n_threads_, divide_up(left, rows));
        n_tasks_ += n_tasks;
        left -= n_tasks * rows;
    }
}

std::int32_t RowTasks::rows_of_round(std::int32_t left) const noexcept {
    // Half of what is left goes to this round.
    const std::int32_t rows = divide_up(divide_up(left, 2 * n_threads_), multiple_) * multiple_;
    return std::min(rows, std::max(most_ / multiple_, 1) * multiple_);
}

IndexRange RowTasks::operator[](std::int32_t task) const noexcept {
    std::int32_t first = 0;
    while (true) {
        const std::int32_t rows = rows_of_round(n_rows_ - first);
        if (task < n_threads_) {
            first += task * rows;
            return {first, std::min(rows, n_rows_ - first)};
        }
        task -= n_threads_;
        first += n_threads_ * rows;
    }
}

void Products::quantize(const TokenBuffer& tokens,
                        const TokenRuns& runs,
                        std::int32_t token,
                        IndexRange cols) const noexcept {
    put_integers({tokens, runs, token, cols}, tokens.row(token) + cols.first);
}

void Products::quantize(const TokenBuffer& tokens,
                        const TokenRuns& runs,
                        IndexRange rows) const noexcept {
    for (std::int32_t col = 0; col < tokens.width; col += kernels::kTokenBlock) {
        const IndexRange cols{col, std::min(kernels::kTokenBlock, tokens.width - col)};
        for (std::int32_t i = 0; i < rows.n; ++i) quantize(tokens, runs, rows.first + i, cols);
    }
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

void Products::multiply(const Product& product, const Matrix* next) const noexcept {
    const RowTasks tasks = split(product.matrix.n_rows);
    pool_.run(tasks.size(), [&](std::int32_t task, std::int32_t thread) {
        const Turn turn{task, thread};
        multiply_rows(product, {tasks[task], after(turn, tasks, product.matrix, next)}, thread);
    });
}

const std::byte* Products::after(const Turn& turn,
                                 const RowTasks& tasks,
                                 const Matrix& matrix,
                                 const Matrix* next) const noexcept {
    const std::int32_t following = turn.task + pool_.size();
    if (following < tasks.size()) return matrix.row(tasks[following].first);
    if (next == nullptr) return nullptr;
    const RowTasks next_tasks = split(next->n_rows);
    return turn.thread < next_tasks.size() ? next->row(next_tasks[turn.thread].first) : nullptr;
}

void Products::multiply_rows(const Product& product,
                             MatrixRows rows,
                             std::int32_t thread) const noexcept {
    const ProductOut out{product.out + rows.first, extent(product.matrix.n_rows)};
    multiply_rows(product, rows, out, thread);
}

void Products::multiply_rows(const Product& product,
                             MatrixRows rows,
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
                               MatrixRows rows,
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
                 .out_stride = out.stride,
                 .next = mixed ? nullptr : rows.next,
                 .into_l2 = kernels_.into_l2});
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

}  // namespace notso::ml
