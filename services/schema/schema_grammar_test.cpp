// JSON Schema to grammars: what texts they let through, and what is refused. More in
// tests/integration/test_json_schema.py, where another implementation judges.
#include "services/schema/schema_grammar.hpp"

#include <gtest/gtest.h>

#include "ml/grammar/grammar_harness.hpp"
#include "services/schema/answer_form.hpp"
#include "services/schema/form_grammar.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

std::string refusal(std::string_view schema) {
    const auto form = json_schema_form(json::parse(schema));
    if (form) return "accepted";
    EXPECT_EQ(form.error().code, ErrorCode::kInvalidArgument);
    return form.error().detail;
}

/// Each text's outcome: 'y' a whole text, 'p' the beginning of one, 'n' neither.
std::string outcomes(std::string_view schema, const std::vector<std::string>& texts) {
    static const ml::testing::ListTokenizer tokenizer({});
    const auto form = json_schema_form(json::parse(schema));
    if (!form) return form.error().detail;
    const auto trie = std::make_shared<const ml::TokenTrie>(tokenizer);
    const auto masks = ml::GrammarMasks::create(compile_form(*form).value(), trie).value();
    std::string out;
    for (const std::string& text : texts) out += ml::testing::fits(masks, text);
    return out;
}

TEST(SchemaGrammar, MembersComeInOrderAndOnce) {
    const std::string schema =
        R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"null"},"c":{"type":"boolean"}},
            "required":["a","c"],"additionalProperties":false})";
    EXPECT_EQ(outcomes(schema,
                       {R"({"a":1,"b":null,"c":true})",
                        R"({"a":1,"c":true})",
                        R"({ "a": 1,"c": false})",
                        R"({"a":1})",
                        R"({"c":true,"a":1})",
                        R"({"a":1,"a":1,"c":true})",
                        R"({"a":1,"c":true,"d":1})",
                        R"({"a":1,)"}),
              "yyynnnnp");
    EXPECT_EQ(outcomes(R"({"properties":{"x":{"type":"null"},"y":{"type":"null"}}})",
                       {"{}",
                        R"({"x":null})",
                        R"({"y":null})",
                        R"({"x":null,"y":null})",
                        R"({,"y":null})",
                        R"({"y":null,})"}),
              "yyyynn");
}

TEST(SchemaGrammar, OtherMembersHaveOtherNames) {
    const std::string schema =
        R"({"type":"object","properties":{"na\"me":{"type":"null"},"name":{"type":"null"}},"additionalProperties":{"type":"integer"}})";
    EXPECT_EQ(outcomes(schema,
                       {R"({"name":null,"names":1})",
                        R"({"nam":1})",
                        R"({"":2})",
                        R"({"other":3,"more":4})",
                        R"({"name":1})",
                        R"({"n\u0061me":1})",
                        R"({"name":null,"name":1})",
                        R"({"other":"x"})"}),
              "yyyynnnn");
    EXPECT_EQ(outcomes(R"({"type":"object","minProperties":1,"maxProperties":2})",
                       {"{}", R"({"a":1})", R"({"a":1,"b":2})", R"({"a":1,"b":2,"c":3})"}),
              "nyyn");
    EXPECT_EQ(
        outcomes(
            R"({"properties":{"a":{"type":"null"},"b":{"type":"null"},"c":{"type":"null"}},"minProperties":2,"maxProperties":2})",
            {"{}", R"({"a":null})", R"({"a":null,"c":null})", R"({"a":null,"b":null,"c":null})"}),
        "nnyn");
    EXPECT_EQ(
        outcomes(
            R"({"type":"object","patternProperties":{"^x[0-9]$":{"type":"null"}},"additionalProperties":false})",
            {"{}", R"({"x1":null})", R"({"y":null})", R"({"x1":null,"x2":null})"}),
        "yyny");
}

TEST(SchemaGrammar, ArraysHaveTheirItems) {
    EXPECT_EQ(outcomes(R"({"type":"array","items":{"type":"null"},"minItems":1,"maxItems":3})",
                       {"[]", "[null]", "[null,null,null]", "[null,null,null,null]"}),
              "nyyn");
    EXPECT_EQ(
        outcomes(R"({"prefixItems":[{"const":1},{"const":2}],"items":{"const":3},"minItems":1})",
                 {"[]", "[1]", "[1,2]", "[1,2,3,3]", "[1,3]", "[2]"}),
        "nyyynn");
    EXPECT_EQ(outcomes(R"({"prefixItems":[{"const":1},{"const":2}],"items":false,"minItems":2})",
                       {"[1]", "[1,2]", "[1,2,3]"}),
              "nyn");
    EXPECT_EQ(outcomes(R"({"type":"array","maxItems":0})", {"[]", "[1]"}), "yn");
    EXPECT_EQ(outcomes(R"({"type":"array"})", {"[]", R"([1,"a",{"b":[]}])"}), "yy");
}

TEST(SchemaGrammar, StringsCountCharactersNotBytes) {
    EXPECT_EQ(outcomes(R"({"type":"string","minLength":2,"maxLength":3})",
                       {R"("a")", R"("äö")", R"("a\n\u00e4")", R"("abcd")", R"("😀😀😀")"}),
              "nyyny");
    EXPECT_EQ(outcomes(R"({"type":"string"})",
                       {R"("\ud83d\ude00")", R"("\udc00")", "\"\x01\"", R"("\/")"}),
              "nnny");
    EXPECT_EQ(outcomes(R"({"type":"string","pattern":"^[a-c]+\\d{2}$"})",
                       {R"("ab12")", R"("12")", R"("ab1")", R"("ab123")"}),
              "ynnn");
    EXPECT_EQ(
        outcomes(R"({"type":"string","pattern":"x|^y\"$"})", {R"("axb")", R"("y\"")", R"("ay")"}),
        "yyn");
    EXPECT_EQ(
        outcomes(
            R"({"type":"string","pattern":"^(?:\\w\\.){2}[^\\s]$","minLength":5,"maxLength":9})",
            {R"("a.b.c")", R"("a.b. ")"}),
        "yn");
    EXPECT_EQ(outcomes(R"({"type":"string","format":"date"})",
                       {R"("2024-02-28")", R"("2024-02-30")", R"("2024-13-01")"}),
              "ynn");
    EXPECT_EQ(outcomes(R"({"type":"string","format":"date-time"})",
                       {R"("2024-02-28T23:59:59Z")", R"("2024-02-28")"}),
              "yn");
    EXPECT_EQ(
        outcomes(R"({"type":"string","format":"ipv4"})", {R"("255.0.10.99")", R"("256.0.0.1")"}),
        "yn");
    EXPECT_EQ(outcomes(R"({"type":"string","format":"uuid"})",
                       {R"("0123abcd-0000-0000-0000-0123456789ab")", R"("0")"}),
              "yn");
}

TEST(SchemaGrammar, ListedValuesAndTypes) {
    EXPECT_EQ(outcomes(R"({"enum":["a\"",1.5,null,{"x":[1]}]})",
                       {R"("a\"")", "1.5", "null", R"({"x":[1]})", "1"}),
              "yyyyp");
    EXPECT_EQ(outcomes(R"({"enum":[1,"a",2],"type":"integer","minimum":2})", {"1", "2", R"("a")"}),
              "nyn");
    EXPECT_EQ(outcomes(R"({"type":["string","null"]})", {"null", R"("x")", "1"}), "yyn");
    EXPECT_EQ(outcomes(R"({"type":"string","nullable":true})", {"null", R"("x")"}), "yy");
    EXPECT_EQ(outcomes(R"({"type":"integer","exclusiveMinimum":3,"maximum":12})",
                       {"3", "4", "12", "13", "5.5"}),
              "nyynn");
    EXPECT_EQ(outcomes(R"({"type":"number","minimum":0})", {"-1", "0", "12.5", "12.0"}), "nyyp");
    EXPECT_EQ(outcomes("true", {"1", "{}", "tru"}), "yyp");
    EXPECT_EQ(outcomes(R"({"title":"T","description":"d","x-own":1})", {"1", "{}"}), "yy");
}

TEST(SchemaGrammar, JoinsAndChoices) {
    EXPECT_EQ(outcomes(R"({"anyOf":[{"type":"null"},{"type":"integer"},false],"maximum":5})",
                       {"null", "5", "6"}),
              "yyn");
    EXPECT_EQ(outcomes(R"({"allOf":[{"properties":{"a":{"type":"integer"}},"required":["a"]},
                                    {"properties":{"a":{"minimum":3},"b":{"type":"null"}}}]})",
                       {R"({"a":3})", R"({"a":2})", R"({"a":3,"b":null})", R"({})"}),
              "ynyn");
    EXPECT_EQ(
        outcomes(
            R"({"oneOf":[{"properties":{"k":{"const":"x"},"v":{"type":"null"}},"required":["k","v"]},
                                    {"properties":{"k":{"const":"y"},"v":{"type":"integer"}},"required":["k","v"]}]})",
            {R"({"k":"x","v":null})", R"({"k":"y","v":1})", R"({"k":"x","v":1})"}),
        "yyn");
    EXPECT_NE(refusal(R"({"oneOf":[{"type":"integer"},{"type":"number"}]})")
                  .find("#: oneOf may let a value through"),
              std::string::npos);
}

TEST(SchemaGrammar, ReferencesMayRecurse) {
    const std::string tree =
        R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},
            "next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]},"all":{"type":"array","items":{"$ref":"#"}}},
            "required":["v"],"additionalProperties":false}}})";
    EXPECT_EQ(outcomes(tree,
                       {R"({"v":1,"next":{"v":2,"next":null,"all":[{"v":3},{"v":4,"all":[]}]}})",
                        R"({"next":null})"}),
              "yn");
    EXPECT_EQ(outcomes(R"({"$ref":"#/$defs/a~1b","$defs":{"a/b":{"type":"null"}}})", {"null"}),
              "y");
    EXPECT_NE(
        refusal(
            R"({"$ref":"#/$defs/n","$defs":{"n":{"properties":{"n":{"$ref":"#/$defs/n"}},"required":["n"]}}})")
            .find("can't end"),
        std::string::npos);
}

TEST(SchemaGrammar, RefusalsNameTheKeywordAndItsPlace) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {R"({"properties":{"a":{"not":{}}}})",
         "JSON schema at #/properties/a: not is not supported"},
        {R"({"type":"array","items":{"if":{}}})", "at #/items: if is not supported"},
        {R"({"type":"array","uniqueItems":true})", "uniqueItems"},
        {R"({"type":"strin"})", "at #: type must name"},
        {R"({"type":"string","format":"color"})", "format is not supported: \"color\""},
        {R"-({"type":"string","pattern":"(?=a)"})-",
         "pattern is not supported, at byte 2: looking around"},
        {R"({"type":"string","pattern":"a\\1"})", "the escape \\1"},
        {R"({"type":"string","pattern":"^a{3}$","minLength":4})", "minLength can't be joined"},
        {R"({"type":"string","minLength":3,"maxLength":2})", "minLength is greater"},
        {R"({"type":"string","minLength":-1})", "minLength must be a whole number"},
        {R"({"type":"string","minLength":2001})", "minLength may be 2000 at most"},
        {R"({"type":"integer","minimum":5,"maximum":4})", "minimum and maximum leave no number"},
        {R"({"type":"integer","minimum":"5"})", "minimum must be a number"},
        {R"({"type":"number","multipleOf":0.1})", "multipleOf must be a whole number"},
        {R"({"type":"integer","multipleOf":7})", "multipleOf needs bounds"},
        {R"({"enum":[1],"type":"string"})", "enum has no value"},
        {R"({"enum":3})", "enum must be an array"},
        {R"({"enum":["a"],"pattern":"a"})", "pattern is not supported beside enum"},
        {R"({"$ref":"http://x/y"})", "$ref must begin with #/"},
        {R"({"$ref":"#/$defs/x"})", "$ref leads nowhere: #/$defs/x"},
        {R"({"allOf":[{"type":"string"},{"type":"null"}]})", "leaves no type"},
        {R"({"properties":{"a":false},"required":["a"]})",
         "required names a member that no value fits: a"},
        {R"({"required":["a"],"maxProperties":0})", "maxProperties is less than what is required"},
        {R"({"properties":{"a":{}},"additionalProperties":false,"minProperties":2})",
         "minProperties asks for more members"},
        {R"({"anyOf":[]})", "anyOf must be an array"},
        {R"({"type":"array","items":{"type":"null"},"minItems":3,"maxItems":2})",
         "minItems asks for more"},
        {"false", "false lets nothing through"},
        {"[]", "a schema must be an object or a boolean"},
    };
    for (const auto& [schema, wanted] : cases) {
        const std::string said = refusal(schema);
        EXPECT_NE(said.find(wanted), std::string::npos) << schema << "\n" << said;
    }
}

TEST(SchemaGrammar, LimitsHold) {
    json::value deep = json::object();
    for (int i = 0; i < 40; ++i) deep = {{"items", deep}, {"type", "array"}};
    EXPECT_TRUE(json_schema_form(deep));
    for (int i = 0; i < 30; ++i) deep = {{"items", deep}};
    const auto too_deep = json_schema_form(deep);
    ASSERT_FALSE(too_deep);
    EXPECT_NE(too_deep.error().detail.find("nested deeper than 64"), std::string::npos);
    EXPECT_NE(refusal(R"({"const":")" + std::string(70'000, 'x') + "\"}").find("65536 are allowed"),
              std::string::npos);
    json::object many;
    for (int i = 0; i < 2500; ++i) many[std::to_string(i)] = {{"type", "null"}};
    EXPECT_NE(
        refusal(json::serialize(json::object{{"properties", many}})).find("more than 4096 rules"),
        std::string::npos);
}

}  // namespace
}  // namespace notso::services
