#include "services/chat/recovery.hpp"

#include "base/log.hpp"
#include "services/chat/chat_service_impl.hpp"
#include "services/chat/message_tree.hpp"

namespace notso::services {
namespace {

constexpr std::chrono::milliseconds kLoadingPoll{200};

/// Nothing was written after the last calls: what they give is all that is missing.
bool stands_at_tools(const Message& answer) {
    return !answer.tool_uses.empty() && answer.parent &&
           answer.tool_uses.back().text_offset == std::ssize(answer.text);
}

Result<Unfinished> load_unfinished(SessionStore& store, RunningAnswer running) {
    Message& answer = running.message;
    NOTSO_TRY(ShownConversation shown, load_shown(store, {running.owner, answer.conversation}));
    Unfinished unfinished;
    unfinished.owner = std::move(running.owner);
    unfinished.source.messages = path_to(shown.all, *answer.parent);
    unfinished.source.summaries = std::move(shown.summaries);
    unfinished.source.thinking = shown.conversation.thinking;
    unfinished.source.conversation = std::move(shown.conversation);
    unfinished.answer = std::move(answer);
    return unfinished;
}

}  // namespace

Result<std::vector<Unfinished>> recover_answers(SessionStore& store) {
    NOTSO_TRY(auto running, store.running_messages());
    std::vector<Unfinished> unfinished;
    for (RunningAnswer& left : running) {
        Message& answer = left.message;
        if (stands_at_tools(answer)) {
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

void ChatServiceImpl::recover() {
    store_.call(
        alive_,
        [](SessionStore& store) { return recover_answers(store); },
        [this](Result<std::vector<Unfinished>> found) {
            if (!found)
                return log::error("unfinished answers could not be marked: {}",
                                  found.error().detail);
            for (Unfinished& unfinished : *found) go_on(std::move(unfinished));
        });
}

void ChatServiceImpl::go_on(Unfinished unfinished) {
    const ConversationKey key(unfinished.owner, unfinished.answer.conversation);
    if (closing_ || deps_.tools.box == nullptr || slots_.contains(key)) {
        unfinished.answer.state = MessageState::kInterrupted;
        store_.post([answer = std::move(unfinished.answer)](SessionStore& store) {
            const Result<> marked = store.update_message(answer);
            if (!marked) log::error("an answer could not be marked: {}", marked.error().detail);
        });
        return;
    }
    log::info("an answer goes on at its calls of tools");
    unfinished.source.tools = tools_for(unfinished.source.conversation.model);
    Slot& slot = slots_[key];
    slot.turn = make_turn(unfinished.owner, unfinished.answer);
    slot.stored = true;
    waiting_.emplace_back(slot.turn, std::move(unfinished.source));
    resume_when_ready();
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
    for (auto& [turn, source] : std::exchange(waiting_, {})) turn->resume(std::move(source));
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
