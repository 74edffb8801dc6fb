// notso perplexity: exp(mean negative log-likelihood) of a text, in the windows of llama.cpp's
// tool.
// --json is stable: see docs/commands.md.
#include "ml/runtime/perplexity.hpp"

#include <unistd.h>

#include <boost/json.hpp>
#include <cmath>
#include <iostream>

#include "app/commands/command.hpp"
#include "app/files.hpp"
#include "app/interrupts.hpp"
#include "app/model_choice.hpp"
#include "base/clock.hpp"
#include "ml/model/model.hpp"

namespace notso::app {
namespace {

namespace json = boost::json;

struct Options {
    std::string file;
    bool json = false;
};

struct Outcome {
    std::filesystem::path model;
    ml::PredictionScore score;
    std::size_t n_tokens = 0;
    std::int32_t window = 0;
    ml::KvType kv = ml::KvType::kF16;
    ml::Precision precision = ml::Precision::kExact;
    double seconds = 0;
};

void print(const Outcome& outcome, const Options& options) {
    const ml::PredictionScore& score = outcome.score;
    const auto windows = outcome.n_tokens / static_cast<std::size_t>(outcome.window);
    if (options.json) {
        json::object out;
        out["model"] = outcome.model.string();
        out["file"] = options.file;
        out["perplexity"] = score.perplexity();
        out["standard_error"] = score.standard_error();
        out["nats_per_token"] = score.nats_per_token();
        out["tokens"] = outcome.n_tokens;
        out["scored_tokens"] = score.n_scored;
        out["window"] = outcome.window;
        out["windows"] = windows;
        out["kv"] = std::string(ml::kv_traits(outcome.kv).name);
        out["precision"] =
            std::string(ml::kPrecisionNames[static_cast<std::size_t>(outcome.precision)]);
        out["seconds"] = outcome.seconds;
        std::cout << json::serialize(out) << '\n';
        return;
    }
    std::cout << fmt::format(
        "perplexity {:.4f} ± {:.4f} ({:.4f} nats per token; {} tokens scored in {} windows of "
        "{})\n",
        score.perplexity(),
        score.standard_error(),
        score.nats_per_token(),
        score.n_scored,
        windows,
        outcome.window);
}

Result<int> run(const Settings& settings, const Options& options) {
    NOTSO_TRY(std::string text, read_input(options.file));
    if (text.ends_with('\n')) text.pop_back();  // as llama.cpp's tool does
    Interrupts interrupts;                      // before the threads that the model starts
    NOTSO_TRY(const std::filesystem::path path, choose_model(settings));
    NOTSO_TRY(const auto model, ml::Model::load(path, load_options(settings)));
    const std::vector<ml::TokenId> tokens = ml::text_tokens(model->tokenizer(), text);

    std::stop_source stop;
    const bool terminal = ::isatty(STDERR_FILENO) != 0;
    ml::PerplexityOptions scoring;
    scoring.window = settings.context != 0
                         ? settings.context
                         : std::min(ml::kDefaultWindow, model->config().context_length);
    scoring.kv = settings.kv;
    scoring.precision = settings.precision;
    scoring.stop = stop.get_token();
    scoring.on_window =
        [&](std::int32_t done, std::int32_t total, const ml::PredictionScore& so_far) {
            if (interrupts.take()) stop.request_stop();
            if (terminal)
                std::cerr << fmt::format("\r{} of {} windows, perplexity so far {:.4f} ",
                                         done,
                                         total,
                                         so_far.perplexity())
                          << (done == total ? "\r\033[K" : "") << std::flush;
        };
    const auto start = SteadyClock::now();
    auto score = ml::score_windows(*model, tokens, scoring);
    if (!score) {
        if (terminal && score.error().code == ErrorCode::kCancelled) std::cerr << '\n';
        return fail(score.error().code, "{}: {}", options.file, score.error().detail);
    }
    const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
    print({path, *score, tokens.size(), scoring.window, scoring.kv, scoring.precision, seconds},
          options);
    return kExitOk;
}

}  // namespace

CommandBody declare_perplexity(OptionList& options) {
    auto values = std::make_shared<Options>();
    options.required_text("-f,--file", values->file, "the text; - is stdin");
    options.flag("--json", values->json, "print one JSON object");
    return [values](const Settings& settings) { return run(settings, *values); };
}

}  // namespace notso::app
