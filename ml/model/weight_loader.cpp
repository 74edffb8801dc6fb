#include "ml/model/weight_loader.hpp"

#include <atomic>
#include <cstring>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "ml/kernels/generic/table.hpp"
#include "ml/quant/pack.hpp"

namespace notso::ml {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{8} << 20;

Result<> check_stop(const WeightOptions& options) {
    if (options.stop.stop_requested())
        return fail(ErrorCode::kCancelled, "loading the model was cancelled");
    return {};
}

/// What the threads of one load share.
struct Load {
    const gguf::File& file;
    const ModelSpec& spec;
    const WeightOptions& options;
    const WeightPlan& plan;
    std::span<std::byte> memory;
    std::atomic<std::size_t> next = 0;  ///< Tensor to be taken.
    std::atomic<std::uint64_t> done_bytes = 0;
    std::mutex mutex = {};
    std::optional<Error> error = {};  ///< The first; under `mutex`.

    void fail_with(Error what) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::move(what);
        next = plan.tensors().size();  // nobody begins another one
    }
};

/// One thread's part: tensors, one after the other.
class Loader {
  public:
    /// @param tells  This thread tells how far the load is.
    Loader(Load& shared, bool tells)
        : shared_(shared), file_(shared.file), spec_(shared.spec), tells_(tells) {}

    /// Until none is left. The seam for exceptions of the library.
    void run() noexcept {
        try {
            for (std::size_t i = shared_.next++; i < shared_.plan.tensors().size();
                 i = shared_.next++) {
                auto loaded = load(shared_.plan.tensors()[i]);
                if (!loaded) return shared_.fail_with(std::move(loaded).error());
            }
        } catch (const std::bad_alloc&) {
            shared_.fail_with({ErrorCode::kOutOfMemory, "not enough memory to load the model"});
        }
    }

  private:
    Result<> load(const PlannedTensor& planned) {
        const auto place = shared_.memory.subspan(planned.memory_offset, planned.memory_bytes);
        if (planned.vector != nullptr) return load_vector(planned, place);
        Matrix& matrix = *planned.matrix;
        matrix.data = place.data();
        choose_packed(matrix);
        if (!matrix.is_packed()) matrix.matmul = choose_matmul(matrix);
        return planned.order == RowOrder::kHalfSplit ? load_half_split(planned, place)
                                                     : load_rows(planned, place);
    }

    /// Heads that are no whole groups of columns would begin inside of a panel or a group: none are
    /// packed then.
    void choose_packed(Matrix& matrix) const {
        if (matrix.n_cols % kernels::kTokenGroup != 0 ||
            spec_.config.head_dim % kernels::kTokenGroup != 0)
            return;
        const auto type = static_cast<std::size_t>(matrix.type->type);
        for (std::size_t i = 0; i < kPrecisions; ++i)
            matrix.packed[i] = shared_.options.kernels->packed[i].by_type[type];
    }

    kernels::Matmul choose_matmul(const Matrix& matrix) const {
        // Rows that are no whole number of vectors take the plain kernel, which reads any length.
        if (matrix.n_cols % kernels::kColumnMultiple != 0)
            return kernels::generic_table().matmul_any;
        const auto by_type =
            shared_.options.kernels->matmul_by_type[static_cast<std::size_t>(matrix.type->type)];
        return by_type != nullptr ? by_type : shared_.options.kernels->matmul_any;
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
        NOTSO_CHECK(check_stop(shared_.options));
        const std::uint64_t done = shared_.done_bytes += bytes;
        if (tells_ && shared_.options.on_progress) {
            shared_.options.on_progress(std::min(
                1.0, static_cast<double>(done) / static_cast<double>(shared_.plan.total_bytes())));
        }
        return {};
    }

    Load& shared_;
    const gguf::File& file_;
    const ModelSpec& spec_;
    bool tells_;
    std::vector<std::byte> rows_;  // on their way into panels
};

}  // namespace

Result<> load_planned(const gguf::File& file,
                      const ModelSpec& spec,
                      const WeightOptions& options,
                      const WeightPlan& plan,
                      std::span<std::byte> memory) {
    Load shared{file, spec, options, plan, memory};
    {
        std::vector<std::jthread> helpers;
        for (std::int32_t i = 1; i < options.n_threads; ++i)
            helpers.emplace_back([&shared] { Loader(shared, false).run(); });
        Loader(shared, true).run();
    }
    if (shared.error) return std::unexpected(*std::move(shared.error));
    if (options.on_progress) options.on_progress(1.0);
    return check_stop(options);
}

}  // namespace notso::ml
