// The table of this folder's kernels. Compiled without the folder's flags: it runs before anyone
// knows whether the CPU has them.
#include "ml/kernels/avx512/table.hpp"

#include "ml/kernels/avx512/kernels.hpp"
#include "ml/kernels/simd/matmul_table.hpp"

namespace notso::ml::kernels {

struct Avx2;
struct Avx512;

namespace {

// Every CPU with AVX-512 runs the packed products of AVX2, until there are some with VNNI.
constexpr KernelTable kTable = with_packed_matmuls<Avx2>(with_matmuls<Avx512>(avx512::kOthers));

}  // namespace

const KernelTable& avx512_table() noexcept { return kTable; }

}  // namespace notso::ml::kernels
