// notso doctor: is everything well here? Plain words, and for each problem what to do. --json is
// stable: see docs/commands.md.
#include <iostream>

#include "app/answer.hpp"
#include "app/commands/command.hpp"
#include "app/doctor/check.hpp"
#include "base/utf8.hpp"

namespace notso::app {

namespace {

namespace json = boost::json;
using doctor::Check;
using doctor::Verdict;

void print(const std::vector<Check>& checks) {
    for (const Check& check : checks) {
        std::cout << fmt::format("{:<8} {:<15} {}\n",
                                 doctor::verdict_name(check.verdict),
                                 check.name,
                                 terminal_safe(check.detail));
        if (!check.advice.empty())
            std::cout << fmt::format("{:<8} {:<15} → {}\n", "", "", terminal_safe(check.advice));
    }
    std::cout << std::flush;
}

json::object to_json(const std::vector<Check>& checks) {
    json::array list;
    for (const Check& check : checks)
        list.push_back({{"name", check.name},
                        {"verdict", doctor::verdict_name(check.verdict)},
                        {"detail", repair_utf8(check.detail)},
                        {"advice", repair_utf8(check.advice)},
                        {"facts", check.facts}});
    json::object out;
    out["version"] = NOTSO_VERSION;
    out["verdict"] = doctor::verdict_name(doctor::worst(checks));
    out["checks"] = std::move(list);
    return out;
}

Result<int> run(const Settings& settings, bool as_json) {
    std::vector<Check> all;
    for (const auto check : {doctor::check_machine, doctor::check_data, doctor::check_model}) {
        if (check == doctor::check_model && !settings.model) continue;
        std::vector<Check> checks = check(settings);
        if (!as_json) print(checks);  // the model takes seconds: show what is known before it
        std::ranges::move(checks, std::back_inserter(all));
    }
    const Verdict verdict = doctor::worst(all);
    if (as_json) {
        std::cout << json::serialize(to_json(all)) << '\n';
    } else {
        std::cout << (verdict == Verdict::kOk        ? "\nAll is well.\n"
                      : verdict == Verdict::kWarning ? "\nIt works; see the warnings.\n"
                                                     : "\nSomething is broken; see above.\n");
        if (!settings.model) std::cout << "Pass -m MODEL to test a model too (about 10 s).\n";
    }
    return verdict == Verdict::kBroken ? kExitFailed : kExitOk;
}

}  // namespace

CommandBody declare_doctor(OptionList& options) {
    auto as_json = std::make_shared<bool>(false);
    options.flag("--json", *as_json, "print one JSON object");
    return [as_json](const Settings& settings) { return run(settings, *as_json); };
}

}  // namespace notso::app
