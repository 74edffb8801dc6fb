#include "services/chat/tool_round.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "services/chat/stored_notes.hpp"
#include "services/chat/stored_shelf.hpp"

namespace notso::services {
namespace {

constexpr std::string_view kDenied =
    "The person did not allow this call. Go on without it, or ask what they want instead.";
constexpr std::string_view kUnknown =
    "The server was restarted while this ran. It is not known whether it was done.";

bool is_open(const ToolUse& use) {
    return use.state == ToolUseState::kAsking || use.state == ToolUseState::kRunning;
}

}  // namespace

std::shared_ptr<ToolRound> ToolRound::create(Deps deps, std::vector<ToolUse> uses) {
    return std::shared_ptr<ToolRound>(new ToolRound(std::move(deps), std::move(uses)));
}

void ToolRound::begin() {
    std::vector<std::string> asking;  // names
    for (ToolUse& use : uses_) {
        const ToolPtr tool = deps_.desk.box->find(use.name);
        const bool fits = deps_.desk.box->check({use.name, use.arguments}).has_value();
        // What can't run asks nobody: its output says what is wrong with it.
        if (fits && tool->info().policy == ToolPolicy::kAsksFirst) asking.push_back(use.name);
    }
    deps_.store.call(
        weak_from_this(),
        [id = deps_.answer, owner = deps_.conversation.owner, uses = uses_, asking](
            SessionStore& store) mutable -> Result<std::vector<ToolUse>> {
            NOTSO_TRY(const auto allowed, store.allowed_tools(owner));
            for (ToolUse& use : uses) {
                const bool asks = std::ranges::find(asking, use.name) != asking.end() &&
                                  std::ranges::find(allowed, use.name) == allowed.end();
                use.state = asks ? ToolUseState::kAsking : ToolUseState::kRunning;
            }
            NOTSO_CHECK(store.put_tool_uses(id, uses));
            return uses;
        },
        [this](Result<std::vector<ToolUse>> stored) {
            if (ended_) return;
            if (!stored) {
                ended_ = true;
                return deps_.on_end(std::unexpected(std::move(stored).error()));
            }
            uses_ = *std::move(stored);
            deps_.on_change(uses_);
            for (ToolUse& use : uses_) {
                if (use.state == ToolUseState::kRunning) run(use);
            }
        });
}

void ToolRound::resume() {
    for (ToolUse& use : uses_) {
        if (use.state == ToolUseState::kRunning)
            settle(use, ToolUseState::kInterrupted, std::string(kUnknown));
    }
    changed();
}

void ToolRound::run(ToolUse& use) {
    ToolContext context{
        .conversation_id = deps_.conversation.id.value,
        .notes = std::make_shared<StoredNotes>(deps_.store, deps_.conversation),
        .attachments = std::make_shared<StoredShelf>(deps_.store, deps_.conversation),
        .time_zone = deps_.desk.time_zone,
        .stop = stop_.get_token()};
    deps_.desk.box->start(
        {use.name, use.arguments},
        std::move(context),
        [weak = weak_from_this(), io = &deps_.io, id = use.id](ToolOutput output) {
            io->post([weak, id, output = std::move(output)]() mutable {
                if (const auto self = weak.lock()) self->take(id, std::move(output));
            });
        });
}

void ToolRound::take(const std::string& id, ToolOutput output) {
    ToolUse* use = find(id);
    if (ended_ || use == nullptr || use->state != ToolUseState::kRunning) return;
    const auto state = output.is_error ? ToolUseState::kFailed : ToolUseState::kDone;
    settle(*use, state, std::move(output.text));
    changed();
}

/// In memory at once; on the disk before anything that follows it.
void ToolRound::settle(ToolUse& use, ToolUseState state, std::string output) {
    use.state = state;
    use.output = std::move(output);
    deps_.store.call(
        weak_from_this(),
        [id = deps_.answer, use](SessionStore& store) { return store.put_tool_uses(id, {use}); },
        [](const Result<>& stored) {
            if (!stored) log::warn("a tool's output is not saved: {}", stored.error().detail);
        });
}

void ToolRound::changed() {
    deps_.on_change(uses_);
    if (ended_ || std::ranges::any_of(uses_, is_open)) return;
    ended_ = true;
    deps_.on_end({});
}

void ToolRound::decide(const std::string& id,
                       ToolDecision decision,
                       std::move_only_function<void(Result<>)> done) {
    ToolUse* use = find(id);
    if (ended_ || use == nullptr || use->state != ToolUseState::kAsking) {
        return done(fail(ErrorCode::kNotFound, "no call of a tool waits for that decision"));
    }
    if (decision == ToolDecision::kDeny) {
        settle(*use, ToolUseState::kDenied, std::string(kDenied));
        changed();
        return done({});
    }
    use->state = ToolUseState::kRunning;  // a second click finds nothing that asks
    const bool always = decision == ToolDecision::kAllowAlways;
    deps_.store.call(
        weak_from_this(),
        [answer = deps_.answer, owner = deps_.conversation.owner, use = *use, always](
            SessionStore& store) -> Result<> {
            if (always) NOTSO_CHECK(store.allow_tool(owner, use.name));
            return store.put_tool_uses(answer, {use});
        },
        [this, id, done = std::move(done)](Result<> stored) mutable {
            ToolUse* allowed = find(id);
            if (ended_ || allowed == nullptr) return done({});
            if (!stored) {
                allowed->state = ToolUseState::kAsking;
                return done(std::move(stored));
            }
            deps_.on_change(uses_);
            run(*allowed);
            done({});
        });
}

std::vector<ToolUse> ToolRound::stop() {
    ended_ = true;
    stop_.request_stop();
    for (ToolUse& use : uses_) {
        if (is_open(use)) settle(use, ToolUseState::kInterrupted, "Stopped.");
    }
    return uses_;
}

bool ToolRound::asks() const {
    return std::ranges::any_of(
        uses_, [](const ToolUse& use) { return use.state == ToolUseState::kAsking; });
}

ToolUse* ToolRound::find(const std::string& id) {
    const auto found = std::ranges::find(uses_, id, &ToolUse::id);
    return found == uses_.end() ? nullptr : &*found;
}

}  // namespace notso::services
