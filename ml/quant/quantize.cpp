#include "ml/quant/quantize.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "base/log.hpp"
#include "ml/quant/type_table.hpp"
#include "ml/runtime/thread_pool.hpp"

namespace notso::ml::quant {
namespace {

// Whole blocks of every type: 256 divides both.
constexpr std::uint64_t kTaskWeights = std::uint64_t{1} << 14;
constexpr std::uint64_t kPieceWeights = std::uint64_t{1} << 22;
constexpr std::uint64_t kCopyBytes = std::uint64_t{8} << 20;
constexpr float kLargestWeight = 65504;
constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint32_t kQuantizationVersion = 2;

std::uint64_t weights_of(const gguf::Tensor& tensor) {
    const auto layout = gguf::block_layout(tensor.type);
    return tensor.data.size() / layout->bytes * layout->elements;
}

std::string_view name_of(gguf::TensorType type) { return gguf::block_layout(type)->name; }

/// Types of one weight per block lose nothing worth a warning.
bool is_quantised(gguf::TensorType type) { return gguf::block_layout(type)->elements > 1; }

Result<ModelShape> shape_of(const gguf::File& file) {
    NOTSO_TRY(const auto arch, file.get_string("general.architecture"));
    if (!arch)
        return fail(ErrorCode::kCorruptData,
                    "{}: key \"general.architecture\" is missing",
                    file.path().string());
    const std::string layers_key = fmt::format("{}.block_count", *arch);
    NOTSO_TRY(const auto layers, file.get_uint(layers_key));
    if (!layers)
        return fail(ErrorCode::kCorruptData,
                    "{}: key {} is missing",
                    file.path().string(),
                    log::field(layers_key));
    // Some models give these per layer, as arrays; such a one counts as sharing.
    const auto heads = file.get_uint(fmt::format("{}.attention.head_count", *arch));
    const auto key_heads = file.get_uint(fmt::format("{}.attention.head_count_kv", *arch));
    const bool equal = heads && key_heads && *heads && (!*key_heads || **heads == **key_heads);
    return ModelShape{*layers, !equal};
}

Result<> refuse_part(const gguf::File& file) {
    NOTSO_TRY(const auto parts, file.get_uint("split.count"));
    if (!parts || *parts <= 1) return {};
    return fail(ErrorCode::kUnsupported,
                "{} is one of {} parts of a model: join them first",
                file.path().string(),
                *parts);
}

/// The input's keys; the two that describe the quantisation are set, in place or at the end.
std::vector<gguf::KeyValue> metadata_for(const gguf::File& file, const Mix& mix) {
    std::vector<gguf::KeyValue> out(file.metadata().begin(), file.metadata().end());
    const auto set = [&out](std::string_view key, std::uint32_t value) {
        const auto at = std::ranges::find(out, key, &gguf::KeyValue::key);
        if (at == out.end()) {
            out.push_back({key, value, 0});
        } else {
            at->value = value;
        }
    };
    set("general.quantization_version", kQuantizationVersion);
    set("general.file_type", mix.file_type);
    return out;
}

Result<> check_convertible(const gguf::File& file,
                           const gguf::Tensor& tensor,
                           gguf::TensorType to) {
    const TypeTraits* source = find_type(tensor.type);
    if (source == nullptr) {
        return fail(ErrorCode::kUnsupported,
                    "{}: tensor {} has the type {}, which can't be decoded; there are {}",
                    file.path().string(),
                    log::field(tensor.name),
                    name_of(tensor.type),
                    runnable_type_names());
    }
    const TypeTraits* target = find_type(to);
    if (target != nullptr && target->encode != nullptr) return {};
    return fail(ErrorCode::kUnsupported, "this program can't write the type {}", name_of(to));
}

void note_fallback(Plan& plan, const gguf::Tensor& tensor, const Choice& choice) {
    const std::uint64_t columns = tensor.shape.front();
    for (Fallback& known : plan.fallbacks) {
        if (known.wanted != choice.wanted || known.type != choice.type || known.columns != columns)
            continue;
        ++known.count;
        return;
    }
    plan.fallbacks.push_back({choice.wanted, choice.type, columns, 1, tensor.name});
}

/// Decodes, checks and encodes the pieces of one tensor on all threads.
class Converter {
  public:
    Converter(const TypeTraits& from, const TypeTraits& to, ThreadPool& pool)
        : from_(from),
          to_(to),
          pool_(pool),
          scratch_(kTaskWeights * static_cast<std::uint64_t>(pool.size())) {}

    /// @param in  `n` weights, encoded as `from`. @param out  the same as `to`.
    /// @return index of the first weight that no block can hold, or kNone.
    std::uint64_t run(std::span<const std::byte> in, std::span<std::byte> out, std::uint64_t n) {
        std::atomic<std::uint64_t> bad{kNone};
        const auto tasks = static_cast<std::int32_t>((n + kTaskWeights - 1) / kTaskWeights);
        pool_.run(tasks, [&](std::int32_t task, std::int32_t thread) noexcept {
            const std::uint64_t first = kTaskWeights * static_cast<std::uint64_t>(task);
            const std::uint64_t count = std::min(kTaskWeights, n - first);
            float* weights = scratch_.data() + kTaskWeights * static_cast<std::uint64_t>(thread);
            from_.decode(in.data() + first / from_.elements * from_.bytes, weights, count);
            const std::uint64_t wrong = first_wrong(weights, count);
            if (wrong != kNone) {
                std::uint64_t seen = bad.load();
                while (first + wrong < seen && !bad.compare_exchange_weak(seen, first + wrong)) {
                }
                return;
            }
            to_.encode(weights, out.data() + first / to_.elements * to_.bytes, count);
        });
        return bad.load();
    }

  private:
    static std::uint64_t first_wrong(const float* weights, std::uint64_t n) noexcept {
        for (std::uint64_t i = 0; i < n; ++i)
            if (!(std::abs(weights[i]) <= kLargestWeight)) return i;  // NaN too
        return kNone;
    }

    const TypeTraits& from_;
    const TypeTraits& to_;
    ThreadPool& pool_;
    std::vector<float> scratch_;
};

/// One run of quantize().
class Job {
  public:
    Job(const gguf::File& file,
        gguf::Writer& writer,
        const QuantizeOptions& options,
        const Plan& plan)
        : file_(file), writer_(writer), options_(options), pool_(std::max(1, options.n_threads)) {
        progress_.total = plan.n_weights;
    }

    Result<> write(const gguf::Tensor& tensor, gguf::TensorType type) {
        progress_.tensor = tensor.name;
        return type == tensor.type ? copy(tensor) : convert(tensor, type);
    }

  private:
    Result<> advance(std::uint64_t weights) {
        progress_.done += weights;
        if (options_.on_progress) options_.on_progress(progress_);
        if (options_.stop.stop_requested())
            return fail(ErrorCode::kCancelled, "interrupted: nothing was written");
        return {};
    }

    Result<> copy(const gguf::Tensor& tensor) {
        const std::uint64_t bytes = tensor.data.size();
        for (std::uint64_t at = 0; at < bytes; at += kCopyBytes) {
            in_.resize(std::min(kCopyBytes, bytes - at));
            NOTSO_CHECK(file_.read(tensor.file_offset + at, in_));
            NOTSO_CHECK(writer_.write(in_));
            NOTSO_CHECK(advance(0));
        }
        return advance(weights_of(tensor));
    }

    Result<> convert(const gguf::Tensor& tensor, gguf::TensorType type) {
        const TypeTraits& from = *find_type(tensor.type);
        const TypeTraits& to = *find_type(type);
        Converter converter(from, to, pool_);
        const std::uint64_t total = weights_of(tensor);
        for (std::uint64_t at = 0; at < total; at += kPieceWeights) {
            const std::uint64_t n = std::min(kPieceWeights, total - at);
            in_.resize(n / from.elements * from.bytes);
            out_.resize(n / to.elements * to.bytes);
            NOTSO_CHECK(file_.read(tensor.file_offset + at / from.elements * from.bytes, in_));
            const std::uint64_t wrong = converter.run(in_, out_, n);
            if (wrong != kNone) return refuse_weight(tensor, at + wrong);
            NOTSO_CHECK(writer_.write(out_));
            NOTSO_CHECK(advance(n));
        }
        return {};
    }

    std::unexpected<Error> refuse_weight(const gguf::Tensor& tensor, std::uint64_t index) const {
        return fail(
            ErrorCode::kCorruptData,
            "{}: tensor {} has a weight at index {} (row {}, column {}) that is NaN, infinite or "
            "above "
            "{} in magnitude: the file is damaged, or was written by a training run that diverged",
            file_.path().string(),
            log::field(tensor.name),
            index,
            index / tensor.shape.front(),
            index % tensor.shape.front(),
            kLargestWeight);
    }

    const gguf::File& file_;
    gguf::Writer& writer_;
    const QuantizeOptions& options_;
    ThreadPool pool_;
    Progress progress_;
    std::vector<std::byte> in_;
    std::vector<std::byte> out_;
};

}  // namespace

Result<Plan> plan_quantization(const gguf::File& file, const Mix& mix) {
    NOTSO_CHECK(refuse_part(file));
    NOTSO_TRY(const ModelShape shape, shape_of(file));
    Plan plan;
    plan.mix = mix;
    plan.choices = choose_types(mix, shape, file.tensors());
    std::vector<gguf::NewTensor> tensors;
    for (std::size_t i = 0; i < plan.choices.size(); ++i) {
        const gguf::Tensor& tensor = file.tensors()[i];
        const Choice& choice = plan.choices[i];
        plan.n_weights += weights_of(tensor);
        tensors.push_back({tensor.name, choice.type, tensor.shape});
        if (choice.wanted != choice.type) note_fallback(plan, tensor, choice);
        if (choice.type == tensor.type) continue;
        NOTSO_CHECK(check_convertible(file, tensor, choice.type));
        ++plan.n_converted;
        if (is_quantised(tensor.type)) plan.already_quantised = name_of(tensor.type);
    }
    NOTSO_TRY(plan.layout, gguf::lay_out(metadata_for(file, mix), tensors));
    return plan;
}

Result<> quantize(const gguf::File& file,
                  const Plan& plan,
                  const std::filesystem::path& out,
                  const QuantizeOptions& options) {
    std::error_code ignored;  // where one of them is not there they are not the same
    if (std::filesystem::equivalent(file.path(), out, ignored))
        return fail(
            ErrorCode::kInvalidArgument, "{} is the input: choose another name", out.string());
    NOTSO_TRY(gguf::Writer writer, gguf::Writer::create(out, plan.layout, options.if_exists));
    Job job(file, writer, options, plan);
    for (std::size_t i = 0; i < plan.choices.size(); ++i)
        NOTSO_CHECK(job.write(file.tensors()[i], plan.choices[i].type));
    return writer.commit();
}

}  // namespace notso::ml::quant
