// Turn: an answer that was cut goes on, in this process or in the next, without a seam.
#include <algorithm>
#include <utility>

#include "services/chat/recovery.hpp"
#include "services/chat/turn.hpp"

namespace notso::services {
namespace {

constexpr int kRunShift = 32;  // no answer has as many events

/// The beginning of a text, whatever the database says.
std::string_view head(std::string_view text, std::int64_t size) {
    return text.substr(
        0, static_cast<std::size_t>(std::clamp<std::int64_t>(size, 0, std::ssize(text))));
}

/// What a round wrote; the line before its thoughts is not its own.
WrittenAnswer last_round(const Message& answer, const AnswerJournal& journal) {
    std::string thinking =
        answer.thinking.substr(head(answer.thinking, journal.thinking_begin).size());
    if (journal.thinking_begin > 0 && thinking.starts_with("\n\n")) thinking.erase(0, 2);
    return {.thinking = std::move(thinking),
            .text = answer.text.substr(head(answer.text, journal.text_begin).size()),
            .tokens = journal.tokens};
}

}  // namespace

void Turn::take_over(Message answer) {
    journal_ = answer.journal.value_or(AnswerJournal{});
    answer_ = std::move(answer);
    answer_.state = MessageState::kRunning;
    answer_.error.clear();
    MessageStats& stats = answer_.stats;
    stats.completion_tokens =
        std::max(stats.completion_tokens, journal_.tokens_before + std::ssize(journal_.tokens));
    status_.completion_tokens = stats.completion_tokens;
    feed_->begin_at(static_cast<std::uint64_t>(journal_.runs) << kRunShift);
    if (!answer_.thinking.empty()) feed_->append(feed_event::ThinkingText{answer_.thinking});
    if (!answer_.text.empty()) feed_->append(feed_event::Text{answer_.text});
    if (!answer_.tool_uses.empty()) feed_->append(feed_event::ToolUses{answer_.tool_uses});
    begun_ = !stands_at_tools(answer_);  // it may be stopped while the model is loaded
    flush_status();
}

void Turn::resume(PromptSource source) {
    source_ = std::move(source);
    if (stands_at_tools(answer_)) return resume_tools();
    if (!closed_) resume_text();
}

void Turn::resume_text() {
    n_rounds_ = journal_.round;
    thoughts_apart_ = journal_.thinking_begin > 0;
    if (!answer_.tool_uses.empty()) {
        source_.so_far = answer_;
        source_.so_far->text = head(answer_.text, journal_.text_begin);
    }
    const auto model = deps_.backend.find_model(source_.conversation.model);
    if (model && model->id != journal_.model) journal_.tokens.clear();  // another's
    WrittenAnswer written = last_round(answer_, journal_);
    if (!written.empty()) {
        source_.written = std::move(written);
        retold_ = Retold{};
    }
    begin_round();
}

/// While the backend tells again what was written: true when there is nothing else to do with an
/// event.
bool Turn::retell(const ChatEvent& event) {
    Retold& retold = *retold_;
    if (std::holds_alternative<chat_event::Resumed>(event)) {
        settle_retold();
        return false;
    }
    if (std::holds_alternative<chat_event::ThinkingStarted>(event)) {
        if (std::exchange(thoughts_apart_, false)) retold.thinking += "\n\n";
    } else if (const auto* thought = std::get_if<chat_event::ThinkingText>(&event)) {
        retold.thinking += thought->text;
    } else if (const auto* ended = std::get_if<chat_event::ThinkingEnded>(&event)) {
        retold.thinking_end = ended->reason;
    } else if (const auto* text = std::get_if<chat_event::Text>(&event)) {
        retold.text += text->text;
    } else if (const auto* progress = std::get_if<chat_event::Progress>(&event)) {
        retold.n_tokens = progress->completion_tokens;
        if (progress->token_id >= 0) retold.tokens.push_back(progress->token_id);
    } else if (const auto* begun = std::get_if<chat_event::ToolCallBegun>(&event)) {
        ToolUse use = make_use(*begun, retold.called.size());
        use.text_offset = journal_.text_begin + std::ssize(retold.text);
        retold.called.push_back(std::move(use));
    } else if (const auto* arguments = std::get_if<chat_event::ToolCallArguments>(&event)) {
        if (!retold.called.empty()) retold.called.back().arguments += arguments->text;
    } else {
        return std::holds_alternative<chat_event::ToolCallDone>(event);
    }
    return true;
}

/// What was told again counts: a cut may have shown what it held back, or lost what it had not
/// shown.
void Turn::settle_retold() {
    Retold retold = *std::exchange(retold_, std::nullopt);
    answer_.thinking.resize(head(answer_.thinking, journal_.thinking_begin).size());
    answer_.thinking += retold.thinking;
    answer_.text.resize(head(answer_.text, journal_.text_begin).size());
    answer_.text += retold.text;
    answer_.stats.thinking_end = retold.thinking_end;
    journal_.tokens = std::move(retold.tokens);
    called_ = std::move(retold.called);
    n_retold_ = retold.n_tokens;
    rewrite_ = true;
}

void Turn::take(const chat_event::Resumed&, SteadyClock::time_point at) {
    const FeedSnapshot& shown = feed_->snapshot();
    status_.thinking_end = answer_.stats.thinking_end;
    status_.completion_tokens = journal_.tokens_before + n_retold_;
    if (answer_.thinking.starts_with(shown.thinking) && answer_.text.starts_with(shown.text)) {
        fresh_thinking_ = answer_.thinking.substr(shown.thinking.size());
        fresh_text_ = answer_.text.substr(shown.text.size());
        flush_text();
    } else {
        feed_->append(feed_event::Rewritten{answer_.thinking, answer_.text});
    }
    const bool writes = std::ssize(answer_.text) > journal_.text_begin;
    const bool thinks = std::ssize(answer_.thinking) > journal_.thinking_begin;
    if (writes || thinks) enter(writes ? TurnPhase::kWriting : TurnPhase::kThinking, at);
}

}  // namespace notso::services
