// The engine through its public interface: pages, errors with their place, budgets. What templates
// render is compared with Python's jinja2 in golden_test.cpp.
#include <gtest/gtest.h>

#include "services/template/template.hpp"

namespace notso::services::jinja {
namespace {

std::string render(std::string_view source,
                   const boost::json::object& variables = {},
                   Options options = {}) {
    auto made = Template::parse(source, std::move(options));
    if (!made) return "parse error: " + made.error().detail;
    auto text = (*made)->render({variables, "2025-07-08T12:00:00"});
    return text ? *text : "error: " + text.error().detail;
}

TEST(Jinja, ErrorsSayWhere) {
    EXPECT_EQ(render("a\n  {{ 1 + }}"), "parse error: line 2, column 10: unexpected '}}'");
    EXPECT_EQ(render("a\n {{ x.y.z }}", {{"x", 1}}),
              "error: line 2, column 8: 'int object' has no attribute 'y'");
    EXPECT_EQ(render("{{ raise_exception('no ' ~ 1) }}"), "error: line 1, column 19: no 1");
    EXPECT_EQ(render("{% if x %}\n{{ x }}"),
              "parse error: line 2, column 8: the template ends before 'endif'");
    EXPECT_EQ(render("{{ 'a' }}\n{{ 'abc }}"),
              "parse error: line 2, column 4: the string is not closed");
    EXPECT_EQ(render("{{ x|nope }}"),
              "parse error: line 1, column 6: there is no filter named 'nope'");
    EXPECT_EQ(render("\n\n{{ 'ä' + 1 }}"),
              "error: line 3, column 4: '+' doesn't work on 'str' and 'int'");
    EXPECT_EQ(render("{{ '%d' % 'a' }}"),
              "error: line 1, column 4: '%d' needs a number, not 'str'");
    EXPECT_EQ(render("{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}"),
              "error: line 1, column 35: macro 'm' takes at most 1 arguments");
    EXPECT_EQ(render("{% filter length %}a{% endfilter %}"),
              "error: line 1, column 11: a filter block has to give text, its filters give 'int'");
}

}  // namespace
}  // namespace notso::services::jinja
