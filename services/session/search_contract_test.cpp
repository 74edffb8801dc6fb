// Searching, pinning and the trash: the part of SessionStore's contract that the sidebar stands on,
// on both stores.
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "base/random.hpp"
#include "base/utf8.hpp"
#include "services/session/memory_store.hpp"
#include "services/session/sqlite_store.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

using namespace std::string_literals;

const OwnerId kOwner = local_owner();

struct StoreKind {
    const char* name;
    std::function<std::unique_ptr<SessionStore>(const std::filesystem::path& folder)> make;
};

class SearchContract : public testing::TestWithParam<StoreKind> {
  protected:
    Conversation add(std::string title, UnixMs updated_at = 1) {
        Conversation conversation{.id = {random_id()},
                                  .title = std::move(title),
                                  .updated_at = updated_at,
                                  .owner = kOwner};
        EXPECT_TRUE(store_->create_conversation(conversation));
        return conversation;
    }
    Message say(const Conversation& conversation, std::string text) {
        Message message{
            .id = {random_id()}, .conversation = conversation.id, .text = std::move(text)};
        EXPECT_TRUE(store_->append_messages(kOwner, {message}));
        return message;
    }
    std::vector<SearchHit> search(const std::string& query, std::int64_t limit = 100) {
        auto hits = store_->search(kOwner, query, limit);
        EXPECT_TRUE(hits) << hits.error().detail;
        return *std::move(hits);
    }
    /// What is marked in the only hit.
    std::string marked(const std::string& query) {
        const auto hits = search(query);
        EXPECT_EQ(hits.size(), 1u) << query;
        if (hits.empty()) return {};
        return hits[0].snippet.substr(hits[0].begin, hits[0].end - hits[0].begin);
    }

    const TempDirectory temp_;
    std::unique_ptr<SessionStore> store_ = GetParam().make(temp_.path());
};

TEST_P(SearchContract, TitlesComeBeforeTheNewestMessageOfEachConversation) {
    const Conversation old = add("About trains", 10);
    const Conversation late = add("Trains again", 20);
    const Conversation other = add("Ships", 30);
    say(old, "the train to Rome");
    const Message newest = say(old, "which train?");
    const Message elsewhere = say(other, "no TRAIN here");
    const auto hits = search("train");
    ASSERT_EQ(hits.size(), 4u);
    EXPECT_EQ(hits[0].conversation.id, late.id);
    EXPECT_EQ(hits[0].message, MessageId{});
    EXPECT_EQ(hits[0].snippet, "Trains again");
    EXPECT_EQ(hits[0].begin, 0u);
    EXPECT_EQ(hits[0].end, 5u);
    EXPECT_EQ(hits[1].conversation.id, old.id);
    EXPECT_EQ(hits[1].begin, 6u);
    EXPECT_EQ(hits[2].message, elsewhere.id);
    EXPECT_EQ(hits[2].conversation.title, "Ships");
    EXPECT_EQ(hits[3].message, newest.id);
    EXPECT_EQ(search("train", 3).size(), 3u);
    EXPECT_TRUE(search("train", 0).empty());
    EXPECT_TRUE(search("").empty());
}

TEST_P(SearchContract, CaseDoesNotMatterInAnyScript) {
    const Conversation owner = add("Ünïcode TITLE");
    say(owner, "Der Zug nach МОСКВА, Ankunft ΑΘΗΝΑ");
    EXPECT_EQ(marked("ünï"), "Ünï");
    EXPECT_EQ(marked("title"), "TITLE");
    EXPECT_EQ(marked("москва"), "МОСКВА");
    EXPECT_EQ(marked("αθηνα"), "ΑΘΗΝΑ");
    EXPECT_EQ(marked("zUG NACH"), "Zug nach");
    EXPECT_EQ(marked("ZU"), "Zu") << "too short for the index";
}

TEST_P(SearchContract, ShortQueriesOfScriptsWithoutSpacesAreFound) {
    say(add("t"), "我昨天去了北京旅游");
    EXPECT_EQ(marked("北京"), "北京");
    EXPECT_EQ(marked("京"), "京");
    EXPECT_EQ(marked("去了北京"), "去了北京");
    EXPECT_TRUE(search("南京").empty());
}

TEST_P(SearchContract, NothingInAQueryHasAMeaningOfItsOwn) {
    const Conversation owner = add("plain");
    const std::string text =
        "say \"hi\" 100% a_b * NEAR(x y) AND OR NOT text: ^ -- '; DROP {} \\ \t\x01 end";
    say(owner, text);
    for (const std::string query : {"\"hi\"",
                                    "\"",
                                    "100%",
                                    "%",
                                    "a_b",
                                    "_",
                                    "*",
                                    "NEAR(x y)",
                                    "AND OR",
                                    "text:",
                                    "^ --",
                                    "'; DROP",
                                    "{}",
                                    "\\",
                                    "\t\x01",
                                    "\\ \t"}) {
        EXPECT_EQ(marked(query), [&] {
            std::string shown = query;
            for (char& byte : shown) {
                if (byte == '\t' || byte == '\x01') byte = ' ';
            }
            return shown;
        }()) << query;
    }
    for (const std::string query :
         {"a%b", "say*", "a.b", "%%", "__", "\"\"", "hi OR end", "say end"})
        EXPECT_TRUE(search(query).empty()) << query;
    EXPECT_EQ(search("say\0nothing"s).size(), 1u) << "it ends at the NUL";
    EXPECT_TRUE(search("\0"s).empty());
    EXPECT_TRUE(search(std::string(100'000, 'x')).empty());
}

TEST_P(SearchContract, SnippetsAreShortWholeCharactersOnOneLine) {
    const Conversation owner = add("t");
    std::string text;
    for (int i = 0; i < 200; ++i) text += "日本\n";
    say(owner, text + "needle" + text);
    const auto hits = search("NEEDLE");
    ASSERT_EQ(hits.size(), 1u);
    const std::string& snippet = hits[0].snippet;
    EXPECT_EQ(snippet.substr(hits[0].begin, hits[0].end - hits[0].begin), "needle");
    EXPECT_TRUE(snippet.starts_with("…"));
    EXPECT_TRUE(snippet.ends_with("…"));
    EXPECT_LT(snippet.size(), 300u);
    EXPECT_EQ(snippet.find('\n'), std::string::npos);
    for (std::size_t i = 0; i < snippet.size();) {
        const auto character = decode_utf8(std::string_view(snippet).substr(i));
        ASSERT_TRUE(character.valid) << i;
        i += character.size;
    }
}

TEST_P(SearchContract, WhatIsGoneOrStillBeingWrittenIsNotFound) {
    const Conversation owner = add("t");
    Message answer{.id = {random_id()},
                   .conversation = owner.id,
                   .role = MessageRole::kAssistant,
                   .state = MessageState::kRunning,
                   .text = "walrus"};
    ASSERT_TRUE(store_->append_messages(kOwner, {answer}));
    EXPECT_TRUE(search("walrus").empty());
    EXPECT_TRUE(search("wa").empty());
    answer.state = MessageState::kStopped;
    ASSERT_TRUE(store_->update_message(answer));
    EXPECT_EQ(search("walrus").size(), 1u);
    ASSERT_TRUE(store_->delete_messages(owner.key(), {answer.id}));
    EXPECT_TRUE(search("walrus").empty());
    say(owner, "second walrus");
    ASSERT_TRUE(store_->clear_messages(owner.key()));
    EXPECT_TRUE(search("walrus").empty());
    say(owner, "third walrus");
    ASSERT_TRUE(store_->delete_conversation(owner.key()));
    EXPECT_TRUE(search("walrus").empty());
}

TEST_P(SearchContract, PinnedOnesAreListedFirst) {
    Conversation old = add("old", 1);
    const Conversation middle = add("middle", 2);
    Conversation late = add("late", 3);
    old.pinned = true;
    ASSERT_TRUE(store_->update_conversation(old));
    EXPECT_TRUE(store_->conversation(old.key())->pinned);
    const auto one = *store_->list_conversations(kOwner, 1);
    ASSERT_EQ(one.size(), 1u);
    EXPECT_EQ(one[0].id, old.id);
    EXPECT_TRUE(one[0].pinned);
    late.pinned = true;
    ASSERT_TRUE(store_->update_conversation(late));
    const auto all = *store_->list_conversations(kOwner, 10);
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0].id, late.id);
    EXPECT_EQ(all[1].id, old.id);
    EXPECT_EQ(all[2].id, middle.id);
}

TEST_P(SearchContract, ArchivedOnesAreListedApartAndFound) {
    Conversation old = add("old walrus", 1);
    const Conversation middle = add("middle", 2);
    Conversation late = add("late", 3);
    EXPECT_TRUE(store_->archived_conversations(kOwner, 10)->empty());
    old.archived = true;
    late.archived = late.pinned = true;
    ASSERT_TRUE(store_->update_conversation(old));
    ASSERT_TRUE(store_->update_conversation(late));
    EXPECT_TRUE(store_->conversation(old.key())->archived);
    const auto listed = *store_->list_conversations(kOwner, 10);
    ASSERT_EQ(listed.size(), 1u);
    EXPECT_EQ(listed[0].id, middle.id);
    const auto archived = *store_->archived_conversations(kOwner, 10);
    ASSERT_EQ(archived.size(), 2u);
    EXPECT_EQ(archived[0].id, late.id);
    EXPECT_EQ(archived[1].id, old.id);
    EXPECT_EQ(store_->archived_conversations(kOwner, 1)->size(), 1u);
    EXPECT_TRUE(store_->archived_conversations({"somebody-else"}, 10)->empty());
    EXPECT_EQ(search("walrus").size(), 1u);
    ASSERT_TRUE(store_->trash_conversation(old.key(), 42));
    EXPECT_EQ(store_->archived_conversations(kOwner, 10)->size(), 1u);
    late.archived = false;
    ASSERT_TRUE(store_->update_conversation(late));
    EXPECT_EQ(store_->list_conversations(kOwner, 10)->size(), 2u);
}

template <class T>
bool not_found(const Result<T>& result) {
    return !result && result.error().code == ErrorCode::kNotFound;
}

TEST_P(SearchContract, TheTrashHidesAndGivesBack) {
    const Conversation owner = add("hidden title");
    const Conversation other = add("other title");
    Message message{
        .id = {random_id()}, .conversation = owner.id, .text = "hidden", .client_id = "c"};
    ASSERT_TRUE(store_->append_messages(kOwner, {message}));
    EXPECT_TRUE(not_found(store_->restore_conversation(owner.key()))) << "it is not there";
    ASSERT_TRUE(store_->trash_conversation(owner.key(), 42));
    EXPECT_TRUE(not_found(store_->trash_conversation(owner.key(), 43)));
    EXPECT_TRUE(not_found(store_->conversation(owner.key())));
    EXPECT_TRUE(not_found(store_->messages(owner.key())));
    EXPECT_TRUE(not_found(store_->update_conversation(owner)));
    EXPECT_TRUE(not_found(store_->clear_messages(owner.key())));
    EXPECT_TRUE(not_found(store_->notes(owner.key())));
    EXPECT_TRUE(not_found(store_->append_messages(
        kOwner, {{.id = {random_id()}, .conversation = owner.id, .text = "more"}})));
    EXPECT_EQ(*store_->find_by_client_id(owner.key(), "c"), std::nullopt);
    EXPECT_FALSE(store_->create_conversation(owner));
    EXPECT_EQ(store_->list_conversations(kOwner, 10)->size(), 1u);
    EXPECT_TRUE(search("hidden").empty());
    EXPECT_TRUE(search("hi").empty());
    const auto trash = *store_->trashed_conversations();
    ASSERT_EQ(trash.size(), 1u);
    EXPECT_EQ(trash[0].key.id, owner.id);
    EXPECT_EQ(trash[0].at, 42);
    ASSERT_TRUE(store_->restore_conversation(owner.key()));
    EXPECT_EQ(store_->messages(owner.key())->size(), 1u);
    EXPECT_EQ(search("hidden").size(), 2u);
    EXPECT_TRUE(store_->trashed_conversations()->empty());
}

TEST_P(SearchContract, TheTrashIsEmptiedForGood) {
    const Conversation first = add("1");
    const Conversation second = add("2");
    ASSERT_TRUE(store_->trash_conversation(second.key(), 5));
    ASSERT_TRUE(store_->trash_conversation(first.key(), 6));
    EXPECT_EQ(store_->trashed_conversations()->front().key.id, second.id);
    ASSERT_TRUE(store_->delete_conversation(second.key()));
    EXPECT_TRUE(not_found(store_->restore_conversation(second.key())));
    EXPECT_EQ(store_->trashed_conversations()->size(), 1u);
    EXPECT_TRUE(not_found(store_->trash_conversation({kOwner, {"nobody"}}, 1)));
}

const StoreKind kStores[] = {
    {"Memory", [](const auto&) { return std::make_unique<MemoryStore>(); }},
    {"Sqlite",
     [](const auto& folder) { return std::move(*SqliteStore::open(folder / "test.db")); }},
};

INSTANTIATE_TEST_SUITE_P(Stores, SearchContract, testing::ValuesIn(kStores), [](const auto& kind) {
    return std::string(kind.param.name);
});

}  // namespace
}  // namespace notso::services
