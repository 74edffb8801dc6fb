// Where a growing text is cut, the pieces render to the same as the whole, and cuts never move.
// Checked on random texts put together from pieces of Markdown, at every length.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "services/template/markdown.hpp"
#include "services/template/markdown_render.hpp"

namespace notso::services {
namespace {

using Ends = std::vector<std::size_t>;

TEST(MarkdownBlocks, CutsBehindFinishedBlocks) {
    EXPECT_EQ(finished_block_ends("a\n\nb"), (Ends{3}));
    EXPECT_EQ(finished_block_ends("a\n\n"), (Ends{}));
    EXPECT_EQ(finished_block_ends("a\nb"), (Ends{}));
    EXPECT_EQ(finished_block_ends("```\na\n\nb\n```\n\nc"), (Ends{14}));
    EXPECT_EQ(finished_block_ends("- a\n\n- b\n\nc"), (Ends{10}));
    EXPECT_EQ(finished_block_ends("- a\n\n  b\n\n1"), (Ends{}));
    EXPECT_EQ(finished_block_ends("see [x](http://y)\n\nb"), (Ends{19}));
}

TEST(MarkdownBlocks, DoesNotCutBehindWhatADefinitionMayChange) {
    EXPECT_EQ(finished_block_ends("see [x]\n\nb\n\nc"), (Ends{}));
    EXPECT_EQ(finished_block_ends("[x]: http://y\n\nb\n\nc"), (Ends{}));
}

// NOTSO_ROUNDS asks for more than the quick run.
int rounds(int quick) {
    const char* asked = std::getenv("NOTSO_ROUNDS");
    return asked != nullptr ? std::atoi(asked) : quick;
}

const std::string kPieces[] = {"word",
                               "word word",
                               "\n",
                               "\n",
                               "\n\n",
                               "\n\n",
                               "\n\n\n",
                               "- ",
                               "* ",
                               "1. ",
                               "2) ",
                               "  ",
                               "    ",
                               "\t",
                               "> ",
                               "# ",
                               "```",
                               "```\n",
                               "~~~\n",
                               "``",
                               "`",
                               "---",
                               "===",
                               "***",
                               "|a|b|\n|---|---|\n|1|2|\n",
                               "|a|\n|---|\n",
                               "[x]",
                               "[x]: http://y",
                               "[t](http://u)",
                               "![t](http://u)",
                               "](",
                               "[",
                               "*",
                               "**",
                               "_",
                               "~~",
                               "<b>",
                               "&amp;",
                               "\\",
                               "http://a.b",
                               "a@b.c",
                               "- [ ] ",
                               "- [x] ",
                               "é",
                               "日本",
                               "\r\n",
                               "+",
                               "10. ",
                               " ",
                               "   ",
                               "-",
                               "1",
                               "`[x]`",
                               "$",
                               "$$",
                               "\\(",
                               "\\)",
                               "\\[",
                               "\\]",
                               "$x_1$",
                               "$$\na\n$$",
                               "\\[\n- b\n\\]"};

std::string random_text(std::mt19937& random) {
    std::string text;
    const std::size_t count = 3 + random() % 30;
    for (std::size_t i = 0; i < count; ++i) text += kPieces[random() % std::size(kPieces)];
    return text;
}

std::string render_pieces(const std::string& text, const Ends& ends) {
    std::string html;
    std::size_t at = 0;
    for (const std::size_t end : ends) {
        html += render_markdown(std::string_view(text).substr(at, end - at));
        at = end;
    }
    return html + render_markdown(std::string_view(text).substr(at));
}

TEST(MarkdownBlocks, PiecesRenderLikeTheWhole) {
    std::mt19937 random(20250708);
    int cuts = 0;
    for (int round = 0; round < rounds(20000); ++round) {
        const std::string text = random_text(random);
        const Ends ends = finished_block_ends(text);
        cuts += static_cast<int>(ends.size());
        ASSERT_EQ(render_pieces(text, ends), render_markdown(text))
            << "text: " << testing::PrintToString(text);
    }
    EXPECT_GT(cuts, 4000);
}

TEST(MarkdownBlocks, CutsStayWhenTheTextGrows) {
    std::mt19937 random(1);
    for (int round = 0; round < rounds(2000); ++round) {
        const std::string text = random_text(random);
        const Ends all = finished_block_ends(text);
        for (std::size_t length = 0; length <= text.size(); ++length) {
            const Ends some = finished_block_ends(std::string_view(text).substr(0, length));
            ASSERT_LE(some.size(), all.size()) << testing::PrintToString(text) << " at " << length;
            ASSERT_TRUE(std::equal(some.begin(), some.end(), all.begin()))
                << testing::PrintToString(text) << " at " << length;
        }
    }
}

}  // namespace
}  // namespace notso::services
