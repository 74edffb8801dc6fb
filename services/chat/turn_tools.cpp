// Turn: the model calls tools, they run, and the answer goes on with what they gave.
#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "services/chat/turn.hpp"

namespace notso::services {

void Turn::take(const chat_event::ToolCallBegun& event, SteadyClock::time_point at) {
    saw_token(at);
    flush_text();
    called_.push_back(make_use(event, called_.size()));
}

/// @param n_before  Calls of this round before it.
ToolUse Turn::make_use(const chat_event::ToolCallBegun& event, std::size_t n_before) const {
    const ToolPtr tool = deps_.tools.box == nullptr ? nullptr : deps_.tools.box->find(event.name);
    return {.id = fmt::format("call-{}", answer_.tool_uses.size() + n_before + 1),
            .name = event.name,
            .arguments = {},
            .round = n_rounds_,
            .text_offset = std::ssize(answer_.text),
            .sends_to = tool ? tool->info().sends_to : ""};
}

void Turn::take(const chat_event::ToolCallArguments& event, SteadyClock::time_point) {
    if (!called_.empty()) called_.back().arguments += event.text;
}

bool Turn::goes_on_with_tools(const chat_event::End& end) {
    if (end.finish != ChatFinish::kToolCalls || called_.empty() || early_end_) return false;
    if (deps_.tools.box == nullptr || answer_.tool_uses.size() + called_.size() > kMaxToolCalls) {
        answer_.error = fmt::format(
            "The model wanted to call tools more than {} times in one answer, which is the most: "
            "ask "
            "it to go on, or ask in smaller steps.",
            kMaxToolCalls);
        answer_.state = MessageState::kFailed;
        store_end();
        return true;
    }
    answer_.tool_uses.insert(answer_.tool_uses.end(), called_.begin(), called_.end());
    round_ = make_round(std::exchange(called_, {}));
    enter(TurnPhase::kUsingTools, SteadyClock::now());
    round_->begin();
    return true;
}

void Turn::resume_tools() {
    begun_ = true;
    closed_ = true;
    n_rounds_ = answer_.tool_uses.back().round;
    std::vector<ToolUse> uses;
    for (const ToolUse& use : answer_.tool_uses) {
        if (use.round == n_rounds_) uses.push_back(use);
    }
    enter(TurnPhase::kUsingTools, SteadyClock::now());
    const auto round = round_ = make_round(std::move(uses));  // it may end within the call
    if (early_end_) return leave_round(*early_end_);
    round->resume();
}

std::shared_ptr<ToolRound> Turn::make_round(std::vector<ToolUse> uses) {
    const std::weak_ptr<Turn> weak = weak_from_this();
    return ToolRound::create({.desk = deps_.tools,
                              .io = deps_.io,
                              .store = deps_.store,
                              .conversation = feed_->conversation(),
                              .answer = answer_.id,
                              .on_change =
                                  [weak](const std::vector<ToolUse>& changed) {
                                      if (const auto self = weak.lock())
                                          self->on_round_changed(changed);
                                  },
                              .on_end =
                                  [weak](Result<> ended) {
                                      if (const auto self = weak.lock())
                                          self->on_round_ended(ended);
                                  }},
                             std::move(uses));
}

void Turn::on_round_changed(const std::vector<ToolUse>& uses) {
    for (const ToolUse& use : uses) {
        const auto mine = std::ranges::find(answer_.tool_uses, use.id, &ToolUse::id);
        if (mine != answer_.tool_uses.end()) *mine = use;
    }
    const auto open = std::ranges::find_if(uses, [](const ToolUse& use) {
        return use.state == ToolUseState::kAsking || use.state == ToolUseState::kRunning;
    });
    if (open != uses.end()) status_.tool = open->name;
    status_.tool_asks = waits_for_person();
    flush_text();
    flush_status();
    feed_->append(feed_event::ToolUses{answer_.tool_uses});
}

void Turn::on_round_ended(const Result<>& ended) {
    const auto round = std::exchange(round_, nullptr);  // it lives until this call is over
    if (!ended) {
        answer_.state = MessageState::kFailed;
        answer_.error =
            fmt::format("The calls of tools could not be saved: {}", ended.error().detail);
        return store_end();
    }
    ++n_rounds_;
    closed_ = false;
    cancelled_ = false;
    thoughts_apart_ = !answer_.thinking.empty();
    start_outcome_ = std::make_shared<StartOutcome>();
    source_.so_far = answer_;
    source_.written.reset();
    journal_ = {.seed = journal_.seed,
                .runs = journal_.runs,
                .round = n_rounds_,
                .text_begin = std::ssize(answer_.text),
                .thinking_begin = std::ssize(answer_.thinking),
                .tokens_before = answer_.stats.completion_tokens,
                .reasoning_before = answer_.stats.reasoning_tokens};
    n_retold_ = 0;
    status_.prefill_done = status_.prefill_total = 0;
    status_.prefill_tokens_per_second = 0;
    reading_.reset();
    enter(TurnPhase::kPrefill, SteadyClock::now());
    begin_round();
}

void Turn::leave_round(MessageState state) {
    const auto round = std::exchange(round_, nullptr);
    if (state == MessageState::kInterrupted) {  // the journal has it all
        journal_.crashes = 0;
        answer_.journal = journal_;
        deps_.store.post([answer = answer_](SessionStore& store) {
            const Result<> kept = store.update_message(answer);
            if (!kept) log::warn("an answer is not saved as it is: {}", kept.error().detail);
        });
        Message shown = answer_;
        shown.state = state;
        const auto self = shared_from_this();
        feed_->append(feed_event::Ended{std::move(shown), false});
        return deps_.on_end(answer_, true);
    }
    on_round_changed(round->stop());
    answer_.state = state;
    store_end();
}

void Turn::decide_tool(const std::string& use,
                       ToolDecision decision,
                       std::move_only_function<void(Result<>)> done) {
    if (!round_)
        return done(fail(ErrorCode::kNotFound, "no call of a tool waits for that decision"));
    const auto round = round_;
    round->decide(use, decision, std::move(done));
}

}  // namespace notso::services
