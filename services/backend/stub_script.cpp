// The stub's texts. See stub_script.hpp.
#include "services/backend/stub_script.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/utf8.hpp"
#include "services/backend/tool_call_text.hpp"

namespace notso::services {
namespace {

constexpr std::int64_t kMaxLongWords = 100'000;
constexpr std::size_t kMaxQuotedBytes = 200;

constexpr std::string_view kThoughts =
    "This is scripted thinking. No model is at work here, so there is nothing to think about.";

constexpr std::string_view kLoop = "Wait, let me think about that once more. ";
constexpr int kLoopRounds = 4;

constexpr std::string_view kMarkdown = R"(# A scripted answer

This is the **scripted stub**, no language model. It shows *emphasis*, `code` and ~~nothing~~.

- first item
- second item
  1. nested one
  2. nested two

| city | country |
|:-----|--------:|
| Paris | France |
| Zürich | Switzerland |

```cpp
int main() {
    return 0;  // a < b && c > d
}
```

> A quotation.

Read more at [example](https://example.com/a?b=1&c=2) or https://example.org.
)";

constexpr std::string_view kHostile = R"(Scripted stub with hostile text:

<script>window.pwned = 1</script>
<img src=x onerror="window.pwned = 2">
<div hx-get="/livez" hx-trigger="load" style="position:fixed">boo</div>

[click me](javascript:alert(1)) and [data](data:text/html,<script>1</script>)

![remote](https://example.com/pixel.png)

```html"><script>window.pwned = 3</script>
</code></pre><script>window.pwned = 4</script>
```

</article></main> &lt;b&gt; "quotes" 'single' `<i>`
)";

std::string last_user_text(const ChatRequest& request) {
    if (request.raw_prompt) return *request.raw_prompt;
    const auto last = std::find_if(
        request.messages.rbegin(), request.messages.rend(), [](const ChatMessage& message) {
            return message.role == "user";
        });
    return last == request.messages.rend() ? std::string() : last->content;
}

std::string last_result(const ChatRequest& request) {
    const bool any = !request.messages.empty() && request.messages.back().role == "tool";
    return any ? request.messages.back().content : "nothing";
}

/// N of "[long N]", if it is there.
std::optional<std::int64_t> long_words(std::string_view text) {
    constexpr std::string_view kCommand = "[long ";
    const std::size_t at = text.find(kCommand);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(at + kCommand.size());
    std::int64_t n = 0;
    const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), n);
    if (parsed.ec != std::errc() || n < 0) return std::nullopt;
    return std::min(n, kMaxLongWords);
}

std::string count_up(std::int64_t words) {
    std::string text;
    for (std::int64_t i = 1; i <= words; ++i) text += fmt::format("{}word{}", i == 1 ? "" : " ", i);
    return text;
}

/// @param result  What the last tool said.
std::string answer_text(std::string_view user, std::string_view result) {
    if (const auto n = long_words(user)) return count_up(*n);
    if (user.contains("[call ")) return fmt::format("The tool says: {}", result);
    if (user.contains("[markdown]")) return std::string(kMarkdown);
    if (user.contains("[hostile]")) return std::string(kHostile);
    if (user.contains("[echo]")) return std::string(user);
    return fmt::format("I am a scripted stub, not a language model. You wrote: {}",
                       repair_utf8(truncate_utf8(user, kMaxQuotedBytes)));
}

/// Cuts before each run of white space; joined, the pieces are the text again.
std::vector<std::string> split_words(std::string_view text) {
    std::vector<std::string> words;
    const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; };
    std::size_t begin = 0;
    for (std::size_t i = 1; i <= text.size(); ++i) {
        if (i < text.size() && !(is_space(text[i]) && !is_space(text[i - 1]))) continue;
        words.emplace_back(text.substr(begin, i - begin));
        begin = i;
    }
    return words;
}

/// The calls that the user's message asks for, and the one that the request insists on.
std::vector<StubStep> tool_calls(const ChatRequest& request, std::string_view user) {
    const std::vector<OfferedTool> tools = offered_tools(request, false);
    if (tools.empty() || request.messages.back().role == "tool") return {};
    constexpr std::string_view kCommand = "[call ";
    std::vector<StubStep> steps;
    for (std::size_t at = user.find(kCommand); at != std::string_view::npos;
         at = user.find(kCommand, at + 1)) {
        const std::string_view rest = user.substr(at + kCommand.size());
        const std::size_t space = std::min(rest.find(' '), rest.size());
        const std::string_view body = rest.substr(space, rest.find("}]") + 1 - space);
        const std::string name(rest.substr(0, space));
        const auto calls = parse_json_calls(
            fmt::format("{{\"name\":\"{}\",\"arguments\":{}}}", name, body), tools);
        if (!calls.empty())
            steps.push_back({StubStepKind::kToolCall, calls.front().name, calls.front().arguments});
    }
    if (steps.empty() && request.tool_choice.kind != ToolChoice::Kind::kAuto) {
        const bool any = request.tool_choice.kind == ToolChoice::Kind::kRequired;
        steps.push_back(
            {StubStepKind::kToolCall, any ? tools.front().name : request.tool_choice.name, "{}"});
    }
    if (!request.parallel_tool_calls && steps.size() > 1) steps.resize(1);
    return steps;
}

void add_thoughts(StubScript& script, const ChatRequest& request, std::string_view user) {
    const bool loops = user.contains("[loop]");
    if (!request.thinking && !user.contains("[think]") && !loops) return;
    std::string thoughts(loops ? "" : kThoughts);
    for (int round = 0; loops && round < kLoopRounds; ++round) thoughts += kLoop;
    std::vector<std::string> words = split_words(thoughts);
    StubStep end{StubStepKind::kThinkingEnded};
    if (loops) end.reason = ThinkingEndReason::kLoop;
    if (request.thinking_budget && std::cmp_less(*request.thinking_budget, words.size())) {
        words.resize(static_cast<std::size_t>(*request.thinking_budget));
        end.reason = ThinkingEndReason::kBudget;
    }
    if (words.empty()) return;
    script.steps.push_back({StubStepKind::kThinkingStarted});
    for (std::string& word : words)
        script.steps.push_back({StubStepKind::kThinkingWord, std::move(word)});
    script.steps.push_back(std::move(end));
}

}  // namespace

StubScript make_stub_script(const ChatRequest& request) {
    StubScript script;
    if (request.read_only) return script;
    const std::string user = last_user_text(request);
    if (user.contains("[slow]")) script.word_delay = std::chrono::milliseconds(50);
    add_thoughts(script, request, user);
    if (auto calls = tool_calls(request, user); !calls.empty()) {
        std::ranges::move(calls, std::back_inserter(script.steps));
        return script;
    }
    for (std::string& word : split_words(answer_text(user, last_result(request)))) {
        script.steps.push_back({StubStepKind::kWord, std::move(word)});
    }
    if (user.contains("[error]")) {
        script.steps.resize(script.steps.size() / 2);
        script.steps.push_back({StubStepKind::kFailure});
    }
    return script;
}

std::int64_t count_stub_tokens(const ChatRequest& request) {
    if (request.raw_prompt)
        return std::max<std::int64_t>(1, std::ssize(split_words(*request.raw_prompt)));
    std::int64_t words = 1;
    for (const ChatMessage& message : request.messages)
        words += std::ssize(split_words(message.content));
    return words;
}

}  // namespace notso::services
