// Plain kernels: the twin of every fast one, and what runs where nothing better does. Sums are in
// double.
#include "ml/kernels/generic/table.hpp"

#include <algorithm>
#include <cmath>

#include "ml/quant/half.hpp"

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

void read_row(const float* row, float* out, std::int32_t n) noexcept { std::copy_n(row, n, out); }

void f16_to_f32(const std::uint16_t* in, float* out, std::int32_t n) noexcept {
    std::transform(in, in + n, out, quant::f16_to_f32);
}

void f32_to_f16(const float* in, std::uint16_t* out, std::int32_t n) noexcept {
    std::transform(in, in + n, out, quant::f32_to_f16);
}

/// One query head: the online softmax, key by key.
template <class Element, void (*read)(const Element*, float*, std::int32_t) noexcept>
void attend(const AttentionArgs& args, const float* q, float* out, std::int32_t n_keys) noexcept {
    const std::int32_t dim = args.head_dim;
    const auto* keys = reinterpret_cast<const Element*>(args.keys);
    const auto* values = reinterpret_cast<const Element*>(args.values);
    float* row = args.scratch;
    double max = -INFINITY;
    double sum = 0;
    std::fill_n(out, dim, 0.0f);
    for (std::int32_t j = 0; j < n_keys; ++j) {
        read(keys + static_cast<std::ptrdiff_t>(j) * dim, row, dim);
        const double score = dot(q, row, dim) * static_cast<double>(args.scale);
        const double new_max = std::max(max, score);
        const auto keep = static_cast<float>(std::exp(max - new_max));
        const double p = std::exp(score - new_max);
        read(values + static_cast<std::ptrdiff_t>(j) * dim, row, dim);
        for (std::int32_t d = 0; d < dim; ++d)
            out[d] = out[d] * keep + static_cast<float>(p) * row[d];
        sum = sum * static_cast<double>(keep) + p;
        max = new_max;
    }
    for (std::int32_t d = 0; d < dim; ++d)
        out[d] = static_cast<float>(static_cast<double>(out[d]) / sum);
}

template <class Element, void (*read)(const Element*, float*, std::int32_t) noexcept>
void attention(const AttentionArgs& args) noexcept {
    for (std::int32_t t = 0; t < args.n_tokens; ++t) {
        for (std::int32_t h = 0; h < args.n_heads; ++h) {
            const auto offset =
                static_cast<std::size_t>(h) * static_cast<std::size_t>(args.head_dim);
            attend<Element, read>(args,
                                  args.q + static_cast<std::size_t>(t) * args.q_stride + offset,
                                  args.out + static_cast<std::size_t>(t) * args.out_stride + offset,
                                  args.first_pos + t + 1);
        }
    }
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

constexpr KernelTable kTable = {
    .name = "generic",
    .matmul_by_type = {},
    .matmul_any = matmul,
    .attention_f16 = attention<std::uint16_t, f16_to_f32>,
    .attention_f32 = attention<float, read_row>,
    .rms_norm = rms_norm,
    .rope = rope,
    .silu_mul = silu_mul,
    .softmax = softmax,
    .f32_to_f16 = f32_to_f16,
    .f16_to_f32 = f16_to_f32,
};

}  // namespace

const KernelTable& generic_table() noexcept { return kTable; }

}  // namespace notso::ml::kernels
