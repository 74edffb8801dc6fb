// notso quantize: writes a model in smaller types. Progress goes to stderr, the summary to stdout.
#include "ml/quant/quantize.hpp"

#include <unistd.h>

#include <iostream>
#include <stop_token>

#include "app/answer.hpp"
#include "app/commands/command.hpp"
#include "app/interrupts.hpp"
#include "app/model_choice.hpp"
#include "base/clock.hpp"
#include "ml/device/resources.hpp"

namespace notso::app {
namespace {

namespace gguf = ml::gguf;
namespace quant = ml::quant;

struct Options {
    std::string in;
    std::string out;
    std::string type;
    bool force = false;
};

std::string megabytes(std::uint64_t bytes) {
    return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::string_view name_of(gguf::TensorType type) { return gguf::block_layout(type)->name; }

/// One line that is drawn over on a terminal, a line per tenth elsewhere.
class ProgressLine {
  public:
    ~ProgressLine() {
        if (terminal_ && shown_ >= 0) std::cerr << "\r\x1b[K" << std::flush;
    }
    void show(const quant::Progress& progress) {
        const double share =
            static_cast<double>(progress.done) / static_cast<double>(progress.total);
        const int percent = static_cast<int>(100 * share);
        if (percent == shown_ || (!terminal_ && percent / 10 == shown_ / 10 && shown_ >= 0)) return;
        shown_ = percent;
        const std::chrono::duration<double> spent = SteadyClock::now() - start_;
        const std::string line = fmt::format("{:3} %  {:<32} {:4.0f} s left",
                                             percent,
                                             terminal_safe(progress.tensor),
                                             spent.count() * (1 - share) / std::max(share, 1e-9));
        std::cerr << (terminal_ ? "\r\x1b[K" : "") << line << (terminal_ ? "" : "\n") << std::flush;
    }

  private:
    const bool terminal_ = ::isatty(STDERR_FILENO) != 0;
    const SteadyClock::time_point start_ = SteadyClock::now();
    int shown_ = -1;
};

void print_notes(const quant::Plan& plan) {
    for (const quant::Fallback& fallback : plan.fallbacks)
        std::cout << fmt::format(
            "fallback: {} instead of {} for {} tensors with {} columns ({}, …)\n",
            name_of(fallback.type),
            name_of(fallback.wanted),
            fallback.count,
            fallback.columns,
            terminal_safe(fallback.first));
    if (!plan.already_quantised.empty())
        std::cout << fmt::format(
            "note: the input is quantised already ({}); doing it again loses quality that a "
            "file in F16, BF16 or F32 still has\n",
            plan.already_quantised);
    std::cout << std::flush;
}

void print_summary(const gguf::File& file, const quant::Plan& plan, double seconds) {
    std::cout << fmt::format(
        "{}: {} of {} tensors converted, {} to {}, {:.2f} bits a weight, {:.1f} s\n",
        plan.mix.name,
        plan.n_converted,
        plan.choices.size(),
        megabytes(file.size_bytes()),
        megabytes(plan.layout.file_bytes),
        8 * static_cast<double>(plan.layout.file_bytes) /
            static_cast<double>(std::max<std::uint64_t>(1, plan.n_weights)),
        seconds);
}

Result<int> run(Settings settings, const Options& options) {
    const auto mix = quant::find_mix(options.type);
    if (!mix) return usage_error(mix.error().detail);
    settings.model = options.in;
    NOTSO_TRY(const std::filesystem::path in, choose_model(settings));
    std::stop_source stop;
    Interrupts interrupts;
    interrupts.handle([&stop] { stop.request_stop(); });
    NOTSO_TRY(const auto file, gguf::File::open(in));
    NOTSO_TRY(const quant::Plan plan, quant::plan_quantization(*file, *mix));
    const auto start = SteadyClock::now();
    {
        ProgressLine line;
        quant::QuantizeOptions how;
        how.n_threads = settings.threads > 0 ? settings.threads : ml::count_cores().usable;
        how.if_exists = options.force ? gguf::IfExists::kReplace : gguf::IfExists::kRefuse;
        how.stop = stop.get_token();
        how.on_progress = [&line](const quant::Progress& progress) { line.show(progress); };
        auto done = quant::quantize(*file, plan, options.out, how);
        if (!done && done.error().code == ErrorCode::kAlreadyExists && !options.force)
            done.error().detail += ": choose another name, or replace it with --force";
        NOTSO_CHECK(std::move(done));
    }
    print_notes(plan);
    print_summary(*file, plan, std::chrono::duration<double>(SteadyClock::now() - start).count());
    return kExitOk;
}

}  // namespace

CommandBody declare_quantize(OptionList& options) {
    auto values = std::make_shared<Options>();
    options.required_text("in", values->in, "GGUF file, or the name of an installed model");
    options.required_text("out", values->out, "the file to write");
    options.required_text("type", values->type, "Q8_0, Q4_0, Q4_K_M, Q5_K_M, Q6_K or F16");
    options.flag("--force", values->force, "replace a file that is there");
    return [values](const Settings& settings) { return run(settings, *values); };
}

}  // namespace notso::app
