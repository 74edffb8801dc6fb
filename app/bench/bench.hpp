// Bench: how fast a model runs here, beside what the machine can do at most. `notso bench` prints
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/settings.hpp"
#include "base/result.hpp"

namespace notso::app {

struct BenchOptions {
    std::vector<std::int32_t> prompts;  ///< Lengths of prompts to read, tokens.
    std::int32_t n_generated = 64;      ///< Tokens to decode; 0 = none.
    std::int32_t depth = 0;             ///< Decode after so many tokens too; 0 = not.
    std::vector<std::int32_t> batches;  ///< Numbers of sequences to decode n_generated tokens of
                                        ///< together; n_generated > 0 unless it is empty.
    std::int32_t repeats = 3;
    std::function<void(const std::string& what)> on_step = {};  ///< Before each measurement.
};

/// What the machine can do at most, measured in the same run.
struct MachineLimits {
    double read_rate;      ///< bytes per second, at the best moment
    double multiply_rate;  ///< multiply-adds of bytes per second; 0 = not measured
    double join_seconds;   ///< What a job of all threads takes beyond its tasks; 0 = one thread.
};

/// What tokens cost this model: the limits in tokens per second follow from it.
struct BenchWork {
    std::uint64_t bytes_per_token = 0;     ///< Weights that a decoded token reads.
    std::uint64_t kv_bytes_per_token = 0;  ///< More, for each token before it.
    std::uint64_t prompt_macs = 0;         ///< Multiply-adds of a prompt token.
    std::uint64_t head_macs = 0;           ///< More, once per prompt.
};

/// A step of several sequences that are decoded together, one token each.
struct BenchStep {
    std::int32_t n_sequences;
    double seconds;  ///< By the median.
    /// What the limits beside it allow: the time to read all weights, or, where that is longer, for
    /// two multiply-adds of bytes per weight and token (16-bit activations) at three quarters of
    /// the measured rate.
    double bound_seconds;
};

/// One measurement, over all repeats.
struct BenchRate {
    std::string name;  ///< "pp512 exact", "tg64", "tg64@8192", "tg64 x8"
    double median = 0;
    double least = 0;
    double most = 0;       ///< tokens per second, all sequences together
    double share = 0;      ///< Of the machine's limit, by the median; 0 = unknown.
    double read_rate = 0;  ///< Bytes per second right beside what is bound by them, by the median;
                           ///< 0 = not measured.
    std::optional<BenchStep> step = {};  ///< Of batches.
};

struct BenchReport {
    std::string model;
    std::string cpu;
    std::string kernels;
    std::int32_t n_threads = 0;
    MachineLimits limits = {};
    BenchWork work = {};
    double load_seconds = 0;  ///< Median; the file may have come from the page cache.
    std::uint64_t planned_bytes = 0;
    std::uint64_t resident_bytes = 0;
    std::vector<BenchRate> rates;
};

/// @errors of loading a model; kInvalidArgument for lengths beyond the model's context.
Result<BenchReport> run_bench(const Settings& settings, const BenchOptions& options);

}  // namespace notso::app
