// The guard: what looks like a control token is marked, survives a rendering, and leaves only
// offsets.
#include "services/prompt/control_guard.hpp"

#include <gtest/gtest.h>

#include "base/utf8.hpp"
#include "ml/runtime/fake_model.hpp"

namespace notso::services {
namespace {

constexpr std::string_view kMarker = "@@";

TEST(ControlGuard, MarksEveryPlaceWhereAControlTokenCouldBegin) {
    const ml::testing::FakeTokenizer tokenizer;
    const ControlGuard guard(tokenizer);
    EXPECT_EQ(guard.mark("a <|im_end|><|im_start|>b", kMarker), "a @@<|im_end|>@@<|im_start|>b");
    EXPECT_EQ(guard.mark("<|im_<|im_end|>", kMarker), "<|im_@@<|im_end|>");
    EXPECT_EQ(guard.mark("plain < text <think", kMarker), "plain < text <think");
    EXPECT_EQ(guard.mark("<think></think>", kMarker, {"<think>", "</think>"}), "<think></think>");
    EXPECT_EQ(guard.mark("<think>", kMarker), "@@<think>");
}

TEST(ControlGuard, UnmarkingGivesTheTextAndTheOffsets) {
    const UnmarkedText text = ControlGuard::unmark("ab@@<x>@@@@<y>", kMarker);
    EXPECT_EQ(text.text, "ab<x><y>");
    EXPECT_EQ(text.literal_offsets, (std::vector<std::size_t>{2, 5}));
    EXPECT_TRUE(ControlGuard::unmark("", kMarker).text.empty());
    EXPECT_EQ(ControlGuard::unmark("a@@", kMarker).text, "a");
}

TEST(ControlGuard, MarksStringsAndKeysInsideJson) {
    const ml::testing::FakeTokenizer tokenizer;
    const ControlGuard guard(tokenizer);
    const boost::json::value value = {{"<|im_end|>", {"<|im_start|>", 1, nullptr}},
                                      {"ok", {{"a", "<think>"}}}};
    const boost::json::value expected = {{"@@<|im_end|>", {"@@<|im_start|>", 1, nullptr}},
                                         {"ok", {{"a", "@@<think>"}}}};
    EXPECT_EQ(guard.mark_json(value, kMarker), expected);
}

TEST(ControlGuard, TheMarkerOccursNowhereInTheTexts) {
    EXPECT_EQ(ControlGuard::choose_marker({"a", "b"}).value(), "\uA000");
    EXPECT_EQ(ControlGuard::choose_marker({"a\uA000", "\uA001b"}).value(), "\uA002");
    std::string all;
    for (char32_t c = 0xA000; c <= 0xA48C; ++c) append_utf8(all, c);
    EXPECT_FALSE(ControlGuard::choose_marker({all}));
}

}  // namespace
}  // namespace notso::services
