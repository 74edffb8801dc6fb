// notso bench: how fast a model runs on this machine, and what share of the machine's limits that
// is.
#include "app/bench/bench.hpp"

#include <unistd.h>

#include <boost/json.hpp>
#include <charconv>
#include <iostream>

#include "app/commands/command.hpp"
#include "base/bytes.hpp"

namespace notso::app {
namespace {

namespace json = boost::json;

constexpr std::int32_t kMostTokens = 1 << 20;
constexpr std::int32_t kMostSequences = 256;

struct Options {
    std::optional<std::string> prompts;
    std::optional<std::string> batches;
    std::int64_t n_generated = 64;
    std::int64_t depth = 0;
    std::int64_t repeats = 3;
    bool json = false;
};

/// What an option takes: "512", or "1,2,512".
struct NumberList {
    std::string_view option;
    std::string_view like;  ///< For the message.
    std::int32_t most;
};

Result<std::vector<std::int32_t>> parse_numbers(const NumberList& list, std::string_view text) {
    std::vector<std::int32_t> numbers;
    while (true) {
        const std::string_view word = text.substr(0, text.find(','));
        std::int32_t n = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), n);
        if (error != std::errc{} || end != word.data() + word.size() || n < 1 || n > list.most)
            return fail(ErrorCode::kInvalidArgument,
                        "{}: \"{}\" is no list of {}",
                        list.option,
                        word,
                        list.like);
        numbers.push_back(n);
        if (word.size() == text.size()) return numbers;
        text.remove_prefix(word.size() + 1);
    }
}

void print_json(const BenchReport& report) {
    json::array rates;
    for (const BenchRate& rate : report.rates) {
        json::object row = {{"name", rate.name},
                            {"tokens_per_second", rate.median},
                            {"least", rate.least},
                            {"most", rate.most},
                            {"share_of_limit", rate.share}};
        if (rate.read_rate > 0) row["read_bytes_per_second"] = rate.read_rate;
        if (rate.step) {
            row["sequences"] = rate.step->n_sequences;
            row["step_seconds"] = rate.step->seconds;
            row["bound_seconds"] = rate.step->bound_seconds;
        }
        rates.push_back(std::move(row));
    }
    const json::object out = {{"model", report.model},
                              {"cpu", report.cpu},
                              {"kernels", report.kernels},
                              {"threads", report.n_threads},
                              {"read_bytes_per_second", report.limits.read_rate},
                              {"multiply_adds_per_second", report.limits.multiply_rate},
                              {"join_seconds", report.limits.join_seconds},
                              {"work",
                               {{"bytes_per_token", report.work.bytes_per_token},
                                {"kv_bytes_per_token", report.work.kv_bytes_per_token},
                                {"prompt_macs", report.work.prompt_macs},
                                {"head_macs", report.work.head_macs}}},
                              {"load_seconds", report.load_seconds},
                              {"planned_bytes", report.planned_bytes},
                              {"resident_bytes", report.resident_bytes},
                              {"rates", rates}};
    std::cout << json::serialize(out) << '\n';
}

std::string share_text(const BenchRate& rate) {
    if (rate.step) {
        return fmt::format("{:8.2f} ms a step, {:.2f} times the bound",
                           rate.step->seconds * 1e3,
                           rate.step->seconds / rate.step->bound_seconds);
    }
    if (rate.share <= 0) return "";
    const char* of = rate.name.starts_with("tg") ? "reading" : "multiplying";
    return fmt::format("{:3.0f} % of {}", rate.share * 100, of);
}

void print_table(const BenchReport& report) {
    std::cout << fmt::format("{} on {}, {} threads, {} kernels\n",
                             report.model,
                             report.cpu,
                             report.n_threads,
                             report.kernels);
    std::cout << fmt::format("  this machine reads    {:8.1f} GB/s\n",
                             report.limits.read_rate / 1e9);
    if (report.limits.multiply_rate > 0) {
        std::cout << fmt::format("  and multiplies bytes  {:8.0f} billion times a second\n",
                                 report.limits.multiply_rate / 1e9);
    }
    if (report.limits.join_seconds > 0) {
        std::cout << fmt::format("  a join of threads     {:8.2f} µs\n",
                                 report.limits.join_seconds * 1e6);
    }
    std::cout << fmt::format("  load                  {:8.2f} s\n", report.load_seconds);
    std::cout << fmt::format("  memory                {:>12} resident, {} with a full context\n",
                             mebibytes(report.resident_bytes),
                             mebibytes(report.planned_bytes));
    for (const BenchRate& rate : report.rates) {
        std::cout << fmt::format("  {:<20}  {:8.1f} tokens/s ({:.1f} to {:.1f})  {}\n",
                                 rate.name,
                                 rate.median,
                                 rate.least,
                                 rate.most,
                                 share_text(rate));
    }
}

Result<int> run(const Settings& settings, const Options& options) {
    BenchOptions bench;
    constexpr NumberList kPrompts{"--prompt-tokens", "lengths like 1,16,512", kMostTokens};
    constexpr NumberList kBatches{"--batch", "numbers of sequences like 1,2,4,8", kMostSequences};
    NOTSO_TRY(bench.prompts, parse_numbers(kPrompts, options.prompts.value_or("512")));
    if (options.batches) {
        NOTSO_TRY(bench.batches, parse_numbers(kBatches, *options.batches));
        if (options.n_generated == 0)
            return fail(ErrorCode::kInvalidArgument,
                        "--batch needs tokens to generate: -n 1 or more");
    }
    bench.n_generated = static_cast<std::int32_t>(options.n_generated);
    bench.depth = static_cast<std::int32_t>(options.depth);
    bench.repeats = static_cast<std::int32_t>(options.repeats);
    const bool terminal = ::isatty(STDERR_FILENO) != 0;
    if (terminal) {
        bench.on_step = [](const std::string& what) {
            std::cerr << "\r\033[Kmeasuring: " << what << std::flush;
        };
    }
    const auto report = run_bench(settings, bench);
    if (terminal) std::cerr << "\r\033[K" << std::flush;
    if (!report) return std::unexpected(report.error());
    options.json ? print_json(*report) : print_table(*report);
    return kExitOk;
}

}  // namespace

CommandBody declare_bench(OptionList& options) {
    auto values = std::make_shared<Options>();
    options.text("-p,--prompt-tokens",
                 values->prompts,
                 "lengths of prompts to read, comma separated; default 512");
    options.number("-n,--generate", values->n_generated, 0, kMostTokens, "tokens to generate");
    options.number(
        "--depth", values->depth, 0, kMostTokens, "generate after a prompt of so many tokens too");
    options.text(
        "-b,--batch",
        values->batches,
        "numbers of sequences to generate tokens of together, comma separated; default none");
    options.number("-r,--repeats", values->repeats, 1, 1000, "measurements of each; medians count");
    options.flag("--json", values->json, "print one JSON object");
    return [values](const Settings& settings) { return run(settings, *values); };
}

}  // namespace notso::app
