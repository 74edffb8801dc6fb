// Templates against what Python's jinja2 makes of them (tests/golden/jinja, written by
// make_golden.py there).
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "services/template/template.hpp"

namespace notso::services::jinja {
namespace {

const boost::json::object& golden() {
    static const boost::json::value value = [] {
        std::ifstream file(NOTSO_SOURCE_DIR "/tests/golden/jinja/golden.json");
        std::stringstream text;
        text << file.rdbuf();
        return boost::json::parse(text.str());
    }();
    return value.as_object();
}

Result<std::string> render(const boost::json::object& row,
                           const boost::json::object& variables,
                           const Options& options) {
    NOTSO_TRY(const auto parsed, Template::parse(row.at("source").as_string(), options));
    return parsed->render({variables, "2025-07-08T12:00:00"});
}

void check(const boost::json::array& rows,
           const boost::json::object& variables,
           const Options& options) {
    for (const auto& value : rows) {
        const auto& row = value.as_object();
        const auto text = render(row, variables, options);
        if (row.contains("error")) {
            EXPECT_FALSE(text.has_value())
                << row.at("source") << "\nexpected: " << row.at("error") << "\ngot: " << *text;
            if (!text) {
                EXPECT_NE(text.error().detail.find("line "), std::string::npos)
                    << text.error().detail;
            }
            continue;
        }
        ASSERT_TRUE(text.has_value()) << row.at("source") << "\n" << text.error().detail;
        EXPECT_EQ(*text, row.at("expected").as_string()) << row.at("source");
    }
}

TEST(JinjaGolden, ChatTemplates) {
    ASSERT_GT(golden().at("chat").as_array().size(), 400U);
    check(golden().at("chat").as_array(), golden().at("variables").as_object(), {});
}

TEST(JinjaGolden, Pages) {
    ASSERT_GT(golden().at("pages").as_array().size(), 50U);
    const auto& templates = golden().at("templates").as_object();
    Options options;
    options.auto_escape = true;
    options.trim_blocks = false;
    options.lstrip_blocks = false;
    options.loader = [&](std::string_view name) -> std::optional<std::string> {
        const auto found = templates.find(name);
        if (found == templates.end()) return std::nullopt;
        return std::string(found->value().as_string());
    };
    check(golden().at("pages").as_array(), golden().at("page_variables").as_object(), options);
}

}  // namespace
}  // namespace notso::services::jinja
