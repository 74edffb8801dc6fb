// The stub's timer thread, queue and events. See stub.hpp.
#include "services/backend/stub.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "services/backend/stop_matcher.hpp"
#include "services/backend/stub_script.hpp"

namespace notso::services {
namespace {

/// One answer. Except for the atomic, only the timer thread touches it after start().
struct Answer {
    Answer(const ChatRequest& request, ChatEventHandler on_event)
        : script(make_stub_script(request)),
          stops(request.stop),
          max_tokens(request.max_tokens),
          logprobs(request.logprobs),
          written(request.written),
          handler(std::move(on_event)) {}

    StubScript script;
    StopMatcher stops;
    std::int64_t max_tokens;
    bool logprobs;
    std::optional<WrittenAnswer> written;  // told again first
    ChatEventHandler handler;
    std::atomic<bool> cancelled = false;
    std::atomic<bool> answer_now = false;

    std::size_t next = 0;
    std::int64_t n_calls = 0;
    SteadyClock::time_point accepted = SteadyClock::now();
    SteadyClock::time_point started;
    SteadyClock::time_point due;
    ChatUsage usage;
};

/// Goes to the end of the thoughts. @return Whether there were any left.
bool skip_thoughts(Answer& answer) {
    const auto& steps = answer.script.steps;
    if (steps[answer.next].kind != StubStepKind::kThinkingWord) return false;
    while (steps[answer.next].kind == StubStepKind::kThinkingWord) ++answer.next;
    return true;
}

/// Whether a step was part of what was written before.
bool was_written(const StubStep& step, const WrittenAnswer& left) {
    switch (step.kind) {
        case StubStepKind::kThinkingStarted:
        case StubStepKind::kThinkingWord:
            return !left.thinking.empty();
        case StubStepKind::kThinkingEnded:
        case StubStepKind::kWord:
            return !left.text.empty();
        case StubStepKind::kToolCall:
        case StubStepKind::kFailure:
            break;
    }
    return false;
}

/// What the streams share with the backend, so that a stream may outlive it.
struct Wakeup {
    std::mutex mutex;
    std::condition_variable changed;
};

class StubStream final : public ChatStream {
  public:
    StubStream(std::shared_ptr<Answer> answer, std::shared_ptr<Wakeup> wakeup)
        : answer_(std::move(answer)), wakeup_(std::move(wakeup)) {}
    ~StubStream() override { cancel(); }

    void cancel() override {
        {
            const std::lock_guard lock(wakeup_->mutex);
            answer_->cancelled = true;
        }
        wakeup_->changed.notify_all();
    }
    bool answer_now() override {
        answer_->answer_now = true;
        return true;
    }

  private:
    std::shared_ptr<Answer> answer_;
    std::shared_ptr<Wakeup> wakeup_;
};

class StubBackend final : public ChatBackend {
  public:
    explicit StubBackend(const StubOptions& options)
        : options_(options), thread_([this] { run(); }) {}

    ~StubBackend() override {
        {
            const std::lock_guard lock(wakeup_->mutex);
            closing_ = true;
        }
        wakeup_->changed.notify_all();
        thread_.join();
    }

    Result<std::unique_ptr<ChatStream>> start(const ChatRequest& request,
                                              ChatEventHandler handler) override {
        NOTSO_CHECK(validate_stops(request.stop));
        if (!request.form.is_free()) {
            return fail(
                ErrorCode::kUnsupported,
                "the scripted stub can't follow a response_format or a grammar; load a model");
        }
        NOTSO_TRY(const std::int64_t prompt, count_tokens(request));
        auto answer = std::make_shared<Answer>(request, std::move(handler));
        answer->usage.prompt_tokens = prompt;
        {
            const std::lock_guard lock(wakeup_->mutex);
            if (std::ssize(waiting_) >= options_.max_waiting) {
                return fail(ErrorCode::kOverloaded,
                            "{} answers are waiting, try again later",
                            waiting_.size());
            }
            waiting_.push_back(answer);
        }
        wakeup_->changed.notify_all();
        return std::make_unique<StubStream>(std::move(answer), wakeup_);
    }

    Result<std::int64_t> count_tokens(const ChatRequest& request) override {
        const std::int64_t n = count_stub_tokens(request);
        if (n >= options_.context_length) {
            return fail(ErrorCode::kContextLength,
                        "the prompt has {} tokens, the context holds {}",
                        n,
                        options_.context_length);
        }
        return n;
    }

    ModelInfo info() const override {
        return {.id = "scripted-stub",
                .name = "Scripted stub (no model)",
                .file_type = {},
                .architecture = "stub",
                .context_length = options_.context_length,
                .can_think = true,
                .can_call_tools = true,
                .scripted = true};
    }

    Health health() const override {
        const std::lock_guard lock(wakeup_->mutex);
        return {.state = HealthState::kReady,
                .load_progress = 1,
                .running = std::ssize(running_),
                .waiting = std::ssize(waiting_),
                .full = std::ssize(waiting_) >= options_.max_waiting};
    }

  private:
    using Answers = std::vector<std::shared_ptr<Answer>>;

    void run();
    Answers take_cancelled();
    void admit(Answers& admitted);
    std::shared_ptr<Answer> next_due() const;
    bool anything_cancelled() const;
    void wait_for_work(std::unique_lock<std::mutex>& lock);
    void announce(const Answers& admitted, const Answers& queued);
    void advance(const std::shared_ptr<Answer>& answer);
    void tell_again(const std::shared_ptr<Answer>& answer);
    bool step(Answer& answer);
    static void call_tool(Answer& answer, const StubStep& step);
    void deliver_text(Answer& answer, const std::string& word);
    void end(Answer& answer, ChatFinish finish, std::optional<Error> error = {});
    void forget(const std::shared_ptr<Answer>& answer);

    const StubOptions options_;
    std::shared_ptr<Wakeup> wakeup_ = std::make_shared<Wakeup>();
    std::deque<std::shared_ptr<Answer>> waiting_;
    Answers running_;
    bool closing_ = false;
    std::thread thread_;  // last: starts when everything else stands
};

/// The timer thread: handlers are always called without the lock.
void StubBackend::run() {
    std::unique_lock lock(wakeup_->mutex);
    std::size_t announced = 0;
    for (;;) {
        wait_for_work(lock);
        const Answers cancelled = take_cancelled();
        if (closing_ && cancelled.empty()) return;
        Answers admitted;
        admit(admitted);
        const bool queue_changed =
            announced != waiting_.size() || !admitted.empty() || !cancelled.empty();
        const Answers queued =
            queue_changed ? Answers(waiting_.begin(), waiting_.end()) : Answers();
        announced = waiting_.size();
        const std::shared_ptr<Answer> due = next_due();
        lock.unlock();
        for (const auto& answer : cancelled) end(*answer, ChatFinish::kCancelled);
        announce(admitted, queued);
        const bool ended = due && due->handler == nullptr;  // as it was told again
        if (due && !ended && due->due <= SteadyClock::now()) advance(due);
        lock.lock();
    }
}

void StubBackend::wait_for_work(std::unique_lock<std::mutex>& lock) {
    const auto room = [this] {
        return std::ssize(running_) < options_.max_running && !waiting_.empty();
    };
    const auto urgent = [&] { return closing_ || room() || anything_cancelled(); };
    if (const std::shared_ptr<Answer> due = next_due()) {
        wakeup_->changed.wait_until(lock, due->due, urgent);
        return;
    }
    wakeup_->changed.wait(lock, urgent);
}

StubBackend::Answers StubBackend::take_cancelled() {
    Answers taken;
    const auto take = [&](auto& from) {
        for (const auto& answer : from) {
            if (closing_ || answer->cancelled) taken.push_back(answer);
        }
        std::erase_if(from, [&](const auto& answer) { return closing_ || answer->cancelled; });
    };
    take(running_);
    take(waiting_);
    return taken;
}

void StubBackend::admit(Answers& admitted) {
    while (std::ssize(running_) < options_.max_running && !waiting_.empty()) {
        const std::shared_ptr<Answer> answer = std::move(waiting_.front());
        waiting_.pop_front();
        answer->started = answer->due = SteadyClock::now();
        answer->usage.queued_ms = ms_between(answer->accepted, answer->started);
        running_.push_back(answer);
        admitted.push_back(answer);
    }
}

std::shared_ptr<Answer> StubBackend::next_due() const {
    const auto first =
        std::min_element(running_.begin(), running_.end(), [](const auto& a, const auto& b) {
            return a->due < b->due;
        });
    return first == running_.end() ? nullptr : *first;
}

bool StubBackend::anything_cancelled() const {
    const auto cancelled = [](const auto& answer) { return answer->cancelled.load(); };
    return std::any_of(running_.begin(), running_.end(), cancelled) ||
           std::any_of(waiting_.begin(), waiting_.end(), cancelled);
}

void StubBackend::announce(const Answers& admitted, const Answers& queued) {
    for (const auto& answer : admitted) {
        const std::int64_t total = answer->usage.prompt_tokens;
        answer->handler(chat_event::Queued{0});
        answer->handler(chat_event::Prefill{0, total});
        answer->handler(chat_event::Prefill{total, total});
        if (answer->written) tell_again(answer);
    }
    for (std::size_t i = 0; i < queued.size(); ++i) {
        queued[i]->handler(chat_event::Queued{static_cast<std::int64_t>(i)});
    }
}

/// The same script gives the same words: those that were written come first, at once.
void StubBackend::tell_again(const std::shared_ptr<Answer>& answer) {
    WrittenAnswer left = *std::exchange(answer->written, std::nullopt);
    const auto& steps = answer->script.steps;
    while (answer->next < steps.size()) {
        if (left.thinking.empty() && !left.text.empty()) skip_thoughts(*answer);
        const StubStep now = steps[answer->next];
        if (!was_written(now, left)) break;
        if (!step(*answer)) return forget(answer);
        std::string& of = now.kind == StubStepKind::kWord ? left.text : left.thinking;
        of.erase(0, std::min(of.size(), now.text.size()));
    }
    answer->handler(chat_event::Resumed{});
}

/// Plays one step; ends the answer when it was the last.
void StubBackend::advance(const std::shared_ptr<Answer>& answer) {
    answer->due = SteadyClock::now() + answer->script.word_delay.value_or(options_.word_delay);
    if (step(*answer)) return;
    forget(answer);
}

/// False when the answer has ended.
bool StubBackend::step(Answer& answer) {
    if (answer.next == answer.script.steps.size()) {
        end(answer, answer.n_calls > 0 ? ChatFinish::kToolCalls : ChatFinish::kStop);
        return false;
    }
    const bool cut_short = answer.answer_now && skip_thoughts(answer);
    const StubStep& now = answer.script.steps[answer.next++];
    const bool is_token = now.kind == StubStepKind::kThinkingWord ||
                          now.kind == StubStepKind::kWord || now.kind == StubStepKind::kToolCall;
    if (is_token && answer.max_tokens > 0 && answer.usage.completion_tokens == answer.max_tokens) {
        end(answer, ChatFinish::kLength);
        return false;
    }
    if (is_token) answer.handler(chat_event::Progress{++answer.usage.completion_tokens});
    switch (now.kind) {
        case StubStepKind::kThinkingStarted:
            answer.handler(chat_event::ThinkingStarted{});
            break;
        case StubStepKind::kThinkingEnded:
            answer.handler(
                chat_event::ThinkingEnded{cut_short ? ThinkingEndReason::kAsked : now.reason});
            break;
        case StubStepKind::kThinkingWord:
            ++answer.usage.reasoning_tokens;
            answer.handler(chat_event::ThinkingText{now.text});
            break;
        case StubStepKind::kWord:
            deliver_text(answer, now.text);
            break;
        case StubStepKind::kToolCall:
            call_tool(answer, now);
            break;
        case StubStepKind::kFailure:
            end(answer,
                ChatFinish::kError,
                Error{ErrorCode::kInternal, "the scripted stub was told to fail"});
            return false;
    }
    if (!answer.stops.stopped()) return true;
    end(answer, ChatFinish::kStop);
    return false;
}

void StubBackend::call_tool(Answer& answer, const StubStep& step) {
    const std::int64_t index = answer.n_calls++;
    answer.handler(chat_event::ToolCallBegun{index, "call_" + random_id(), step.text});
    // In two pieces: whoever reads them has to join them.
    const std::size_t half = step.arguments.size() / 2;
    answer.handler(chat_event::ToolCallArguments{index, step.arguments.substr(0, half)});
    answer.handler(chat_event::ToolCallArguments{index, step.arguments.substr(half)});
    answer.handler(chat_event::ToolCallDone{index});
}

void StubBackend::deliver_text(Answer& answer, const std::string& word) {
    std::string text = answer.stops.push(word);
    if (text.empty()) return;
    chat_event::Text event{std::move(text)};
    if (answer.logprobs) event.logprobs.push_back({.chosen = {word, 0.0}, .top = {{word, 0.0}}});
    answer.handler(std::move(event));
}

void StubBackend::end(Answer& answer, ChatFinish finish, std::optional<Error> error) {
    if (std::string held = answer.stops.finish(); !held.empty())
        answer.handler(chat_event::Text{std::move(held)});
    if (answer.started != SteadyClock::time_point()) {
        answer.usage.decode_ms = ms_between(answer.started, SteadyClock::now());
    }
    answer.handler(chat_event::End{finish, std::move(error), answer.usage});
    answer.handler = nullptr;
}

void StubBackend::forget(const std::shared_ptr<Answer>& answer) {
    const std::lock_guard lock(wakeup_->mutex);
    std::erase(running_, answer);
}

}  // namespace

std::unique_ptr<ChatBackend> make_stub_backend(const StubOptions& options) {
    return std::make_unique<StubBackend>(options);
}

}  // namespace notso::services
