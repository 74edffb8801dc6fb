// What Markdown becomes: structure, escaping, links, and hostile texts in bounded time.
#include "services/template/markdown.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace notso::services {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string repeat(std::string_view text, std::size_t bytes) {
    std::string out;
    while (out.size() < bytes) out += text;
    return out;
}

TEST(Markdown, Blocks) {
    EXPECT_EQ(markdown_to_html("one *two*\n**three**"),
              "<p dir=\"auto\">one <em>two</em>\n<strong>three</strong></p>\n");
    EXPECT_EQ(markdown_to_html("> a\n> b"),
              "<blockquote>\n<p dir=\"auto\">a\nb</p>\n</blockquote>\n");
    EXPECT_EQ(markdown_to_html("- a\n- b"), "<ul dir=\"auto\">\n<li>a</li>\n<li>b</li>\n</ul>\n");
    EXPECT_EQ(markdown_to_html("3. a"), "<ol dir=\"auto\" start=\"3\">\n<li>a</li>\n</ol>\n");
    EXPECT_EQ(markdown_to_html("a  \nb ~~c~~ `d<`"),
              "<p dir=\"auto\">a<br>\nb <del>c</del> <code>d&lt;</code></p>\n");
    EXPECT_EQ(markdown_to_html("---"), "<hr>\n");
    EXPECT_EQ(markdown_to_html(""), "");
}

TEST(Markdown, HeadingsLeaveTheFirstLevelsToThePage) {
    EXPECT_EQ(markdown_to_html("# a"), "<h3 dir=\"auto\" class=\"level-1\">a</h3>\n");
    EXPECT_EQ(markdown_to_html("## a"), "<h3 dir=\"auto\" class=\"level-2\">a</h3>\n");
    EXPECT_EQ(markdown_to_html("##### a"), "<h3 dir=\"auto\" class=\"level-5\">a</h3>\n");
}

TEST(Markdown, SaysWhatItSaysInTheLanguageOfTheReader) {
    const MarkdownLabels labels{.copy = "Kopieren",
                                .code = "Quelltext",
                                .table = "Tabelle<\"",
                                .text = "Wortlaut",
                                .to_do = "Offen",
                                .done = "Erledigt"};
    const std::string html =
        markdown_to_html("```c\nx\n```\n\n|a|\n|-|\n|b|\n\n- [ ] a\n- [x] b\n", labels);
    for (const char* part : {"hidden>Kopieren</button>",
                             "aria-label=\"Quelltext, c\"",
                             "aria-label=\"Tabelle&lt;&quot;\"",
                             "aria-label=\"Offen\"",
                             "aria-label=\"Erledigt\""})
        EXPECT_THAT(html, HasSubstr(part));
    EXPECT_THAT(markdown_to_html(std::string(kMaxMarkdownBytes + 1, 'a'), labels),
                HasSubstr("aria-label=\"Wortlaut\""));
}

TEST(Markdown, CodeHasItsLanguageAndAButtonForScript) {
    EXPECT_EQ(markdown_to_html("```c++ x\na<b\n```"),
              "<div class=\"code\"><header><span>c++</span><button class=\"quiet copy\" "
              "type=\"button\" hidden>Copy"
              "</button></header><pre role=\"group\" tabindex=\"0\" aria-label=\"Code, c++\"><code "
              "class=\"language-c++\">a&lt;b\n"
              "</code></pre></div>\n");
    EXPECT_THAT(markdown_to_html("```\na\n```"), HasSubstr("aria-label=\"Code\"><code>a\n"));
    EXPECT_THAT(markdown_to_html("```x\"onclick=1\na\n```"), HasSubstr("class=\"language-x\""));
}

TEST(Markdown, TablesScrollAndAlign) {
    const std::string html = markdown_to_html("|a|b|\n|-|:-:|\n|1|2|");
    EXPECT_THAT(
        html,
        HasSubstr(
            "<div class=\"table\" role=\"group\" aria-label=\"Table\" tabindex=\"0\"><table>"));
    EXPECT_THAT(html, HasSubstr("<th scope=\"col\" class=\"center\">b</th>"));
    EXPECT_THAT(html, HasSubstr("<td>1</td><td class=\"center\">2</td>"));
    EXPECT_THAT(markdown_to_html("```\n|a|\n|-|\n```"), HasSubstr("|a|\n|-|\n"));
}

TEST(Markdown, TaskListsSayTheirState) {
    EXPECT_EQ(markdown_to_html("- [ ] a\n- [x] b"),
              "<ul dir=\"auto\">\n<li class=\"task\"><span role=\"img\" aria-label=\"To "
              "do\">☐</span> a</li>\n"
              "<li class=\"task\"><span role=\"img\" aria-label=\"Done\">☑</span> b</li>\n</ul>\n");
}

TEST(Markdown, OnlyWebAndMailLinks) {
    const std::string rel = "\" rel=\"noopener noreferrer nofollow\">";
    EXPECT_EQ(markdown_to_html("[a](https://b.c/?d=1&e)"),
              "<p dir=\"auto\"><a href=\"https://b.c/?d=1&amp;e" + rel + "a</a></p>\n");
    EXPECT_EQ(markdown_to_html("<m@b.c>"),
              "<p dir=\"auto\"><a href=\"mailto:m@b.c" + rel + "m@b.c</a></p>\n");
    EXPECT_EQ(markdown_to_html("https://b.c"),
              "<p dir=\"auto\"><a href=\"https://b.c" + rel + "https://b.c</a></p>\n");
    for (const std::string_view bad : {"javascript:alert(1)",
                                       "JaVaScRiPt:x",
                                       "&#106;avascript:x",
                                       "javascript&colon;x",
                                       "data:text/html,x",
                                       "/relative",
                                       "//host/x",
                                       "vbscript:x",
                                       "http:x",
                                       "file:///etc/passwd"}) {
        EXPECT_EQ(markdown_to_html("[a](" + std::string(bad) + ")"), "<p dir=\"auto\">a</p>\n")
            << bad;
    }
    EXPECT_THAT(markdown_to_html("[a](<http://b/\"onclick=\"x>)"),
                HasSubstr("href=\"http://b/%22onclick=%22x\""));
}

TEST(Markdown, ImagesAreLinksAndNeverLoad) {
    const std::string rel = "\" rel=\"noopener noreferrer nofollow\">";
    EXPECT_EQ(markdown_to_html("![cat](https://b/c.png)"),
              "<p dir=\"auto\"><a href=\"https://b/c.png" + rel + "cat</a></p>\n");
    EXPECT_EQ(markdown_to_html("![](https://b/c.png)"),
              "<p dir=\"auto\"><a href=\"https://b/c.png" + rel + "https://b/c.png</a></p>\n");
    EXPECT_EQ(markdown_to_html("![cat](data:image/png;x)"), "<p dir=\"auto\">cat</p>\n");
    EXPECT_EQ(markdown_to_html("[![cat](https://b/c.png)](https://d)"),
              "<p dir=\"auto\"><a href=\"https://d" + rel + "cat</a></p>\n");
}

TEST(Markdown, HtmlIsText) {
    EXPECT_EQ(markdown_to_html("<script>alert(1)</script>"),
              "<p dir=\"auto\">&lt;script&gt;alert(1)&lt;/script&gt;</p>\n");
    EXPECT_EQ(markdown_to_html("a <b onclick='x'>c</b>"),
              "<p dir=\"auto\">a &lt;b onclick=&#39;x&#39;&gt;c&lt;/b&gt;</p>\n");
    EXPECT_EQ(markdown_to_html("&copy; &#60;i&#62; &nope"),
              "<p dir=\"auto\">&copy; &lt;i&gt; &amp;nope</p>\n");
    EXPECT_EQ(escape_html("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
}

TEST(Markdown, WhatIsTooMuchIsShownAsItIs) {
    EXPECT_THAT(markdown_to_html(repeat("> ", 4000) + "<x>"), HasSubstr("<pre class=\"plain\""));
    EXPECT_THAT(markdown_to_html(repeat("> ", 100) + "<x>"), HasSubstr("<blockquote>"));
    const std::string wide =
        "|" + repeat("x|", 20000) + "\n|" + repeat("---|", 40000) + "\n" + repeat("|\n", 100000);
    EXPECT_LT(markdown_to_html(wide).size(), 40 * wide.size());
    EXPECT_THAT(markdown_to_html(std::string(kMaxMarkdownBytes + 1, 'a')),
                HasSubstr("<pre class=\"plain\""));
}

class HostileMarkdown : public testing::TestWithParam<std::string> {};

// Quadratic work on a mebibyte would run into the test's time limit.
TEST_P(HostileMarkdown, EndsAndStaysSmall) {
    const std::string text = repeat(GetParam(), 1 << 20);
    const std::string html = markdown_to_html(text);
    finished_block_ends(text);
    EXPECT_LE(html.size(), (std::size_t{1} << 20) * 25);
}

INSTANTIATE_TEST_SUITE_P(All,
                         HostileMarkdown,
                         testing::Values(">",
                                         "[",
                                         "]",
                                         "[a](",
                                         "![",
                                         "*",
                                         "*a_ ",
                                         "a**b c* ",
                                         "`a ",
                                         "- ",
                                         "1. ",
                                         "|",
                                         "[a]: b c\n",
                                         "~~a~ ",
                                         "<a ",
                                         "<!-- ",
                                         "&a;",
                                         "\\",
                                         "http://a.b ",
                                         "http://a.b(",
                                         "www.a",
                                         "a@b.c ",
                                         "a\n=\n",
                                         "```\n",
                                         "| |\n",
                                         "_a ",
                                         "**_*",
                                         std::string(1, '\0'),
                                         "\t",
                                         "\xFF",
                                         "[a][a]\n",
                                         "$",
                                         "$a",
                                         "$a$",
                                         "$$ ",
                                         "\\(",
                                         "\\[\n",
                                         "\\[\n\\]",
                                         "\\(a \\[ ",
                                         "`a` ``\n",
                                         "$a `b$ "));

}  // namespace
}  // namespace notso::services
