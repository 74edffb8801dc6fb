// Templates that ask for far too much, for bombs_test.cpp and bombs_bench.cpp: none of them would
// end by itself within minutes, or within memory. Test code only.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace notso::services::jinja {

/// `body` for ever, with s and t long texts, l a long list and d a long dict.
inline std::string endless(std::string_view body) {
    return fmt::format(
        "{{% set s = 'é-' * 200000 %}}{{% set t = ' <x' * 200000 %}}"
        "{{% set l = range(20000)|list %}}{{% set d = dict(l|batch(2)) %}}"
        "{{% for a in range(100000) %}}{{% set r = {} %}}{{% endfor %}}",
        body);
}

/// On a long text.
inline constexpr std::string_view kTextBombs[] = {"s|upper",
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
                                                  "s|trim('é-')"};

/// On a long list or dict.
inline constexpr std::string_view kListBombs[] = {"l|sort",
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
                                                  "l|slice(3)|list"};

/// Once is enough.
inline constexpr std::string_view kWidthBombs[] = {
    "'-' * 10 ** 10",
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
    "strftime_now('%A' * 1000000)"};

/// Small values whose parts are shared so often that a walk over them never ends.
inline std::vector<std::string> shared_bombs() {
    const std::string lists =
        "{% set a = [0] * 1000 %}{% set b = [a] * 1000 %}{% set c = [b] * 1000 %}";
    const std::string copies = "{% set x = [[0] * 1000] * 1000 %}{% set y = [x] * 1000 %}";
    const std::string tuples =
        "{% set a = (0,) * 1000 %}{% set b = (a,) * 1000 %}{% set c = (b,) * 1000 %}";
    const std::string texts = "{% set s = 'x' * 1000000 %}{% set l = [s ~ 'a', s ~ 'b'] * 20000 %}";
    return {lists + copies + "{{ c == y }}",
            lists + copies + "{{ c < y }}",
            lists + copies + "{{ y in [c] }}",
            lists + "{{ c }}",
            lists + "{{ c|tojson }}",
            lists + "{{ c|pprint }}",
            tuples + "{{ {c: 1}|length }}",
            tuples + "{{ [c, c]|unique|list|length }}",
            texts + "{{ l|sort|length }}",
            texts + "{{ (s ~ 'c') in l }}",
            texts + "{{ l == [s ~ 'a', s ~ 'b'] * 20000 }}"};
}

}  // namespace notso::services::jinja
