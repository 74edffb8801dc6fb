// What a reader's page shows after any sequence of paints is what a page that is loaded at that
// moment shows. A small page model applies the fragments, as the browser would.
#include "web/pages/answer_painter.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "services/template/markdown.hpp"
#include "web/pages/message_view.hpp"

namespace notso::web {
namespace {

using services::TurnFeed;
using services::TurnPhase;
namespace feed_event = services::feed_event;

const std::string kId(32, 'a');

/// Elements by id, with their inner HTML.
class PageModel {
  public:
    void apply(std::string_view fragments) {
        constexpr std::string_view kOpen = "<hx-partial hx-target=\"#";
        while (fragments.starts_with(kOpen)) {
            fragments.remove_prefix(kOpen.size());
            const std::string id = take(fragments, "\" hx-swap=\"");
            const std::string swap = take(fragments, "\">");
            const std::string html = take(fragments, "</hx-partial>\n");
            if (swap == "beforeend") {
                elements_[id] += html;
            } else {
                elements_[id] = html;
            }
        }
        EXPECT_EQ(fragments, "");
    }
    std::string at(const std::string& id) const {
        const auto found = elements_.find(id);
        return found == elements_.end() ? "" : found->second;
    }

  private:
    static std::string take(std::string_view& text, std::string_view until) {
        const std::size_t end = text.find(until);
        EXPECT_NE(end, std::string_view::npos);
        std::string out(text.substr(0, end));
        text.remove_prefix(std::min(text.size(), end + until.size()));
        return out;
    }
    std::map<std::string, std::string> elements_;
};

class AnswerPainterTest : public testing::Test {
  protected:
    void status(TurnPhase phase) {
        feed_->append(feed_event::Status{{.phase = phase, .completion_tokens = 1}});
    }
    void text(std::string piece) { feed_->append(feed_event::Text{std::move(piece)}); }
    void thought(std::string piece) { feed_->append(feed_event::ThinkingText{std::move(piece)}); }
    void end() {
        services::Message message{
            .id = {kId}, .conversation = {"c"}, .text = feed_->snapshot().text};
        message.role = services::MessageRole::kAssistant;
        message.thinking = feed_->snapshot().thinking;
        feed_->append(feed_event::Ended{message});
    }
    std::string shown_text(const PageModel& page) const {
        return page.at("done-" + kId) + page.at("tail-" + kId);
    }
    /// As a page that is loaded now would have it.
    std::string loaded_text() const {
        const boost::json::object view = live_answer_view(Language::english(), *feed_);
        return std::string(view.at("done_html").as_string()) +
               std::string(view.at("tail_html").as_string());
    }

    PageRenderer pages_{Language::english()};
    std::shared_ptr<TurnFeed> feed_ = std::make_shared<TurnFeed>(
        services::MessageId{kId}, services::ConversationKey({"o"}, {"c"}));
};

TEST_F(AnswerPainterTest, AnyBatchesGiveTheSamePage) {
    std::mt19937 random(7);
    const std::string source =
        "# Title\n\nA *paragraph* with `code` & <b>tags</b>.\n\n- one\n- two\n\n```cpp\nint "
        "a;\n\nint b;\n```\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\nLast words";
    for (int round = 0; round < 50; ++round) {
        feed_ = std::make_shared<TurnFeed>(services::MessageId{kId},
                                           services::ConversationKey({"o"}, {"c"}));
        AnswerPainter painter(pages_, *feed_);
        PageModel page;
        page.apply(painter.paint());
        for (std::size_t at = 0; at < source.size();) {
            const std::size_t size = 1 + random() % 9;
            text(source.substr(at, size));
            at += size;
            if (random() % 3 == 0) page.apply(painter.paint());
        }
        page.apply(painter.paint());
        EXPECT_EQ(shown_text(page), loaded_text());
        EXPECT_EQ(painter.seq(), feed_->snapshot().seq);
    }
}

TEST_F(AnswerPainterTest, AReaderThatComesBackGetsExactlyTheRest) {
    const std::string source = "First paragraph.\n\nSecond *one*.\n\n- a\n- b\n\nThird.";
    for (std::size_t cut = 1; cut < source.size(); ++cut) {
        feed_ = std::make_shared<TurnFeed>(services::MessageId{kId},
                                           services::ConversationKey({"o"}, {"c"}));
        thought("hm ");
        text(source.substr(0, cut));
        AnswerPainter before(pages_, *feed_);
        PageModel page;
        page.apply(before.paint());
        const std::uint64_t seen = before.seq();
        text(source.substr(cut));
        AnswerPainter after(pages_, *feed_);
        ASSERT_TRUE(after.resume_at(seen));
        page.apply(after.paint());
        EXPECT_EQ(shown_text(page), loaded_text()) << "cut at " << cut;
    }
}

TEST_F(AnswerPainterTest, ARewrittenAnswerTakesThePlaceOfTheOldOne) {
    const std::string source = "First paragraph.\n\nSecond one.\n\n<tool";
    for (std::size_t kept = 1; kept < source.size(); kept += 3) {
        feed_ = std::make_shared<TurnFeed>(services::MessageId{kId},
                                           services::ConversationKey({"o"}, {"c"}));
        AnswerPainter painter(pages_, *feed_);
        PageModel page;
        text(source);
        page.apply(painter.paint());
        feed_->append(feed_event::Rewritten{"", source.substr(0, kept)});
        if (kept % 2 == 0) page.apply(painter.paint());
        text(" and more.\n\nThe end");
        page.apply(painter.paint());
        EXPECT_EQ(shown_text(page), loaded_text()) << "kept " << kept;
    }
}

TEST_F(AnswerPainterTest, EventsOfAnEarlierFeedAreUnknown) {
    constexpr std::uint64_t kBase = std::uint64_t{1} << 32;
    feed_->begin_at(kBase);
    text("old text, ");
    text("new text");
    for (const std::uint64_t seq : {std::uint64_t{0}, std::uint64_t{1}, kBase - 1, kBase + 3})
        EXPECT_FALSE(AnswerPainter(pages_, *feed_).resume_at(seq)) << seq;
    AnswerPainter painter(pages_, *feed_);
    ASSERT_TRUE(painter.resume_at(kBase + 1));
    EXPECT_EQ(feed_->since(kBase)->size(), 2U);
    EXPECT_FALSE(feed_->since(kBase - 1).has_value());
}

TEST_F(AnswerPainterTest, FinishedBlocksAreSentOnce) {
    AnswerPainter painter(pages_, *feed_);
    text("One finished paragraph.\n\nA second");
    painter.paint();
    text(" grows");
    const std::string fragments = painter.paint();
    EXPECT_EQ(fragments.find("finished"), std::string::npos);
    EXPECT_NE(fragments.find("A second grows"), std::string::npos);
    EXPECT_EQ(painter.paint(), "") << "nothing new, nothing to say";
}

TEST_F(AnswerPainterTest, AnUnknownPositionGivesASnapshot) {
    text("Some text.\n\nMore");
    AnswerPainter painter(pages_, *feed_);
    EXPECT_FALSE(painter.resume_at(99));
    PageModel page;
    page.apply(painter.paint());
    EXPECT_EQ(shown_text(page), loaded_text());
}

TEST_F(AnswerPainterTest, ThoughtsGrowAndAreLabelled) {
    AnswerPainter painter(pages_, *feed_);
    PageModel page;
    status(TurnPhase::kThinking);
    thought("I <think>");
    page.apply(painter.paint());
    EXPECT_NE(page.at("thoughts-" + kId).find("I &lt;think&gt;</div>"), std::string::npos);
    EXPECT_EQ(page.at("thinking-label-" + kId), "Thinking…");
    thought(" & more");
    page.apply(painter.paint());
    EXPECT_EQ(page.at("thought-" + kId), " &amp; more");
    status(TurnPhase::kWriting);
    text("So.");
    page.apply(painter.paint());
    EXPECT_TRUE(page.at("thinking-label-" + kId).starts_with("Thought for"));
}

TEST_F(AnswerPainterTest, TheEndBringsTheWholeAnswerAndTheSendButton) {
    AnswerPainter painter(pages_, *feed_);
    PageModel page;
    text("All of it");
    page.apply(painter.paint());
    EXPECT_NE(page.at("pill-label").find("Queued"), std::string::npos);
    text(", in the end.");
    end();
    page.apply(painter.paint());
    EXPECT_NE(page.at("m-" + kId).find("All of it, in the end."), std::string::npos);
    EXPECT_EQ(page.at("m-" + kId).find("aria-busy"), std::string::npos);
    EXPECT_NE(page.at("action").find("send-button"), std::string::npos);
    EXPECT_EQ(page.at("pill").find("summary"), std::string::npos);
}

TEST_F(AnswerPainterTest, HostileTextStaysText) {
    AnswerPainter painter(pages_, *feed_);
    thought("</div><script>1</script><hx-partial hx-target=\"#x\">");
    text(
        "<hx-partial hx-target=\"#pill\">boo</hx-partial>\n\n<img src=x onerror=alert(1)> <div "
        "hx-get=\"/livez\">");
    end();
    const std::string fragments = painter.paint();
    for (const char* bad : {"<script", "<img", "<div hx-get", "#x\"", "#pill\">boo"}) {
        EXPECT_EQ(fragments.find(bad), std::string::npos) << bad;
    }
}

TEST_F(AnswerPainterTest, ReadersOfTwoLanguagesGetTheLabelsOfTheirs) {
    const PageRenderer german_pages(*Language::find("de"));
    AnswerPainter german(german_pages, *feed_);
    AnswerPainter english(pages_, *feed_);
    text("```c\nx\n```\n\n|a|\n|-|\n|b|\n\nand");
    const std::string hers = german.paint();
    const std::string his = english.paint();
    for (const char* part : {">Kopieren<", "aria-label=\"Code, c\"", "aria-label=\"Tabelle\""})
        EXPECT_TRUE(hers.contains(part)) << part << " in " << hers;
    for (const char* part : {">Copy<", "aria-label=\"Table\""})
        EXPECT_TRUE(his.contains(part)) << part << " in " << his;
    end();
    EXPECT_TRUE(german.paint().contains("aria-label=\"Tabelle\""));
    EXPECT_TRUE(english.paint().contains("aria-label=\"Table\""));
}

TEST(PillTest, SaysHowMuchIsReadAndHowFast) {
    services::TurnStatus status{
        .phase = TurnPhase::kPrefill, .prefill_done = 40, .prefill_total = 100};
    EXPECT_EQ(pill_label(Language::english(), status), "<b>Reading your message</b> 40 %");
    status.prefill_tokens_per_second = 812.5;
    EXPECT_EQ(pill_label(Language::english(), status),
              "<b>Reading your message</b> 40 % · 812.5 tokens/s");
}

TEST(PillTest, SaysHowLongTheQueueIs) {
    EXPECT_EQ(pill_label(Language::english(), {.phase = TurnPhase::kQueued}), "<b>Queued</b> ");
    EXPECT_EQ(pill_label(Language::english(), {.phase = TurnPhase::kQueued, .queue_position = 2}),
              "<b>Queued</b> 2 ahead");
    EXPECT_EQ(
        pill_label(Language::english(),
                   {.phase = TurnPhase::kQueued, .queue_position = 2, .queue_wait_ms = 40'400}),
        "<b>Queued</b> 2 ahead · about 40 s");
    EXPECT_EQ(
        pill_label(Language::english(), {.phase = TurnPhase::kQueued, .queue_wait_ms = 150'000}),
        "<b>Queued</b> about 3 min");
    EXPECT_TRUE(pill_details(Language::english(), {.phase = TurnPhase::kQueued, .queue_wait_ms = 1})
                    .contains("about 1 s"));
}

TEST(AnswerViewTest, HasTheNumbersOfTheAnswer) {
    services::Message message{.id = {kId}, .conversation = {"c"}, .text = "x"};
    message.stats = {.prompt_tokens = 44,
                     .cached_tokens = 40,
                     .completion_tokens = 12,
                     .draft_tokens = 8,
                     .accepted_tokens = 6,
                     .first_token_ms = 400,
                     .tokens_per_second = 20,
                     .model = "tiny<"};
    const std::string rows(answer_view(Language::english(), message).at("stats_rows").as_string());
    for (const char* part : {"<dt>Model</dt><dd>tiny&lt;</dd>",
                             "44 tokens, 40 of them cached",
                             "12 tokens",
                             "20.0 tokens/s",
                             "after 0.4 s",
                             "8 tokens, 75 % right"}) {
        EXPECT_TRUE(rows.contains(part)) << part << " in " << rows;
    }
}

}  // namespace
}  // namespace notso::web
