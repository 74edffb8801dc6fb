// What the CPU can do, and the kernels that suit it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "ml/kernels/table.hpp"

namespace notso::ml {

/// Instruction sets that both the CPU and the operating system support.
struct CpuFeatures {
    std::string name;       ///< Brand string of the processor.
    bool avx2 = false;      ///< AVX2 with FMA and F16C.
    bool avx_vnni = false;  ///< VNNI beside AVX2, without AVX-512.
    bool avx512 = false;    ///< AVX-512 F, BW, DQ and VL.
    bool avx512_vnni = false;
    bool avx512_bf16 = false;
    bool amx = false;  ///< AMX tiles with int8 and bf16, beside AVX-512 with VNNI.
    /// Zen 4: the L1 cache waits for 24 lines at once, too few for the memory there is. (So does
    /// Zen 3's, of the same family; nobody has measured what helps there.)
    bool few_l1_misses = false;

    /// "avx2 avx512 avx512_vnni" for people.
    std::string to_string() const;
};

/// Where there are tile registers, asks the system for them, for all threads of the process.
CpuFeatures detect_cpu();

/// The best kernels for `features`, or the ones that `forced` names ("generic", "avx2", "avxvnni",
/// "avx512", "amx").
/// @errors kUnsupported: the CPU lacks them; kInvalidArgument: no such name.
Result<const kernels::KernelTable*> choose_kernels(const CpuFeatures& features,
                                                   std::optional<std::string_view> forced);

}  // namespace notso::ml
