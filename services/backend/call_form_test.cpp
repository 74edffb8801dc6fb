// The schema of a call: names, arguments, references, and what happens to schemas that can't be
// followed.
#include "services/backend/call_form.hpp"

#include <gtest/gtest.h>

namespace notso::services {
namespace {

namespace json = boost::json;

OfferedTool tool(std::string name, std::string_view parameters) {
    return {.name = std::move(name), .parameters = json::parse(parameters).as_object()};
}

TEST(CallForm, NamesTheToolsThatAreCalledByJson) {
    const json::object schema = call_schema(
        {tool("add", R"({"type":"object"})"), {.name = "run", .by_code = true}}, "parameters");
    const json::array& calls = schema.at("anyOf").as_array();
    ASSERT_EQ(calls.size(), 1U);
    EXPECT_EQ(calls[0].at("properties").at("name").at("const").as_string(), "add");
    EXPECT_EQ(calls[0].at("required"), (json::array{"name", "parameters"}));
}

TEST(CallForm, ReferencesKeepTheirRoot) {
    const json::object schema = call_schema(
        {tool("a", "{}"),
         tool(
             "b",
             R"({"properties":{"x":{"$ref":"#/$defs/y"},"z":{"$ref":"#"}},"$defs":{"y":{"type":"null"}}})")},
        "arguments");
    const std::string text = json::serialize(schema.at("$defs").at("tool1"));
    EXPECT_NE(text.find(R"("#/$defs/tool1/allOf/1/$defs/y")"), std::string::npos) << text;
    EXPECT_NE(text.find(R"({"$ref":"#/$defs/tool1/allOf/1"})"), std::string::npos) << text;
    EXPECT_TRUE(call_form({tool("b", R"({"type":"object","properties":{"x":{"$ref":"#/$defs/y"}},
        "$defs":{"y":{"type":"null"}}})")},
                          "",
                          "arguments"));
}

TEST(CallForm, ARefusalNamesTheToolAndTheKeyword) {
    const auto form = call_form(
        {tool("good", "{}"), tool("bad", R"({"properties":{"x":{"$ref":"https://x.y/z"}}})")},
        "",
        "arguments");
    ASSERT_FALSE(form);
    EXPECT_EQ(form.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(form.error().detail.find("parameters of bad"), std::string::npos)
        << form.error().detail;
    EXPECT_NE(form.error().detail.find("$ref"), std::string::npos) << form.error().detail;
    EXPECT_TRUE(call_form(
        {tool("good", "{}"), tool("bad", R"({"properties":{"x":{"$ref":"https://x.y/z"}}})")},
        "good",
        "arguments"))
        << "what can't be called does not matter";
}

TEST(CallForm, ToolsThatAreTooManyForOneGrammarAreHeldToTheirNames) {
    std::string wide = R"({"type":"object","properties":{)";
    for (int i = 0; i < 40; ++i)
        wide +=
            fmt::format(R"({}"property_{}":{{"type":"string","enum":["a","b"]}})", i ? "," : "", i);
    std::vector<OfferedTool> tools;
    for (int i = 0; i < 64; ++i) tools.push_back(tool(fmt::format("tool_{}", i), wide + "}}"));
    const auto form = call_form(tools, "", "arguments");
    ASSERT_TRUE(form) << form.error().detail;
    EXPECT_NE(form->gbnf.find("tool_63"), std::string::npos);
}

}  // namespace
}  // namespace notso::services
