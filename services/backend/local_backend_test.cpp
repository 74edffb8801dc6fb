// The local backend over a model without weights: loading, holding, answering, cancelling, ending.
#include "services/backend/local_backend.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <semaphore>
#include <stdexcept>
#include <thread>

#include "base/clock.hpp"
#include "base/utf8.hpp"
#include "ml/runtime/fake_model.hpp"
#include "services/backend/event_recorder.hpp"
#include "services/backend/local.hpp"

namespace notso::services {
namespace {

using ml::testing::FakeModel;
using ml::testing::FakeTokenizer;
using std::chrono::milliseconds;

ChatRequest ask(std::string text) {
    ChatRequest request;
    request.messages.push_back({.role = "user", .content = std::move(text)});
    request.sampling.temperature = 0.0;
    return request;
}

/// Answers with `text`, whose think tags are tokens, then ends its turn.
std::shared_ptr<FakeModel> saying(std::string_view text) {
    return FakeModel::scripted(
        FakeTokenizer().encode(text, {.special = ml::SpecialTokens::kParse}));
}

ModelLoader ready(std::shared_ptr<const ml::Model> model) {
    return [model = std::move(model)](const auto&) -> Result<std::shared_ptr<const ml::Model>> {
        return model;
    };
}

std::unique_ptr<LocalBackend> make(ModelLoader loader, std::int32_t max_queue = 64) {
    return std::make_unique<LocalBackend>(
        std::move(loader), LocalBackendOptions{.id = "tiny", .engine = {.max_queue = max_queue}});
}

void wait_ready(const ChatBackend& backend) {
    for (int i = 0; i < 10'000 && backend.health().state == HealthState::kLoading; ++i) {
        std::this_thread::sleep_for(milliseconds(1));
    }
    ASSERT_EQ(backend.health().state, HealthState::kReady) << backend.health().detail;
}

/// A loader that waits until it is told to go on, or to stop.
struct SlowLoader {
    explicit SlowLoader(Result<std::shared_ptr<const ml::Model>> outcome)
        : result(std::move(outcome)) {}

    ModelLoader loader() {
        return [this](const ml::LoadOptions& load) {
            const std::stop_token& stop = load.stop;
            load.on_plan({.weight_bytes = 3 << 20});
            load.on_progress(0.5);
            half_way.release();
            while (!open && !stop.stop_requested()) std::this_thread::sleep_for(milliseconds(1));
            if (stop.stop_requested())
                return Result<std::shared_ptr<const ml::Model>>(
                    fail(ErrorCode::kCancelled, "stopped"));
            return result;
        };
    }

    Result<std::shared_ptr<const ml::Model>> result;
    std::atomic<bool> open = false;
    std::binary_semaphore half_way{0};  // released once the progress was reported
};

struct Answer {
    std::shared_ptr<EventRecorder> events = EventRecorder::create();
    std::unique_ptr<ChatStream> stream;
};

Answer start(ChatBackend& backend, const ChatRequest& request) {
    Answer answer;
    auto started = backend.start(request, answer.events->handler());
    EXPECT_TRUE(started) << started.error().detail;
    if (started) answer.stream = *std::move(started);
    return answer;
}

TEST(LocalBackend, AnswersWithEventsInOrder) {
    const auto backend = make(ready(saying("Hello")));
    wait_ready(*backend);
    const Answer answer = start(*backend, ask("hi"));
    const chat_event::End end = answer.events->end();
    EXPECT_EQ(end.finish, ChatFinish::kStop);
    EXPECT_EQ(answer.events->text(), "Hello");
    EXPECT_EQ(end.usage.completion_tokens, 5);
    EXPECT_EQ(end.usage.reasoning_tokens, 0);
    EXPECT_GT(end.usage.prompt_tokens, 10);
    EXPECT_EQ(end.usage.prompt_tokens, backend->count_tokens(ask("hi")).value());
    const auto all = answer.events->events();
    EXPECT_TRUE(std::holds_alternative<chat_event::Queued>(all.front()));
    EXPECT_TRUE(std::holds_alternative<chat_event::End>(all.back()));
    EXPECT_EQ(answer.events->all<chat_event::End>().size(), 1U);
    EXPECT_EQ(answer.events->all<chat_event::Progress>().back().completion_tokens, 5);
    EXPECT_EQ(answer.events->all<chat_event::Progress>().front().token_id, 'H');
    EXPECT_EQ(answer.events->all<chat_event::Prefill>().back().done, end.usage.prompt_tokens);
}

TEST(LocalBackend, TheSecondTurnReusesTheFirst) {
    const auto backend = make(ready(saying("Hello")));
    wait_ready(*backend);
    start(*backend, ask("hi")).events->end();
    ChatRequest next = ask("hi");
    next.messages.push_back({.role = "assistant", .content = "Hello"});
    next.messages.push_back({.role = "user", .content = "more"});
    const ChatUsage usage = start(*backend, next).events->end().usage;
    EXPECT_GT(usage.cached_tokens, backend->count_tokens(ask("hi")).value());
    EXPECT_LT(usage.cached_tokens, usage.prompt_tokens);
}

TEST(LocalBackend, SplitsThinkingFromTheAnswer) {
    const auto backend = make(ready(saying("<think>\nhm\n</think>\n\nParis")));
    wait_ready(*backend);
    EXPECT_TRUE(backend->info().can_think);
    const Answer answer = start(*backend, ask("hi"));
    EXPECT_EQ(answer.events->end().usage.reasoning_tokens, 6);
    EXPECT_EQ(answer.events->thinking(), "hm\n");
    EXPECT_EQ(answer.events->text(), "Paris");
}

TEST(LocalBackend, AModelWithoutThinkTokensCannotThink) {
    const auto model =
        std::make_shared<FakeModel>([](auto, auto) { return ml::testing::kImEnd; }, false);
    const auto backend = make(ready(model));
    wait_ready(*backend);
    EXPECT_FALSE(backend->info().can_think);
    EXPECT_FALSE(backend->info().scripted);
    EXPECT_EQ(backend->info().context_length, 1024);
}

TEST(LocalBackend, MaxTokensMayCutACharacter) {
    const auto backend = make(ready(saying("é日👍")));
    wait_ready(*backend);
    for (std::int64_t n = 1; n < 9; ++n) {
        ChatRequest request = ask("hi");
        request.max_tokens = n;
        const Answer answer = start(*backend, request);
        EXPECT_EQ(answer.events->end().finish, ChatFinish::kLength);
        EXPECT_EQ(answer.events->end().usage.completion_tokens, n);
        EXPECT_TRUE(std::string_view("é日👍").starts_with(answer.events->text()));
        EXPECT_TRUE(is_valid_utf8(answer.events->text()));
    }
}

TEST(LocalBackend, AStopStringEndsTheAnswer) {
    const auto backend = make(ready(saying("one two three four")));
    wait_ready(*backend);
    ChatRequest request = ask("hi");
    request.stop = {"three", "nothing"};
    const Answer answer = start(*backend, request);
    EXPECT_EQ(answer.events->end().finish, ChatFinish::kStop);
    EXPECT_EQ(answer.events->text(), "one two ");
    EXPECT_EQ(answer.events->end().usage.completion_tokens, 13)
        << "no token is made after the stop string";
}

TEST(LocalBackend, GivesLogprobsOfTheShownText) {
    const auto backend = make(ready(saying("ab")));
    wait_ready(*backend);
    ChatRequest request = ask("hi");
    request.logprobs = true;
    request.top_logprobs = 2;
    const Answer answer = start(*backend, request);
    answer.events->end();
    const auto texts = answer.events->all<chat_event::Text>();
    ASSERT_EQ(texts.size(), 2U);
    ASSERT_EQ(texts[0].logprobs.size(), 1U);
    EXPECT_EQ(texts[0].logprobs[0].chosen.bytes, "a");
    EXPECT_EQ(texts[0].logprobs[0].top.size(), 2U);
}

TEST(LocalBackend, RefusesBadRequestsWithoutAnEvent) {
    const auto backend = make(ready(saying("x")));
    wait_ready(*backend);
    const auto code = [&](auto change) {
        ChatRequest request = ask("hi");
        change(request);
        const auto events = EventRecorder::create();
        const auto refused = backend->start(request, events->handler());
        EXPECT_TRUE(events->events().empty());
        return refused ? std::optional<ErrorCode>() : refused.error().code;
    };
    EXPECT_EQ(code([](ChatRequest& r) { r.sampling.temperature = -1; }),
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(code([](ChatRequest& r) { r.stop = {""}; }), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code([](ChatRequest& r) { r.max_tokens = -5; }), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code([](ChatRequest& r) { r.messages[0].role = "god"; }),
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(code([](ChatRequest& r) { r.messages[0].content.assign(1200, 'x'); }),
              ErrorCode::kContextLength);
}

TEST(LocalBackend, HoldsRequestsWhileTheModelLoads) {
    SlowLoader slow(saying("Hello"));
    const auto backend = make(slow.loader(), 2);
    slow.half_way.acquire();
    EXPECT_EQ(backend->info().id, "tiny");
    EXPECT_EQ(backend->count_tokens(ask("hi")).error().code, ErrorCode::kUnavailable);
    const Answer first = start(*backend, ask("1"));
    const Answer second = start(*backend, ask("2"));
    ASSERT_TRUE(second.events->wait_for<chat_event::Queued>());
    EXPECT_EQ(second.events->all<chat_event::Queued>().front().position, 1);
    EXPECT_EQ(backend->health().state, HealthState::kLoading);
    EXPECT_DOUBLE_EQ(backend->health().load_progress, 0.5);
    EXPECT_EQ(backend->health().memory.substr(0, 17), "weights 3.0 MiB +") << "told before loading";
    EXPECT_EQ(backend->health().waiting, 2);
    EXPECT_EQ(backend->start(ask("3"), [](ChatEvent) {}).error().code, ErrorCode::kOverloaded);
    slow.open = true;
    EXPECT_EQ(first.events->end().finish, ChatFinish::kStop);
    EXPECT_EQ(second.events->end().finish, ChatFinish::kStop);
    EXPECT_EQ(second.events->text(), "Hello");
    EXPECT_EQ(second.events->all<chat_event::End>().size(), 1U);
}

TEST(LocalBackend, AHeldRequestThatCannotWorkEndsWithItsError) {
    SlowLoader slow(saying("Hello"));
    const auto backend = make(slow.loader());
    const Answer answer = start(*backend, ask(std::string(1200, 'x')));
    slow.open = true;
    const chat_event::End end = answer.events->end();
    EXPECT_EQ(end.finish, ChatFinish::kError);
    EXPECT_EQ(end.error->code, ErrorCode::kContextLength);
}

TEST(LocalBackend, CancelWhileHeldEndsAtOnce) {
    SlowLoader slow(saying("Hello"));
    const auto backend = make(slow.loader());
    Answer gone = start(*backend, ask("1"));
    const Answer stays = start(*backend, ask("2"));
    gone.stream.reset();
    EXPECT_EQ(gone.events->end().finish, ChatFinish::kCancelled);
    EXPECT_TRUE(stays.events->wait_until([](const ChatEvent& event) {
        const auto* queued = std::get_if<chat_event::Queued>(&event);
        return queued != nullptr && queued->position == 0;
    }));
    slow.open = true;
    EXPECT_EQ(stays.events->end().finish, ChatFinish::kStop);
}

TEST(LocalBackend, AFailedLoadEndsWhatWasHeldAndSaysWhy) {
    SlowLoader slow(fail(ErrorCode::kNotFound, "no file at x.gguf"));
    const auto backend = make(slow.loader());
    const Answer answer = start(*backend, ask("1"));
    slow.open = true;
    const chat_event::End end = answer.events->end();
    EXPECT_EQ(end.finish, ChatFinish::kError);
    EXPECT_EQ(end.error, (Error{ErrorCode::kUnavailable, "no file at x.gguf"}));
    EXPECT_EQ(backend->health().state, HealthState::kFailed);
    EXPECT_EQ(backend->health().detail, "no file at x.gguf");
    EXPECT_EQ(backend->start(ask("2"), [](ChatEvent) {}).error(), *end.error);
    EXPECT_FALSE(backend->count_tokens(ask("2")));
}

TEST(LocalBackend, AnExceptionWhileLoadingIsAFailure) {
    const auto backend = make([](const auto&) -> Result<std::shared_ptr<const ml::Model>> {
        throw std::runtime_error("boom");
    });
    while (backend->health().state == HealthState::kLoading)
        std::this_thread::sleep_for(milliseconds(1));
    EXPECT_EQ(backend->health().state, HealthState::kFailed);
    EXPECT_NE(backend->health().detail.find("boom"), std::string::npos);
}

TEST(LocalBackend, ABrokenTemplateIsAFailure) {
    const auto model = saying("x");
    model->chat_template_text = "{% if %}";
    const auto backend = make(ready(model));
    while (backend->health().state == HealthState::kLoading)
        std::this_thread::sleep_for(milliseconds(1));
    EXPECT_TRUE(backend->health().detail.starts_with(model->path().string() +
                                                     ": tokenizer.chat_template: "))
        << backend->health().detail;
}

TEST(LocalBackend, DestructionStopsLoadingAndEndsEverything) {
    SlowLoader slow(saying("Hello"));
    Answer answer;
    {
        const auto backend = make(slow.loader());
        answer = start(*backend, ask("1"));
    }
    ASSERT_EQ(answer.events->all<chat_event::End>().size(), 1U);
    EXPECT_EQ(answer.events->end().finish, ChatFinish::kCancelled);
    answer.stream->cancel();
}

/// Never ends by itself, 1 ms per token.
std::shared_ptr<FakeModel> endless() {
    auto model = std::make_shared<FakeModel>([](auto, auto) { return ml::TokenId{'a'}; });
    model->before_forward = [](std::size_t) { std::this_thread::sleep_for(milliseconds(1)); };
    return model;
}

TEST(LocalBackend, CancelDuringDecodeKeepsThePartialText) {
    const auto backend = make(ready(endless()));
    wait_ready(*backend);
    Answer answer = start(*backend, ask("hi"));
    ASSERT_TRUE(answer.events->wait_for<chat_event::Text>());
    answer.stream.reset();
    EXPECT_EQ(answer.events->end().finish, ChatFinish::kCancelled);
    EXPECT_FALSE(answer.events->text().empty());
}

TEST(LocalBackend, CancelWhileQueuedBehindAnother) {
    const auto backend = make(ready(endless()));
    wait_ready(*backend);
    const Answer running = start(*backend, ask("hi"));
    ASSERT_TRUE(running.events->wait_for<chat_event::Text>());
    Answer queued = start(*backend, ask("ho"));
    queued.stream->cancel();
    EXPECT_EQ(queued.events->end().finish, ChatFinish::kCancelled);
    EXPECT_TRUE(running.events->all<chat_event::End>().empty());
}

TEST(LocalBackend, DestructionEndsWhatRuns) {
    Answer running;
    Answer queued;
    {
        const auto backend = make(ready(endless()));
        wait_ready(*backend);
        running = start(*backend, ask("hi"));
        queued = start(*backend, ask("ho"));
        ASSERT_TRUE(running.events->wait_for<chat_event::Text>());
    }
    for (const Answer* answer : {&running, &queued}) {
        ASSERT_EQ(answer->events->all<chat_event::End>().size(), 1U);
        EXPECT_EQ(answer->events->end().finish, ChatFinish::kCancelled);
    }
}

TEST(LocalBackend, AMissingFileFailsWithItsPath) {
    const auto backend = make_local_backend({.model = "/nowhere/at-all.gguf"});
    while (backend->health().state == HealthState::kLoading)
        std::this_thread::sleep_for(milliseconds(1));
    EXPECT_EQ(backend->info().id, "at-all");
    EXPECT_NE(backend->health().detail.find("/nowhere/at-all.gguf"), std::string::npos);
}

}  // namespace
}  // namespace notso::services
