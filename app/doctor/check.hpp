// What `notso doctor` finds: a list of checks, each with a verdict and, where something is wrong,
// what to do about it.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "app/settings.hpp"

namespace notso::app::doctor {

enum class Verdict { kOk, kWarning, kBroken };

struct Check {
    std::string name{};
    Verdict verdict = Verdict::kOk;
    std::string detail{};            ///< What was found, one line.
    std::string advice = {};         ///< What to do; empty when all is well.
    boost::json::object facts = {};  ///< The figures behind it, for --json.
};

/// Processor, cores, what holds them back, memory, large pages, swap. Computes for 0.4 s.
std::vector<Check> check_machine(const Settings& settings);

/// Data directory, its database, SQLite, installed models. Creates nothing.
std::vector<Check> check_data(const Settings& settings);

/// Loads the model that the settings choose and tries it, about 10 s: what it makes of a known
/// text, one fact through its chat template, bit-identity of prefill and decode, speed. A check
/// that fails does not keep the others from running.
std::vector<Check> check_model(const Settings& settings);

/// The worst of them.
Verdict worst(const std::vector<Check>& checks);

std::string_view verdict_name(Verdict verdict);

}  // namespace notso::app::doctor
