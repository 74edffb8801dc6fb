// Files of messages: that part of SessionStore's contract, on both stores.
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "base/random.hpp"
#include "services/session/memory_store.hpp"
#include "services/session/sqlite_store.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

using namespace std::string_literals;

const OwnerId kOwner = local_owner();
const OwnerId kBert{"bert"};
const ConversationKey kNext(kOwner, {});  // the composer of the next conversation

struct StoreKind {
    const char* name;
    std::function<std::unique_ptr<SessionStore>(const std::filesystem::path& folder)> make;
};

class AttachmentContract : public testing::TestWithParam<StoreKind> {
  protected:
    Conversation add(const OwnerId& owner = kOwner) {
        const Conversation conversation{.id = {random_id()}, .title = "t", .owner = owner};
        EXPECT_TRUE(store_->create_conversation(conversation));
        return conversation;
    }
    static AttachedFile file_of(std::string_view bytes, std::optional<std::string_view> text) {
        return {.id = {random_id()},
                .name = "a.pdf",
                .media_type = "application/pdf",
                .bytes = std::ssize(bytes),
                .sha256 = std::string(64, 'a'),
                .text_bytes = std::ssize(text.value_or(bytes)),
                .text_is_file = !text,
                .created_at = 100};
    }
    /// A finished file. Without a text it is its own.
    AttachedFile attach(const ConversationKey& composer,
                        std::string_view bytes,
                        std::optional<std::string_view> text = {}) {
        const AttachedFile file = file_of(bytes, text);
        EXPECT_TRUE(store_->begin_attachment(composer, file));
        EXPECT_TRUE(store_->append_attachment(file.id, AttachmentPart::kFile, bytes));
        if (text) {
            EXPECT_TRUE(store_->append_attachment(file.id, AttachmentPart::kText, *text));
        }
        const auto finished = store_->finish_attachment(file.id);
        EXPECT_TRUE(finished) << finished.error().detail;
        return file;
    }
    Message say(const Conversation& conversation, std::vector<AttachedFile> files) {
        const Message message{.id = {random_id()},
                              .conversation = conversation.id,
                              .text = "said",
                              .files = std::move(files)};
        const auto added = store_->append_messages(conversation.owner, {message});
        EXPECT_TRUE(added) << added.error().detail;
        return message;
    }
    std::vector<AttachedFile> files_of(const Conversation& conversation, std::size_t i = 0) {
        const auto messages = store_->messages(conversation.key());
        EXPECT_TRUE(messages && messages->size() > i);
        return messages->at(i).files;
    }
    std::string read(const AttachedFile& file, AttachmentPart part = AttachmentPart::kFile) {
        const auto bytes = store_->read_attachment(file, part, 0, 1000);
        return bytes ? *bytes : bytes.error().detail;
    }
    bool is_gone(const AttachedFile& file) {
        const auto bytes = store_->read_attachment(file, AttachmentPart::kFile, 0, 1);
        return !bytes && bytes.error().code == ErrorCode::kNotFound;
    }

    const TempDirectory temp_;
    std::unique_ptr<SessionStore> store_ = GetParam().make(temp_.path());
};

using Files = std::vector<AttachedFile>;

TEST_P(AttachmentContract, AFileIsThereOnceItIsWhole) {
    const AttachedFile file = file_of("%PDF\0\xFF"s, "text");
    ASSERT_TRUE(store_->begin_attachment(kNext, file));
    EXPECT_EQ(store_->begin_attachment(kNext, file).error().code, ErrorCode::kAlreadyExists);
    EXPECT_EQ(*store_->composer_files(kNext), Files());
    EXPECT_FALSE(store_->attachment(kNext, file.id));
    EXPECT_EQ(store_->finish_attachment(file.id).error().code, ErrorCode::kCorruptData);
    ASSERT_TRUE(store_->append_attachment(file.id, AttachmentPart::kFile, "%PD"));
    ASSERT_TRUE(store_->append_attachment(file.id, AttachmentPart::kFile, "F\0\xFF"s));
    EXPECT_EQ(store_->finish_attachment(file.id).error().code, ErrorCode::kCorruptData);
    ASSERT_TRUE(store_->append_attachment(file.id, AttachmentPart::kText, "text"));
    ASSERT_TRUE(store_->finish_attachment(file.id));
    EXPECT_EQ(*store_->composer_files(kNext), Files{file});
    EXPECT_EQ(*store_->attachment(kNext, file.id), file);
    EXPECT_EQ(read(file), "%PDF\0\xFF"s);
    EXPECT_EQ(read(file, AttachmentPart::kText), "text");
    EXPECT_FALSE(store_->append_attachment(file.id, AttachmentPart::kFile, "more"));
    EXPECT_FALSE(store_->finish_attachment({"none"}));
    const AttachedFile given_up = file_of("x", {});
    ASSERT_TRUE(store_->begin_attachment(kNext, given_up));
    ASSERT_TRUE(store_->remove_attachment(kNext, given_up.id));
    EXPECT_FALSE(store_->append_attachment(given_up.id, AttachmentPart::kFile, "x"));
}

TEST_P(AttachmentContract, ItIsReadInAnyPieces) {
    const AttachedFile file = file_of("abcdefgh", {});
    ASSERT_TRUE(store_->begin_attachment(kNext, file));
    for (const char* piece : {"abc", "de", "fgh"})
        ASSERT_TRUE(store_->append_attachment(file.id, AttachmentPart::kFile, piece));
    ASSERT_TRUE(store_->finish_attachment(file.id));
    const std::string all = "abcdefgh";
    for (std::size_t begin = 0; begin <= 9; ++begin) {
        for (std::size_t most = 0; most <= 9; ++most) {
            const auto got = store_->read_attachment(file,
                                                     AttachmentPart::kText,
                                                     static_cast<std::int64_t>(begin),
                                                     static_cast<std::int64_t>(most));
            ASSERT_TRUE(got);
            EXPECT_EQ(*got, begin < all.size() ? all.substr(begin, most) : "");
        }
    }
}

TEST_P(AttachmentContract, AMessageTakesFilesFromItsComposerAndThatOfANewConversation) {
    const Conversation conversation = add();
    AttachedFile first = attach(kNext, "one");
    AttachedFile second = attach(conversation.key(), "two");
    second.prompt_bytes = 2;
    const Message message = say(conversation, {second, first});
    EXPECT_EQ(files_of(conversation), (Files{second, first}));
    EXPECT_EQ(*store_->composer_files(kNext), Files());
    EXPECT_EQ(*store_->composer_files(conversation.key()), Files());
    EXPECT_EQ(store_->attachment(conversation.key(), first.id)->name, "a.pdf");
    EXPECT_FALSE(store_->remove_attachment(conversation.key(), first.id)) << "it is sent";
    EXPECT_EQ(read(first), "one");
}

TEST_P(AttachmentContract, AMessageWithAFileThatIsNotThereIsNotStored) {
    const Conversation conversation = add();
    const Conversation other = add();
    AttachedFile unfinished = file_of("x", {});
    ASSERT_TRUE(store_->begin_attachment(conversation.key(), unfinished));
    for (const AttachedFile& file :
         {file_of("none", {}), attach(other.key(), "elsewhere"), unfinished}) {
        const Message message{
            .id = {random_id()}, .conversation = conversation.id, .text = "t", .files = {file}};
        const auto added = store_->append_messages(kOwner, {message});
        ASSERT_FALSE(added);
        EXPECT_EQ(added.error().code, ErrorCode::kNotFound);
    }
    EXPECT_TRUE(store_->messages(conversation.key())->empty());
    EXPECT_EQ(store_->begin_attachment({kOwner, {"none"}}, file_of("x", {})).error().code,
              ErrorCode::kNotFound);
}

TEST_P(AttachmentContract, ItGoesWithTheLastMessageThatHasIt) {
    const Conversation conversation = add();
    const AttachedFile file = attach(conversation.key(), "shared", "text");
    const Message first = say(conversation, {file});
    const Message second = say(conversation, {file});
    ASSERT_TRUE(store_->delete_messages(conversation.key(), {first.id}));
    EXPECT_EQ(files_of(conversation), Files{file});
    EXPECT_EQ(read(file), "shared");
    ASSERT_TRUE(store_->delete_messages(conversation.key(), {second.id}));
    EXPECT_TRUE(is_gone(file));
    EXPECT_EQ(store_->stored_amount(kOwner)->bytes, 0);
}

TEST_P(AttachmentContract, ItGoesWithItsConversation) {
    const Conversation conversation = add();
    const AttachedFile sent = attach(conversation.key(), "sent");
    const AttachedFile unsent = attach(conversation.key(), "unsent");
    const AttachedFile kept = attach(kNext, "kept");
    say(conversation, {sent});
    ASSERT_TRUE(store_->trash_conversation(conversation.key(), 1));
    EXPECT_FALSE(store_->attachment(conversation.key(), sent.id));
    EXPECT_FALSE(store_->composer_files(conversation.key()));
    EXPECT_FALSE(is_gone(sent)) << "it can be restored";
    ASSERT_TRUE(store_->delete_conversations({conversation.key()}));
    EXPECT_TRUE(is_gone(sent));
    EXPECT_TRUE(is_gone(unsent));
    EXPECT_FALSE(is_gone(kept));
}

TEST_P(AttachmentContract, ClearingTakesWhatWasSentOrWaitsAndLeavesTheComposer) {
    const Conversation conversation = add();
    const AttachedFile sent = attach(conversation.key(), "sent");
    const AttachedFile waits = attach(conversation.key(), "waits");
    const AttachedFile unsent = attach(conversation.key(), "unsent");
    say(conversation, {sent});
    ASSERT_TRUE(store_->add_waiting({.owner = kOwner,
                                     .conversation = conversation.id,
                                     .client_id = "c",
                                     .text = "later",
                                     .files = {{waits.id}}}));
    ASSERT_TRUE(store_->clear_messages(conversation.key()));
    EXPECT_TRUE(is_gone(sent));
    EXPECT_TRUE(is_gone(waits));
    EXPECT_EQ(*store_->composer_files(conversation.key()), Files{unsent});
}

TEST_P(AttachmentContract, AMessageThatWaitsKeepsItsFilesOutOfTheComposer) {
    const Conversation conversation = add();
    const AttachedFile file = attach(conversation.key(), "file");
    const WaitingMessage waiting{.owner = kOwner,
                                 .conversation = conversation.id,
                                 .client_id = "c",
                                 .text = "later",
                                 .files = {{file.id, 3}}};
    ASSERT_TRUE(store_->add_waiting(waiting));
    EXPECT_EQ(*store_->waiting_messages(conversation.key()), std::vector{waiting});
    EXPECT_EQ(*store_->composer_files(conversation.key()), Files());
    EXPECT_FALSE(store_->remove_attachment(conversation.key(), file.id));
    EXPECT_EQ(*store_->remove_unsent(1000, 1000), 0);
    ASSERT_TRUE(store_->remove_waiting(conversation.key(), "c"));
    EXPECT_EQ(*store_->composer_files(conversation.key()), Files{file}) << "withdrawn";

    ASSERT_TRUE(store_->add_waiting(waiting));
    say(conversation, {file});
    ASSERT_TRUE(store_->remove_waiting(conversation.key(), "c"));
    EXPECT_EQ(*store_->composer_files(conversation.key()), Files()) << "sent";
    EXPECT_EQ(files_of(conversation), Files{file});

    WaitingMessage without = waiting;
    without.client_id = "d";
    without.files = {{{"none"}}};
    EXPECT_FALSE(store_->add_waiting(without));
    EXPECT_TRUE(store_->waiting_messages(conversation.key())->empty());
}

TEST_P(AttachmentContract, WhatIsNeverSentIsRemoved) {
    const Conversation conversation = add();
    const AttachedFile sent = attach(conversation.key(), "sent");
    say(conversation, {sent});
    const AttachedFile unsent = attach(conversation.key(), "unsent");
    AttachedFile begun = file_of("begun", {});
    ASSERT_TRUE(store_->begin_attachment(kNext, begun));
    EXPECT_EQ(*store_->remove_unsent(100, 100), 0) << "all are of the time 100";
    EXPECT_EQ(*store_->remove_unsent(101, 100), 1);
    EXPECT_FALSE(store_->append_attachment(begun.id, AttachmentPart::kFile, "begun"));
    EXPECT_EQ(*store_->remove_unsent(101, 101), 1);
    EXPECT_TRUE(is_gone(unsent));
    EXPECT_EQ(read(sent), "sent");
}

TEST_P(AttachmentContract, ItCounts) {
    const Conversation conversation = add();
    const std::int64_t before = store_->stored_amount(kOwner)->bytes;
    const AttachedFile file = attach(conversation.key(), "12345", "123");
    EXPECT_EQ(store_->stored_amount(kOwner)->bytes, before + 8);
    attach(kNext, "12345");
    EXPECT_EQ(store_->stored_amount(kOwner)->bytes, before + 13) << "its text is the file";
    ASSERT_TRUE(store_->remove_attachment(conversation.key(), file.id));
    EXPECT_EQ(store_->stored_amount(kOwner)->bytes, before + 5);
    EXPECT_EQ(store_->stored_amount(kBert)->bytes, 0);
}

TEST_P(AttachmentContract, OfSomebodyElseItDoesNotExist) {
    const Conversation conversation = add();
    const Conversation his = add(kBert);
    const AttachedFile file = attach(conversation.key(), "secret");
    const AttachedFile next = attach(kNext, "secret");
    const ConversationKey foreign(kBert, conversation.id);
    EXPECT_FALSE(store_->composer_files(foreign));
    EXPECT_EQ(*store_->composer_files({kBert, {}}), Files());
    EXPECT_FALSE(store_->attachment(foreign, file.id));
    EXPECT_FALSE(store_->attachment(his.key(), file.id));
    EXPECT_FALSE(store_->attachment({kBert, {}}, next.id));
    EXPECT_FALSE(store_->remove_attachment({kBert, {}}, next.id));
    EXPECT_FALSE(store_->remove_attachment(foreign, file.id));
    EXPECT_FALSE(store_->begin_attachment(foreign, file_of("x", {})));
    for (const AttachedFile& one : {file, next}) {
        const Message message{
            .id = {random_id()}, .conversation = his.id, .text = "t", .files = {one}};
        EXPECT_FALSE(store_->append_messages(kBert, {message}));
        EXPECT_FALSE(store_->add_waiting({.owner = kBert,
                                          .conversation = his.id,
                                          .client_id = "c",
                                          .text = "t",
                                          .files = {{one.id}}}));
    }
    EXPECT_EQ(*store_->composer_files(conversation.key()), Files{file});
}

TEST_P(AttachmentContract, AWholeConversationBringsFilesThatWereBegun) {
    const AttachedFile file = file_of("imported", {});
    const AttachedFile waits = file_of("waits", {});
    ASSERT_TRUE(store_->begin_attachment(kNext, waits));
    ASSERT_TRUE(store_->append_attachment(waits.id, AttachmentPart::kFile, "waits"));
    const ConversationId id{random_id()};
    WholeConversation whole{
        .conversation = {.id = id, .title = "t", .owner = kOwner},
        .messages = {{.id = {random_id()}, .conversation = id, .text = "t", .files = {file}}},
        .waiting = {{.owner = kOwner,
                     .conversation = id,
                     .client_id = "c",
                     .text = "later",
                     .files = {{waits.id, 2}, {file.id}}}}};
    EXPECT_FALSE(store_->add_whole(whole)) << "nobody has begun it";
    ASSERT_TRUE(store_->begin_attachment(kNext, file));
    ASSERT_TRUE(store_->append_attachment(file.id, AttachmentPart::kFile, "imp"));
    EXPECT_FALSE(store_->add_whole(whole)) << "it is not whole";
    ASSERT_TRUE(store_->append_attachment(file.id, AttachmentPart::kFile, "orted"));
    ASSERT_TRUE(store_->add_whole(whole));
    EXPECT_EQ(files_of(whole.conversation), Files{file});
    EXPECT_EQ(*store_->waiting_messages(whole.conversation.key()), whole.waiting);
    EXPECT_EQ(*store_->composer_files(kNext), Files());
    EXPECT_EQ(store_->attachment(whole.conversation.key(), waits.id)->name, "a.pdf");
}

const StoreKind kStores[] = {
    {"Memory", [](const auto&) { return std::make_unique<MemoryStore>(); }},
    {"Sqlite",
     [](const auto& folder) { return std::move(*SqliteStore::open(folder / "test.db")); }},
};

INSTANTIATE_TEST_SUITE_P(Stores,
                         AttachmentContract,
                         testing::ValuesIn(kStores),
                         [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace notso::services
