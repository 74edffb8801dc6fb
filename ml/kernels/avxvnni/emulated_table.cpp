#include "ml/kernels/avxvnni/dots_table.hpp"
#include "ml/kernels/avxvnni/emulated.hpp"

namespace notso::ml::kernels {

struct EvexDots;

const KernelTable& emulated_avxvnni_table() noexcept {
    static constexpr KernelTable kTable = dots_table<EvexDots>("emulatedAvxVnni");
    return kTable;
}

}  // namespace notso::ml::kernels
