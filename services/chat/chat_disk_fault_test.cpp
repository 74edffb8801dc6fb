// A chat while the disk fails at the Nth write, sync, open…: what was acknowledged is stored, once
// and as it was; the rest is refused with a reason; the service lives and goes on when it can.
#include <gtest/gtest.h>

#include <map>

#include "base/serial_worker.hpp"
#include "services/backend/stub.hpp"
#include "services/chat/chat_service.hpp"
#include "services/session/data_directory.hpp"
#include "services/session/faulty_disk.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

const OwnerId kOwner = local_owner();

/// Everything that one process of the server has.
struct Process {
    explicit Process(const std::filesystem::path& path)
        : directory(*DataDirectory::open(path)), store(*directory.open_store()) {}

    template <class T, class Start>
    Result<T> await(Start start) {
        std::optional<Result<T>> result;
        start(Completion<T>([&result](Result<T> value) { result.emplace(std::move(value)); }));
        loop.run_until([&result] { return result.has_value(); });
        return *std::move(result);
    }

    RunLoop loop;
    DataDirectory directory;
    std::unique_ptr<SqliteStore> store;
    std::unique_ptr<ChatBackend> backend =
        make_stub_backend({.word_delay = std::chrono::milliseconds(0)});
    SerialWorker database{"test-db"};
    SerialWorker compute{"test-compute"};
    std::unique_ptr<ChatService> chat = ChatService::create({.backend = *backend,
                                                             .store = *store,
                                                             .io = loop,
                                                             .database = database,
                                                             .compute = compute});
};

class ChatDiskFaults : public testing::TestWithParam<FaultLength> {
  protected:
    /// Sends a message and waits for its answer; what was acknowledged goes into the ledger.
    void say(Process& process, const ConversationKey& key, std::string text) {
        const auto sent = process.await<SentMessage>([&](auto done) {
            process.chat->send({.conversation = key, .text = text}, std::move(done));
        });
        if (!sent) {
            EXPECT_FALSE(sent.error().detail.empty());
            return;
        }
        acknowledged_[sent->user.id.value] = text;
        process.loop.run_until([&] { return sent->feed->ended(); });
        const Message& end = *sent->feed->snapshot().ended;
        if (end.state == MessageState::kComplete) {
            acknowledged_[end.id.value] = end.text;
        } else {
            EXPECT_TRUE(end.error.contains("could not be saved")) << end.error;
        }
    }
    void expect_acknowledged(SqliteStore& store, const ConversationKey& key) {
        std::map<std::string, int> seen;
        const auto messages = *store.messages(key);
        for (const Message& message : messages) {
            ++seen[message.id.value];
            const auto said = acknowledged_.find(message.id.value);
            if (said == acknowledged_.end()) continue;
            EXPECT_EQ(message.text, said->second);
        }
        for (const auto& [id, text] : acknowledged_) EXPECT_EQ(seen[id], 1) << text;
        EXPECT_TRUE(store.check_integrity());
    }

    const TempDirectory temp_;
    FaultyDisk disk_;
    std::map<std::string, std::string> acknowledged_;  // text by message
};

TEST_P(ChatDiskFaults, WhatWasAcknowledgedIsStored) {
    bool failed = true;
    for (std::int64_t n = 1; failed && !HasFailure(); ++n) {
        SCOPED_TRACE(n);
        acknowledged_.clear();
        const auto folder = temp_.path() / std::to_string(n);
        auto process = std::make_unique<Process>(folder);
        const auto conversation = process->await<Conversation>(
            [&](auto done) { process->chat->create_conversation(kOwner, std::move(done)); });
        ASSERT_TRUE(conversation);
        disk_.fail_at(n, DiskFault::kFull, GetParam());
        say(*process, conversation->key(), "one");
        say(*process, conversation->key(), "[long 20] two");
        failed = disk_.has_failed();
        disk_.heal();
        const std::size_t before = acknowledged_.size();
        say(*process, conversation->key(), "three");
        EXPECT_EQ(acknowledged_.size(), before + 2) << "it goes on without a restart";
        process.reset();
        process = std::make_unique<Process>(folder);
        process->chat.reset();
        process->database.stop();  // what it has to say about the last process is said
        expect_acknowledged(*process->store, conversation->key());
        process.reset();
        std::filesystem::remove_all(folder);
    }
}

INSTANTIATE_TEST_SUITE_P(Lengths,
                         ChatDiskFaults,
                         testing::Values(FaultLength::kOnce, FaultLength::kUntilHealed),
                         [](const auto& length) {
                             return length.param == FaultLength::kOnce ? "Once" : "UntilHealed";
                         });

}  // namespace
}  // namespace notso::services
