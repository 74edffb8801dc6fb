// Templates that ask for far too much: each is stopped by its budgets, with the place, whatever the
// machine's speed. The time each takes is printed, not judged.
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

/// `body` for ever, with s and t long texts, l a long list and d a long dict.
std::string endless(std::string_view body) {
    return fmt::format(
        "{{% set s = 'é-' * 200000 %}}{{% set t = ' <x' * 200000 %}}"
        "{{% set l = range(20000)|list %}}{{% set d = dict(l|batch(2)) %}}"
        "{{% for a in range(100000) %}}{{% set r = {} %}}{{% endfor %}}",
        body);
}

TEST(JinjaBombs, LongTexts) {
    for (const std::string_view body : {"s|upper",
                                        "s|title",
                                        "s.title()",
                                        "s.swapcase()",
                                        "s.casefold()",
                                        "s|capitalize",
                                        "s[::-1]",
                                        "s[-1]",
                                        "s[5:]",
                                        "s.isalpha()",
                                        "s is lower",
                                        "t|wordcount",
                                        "t|wordwrap(9)",
                                        "s|wordwrap(9)",
                                        "t|striptags",
                                        "t|urlencode",
                                        "t|tojson",
                                        "t|pprint",
                                        "t|indent(1)",
                                        "t.splitlines()",
                                        "t.split()",
                                        "t.split('x')",
                                        "t.rsplit('x')",
                                        "s.strip(s ~ 'a')",
                                        "s.find('x')",
                                        "s.rfind('x')",
                                        "s.count('x')",
                                        "s.partition('x')",
                                        "s.replace('é', 'e')",
                                        "s.expandtabs()",
                                        "s|int",
                                        "s|float",
                                        "s == s ~ ''",
                                        "s < t",
                                        "s ~ 'a'",
                                        "s + 'a'",
                                        "'x' in s",
                                        "{s: 1}[s]",
                                        "s|truncate(9)",
                                        "s|escape",
                                        "t|reverse",
                                        "t|list",
                                        "[s]|string",
                                        "'%a' % s",
                                        "'{!r}'.format(s)",
                                        "s|format",
                                        "s.startswith(s)",
                                        "s|trim('é-')"}) {
        expect_stopped(endless(body));
    }
}

TEST(JinjaBombs, LongListsAndDicts) {
    for (const std::string_view body : {"l|sort",
                                        "l|sum",
                                        "l|unique|list",
                                        "l|map('string')|list",
                                        "l|select('odd')|list",
                                        "l|batch(3)|list",
                                        "l|reverse|list",
                                        "l|join",
                                        "l|string",
                                        "l|tojson",
                                        "l|pprint",
                                        "l|min",
                                        "l|last",
                                        "l + l",
                                        "l == l[:]",
                                        "l < l[:]",
                                        "-1 in l",
                                        "l.count(-1)",
                                        "l * 3",
                                        "l|groupby('x', default=1)|list",
                                        "(l|batch(2)|map('first')|list)",
                                        "dict(d)",
                                        "dict(l|batch(2))",
                                        "d == dict(d)",
                                        "d|dictsort",
                                        "d|items|list",
                                        "d.items()|list",
                                        "d|tojson(sort_keys=true)",
                                        "cycler(*l)",
                                        "range(100000)|list",
                                        "range(100000).count(1)",
                                        "range(0, 100000)[::2]|list",
                                        "{(l[:]|join): 1}",
                                        "namespace(a=l[:])",
                                        "l|slice(3)|list"}) {
        expect_stopped(endless(body));
    }
}

TEST(JinjaBombs, PartsThatAreSharedManyTimes) {
    const std::string lists =
        "{% set a = [0] * 1000 %}{% set b = [a] * 1000 %}{% set c = [b] * 1000 %}";
    const std::string copies = "{% set x = [[0] * 1000] * 1000 %}{% set y = [x] * 1000 %}";
    expect_stopped(lists + copies + "{{ c == y }}");
    expect_stopped(lists + copies + "{{ c < y }}");
    expect_stopped(lists + copies + "{{ y in [c] }}");
    expect_stopped(lists + "{{ c }}");
    expect_stopped(lists + "{{ c|tojson }}");
    expect_stopped(lists + "{{ c|pprint }}");
    const std::string tuples =
        "{% set a = (0,) * 1000 %}{% set b = (a,) * 1000 %}{% set c = (b,) * 1000 %}";
    expect_stopped(tuples + "{{ {c: 1}|length }}");
    expect_stopped(tuples + "{{ [c, c]|unique|list|length }}");
    expect_stopped(
        "{% set s = 'x' * 1000000 %}{% set l = [s ~ 'a', s ~ 'b'] * 20000 %}{{ l|sort|length }}");
    expect_stopped(
        "{% set s = 'x' * 1000000 %}{% set l = [s ~ 'a', s ~ 'b'] * 20000 %}{{ (s ~ 'c') in l }}");
    expect_stopped(
        "{% set s = 'x' * 1000000 %}{% set l = [s ~ 'a', s ~ 'b'] * 20000 %}{{ l == [s ~ 'a', s ~ "
        "'b'] * 20000 }}");
}

TEST(JinjaBombs, WidthsAndCounts) {
    for (const std::string_view expression : {"'-' * 10 ** 10",
                                              "'a'.ljust(10 ** 18)",
                                              "'a'.zfill(10 ** 18)",
                                              "'a'|center(10 ** 18)",
                                              "'a\\nb'|indent(10 ** 18)",
                                              "[[1]]|tojson(indent=10 ** 9)",
                                              "'%99999999d' % 1",
                                              "'{:99999999}'.format(1)",
                                              "'{:099999999,}'.format(1)",
                                              "'%.99999999f' % 1.5",
                                              "('ab' * 9999).replace('', 'b' * 9999)",
                                              "([1] * 999)|join('x' * 99999)",
                                              "('x' * 99999)|wordwrap(1, wrapstring='y' * 99999)",
                                              "[1]|batch(10 ** 18, 'x')|list",
                                              "[1]|slice(10 ** 18)|list",
                                              "[1] * 10 ** 12",
                                              "range(10 ** 9)",
                                              "'\\t'.expandtabs(10 ** 18)",
                                              "'{0:{1}}'.format(1, 10 ** 8)",
                                              "(['x' * 100000] * 100000)|string",
                                              "strftime_now('%A' * 1000000)"}) {
        expect_stopped(fmt::format("{{{{ {} }}}}", expression));
    }
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
