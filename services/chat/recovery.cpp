#include "services/chat/recovery.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "services/chat/chat_service_impl.hpp"
#include "services/chat/message_checks.hpp"
#include "services/chat/prompt_source.hpp"

namespace notso::services {
namespace {

constexpr std::chrono::milliseconds kLoadingPoll{200};

// An answer that the process died of so often, in a row, is not tried again.
constexpr std::int64_t kMostCrashes = 2;

/// Of an answer that has none: nothing was written yet, or an earlier layout was in use.
AnswerJournal new_journal(const Message& answer) {
    AnswerJournal journal;
    if (answer.tool_uses.empty()) return journal;
    const ToolUse& last = answer.tool_uses.back();
    journal.round = stands_at_tools(answer) ? last.round : last.round + 1;
    journal.text_begin = last.text_offset;
    journal.thinking_begin = std::ssize(answer.thinking);
    return journal;
}

/// It goes on with the settings that it began with. One that was as long as they allow may be as
/// much longer.
/// @param settings  The conversation's now; those of the answer afterwards.
void keep_settings(Message& answer, ChatSettings& settings) {
    auto& kept = answer.journal->settings;
    const std::int64_t more = settings.max_tokens.value_or(0);
    if (!kept) kept = settings;
    if (answer.state == MessageState::kLength && kept->max_tokens) {
        const std::int64_t written = std::max(answer.stats.completion_tokens, *kept->max_tokens);
        kept->max_tokens = more > 0 ? std::optional(written + more) : std::nullopt;
    }
    settings = *kept;
}

Result<Unfinished> with_source(SessionStore& store, ShownConversation shown, Message answer) {
    if (!answer.parent)
        return fail(ErrorCode::kNotFound, "the question of this answer was deleted");
    Unfinished unfinished;
    unfinished.owner = shown.conversation.owner;
    shown.path = path_to(shown.all, *answer.parent);
    NOTSO_TRY(unfinished.source, load_source(store, std::move(shown)));
    PromptSource& source = unfinished.source;
    source.thinking = answer.journal ? answer.journal->thinking : source.conversation.thinking;
    if (!answer.journal) answer.journal = new_journal(answer);
    ++answer.journal->runs;
    keep_settings(answer, source.conversation.settings);
    unfinished.answer = std::move(answer);
    return unfinished;
}

/// Counts the crash before anything of it is tried again.
Result<Unfinished> load_unfinished(SessionStore& store, const RunningAnswer& left) {
    NOTSO_TRY(ShownConversation shown, load_shown(store, {left.owner, left.message.conversation}));
    NOTSO_TRY(Unfinished unfinished, with_source(store, std::move(shown), left.message));
    ++unfinished.answer.journal->crashes;
    NOTSO_CHECK(store.update_message(unfinished.answer));
    return unfinished;
}

bool waits_for_person(const Message& answer) {
    return std::ranges::any_of(
        answer.tool_uses, [](const ToolUse& use) { return use.state == ToolUseState::kAsking; });
}

bool may_go_on(const Message& answer, bool go_on) {
    if (waits_for_person(answer)) return true;
    const bool often = answer.journal && answer.journal->crashes >= kMostCrashes;
    if (often) log::warn("an answer is given up: the server died of it or with it repeatedly");
    return !often && (go_on || stands_at_tools(answer));
}

}  // namespace

bool stands_at_tools(const Message& answer) {
    if (answer.tool_uses.empty() || !answer.parent) return false;
    const ToolUse& last = answer.tool_uses.back();
    if (answer.journal) return answer.journal->round == last.round;
    return last.text_offset == std::ssize(answer.text);
}

Result<std::vector<Unfinished>> recover_answers(SessionStore& store, bool go_on) {
    NOTSO_TRY(auto running, store.running_messages());
    std::vector<Unfinished> unfinished;
    for (RunningAnswer& left : running) {
        Message& answer = left.message;
        if (may_go_on(answer, go_on)) {
            auto loaded = load_unfinished(store, left);
            if (loaded) {
                unfinished.push_back(*std::move(loaded));
                continue;
            }
        }
        answer.state = MessageState::kInterrupted;
        NOTSO_CHECK(store.update_message(answer));
    }
    if (const auto ended = std::ssize(running) - std::ssize(unfinished); ended > 0)
        log::info("answers interrupted by the last stop: {}", ended);
    return unfinished;
}

Result<Unfinished> load_cut(SessionStore& store,
                            const ConversationKey& key,
                            const MessageId& answer) {
    NOTSO_TRY(ShownConversation shown, load_shown(store, key));
    const auto found = std::ranges::find(shown.path, answer, &Message::id);
    if (found == shown.path.end())
        return fail(ErrorCode::kNotFound, "no such answer: it was deleted, or is not shown");
    if (!is_cut(*found) || found->id != shown.path.back().id) {
        return fail(ErrorCode::kInvalidArgument,
                    "only the last answer of a conversation can go on, and only when it was cut");
    }
    Message cut = *found;
    NOTSO_TRY(cut.journal, store.journal(answer));
    NOTSO_TRY(Unfinished unfinished, with_source(store, std::move(shown), std::move(cut)));
    unfinished.answer.journal->crashes = 0;
    return unfinished;
}

void ChatServiceImpl::recover() {
    store_.call(
        alive_,
        [go_on = deps_.continue_unfinished](SessionStore& store) {
            return recover_answers(store, go_on);
        },
        [this](Result<std::vector<Unfinished>> found) {
            if (!found)
                return log::error("unfinished answers could not be marked: {}",
                                  found.error().detail);
            for (Unfinished& unfinished : *found) go_on(std::move(unfinished));
            find_lines();
        });
}

void ChatServiceImpl::go_on(Unfinished unfinished) {
    const ConversationKey key(unfinished.owner, unfinished.answer.conversation);
    const bool at_tools = stands_at_tools(unfinished.answer);
    const bool able = at_tools ? deps_.tools.box != nullptr
                               : may_continue(unfinished.source.conversation.model).has_value();
    if (closing_ || !able || slots_.contains(key)) {
        unfinished.answer.state = MessageState::kInterrupted;
        store_.post([answer = std::move(unfinished.answer)](SessionStore& store) {
            const Result<> marked = store.update_message(answer);
            if (!marked) log::error("an answer could not be marked: {}", marked.error().detail);
        });
        return;
    }
    log::info("an answer goes on {}", at_tools ? "at its calls of tools" : "where it was cut");
    Slot& slot = slots_[key];
    slot.turn = make_turn(unfinished.owner, unfinished.answer);
    slot.stored = true;
    slot.turn->take_over(std::move(unfinished.answer));
    waiting_.emplace_back(slot.turn, std::move(unfinished.source));
    resume_when_ready();
}

/// Whether answers of a model can go on where they were cut.
Result<> ChatServiceImpl::may_continue(const std::string& model) const {
    NOTSO_TRY(const ModelInfo found, deps_.backend.find_model(model));
    if (found.remote_host.empty()) return {};
    return fail(ErrorCode::kUnsupported,
                "a remote model can't go on exactly where an answer was cut: ask it to go on, or "
                "for another answer");
}

void ChatServiceImpl::continue_answer(ContinueRequest request, Completion<SentMessage> done) {
    if (closing_) return fail_later(std::move(done), shutting_down());
    save_leftovers(request.conversation);
    const auto running = slots_.find(request.conversation);
    if (is_taken(request.conversation)) {
        if (running == slots_.end()) return fail_later(std::move(done), busy());
        const Slot& slot = running->second;
        const bool same = slot.stored && slot.turn->answer().id == request.answer;
        if (!same) return fail_later(std::move(done), busy());
        SentMessage sent{{}, slot.turn->answer(), slot.turn->feed(), true};
        return deps_.io.post(
            [done = std::move(done), sent = std::move(sent)]() mutable { done(std::move(sent)); });
    }
    background_.abandon(request.conversation);
    drafts_.drop_all();
    Slot& slot = slots_[request.conversation];
    slot.turn =
        make_turn(request.conversation.owner,
                  {.id = request.answer, .conversation = request.conversation.id, .text = {}});
    slot.user = request.user;
    store_.call(
        alive_,
        [key = request.conversation, answer = request.answer](SessionStore& store) {
            return load_cut(store, key, answer);
        },
        [this, request, done = std::move(done)](Result<Unfinished> found) mutable {
            if (found) {
                const Result<> able = may_continue(found->source.conversation.model);
                if (!able) found = std::unexpected(able.error());
            }
            if (found) return on_cut_found(*std::move(found), request, std::move(done));
            release(request.conversation);
            done(std::unexpected(std::move(found).error()));
        });
}

void ChatServiceImpl::on_cut_found(Unfinished cut,
                                   const ContinueRequest& request,
                                   Completion<SentMessage> done) {
    Slot& slot = slots_.at(request.conversation);
    slot.stored = true;
    ended_.forget(request.answer);
    unsaved_.erase(request.answer.value);
    cut.source.user = request.user;
    cut.source.tools = tools_for(cut.source.conversation.model);
    const std::shared_ptr<Turn> turn = slot.turn;
    turn->take_over(std::move(cut.answer));
    done(SentMessage{cut.source.messages.back(), turn->answer(), turn->feed(), false});
    turn->resume(std::move(cut.source));
}

/// A model that is being loaded counts no tokens yet.
void ChatServiceImpl::resume_when_ready() {
    if (!closing_ && deps_.backend.health().state == HealthState::kLoading) {
        recovery_timer_ = std::make_unique<GraceTimer>(
            kLoadingPoll, deps_.io, [this, alive = std::weak_ptr(alive_)] {
                if (!alive.expired()) resume_when_ready();
            });
        return;
    }
    for (auto& [turn, source] : std::exchange(waiting_, {})) {
        source.tools = tools_for(source.conversation.model);  // known now
        turn->resume(std::move(source));
    }
    for (const ConversationKey& key : std::exchange(lines_, {})) send_next(key);
}

/// Messages that the last process left waiting, where no answer comes before them.
void ChatServiceImpl::find_lines() {
    store_.call(
        alive_,
        [](SessionStore& store) { return store.conversations_with_waiting(); },
        [this](Result<std::vector<ConversationKey>> found) {
            if (!found) return log::error("waiting messages not found: {}", found.error().detail);
            for (const ConversationKey& key : *found) {
                note_line(key, 1);  // at least
                if (is_taken(key)) continue;
                next_.insert(key);
                lines_.insert(key);
            }
            if (!lines_.empty()) resume_when_ready();
        });
}

boost::json::array ChatServiceImpl::tools_for(const std::string& model) const {
    if (deps_.tools.box == nullptr) return {};
    const auto found = deps_.backend.find_model(model);
    if (found && !found->can_call_tools) return {};
    return deps_.tools.box->openai_tools();
}

void ChatServiceImpl::decide_tool(ToolVerdict verdict, Completion<> done) {
    const auto slot = slots_.find(verdict.conversation);
    if (slot == slots_.end()) {
        return fail_later(std::move(done),
                          Error{ErrorCode::kNotFound, "no call of a tool waits for that decision"});
    }
    slot->second.turn->decide_tool(
        verdict.use,
        verdict.decision,
        [io = &deps_.io, done = std::move(done)](Result<> decided) mutable {
            io->post([done = std::move(done), decided = std::move(decided)]() mutable {
                done(std::move(decided));
            });
        });
}

}  // namespace notso::services
