// The disk fails at the Nth write, sync, open… for every N until nothing is left to fail: each
// refused call says so and leaves nothing, each accepted one is there, whatever came between.
#include <gtest/gtest.h>

#include <functional>

#include "base/random.hpp"
#include "services/session/data_directory.hpp"
#include "services/session/faulty_disk.hpp"
#include "services/session/memory_store.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

const OwnerId kOwner = local_owner();

/// A step of what a server does, on any store.
using Step = std::function<Result<>(SessionStore&)>;

template <class T>
Result<> outcome(const Result<T>& result) {
    if (!result) return std::unexpected(result.error());
    return {};
}

/// What a person does in a while: two conversations, an answer with a tool, edits, deletions.
class Scenario {
  public:
    Scenario() {
        for (const Conversation* conversation : {&first_, &second_})
            add([=](SessionStore& to) { return to.create_conversation(*conversation); });
        add([=, this](SessionStore& to) {
            return to.append_messages(kOwner, {question_, answer_});
        });
        for (const char* piece : {"The ", "answer ", "is "})
            add([=, this](SessionStore& to) { return to.append_text(answer_.id, {"hm", piece}); });
        add([this](SessionStore& to) {
            return to.put_tool_uses(answer_.id, {{.id = "call-1", .name = "t", .arguments = "{}"}});
        });
        add([this](SessionStore& to) {
            Message whole = answer_;
            whole.state = MessageState::kComplete;
            whole.text = "The answer is " + std::string(5000, 'x');
            return to.update_message(whole);
        });
        add([this](SessionStore& to) { return outcome(to.add_note(first_.key(), "milk")); });
        add([](SessionStore& to) { return to.allow_tool(kOwner, "web"); });
        add([this](SessionStore& to) {
            return to.append_messages(kOwner, {other_question_, other_answer_});
        });
        add([this](SessionStore& to) { return to.trash_conversation(second_.key(), 1); });
        add([this](SessionStore& to) { return to.restore_conversation(second_.key()); });
        add([this](SessionStore& to) {
            return to.delete_messages(second_.key(), {other_answer_.id});
        });
        add([this](SessionStore& to) {
            Conversation renamed = second_;
            renamed.title = "renamed";
            return to.update_conversation(renamed);
        });
        add([this](SessionStore& to) { return to.clear_messages(second_.key()); });
        add([this](SessionStore& to) { return to.delete_conversation(first_.key()); });
    }

    const std::vector<Step>& steps() const { return steps_; }
    /// All that can be read, as text.
    std::string read(SessionStore& store) const {
        std::string all;
        for (const Conversation* one : {&first_, &second_}) {
            const auto conversation = store.conversation(one->key());
            all += conversation ? conversation->title + " leaf " + conversation->leaf.value + "\n"
                                : std::string("gone\n");
            for (const Message& message :
                 store.messages(one->key()).value_or(std::vector<Message>{})) {
                all += fmt::format("{} {} {} {} {} tools {}\n",
                                   message.id.value,
                                   message.parent.value_or(MessageId{}).value,
                                   static_cast<int>(message.state),
                                   message.thinking,
                                   message.text,
                                   message.tool_uses.size());
            }
            for (const StoredNote& note :
                 store.notes(one->key()).value_or(std::vector<StoredNote>{}))
                all += note.text;
        }
        const auto tools = store.allowed_tools(kOwner).value_or(std::vector<std::string>{});
        for (const std::string& tool : tools) all += tool;
        all += fmt::format(" found {} amount {} trash {}",
                           store.search(kOwner, "the answer", 10)->size(),
                           store.stored_amount(kOwner)->conversations,
                           store.trashed_conversations()->size());
        return all;
    }

  private:
    void add(Step step) { steps_.push_back(std::move(step)); }
    static Message message(const Conversation& in, MessageRole role, std::string text) {
        return {.id = {random_id()}, .conversation = in.id, .role = role, .text = std::move(text)};
    }

    const Conversation first_{.id = {random_id()}, .title = "first", .owner = kOwner};
    const Conversation second_{.id = {random_id()}, .title = "second", .owner = kOwner};
    const Message question_ = message(first_, MessageRole::kUser, "What is the answer?");
    const Message answer_ = [this] {
        Message answer = message(first_, MessageRole::kAssistant, "");
        answer.parent = question_.id;
        answer.state = MessageState::kRunning;
        return answer;
    }();
    const Message other_question_ = message(second_, MessageRole::kUser, "the answer again");
    const Message other_answer_ = message(second_, MessageRole::kAssistant, "no");
    std::vector<Step> steps_;
};

using Kind = std::tuple<DiskFault, FaultLength>;

class DiskFaults : public testing::TestWithParam<Kind> {
  protected:
    /// Clear: says what and which file.
    void expect_clear(const Error& error) {
        EXPECT_TRUE(error.detail.contains(folder_.string())) << error.detail;
        EXPECT_TRUE(error.code == ErrorCode::kIo || error.code == ErrorCode::kPermissionDenied ||
                    error.code == ErrorCode::kCorruptData)
            << error.detail;
    }
    std::unique_ptr<SqliteStore> open() {
        auto store = SqliteStore::open(folder_ / "notso.db");
        if (!store) {
            expect_clear(store.error());
            disk_.heal();
            store = SqliteStore::open(folder_ / "notso.db");
        }
        EXPECT_TRUE(store) << "it can be opened once the disk works again: "
                           << (store ? "" : store.error().detail);
        return store ? std::move(*store) : nullptr;
    }
    /// Everything that was accepted, twice: by the store and by its plain twin.
    void run(const Scenario& scenario, SessionStore& store, MemoryStore& twin) {
        for (const Step& step : scenario.steps()) {
            const bool possible = step(twin_of(twin)).has_value();
            const Result<> done = step(store);
            if (done) {
                EXPECT_TRUE(possible);
                EXPECT_TRUE(step(twin));
            } else if (possible) {
                expect_clear(done.error());
                EXPECT_TRUE(disk_.has_failed()) << done.error().detail;
            }
        }
    }
    static MemoryStore& twin_of(MemoryStore& twin) {
        static MemoryStore copy;
        copy = twin;
        return copy;
    }

    const TempDirectory temp_;
    std::filesystem::path folder_;
    FaultyDisk disk_;
};

TEST_P(DiskFaults, WhatIsAcceptedIsThereAndNothingElse) {
    const auto [fault, length] = GetParam();
    const auto made = temp_.path() / "made.db";
    ASSERT_TRUE(SqliteStore::open(made));
    std::int64_t n = 1;
    for (bool failed = true; failed && !HasFailure(); ++n) {
        SCOPED_TRACE(n);
        const Scenario scenario;
        folder_ = temp_.path() / std::to_string(n);
        std::filesystem::create_directory(folder_);
        MemoryStore twin;
        // A disk that stays broken lets nobody make a database: there it breaks later.
        if (length == FaultLength::kUntilHealed) std::filesystem::copy(made, folder_ / "notso.db");
        if (length == FaultLength::kOnce) disk_.fail_at(n, fault, length);
        {
            const auto store = open();
            if (length == FaultLength::kUntilHealed) disk_.fail_at(n, fault, length);
            ASSERT_NE(store, nullptr);
            run(scenario, *store, twin);
            failed = disk_.has_failed();
            disk_.heal();
            EXPECT_EQ(scenario.read(*store), scenario.read(twin)) << "as it runs on";
            EXPECT_TRUE(store->check_integrity());
            EXPECT_TRUE(*store->syncs_writes());
            const Conversation more{.id = {random_id()}, .title = "more", .owner = kOwner};
            EXPECT_TRUE(store->create_conversation(more)) << "without a restart";
            EXPECT_TRUE(store->delete_conversation(more.key()));
        }
        const auto again = open();
        ASSERT_NE(again, nullptr);
        EXPECT_EQ(scenario.read(*again), scenario.read(twin)) << "after a restart";
        EXPECT_TRUE(again->check_integrity());
        std::filesystem::remove_all(folder_);
    }
    EXPECT_GT(n, 50) << "the scenario does touch the disk";
}

std::string name_of(const testing::TestParamInfo<Kind>& kind) {
    constexpr const char* kFaults[] = {"Full", "Io", "Torn"};
    const bool once = std::get<FaultLength>(kind.param) == FaultLength::kOnce;
    return std::string(kFaults[static_cast<int>(std::get<DiskFault>(kind.param))]) +
           (once ? "Once" : "UntilHealed");
}

INSTANTIATE_TEST_SUITE_P(Kinds,
                         DiskFaults,
                         testing::Values(Kind{DiskFault::kFull, FaultLength::kOnce},
                                         Kind{DiskFault::kTorn, FaultLength::kOnce},
                                         Kind{DiskFault::kFull, FaultLength::kUntilHealed},
                                         Kind{DiskFault::kIo, FaultLength::kUntilHealed}),
                         name_of);

}  // namespace
}  // namespace notso::services
