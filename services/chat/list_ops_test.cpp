// Searching, pinning and deleting with undo, as the list of conversations offers them.
#include "services/chat/chat_fixture.hpp"

namespace notso::services {
namespace {

class ListOps : public ChatFixture {
  protected:
    Result<std::vector<SearchHit>> search(std::string query) {
        return await<std::vector<SearchHit>>(
            [&](auto done) { chat_->search(kOwner, std::move(query), std::move(done)); });
    }
    Result<Conversation> restore(const ConversationId& id) {
        return await<Conversation>(
            [&](auto done) { chat_->restore({kOwner, id}, std::move(done)); });
    }
    std::vector<Conversation> listed() {
        return *await<std::vector<Conversation>>(
            [&](auto done) { chat_->list_conversations(kOwner, std::move(done)); });
    }
    template <class T>
    static ErrorCode code_of(const Result<T>& result) {
        EXPECT_FALSE(result) << "succeeded where an error was due";
        return result ? ErrorCode::kInternal : result.error().code;
    }
    void restart_with_undo(std::int64_t undo_ms) {
        chat_.reset();
        chat_ = ChatService::create({.backend = backend_,
                                     .store = *store_,
                                     .io = loop_,
                                     .database = *database_,
                                     .compute = *compute_,
                                     .undo_ms = undo_ms});
    }
};

TEST_F(ListOps, FindsAnswersAndTitlesAndBoundsTheQuery) {
    const ConversationId id = new_conversation().id;
    ask(id, "Where is Rome?", "On seven hills.", 0);
    EXPECT_EQ(search("  seven HILLS ")->size(), 1u);
    EXPECT_EQ(search("rome")->size(), 2u) << "the title is made from the question";
    EXPECT_TRUE(search(" \n ")->empty());
    std::string longest;
    for (int i = 0; i < 400; ++i) longest += "ü";
    EXPECT_TRUE(search(longest)->empty());
    EXPECT_EQ(code_of(search(longest + "x")), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_of(search("\xFF")), ErrorCode::kInvalidArgument);
}

TEST_F(ListOps, ArchivesAndBringsBack) {
    const ConversationId id = new_conversation().id;
    const auto archived = [&] {
        return *await<std::vector<Conversation>>(
            [&](auto done) { chat_->list_archived(kOwner, std::move(done)); });
    };
    for (const bool on : {true, false}) {
        const auto changed = await<Conversation>(
            [&](auto done) { chat_->set_archived({kOwner, id}, on, std::move(done)); });
        EXPECT_EQ(changed->archived, on);
        EXPECT_EQ(listed().empty(), on);
        EXPECT_EQ(archived().empty(), !on);
    }
}

TEST_F(ListOps, PinsAndUnpins) {
    const ConversationId id = new_conversation().id;
    for (const bool on : {true, false}) {
        const auto changed = await<Conversation>(
            [&](auto done) { chat_->set_pinned({kOwner, id}, on, std::move(done)); });
        EXPECT_EQ(changed->pinned, on);
        EXPECT_EQ(listed().front().pinned, on);
    }
    EXPECT_EQ(code_of(await<Conversation>([&](auto done) {
                  chat_->set_pinned({kOwner, {"nobody"}}, true, std::move(done));
              })),
              ErrorCode::kNotFound);
}

TEST_F(ListOps, WhatWasRemovedCanBeRestored) {
    const ConversationId id = new_conversation().id;
    ask(id, "Where is Rome?", "On seven hills.", 0);
    ASSERT_TRUE(remove(id));
    EXPECT_EQ(code_of(open(id)), ErrorCode::kNotFound);
    EXPECT_EQ(code_of(send(id, "more")), ErrorCode::kNotFound);
    EXPECT_EQ(code_of(remove(id)), ErrorCode::kNotFound);
    EXPECT_TRUE(listed().empty());
    EXPECT_TRUE(search("rome")->empty());
    EXPECT_EQ(restore(id)->id, id);
    EXPECT_EQ(open(id)->messages.size(), 2u);
    EXPECT_EQ(code_of(restore(id)), ErrorCode::kNotFound);
}

TEST_F(ListOps, ARunningAnswerIsStoppedAndKeptForTheUndo) {
    const ConversationId id = new_conversation().id;
    const auto sent = send(id, "Where is Rome?");
    const auto call = backend_.call(0);
    backend_.emit(call, {chat_event::Text{"On seven"}});
    wait_text(sent->feed, "On seven");
    ASSERT_TRUE(remove(id));
    wait_cancelled(*call);
    ASSERT_TRUE(restore(id));
    EXPECT_EQ(stored(id, sent->answer.id).text, "On seven");
    EXPECT_EQ(stored(id, sent->answer.id).state, MessageState::kStopped);
}

TEST_F(ListOps, ItIsGoneForGoodAfterTheTime) {
    restart_with_undo(1);
    const ConversationId first = new_conversation().id;
    const ConversationId second = new_conversation().id;
    for (const ConversationId& id : {first, second}) {
        ASSERT_TRUE(remove(id));
        Result<std::vector<TrashedConversation>> trash;
        do {
            trash = await<std::vector<TrashedConversation>>([&](auto done) {
                database_->post([this, done = std::move(done)]() mutable {
                    loop_.post([trash = store_->trashed_conversations(),
                                done = std::move(done)]() mutable { done(std::move(trash)); });
                });
            });
        } while (!trash->empty());
        EXPECT_EQ(code_of(restore(id)), ErrorCode::kNotFound);
    }
}

TEST_F(ListOps, TheNextStartEmptiesTheTrash) {
    const ConversationId id = new_conversation().id;
    const ConversationId kept = new_conversation().id;
    ASSERT_TRUE(remove(id));
    restart();
    EXPECT_EQ(listed().size(), 1u);
    EXPECT_EQ(code_of(restore(id)), ErrorCode::kNotFound);
    EXPECT_TRUE(open(kept));
}

TEST_F(ListOps, ErasedOnesDoNotComeBack) {
    const ConversationId id = new_conversation().id;
    ASSERT_TRUE(await<void>([&](auto done) { chat_->erase({kOwner, id}, std::move(done)); }));
    EXPECT_EQ(code_of(restore(id)), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace notso::services
