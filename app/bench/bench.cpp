#include "app/bench/bench.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <optional>

#include "app/model_choice.hpp"
#include "base/clock.hpp"
#include "ml/device/device_manager.hpp"
#include "ml/gguf/file.hpp"
#include "ml/model/model.hpp"
#include "ml/model/work.hpp"
#include "ml/runtime/kv_cache.hpp"
#include "ml/runtime/machine_probe.hpp"

namespace notso::app {
namespace {

constexpr std::uint64_t kProbeBytes = std::uint64_t{1} << 30;
constexpr std::chrono::milliseconds kProbeTime{1500};
constexpr std::chrono::milliseconds kMomentTime{100};
/// Tokens that are generated between two moments of reading.
constexpr std::int32_t kTokensOfSlice = 16;
constexpr std::chrono::milliseconds kMultiplyTime{300};
constexpr std::chrono::milliseconds kJoinTime{100};
constexpr double kReachableMultiplying = 0.75;  // of the measured rate, beside all other work
constexpr double kBytesPerActivation = 2;       // of exact products

double median(std::vector<double> values) {
    std::ranges::sort(values);
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// Memory of this process that is in RAM; 0 where the system does not say.
std::uint64_t resident_bytes() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        std::uint64_t kib = 0;
        if (word == "VmRSS:" && status >> kib) return kib << 10;
    }
    return 0;
}

/// Measures the machine itself.
class MachineBench {
  public:
    MachineBench(const ml::DeviceManager& device, std::int32_t n_threads)
        : device_(device), n_threads_(n_threads) {}

    Result<ml::ReadProbe> read_probe() const {
        const std::uint64_t room = device_.memory().available_bytes / 4;
        return ml::ReadProbe::create(device_.kernels(), n_threads_, std::min(kProbeBytes, room));
    }

    Result<MachineLimits> limits() const {
        MachineLimits limits{};
        NOTSO_TRY(const ml::ReadProbe probe, read_probe());
        limits.read_rate = probe.rate(kProbeTime);
        limits.multiply_rate =
            ml::measure_multiply_rate(device_.kernels(), n_threads_, kMultiplyTime);
        limits.join_seconds = ml::measure_join_seconds(n_threads_, kJoinTime);
        return limits;
    }

  private:
    const ml::DeviceManager& device_;
    std::int32_t n_threads_;
};

/// Measures one loaded model. Tokens are any: the time does not depend on them.
class ModelBench {
  public:
    ModelBench(const ml::Model& model,
               ml::Work work,
               const MachineBench& machine,
               const MachineLimits& limits,
               std::int32_t repeats)
        : model_(model), work_(work), machine_(machine), limits_(limits), repeats_(repeats) {}

    Result<BenchRate> read_prompt(std::int32_t n, ml::Precision precision) const {
        const auto run = [&]() -> Result<double> { return prompt_rate(n, precision); };
        const char* name = ml::kPrecisionNames[static_cast<std::size_t>(precision)];
        NOTSO_TRY(BenchRate rate, repeat(fmt::format("pp{} {}", n, name), run));
        if (limits_.multiply_rate > 0) {
            const double macs = static_cast<double>(work_.prompt_macs) +
                                static_cast<double>(work_.head_macs) / static_cast<double>(n);
            rate.share = rate.median * macs / limits_.multiply_rate;
        }
        return rate;
    }

    /// Decodes `n` tokens after `depth` others, which are read first. The limit then counts the
    /// keys and values that half of the tokens' way reads, beside the weights.
    Result<BenchRate> generate(std::int32_t n, std::int32_t depth) const {
        const auto kv = static_cast<double>(model_.memory().kv_bytes_per_token);
        const double kv_bytes = depth > 0 ? kv * (depth + n / 2.0) : 0;
        NOTSO_TRY(const auto cache, make_cache(depth + n + 1));
        NOTSO_CHECK(model_.forward(tokens(depth), *cache, {}, ml::Precision::kFast));
        const auto run = [&](const Slice& on_slice) -> Result<double> {
            cache->truncate(depth);
            return decode_rate(*cache, n, on_slice);
        };
        const auto bound = [&](double read_rate) {
            return (static_cast<double>(work_.bytes_per_token) + kv_bytes) / read_rate;
        };
        const std::string at = depth > 0 ? fmt::format("@{}", depth) : "";
        return repeat_beside_reading(fmt::format("tg{}{}", n, at), bound, run);
    }

    Result<BenchRate> generate_together(std::int32_t n, std::int32_t n_sequences) const {
        const auto run = [&](const Slice& on_slice) {
            return batch_rate(n, n_sequences, on_slice);
        };
        const auto bound = [&](double read_rate) { return step_bound(n_sequences, read_rate); };
        NOTSO_TRY(BenchRate rate,
                  repeat_beside_reading(fmt::format("tg{} x{}", n, n_sequences), bound, run));
        const double seconds = n_sequences / rate.median;
        rate.step = {
            .n_sequences = n_sequences, .seconds = seconds, .bound_seconds = rate.share * seconds};
        return rate;
    }

  private:
    /// Called after so many steps, which took so many seconds.
    using Slice = std::function<void(std::int32_t n_steps, double seconds)>;

    /// See BenchStep::bound_seconds.
    double step_bound(std::int32_t n_sequences, double read_rate) const {
        const double reading = static_cast<double>(work_.bytes_per_token) / read_rate;
        if (limits_.multiply_rate <= 0) return reading;
        const double macs = static_cast<double>(work_.prompt_macs + work_.head_macs) * n_sequences;
        return std::max(
            reading, kBytesPerActivation * macs / (kReachableMultiplying * limits_.multiply_rate));
    }

    template <class Run>
    Result<BenchRate> repeat(std::string name, const Run& run) const {
        std::vector<double> rates;
        for (std::int32_t i = 0; i < repeats_; ++i) {
            NOTSO_TRY(const double rate, run());
            rates.push_back(rate);
        }
        const auto [least, most] = std::ranges::minmax(rates);
        return BenchRate{
            .name = std::move(name), .median = median(rates), .least = least, .most = most};
    }

    /// The same of what memory bounds. Some machines read at half their speed for seconds or
    /// minutes, so each slice of a measurement stands between two moments of reading: the faster
    /// one says what was possible, and the median of all slices is the share.
    /// @param bound  Seconds that a step takes at least, by bytes read per second.
    template <class Bound, class Run>
    Result<BenchRate> repeat_beside_reading(std::string name,
                                            const Bound& bound,
                                            const Run& run) const {
        NOTSO_TRY(const ml::ReadProbe probe, machine_.read_probe());
        std::vector<double> shares;
        std::vector<double> read_rates;
        double before = probe.rate(kMomentTime);
        const Slice on_slice = [&](std::int32_t n_steps, double seconds) {
            const double after = probe.rate(kMomentTime);
            read_rates.push_back(std::max(before, after));
            shares.push_back(bound(read_rates.back()) * n_steps / seconds);
            before = after;
        };
        NOTSO_TRY(BenchRate rate, repeat(std::move(name), [&] { return run(on_slice); }));
        rate.read_rate = median(std::move(read_rates));
        rate.share = median(std::move(shares));
        return rate;
    }

    /// Runs step(i) for every i in [0, n), slice by slice. @return Seconds that the steps took.
    template <class Step>
    static Result<double> run_slices(std::int32_t n, const Slice& on_slice, const Step& step) {
        double sum = 0;
        for (std::int32_t first = 0; first < n; first += kTokensOfSlice) {
            const std::int32_t end = std::min(first + kTokensOfSlice, n);
            const auto start = SteadyClock::now();
            for (std::int32_t i = first; i < end; ++i) NOTSO_CHECK(step(i));
            const double seconds = seconds_since(start);
            sum += seconds;
            on_slice(end - first, seconds);
        }
        return sum;
    }

    Result<std::unique_ptr<ml::KvCache>> make_cache(std::int32_t n) const {
        return ml::KvCache::create(model_.config(), n, model_.memory().kv_type);
    }

    ml::TokenId token(std::int32_t i) const {
        return ml::TokenId{
            static_cast<std::int32_t>(i * std::int64_t{7919} % model_.config().n_vocab)};
    }

    std::vector<ml::TokenId> tokens(std::int32_t n) const {
        std::vector<ml::TokenId> ids;
        for (std::int32_t i = 0; i < n; ++i) ids.push_back(token(i));
        return ids;
    }

    Result<double> prompt_rate(std::int32_t n, ml::Precision precision) const {
        const std::vector<ml::TokenId> prompt = tokens(n);
        std::vector<float> logits(static_cast<std::size_t>(model_.config().n_vocab));
        NOTSO_TRY(const auto cache, make_cache(n));
        const auto start = SteadyClock::now();
        NOTSO_CHECK(model_.forward(prompt, *cache, logits, precision));
        return n / seconds_since(start);
    }

    Result<double> decode_rate(ml::KvCache& cache, std::int32_t n, const Slice& on_slice) const {
        std::vector<float> logits(static_cast<std::size_t>(model_.config().n_vocab));
        const auto step = [&](std::int32_t i) {
            const ml::TokenId next = token(i);
            return model_.forward(std::span(&next, 1), cache, logits);
        };
        NOTSO_CHECK(step(0));
        NOTSO_TRY(const double seconds,
                  run_slices(n, on_slice, [&](std::int32_t i) { return step(i + 1); }));
        return n / seconds;
    }

    /// Tokens per second of all sequences. The first token of each is not counted.
    Result<double> batch_rate(std::int32_t n,
                              std::int32_t n_sequences,
                              const Slice& on_slice) const {
        const auto n_vocab = static_cast<std::size_t>(model_.config().n_vocab);
        const auto count = static_cast<std::size_t>(n_sequences);
        std::vector<float> logits(n_vocab * count);
        std::vector<ml::TokenId> next(count);
        std::vector<std::unique_ptr<ml::KvCache>> caches(count);
        std::vector<ml::Segment> segments;
        for (std::size_t i = 0; i < count; ++i) {
            NOTSO_TRY(caches[i], make_cache(n + 1));
            segments.push_back({.tokens = std::span(next).subspan(i, 1),
                                .cache = *caches[i],
                                .logits = std::span(logits).subspan(i * n_vocab, n_vocab)});
        }
        const auto step = [&](std::int32_t number) {
            for (std::int32_t i = 0; i < n_sequences; ++i)
                next[static_cast<std::size_t>(i)] = token(number * n_sequences + i);
            return model_.forward(segments);
        };
        NOTSO_CHECK(step(0));
        NOTSO_TRY(const double seconds,
                  run_slices(n, on_slice, [&](std::int32_t i) { return step(i + 1); }));
        return n * n_sequences / seconds;
    }

    const ml::Model& model_;
    ml::Work work_;
    MachineBench machine_;
    MachineLimits limits_;
    std::int32_t repeats_;
};

Result<> check_lengths(const ml::ModelConfig& config, const BenchOptions& options) {
    std::int32_t longest = options.depth + options.n_generated + 1;
    for (const std::int32_t n : options.prompts) longest = std::max(longest, n);
    if (longest <= config.context_length) return {};
    return fail(ErrorCode::kInvalidArgument,
                "{} tokens are more than the model's context of {}",
                longest,
                config.context_length);
}

/// Loads the model `repeats` times; keeps the last.
Result<std::shared_ptr<const ml::Model>> load_often(const std::filesystem::path& path,
                                                    const Settings& settings,
                                                    const BenchOptions& options,
                                                    double& seconds) {
    std::vector<double> times;
    std::shared_ptr<const ml::Model> model;
    for (std::int32_t i = 0; i < options.repeats; ++i) {
        model.reset();
        const auto start = SteadyClock::now();
        NOTSO_TRY(model, ml::Model::load(path, load_options(settings)));
        times.push_back(seconds_since(start));
    }
    seconds = median(times);
    return model;
}

}  // namespace

Result<BenchReport> run_bench(const Settings& settings, const BenchOptions& options) {
    const auto step = [&options](const std::string& what) {
        if (options.on_step) options.on_step(what);
    };
    NOTSO_TRY(const std::filesystem::path path, choose_model(settings));
    NOTSO_TRY(const auto file, ml::gguf::File::open(path));
    NOTSO_TRY(const ml::DeviceManager device, ml::DeviceManager::create());
    BenchReport report{.model = path.stem().string(),
                       .cpu = device.cpu().name,
                       .kernels = device.kernels().name,
                       .n_threads = ml::choose_threads(settings.threads, device.cores()),
                       .rates = {}};
    step("the machine's limits");
    const MachineBench machine(device, report.n_threads);
    NOTSO_TRY(report.limits, machine.limits());
    step("loading");
    NOTSO_TRY(const auto model, load_often(path, settings, options, report.load_seconds));
    NOTSO_CHECK(check_lengths(model->config(), options));
    const ml::Work work = ml::work_of(*file, model->config());
    report.work = {.bytes_per_token = work.bytes_per_token,
                   .kv_bytes_per_token = model->memory().kv_bytes_per_token,
                   .prompt_macs = work.prompt_macs,
                   .head_macs = work.head_macs};
    const ModelBench bench(*model, work, machine, report.limits, options.repeats);
    for (const std::int32_t n : options.prompts) {
        for (const ml::Precision precision : {ml::Precision::kExact, ml::Precision::kFast}) {
            step(fmt::format("a prompt of {} tokens", n));
            NOTSO_TRY(BenchRate rate, bench.read_prompt(n, precision));
            report.rates.push_back(std::move(rate));
        }
    }
    if (options.n_generated > 0) {
        step(fmt::format("{} generated tokens", options.n_generated));
        NOTSO_TRY(BenchRate rate, bench.generate(options.n_generated, 0));
        report.rates.push_back(std::move(rate));
    }
    if (options.n_generated > 0 && options.depth > 0) {
        step(fmt::format("{} tokens after {}", options.n_generated, options.depth));
        NOTSO_TRY(BenchRate rate, bench.generate(options.n_generated, options.depth));
        report.rates.push_back(std::move(rate));
    }
    for (const std::int32_t n_sequences : options.batches) {
        step(fmt::format("{} generated tokens of {} sequences", options.n_generated, n_sequences));
        NOTSO_TRY(BenchRate rate, bench.generate_together(options.n_generated, n_sequences));
        report.rates.push_back(std::move(rate));
    }
    for (const BenchRate& rate : report.rates)
        report.limits.read_rate = std::max(report.limits.read_rate, rate.read_rate);
    report.planned_bytes = model->memory().total_bytes();
    report.resident_bytes = resident_bytes();
    return report;
}

}  // namespace notso::app
