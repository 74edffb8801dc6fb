// Products: matrices times the tokens of a buffer, on the threads of a pool, and the integers that
// packed matrices want of them. Knows matrices and rows of buffers; knows nothing of layers.
#pragma once

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
    /// The same of columns that stand elsewhere, x: as they are, too, where that is wanted.
    void put(const TokenPart& part, const float* x) const noexcept;

    /// The whole product, its rows split between the threads.
    void multiply(const Product& product) const noexcept;
    /// Some rows of it, on the thread that calls.
    void multiply_rows(const Product& product, IndexRange rows, std::int32_t thread) const noexcept;
    /// The same to another place: product.out is not used.
    void multiply_rows(const Product& product,
                       IndexRange rows,
                       const ProductOut& out,
                       std::int32_t thread) const noexcept;
    /// Rows of a task of the pool, a multiple of kRowMultiple.
    std::int32_t rows_per_task(std::int32_t n_rows) const noexcept;

  private:
    void put_integers(const TokenPart& part, const float* x) const noexcept;
    void multiply_packed(const Product& product,
                         IndexRange rows,
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
