#include "ml/quant/mix.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "base/log.hpp"

namespace notso::ml::quant {
namespace {

using enum gguf::TensorType;

constexpr Mix kMixes[] = {
    {"Q8_0", 7, kQ8_0, false},
    {"Q4_0", 2, kQ4_0, false},
    {"Q4_K_M", 15, kQ4_K, true},
    {"Q5_K_M", 17, kQ5_K, true},
    {"Q6_K", 18, kQ6_K, false},
    {"F16", 1, kF16, false},
};

/// Parts of names of small or delicate matrices that stay as they are.
constexpr std::string_view kKept[] = {
    "_norm.weight",
    "ffn_gate_inp.weight",  // which expert runs
    "position_embd.weight",
    "token_types.weight",
    "ssm_conv1d",
};

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

bool is_quantised(const gguf::Tensor& tensor) {
    const bool matrix = std::ranges::any_of(
        tensor.shape.begin() + 1, tensor.shape.end(), [](std::uint64_t dim) { return dim > 1; });
    if (!matrix || !tensor.name.ends_with("weight")) return false;
    return std::ranges::none_of(kKept,
                                [&](std::string_view part) { return contains(tensor.name, part); });
}

/// Layer number of "blk.N.…"; 0 for other names.
std::uint64_t layer_of(std::string_view name) {
    std::uint64_t layer = 0;
    if (name.starts_with("blk."))
        std::from_chars(name.data() + 4, name.data() + name.size(), layer);
    return layer;
}

/// The first and last eighth of the layers, and every third one between, lose most by few bits.
bool gains_by_more_bits(std::uint64_t layer, std::uint64_t n_layers) {
    const std::uint64_t eighth = n_layers / 8;
    return layer < eighth || layer >= 7 * n_layers / 8 || (layer - eighth) % 3 == 2;
}

bool is_value_matrix(std::string_view name) {
    return contains(name, "attn_v.weight") || contains(name, "attn_qkv.weight") ||
           contains(name, "attn_kv_b.weight");
}

struct Rules {
    const Mix& mix;
    ModelShape shape;
    bool tied;  // the embedding is also the output matrix

    gguf::TensorType wanted(const gguf::Tensor& tensor) const {
        if (mix.base == kF16) return kF16;
        const bool output = tensor.name == "output.weight" ||
                            (tied && (tensor.name == "token_embd.weight" ||
                                      tensor.name == "per_layer_token_embd.weight"));
        if (output) return mix.base == kQ8_0 ? kQ8_0 : kQ6_K;
        const bool more =
            mix.more_bits && gains_by_more_bits(layer_of(tensor.name), shape.n_layers);
        if (is_value_matrix(tensor.name)) {
            if (more) return kQ6_K;
            // 70B models: many query heads share each value head.
            const bool wide = shape.n_layers == 80 && shape.shared_keys;
            return wide && mix.base == kQ4_K ? kQ5_K : mix.base;
        }
        if (contains(tensor.name, "ffn_down") && more) return kQ6_K;
        return mix.base;
    }
};

gguf::TensorType fallback(gguf::TensorType type) {
    constexpr std::pair<gguf::TensorType, gguf::TensorType> kSmaller[] = {
        {kQ4_K, kQ5_0}, {kQ5_K, kQ5_1}, {kQ6_K, kQ8_0}};
    for (const auto& [from, to] : kSmaller)
        if (type == from) return to;
    return kF16;
}

gguf::TensorType fitting(gguf::TensorType type, std::uint64_t columns) {
    while (columns % gguf::block_layout(type)->elements != 0) type = fallback(type);
    return type;
}

}  // namespace

std::span<const Mix> mixes() noexcept { return kMixes; }

Result<Mix> find_mix(std::string_view name) {
    const auto same = [](char a, char b) {
        return std::toupper(static_cast<unsigned char>(a)) == b;
    };
    std::vector<std::string_view> names;
    for (const Mix& mix : kMixes) {
        if (std::ranges::equal(name, mix.name, same)) return mix;
        names.push_back(mix.name);
    }
    return fail(ErrorCode::kInvalidArgument,
                "{} is no type that can be written; there are {}",
                log::field(name),
                fmt::join(names, ", "));
}

std::vector<Choice> choose_types(const Mix& mix,
                                 const ModelShape& shape,
                                 std::span<const gguf::Tensor> tensors) {
    const bool tied =
        std::ranges::find(tensors, "output.weight", &gguf::Tensor::name) == tensors.end();
    const Rules rules{mix, shape, tied};
    std::vector<Choice> out;
    for (const gguf::Tensor& tensor : tensors) {
        if (!is_quantised(tensor)) {
            out.push_back({tensor.type, tensor.type});
            continue;
        }
        const gguf::TensorType wanted = rules.wanted(tensor);
        out.push_back({fitting(wanted, tensor.shape.front()), wanted});
    }
    return out;
}

}  // namespace notso::ml::quant
