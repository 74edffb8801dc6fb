#include "web/pages/message_view.hpp"

#include <fmt/format.h>

#include "base/random.hpp"
#include "services/session/message_names.hpp"
#include "services/template/markdown.hpp"
#include "web/pages/format.hpp"
#include "web/pages/sse.hpp"
#include "web/pages/tool_view.hpp"

namespace notso::web {
namespace {

using services::FeedSnapshot;
using services::Message;
using services::MessageState;
using services::TurnFeed;
using services::TurnPhase;
using services::TurnStatus;

/// Why an answer is not whole, for people.
std::string_view note_of(const Message& message) {
    switch (message.state) {
        case MessageState::kStopped:
            return message.text.empty() ? "Stopped before the first word."
                                        : "You stopped this answer here.";
        case MessageState::kInterrupted:
            return "The server was stopped in the middle of this answer.";
        case MessageState::kLength:
            return "Cut here: the answer reached the end of the context.";
        default:
            return message.text.empty() && message.state == MessageState::kComplete
                       ? "The model said nothing."
                       : "";
    }
}

std::string joined(std::initializer_list<std::string> parts) {
    std::string out;
    for (const std::string& part : parts) {
        if (part.empty()) continue;
        if (!out.empty()) out += " · ";
        out += part;
    }
    return out;
}

std::string stats_line(const services::MessageStats& stats) {
    if (stats.completion_tokens == 0) return {};
    return joined(
        {format_counted(stats.completion_tokens, "token"),
         format_rate(stats.tokens_per_second),
         stats.first_token_ms > 0 ? "first after " + format_duration(stats.first_token_ms) : ""});
}

/// Why thoughts are shorter than the model would have them.
std::string_view thinking_note(services::ThinkingEndReason reason) {
    switch (reason) {
        case services::ThinkingEndReason::kBudget:
            return "ended: the thinking budget was used up";
        case services::ThinkingEndReason::kAsked:
            return "ended: you asked for the answer";
        case services::ThinkingEndReason::kLoop:
            return "ended: it went round in circles";
        case services::ThinkingEndReason::kModel:
            break;
    }
    return {};
}

std::string thought_label(const services::MessageStats& stats) {
    const double ms = stats.thinking_ms;
    return joined(
        {ms > 0 ? "Thought for " + format_duration(ms) : "Thought",
         stats.reasoning_tokens > 0 ? format_counted(stats.reasoning_tokens, "token") : "",
         std::string(thinking_note(stats.thinking_end))});
}

/// What stored and running answers have in common.
boost::json::object common_view(const Message& message) {
    const std::string_view text = std::string_view(message.text).substr(tail_begin(message));
    const std::size_t settled = finished_bytes(text);
    boost::json::object view = {{"id", message.id.value},
                                {"role", "assistant"},
                                {"state", services::name_of(message.state)},
                                {"parent", message.parent ? message.parent->value : ""},
                                {"conversation", message.conversation.value},
                                {"has_thinking", !message.thinking.empty()},
                                {"thinking", message.thinking},
                                {"thinking_label", thought_label(message.stats)},
                                {"thinking_open", false},
                                {"has_text", !message.text.empty()},
                                {"steps", steps_view(message)},
                                {"done_html", prose_html(text.substr(0, settled))},
                                {"tail_html", prose_html(text.substr(settled))}};
    return view;
}

std::string percent(std::int64_t done, std::int64_t total) {
    return total > 0 ? fmt::format("{} %", done * 100 / total) : "";
}

/// Whole seconds, or minutes from two on: an estimate is no better than that.
std::string rough_duration(std::int64_t ms) {
    const std::int64_t seconds = std::max<std::int64_t>((ms + 500) / 1000, 1);
    return seconds < 120 ? fmt::format("{} s", seconds)
                         : fmt::format("{} min", (seconds + 30) / 60);
}

std::string queued_label(const TurnStatus& status) {
    return "<b>Queued</b> " +
           joined(
               {status.queue_position > 0 ? format_count(status.queue_position) + " ahead" : "",
                status.queue_wait_ms > 0 ? "about " + rough_duration(status.queue_wait_ms) : ""});
}

void add_row(std::string& html, std::string_view name, std::string_view value) {
    html += fmt::format("<dt>{}</dt><dd>{}</dd>", name, services::escape_html(value));
}

/// Rows of what stands behind an answer's line of numbers.
std::string stats_rows(const services::MessageStats& stats) {
    std::string html;
    add_row(html,
            "Prompt",
            fmt::format("{}, {} of them cached",
                        format_counted(stats.prompt_tokens, "token"),
                        format_count(stats.cached_tokens)));
    add_row(html, "Written", format_counted(stats.completion_tokens, "token"));
    if (stats.reasoning_tokens > 0)
        add_row(html, "Of these, thinking", format_counted(stats.reasoning_tokens, "token"));
    if (stats.tokens_per_second > 0) add_row(html, "Speed", format_rate(stats.tokens_per_second));
    if (stats.first_token_ms > 0)
        add_row(html, "First token", "after " + format_duration(stats.first_token_ms));
    if (stats.draft_tokens > 0) {
        add_row(html,
                "Guessed ahead",
                fmt::format("{}, {} right",
                            format_counted(stats.draft_tokens, "token"),
                            percent(stats.accepted_tokens, stats.draft_tokens)));
    }
    return html;
}

}  // namespace

std::size_t finished_bytes(std::string_view text) {
    const std::vector<std::size_t> ends = services::finished_block_ends(text);
    return ends.empty() ? 0 : ends.back();
}

std::string prose_html(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos
               ? ""
               : services::markdown_to_html(text);
}

boost::json::object user_view(const Message& message) {
    return {{"id", message.id.value},
            {"role", "user"},
            {"conversation", message.conversation.value},
            {"text", message.text}};
}

boost::json::object answer_view(const Message& message, bool can_continue) {
    boost::json::object view = common_view(message);
    const bool failed = message.state == MessageState::kFailed;
    view["running"] = false;
    view["error"] = failed ? format_sentence(message.error) : "";
    view["error_heading"] = message.text.empty() ? "No answer came." : "The answer broke off.";
    view["can_retry"] = message.state != MessageState::kComplete;
    view["can_continue"] = can_continue;
    view["client_id"] = random_id();
    view["note"] = note_of(message);
    view["stats"] = stats_line(message.stats);
    view["stats_rows"] = stats_rows(message.stats);
    return view;
}

boost::json::object live_answer_view(const TurnFeed& feed) {
    const FeedSnapshot& shown = feed.snapshot();
    if (shown.ended) return answer_view(*shown.ended, shown.can_continue);
    Message message{
        .id = feed.answer(), .conversation = feed.conversation().id, .text = shown.text};
    message.state = MessageState::kRunning;
    message.thinking = shown.thinking;
    message.tool_uses = shown.tool_uses;
    boost::json::object view = common_view(message);
    view["running"] = true;
    view["can_continue"] = false;
    view["thinking_label"] = thinking_label(shown);
    view["thinking_open"] = shown.thinking_open;
    return view;
}

boost::json::object running_view(const TurnFeed& feed) {
    const FeedSnapshot& shown = feed.snapshot();
    return {{"conversation", feed.conversation().id.value},
            {"event_id", to_string(EventId{feed.answer(), shown.seq})},
            {"label", pill_label(shown.status)},
            {"details", pill_details(shown.status)}};
}

std::string thinking_label(const FeedSnapshot& shown) {
    if (shown.ended) return thought_label(shown.ended->stats);
    if (shown.thinking_open) return "Thinking…";
    return thought_label(
        {.thinking_ms = shown.thinking_ms, .thinking_end = shown.status.thinking_end});
}

std::string pill_label(const TurnStatus& status) {
    const std::string progress = status.completion_tokens == 0
                                     ? ""
                                     : joined({format_counted(status.completion_tokens, "token"),
                                               format_rate(status.tokens_per_second)});
    const std::string left_out =
        status.messages_left_out > 0
            ? " · oldest " + format_counted(status.messages_left_out, "message") + " left out"
            : "";
    switch (status.phase) {
        case TurnPhase::kQueued:
            return queued_label(status);
        case TurnPhase::kPrefill:
            return fmt::format("<b>Reading your message</b> {}{}",
                               percent(status.prefill_done, status.prefill_total),
                               left_out);
        case TurnPhase::kThinking:
            return fmt::format("<b>Thinking</b> {}{}", progress, left_out);
        case TurnPhase::kWriting:
            return fmt::format("<b>Writing</b> {}{}", progress, left_out);
        case TurnPhase::kUsingTools:
            return fmt::format("<b>{}</b> {}",
                               status.tool_asks ? "Waiting for your decision:" : "Using",
                               services::escape_html(spaced(status.tool)));
        case TurnPhase::kEnded:
            return "<b>Finishing</b>";
    }
    return {};
}

std::string pill_details(const TurnStatus& status) {
    std::string html;
    if (status.phase == TurnPhase::kQueued) {
        add_row(html, "Ahead of yours", format_counted(status.queue_position, "message"));
        if (status.queue_wait_ms > 0)
            add_row(html, "Wait", "about " + rough_duration(status.queue_wait_ms));
    }
    if (status.prefill_total > 0) {
        add_row(html,
                "Read",
                fmt::format("{} of {}",
                            format_count(status.prefill_done),
                            format_counted(status.prefill_total, "token")));
    }
    add_row(html, "Written", format_counted(status.completion_tokens, "token"));
    if (status.tokens_per_second > 0) add_row(html, "Speed", format_rate(status.tokens_per_second));
    if (status.messages_left_out > 0) {
        add_row(html,
                "Left out",
                format_counted(status.messages_left_out, "message") +
                    ": the context is full, the oldest don’t fit");
    }
    return html;
}

std::string end_announcement(const Message& answer) {
    switch (answer.state) {
        case MessageState::kFailed:
            return "No answer. " + format_sentence(answer.error);
        case MessageState::kStopped:
            return "Stopped";
        default:
            return fmt::format("Answer ready, {}",
                               format_counted(count_words(answer.text), "word"));
    }
}

}  // namespace notso::web
