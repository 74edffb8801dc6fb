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
}

}  // namespace
}  // namespace notso::services::jinja
