// What owners have set: this part of SessionStore's contract, on both stores.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <memory>

#include "base/random.hpp"
#include "services/session/memory_store.hpp"
#include "services/session/sqlite_store.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

const OwnerId kAnna{"anna"};
const OwnerId kBert{"bert"};

struct StoreKind {
    const char* name;
    std::function<std::unique_ptr<SessionStore>(const std::filesystem::path& folder)> make;
};

class SettingsContract : public testing::TestWithParam<StoreKind> {
  protected:
    const TempDirectory temp_;
    std::unique_ptr<SessionStore> store_ = GetParam().make(temp_.path());
    const OwnerSettings hers_{.values = {"be brief \n🙂", 0.1, 0.2, 3, 0.4, 1.5, 600, 0, 4096},
                              .default_preset = "warm",
                              .theme = Theme::kDark,
                              .quiet = true,
                              .presets = {{"cold", {.temperature = 0.0, .top_k = 0}},
                                          {"warm", {.system_prompt = "be kind"}}}};
};

TEST_P(SettingsContract, AreKeptAsTheyAre) {
    EXPECT_EQ(*store_->owner_settings(kAnna), OwnerSettings{}) << "nobody has set anything";
    ASSERT_TRUE(store_->put_owner_settings(kAnna, hers_));
    EXPECT_EQ(*store_->owner_settings(kAnna), hers_);
    OwnerSettings fewer{.theme = Theme::kLight, .presets = {{"one", hers_.values}}};
    ASSERT_TRUE(store_->put_owner_settings(kAnna, fewer));
    EXPECT_EQ(*store_->owner_settings(kAnna), fewer) << "nothing of the old ones is left";
}

TEST_P(SettingsContract, AreTheOwnersAlone) {
    ASSERT_TRUE(store_->put_owner_settings(kAnna, hers_));
    EXPECT_EQ(*store_->owner_settings(kBert), OwnerSettings{});
    const OwnerSettings his{.presets = {{"warm", {.temperature = 2.0}}}};
    ASSERT_TRUE(store_->put_owner_settings(kBert, his));
    EXPECT_EQ(*store_->owner_settings(kAnna), hers_);
    EXPECT_EQ(*store_->owner_settings(kBert), his);
    EXPECT_EQ(store_->put_owner_settings({}, his).error().code, ErrorCode::kInvalidArgument);
}

TEST_P(SettingsContract, OneNameIsOnePreset) {
    ASSERT_TRUE(store_->put_owner_settings(kAnna, hers_));
    OwnerSettings doubled = hers_;
    doubled.values = {};
    doubled.presets.push_back({"cold", {}});
    EXPECT_EQ(store_->put_owner_settings(kAnna, doubled).error().code, ErrorCode::kAlreadyExists);
    EXPECT_EQ(*store_->owner_settings(kAnna), hers_) << "all or nothing";
}

TEST_P(SettingsContract, AnAnswerKeepsThoseItBeganWith) {
    const Conversation conversation{.id = {random_id()}, .title = "", .owner = kAnna};
    ASSERT_TRUE(store_->create_conversation(conversation));
    Message answer{.id = {random_id()},
                   .conversation = conversation.id,
                   .role = MessageRole::kAssistant,
                   .state = MessageState::kRunning,
                   .text = ""};
    ASSERT_TRUE(store_->append_messages(kAnna, {answer}));
    for (const auto& settings : {std::optional<ChatSettings>(),
                                 std::optional(ChatSettings{}),
                                 std::optional(hers_.values)}) {
        answer.journal = AnswerJournal{.model = "m", .settings = settings};
        ASSERT_TRUE(store_->update_message(answer));
        EXPECT_EQ((*store_->journal(answer.id))->settings, settings);
        EXPECT_EQ(store_->running_messages()->front().message.journal, answer.journal);
    }
}

const StoreKind kStores[] = {
    {"Memory", [](const auto&) { return std::make_unique<MemoryStore>(); }},
    {"Sqlite",
     [](const auto& folder) { return std::move(*SqliteStore::open(folder / "test.db")); }},
};

INSTANTIATE_TEST_SUITE_P(Stores,
                         SettingsContract,
                         testing::ValuesIn(kStores),
                         [](const auto& kind) { return std::string(kind.param.name); });

std::string all_bytes(const std::filesystem::path& folder) {
    std::string bytes;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        std::ifstream in(entry.path(), std::ios::binary);
        bytes.append(std::istreambuf_iterator<char>(in), {});
    }
    return bytes;
}

TEST(SqliteSettings, OutliveTheProcessAndGoWithTheirOwner) {
    const TempDirectory temp;
    const auto path = temp.path() / "test.db";
    const OwnerSettings mine{.theme = Theme::kDark,
                             .presets = {{"one", {.system_prompt = "Xylophonenkonzert"}}}};
    {
        auto store = *SqliteStore::open(path);
        ASSERT_TRUE(store->put_owner_settings(kAnna, mine));
        ASSERT_TRUE(store->put_owner_settings(kBert, mine));
    }
    auto store = *SqliteStore::open(path);
    EXPECT_EQ(*store->owner_settings(kAnna), mine);
    ASSERT_TRUE(all_bytes(temp.path()).contains("Xylophonenkonzert"));
    ASSERT_TRUE(store->delete_all_of(kAnna));
    EXPECT_EQ(*store->owner_settings(kAnna), OwnerSettings{});
    EXPECT_EQ(*store->owner_settings(kBert), mine);
    ASSERT_TRUE(store->put_owner_settings(kBert, {}));
    EXPECT_FALSE(all_bytes(temp.path()).contains("Xylophonenkonzert")) << "deleted is deleted";
}

}  // namespace
}  // namespace notso::services
