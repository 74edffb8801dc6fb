// notso run: one completion, then the end. The answer goes to stdout, thoughts to stderr; Ctrl-C
// keeps the partial text and exits 130.
#include <unistd.h>

#include <boost/json.hpp>
#include <charconv>
#include <iostream>

#include "app/answer.hpp"
#include "app/backend_choice.hpp"
#include "app/commands/command.hpp"
#include "app/files.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"

namespace notso::app {
namespace {

namespace json = boost::json;

struct Options {
    std::optional<std::string> prompt;
    std::optional<std::string> prompt_file;
    std::optional<std::string> system;
    std::optional<double> temperature;
    std::optional<std::uint64_t> seed;
    std::int64_t max_tokens = 0;
    bool raw = false;
    bool json = false;
    bool think = false;
};

Result<services::ChatRequest> make_request(const Options& options) {
    services::ChatRequest request;
    std::string text;
    if (options.prompt) {
        text = *options.prompt;
    } else {
        NOTSO_TRY(text, read_input(*options.prompt_file));
    }
    if (options.raw) {
        request.raw_prompt = std::move(text);
    } else {
        if (options.system)
            request.messages.push_back({.role = "system", .content = *options.system});
        request.messages.push_back({.role = "user", .content = std::move(text)});
    }
    request.thinking = options.think;
    request.max_tokens = options.max_tokens;
    request.sampling.temperature = options.temperature;
    request.sampling.seed = options.seed;
    return request;
}

double per_second(std::int64_t count, double milliseconds) {
    return milliseconds > 0 ? static_cast<double>(count) * 1000.0 / milliseconds : 0.0;
}

json::object to_json(const Answer& answer, const services::ModelInfo& model, double load_ms) {
    const services::ChatUsage& usage = answer.end.usage;
    json::object out;
    out["model"] = model.id;
    out["text"] = answer.text;
    out["thinking"] = answer.thinking;
    out["tokens"] = json::value_from(answer.tokens);
    out["finish_reason"] = finish_name(answer.end.finish);
    out["error"] = answer.end.error ? json::value(answer.end.error->detail) : json::value(nullptr);
    out["usage"] = {{"prompt_tokens", usage.prompt_tokens},
                    {"cached_tokens", usage.cached_tokens},
                    {"completion_tokens", usage.completion_tokens},
                    {"reasoning_tokens", usage.reasoning_tokens}};
    out["timings"] = {{"load_ms", load_ms},
                      {"queued_ms", usage.queued_ms},
                      {"prefill_ms", usage.prefill_ms},
                      {"decode_ms", usage.decode_ms},
                      {"first_token_ms", answer.first_token_ms},
                      {"prompt_tokens_per_second",
                       per_second(usage.prompt_tokens - usage.cached_tokens, usage.prefill_ms)},
                      {"tokens_per_second", per_second(usage.completion_tokens, usage.decode_ms)}};
    return out;
}

/// CLI11's own range check lets NaN pass. @return what is wrong, or nothing.
std::string check_temperature(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool number = error == std::errc{} && end == text.data() + text.size();
    return number && value >= 0 && value <= 10 ? ""
                                               : log::field(text) + " is not a number from 0 to 10";
}

AnswerView streaming_view() {
    const bool terminal = ::isatty(STDOUT_FILENO) != 0;
    AnswerView view;
    view.on_text = [terminal](const std::string& text) {
        std::cout << (terminal ? terminal_safe(text) : text) << std::flush;
    };
    view.on_thinking = [](const std::string& text) {
        std::cerr << terminal_safe(text) << std::flush;
    };
    return view;
}

Result<int> run(const Settings& settings, const Options& options) {
    if (options.prompt.has_value() == options.prompt_file.has_value())
        return usage_error("run takes either -p TEXT or -f FILE");
    NOTSO_TRY(const services::ChatRequest request, make_request(options));
    Interrupts interrupts;
    const auto start = SteadyClock::now();
    const auto backend = make_backend(settings);
    NOTSO_CHECK(wait_until_ready(*backend, interrupts));
    const double load_ms =
        std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
    NOTSO_TRY(const Answer answer,
              follow_answer(
                  *backend, request, interrupts, options.json ? AnswerView{} : streaming_view()));
    if (options.json) {
        std::cout << json::serialize(to_json(answer, backend->info(), load_ms)) << '\n';
    } else {
        std::cout << '\n';
    }
    if (answer.end.finish == services::ChatFinish::kCancelled) return kExitInterrupted;
    if (answer.end.error && !options.json) return std::unexpected(*answer.end.error);
    return answer.end.error ? kExitFailed : kExitOk;
}

}  // namespace

CommandBody declare_run(OptionList& options) {
    auto values = std::make_shared<Options>();
    options.text("-p,--prompt", values->prompt, "the message");
    options.text("-f,--file", values->prompt_file, "a file with the message; - is stdin");
    options.number("-n,--max-tokens",
                   values->max_tokens,
                   0,
                   std::int64_t{1} << 31,
                   "tokens at most; 0 = what the context leaves");
    options.real("--temp",
                 values->temperature,
                 check_temperature,
                 "temperature, 0 = always the likeliest token");
    options.number("--seed", values->seed, "same seed, same prompt: same answer");
    options.text("--system", values->system, "system prompt");
    options.flag("--raw", values->raw, "continue the text as it is, without the chat template");
    options.flag(
        "--think,!--no-think", values->think, "let the model think first (shown on stderr)");
    options.flag("--json",
                 values->json,
                 "print one JSON object: text, tokens, finish reason, timings, usage");
    return [values](const Settings& settings) { return run(settings, *values); };
}

}  // namespace notso::app
