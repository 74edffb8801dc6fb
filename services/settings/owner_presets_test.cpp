// Presets: made, renamed, overwritten, deleted, chosen; what that leaves for new chats.
#include "services/settings/owner_presets.hpp"

#include <gtest/gtest.h>

namespace notso::services {
namespace {

const ChatSettings kWarm{.temperature = 1.2};
const ChatSettings kCold{.system_prompt = "be exact", .temperature = 0.0};

class OwnerPresetsTest : public testing::Test {
  protected:
    OwnerPresetsTest() {
        EXPECT_TRUE(save_preset(settings_, {"warm", kWarm}));
        EXPECT_TRUE(save_preset(settings_, {" cold ", kCold}));
    }
    std::string names() const {
        std::string all;
        for (const Preset& preset : settings_.presets) all += preset.name + " ";
        return all;
    }

    OwnerSettings settings_{.values = {.temperature = 0.5}};
};

TEST_F(OwnerPresetsTest, AreKeptByName) {
    EXPECT_EQ(names(), "cold warm ") << "without the white space around it";
    EXPECT_EQ(*preset_values(settings_, "warm"), kWarm);
    EXPECT_EQ(*preset_values(settings_, ""), settings_.values);
    EXPECT_EQ(preset_values(settings_, "hot").error().code, ErrorCode::kNotFound);
}

TEST_F(OwnerPresetsTest, AreOverwrittenOnlyOnPurpose) {
    const Result<> again = save_preset(settings_, {"warm", kCold});
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
    EXPECT_TRUE(again.error().detail.contains("warm")) << again.error().detail;
    EXPECT_EQ(*preset_values(settings_, "warm"), kWarm);
    ASSERT_TRUE(save_preset(settings_, {"warm", kCold, true}));
    EXPECT_EQ(*preset_values(settings_, "warm"), kCold);
    EXPECT_EQ(settings_.presets.size(), 2U);
}

TEST_F(OwnerPresetsTest, NewChatsBeginWithTheChosenOne) {
    EXPECT_EQ(starting_values(settings_), settings_.values);
    ASSERT_TRUE(choose_preset(settings_, "cold"));
    EXPECT_EQ(starting_values(settings_), kCold);
    EXPECT_EQ(choose_preset(settings_, "hot").error().code, ErrorCode::kNotFound);
    ASSERT_TRUE(rename_preset(settings_, "cold", "exact"));
    EXPECT_EQ(starting_values(settings_), kCold) << "it is the same under another name";
    ASSERT_TRUE(delete_preset(settings_, "exact"));
    EXPECT_EQ(starting_values(settings_), settings_.values);
    EXPECT_EQ(settings_.default_preset, "");
    ASSERT_TRUE(choose_preset(settings_, "warm"));
    ASSERT_TRUE(choose_preset(settings_, ""));
    EXPECT_EQ(starting_values(settings_), settings_.values);
    settings_.default_preset = "gone";
    EXPECT_EQ(starting_values(settings_), settings_.values) << "whatever the database says";
}

TEST_F(OwnerPresetsTest, RenamingTakesNoOthersName) {
    EXPECT_EQ(rename_preset(settings_, "warm", "cold").error().code, ErrorCode::kAlreadyExists);
    EXPECT_EQ(rename_preset(settings_, "hot", "x").error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(rename_preset(settings_, "warm", "warm "));
    ASSERT_TRUE(rename_preset(settings_, "warm", "a"));
    EXPECT_EQ(names(), "a cold ");
    EXPECT_EQ(delete_preset(settings_, "warm").error().code, ErrorCode::kNotFound);
}

TEST_F(OwnerPresetsTest, NamesAreOneLineOfLimitedLength) {
    std::string longest;
    for (std::size_t i = 0; i < kMaxPresetNameCharacters; ++i) longest += "é";
    EXPECT_TRUE(save_preset(settings_, {longest, kWarm}));
    for (const std::string& bad : {std::string(),
                                   std::string(" \t "),
                                   longest + "x",
                                   std::string(61'000, 'x'),
                                   std::string("a\nb"),
                                   std::string("a\0b", 3),
                                   std::string("\xFF")}) {
        const Result<> saved = save_preset(settings_, {bad, kWarm});
        ASSERT_FALSE(saved) << bad;
        EXPECT_EQ(saved.error().code, ErrorCode::kInvalidArgument);
        EXPECT_FALSE(rename_preset(settings_, "warm", bad)) << bad;
    }
    EXPECT_EQ(settings_.presets.size(), 3U);
}

TEST_F(OwnerPresetsTest, ThereIsAMost) {
    for (std::size_t i = settings_.presets.size(); i < kMaxPresets; ++i)
        ASSERT_TRUE(save_preset(settings_, {fmt::format("p{}", i), kWarm}));
    const Result<> one_more = save_preset(settings_, {"one more", kWarm});
    ASSERT_FALSE(one_more);
    EXPECT_TRUE(one_more.error().detail.contains("50")) << one_more.error().detail;
    EXPECT_TRUE(save_preset(settings_, {"warm", kCold, true})) << "that takes no more room";
}

TEST(Themes, HaveNames) {
    for (const Theme theme : {Theme::kSystem, Theme::kLight, Theme::kDark})
        EXPECT_EQ(*parse_theme(name_of(theme)), theme);
    for (const std::string_view bad : {"", "Dark", "blue", "dark\n"})
        EXPECT_EQ(parse_theme(bad).error().code, ErrorCode::kInvalidArgument) << bad;
}

}  // namespace
}  // namespace notso::services
