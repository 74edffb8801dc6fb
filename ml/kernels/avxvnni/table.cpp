// The table of this folder's kernels. Compiled without the folder's flags: it runs before anyone
// knows whether the CPU has them.
#include "ml/kernels/avxvnni/table.hpp"

#include "ml/kernels/avxvnni/dots_table.hpp"

namespace notso::ml::kernels {

struct VexDots;

const KernelTable& avxvnni_table() noexcept {
    static constexpr KernelTable kTable = [] {
        KernelTable table = dots_table<VexDots>("avxvnni");
        table.multiply_bytes = avxvnni::multiply_bytes;
        return table;
    }();
    return kTable;
}

}  // namespace notso::ml::kernels
