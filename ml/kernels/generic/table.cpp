// Plain kernels: the twin of every fast one, and what runs where nothing better does. Sums are in
// double.
#include "ml/kernels/generic/table.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ml/kernels/generic/packed.hpp"
#include "ml/quant/half.hpp"
#include "ml/quant/q8_0.hpp"

namespace notso::ml::kernels {
namespace {

double dot(const float* a, const float* b, std::int32_t n) noexcept {
    double sum = 0;
    for (std::int32_t i = 0; i < n; ++i)
        sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    return sum;
}

void matmul(const MatmulArgs& args) noexcept {
    for (std::int32_t row = 0; row < args.n_rows; ++row) {
        args.decode(args.weights + static_cast<std::size_t>(row) * args.row_bytes,
                    args.scratch,
                    static_cast<std::size_t>(args.n_cols));
        for (std::int32_t t = 0; t < args.n_tokens; ++t) {
            const auto token = static_cast<std::size_t>(t);
            const auto value =
                static_cast<float>(dot(args.scratch, args.x + token * args.x_stride, args.n_cols));
            float& out = args.out[token * args.out_stride + static_cast<std::size_t>(row)];
            out = args.store == Store::kAdd ? out + value : value;
        }
    }
}

void softmax(float* x, std::int32_t n) noexcept {
    const float max = *std::max_element(x, x + n);
    double sum = 0;
    for (std::int32_t i = 0; i < n; ++i) sum += static_cast<double>(x[i] = std::exp(x[i] - max));
    for (std::int32_t i = 0; i < n; ++i) x[i] = static_cast<float>(static_cast<double>(x[i]) / sum);
}

void store_f32(const float* row, std::byte* out, std::int32_t n) noexcept {
    std::memcpy(out, row, static_cast<std::size_t>(n) * sizeof(float));
}

void load_f32(const std::byte* stored, float* out, std::size_t n) noexcept {
    std::memcpy(out, stored, n * sizeof(float));
}

void store_f16(const float* row, std::byte* out, std::int32_t n) noexcept {
    std::transform(row, row + n, reinterpret_cast<std::uint16_t*>(out), quant::f32_to_f16);
}

void load_f16(const std::byte* stored, float* out, std::size_t n) noexcept {
    const auto* halves = reinterpret_cast<const std::uint16_t*>(stored);
    std::transform(halves, halves + n, out, quant::f16_to_f32);
}

std::int8_t round_to_byte(float value) noexcept {
    const float bounded = value >= -128.0f ? std::min(value, 127.0f) : -128.0f;  // also for NaN
    return static_cast<std::int8_t>(std::nearbyint(bounded));
}

void store_q8_0(const float* row, std::byte* out, std::int32_t n) noexcept {
    auto* block = reinterpret_cast<quant::BlockQ8_0*>(out);
    for (const float* end = row + n; row != end; row += quant::BlockQ8_0::kElements, ++block) {
        float greatest = 0;
        for (std::size_t i = 0; i < quant::BlockQ8_0::kElements; ++i)
            greatest = std::max(greatest, std::abs(row[i]));
        block->d = quant::f32_to_f16(greatest / 127.0f);
        const float d = quant::f16_to_f32(block->d);
        const float inverse = d > 0.0f ? 1.0f / d : 0.0f;
        for (std::size_t i = 0; i < quant::BlockQ8_0::kElements; ++i)
            block->values[i] = round_to_byte(row[i] * inverse);
    }
}

/// One query head: the online softmax, key by key.
template <KvType kType, DecodeRow load>
void attend(const AttentionArgs& args, const float* q, float* out, std::int32_t n_keys) noexcept {
    const std::int32_t dim = args.head_dim;
    const std::size_t row_bytes = kv_row_bytes(kType, dim);
    float* row = args.scratch;
    auto* stored = reinterpret_cast<std::byte*>(row + dim);
    double max = -INFINITY;
    double sum = 0;
    std::fill_n(out, dim, 0.0f);
    for (std::int32_t j = 0; j < n_keys; ++j) {
        const std::byte* tile = args.tiles[j / kAttentionKeys];
        const std::int32_t pos = j % kAttentionKeys;
        get_key(kType, {tile + args.keys, pos, 0, dim / kv_traits(kType).elements}, stored);
        load(stored, row, static_cast<std::size_t>(dim));
        const double score = dot(q, row, dim) * static_cast<double>(args.scale);
        const double new_max = std::max(max, score);
        const auto keep = static_cast<float>(std::exp(max - new_max));
        const double p = std::exp(score - new_max);
        load(tile + args.values + static_cast<std::size_t>(pos) * row_bytes,
             row,
             static_cast<std::size_t>(dim));
        for (std::int32_t d = 0; d < dim; ++d)
            out[d] = out[d] * keep + static_cast<float>(p) * row[d];
        sum = sum * static_cast<double>(keep) + p;
        max = new_max;
    }
    for (std::int32_t d = 0; d < dim; ++d)
        out[d] = static_cast<float>(static_cast<double>(out[d]) / sum);
}

template <KvType kType, DecodeRow load>
void attention(const AttentionArgs& args) noexcept {
    for (std::int32_t t = 0; t < args.n_tokens; ++t) {
        for (std::int32_t h = 0; h < args.n_heads; ++h) {
            const auto offset =
                static_cast<std::size_t>(h) * static_cast<std::size_t>(args.head_dim);
            attend<kType, load>(args,
                                args.q + static_cast<std::size_t>(t) * args.q_stride + offset,
                                args.out + static_cast<std::size_t>(t) * args.out_stride + offset,
                                args.first_pos + t + 1);
        }
    }
}

template <KvType kType, DecodeRow load>
constexpr KvKernels kv_kernels(decltype(KvKernels::store) store) noexcept {
    return {store, {attention<kType, load>, attention<kType, load>}};
}

void rms_norm(const float* x, const float* weight, float* out, std::int32_t n, float eps) noexcept {
    const auto scale =
        static_cast<float>(1.0 / std::sqrt(dot(x, x, n) / n + static_cast<double>(eps)));
    for (std::int32_t i = 0; i < n; ++i) out[i] = x[i] * scale * weight[i];
}

void rope(float* head, const float* cos_sin, std::int32_t n_pairs) noexcept {
    for (std::int32_t i = 0; i < n_pairs; ++i) {
        const float a = head[i];
        const float b = head[i + n_pairs];
        head[i] = a * cos_sin[i] - b * cos_sin[n_pairs + i];
        head[i + n_pairs] = a * cos_sin[n_pairs + i] + b * cos_sin[i];
    }
}

void silu_mul(float* gate, const float* up, std::int32_t n) noexcept {
    for (std::int32_t i = 0; i < n; ++i) gate[i] = gate[i] / (1.0f + std::exp(-gate[i])) * up[i];
}

std::uint64_t read_memory(const std::byte* p, std::size_t n, std::size_t n_streams) noexcept {
    std::uint64_t sum = 0;
    for (std::size_t at = 0; at < n; at += sizeof(sum)) {
        for (std::size_t stream = 0; stream < n_streams; ++stream) {
            std::uint64_t word;
            std::memcpy(&word, p + stream * n + at, sizeof(word));
            sum += word;
        }
    }
    return sum;
}

constexpr KernelTable kOthers = {
    .name = "generic",
    .matmul_by_type = {},
    .matmul_any = matmul,
    .tiles = {.few = 4, .most_of_few = 4, .most = 4},
    .tiles_of_short_blocks = {.few = 4, .most_of_few = 4, .most = 4},
    .packed = {},
    .into_l2 = false,
    .kv = {kv_kernels<KvType::kF16, load_f16>(store_f16),
           kv_kernels<KvType::kF32, load_f32>(store_f32),
           kv_kernels<KvType::kQ8_0, quant::decode_q8_0>(store_q8_0)},
    .rms_norm = rms_norm,
    .rope = rope,
    .silu_mul = silu_mul,
    .softmax = softmax,
    .multiply_bytes = nullptr,
    .read_memory = read_memory,
};

KernelTable make_table() noexcept {
    KernelTable table = kOthers;
    for (const Precision precision : {Precision::kExact, Precision::kFast})
        table.packed[static_cast<std::size_t>(precision)] = generic::packed_kernels(precision);
    return table;
}

}  // namespace

const KernelTable& generic_table() noexcept {
    static const KernelTable table = make_table();
    return table;
}

}  // namespace notso::ml::kernels
