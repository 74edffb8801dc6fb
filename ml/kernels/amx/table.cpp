// The table of this folder's kernels. Compiled without the folder's flags: it runs before anyone
// knows whether the CPU has them.
#include "ml/kernels/amx/table.hpp"

#include "ml/kernels/amx/tiled_table.hpp"

namespace notso::ml::kernels {

struct Avx512Bf16;

const KernelTable& amx_table() noexcept {
    static constexpr KernelTable kTable = [] {
        KernelTable table = tiled_table<AmxTiles, Avx512Bf16>("amx");
        table.multiply_bytes = amx::multiply_bytes;
        return table;
    }();
    return kTable;
}

}  // namespace notso::ml::kernels
