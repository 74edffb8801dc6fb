#include "ml/model/weights.hpp"

#include <cmath>
#include <cstring>

#include "ml/kernels/generic/table.hpp"
#include "ml/model/weight_plan.hpp"
#include "ml/quant/pack.hpp"

namespace notso::ml {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{8} << 20;

/// Brings planned tensors into memory, one after the other, and tells how far it is.
class Loader {
  public:
    Loader(const gguf::File& file,
           const ModelSpec& spec,
           const WeightOptions& options,
           std::uint64_t total_bytes)
        : file_(file), spec_(spec), options_(options), total_bytes_(total_bytes) {}

    Result<> load(const PlannedTensor& planned, std::span<std::byte> memory) {
        const auto place = memory.subspan(planned.memory_offset, planned.memory_bytes);
        if (planned.vector != nullptr) return load_vector(planned, place);
        Matrix& matrix = *planned.matrix;
        matrix.data = place.data();
        choose_packed(matrix);
        if (!matrix.is_packed()) matrix.matmul = choose_matmul(matrix);
        return planned.order == RowOrder::kHalfSplit ? load_half_split(planned, place)
                                                     : load_rows(planned, place);
    }

  private:
    /// Heads that are no whole groups of columns would begin inside of a panel or a group: none are
    /// packed then.
    void choose_packed(Matrix& matrix) const {
        if (matrix.n_cols % kernels::kTokenGroup != 0 ||
            spec_.config.head_dim % kernels::kTokenGroup != 0)
            return;
        const auto type = static_cast<std::size_t>(matrix.type->type);
        for (std::size_t i = 0; i < kPrecisions; ++i)
            matrix.packed[i] = options_.kernels->packed[i].by_type[type];
    }

    kernels::Matmul choose_matmul(const Matrix& matrix) const {
        // Rows that are no whole number of vectors take the plain kernel, which reads any length.
        if (matrix.n_cols % kernels::kColumnMultiple != 0)
            return kernels::generic_table().matmul_any;
        const auto by_type =
            options_.kernels->matmul_by_type[static_cast<std::size_t>(matrix.type->type)];
        return by_type != nullptr ? by_type : options_.kernels->matmul_any;
    }

    Result<> load_rows(const PlannedTensor& planned, std::span<std::byte> place) {
        const Matrix& matrix = *planned.matrix;
        const std::size_t chunk_bytes =
            std::max<std::size_t>(1, kChunkBytes / (quant::kPackRows * matrix.row_bytes)) *
            quant::kPackRows * matrix.row_bytes;
        const std::size_t n_bytes = planned.tensor->data.size();
        if (matrix.is_packed()) rows_.resize(std::min(chunk_bytes, n_bytes));
        for (std::size_t at = 0; at < n_bytes; at += chunk_bytes) {
            const std::size_t size = std::min(chunk_bytes, n_bytes - at);
            const std::span<std::byte> part =
                matrix.is_packed() ? std::span(rows_).first(size) : place.subspan(at, size);
            NOTSO_CHECK(file_.read(planned.tensor->file_offset + at, part));
            if (matrix.is_packed()) pack(matrix, part, place.data() + at);
            NOTSO_CHECK(advance(part.size()));
        }
        return {};
    }

    /// Whole rows from the start of a panel on.
    static void pack(const Matrix& matrix, std::span<const std::byte> rows, std::byte* panels) {
        const std::size_t panel_bytes = quant::kPackRows * matrix.row_bytes;
        const quant::PackFields& fields = *quant::find_pack_fields(matrix.type->type);
        for (std::size_t at = 0; at < rows.size(); at += panel_bytes) {
            const std::size_t n_rows = std::min(panel_bytes, rows.size() - at) / matrix.row_bytes;
            quant::pack_rows(fields, rows.data() + at, n_rows, matrix.row_bytes, panels + at);
        }
    }

    /// Row 2i of a head goes to i, row 2i + 1 to i + n_rot / 2; rows that are not rotated stay.
    std::size_t half_split_row(std::size_t row) const noexcept {
        const auto n_rot = static_cast<std::size_t>(spec_.config.n_rot);
        return row < n_rot ? row / 2 + row % 2 * (n_rot / 2) : row;
    }

    Result<> load_half_split(const PlannedTensor& planned, std::span<std::byte> place) {
        const std::size_t row_bytes = planned.matrix->row_bytes;
        const auto head_dim = static_cast<std::size_t>(spec_.config.head_dim);
        const bool packed = planned.matrix->is_packed();
        std::vector<std::byte> head(head_dim * row_bytes);
        rows_.resize(head.size());
        for (std::size_t at = 0; at < planned.tensor->data.size(); at += head.size()) {
            NOTSO_CHECK(file_.read(planned.tensor->file_offset + at, head));
            std::byte* ordered = packed ? rows_.data() : place.data() + at;
            for (std::size_t row = 0; row < head_dim; ++row) {
                std::memcpy(ordered + half_split_row(row) * row_bytes,
                            head.data() + row * row_bytes,
                            row_bytes);
            }
            if (packed) pack(*planned.matrix, rows_, place.data() + at);
            NOTSO_CHECK(advance(head.size()));
        }
        return {};
    }

    Result<> load_vector(const PlannedTensor& planned, std::span<std::byte> place) {
        std::vector<std::byte> stored(planned.tensor->data.size());
        NOTSO_CHECK(file_.read(planned.tensor->file_offset, stored));
        auto* values = reinterpret_cast<float*>(place.data());
        const std::size_t n = place.size() / sizeof(float);
        planned.type->decode(stored.data(), values, n);
        if (planned.order == RowOrder::kHalfSplit) put_half_split({values, n});
        *planned.vector = values;
        return advance(place.size());
    }

    void put_half_split(std::span<float> values) const {
        const auto head_dim = static_cast<std::size_t>(spec_.config.head_dim);
        const std::vector<float> stored(values.begin(), values.end());
        for (std::size_t i = 0; i < values.size(); ++i) {
            const std::size_t row = i % head_dim;
            values[i - row + half_split_row(row)] = stored[i];
        }
    }

    Result<> advance(std::uint64_t bytes) {
        if (options_.stop.stop_requested())
            return fail(ErrorCode::kCancelled, "loading the model was cancelled");
        done_bytes_ += bytes;
        if (options_.on_progress) {
            options_.on_progress(std::min(
                1.0, static_cast<double>(done_bytes_) / static_cast<double>(total_bytes_)));
        }
        return {};
    }

    const gguf::File& file_;
    const ModelSpec& spec_;
    const WeightOptions& options_;
    std::uint64_t total_bytes_;
    std::uint64_t done_bytes_ = 0;
    std::vector<std::byte> rows_;  // on their way into panels
};

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
    Loader loader(file, spec, options, plan.total_bytes());
    for (const PlannedTensor& planned : plan.tensors()) {
        NOTSO_CHECK(loader.load(planned, weights.memory.bytes()));
    }
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
