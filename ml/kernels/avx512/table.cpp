// The table of this folder's kernels. Compiled without the folder's flags: it runs before anyone
// knows whether the CPU has them.
#include "ml/kernels/avx512/table.hpp"

#include "ml/kernels/avx512/kernels.hpp"
#include "ml/kernels/simd/attention_kernels.hpp"
#include "ml/kernels/simd/matmul_table.hpp"

namespace notso::ml::kernels {

struct Avx512;
struct Avx512Bf16;

namespace {

constexpr KernelTable kTable =
    with_attention<Numbers<Avx512>>(with_products<Avx512>(avx512::kOthers));

/// For fast tokens alone: mins, and what attention multiplies.
constexpr KernelTable with_bf16() {
    KernelTable table = with_attention<Bf16Pairs<Avx512Bf16>, Precision::kFast>(kTable);
    table.packed[static_cast<std::size_t>(Precision::kFast)]
        .by_type[static_cast<std::size_t>(gguf::TensorType::kQ4_K)] =
        PackedProducts<Avx512Bf16, Precision::kFast>::q4_k;
    return table;
}
constexpr KernelTable kBf16Table = with_bf16();

}  // namespace

const KernelTable& avx512_table() noexcept { return kTable; }
const KernelTable& avx512_bf16_table() noexcept { return kBf16Table; }

}  // namespace notso::ml::kernels
