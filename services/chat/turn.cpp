#include "services/chat/turn.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "services/chat/message_tree.hpp"

namespace notso::services {
namespace {

// Numbers of the status pill change at most this often; a change of phase shows at once.
constexpr std::chrono::milliseconds kStatusInterval{250};

MessageState state_of(ChatFinish finish) {
    switch (finish) {
        case ChatFinish::kStop:
        case ChatFinish::kToolCalls:
            return MessageState::kComplete;
        case ChatFinish::kLength:
            return MessageState::kLength;
        case ChatFinish::kCancelled:
            return MessageState::kStopped;
        case ChatFinish::kError:
            return MessageState::kFailed;
    }
    return MessageState::kFailed;
}

}  // namespace

std::shared_ptr<Turn> Turn::create(TurnDeps deps, OwnerId owner, Message answer) {
    std::shared_ptr<Turn> turn(new Turn(std::move(deps), std::move(owner), std::move(answer)));
    turn->inbox_ = std::make_shared<EventInbox>(
        turn->deps_.io, [weak = std::weak_ptr(turn)](std::vector<TimedEvent> events) {
            if (const auto self = weak.lock()) self->receive(std::move(events));
        });
    return turn;
}

Turn::Turn(TurnDeps deps, OwnerId owner, Message answer)
    : deps_(std::move(deps)),
      answer_(std::move(answer)),
      feed_(std::make_shared<TurnFeed>(answer_.id,
                                       ConversationKey(std::move(owner), answer_.conversation))) {}

void Turn::begin(PromptSource source) {
    begun_ = true;
    source_ = std::move(source);
    journal_.settings = source_.conversation.settings;
    if (early_end_) return close_with({.finish = ChatFinish::kCancelled});
    flush_status();
    begin_round();
}

/// Writes down where the answer stands, then asks the model.
void Turn::begin_round() {
    const auto model = deps_.backend.find_model(source_.conversation.model);
    if (model) journal_.model = answer_.stats.model = model->id;
    journal_.thinking = source_.thinking;
    // A draw can be repeated where it is made here.
    const bool is_local = model && model->remote_host.empty();
    if (journal_.seed == 0) journal_.seed = random_u64();
    source_.seed = is_local ? std::optional(journal_.seed) : std::nullopt;
    rewrite_ = true;
    unsaved_thinking_.clear();  // it is in the answer
    unsaved_text_.clear();
    unsaved_tokens_.clear();
    pump();
    start_backend(source_);
}

/// What is left of it after earlier rounds.
std::optional<std::int64_t> Turn::thinking_budget() const {
    const std::int64_t most =
        source_.conversation.settings.thinking_budget.value_or(deps_.thinking_budget);
    if (most == 0) return std::nullopt;
    return std::max<std::int64_t>(most - journal_.reasoning_before, 0);
}

/// The same of all tokens: the answer's limit less what earlier rounds wrote; 0 = no limit.
std::int64_t Turn::max_tokens() const {
    const auto& most = source_.conversation.settings.max_tokens;
    return most ? std::max<std::int64_t>(*most - journal_.tokens_before, 1) : 0;
}

void Turn::start_backend(PromptSource source) {
    deps_.compute.post([weak = weak_from_this(),
                        io = &deps_.io,
                        backend = &deps_.backend,
                        inbox = inbox_,
                        outcome = start_outcome_,
                        budget = thinking_budget(),
                        max_tokens = max_tokens(),
                        source = std::move(source)] {
        if (weak.expired()) return;  // stopped before its prompt was made
        auto prompt = fit_context(*backend, source);
        if (prompt) {
            outcome->messages_left_out = prompt->messages_left_out;
            prompt->request.thinking_budget = budget;
            prompt->request.max_tokens = max_tokens;
            outcome->stream = backend->start(
                prompt->request, [inbox](ChatEvent event) { inbox->push(std::move(event)); });
        } else {
            outcome->stream = std::unexpected(std::move(prompt).error());
        }
        io->post([weak] {
            if (const auto self = weak.lock()) self->on_started();
        });
    });
}

void Turn::on_started() {
    auto& [started, left_out] = *start_outcome_;
    status_.messages_left_out = left_out;
    if (!started) {
        return close_with({.finish = ChatFinish::kError, .error = std::move(started).error()});
    }
    stream_ = *std::move(started);
    if (closed_) return stream_.reset();  // ended meanwhile
    if (answer_now_) stream_->answer_now();
    if (left_out > 0) flush_status();
}

void Turn::end_early(MessageState state) {
    if (!early_end_) early_end_ = state;
    if (round_) return leave_round(state);
    if (!begun_ || closed_) return;  // begin() sees it, or the end is on its way
    const bool wait_for_backend = stream_ != nullptr && state == MessageState::kStopped;
    if (!wait_for_backend || std::exchange(cancelled_, true)) {
        return close_with({.finish = ChatFinish::kCancelled});
    }
    stream_->cancel();
}

Result<> Turn::answer_now() {
    answer_now_ = true;
    if (closed_ || stream_ == nullptr || stream_->answer_now()) return {};
    return fail(ErrorCode::kUnsupported,
                "this model can't be asked to end its thoughts: stop the answer instead");
}

// Ends the turn from this side: what the backend says from now on is not part of the answer.
void Turn::close_with(chat_event::End end) {
    if (closed_) return;
    receive({{std::move(end), SteadyClock::now()}});
}

void Turn::receive(std::vector<TimedEvent> events) {
    for (TimedEvent& event : events) {
        if (closed_) return;
        if (retold_ && retell(event.event)) continue;
        if (std::holds_alternative<chat_event::ThinkingStarted>(event.event) &&
            std::exchange(thoughts_apart_, false)) {
            unsaved_thinking_ += "\n\n";
            pending_.push_back({chat_event::ThinkingText{"\n\n"}, event.at});
        }
        if (const auto* thought = std::get_if<chat_event::ThinkingText>(&event.event)) {
            unsaved_thinking_ += thought->text;
        } else if (const auto* text = std::get_if<chat_event::Text>(&event.event)) {
            unsaved_text_ += text->text;
        } else if (const auto* progress = std::get_if<chat_event::Progress>(&event.event)) {
            if (progress->token_id >= 0) unsaved_tokens_.push_back(progress->token_id);
        }
        closed_ = std::holds_alternative<chat_event::End>(event.event);
        pending_.push_back(std::move(event));
    }
    if (closed_) stream_.reset();
    pump();
}

void Turn::pump() {
    const bool nothing_new = unsaved_thinking_.empty() && unsaved_text_.empty() && !rewrite_;
    const bool tries_again = storage_failed_ || !rewrite_;  // with the next events
    if (writing_ || (pending_.empty() && tries_again)) return;
    if (nothing_new) return show(std::exchange(pending_, {}));
    writing_ = true;
    std::optional<Message> whole;
    if (std::exchange(rewrite_, false)) {
        whole = answer_;
        whole->journal = journal_;
    }
    const bool is_whole = whole.has_value();
    deps_.store.call(
        weak_from_this(),
        [id = answer_.id,
         whole = std::move(whole),
         thinking = unsaved_thinking_,
         text = unsaved_text_,
         tokens = unsaved_tokens_](SessionStore& store) -> Result<> {
            if (whole) NOTSO_CHECK(store.update_message(*whole));
            if (thinking.empty() && text.empty() && tokens.empty()) return {};
            return store.append_text(id, {thinking, text, tokens});
        },
        [this,
         is_whole,
         batch = std::exchange(pending_, {}),
         thinking = unsaved_thinking_.size(),
         text = unsaved_text_.size(),
         tokens = std::ssize(unsaved_tokens_)](Result<> saved) mutable {
            writing_ = false;
            rewrite_ = rewrite_ || (is_whole && !saved);
            if (saved || is_whole) {  // or it will be part of the whole
                unsaved_thinking_.erase(0, thinking);
                unsaved_text_.erase(0, text);
                unsaved_tokens_.erase(unsaved_tokens_.begin(), unsaved_tokens_.begin() + tokens);
            }
            if (!saved && !std::exchange(storage_failed_, true))
                log::warn("an answer goes on unsaved: {}", saved.error().detail);
            show(std::move(batch));
            pump();
        });
}

void Turn::show(std::vector<TimedEvent> events) {
    for (const TimedEvent& timed : events) {
        std::visit([&](const auto& event) { take(event, timed.at); }, timed.event);
    }
    const bool ended =
        !events.empty() && std::holds_alternative<chat_event::End>(events.back().event);
    flush_text();
    if (ended) return finish(std::get<chat_event::End>(events.back().event));
    const auto now = SteadyClock::now();
    if (!status_shown_at_ || now - *status_shown_at_ >= kStatusInterval) flush_status();
}

void Turn::finish(const chat_event::End& end) {
    add_usage(end);
    if (goes_on_with_tools(end)) return;
    answer_.state = state_of(end.finish);
    if (end.finish == ChatFinish::kCancelled)
        answer_.state = early_end_.value_or(MessageState::kStopped);
    if (end.error) answer_.error = end.error->detail;
    if (answer_.state == MessageState::kFailed && answer_.error.empty()) {
        answer_.error = "The model ended without saying why; send the message again.";
    }
    store_end();
}

void Turn::add_usage(const chat_event::End& end) {
    MessageStats& stats = answer_.stats;
    stats.prompt_tokens = end.usage.prompt_tokens;
    stats.cached_tokens = end.usage.cached_tokens;
    stats.completion_tokens =
        std::max(journal_.tokens_before + end.usage.completion_tokens, status_.completion_tokens);
    stats.reasoning_tokens =
        std::max(stats.reasoning_tokens, journal_.reasoning_before + end.usage.reasoning_tokens);
    stats.draft_tokens += end.usage.draft_tokens;
    stats.accepted_tokens += end.usage.accepted_tokens;
    if (end.usage.decode_ms > 0) {
        stats.tokens_per_second = 1000.0 *
                                  static_cast<double>(end.usage.completion_tokens - n_retold_) /
                                  end.usage.decode_ms;
    } else {
        stats.tokens_per_second = status_.tokens_per_second;
    }
}

void Turn::store_end() {
    const bool is_whole = answer_.state == MessageState::kComplete;
    answer_.journal = !is_whole ? std::optional(journal_) : std::nullopt;
    Message kept = answer_;
    if (answer_.state == MessageState::kInterrupted && deps_.goes_on_later) {
        kept.state = MessageState::kRunning;
        kept.journal->crashes = 0;
    }
    deps_.store.call(
        weak_from_this(),
        [kept = std::move(kept)](SessionStore& store) { return store.update_message(kept); },
        [this](Result<> stored) { publish_end(std::move(stored)); });
}

void Turn::publish_end(Result<> stored) {
    const bool gone =
        !stored && stored.error().code == ErrorCode::kNotFound;  // deleted: nothing is owed
    Message shown = answer_;
    if (!stored && !gone) {
        shown.state = MessageState::kFailed;
        shown.error = fmt::format("This answer could not be saved: {}", stored.error().detail);
        log::error("an answer could not be saved: {}", stored.error().detail);
    }
    const auto self = shared_from_this();  // on_end lets go of this turn
    const bool more = deps_.more_follows && stored && shown.state == MessageState::kComplete;
    const auto model = deps_.backend.find_model(source_.conversation.model);
    const bool cut = is_cut(shown) && model && model->remote_host.empty();
    feed_->append(feed_event::Ended{std::move(shown), more, cut});
    deps_.on_end(answer_, stored || gone);
}

void Turn::take(const chat_event::Queued& event, SteadyClock::time_point at) {
    const bool moved = status_.queue_position != event.position;
    status_.queue_position = event.position;
    status_.queue_wait_ms = event.wait_ms;
    if (moved) status_shown_at_.reset();
    reading_.reset();
    enter(TurnPhase::kQueued, at);
}

void Turn::take(const chat_event::Prefill& event, SteadyClock::time_point at) {
    status_.prefill_done = event.done;
    status_.prefill_total = event.total;
    if (!reading_) reading_ = ReadingBegin{.at = at, .done = event.done};
    const double ms = ms_between(reading_->at, at);
    const std::int64_t fresh = event.done - reading_->done;
    if (fresh > 0 && ms > 0)
        status_.prefill_tokens_per_second = 1000.0 * static_cast<double>(fresh) / ms;
    enter(TurnPhase::kPrefill, at);
}

void Turn::take(const chat_event::ThinkingStarted&, SteadyClock::time_point at) {
    enter(TurnPhase::kThinking, at);
}

void Turn::take(const chat_event::ThinkingText& event, SteadyClock::time_point at) {
    saw_token(at);
    enter(TurnPhase::kThinking, at);
    answer_.thinking += event.text;
    if (!fresh_text_.empty()) flush_text();
    fresh_thinking_ += event.text;
}

void Turn::take(const chat_event::ThinkingEnded& event, SteadyClock::time_point at) {
    answer_.stats.thinking_end = status_.thinking_end = event.reason;
    enter(TurnPhase::kWriting, at);
}

void Turn::take(const chat_event::Text& event, SteadyClock::time_point at) {
    saw_token(at);
    enter(TurnPhase::kWriting, at);
    answer_.text += event.text;
    fresh_text_ += event.text;
}

void Turn::take(const chat_event::Progress& event, SteadyClock::time_point at) {
    saw_token(at);
    status_.completion_tokens = journal_.tokens_before + event.completion_tokens;
    if (event.token_id >= 0) journal_.tokens.push_back(event.token_id);
    const double ms = ms_between(*first_token_at_, at);
    const std::int64_t fresh = event.completion_tokens - n_retold_;
    if (fresh > 1 && ms > 0)
        status_.tokens_per_second = 1000.0 * static_cast<double>(fresh - 1) / ms;
}

void Turn::take(const chat_event::End&, SteadyClock::time_point at) {
    enter(TurnPhase::kEnded, at);
}

void Turn::enter(TurnPhase phase, SteadyClock::time_point at) {
    if (status_.phase == phase) return;
    if (status_.phase == TurnPhase::kThinking && thinking_since_) {
        answer_.stats.thinking_ms += ms_between(*std::exchange(thinking_since_, std::nullopt), at);
    }
    if (phase == TurnPhase::kThinking) thinking_since_ = at;
    flush_text();  // what was said before belongs to the old phase
    status_.phase = phase;
    if (phase != TurnPhase::kEnded) flush_status();
}

void Turn::saw_token(SteadyClock::time_point at) {
    if (first_token_at_) return;
    first_token_at_ = at;
    if (answer_.stats.first_token_ms == 0)
        answer_.stats.first_token_ms = ms_between(started_at_, at);
}

void Turn::flush_text() {
    if (!fresh_thinking_.empty())
        feed_->append(feed_event::ThinkingText{std::exchange(fresh_thinking_, {})});
    if (!fresh_text_.empty()) feed_->append(feed_event::Text{std::exchange(fresh_text_, {})});
}

void Turn::flush_status() {
    if (status_shown_at_ && feed_->snapshot().status == status_) return;
    status_shown_at_ = SteadyClock::now();
    feed_->append(feed_event::Status{status_});
}

}  // namespace notso::services
