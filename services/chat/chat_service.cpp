// Sending, stopping and ending. The simpler operations on conversations are in
// conversation_ops.cpp.
#include "services/chat/chat_service.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/utf8.hpp"
#include "services/chat/chat_service_impl.hpp"
#include "services/chat/message_checks.hpp"
#include "services/chat/message_files.hpp"
#include "services/chat/title.hpp"

namespace notso::services {

std::unique_ptr<ChatService> ChatService::create(const ChatServiceDeps& deps) {
    return std::make_unique<ChatServiceImpl>(deps);
}

ChatServiceImpl::ChatServiceImpl(const ChatServiceDeps& deps)
    : deps_(deps),
      store_(deps.store, deps.database, deps.io),
      background_({.backend = deps.backend,
                   .io = deps.io,
                   .compute = deps.compute,
                   .store = store_,
                   .tools = [this](const std::string& model) { return tools_for(model); }}),
      drafts_({deps.backend, deps.io, deps.compute}) {
    recover();
    empty_trash(std::numeric_limits<UnixMs>::max());  // nobody can take it back any more
}

void ChatServiceImpl::send(SendRequest request, Completion<SentMessage> done) {
    Result<> ok = check_message_text(request.text);
    if (ok) ok = check_client_id(request.client_id);
    if (ok) ok = check_thinking_budget(request.thinking_budget);
    if (ok) ok = check_uses(request.files);
    if (ok && closing_) ok = std::unexpected(shutting_down());
    if (!ok) return fail_later(std::move(done), ok.error());
    if (request.client_id.empty()) request.client_id = random_id();
    if (may_not_fit(request)) return check_fit(std::move(request), std::move(done));
    send_fitting(std::move(request), std::move(done));
}

void ChatServiceImpl::send_fitting(SendRequest request, Completion<SentMessage> done) {
    save_leftovers(request.conversation);
    const bool may_wait = request.may_wait && !request.edits;
    if (may_wait && (has_line(request.conversation) || is_taken(request.conversation)))
        return put_in_line(std::move(request), std::move(done));
    if (is_taken(request.conversation)) {
        return find_sent([key = request.conversation, client_id = std::move(request.client_id)](
                             SessionStore& store) { return find_repeated(store, key, client_id); },
                         std::move(done));
    }
    const Result<> ok = may_begin(request.conversation.owner);
    if (!ok) return fail_later(std::move(done), ok.error());
    Message user{.id = {random_id()},
                 .conversation = request.conversation.id,
                 .role = MessageRole::kUser,
                 .text = std::move(request.text),
                 .client_id = std::move(request.client_id),
                 .created_at = now_ms(),
                 .files = files_to_use(request.files)};
    const Message answer = empty_answer(request.conversation.id, user.id);
    begin_turn(
        request,
        answer,
        [owner = request.conversation.owner,
         user = std::move(user),
         answer,
         backend = &deps_.backend,
         edits = std::move(request.edits)](SessionStore& store) mutable -> Result<SendPlan> {
            NOTSO_CHECK(check_own_window(store, *backend, {owner, user.conversation}, user.text));
            return store_message(store, {owner, std::move(user), answer, std::move(edits)});
        },
        std::move(done));
}

void ChatServiceImpl::regenerate(RegenerateRequest request, Completion<SentMessage> done) {
    Result<> ok = check_client_id(request.client_id);
    if (ok && closing_) ok = std::unexpected(shutting_down());
    if (!ok) return fail_later(std::move(done), ok.error());
    if (request.client_id.empty()) request.client_id = random_id();
    save_leftovers(request.conversation);
    if (is_taken(request.conversation)) {
        return find_sent([key = request.conversation, client_id = std::move(request.client_id)](
                             SessionStore& store) { return find_repeated(store, key, client_id); },
                         std::move(done));
    }
    ok = may_begin(request.conversation.owner);
    if (!ok) return fail_later(std::move(done), ok.error());
    Message answer = empty_answer(request.conversation.id, request.question);
    answer.client_id = std::move(request.client_id);
    begin_turn(
        {.conversation = request.conversation, .text = {}, .user = request.user},
        answer,
        [owner = request.conversation.owner, old = std::move(request.answer), answer](
            SessionStore& store) { return store_answer_beside(store, owner, old, answer); },
        std::move(done));
}

Result<> ChatServiceImpl::may_begin(const OwnerId& owner) const {
    const auto running = std::ranges::count_if(
        slots_, [&](const auto& entry) { return entry.first.owner == owner; });
    return check_running(running, owner, deps_.quota);
}

std::shared_ptr<Turn> ChatServiceImpl::make_turn(const OwnerId& owner, const Message& answer) {
    return Turn::create(
        {.backend = deps_.backend,
         .io = deps_.io,
         .compute = deps_.compute,
         .store = store_,
         .on_end = [this, key = ConversationKey(owner, answer.conversation)](
                       const Message& ended, bool stored) { on_turn_end(key, ended, stored); },
         .more_follows = deps_.background,
         .tools = deps_.tools,
         .thinking_budget = deps_.thinking_budget,
         .goes_on_later = deps_.continue_unfinished},
        owner,
        answer);
}

void ChatServiceImpl::begin_turn(const SendRequest& request,
                                 const Message& answer,
                                 StoreSend store,
                                 Completion<SentMessage> done) {
    background_.abandon(request.conversation);
    drafts_.drop_all();
    Slot& slot = slots_[request.conversation];
    slot.turn = make_turn(request.conversation.owner, answer);
    slot.user = request.user;
    store_.call(
        alive_,
        [owner = request.conversation.owner, quota = deps_.quota, store = std::move(store)](
            SessionStore& where) mutable -> Result<SendPlan> {
            NOTSO_CHECK(check_stored_bytes(where, owner, quota));
            return store(where);
        },
        [this, request, done = std::move(done)](Result<SendPlan> plan) mutable {
            if (plan && !plan->repeated)
                return on_stored(*std::move(plan), request, std::move(done));
            release(request.conversation);
            if (!plan) return done(std::unexpected(std::move(plan).error()));
            overlay(plan->answer);
            done(SentMessage{plan->user, plan->answer, feed_of(plan->answer.id), true});
        });
}

// Something runs in that conversation: either it is this very message, sent twice, or it is in the
// way.
void ChatServiceImpl::find_sent(FindSent find, Completion<SentMessage> done) {
    store_.call(alive_,
                std::move(find),
                [this, done = std::move(done)](Result<std::optional<SendPlan>>&& found) mutable {
                    if (!found) return done(std::unexpected(std::move(found).error()));
                    if (!*found) {
                        return done(std::unexpected(busy()));
                    }
                    SendPlan& plan = **found;
                    overlay(plan.answer);
                    done(SentMessage{plan.user, plan.answer, feed_of(plan.answer.id), true});
                });
}

void ChatServiceImpl::read_draft(DraftRequest request, Completion<> done) {
    if (const Result<> ok = check_draft_text(request.text); !ok)
        return fail_later(std::move(done), ok.error());
    store_.call(
        alive_,
        [draft = NewDraft{request.conversation, std::move(request.text), std::move(request.files)}](
            SessionStore& store) mutable { return load_draft(store, std::move(draft)); },
        [this, thinking = request.thinking, user = request.user, done = std::move(done)](
            Result<PromptSource> source) mutable {
            if (!source) return done(std::unexpected(std::move(source).error()));
            source->thinking = thinking;
            source->user = user;
            source->tools = tools_for(source->conversation.model);
            const bool blank = single_line(source->messages.back().text).empty();
            const bool free = deps_.background && !closing_ && slots_.empty();
            if (free && !blank && drafts_.may_read(source->conversation)) {
                drafts_.read(*std::move(source));
            } else if (blank) {
                drafts_.drop(source->conversation.key());
            }
            done({});
        });
}

void ChatServiceImpl::on_stored(SendPlan plan,
                                const SendRequest& request,
                                Completion<SentMessage> done) {
    Slot& slot = slots_.at(request.conversation);
    slot.stored = true;
    slot.model = plan.source.conversation.model;
    PromptSource& source = plan.source;
    source.thinking = request.thinking.value_or(source.conversation.thinking);
    if (request.thinking_budget)
        source.conversation.settings.thinking_budget = request.thinking_budget;
    slot.thinking = source.thinking;
    slot.settings = source.conversation.settings;
    source.user = request.user;
    source.priority = request.priority;
    source.tools = tools_for(source.conversation.model);
    const std::shared_ptr<Turn> turn = slot.turn;
    if (has_line(request.conversation)) show_line(request.conversation, std::move(plan.waiting));
    done(SentMessage{std::move(plan.user), std::move(plan.answer), turn->feed(), false});
    turn->begin(std::move(source));
}

void ChatServiceImpl::on_turn_end(const ConversationKey& key, const Message& answer, bool stored) {
    const auto slot = slots_.find(key);
    const std::uint64_t user = slot == slots_.end() ? 0 : slot->second.user;
    if (slot != slots_.end()) ended_.add(slot->second.turn->feed());
    if (!stored) unsaved_[answer.id.value] = answer;
    const bool goes_on = deps_.background && stored && answer.state == MessageState::kComplete;
    if (goes_on) background_.begin(key, answer.id, user);
    const bool more = !closing_ && has_line(key);
    if (goes_on && !more && slot != slots_.end()) compact_when_full(key, answer, slot->second);
    if (more) next_.insert(key);  // nobody gets in before it
    release(key);                 // who waits for the end may give that up again
    if (more) send_next(key);
}

// Frees the conversation for the next send, then runs what waited for that.
void ChatServiceImpl::release(const ConversationKey& key) {
    auto slot = slots_.extract(key);
    if (slot.empty()) return;
    for (auto& waiter : slot.mapped().on_end) waiter();
    if (!closing_ || !slots_.empty()) return;
    grace_.reset();
    for (auto& done : std::exchange(closed_, {})) done({});
}

void ChatServiceImpl::stop(ConversationKey key, Completion<> done) {
    const auto summary = compactions_.find(key);
    if (summary != compactions_.end() && summary->second.done)
        end_compaction(key, fail(ErrorCode::kCancelled, "the summary was stopped"));
    after_turn(key, [this, done = std::move(done)]() mutable {
        deps_.io.post([done = std::move(done)]() mutable { done({}); });
    });
}

void ChatServiceImpl::answer_now(ConversationKey key, Completion<> done) {
    const auto slot = slots_.find(key);
    Result<> asked;
    if (slot != slots_.end()) asked = slot->second.turn->answer_now();
    deps_.io.post(
        [done = std::move(done), asked = std::move(asked)]() mutable { done(std::move(asked)); });
}

// Stops what runs in a conversation and goes on when its end is stored; at once when nothing runs.
void ChatServiceImpl::after_turn(const ConversationKey& key, std::move_only_function<void()> next) {
    const auto slot = slots_.find(key);
    if (slot == slots_.end()) return next();
    slot->second.on_end.push_back(std::move(next));
    slot->second.turn->stop();
}

std::shared_ptr<TurnFeed> ChatServiceImpl::feed(const ConversationKey& key,
                                                const MessageId& answer) {
    const std::shared_ptr<TurnFeed> found = feed_of(answer);
    return found && found->conversation() == key ? found : nullptr;
}

/// Whoever owns it: of an answer that the store gave to its owner.
std::shared_ptr<TurnFeed> ChatServiceImpl::feed_of(const MessageId& answer) const {
    for (const auto& [conversation, slot] : slots_) {
        if (slot.turn->answer().id == answer) return slot.turn->feed();
    }
    return ended_.find(answer);
}

std::shared_ptr<TurnFeed> ChatServiceImpl::running(const ConversationKey& key) {
    const auto slot = slots_.find(key);
    return slot == slots_.end() || !slot->second.stored ? nullptr : slot->second.turn->feed();
}

void ChatServiceImpl::when_settled(ConversationKey key, Completion<> done) {
    background_.when_settled(key, [io = &deps_.io, done = std::move(done)]() mutable {
        io->post([done = std::move(done)]() mutable { done({}); });
    });
}

void ChatServiceImpl::shut_down(std::int64_t grace_ms, Completion<> done) {
    closing_ = true;
    background_.stop();
    drafts_.drop_all();
    while (!compactions_.empty())
        end_compaction(compactions_.begin()->first, std::unexpected(shutting_down()));
    if (slots_.empty()) {
        deps_.io.post([done = std::move(done)]() mutable { done({}); });
        return;
    }
    closed_.push_back(std::move(done));
    std::vector<std::shared_ptr<Turn>> asking;  // nobody may come in time
    for (const auto& [key, slot] : slots_) {
        if (slot.turn->waits_for_person()) asking.push_back(slot.turn);
    }
    for (const auto& turn : asking) turn->interrupt();
    if (closed_.empty()) return;
    grace_ = std::make_unique<GraceTimer>(
        std::chrono::milliseconds(grace_ms), deps_.io, [this, alive = std::weak_ptr(alive_)] {
            if (alive.expired()) return;
            std::vector<std::shared_ptr<Turn>> turns;  // ending one changes slots_
            for (const auto& [key, slot] : slots_) turns.push_back(slot.turn);
            for (const auto& turn : turns) turn->interrupt();
        });
}

}  // namespace notso::services
