// Any bytes as a template: parsing and rendering end in text or in an error with its place, within
// the budgets, and twice in the same way. The first byte chooses between chat templates and pages.
#include "services/template/template.hpp"
#include "tests/fuzz/target.hpp"

namespace {

using namespace notso;
namespace jinja = services::jinja;

const boost::json::object& variables() {
    static const boost::json::object values =
        boost::json::parse(R"({"messages": [{"role": "user", "content": "Hi <b>"},
            {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": {"a": [1, 2.5]}}}]}],
            "tools": null, "n": 3, "s": "a b\n\u00e4", "l": [3, 1, 2], "d": {"a": 1, "b": {"c": "x"}}, "add_generation_prompt": true})")
            .as_object();
    return values;
}

jinja::Options options_for(unsigned char choice) {
    jinja::Options options;
    options.auto_escape = (choice & 1) != 0;
    options.trim_blocks = (choice & 2) == 0;
    options.lstrip_blocks = (choice & 4) == 0;
    options.limits.max_steps = 20'000;
    options.limits.max_output_bytes = 64 * 1024;
    options.limits.max_memory_bytes = 4 * 1024 * 1024;
    options.limits.max_time = std::chrono::seconds(20);
    if ((choice & 8) != 0) {
        options.loader = [](std::string_view name) -> std::optional<std::string> {
            if (name.size() > 4) return std::nullopt;
            return "{% block a %}A{{ n }}{% endblock %}{% macro m(x) %}<{{ x }}>{% endmacro %}";
        };
    }
    return options;
}

Result<std::string> render(std::string_view source, unsigned char choice) {
    NOTSO_TRY(const auto parsed, jinja::Template::parse(source, options_for(choice)));
    return parsed->render({variables(), "2025-07-08T12:00:00"});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view source = test::text_of(data + 1, size - 1);
    const auto first = render(source, data[0]);
    const auto second = render(source, data[0]);
    FUZZ_CHECK(first.has_value() == second.has_value());
    if (first) {
        FUZZ_CHECK(*first == *second);
        FUZZ_CHECK(first->size() <= options_for(data[0]).limits.max_output_bytes);
    } else {
        const std::string& detail = first.error().detail;
        FUZZ_CHECK(detail == second.error().detail);
        FUZZ_CHECK(detail.find("line ") != std::string::npos);
        FUZZ_CHECK(detail.find("column ") != std::string::npos);
    }
    return 0;
}
