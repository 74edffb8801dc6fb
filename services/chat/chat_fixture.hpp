// ChatFixture: a ChatService with its threads, a store and a FakeBackend. The test's thread is the
// io thread.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/serial_worker.hpp"
#include "services/chat/chat_service.hpp"
#include "services/chat/fake_backend.hpp"
#include "services/session/memory_store.hpp"

namespace notso::services {

/// A store whose disk can be filled: writes fail while `full` is set.
class FlakyStore final : public MemoryStore {
  public:
    std::atomic<bool> full = false;
    std::atomic<std::size_t> piece_bytes = 0;  ///< Of the text that append_text() has stored.

    Result<> append_messages(const OwnerId& owner, const std::vector<Message>& messages) override {
        NOTSO_CHECK(disk());
        return MemoryStore::append_messages(owner, messages);
    }
    Result<> update_message(const Message& message) override {
        NOTSO_CHECK(disk());
        return MemoryStore::update_message(message);
    }
    Result<> put_tool_uses(const MessageId& id, const std::vector<ToolUse>& uses) override {
        NOTSO_CHECK(disk());
        return MemoryStore::put_tool_uses(id, uses);
    }
    Result<> append_text(const MessageId& id, const AnswerPiece& piece) override {
        NOTSO_CHECK(disk());
        NOTSO_CHECK(MemoryStore::append_text(id, piece));
        piece_bytes += piece.text.size();
        return {};
    }

  private:
    Result<> disk() const {
        if (full) return fail(ErrorCode::kIo, "the disk is full");
        return {};
    }
};

class ChatFixture : public testing::Test {
  protected:
    inline static const OwnerId kOwner = local_owner();

    /// Runs the io loop until the asynchronous call has completed.
    template <class T, class Start>
    Result<T> await(Start start) {
        std::optional<Result<T>> result;
        start(Completion<T>([&result](Result<T> value) { result.emplace(std::move(value)); }));
        loop_.run_until([&result] { return result.has_value(); });
        return *std::move(result);
    }

    Conversation new_conversation() {
        return *await<Conversation>(
            [this](auto done) { chat_->create_conversation(kOwner, std::move(done)); });
    }
    Result<SentMessage> send(const ConversationId& id,
                             std::string text,
                             std::string client_id = {}) {
        return send(SendRequest{.conversation = {kOwner, id},
                                .text = std::move(text),
                                .client_id = std::move(client_id)});
    }
    Result<SentMessage> send(SendRequest request) {
        return await<SentMessage>(
            [&](auto done) { chat_->send(std::move(request), std::move(done)); });
    }
    Result<> stop(const ConversationId& id) {
        return await<void>([&](auto done) { chat_->stop({kOwner, id}, std::move(done)); });
    }
    Result<ConversationView> open(const ConversationId& id) {
        return await<ConversationView>(
            [&](auto done) { chat_->open({kOwner, id}, std::move(done)); });
    }
    Result<> clear(const ConversationId& id) {
        return await<void>([&](auto done) { chat_->clear({kOwner, id}, std::move(done)); });
    }
    Result<> remove(const ConversationId& id) {
        return await<void>([&](auto done) { chat_->remove({kOwner, id}, std::move(done)); });
    }
    /// Sends a message and lets the nth call (0-based) of the backend answer it.
    Message ask(const ConversationId& id, std::string question, std::string answer, std::size_t n) {
        const auto sent = send(id, std::move(question));
        EXPECT_TRUE(sent) << sent.error().detail;
        backend_.emit(backend_.call(n), {chat_event::Text{std::move(answer)}, chat_event::End{}});
        return wait_end(sent->feed);
    }
    /// Runs the loop until the turn has ended; its last message.
    Message wait_end(const std::shared_ptr<TurnFeed>& feed) {
        loop_.run_until([&] { return feed->ended(); });
        return *feed->snapshot().ended;
    }
    /// Runs the loop until the backend was told to give up that call.
    void wait_cancelled(FakeBackend::Call& call) {
        loop_.run_until([&] {
            const std::lock_guard lock(call.mutex);
            return call.cancelled;
        });
    }
    /// Runs the loop until what was posted to the compute thread so far has come back.
    void wait_compute() {
        bool back = false;
        compute_->post([this, &back] { loop_.post([&back] { back = true; }); });
        loop_.run_until([&back] { return back; });
    }
    void wait_text(const std::shared_ptr<TurnFeed>& feed, std::string_view text) {
        loop_.run_until([&] { return feed->snapshot().text == text; });
    }
    /// Ends the service and makes another one on the same store, as a restart does.
    void restart() {
        chat_.reset();
        chat_ = make_service();
    }
    std::unique_ptr<ChatService> make_service() {
        return ChatService::create({.backend = backend_,
                                    .store = *store_,
                                    .io = loop_,
                                    .database = *database_,
                                    .compute = *compute_,
                                    .background = background_,
                                    .thinking_budget = thinking_budget_});
    }
    Message stored(const ConversationId& id, const MessageId& message) {
        const auto all = open(id);
        for (const Message& other : all->messages) {
            if (other.id == message) return other;
        }
        ADD_FAILURE() << "message is not stored";
        return {.id = {}, .conversation = {}, .text = {}};
    }

    bool background_ = false;           ///< Of services made from now on.
    std::int64_t thinking_budget_ = 0;  ///< The same.
    RunLoop loop_;
    std::unique_ptr<FlakyStore> store_ = std::make_unique<FlakyStore>();
    FakeBackend backend_;
    std::unique_ptr<SerialWorker> database_ = std::make_unique<SerialWorker>("test-db");
    std::unique_ptr<SerialWorker> compute_ = std::make_unique<SerialWorker>("test-compute");
    std::unique_ptr<ChatService> chat_ = make_service();
};

}  // namespace notso::services
