// Control strings in a request for a title, where people and a model wrote them: the prompt has the
// control tokens of its template and no others, and the texts to the byte. Other requests are in
// tool_prompt_test.cpp.
#include "services/prompt/control_strings.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "ml/runtime/fake_model.hpp"
#include "services/chat/side_texts.hpp"
#include "services/prompt/prompt_builder.hpp"

namespace notso::services {
namespace {

const ml::testing::FakeTokenizer kTokenizer;

constexpr std::string_view kTurns =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

/// A template of our own and, where they are at hand, both of SmolLM3.
std::vector<std::string> templates() {
    std::vector<std::string> all{std::string(kTurns)};
    const char* shared = std::getenv("NOTSO_SHARED");
    const std::filesystem::path root = shared != nullptr ? shared : NOTSO_SOURCE_DIR "/../shared";
    for (const char* name : {"SmolLM3-3B-official.jinja", "HuggingFaceTB-SmolLM3-3B.jinja"}) {
        std::ifstream in(root / "templates" / name, std::ios::binary);
        std::stringstream text;
        text << in.rdbuf();
        if (in) all.push_back(text.str());
    }
    return all;
}

std::vector<ml::TokenId> control_tokens(const Prompt& prompt) {
    std::vector<ml::TokenId> found;
    for (const ml::TokenId id : prompt.tokens) {
        if (kTokenizer.is_control(id)) found.push_back(id);
    }
    return found;
}

/// Builds the same request with a harmless word and with `text`: only the text may differ.
template <class Make>
void expect_text(const PromptBuilder& builder, const std::string& text, Make make) {
    const auto plain = builder.build(make("word"));
    const auto prompt = builder.build(make(text));
    ASSERT_TRUE(plain) << plain.error().detail;
    ASSERT_TRUE(prompt) << text << ": " << prompt.error().detail;
    EXPECT_EQ(control_tokens(*prompt), control_tokens(*plain)) << text;
    EXPECT_EQ(prompt->thinking_open, plain->thinking_open) << text;
    EXPECT_NE(prompt->text.find(text), std::string::npos) << text << " in " << prompt->text;
    EXPECT_EQ(kTokenizer.decode(prompt->tokens), prompt->text);
}

ChatRequest in_chat(std::vector<ChatMessage> messages) {
    ChatRequest request;
    request.messages = std::move(messages);
    request.date = "2025-07-08T12:00:00";
    request.thinking_overrides_system = true;
    return request;
}

TEST(ControlStrings, AreManyAndDiffer) {
    const auto all = control_strings();
    EXPECT_EQ(all.size(), 256U);
    EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
}

TEST(ControlStrings, StayTextInARequestForATitle) {
    for (const std::string& source : templates()) {
        const auto builder = PromptBuilder::create(source, kTokenizer);
        ASSERT_TRUE(builder) << builder.error().detail;
        for (const std::string& text : control_strings()) {
            expect_text(**builder, text, [](const std::string& word) {
                return in_chat({{.role = "user", .content = "Say " + word},
                                {.role = "assistant", .content = "I say " + word + " now"},
                                {.role = "user", .content = std::string(kTitleInstruction)}});
            });
        }
    }
}

}  // namespace
}  // namespace notso::services
