// Products: matrices times the tokens of a buffer, on the threads of a pool, and the integers that
// packed matrices want of them. Knows matrices and rows of buffers; knows nothing of layers.
#pragma once

#include <limits>

#include "ml/kernels/table.hpp"
#include "ml/model/weights.hpp"
#include "ml/model/workspace.hpp"
#include "ml/runtime/thread_pool.hpp"

namespace notso::ml {

/// Rows of tasks and pieces are a multiple of it: whole panels of weights and groups of columns.
inline constexpr std::int32_t kRowMultiple = 32;

/// out[t, r] = matrix[r] · x[t] + bias[r], or += with Store::kAdd.
struct Product {
    const Matrix& matrix;
    const TokenBuffer& x;  ///< [runs.size(), matrix.n_cols]
    TokenRuns runs;        ///< As x was made into integers.
    float* out;            ///< [runs.size(), matrix.n_rows]
    kernels::Store store = kernels::Store::kReplace;
};

/// Neighbouring rows of a matrix, from the first of a panel on where it is packed; or columns.
struct IndexRange {
    std::int32_t first;
    std::int32_t n;
};

/// A task, and the thread that has it.
struct Turn {
    std::int32_t task;
    std::int32_t thread;
};

/// Rows that a thread multiplies with.
struct MatrixRows : IndexRange {
    /// Weights that it will probably read after them: memory is asked for them in time. Or null.
    const std::byte* next = nullptr;
};

/// How the rows of a matrix are split into tasks: large ones first, smaller and smaller ones after
/// them, so that threads of unequal speed end at about the same time.
class RowTasks {
  public:
    /// @param multiple  Rows of all tasks but the last are a multiple of it.
    /// @param most  Rows of a task, at most; at least `multiple`.
    RowTasks(std::int32_t n_rows, std::int32_t n_threads, std::int32_t multiple, std::int32_t most);

    std::int32_t size() const noexcept { return n_tasks_; }
    /// @cost O(log n_rows)
    IndexRange operator[](std::int32_t task) const noexcept;

  private:
    /// Each thread has a task of a round; rows of one of them when `left` rows are left.
    std::int32_t rows_of_round(std::int32_t left) const noexcept;

    std::int32_t n_rows_;
    std::int32_t n_threads_;
    std::int32_t multiple_;
    std::int32_t most_;
    std::int32_t n_tasks_ = 0;
};

/// Where a product with some rows of a matrix goes.
struct ProductOut {
    float* data;  ///< [n_tokens, rows.n]
    std::size_t stride;
};

/// Some columns of a token.
struct TokenPart {
    const TokenBuffer& tokens;
    const TokenRuns& runs;
    std::int32_t token;
    IndexRange cols;
};

class Products {
  public:
    Products(const kernels::KernelTable& kernels, const Workspace& work, ThreadPool& pool) noexcept
        : kernels_(kernels), work_(work), pool_(pool) {}

    /// Makes integers of some columns of a token, where a packed matrix wants them: of whole
    /// groups, or of whole blocks (kernels::kTokenBlock) of a fast token.
    void quantize(const TokenBuffer& tokens,
                  const TokenRuns& runs,
                  std::int32_t token,
                  IndexRange cols) const noexcept;
    /// The same of all columns of neighbouring tokens, block by block: integers of tokens that are
    /// multiplied together share cache lines.
    void quantize(const TokenBuffer& tokens, const TokenRuns& runs, IndexRange rows) const noexcept;
    /// The same of columns that stand elsewhere, x: as they are, too, where that is wanted.
    void put(const TokenPart& part, const float* x) const noexcept;

    /// The whole product, its rows split between the threads.
    /// @param next  Weights that are read after it; or null.
    void multiply(const Product& product, const Matrix* next) const noexcept;
    /// Some rows of it, on the thread that calls.
    void multiply_rows(const Product& product, MatrixRows rows, std::int32_t thread) const noexcept;
    /// The same to another place: product.out is not used.
    void multiply_rows(const Product& product,
                       MatrixRows rows,
                       const ProductOut& out,
                       std::int32_t thread) const noexcept;
    /// What a thread will probably read after its task of a matrix: threads take turns.
    /// @param next  Matrix of the tasks that follow these; or null.
    const std::byte* after(const Turn& turn,
                           const RowTasks& tasks,
                           const Matrix& matrix,
                           const Matrix* next) const noexcept;
    /// Tasks for the threads of the pool.
    RowTasks split(std::int32_t n_rows,
                   std::int32_t multiple = kRowMultiple,
                   std::int32_t most = std::numeric_limits<std::int32_t>::max()) const noexcept {
        return {n_rows, pool_.size(), multiple, most};
    }

  private:
    void put_integers(const TokenPart& part, const float* x) const noexcept;
    void multiply_packed(const Product& product,
                         MatrixRows rows,
                         const ProductOut& out) const noexcept;
    void multiply_unpacked(const Product& product,
                           IndexRange rows,
                           const ProductOut& out,
                           std::int32_t thread) const noexcept;

    const kernels::KernelTable& kernels_;
    const Workspace& work_;
    ThreadPool& pool_;
};

}  // namespace notso::ml
