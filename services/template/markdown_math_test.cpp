// Formulas are found and kept as they were written; prices, code and brackets are left alone.
#include "services/template/markdown_math.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/template/markdown.hpp"

namespace notso::services {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> tex_of(std::string_view text) {
    std::vector<std::string> out;
    for (const Formula& formula : take_formulas(text).formulas)
        out.push_back((formula.display ? "!" : "") + formula.tex);
    return out;
}

TEST(Formulas, AreFoundInEachOfTheFourWays) {
    EXPECT_THAT(tex_of("a $x_1^2$ b"), ElementsAre("x_1^2"));
    EXPECT_THAT(tex_of("$5$, $n$-th and ($a$)"), ElementsAre("5", "n", "a"));
    EXPECT_THAT(tex_of("\\(a * b * c\\) and \\[\\frac{1}{2}\\]"),
                ElementsAre("a * b * c", "!\\frac{1}{2}"));
    EXPECT_THAT(tex_of("$$\na &= b \\\\\n- c\n$$"), ElementsAre("!\na &= b \\\\\n- c\n"));
    EXPECT_THAT(tex_of("- $$\n  x\n  $$\n- y"), ElementsAre("!\nx\n"));
    EXPECT_THAT(tex_of("> \\[\n> x^2\n> \\]"), ElementsAre("!\nx^2\n"));
    EXPECT_THAT(tex_of("$\\$5 + x$ $a\\\\$"), ElementsAre("\\$5 + x", "a\\\\"));
    EXPECT_THAT(tex_of("| $|x|$ | $y$ |"), ElementsAre("|x|", "y"));
}

TEST(Formulas, PricesAndBracketsAreNone) {
    for (const std::string_view text : {"It costs $5 and $10.",
                                        "from $5 to $10, or 20$ more",
                                        "either $5 or 6$",
                                        "US$5 and US$6",
                                        "$HOME and $PATH",
                                        "cd $HOME/$USER",
                                        "$ a $",
                                        "a $5,000 car, a $6,000 car",
                                        "\\$x\\$",
                                        "$$$",
                                        "$$$$",
                                        "$$ $$",
                                        "$x\n y$",
                                        "\\[not a link\\]",
                                        "\\[a\n\nb = c\\]",
                                        "$$a\n\nb$$",
                                        "\\(\\)",
                                        "\\\\(x\\\\)",
                                        "$",
                                        "\\"}) {
        EXPECT_THAT(tex_of(text), IsEmpty()) << text;
        EXPECT_EQ(take_formulas(text).text, text);
    }
}

TEST(Formulas, CodeIsLeftAlone) {
    for (const std::string_view text : {"`$x$`",
                                        "``a ` $x$``",
                                        "```\n$x$ \\[y = 1\\]\n```",
                                        "~~~sh\necho $x$\n~~~",
                                        "- ```\n  $x$\n  ```",
                                        "$$\n```\nx\n```\n$$"}) {
        EXPECT_THAT(tex_of(text), IsEmpty()) << text;
    }
    EXPECT_THAT(tex_of("```\na\n```\n$x$ `b` $y$"), ElementsAre("x", "y"));
    EXPECT_THAT(markdown_to_html("    $x$ and \\[y = 1\\]"),
                HasSubstr(">$x$ and \\[y = 1\\]\n</code>"));
}

TEST(Formulas, AreShownAsTheyWereWritten) {
    EXPECT_EQ(markdown_to_html("so $a_1 < b_2 * c * d$."),
              "<p dir=\"auto\">so <code class=\"math\">a_1 &lt; b_2 * c * d</code>.</p>\n");
    EXPECT_EQ(markdown_to_html("\\[\n- a\n= \"b\"\n\\]"),
              "<p dir=\"auto\"><code class=\"math display\">\n- a\n= &quot;b&quot;\n</code></p>\n");
    EXPECT_THAT(markdown_to_html("[**$x$**](https://a.b)"),
                HasSubstr("<strong><code class=\"math\">x"));
    EXPECT_THAT(markdown_to_html("[a](https://b.c/$x$)"), HasSubstr("href=\"https://b.c/$x$\""));
    EXPECT_THAT(markdown_to_html("```$x$\na\n```"), Not(HasSubstr("math")));
}

TEST(Formulas, TooLongIsText) {
    EXPECT_THAT(tex_of("$$" + std::string(kMaxFormulaBytes - 2, 'x') + "$$").size(), 1U);
    EXPECT_THAT(tex_of("$$" + std::string(kMaxFormulaBytes + 1, 'x') + "$$"), IsEmpty());
    EXPECT_THAT(tex_of("$" + std::string(kMaxFormulaBytes * 1000, 'x') + "$"), IsEmpty());
}

TEST(Formulas, MarksOfOthersAreText) {
    const std::string mark =
        "\xEF\xA3\x90"
        "0\xEF\xA3\x91";
    EXPECT_THAT(tex_of("$x$ " + mark), IsEmpty());
    EXPECT_EQ(markdown_to_html("$x$ " + mark), "<p dir=\"auto\">$x$ " + mark + "</p>\n");
}

}  // namespace
}  // namespace notso::services
