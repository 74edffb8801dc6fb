#include "ml/model/weights.hpp"

#include <cmath>

#include "ml/model/weight_loader.hpp"
#include "ml/model/weight_plan.hpp"
#include "ml/quant/pack.hpp"

namespace notso::ml {
namespace {

/// Frequencies are divided by these: nothing else would do than finite numbers above 0.
Result<> check_divisors(const gguf::File& file, std::span<const float> divisors) {
    for (std::size_t i = 0; i < divisors.size(); ++i) {
        if (divisors[i] > 0 && std::isfinite(divisors[i])) continue;
        return fail(ErrorCode::kCorruptData,
                    "{}: tensor rope_freqs.weight at byte {} has {} at index {}, but must have "
                    "finite numbers "
                    "above 0",
                    file.path().string(),
                    file.find_tensor("rope_freqs.weight")->file_offset,
                    divisors[i],
                    i);
    }
    return {};
}

}  // namespace

void Matrix::decode_row(std::int32_t index, std::byte* scratch, float* out) const noexcept {
    const std::byte* source = scratch;
    if (!is_packed()) {
        source = row(index);
    } else {
        constexpr auto kRows = static_cast<std::int32_t>(quant::kPackRows);
        const quant::PackFields& fields = *quant::find_pack_fields(type->type);
        const std::byte* panel = row(index / kRows * kRows);
        quant::unpack_row(
            fields, panel, static_cast<std::size_t>(index % kRows), row_bytes, scratch);
    }
    type->decode(source, out, static_cast<std::size_t>(n_cols));
}

Result<Weights> load_weights(const gguf::File& file,
                             const ModelSpec& spec,
                             const WeightOptions& options) {
    Weights weights;
    NOTSO_TRY(const WeightPlan plan, WeightPlan::make(file, spec, weights));
    NOTSO_TRY(weights.memory, WeightMemory::allocate(plan.total_bytes()));
    NOTSO_CHECK(load_planned(file, spec, options, plan, weights.memory.bytes()));
    // Read through the descriptor that was checked, and not written to meanwhile: no other file.
    NOTSO_CHECK(file.check_whole());
    if (weights.rope_divisors != nullptr) {
        const auto n = static_cast<std::size_t>(spec.config.n_rot / 2);
        NOTSO_CHECK(check_divisors(file, {weights.rope_divisors, n}));
    }
    if (weights.output.data == nullptr) weights.output = weights.token_embd;
    return weights;
}

}  // namespace notso::ml
