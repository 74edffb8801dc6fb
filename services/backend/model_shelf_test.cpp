// The shelf: who is loaded, who has to go, who waits, and that no answer is ever lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "services/backend/model_shelf_harness.hpp"

namespace notso::services {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

TEST_F(ShelfTest, TheDefaultIsLoadedAtOnceAndAnswersWithoutAName) {
    open();
    EXPECT_THAT(loaded(), ElementsAre("a"));
    const Answer answer = ask("", "one");
    finish("one");
    EXPECT_EQ(answer.events->end().finish, ChatFinish::kStop);
    EXPECT_EQ(answer.events->text(), "one");
    EXPECT_THAT(world.starts, ElementsAre("a:one"));
    EXPECT_EQ(shelf->info().context_length, 111) << "of the loaded model";
}

TEST_F(ShelfTest, AnotherIsLoadedWhenItIsAskedForBesideTheFirst) {
    open();
    const Answer one = ask("a", "one");
    const Answer two = ask("b", "two");
    ASSERT_TRUE(wait_started("two"));
    EXPECT_THAT(loaded(), UnorderedElementsAre("a", "b"));
    finish("two");
    finish("one");
    EXPECT_EQ(one.events->text(), "one");
    EXPECT_EQ(two.events->text(), "two");
    EXPECT_FALSE(two.events->all<chat_event::End>().empty());
}

TEST_F(ShelfTest, TheLeastUsedGoesWhenRoomIsNeeded) {
    open();
    for (const char* id : {"a", "b", "a"}) {
        const std::string text = std::string("first ") + id;
        const Answer answer = ask(id, text);
        ASSERT_TRUE(wait_started(text));
        finish(text);
        EXPECT_EQ(answer.events->end().finish, ChatFinish::kStop);
    }
    const Answer answer = ask("c", "three");
    ASSERT_TRUE(wait_started("three"));
    EXPECT_THAT(loaded(), UnorderedElementsAre("a", "c")) << "b was used before a";
}

TEST_F(ShelfTest, ARunningAnswerKeepsItsModelAndTheOtherWaitsVisibly) {
    options.budget_bytes = 50;
    open();
    Answer one = ask("a", "one");
    const Answer two = ask("b", "two");
    ASSERT_TRUE(two.events->wait_until([](const ChatEvent& event) {
        const auto* queued = std::get_if<chat_event::Queued>(&event);
        return queued != nullptr && queued->position == 1;
    })) << "one answer is ahead";
    EXPECT_EQ(shelf->health().waiting, 1);
    EXPECT_THAT(loaded(), ElementsAre("a"));
    finish("one");
    ASSERT_TRUE(wait_started("two"));
    EXPECT_THAT(loaded(), ElementsAre("b"));
    finish("two");
    EXPECT_EQ(one.events->text(), "one");
    EXPECT_EQ(two.events->end().finish, ChatFinish::kStop);
    EXPECT_EQ(world.lost, 0);
}

TEST_F(ShelfTest, BackgroundWorkGivesUpItsRoomAndLoadsNothing) {
    options.budget_bytes = 50;
    open();
    ChatRequest aside = request("a", "aside");
    aside.priority = ChatPriority::kBackground;
    const auto events = EventRecorder::create();
    const auto stream = shelf->start(aside, events->handler());
    ASSERT_TRUE(stream);
    const Answer two = ask("b", "two");
    ASSERT_TRUE(wait_started("two"));
    EXPECT_EQ(events->end().finish, ChatFinish::kCancelled);
    EXPECT_EQ(world.lost, 0) << "it was cancelled before its model went";
    const auto refused = shelf->start(aside, [](ChatEvent) {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
    finish("two");
    EXPECT_THAT(world.loads, ElementsAre("a", "b"));
}

TEST_F(ShelfTest, ManyForOneModelDontStarveAnother) {
    options.budget_bytes = 50;
    open();
    const Answer one = ask("a", "one");
    const Answer two = ask("b", "two");
    const Answer three = ask("a", "three");
    EXPECT_TRUE(three.events->wait_for<chat_event::Queued>()) << "it came after the one for b";
    finish("one");
    ASSERT_TRUE(wait_started("two"));
    finish("two");
    ASSERT_TRUE(wait_started("three"));
    finish("three");
    EXPECT_EQ(three.events->end().finish, ChatFinish::kStop);
    EXPECT_THAT(world.starts, ElementsAre("a:one", "b:two", "a:three"));
}

TEST_F(ShelfTest, NoMoreModelsThanAllowed) {
    options.max_loaded = 1;
    open();
    const Answer answer = ask("b", "one");
    ASSERT_TRUE(wait_started("one"));
    EXPECT_THAT(loaded(), ElementsAre("b"));
}

TEST_F(ShelfTest, FreeMemoryOfTheMachineCounts) {
    available = 39;
    open();
    const Answer answer = ask("b", "one");
    ASSERT_TRUE(wait_started("one"));
    EXPECT_THAT(loaded(), ElementsAre("b")) << "alone it is tried all the same";
}

TEST_F(ShelfTest, UnusedForLongMeansUnloadedAndLoadedAgainWhenAskedFor) {
    options.idle_unload = milliseconds(5);
    open();
    const Answer one = ask("a", "one");
    finish("one");
    ASSERT_TRUE(wait([&] { return world.loaded.empty(); }));
    EXPECT_EQ(shelf->health().state, HealthState::kReady) << "who writes is answered";
    EXPECT_EQ(shelf->info().context_length, 111) << "what loading told stays known";
    EXPECT_EQ(shelf->models().front().place, ModelPlace::kOnDisk);
    EXPECT_EQ(shelf->count_tokens(request("", "x")), 42) << "without the weights";
    const Answer two = ask("a", "two");
    ASSERT_TRUE(wait_started("two"));
    EXPECT_EQ(shelf->count_tokens(request("", "x")), 7);
    std::this_thread::sleep_for(milliseconds(20));
    EXPECT_THAT(loaded(), ElementsAre("a")) << "a running answer keeps it";
    finish("two");
    EXPECT_EQ(two.events->end().finish, ChatFinish::kStop);
}

TEST_F(ShelfTest, AModelThatIsStillLoadingIsNotIdle) {
    options.idle_unload = milliseconds(2);
    world.loading = {"a"};
    open();
    std::this_thread::sleep_for(milliseconds(20));
    EXPECT_THAT(loaded(), ElementsAre("a"));
    EXPECT_EQ(shelf->models().front().place, ModelPlace::kLoading);
    EXPECT_EQ(shelf->health().state, HealthState::kLoading);
}

TEST_F(ShelfTest, ShortMemoryMakesUnusedModelsGo) {
    options.low_bytes = 100;
    open();
    const Answer one = ask("a", "one");
    const Answer two = ask("b", "two");
    ASSERT_TRUE(wait_started("two"));
    finish("two");
    available = 99;
    ASSERT_TRUE(wait([&] { return world.loaded.size() == 1; }));
    EXPECT_THAT(loaded(), ElementsAre("a")) << "its answer runs";
    finish("one");
    ASSERT_TRUE(wait([&] { return world.loaded.empty(); }));
    EXPECT_EQ(world.lost, 0);
}

TEST_F(ShelfTest, CancellingWhatWaitsEndsItAndLetsTheRestMoveUp) {
    options.budget_bytes = 50;
    open();
    const Answer one = ask("a", "one");
    Answer two = ask("b", "two");
    Answer three = ask("c", "three");
    const Answer four = ask("a", "four");
    two.stream->cancel();
    EXPECT_EQ(two.events->end().finish, ChatFinish::kCancelled);
    three.stream.reset();
    EXPECT_EQ(three.events->end().finish, ChatFinish::kCancelled);
    ASSERT_TRUE(wait_started("four")) << "nothing is in its way any more";
    one.stream->cancel();
    EXPECT_EQ(one.events->end().finish, ChatFinish::kCancelled);
    finish("four");
    EXPECT_THAT(world.loads, ElementsAre("a"));
}

TEST_F(ShelfTest, TooManyThatWaitAreTurnedAway) {
    options.budget_bytes = 50;
    options.max_waiting = 1;
    open();
    const Answer one = ask("a", "one");
    const Answer two = ask("b", "two");
    const auto three = shelf->start(request("b", "three"), [](ChatEvent) {});
    ASSERT_FALSE(three);
    EXPECT_EQ(three.error().code, ErrorCode::kOverloaded);
}

TEST_F(ShelfTest, AModelThatCantBeLoadedSaysSoAndIsTriedAgainLater) {
    world.failing = {"b"};
    options.retry_after = std::chrono::hours(1);
    open();
    const Answer one = ask("b", "one");
    const chat_event::End end = one.events->end();
    EXPECT_EQ(end.finish, ChatFinish::kError);
    EXPECT_THAT(end.error->detail, HasSubstr("b is broken"));
    ASSERT_TRUE(wait([&] { return !world.loaded.contains("b"); })) << "it takes no room";
    EXPECT_THAT(shelf->start(request("b", "two"), [](ChatEvent) {}).error().detail,
                HasSubstr("b is broken"));
    EXPECT_EQ(shelf->models()[1].place, ModelPlace::kFailed);
    EXPECT_EQ(shelf->health().state, HealthState::kReady) << "the default is well";
}

TEST_F(ShelfTest, ADefaultThatCantBeLoadedIsSeenAndTriedAgain) {
    world.failing = {"a"};
    options.retry_after = milliseconds(0);
    open();
    EXPECT_EQ(shelf->health().state, HealthState::kFailed);
    ASSERT_TRUE(wait([&] { return world.loaded.empty(); }));
    EXPECT_EQ(shelf->health().state, HealthState::kFailed);
    EXPECT_THAT(shelf->health().detail, HasSubstr("a is broken"));
    {
        const std::lock_guard lock(world.mutex);
        world.failing.clear();
    }
    const Answer two = ask("", "two");
    ASSERT_TRUE(wait_started("two"));
    EXPECT_EQ(shelf->health().state, HealthState::kReady);
}

TEST_F(ShelfTest, NamesAreChecked) {
    open();
    EXPECT_EQ(shelf->find_model("b")->id, "b");
    EXPECT_EQ(shelf->find_model("")->id, "a");
    const auto unknown = shelf->find_model("x\n");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
    EXPECT_THAT(unknown.error().detail, HasSubstr("these are installed: a, b, c"));
    EXPECT_FALSE(shelf->start(request("x", "one"), [](ChatEvent) {}));
    EXPECT_FALSE(shelf->count_tokens(request("x", "one")));
}

TEST_F(ShelfTest, ASingleModelAnswersToEveryName) {
    list.models.resize(1);
    open();
    EXPECT_EQ(shelf->find_model("gpt-4o")->id, "a");
    const Answer answer = ask("gpt-4o", "one");
    finish("one");
    EXPECT_EQ(answer.events->end().finish, ChatFinish::kStop);
}

TEST_F(ShelfTest, WithoutAnyModelItSaysWhyAndANewOneIsFound) {
    const ShelfList full = std::exchange(list, {.problem = "no model in models"});
    open();
    EXPECT_EQ(shelf->health().state, HealthState::kFailed);
    EXPECT_EQ(shelf->health().detail, "no model in models");
    EXPECT_EQ(shelf->start(request("", "x"), [](ChatEvent) {}).error().detail,
              "no model in models");
    EXPECT_EQ(shelf->info().id, "none");
    {
        const std::lock_guard lock(world.mutex);
        list = full;
    }
    shelf->refresh();
    for (int i = 0; i < 10'000 && shelf->models().empty(); ++i)
        std::this_thread::sleep_for(milliseconds(1));
    EXPECT_EQ(shelf->health().state, HealthState::kReady);
    const Answer answer = ask("", "one");
    ASSERT_TRUE(wait_started("one"));
}

TEST_F(ShelfTest, AFileThatIsGoneIsNoLongerListed) {
    open();
    {
        const std::lock_guard lock(world.mutex);
        list.models.resize(2);
    }
    shelf->refresh();
    for (int i = 0; i < 10'000 && shelf->models().size() > 2; ++i)
        std::this_thread::sleep_for(milliseconds(1));
    EXPECT_FALSE(shelf->find_model("c"));
}

TEST_F(ShelfTest, TheEndOfTheShelfEndsEverything) {
    options.budget_bytes = 50;
    open();
    const Answer running = ask("a", "one");
    const Answer waiting = ask("b", "two");
    shelf.reset();
    EXPECT_EQ(running.events->end().finish, ChatFinish::kCancelled);
    EXPECT_EQ(waiting.events->end().finish, ChatFinish::kCancelled);
    EXPECT_EQ(running.events->all<chat_event::End>().size(), 1U);
    waiting.stream->cancel();
}

/// Threads ask for models at random, cancel some; room is for one. Whatever happens, each gets one
/// End and no model goes away under its answer.
TEST_F(ShelfTest, NothingIsLostInACrowd) {
    options.budget_bytes = 50;
    options.idle_unload = milliseconds(1);
    open();
    std::atomic<bool> done = false;
    std::thread answering([&] {
        while (!done) {
            std::string text;
            {
                std::unique_lock lock(world.mutex);
                world.changed.wait_for(lock, milliseconds(1));
                if (!world.running.empty()) text = world.running.begin()->first;
            }
            ChatEventHandler handler;
            {
                const std::lock_guard lock(world.mutex);
                const auto found = world.running.find(text);
                if (found == world.running.end()) continue;
                handler = std::move(found->second);
                world.running.erase(found);
            }
            handler(chat_event::End{});
        }
    });
    std::vector<std::thread> crowd;
    for (int person = 0; person < 4; ++person) {
        crowd.emplace_back([this, person] {
            for (int i = 0; i < 40; ++i) {
                const char* id = (person + i) % 3 == 0 ? "a" : (person + i) % 3 == 1 ? "b" : "c";
                Answer answer = ask(id, fmt::format("{} {}", person, i));
                if (i % 5 == 4) answer.stream->cancel();
                answer.events->end();
                EXPECT_EQ(answer.events->all<chat_event::End>().size(), 1U);
            }
        });
    }
    for (std::thread& person : crowd) person.join();
    done = true;
    answering.join();
    EXPECT_EQ(world.lost, 0);
}

}  // namespace
}  // namespace notso::services
