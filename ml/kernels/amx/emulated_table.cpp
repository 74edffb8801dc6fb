#include "ml/kernels/amx/emulated.hpp"
#include "ml/kernels/amx/tiled_table.hpp"

namespace notso::ml::kernels {

struct EmulatedTiles;

const KernelTable& emulated_amx_table() noexcept {
    static constexpr KernelTable kTable = tiled_table<EmulatedTiles, Avx512>("emulatedAmx");
    return kTable;
}

}  // namespace notso::ml::kernels
