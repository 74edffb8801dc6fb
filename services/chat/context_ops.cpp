// ChatServiceImpl: what the model reads: the ledger, summaries, and messages that can't fit.
#include <algorithm>
#include <limits>
#include <utility>

#include "base/log.hpp"
#include "services/chat/chat_service_impl.hpp"
#include "services/chat/message_files.hpp"
#include "services/chat/prompt_source.hpp"
#include "services/chat/send_plan.hpp"
#include "services/settings/setting_fields.hpp"

namespace notso::services {

ContextUse ChatServiceImpl::use_of(const ConversationView& view,
                                   const std::vector<Summary>& summaries) const {
    const auto model = deps_.backend.find_model(view.conversation.model);
    if (!model) return {};
    const std::int64_t context = context_of(model->context_length, view.conversation.settings);
    return context_use(context, view.conversation.thinking, view.messages, summaries);
}

/// Whether a message is long enough that it has to be counted before it is stored. Which model
/// answers is not known yet: the smallest decides.
bool ChatServiceImpl::may_not_fit(const SendRequest& request) const {
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (const ModelEntry& model : deps_.backend.models()) {
        if (model.info.context_length > 0) least = std::min(least, model.info.context_length);
    }
    const bool is_long = std::ssize(request.text) > least / 4;  // no token is shorter than a byte
    return is_long || !request.files.empty();
}

/// A message that is more than the model can read is refused before it is stored; of its files the
/// model may get the beginning alone.
void ChatServiceImpl::check_fit(SendRequest request, Completion<SentMessage> done) {
    auto load = [draft = NewDraft{request.conversation, request.text, request.files}](
                    SessionStore& store) mutable { return load_draft(store, std::move(draft)); };
    store_.call(alive_,
                std::move(load),
                [this, request = std::move(request), done = std::move(done)](
                    Result<PromptSource> source) mutable {
                    if (!source) return done(std::unexpected(std::move(source).error()));
                    source->thinking = request.thinking.value_or(source->conversation.thinking);
                    source->tools = tools_for(source->conversation.model);
                    deps_.compute.post([this,
                                        alive = std::weak_ptr(alive_),
                                        io = &deps_.io,
                                        backend = &deps_.backend,
                                        source = *std::move(source),
                                        request = std::move(request),
                                        done = std::move(done)]() mutable {
                        if (alive.expired()) return;
                        const Result<> checked = fit_files(*backend, source);
                        const bool refused =
                            !checked && checked.error().code == ErrorCode::kContextLength;
                        request.files = uses_of(source.messages.back());
                        io->post([this,
                                  alive,
                                  refused = refused ? std::optional(checked.error()) : std::nullopt,
                                  request = std::move(request),
                                  done = std::move(done)]() mutable {
                            if (alive.expired()) return;
                            if (refused) return done(std::unexpected(*std::move(refused)));
                            send_fitting(std::move(request), std::move(done));
                        });
                    });
                });
}

void ChatServiceImpl::context(ConversationKey key, Completion<ContextLedger> done) {
    store_.call(
        alive_,
        [key = std::move(key)](SessionStore& store) {
            return load_draft(store, {.conversation = key, .text = {}});
        },
        [this, done = std::move(done)](Result<PromptSource> source) mutable {
            if (!source) return done(std::unexpected(std::move(source).error()));
            source->thinking = source->conversation.thinking;
            source->tools = tools_for(source->conversation.model);
            deps_.compute.post([alive = std::weak_ptr(alive_),
                                io = &deps_.io,
                                backend = &deps_.backend,
                                source = *std::move(source),
                                done = std::move(done)]() mutable {
                if (alive.expired()) return;
                io->post([alive,
                          ledger = make_ledger(*backend, source),
                          done = std::move(done)]() mutable {
                    if (!alive.expired()) done(std::move(ledger));
                });
            });
        });
}

void ChatServiceImpl::compact(CompactRequest request, Completion<> done) {
    if (slots_.contains(request.conversation)) {
        return fail_later(std::move(done),
                          Error{ErrorCode::kBusy,
                                "an answer is being written in this conversation: wait for it, or "
                                "stop it"});
    }
    begin_compaction(request, CompactReach::kAllButNewest, std::move(done));
}

void ChatServiceImpl::begin_compaction(const CompactRequest& request,
                                       CompactReach reach,
                                       Completion<> done) {
    const ConversationKey& key = request.conversation;
    if (closing_ || compactions_.contains(key)) {
        if (!done) return;
        return fail_later(std::move(done),
                          Error{ErrorCode::kBusy,
                                "a summary of this conversation is being written: wait for it"});
    }
    compactions_[key].done = std::move(done);
    store_.call(
        alive_,
        [key](SessionStore& store) { return load_source(store, key); },
        [this, key, user = request.user, reach](Result<PromptSource> source) {
            const auto compaction = compactions_.find(key);
            if (compaction == compactions_.end()) return;
            if (!source) return end_compaction(key, std::unexpected(std::move(source).error()));
            const bool asked = reach == CompactReach::kAllButNewest;
            source->user = user;
            source->priority = asked ? ChatPriority::kInteractive : ChatPriority::kBackground;
            source->tools = tools_for(source->conversation.model);
            auto compactor = std::make_shared<Compactor>(
                CompactorDeps{{deps_.backend, deps_.io, deps_.compute}, store_, reach},
                [this, key](Result<std::int64_t> steps) {
                    Result<> ended;
                    if (!steps) ended = std::unexpected(std::move(steps).error());
                    if (steps && *steps == 0)
                        ended = fail(ErrorCode::kInvalidArgument,
                                     "there is nothing to summarise yet: the newest question and "
                                     "its answer always stay as they are");
                    end_compaction(key, std::move(ended));
                });
            compaction->second.compactor = compactor;
            compactor->begin(*std::move(source));
        });
}

/// Whoever waits hears it; nobody does of what the server began by itself.
void ChatServiceImpl::end_compaction(const ConversationKey& key, Result<> ended) {
    auto compaction = compactions_.extract(key);
    if (compaction.empty()) return;
    Completion<> done = std::move(compaction.mapped().done);
    if (!done) return;
    deps_.io.post(
        [done = std::move(done), ended = std::move(ended)]() mutable { done(std::move(ended)); });
}

/// After the rest of the work that follows an answer, which finds the conversation in the cache.
void ChatServiceImpl::compact_when_full(const ConversationKey& key,
                                        const Message& answer,
                                        const Slot& slot) {
    const auto model = deps_.backend.find_model(slot.model);
    if (!model || !model->remote_host.empty()) return;  // nobody asked to spend anything there
    const std::int64_t context = context_of(model->context_length, slot.settings);
    const std::int64_t budget = context - answer_room(context, slot.thinking);
    const MessageStats& stats = answer.stats;
    const std::int64_t used =
        stats.prompt_tokens + stats.completion_tokens - stats.reasoning_tokens;
    if (context <= 0 || !is_nearly_full(used, budget)) return;
    background_.when_settled(key, [this, alive = std::weak_ptr(alive_), key, user = slot.user] {
        if (!alive.expired()) begin_compaction({key, user}, CompactReach::kToMakeRoom, {});
    });
}

}  // namespace notso::services
