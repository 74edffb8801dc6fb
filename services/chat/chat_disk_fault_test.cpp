// A chat while the disk fails at the Nth write, sync, open…: what was acknowledged is stored, once
// and as it was; the rest is refused with a reason; the service lives and goes on when it can.
#include <gtest/gtest.h>

#include <map>

#include "services/chat/server_process.hpp"
#include "services/session/faulty_disk.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

const OwnerId kOwner = local_owner();

class ChatDiskFaults : public testing::TestWithParam<FaultLength> {
  protected:
    /// Sends a message and waits for its answer; what was acknowledged goes into the ledger.
    void say(ServerProcess& process, const ConversationKey& key, std::string text) {
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
        auto process = std::make_unique<ServerProcess>(folder, std::chrono::milliseconds(0));
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
        process = std::make_unique<ServerProcess>(folder, std::chrono::milliseconds(0));
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
