#include "web/pages/message_view.hpp"

#include <fmt/format.h>

#include "base/random.hpp"
#include "services/session/message_names.hpp"
#include "services/template/markdown.hpp"
#include "web/pages/files_view.hpp"
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
std::string_view note_of(const Language& language, const Message& message) {
    switch (message.state) {
        case MessageState::kStopped:
            return language.text(message.text.empty() ? "Stopped before the first word."
                                                      : "You stopped this answer here.");
        case MessageState::kInterrupted:
            return language.text("The server was stopped in the middle of this answer.");
        case MessageState::kLength:
            return language.text("Cut here: the answer reached the end of the context.");
        default:
            return message.text.empty() && message.state == MessageState::kComplete
                       ? language.text("The model said nothing.")
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

std::string stats_line(const Language& language, const services::MessageStats& stats) {
    if (stats.completion_tokens == 0) return {};
    return joined(
        {format_counted(language, stats.completion_tokens, "token"),
         format_rate(language, stats.tokens_per_second),
         stats.first_token_ms > 0
             ? language.fill("first after {}", format_duration(language, stats.first_token_ms))
             : ""});
}

/// Why thoughts are shorter than the model would have them.
std::string_view thinking_note(const Language& language, services::ThinkingEndReason reason) {
    switch (reason) {
        case services::ThinkingEndReason::kBudget:
            return language.text("ended: the thinking budget was used up");
        case services::ThinkingEndReason::kAsked:
            return language.text("ended: you asked for the answer");
        case services::ThinkingEndReason::kLoop:
            return language.text("ended: it went round in circles");
        case services::ThinkingEndReason::kModel:
            break;
    }
    return {};
}

std::string thought_label(const Language& language, const services::MessageStats& stats) {
    const double ms = stats.thinking_ms;
    return joined({ms > 0 ? language.fill("Thought for {}", format_duration(language, ms))
                          : std::string(language.text("Thought")),
                   stats.reasoning_tokens > 0
                       ? format_counted(language, stats.reasoning_tokens, "token")
                       : "",
                   std::string(thinking_note(language, stats.thinking_end))});
}

boost::json::object time_view(const Message& message) {
    Moment moment = format_moment(message.created_at, now_ms());
    return {{"iso", std::move(moment.iso)},
            {"exact", std::move(moment.exact)},
            {"brief", std::move(moment.brief)}};
}

/// What stored and running answers have in common.
boost::json::object common_view(const Language& language, const Message& message) {
    const std::string_view text = std::string_view(message.text).substr(tail_begin(message));
    const std::size_t settled = finished_bytes(text);
    boost::json::object view = {{"id", message.id.value},
                                {"role", "assistant"},
                                {"state", services::name_of(message.state)},
                                {"parent", message.parent ? message.parent->value : ""},
                                {"conversation", message.conversation.value},
                                {"has_thinking", !message.thinking.empty()},
                                {"thinking", message.thinking},
                                {"thinking_label", thought_label(language, message.stats)},
                                {"thinking_open", false},
                                {"has_text", !message.text.empty()},
                                {"steps", steps_view(language, message)},
                                {"done_html", prose_html(language, text.substr(0, settled))},
                                {"tail_html", prose_html(language, text.substr(settled))}};
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

std::string queued_label(const Language& language, const TurnStatus& status) {
    return language.fill(
        "<b>Queued</b> {}",
        joined({status.queue_position > 0
                    ? language.fill("{} ahead", format_count(language, status.queue_position))
                    : "",
                status.queue_wait_ms > 0
                    ? language.fill("about {}", rough_duration(status.queue_wait_ms))
                    : ""}));
}

void add_row(std::string& html, std::string_view name, std::string_view value) {
    html += fmt::format("<dt>{}</dt><dd>{}</dd>", name, services::escape_html(value));
}

/// Rows of what stands behind an answer's line of numbers.
std::string stats_rows(const Language& language, const services::MessageStats& stats) {
    std::string html;
    if (!stats.model.empty()) add_row(html, language.text("Model"), stats.model);
    add_row(html,
            language.text("Prompt"),
            language.fill("{}, {} of them cached",
                          format_counted(language, stats.prompt_tokens, "token"),
                          format_count(language, stats.cached_tokens)));
    add_row(
        html, language.text("Written"), format_counted(language, stats.completion_tokens, "token"));
    if (stats.reasoning_tokens > 0)
        add_row(html,
                language.text("Of these, thinking"),
                format_counted(language, stats.reasoning_tokens, "token"));
    if (stats.tokens_per_second > 0)
        add_row(html, language.text("Speed"), format_rate(language, stats.tokens_per_second));
    if (stats.first_token_ms > 0)
        add_row(html,
                language.text("First token"),
                language.fill("after {}", format_duration(language, stats.first_token_ms)));
    if (stats.draft_tokens > 0) {
        add_row(html,
                language.text("Guessed ahead"),
                language.fill("{}, {} right",
                              format_counted(language, stats.draft_tokens, "token"),
                              percent(stats.accepted_tokens, stats.draft_tokens)));
    }
    return html;
}

}  // namespace

std::size_t finished_bytes(std::string_view text) {
    const std::vector<std::size_t> ends = services::finished_block_ends(text);
    return ends.empty() ? 0 : ends.back();
}

std::string prose_html(const Language& language, std::string_view text) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return {};
    return services::markdown_to_html(text,
                                      {.copy = language.text("Copy"),
                                       .code = language.text("Code"),
                                       .table = language.text("Table"),
                                       .text = language.text("Text"),
                                       .to_do = language.text("To do"),
                                       .done = language.text("Done")});
}

boost::json::object user_view(const Language& language, const Message& message) {
    return {{"id", message.id.value},
            {"files", files_view(language, message.files)},
            {"role", "user"},
            {"conversation", message.conversation.value},
            {"text", message.text},
            {"time", time_view(message)}};
}

boost::json::object answer_view(const Language& language,
                                const Message& message,
                                bool can_continue) {
    boost::json::object view = common_view(language, message);
    const bool failed = message.state == MessageState::kFailed;
    view["running"] = false;
    view["error"] = failed ? format_sentence(language, message.error) : "";
    view["error_heading"] =
        language.text(message.text.empty() ? "No answer came." : "The answer broke off.");
    view["can_retry"] = message.state != MessageState::kComplete;
    view["can_continue"] = can_continue;
    view["time"] = time_view(message);
    view["client_id"] = random_id();
    view["note"] = note_of(language, message);
    view["stats"] = stats_line(language, message.stats);
    view["stats_rows"] = stats_rows(language, message.stats);
    return view;
}

boost::json::object live_answer_view(const Language& language, const TurnFeed& feed) {
    const FeedSnapshot& shown = feed.snapshot();
    if (shown.ended) return answer_view(language, *shown.ended, shown.can_continue);
    Message message{
        .id = feed.answer(), .conversation = feed.conversation().id, .text = shown.text};
    message.state = MessageState::kRunning;
    message.thinking = shown.thinking;
    message.tool_uses = shown.tool_uses;
    boost::json::object view = common_view(language, message);
    view["running"] = true;
    view["can_continue"] = false;
    view["thinking_label"] = thinking_label(language, shown);
    view["thinking_open"] = shown.thinking_open;
    return view;
}

boost::json::object running_view(const Language& language, const TurnFeed& feed) {
    const FeedSnapshot& shown = feed.snapshot();
    return {{"conversation", feed.conversation().id.value},
            {"event_id", to_string(EventId{feed.answer(), shown.seq})},
            {"label", pill_label(language, shown.status)},
            {"details", pill_details(language, shown.status)}};
}

std::string thinking_label(const Language& language, const FeedSnapshot& shown) {
    if (shown.ended) return thought_label(language, shown.ended->stats);
    if (shown.thinking_open) return std::string(language.text("Thinking…"));
    return thought_label(
        language, {.thinking_ms = shown.thinking_ms, .thinking_end = shown.status.thinking_end});
}

std::string pill_label(const Language& language, const TurnStatus& status) {
    const std::string progress =
        status.completion_tokens == 0
            ? ""
            : joined({format_counted(language, status.completion_tokens, "token"),
                      format_rate(language, status.tokens_per_second)});
    const std::string left_out =
        status.messages_left_out > 0
            ? language.fill(" · oldest {} left out",
                            format_counted(language, status.messages_left_out, "message"))
            : "";
    switch (status.phase) {
        case TurnPhase::kQueued:
            return queued_label(language, status);
        case TurnPhase::kPrefill:
            return language.fill("<b>Reading your message</b> {}{}",
                                 joined({percent(status.prefill_done, status.prefill_total),
                                         format_rate(language, status.prefill_tokens_per_second)}),
                                 left_out);
        case TurnPhase::kThinking:
            return language.fill("<b>Thinking</b> {}{}", progress, left_out);
        case TurnPhase::kWriting:
            return language.fill("<b>Writing</b> {}{}", progress, left_out);
        case TurnPhase::kUsingTools:
            return language.fill(
                status.tool_asks ? "<b>Waiting for your decision:</b> {}" : "<b>Using</b> {}",
                services::escape_html(spaced(status.tool)));
        case TurnPhase::kEnded:
            return std::string(language.text("<b>Finishing</b>"));
    }
    return {};
}

std::string pill_details(const Language& language, const TurnStatus& status) {
    std::string html;
    if (status.phase == TurnPhase::kQueued) {
        add_row(html,
                language.text("Ahead of yours"),
                format_counted(language, status.queue_position, "message"));
        if (status.queue_wait_ms > 0)
            add_row(html,
                    language.text("Wait"),
                    language.fill("about {}", rough_duration(status.queue_wait_ms)));
    }
    if (status.prefill_total > 0) {
        add_row(html,
                language.text("Read"),
                language.fill("{} of {}",
                              format_count(language, status.prefill_done),
                              format_counted(language, status.prefill_total, "token")));
    }
    add_row(html,
            language.text("Written"),
            format_counted(language, status.completion_tokens, "token"));
    if (status.tokens_per_second > 0)
        add_row(html, language.text("Speed"), format_rate(language, status.tokens_per_second));
    if (status.messages_left_out > 0) {
        add_row(html,
                language.text("Left out"),
                language.fill("{}: the context is full, the oldest don’t fit",
                              format_counted(language, status.messages_left_out, "message")));
    }
    return html;
}

std::string end_announcement(const Language& language, const Message& answer) {
    switch (answer.state) {
        case MessageState::kFailed:
            return language.fill("No answer. {}", format_sentence(language, answer.error));
        case MessageState::kStopped:
            return std::string(language.text("Stopped"));
        default:
            return language.fill("Answer ready, {}",
                                 format_counted(language, count_words(answer.text), "word"));
    }
}

}  // namespace notso::web
