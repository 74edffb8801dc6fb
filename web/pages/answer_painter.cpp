#include "web/pages/answer_painter.hpp"

#include <fmt/format.h>

#include "services/template/markdown.hpp"
#include "web/pages/message_view.hpp"
#include "web/pages/page_view.hpp"
#include "web/pages/tool_view.hpp"

namespace notso::web {
namespace {

using services::FeedSnapshot;

std::string id_of(std::string_view prefix, const services::TurnFeed& feed) {
    return fmt::format("{}-{}", prefix, feed.answer().value);
}

/// What is left of the controls once nothing runs.
std::string idle_controls(const PageRenderer& pages) {
    const boost::json::object idle = {{"running", nullptr}};
    return partial("pill", "outerHTML", pages.render("partials/pill.html", idle)) +
           partial("action", "outerHTML", pages.render("partials/action.html", idle));
}

/// Has the page ask how full the context is now.
std::string context_again(const services::ConversationId& conversation) {
    return fmt::format(
        "<span hx-get=\"/chat/{}/context/bar\" hx-trigger=\"load\" hx-target=\"#context\" "
        "hx-swap=\"outerHTML\"></span>",
        conversation.value);
}

}  // namespace

std::string partial(std::string_view id, std::string_view swap, std::string_view html) {
    return fmt::format(
        "<hx-partial hx-target=\"#{}\" hx-swap=\"{}\">{}</hx-partial>\n", id, swap, html);
}

std::string paint_stored_answer(const PageRenderer& pages,
                                const services::Message& answer,
                                bool can_continue) {
    const boost::json::object view = {{"m", answer_view(pages.language(), answer, can_continue)},
                                      {"keep_thinking", false}};
    return partial(
               "m-" + answer.id.value, "outerHTML", pages.render("partials/answer.html", view)) +
           idle_controls(pages);
}

bool AnswerPainter::resume_at(std::uint64_t seq) {
    const auto extent = feed_.extent_at(seq);
    if (!extent) return false;
    fresh_ = false;
    seq_ = seq;
    text_bytes_ = extent->text;
    thinking_bytes_ = extent->thinking;
    const FeedSnapshot& now = feed_.snapshot();
    const std::size_t begin = tail_begin(now.text, now.tool_uses);
    const std::string_view seen = std::string_view(now.text).substr(0, extent->text);
    done_bytes_ = begin < seen.size() ? begin + finished_bytes(seen.substr(begin)) : begin;
    return true;
}

std::string AnswerPainter::paint() {
    const FeedSnapshot& now = feed_.snapshot();
    fresh_ = fresh_ || now.rewritten_seq > seq_;
    std::string out;
    paint_thinking(out);
    if (now.line_seq > (fresh_ ? 0 : seq_)) {
        out += partial(
            "waiting",
            "outerHTML",
            pages_.render(
                "partials/waiting.html",
                {{"waiting",
                  waiting_view(pages_.language(), feed_.conversation().id.value, now.waiting)}}));
    }
    if (now.ended) {
        paint_end(out);
    } else {
        paint_text(out);
        paint_status(out);
    }
    fresh_ = false;
    seq_ = now.seq;
    return out;
}

void AnswerPainter::paint_thinking(std::string& out) {
    const FeedSnapshot& now = feed_.snapshot();
    if (now.thinking.empty()) return;
    if (fresh_ || thinking_bytes_ == 0) {
        const boost::json::object view = {{"m", live_answer_view(pages_.language(), feed_)},
                                          {"keep_thinking", false}};
        out += partial(
            id_of("thoughts", feed_), "innerHTML", pages_.render("partials/thinking.html", view));
    } else if (now.thinking.size() > thinking_bytes_) {
        const std::string_view more = std::string_view(now.thinking).substr(thinking_bytes_);
        out += partial(id_of("thought", feed_), "beforeend", services::escape_html(more));
    }
    thinking_bytes_ = now.thinking.size();
    if (std::string label = thinking_label(pages_.language(), now); label != thinking_label_) {
        thinking_label_ = std::move(label);
        if (!now.thinking_open) out += partial(id_of("answer-now", feed_), "innerHTML", "");
        out += partial(
            id_of("thinking-label", feed_), "innerHTML", services::escape_html(thinking_label_));
    }
}

void AnswerPainter::paint_text(std::string& out) {
    const FeedSnapshot& now = feed_.snapshot();
    const std::string_view text = now.text;
    const bool tools_changed = now.tools_seq > seq_ || (fresh_ && !now.tool_uses.empty());
    if (!fresh_ && !tools_changed && text.size() == text_bytes_) return;
    const std::size_t begin = tail_begin(text, now.tool_uses);
    const std::size_t done = begin + finished_bytes(text.substr(begin));
    if (tools_changed) {
        const boost::json::object view = {{"m", live_answer_view(pages_.language(), feed_)}};
        out +=
            partial(id_of("steps", feed_), "innerHTML", pages_.render("partials/steps.html", view));
    }
    if (fresh_ || tools_changed) {
        out += partial(id_of("done", feed_),
                       "innerHTML",
                       prose_html(pages_.language(), text.substr(begin, done - begin)));
    } else if (done > done_bytes_) {
        out += partial(id_of("done", feed_),
                       "beforeend",
                       prose_html(pages_.language(), text.substr(done_bytes_, done - done_bytes_)));
    }
    out += partial(
        id_of("tail", feed_), "innerHTML", prose_html(pages_.language(), text.substr(done)));
    done_bytes_ = done;
    text_bytes_ = text.size();
}

void AnswerPainter::paint_status(std::string& out) {
    const services::TurnStatus& status = feed_.snapshot().status;
    std::string label = pill_label(pages_.language(), status);
    if (label == label_) return;
    label_ = std::move(label);
    out += partial("pill-label", "innerHTML", label_);
    out += partial("pill-more", "innerHTML", pill_details(pages_.language(), status));
}

void AnswerPainter::paint_end(std::string& out) {
    const FeedSnapshot& now = feed_.snapshot();
    const boost::json::object view = {
        {"m", answer_view(pages_.language(), *now.ended, now.can_continue)},
        {"keep_thinking", true}};
    out += partial(id_of("m", feed_), "outerHTML", pages_.render("partials/answer.html", view));
    out += idle_controls(pages_);
    out += partial("context-news", "innerHTML", context_again(feed_.conversation().id));
    if (feed_.snapshot().more_follows) {
        const boost::json::object after = {
            {"after", after_view(feed_.conversation().id.value, {}, true)}};
        out += partial("after", "innerHTML", pages_.render("partials/after.html", after));
    }
    text_bytes_ = feed_.snapshot().text.size();
}

}  // namespace notso::web
