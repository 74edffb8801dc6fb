// Templates that ask for far too much: each is stopped by its budgets, with the place, whatever the
// machine's speed. How soon the clock stops them is printed by bombs_bench.cpp, not judged.
#include "services/template/jinja/bombs.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "services/template/template.hpp"

namespace notso::services::jinja {
namespace {

struct Outcome {
    std::string text;
    Error error;
    bool good = false;
};

/// Few steps and much time: what ends a bomb is then never the clock.
Options patient() {
    Options options;
    options.limits.max_steps = 100'000;
    options.limits.max_time = std::chrono::minutes(10);
    return options;
}

Outcome run(std::string_view source, const Options& options = patient()) {
    const auto begin = std::chrono::steady_clock::now();
    Outcome outcome;
    auto parsed = Template::parse(source, options);
    if (!parsed) {
        outcome.error = parsed.error();
    } else if (auto text = (*parsed)->render({{}, "2025-07-08T12:00:00"})) {
        outcome = {*text, {}, true};
    } else {
        outcome.error = text.error();
    }
    const auto taken = std::chrono::steady_clock::now() - begin;
    fmt::print("{:6} ms  {:.70}  {:.90}\n",
               std::chrono::duration_cast<std::chrono::milliseconds>(taken).count(),
               source,
               outcome.error.detail);
    return outcome;
}

void expect_stopped(std::string_view source, const Options& options = patient()) {
    const Outcome outcome = run(source, options);
    EXPECT_FALSE(outcome.good) << source;
    EXPECT_EQ(outcome.error.code, ErrorCode::kTooLarge) << source << outcome.error.detail;
    EXPECT_NE(outcome.error.detail.find("line 1, column "), std::string::npos)
        << source << outcome.error.detail;
}

TEST(JinjaBombs, LongTexts) {
    for (const std::string_view body : kTextBombs) expect_stopped(endless(body));
}

TEST(JinjaBombs, LongListsAndDicts) {
    for (const std::string_view body : kListBombs) expect_stopped(endless(body));
}

TEST(JinjaBombs, PartsThatAreSharedManyTimes) {
    for (const std::string& source : shared_bombs()) expect_stopped(source);
}

TEST(JinjaBombs, WidthsAndCounts) {
    for (const std::string_view expression : kWidthBombs)
        expect_stopped(fmt::format("{{{{ {} }}}}", expression));
    EXPECT_EQ(run("{{ 9 ** 9 ** 9 }}").error.detail,
              "line 1, column 4: the result doesn't fit in 64 bits");
    EXPECT_EQ(run("{{ 1.5|round(10 ** 18) }}{{ 5|round(-10 ** 18) }}").text, "1.55");
}

// At the limit, just over it, and far over it.
TEST(JinjaBombs, StepsAtTheLimit) {
    Options options = patient();
    const std::string loop = "{% for x in range(1000) %}{{ x }}{% endfor %}";
    std::int64_t enough = 1;
    for (std::int64_t step = 1 << 16; step > 0; step /= 2) {
        options.limits.max_steps = enough + step;
        if (!run(loop, options).good) enough += step;
    }
    options.limits.max_steps = enough + 1;
    EXPECT_TRUE(run(loop, options).good) << enough;
    options.limits.max_steps = enough;
    expect_stopped(loop, options);
    options.limits.max_steps = enough / 1000;
    expect_stopped(loop, options);
    EXPECT_GT(enough, 1000);
    EXPECT_LT(enough, 20'000);
}

TEST(JinjaBombs, MemoryAtTheLimit) {
    Options options = patient();
    const auto list_of = [](int count) {
        return fmt::format(
            "{{{{ (['x' * 1000] * {} + range({})|map('string')|list)|length }}}}", count, count);
    };
    options.limits.max_memory_bytes = 1024 * 1024;
    EXPECT_TRUE(run(list_of(1000), options).good);
    expect_stopped(list_of(20'000), options);
    expect_stopped(
        "{% set ns = namespace(s='a', l=[]) %}{% for x in range(100000) %}{% set ns.l = ns.l + "
        "['x' * 100 ~ x] %}{% endfor %}",
        options);
}

}  // namespace
}  // namespace notso::services::jinja
