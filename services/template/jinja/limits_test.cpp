// Hostile templates: every budget ends in an error that names the place, in bounded time and
// memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "services/template/template.hpp"

namespace notso::services::jinja {
namespace {

using testing::HasSubstr;

struct Outcome {
    std::string text;
    Error error;
    bool good = false;
};

Outcome run(std::string_view source,
            Options options = {},
            const boost::json::object& variables = {}) {
    auto parsed = Template::parse(source, std::move(options));
    if (!parsed) return {"", parsed.error(), false};
    auto text = (*parsed)->render({variables, "2025-07-08T12:00:00"});
    return text ? Outcome{*text, {}, true} : Outcome{"", text.error(), false};
}

std::string repeat(std::string_view text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
}

TEST(JinjaLimits, Source) {
    const std::size_t most = Limits{}.max_source_bytes;
    EXPECT_TRUE(run(std::string(most, 'a')).good);
    EXPECT_EQ(run(std::string(most + 1, 'a')).error.code, ErrorCode::kTooLarge);
}

TEST(JinjaLimits, Nesting) {
    EXPECT_TRUE(run("{{ " + repeat("(", 100) + "1" + repeat(")", 100) + " }}").good);
    EXPECT_EQ(run("{{ " + repeat("(", 200) + "1" + repeat(")", 200) + " }}").error.code,
              ErrorCode::kTooLarge);
    EXPECT_FALSE(run("{{ " + repeat("(", 10000) + "1" + repeat(")", 10000) + " }}").good);
    EXPECT_FALSE(run("{{ " + repeat("[", 10000)).good);
    EXPECT_FALSE(run("{{ " + repeat("not ", 10000) + "1 }}").good);
    EXPECT_FALSE(run("{{ " + repeat("-", 10000) + "1 }}").good);
    EXPECT_FALSE(run("{{ 1" + repeat("|abs", 10000) + " }}").good);
    EXPECT_FALSE(run("{{ a" + repeat(".b", 10000) + " }}").good);
    EXPECT_FALSE(run("{{ a" + repeat("()", 10000) + " }}").good);
    EXPECT_FALSE(run(repeat("{% if 1 %}", 10000)).good);
    EXPECT_FALSE(run("{{ 1 " + repeat("if 1 else 1 ", 10000) + " }}").good);
    EXPECT_FALSE(
        run("{% for " + repeat("(", 10000) + "a" + repeat(")", 10000) + " in b %}{% endfor %}")
            .good);
}

TEST(JinjaLimits, LongChainsAreNoNesting) {
    EXPECT_EQ(run("{{ 0" + repeat(" + 1", 5000) + " }}").text, "5000");
    EXPECT_EQ(run("{{ 'a'" + repeat(" ~ 'a'", 5000) + " }}").text, std::string(5001, 'a'));
    EXPECT_EQ(run("{{ 0" + repeat(" or 0", 5000) + " }}").text, "0");
    EXPECT_EQ(run("{% if 0 %}" + repeat("{% elif 0 %}", 5000) + "{% else %}x{% endif %}").text,
              "x");
}

TEST(JinjaLimits, Calls) {
    const std::string recursive =
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(";
    EXPECT_TRUE(run(recursive + "199) }}").good);
    EXPECT_EQ(run(recursive + "200) }}").error.code, ErrorCode::kTooLarge);
    const Outcome endless = run("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}");
    EXPECT_EQ(endless.error.code, ErrorCode::kTooLarge);
    EXPECT_THAT(endless.error.detail, HasSubstr("line 1, column"));
    EXPECT_FALSE(run("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}").good);
    Options circle;
    circle.loader = [](std::string_view) { return std::string("{% extends 'x' %}"); };
    EXPECT_EQ(run("{% extends 'x' %}", circle).error.code, ErrorCode::kTooLarge);
    circle.loader = [](std::string_view) { return std::string("{% include 'x' %}"); };
    EXPECT_EQ(run("{% include 'x' %}", circle).error.code, ErrorCode::kTooLarge);
}

TEST(JinjaLimits, Ranges) {
    EXPECT_EQ(run("{{ range(100000)|length }}").text, "100000");
    EXPECT_EQ(run("{{ range(100001) }}").error.code, ErrorCode::kTooLarge);
    EXPECT_FALSE(run("{{ range(1000000000) }}").good);
    EXPECT_FALSE(run("{{ range(-9223372036854775807, 9223372036854775807) }}").good);
}

TEST(JinjaLimits, Texts) {
    const std::size_t most = Limits{}.max_output_bytes;
    EXPECT_EQ(run(fmt::format("{{{{ '-' * {} }}}}", most)).text.size(), most);
    EXPECT_EQ(run(fmt::format("{{{{ '-' * {} }}}}", most + 1)).error.code, ErrorCode::kTooLarge);
    EXPECT_EQ(run("{{ '-' * 10000000000 }}").error.code, ErrorCode::kTooLarge);
    EXPECT_FALSE(run("{{ ['-' * 1000000] * 1000 }}").good);
    EXPECT_FALSE(run("{{ (['-' * 1000000] * 1000)|join }}").good);
    EXPECT_FALSE(run("{{ ('a' * 100000).replace('a', 'b' * 100000)|length }}").good);
    EXPECT_FALSE(run("{{ 'a'|center(10000000000) }}").good);
    EXPECT_FALSE(run("{{ 'a'.ljust(10000000000) }}").good);
    EXPECT_FALSE(run("{{ '%10000000000d' % 1 }}").good);
    EXPECT_FALSE(run("{{ '%.*f' % (1000000000, 1.5) ~ '{:1000000000}'.format(1) }}").good);
    EXPECT_FALSE(run("{{ 'a\\nb'|indent(10000000000) }}").good);
    EXPECT_FALSE(run("{{ 'a\\tb'.expandtabs(10000000000) }}").good);
    EXPECT_FALSE(run("{% for x in range(100000) %}{{ '-' * 1000 }}{% endfor %}").good);
    EXPECT_FALSE(run("{% set ns = namespace(s='a') %}{% for x in range(100) %}{% set ns.s = ns.s ~ "
                     "ns.s %}{% endfor %}")
                     .good);
}

TEST(JinjaLimits, Memory) {
    Options patient;
    patient.limits.max_time = std::chrono::seconds(20);
    EXPECT_EQ(run("{% set ns = namespace(l=[]) %}{% for x in range(100000) %}{% set ns.l = ns.l + "
                  "['-' * 1000000 ~ x] %}"
                  "{% endfor %}",
                  patient)
                  .error.code,
              ErrorCode::kTooLarge);
    EXPECT_FALSE(run("{{ [1] * 1000000000 }}").good);
    EXPECT_FALSE(run("{% set ns = namespace(l=[1]) %}{% for x in range(100) %}{% set ns.l = ns.l + "
                     "ns.l %}{% endfor %}")
                     .good);
    EXPECT_FALSE(run("{{ [1, 2]|batch(1000000000, 'x')|list }}").good);
    EXPECT_FALSE(run("{{ [1]|slice(1000000000)|list }}").good);
    EXPECT_FALSE(run("{% set ns = namespace() %}{% for x in range(100000) %}{% set ns.a = [ns.a, "
                     "ns.a] %}{% endfor %}")
                     .good);
    const std::string doubled =
        "{% set ns = namespace(a=['x']) %}{% for x in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% "
        "endfor %}";
    EXPECT_FALSE(run(doubled + "{{ ns.a }}").good);
    EXPECT_FALSE(run(doubled + "{{ ns.a|tojson }}").good);
    EXPECT_FALSE(run(doubled + "{{ ns.a|pprint }}").good);
}

TEST(JinjaLimits, NumbersBeyondTheirTypes) {
    for (const std::string_view expression : {"2 / -5.1e30|filesizeformat",
                                              "1e300|int",
                                              "'%d' % 1e300",
                                              "-(-9223372036854775807 - 1)",
                                              "9223372036854775807 + 1",
                                              "2 ** 63",
                                              "(-9223372036854775807 - 1)|abs",
                                              "[9223372036854775807, 1]|sum",
                                              "1e300.as_integer_ratio()",
                                              "[1]|sort(2 ** 40)"}) {
        EXPECT_FALSE(run(fmt::format("{{{{ {} }}}}", expression)).good) << expression;
    }
    EXPECT_EQ(run("{{ (-9223372036854775807 - 1) // -7 }}").text, "1317624576693539401");
    EXPECT_EQ(run("{{ (-9223372036854775807 - 1) % -1 }}").text, "0");
}

TEST(JinjaLimits, Steps) {
    Options options;
    options.limits.max_steps = 10000;
    EXPECT_TRUE(run("{% for x in range(100) %}{{ x }}{% endfor %}", options).good);
    EXPECT_EQ(run("{% for x in range(10000) %}{{ x }}{% endfor %}", options).error.code,
              ErrorCode::kTooLarge);
}

// Each would run for minutes without the budgets, into the test's time limit.
TEST(JinjaLimits, Time) {
    const std::string_view slow[] = {
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{% for a in range(100000) %}{{ range(100000)|list|length }}{% endfor %}",
        "{% for a in range(100000) %}{{ 'x' * 1000000 in 'y' }}{% endfor %}",
        "{% set s = 'ab' * 1000000 %}{% for a in range(100000) %}{{ s.find('ba' * 500000 ~ 'c') "
        "}}{% endfor %}",
        "{% set s = 'ab' * 1000000 %}{% for a in range(100000) %}{{ s|upper|length }}{% endfor %}",
        "{% set s = 'ab ' * 300000 %}{% for a in range(100000) %}{{ s.split()|length }}{% endfor "
        "%}",
        "{% set l = range(100000)|list %}{% for a in range(100000) %}{{ l|sort|length }}{{ l|sum "
        "}}{% endfor %}",
        "{% set l = range(100000)|list %}{% for a in range(100000) %}{{ (l == l[:]) ~ (l < l[:]) "
        "}}{% endfor %}",
        "{% set l = range(100000)|list %}{% for a in range(100000) %}{{ -1 in l }}{{ l.count(1) "
        "}}{% endfor %}",
    };
    for (const std::string_view source : slow) {
        const Outcome outcome = run(source);
        EXPECT_FALSE(outcome.good) << source;
    }
}

TEST(JinjaLimits, ValuesThatHoldThemselves) {
    EXPECT_FALSE(run("{% set n = namespace() %}{% set n.a = n %}{{ n }}").good);
    EXPECT_FALSE(run("{% set n = namespace() %}{% set n.a = [n] %}{{ n.a == [n] }}{{ n.a }}").good);
    EXPECT_TRUE(run("{% set n = namespace() %}{% macro m() %}{{ n.x }}{% endmacro %}{% set n.m = m "
                    "%}{{ n.m() }}")
                    .good);
    EXPECT_TRUE(run("{% set n = namespace() %}{% for x in [1, 2] %}{% set n.l = loop %}{% set n.c "
                    "= loop.changed(loop) %}"
                    "{% endfor %}{{ n.l.index }}{{ n.l.last }}{{ n.l.length }}")
                    .good);
}

TEST(JinjaLimits, TheSandboxHoldsBack) {
    for (const std::string_view name :
         {"__class__", "__init__", "__globals__", "__mro__", "__subclasses__", "_x"}) {
        for (const std::string_view base :
             {"''", "[]", "{}", "1", "range", "namespace()", "loop", "self"}) {
            const Outcome outcome =
                run(fmt::format("{{% for x in [1] %}}{{{{ ({}).{} }}}}{{% endfor %}}", base, name));
            EXPECT_EQ(outcome.text, "") << base << name;
            EXPECT_FALSE(run(fmt::format("{{{{ ({}).{}() }}}}", base, name)).good) << base << name;
        }
    }
    EXPECT_FALSE(run("{{ [].append(1) }}").good);
    EXPECT_FALSE(run("{{ {}.update(a=1) }}").good);
    EXPECT_FALSE(run("{{ '{0.__class__}'.format('a').x.y }}").good);
}

}  // namespace
}  // namespace notso::services::jinja
