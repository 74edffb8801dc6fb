#include "ml/device/cpu.hpp"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "ml/kernels/amx/table.hpp"
#include "ml/kernels/avx2/table.hpp"
#include "ml/kernels/avx512/table.hpp"
#include "ml/kernels/avxvnni/table.hpp"
#include "ml/kernels/generic/table.hpp"

namespace notso::ml {
namespace {

struct Registers {
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
};

Registers cpuid(unsigned leaf, unsigned subleaf) {
    Registers r;
    __get_cpuid_count(
        leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);  // leaves zeros when the leaf is absent
    return r;
}

bool bit(unsigned value, int index) { return ((value >> index) & 1u) != 0; }

/// Whether AMD made it, as one of this family.
bool is_amd_family(const Registers& leaf1, unsigned family) {
    const bool is_amd = cpuid(0, 0).ebx == 0x68747541;  // "Auth", of AuthenticAMD
    return is_amd && (leaf1.eax >> 8 & 0xF) + (leaf1.eax >> 20 & 0xFF) == family;
}

/// Register states that the operating system saves (XCR0).
std::uint64_t saved_states(const Registers& leaf1) {
    if (!bit(leaf1.ecx, 27)) return 0;  // OSXSAVE
    unsigned low = 0;
    unsigned high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (static_cast<std::uint64_t>(high) << 32) | low;
}

/// Asks the system for tile registers in all threads of this process.
bool may_use_tiles() {
    constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
    constexpr long kTileData = 18;
    return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

std::string brand_string() {
    if (__get_cpuid_max(0x80000000u, nullptr) < 0x80000004u) return "x86-64";
    std::array<char, 49> text{};
    for (unsigned i = 0; i < 3; ++i) {
        const Registers r = cpuid(0x80000002u + i, 0);
        std::memcpy(text.data() + 16 * i, &r, 16);
    }
    std::string name = text.data();
    while (name.ends_with(' ')) name.pop_back();
    return name;
}

/// One row per set of kernels, best first.
struct Level {
    std::string_view name;
    bool CpuFeatures::* needs;  ///< Null: every CPU.
    const kernels::KernelTable& (*table)(const CpuFeatures& features);
};
template <const kernels::KernelTable& (*kTable)() noexcept>
const kernels::KernelTable& table_for(const CpuFeatures& features) {
    static const kernels::KernelTable into_l2 = [] {
        kernels::KernelTable table = kTable();
        table.into_l2 = true;
        return table;
    }();
    return features.few_l1_misses ? into_l2 : kTable();
}
const kernels::KernelTable& avx512_table(const CpuFeatures& features) {
    return features.avx512_bf16 ? table_for<kernels::avx512_bf16_table>(features)
                                : table_for<kernels::avx512_table>(features);
}
constexpr Level kLevels[] = {
    {"amx", &CpuFeatures::amx, table_for<kernels::amx_table>},
    {"avx512", &CpuFeatures::avx512_vnni, avx512_table},
    {"avxvnni", &CpuFeatures::avx_vnni, table_for<kernels::avxvnni_table>},
    {"avx2", &CpuFeatures::avx2, table_for<kernels::avx2_table>},
    {"generic", nullptr, table_for<kernels::generic_table>},
};

bool supports(const CpuFeatures& features, const Level& level) {
    return level.needs == nullptr || features.*level.needs;
}

}  // namespace

std::string CpuFeatures::to_string() const {
    std::string text;
    const auto add = [&text](bool has, std::string_view feature) {
        if (!has) return;
        if (!text.empty()) text += ' ';
        text += feature;
    };
    add(avx2, "avx2");
    add(avx_vnni, "avx_vnni");
    add(avx512, "avx512");
    add(avx512_vnni, "avx512_vnni");
    add(avx512_bf16, "avx512_bf16");
    add(amx, "amx");
    return text.empty() ? "none" : text;
}

CpuFeatures detect_cpu() {
    const Registers leaf1 = cpuid(1, 0);
    const Registers leaf7 = cpuid(7, 0);
    const Registers leaf7_1 = cpuid(7, 1);
    const std::uint64_t states = saved_states(leaf1);
    const bool ymm = (states & 0x6) == 0x6;
    const bool zmm = ymm && (states & 0xE0) == 0xE0;
    const bool tiles = (states & 0x60000) == 0x60000;
    CpuFeatures features;
    features.name = brand_string();
    features.avx2 = ymm && bit(leaf7.ebx, 5) && bit(leaf1.ecx, 12) && bit(leaf1.ecx, 29);
    features.avx_vnni = features.avx2 && bit(leaf7_1.eax, 4);
    features.avx512 = features.avx2 && zmm && bit(leaf7.ebx, 16) && bit(leaf7.ebx, 17) &&
                      bit(leaf7.ebx, 30) && bit(leaf7.ebx, 31);
    features.avx512_vnni = features.avx512 && bit(leaf7.ecx, 11);
    features.avx512_bf16 = features.avx512 && bit(leaf7_1.eax, 5);
    features.few_l1_misses = features.avx512 && is_amd_family(leaf1, 25);
    features.amx = features.avx512_vnni && tiles && bit(leaf7.edx, 24) && bit(leaf7.edx, 25) &&
                   bit(leaf7.edx, 22) && may_use_tiles();
    return features;
}

Result<const kernels::KernelTable*> choose_kernels(const CpuFeatures& features,
                                                   std::optional<std::string_view> forced) {
    for (const Level& level : kLevels) {
        if (forced && *forced != level.name) continue;
        if (supports(features, level)) return &level.table(features);
        if (forced) {
            return fail(
                ErrorCode::kUnsupported,
                "NOTSO_ISA={}: this CPU does not support it (it has: {}); unset it or use generic",
                level.name,
                features.to_string());
        }
    }
    return fail(ErrorCode::kInvalidArgument,
                "NOTSO_ISA={} is none of generic, avx2, avxvnni, avx512, amx",
                forced.value_or(""));
}

}  // namespace notso::ml
