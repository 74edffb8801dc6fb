// notso pull: fetches a model into the models folder. Progress goes to stderr, the file's path to
// stdout.
#include "services/models/pull.hpp"

#include <unistd.h>

#include <iostream>
#include <stop_token>

#include "app/answer.hpp"
#include "app/commands/command.hpp"
#include "app/interrupts.hpp"
#include "base/clock.hpp"
#include "services/models/sha256.hpp"

namespace notso::app {
namespace {

using services::PullProgress;
using services::PullStage;

struct Options {
    std::string what;
    std::optional<std::string> sha256;
    bool force = false;
};

double pull_megabytes(std::uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

/// One line that is drawn over on a terminal, a line per tenth elsewhere.
class PullLine {
  public:
    ~PullLine() { clear(); }

    void show(const PullProgress& progress) {
        if (progress.stage != stage_ || progress.done < last_done_) begin(progress);
        last_done_ = progress.done;
        if (progress.total == 0 || !is_due(progress)) return;
        std::cerr << (terminal_ ? "\r\x1b[K" : "") << line(progress) << (terminal_ ? "" : "\n")
                  << std::flush;
        drawn_ = terminal_;
    }

    void note(const std::string& text) {
        clear();
        std::cerr << terminal_safe(text) << std::endl;
    }

  private:
    static constexpr std::chrono::milliseconds kRedraw{100};
    static constexpr int kBarCells = 24;

    void clear() {
        if (drawn_) std::cerr << "\r\x1b[K" << std::flush;
        drawn_ = false;
    }

    void begin(const PullProgress& progress) {
        stage_ = progress.stage;
        start_ = SteadyClock::now();
        start_done_ = progress.done;
        shown_tenth_ = -1;
    }

    bool is_due(const PullProgress& progress) {
        const bool whole = progress.done == progress.total;
        if (terminal_) {
            if (!whole && SteadyClock::now() - drawn_at_ < kRedraw) return false;
            drawn_at_ = SteadyClock::now();
            return true;
        }
        const int tenth = static_cast<int>(10 * progress.done / progress.total);
        return std::exchange(shown_tenth_, tenth) != tenth;
    }

    std::string line(const PullProgress& progress) const {
        const double share =
            static_cast<double>(progress.done) / static_cast<double>(progress.total);
        const double seconds = std::max(seconds_since(start_), 1e-3);
        const double rate = static_cast<double>(progress.done - start_done_) / seconds;
        std::string bar(static_cast<std::size_t>(share * kBarCells), '#');
        bar.resize(kBarCells, '.');
        std::string text = fmt::format("{} {:3.0f} %  {:.1f} of {:.1f} MB  {:.1f} MB/s",
                                       terminal_ ? bar : std::string(name()),
                                       100 * share,
                                       pull_megabytes(progress.done),
                                       pull_megabytes(progress.total),
                                       rate / 1e6);
        if (progress.done < progress.total && rate > 1)
            text += fmt::format("  {:.0f} s left",
                                static_cast<double>(progress.total - progress.done) / rate);
        return text;
    }

    std::string_view name() const {
        return stage_ == PullStage::kChecking ? "checking" : "receiving";
    }

    const bool terminal_ = ::isatty(STDERR_FILENO) != 0;
    std::optional<PullStage> stage_;
    SteadyClock::time_point start_;
    SteadyClock::time_point drawn_at_;
    std::uint64_t start_done_ = 0;
    std::uint64_t last_done_ = 0;
    int shown_tenth_ = -1;
    bool drawn_ = false;
};

Result<services::PulledModel> pull(const services::PullRequest& request, std::stop_token stop) {
    PullLine line;
    services::PullHooks hooks;
    hooks.stop = std::move(stop);
    hooks.on_progress = [&line](const PullProgress& progress) { line.show(progress); };
    hooks.on_note = [&line](const std::string& text) { line.note(text); };
    return services::pull_model(request, hooks);
}

Result<int> run(const Settings& settings, const Options& options) {
    services::PullRequest request;
    request.folder = settings.models_dir;
    request.force = options.force;
    if (options.sha256) {
        auto hash = services::parse_sha256(*options.sha256);
        if (!hash) return usage_error("--sha256: " + hash.error().detail);
        request.sha256 = *std::move(hash);
    }
    auto source = services::find_model_source(options.what, settings.hub);
    if (!source && source.error().code == ErrorCode::kInvalidArgument)
        return usage_error(source.error().detail);
    NOTSO_TRY(request.source, std::move(source));
    std::stop_source stop;
    Interrupts interrupts;
    interrupts.handle([&stop] { stop.request_stop(); });
    NOTSO_TRY(const services::PulledModel model, pull(request, stop.get_token()));
    if (model.was_there) std::cerr << "already installed, and its SHA-256 is right" << std::endl;
    if (!model.verified)
        std::cerr << fmt::format("nobody named a SHA-256 to compare; this file has {}",
                                 model.sha256)
                  << std::endl;
    std::cout << model.path.string() << '\n';
    return kExitOk;
}

}  // namespace

CommandBody declare_pull(OptionList& options) {
    auto values = std::make_shared<Options>();
    options.required_text("model",
                          values->what,
                          "smollm3 or another short name, OWNER/REPO/FILE.gguf, or an address");
    options.text("--sha256", values->sha256, "what the file's SHA-256 must be");
    options.flag("--force", values->force, "also a model that can't run on this machine");
    return [values](const Settings& settings) { return run(settings, *values); };
}

}  // namespace notso::app
