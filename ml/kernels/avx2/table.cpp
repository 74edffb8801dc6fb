// The table of this folder's kernels. Compiled without the folder's flags: it runs before anyone
// knows whether the CPU has them.
#include "ml/kernels/avx2/table.hpp"

#include "ml/kernels/avx2/kernels.hpp"
#include "ml/kernels/simd/attention_kernels.hpp"
#include "ml/kernels/simd/matmul_table.hpp"

namespace notso::ml::kernels {

struct Avx2;

namespace {

constexpr KernelTable kTable = with_attention<Numbers<Avx2>>(with_products<Avx2>(avx2::kOthers));

}  // namespace

const KernelTable& avx2_table() noexcept { return kTable; }

}  // namespace notso::ml::kernels
