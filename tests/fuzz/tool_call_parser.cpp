// Answers with calls of tools in pieces of any size: the calls and the text do not depend on the
// pieces, nothing is lost, and every call is a JSON object of an offered tool.
#include "services/backend/tool_call_parser.hpp"

#include <boost/json.hpp>

#include "base/utf8.hpp"
#include "tests/fuzz/target.hpp"

namespace {

using namespace notso;
using namespace notso::services;

struct Seen {
    std::string text;
    std::vector<ParsedToolCall> calls;
    std::size_t bytes = 0;
    bool operator==(const Seen&) const = default;
};

boost::json::parse_options options() {
    boost::json::parse_options deep;
    deep.max_depth = 80;
    return deep;
}

void take(ToolCallParser& parser, Seen& seen) {
    for (const AnswerPart& part : parser.take()) {
        FUZZ_CHECK(is_valid_utf8(part.text));
        FUZZ_CHECK(part.text.empty() || part.calls.empty());
        FUZZ_CHECK(part.text.empty() || part.text.size() == part.bytes);
        seen.text += part.text;
        seen.bytes += part.bytes;
        for (const ParsedToolCall& call : part.calls) {
            FUZZ_CHECK(call.name == "f" || call.name == "g");
            boost::system::error_code error;
            FUZZ_CHECK(boost::json::parse(call.arguments, error, {}, options()).is_object() &&
                       !error);
            seen.calls.push_back(call);
        }
    }
}

/// A byte 1..5 is a control token; the rest is text in pieces of 1..n characters chosen by `seed`.
Seen parse(std::string_view text, ToolCallSyntax syntax, unsigned seed, unsigned n) {
    ToolCallParser parser(
        {{.name = "f"}, {.name = "g", .parameter_names = {"a", "b"}, .by_code = true}}, syntax);
    Seen seen;
    std::size_t given = 0;
    while (!text.empty()) {
        const auto first = static_cast<unsigned char>(text[0]);
        if (first >= 1 && first <= 5) {
            const auto marker = static_cast<CallMarker>(first - 1);
            parser.push(marker);
            given += marker_text(marker).size();
            text.remove_prefix(1);
        } else {
            seed = seed * 1'103'515'245U + 12'345U;
            std::size_t size = 0;
            for (unsigned i = 0; i <= (seed >> 16) % n && size < text.size(); ++i) {
                const auto next = static_cast<unsigned char>(text[size]);
                if (next >= 1 && next <= 5) break;
                size += decode_utf8(text.substr(size)).size;
            }
            parser.push(text.substr(0, size));
            given += size;
            text.remove_prefix(size);
        }
        take(parser, seen);
        FUZZ_CHECK(seen.bytes <= given);
    }
    parser.finish();
    take(parser, seen);
    FUZZ_CHECK(seen.bytes == given);
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ToolCallSyntax syntax = {.call_tokens = (data[0] & 1) != 0,
                                   .code_tokens = (data[0] & 2) != 0,
                                   .bare_json = (data[0] & 4) != 0};
    const std::string text = repair_utf8(test::text_of(data + 1, size - 1));
    const Seen whole = parse(text, syntax, 0, 1'000'000);
    for (const unsigned n : {1U, 2U, 7U, 40U}) FUZZ_CHECK(parse(text, syntax, n, n) == whole);
    return 0;
}
