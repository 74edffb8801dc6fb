// Thoughts in plain text: however the text is cut, thinking and answer come out the same.
#include "services/backend/think_splitter.hpp"

#include <gtest/gtest.h>

namespace notso::services {
namespace {

struct Case {
    std::string_view stream;
    std::string_view thinking;
    std::string_view text;
};

TEST(ThinkSplitterTest, CutsDoNotMatter) {
    for (const Case& wanted :
         {Case{"<think>\nHm.\n</think>\n\nYes.", "Hm.\n", "Yes."},
          Case{"\n <think>a < b</thin</think>Yes", "a < b</thin", "Yes"},
          Case{"<think></think>Yes", "", "Yes"},
          Case{"<think>never ends </thi", "never ends </thi", ""},
          Case{"No thoughts, <think>late</think>", "", "No thoughts, <think>late</think>"},
          Case{"<thin", "", "<thin"},
          Case{"<b>bold</b>", "", "<b>bold</b>"},
          Case{"  indented", "", "  indented"},
          Case{"", "", ""}}) {
        for (std::size_t size = 1; size <= wanted.stream.size() + 1; ++size) {
            ThinkSplitter splitter;
            std::string thinking;
            std::string text;
            for (std::size_t at = 0; at < wanted.stream.size(); at += size) {
                const auto parts = splitter.push(wanted.stream.substr(at, size));
                thinking += parts.thinking;
                text += parts.text;
            }
            const auto rest = splitter.finish();
            EXPECT_EQ(thinking + rest.thinking, wanted.thinking) << wanted.stream << " by " << size;
            EXPECT_EQ(text + rest.text, wanted.text) << wanted.stream << " by " << size;
        }
    }
}

}  // namespace
}  // namespace notso::services
