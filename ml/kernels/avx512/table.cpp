// The table of this folder's kernels. Compiled without the folder's flags: it runs before anyone
// knows whether the CPU has them.
#include "ml/kernels/avx512/table.hpp"

#include "ml/kernels/avx512/kernels.hpp"
#include "ml/kernels/simd/matmul_table.hpp"

namespace notso::ml::kernels {

struct Avx512;

namespace {

constexpr KernelTable kTable = with_products<Avx512>(avx512::kOthers);

}  // namespace

const KernelTable& avx512_table() noexcept { return kTable; }

}  // namespace notso::ml::kernels
