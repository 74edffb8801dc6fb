// Puts the kernels of this folder into a table. Compiled without the folder's flags: it runs before
// anyone knows whether the CPU has them.
#include "ml/kernels/avx512/table.hpp"

#include "ml/gguf/file.hpp"
#include "ml/kernels/avx512/kernels.hpp"

namespace notso::ml::kernels {
namespace {

constexpr KernelTable make_table() {
    using enum gguf::TensorType;
    KernelTable table = avx512::kOthers;
    const auto set = [&table](gguf::TensorType type, Matmul matmul) {
        table.matmul_by_type[static_cast<std::size_t>(type)] = matmul;
    };
    set(kF32, avx512::matmul_f32);
    set(kF16, avx512::matmul_f16);
    set(kBF16, avx512::matmul_bf16);
    set(kQ4_0, avx512::matmul_q4_0);
    set(kQ4_1, avx512::matmul_q4_1);
    set(kQ8_0, avx512::matmul_q8_0);
    set(kQ4_K, avx512::matmul_q4_k);
    set(kQ6_K, avx512::matmul_q6_k);
    return table;
}

constexpr KernelTable kTable = make_table();

}  // namespace

const KernelTable& avx512_table() noexcept { return kTable; }

}  // namespace notso::ml::kernels
