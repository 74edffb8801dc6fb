// Each setting at its limits, over them and far over them, and every text that is no value.
#include "services/settings/setting_fields.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace notso::services {
namespace {

constexpr SettingLimits kServer{.context = 8192};

ChatSettings all_set() { return {"be brief", 0.7, 0.9, 40, 0.05, 1.1, 512, 0, 4096}; }

TEST(SettingFields, TakeWhatIsAllowedAndNothingBeyond) {
    for (const NumberSetting& setting : number_settings()) {
        SCOPED_TRACE(setting.name);
        const double most = most_of(setting, kServer);
        const double step = setting.is_whole() ? 1 : 0.001;
        for (const double good : {setting.least, most, setting.is_whole() ? 600 : 0.5}) {
            ChatSettings settings;
            const Result<> set = set_number(setting, fmt::format("{}", good), kServer, settings);
            if (good > most) continue;
            EXPECT_TRUE(set) << set.error().detail;
            EXPECT_EQ(text_of(setting, settings), fmt::format("{}", good));
            EXPECT_TRUE(check_settings(settings, kServer));
        }
        for (const double bad :
             {setting.least - step, most + step, most * 1000 + 1000, -1e308, 1e308, -1.0}) {
            ChatSettings settings = all_set();
            const Result<> set = set_number(setting, fmt::format("{}", bad), kServer, settings);
            ASSERT_FALSE(set) << bad;
            EXPECT_EQ(set.error().code, ErrorCode::kInvalidArgument);
            EXPECT_TRUE(set.error().detail.starts_with(setting.label)) << set.error().detail;
            EXPECT_TRUE(set.error().detail.contains(fmt::format("{}", bad))) << set.error().detail;
            EXPECT_TRUE(
                set.error().detail.contains(fmt::format("from {} to {}", setting.least, most)))
                << set.error().detail;
            EXPECT_EQ(settings, all_set()) << "a refused value changes nothing";
        }
    }
}

TEST(SettingFields, RefuseWhatIsNoNumber) {
    for (const NumberSetting& setting : number_settings()) {
        SCOPED_TRACE(setting.name);
        for (const std::string_view bad : {"nan",
                                           "-nan",
                                           "inf",
                                           "-inf",
                                           "infinity",
                                           "1e999",
                                           "-1e999",
                                           "0x10",
                                           "1 000",
                                           "1.2.3",
                                           "1,2,3",
                                           "1,2.3",
                                           "+1",
                                           "one",
                                           "[]",
                                           "{}",
                                           "null",
                                           "\"1\"",
                                           "1;",
                                           "--1",
                                           "1e",
                                           "²",
                                           "9223372036854775808",
                                           "18446744073709551616"}) {
            ChatSettings settings = all_set();
            const Result<> set = set_number(setting, bad, kServer, settings);
            ASSERT_FALSE(set) << bad;
            EXPECT_EQ(settings, all_set()) << bad;
        }
        ChatSettings settings;
        const Result<> huge = set_number(setting, std::string(1'000'000, '9'), kServer, settings);
        ASSERT_FALSE(huge);
        EXPECT_LT(huge.error().detail.size(), 300U) << "the text is not repeated at length";
        if (!setting.is_whole()) continue;
        EXPECT_FALSE(set_number(setting, "600.5", kServer, settings));
    }
}

TEST(SettingFields, AnEmptyFieldIsTheModelsOwn) {
    for (const NumberSetting& setting : number_settings()) {
        for (const std::string_view empty : {"", " ", "\t\r\n"}) {
            ChatSettings settings = all_set();
            ASSERT_TRUE(set_number(setting, empty, kServer, settings));
            EXPECT_EQ(text_of(setting, settings), "");
        }
    }
}

TEST(SettingFields, NumbersAreReadAsPeopleWriteThem) {
    const NumberSetting& temperature = *find_number_setting("temperature");
    for (const std::string_view text : {"0.7", "0,7", " 0.70 ", ".7", "7e-1"}) {
        ChatSettings settings;
        ASSERT_TRUE(set_number(temperature, text, kServer, settings)) << text;
        EXPECT_EQ(settings.temperature, 0.7) << text;
        EXPECT_EQ(text_of(temperature, settings), "0.7");
    }
    EXPECT_EQ(find_number_setting("seed"), nullptr);
    EXPECT_EQ(find_number_setting("system_prompt"), nullptr);
}

TEST(SettingFields, TheContextIsAtMostTheServers) {
    const NumberSetting& context = *find_number_setting("context_size");
    ChatSettings settings;
    EXPECT_TRUE(set_number(context, "8192", kServer, settings));
    EXPECT_FALSE(set_number(context, "8193", kServer, settings));
    EXPECT_TRUE(set_number(context, "8193", {}, settings)) << "not known yet";
    EXPECT_FALSE(set_number(context, "511", {}, settings));
    EXPECT_EQ(most_of(context, {.context = 100}), kLeastContextSize) << "there is some value";
    EXPECT_EQ(context_of(8192, {}), 8192);
    EXPECT_EQ(context_of(8192, {.context_size = 1024}), 1024);
    EXPECT_EQ(context_of(8192, {.context_size = 100'000}), 8192) << "of another server";
    EXPECT_EQ(context_of(0, {.context_size = 1024}), 1024);
    EXPECT_EQ(context_of(0, {}), 0);
}

TEST(SettingFields, TheSystemPromptIsTextOfALimitedSize) {
    ChatSettings settings;
    ASSERT_TRUE(set_system_prompt("  Be brief.\nAlways. \n", settings));
    EXPECT_EQ(settings.system_prompt, "Be brief.\nAlways.");
    ASSERT_TRUE(set_system_prompt(std::string(kMaxSystemPromptBytes, 'a'), settings));
    for (const std::size_t over : {kMaxSystemPromptBytes + 1, kMaxSystemPromptBytes * 1000}) {
        const Result<> set = set_system_prompt(std::string(over, 'a'), settings);
        ASSERT_FALSE(set);
        EXPECT_EQ(set.error().code, ErrorCode::kTooLarge);
        EXPECT_TRUE(set.error().detail.contains("16384")) << set.error().detail;
    }
    EXPECT_EQ(set_system_prompt("\xFF", settings).error().code, ErrorCode::kInvalidArgument);
    ASSERT_TRUE(set_system_prompt(" \n ", settings));
    EXPECT_EQ(settings.system_prompt, "");
}

TEST(SettingFields, SettingsFromElsewhereAreChecked) {
    EXPECT_TRUE(check_settings(all_set(), kServer));
    EXPECT_TRUE(check_settings({}, kServer));
    const double bad[] = {std::nan(""), HUGE_VAL, -HUGE_VAL, 1e308, -1};
    for (const double value : bad) {
        EXPECT_FALSE(check_settings({.temperature = value}, kServer)) << value;
        EXPECT_FALSE(check_settings({.top_p = value}, kServer)) << value;
        EXPECT_FALSE(check_settings({.min_p = value}, kServer)) << value;
        EXPECT_FALSE(check_settings({.repeat_penalty = value}, kServer)) << value;
    }
    for (const std::int64_t value : {std::numeric_limits<std::int64_t>::min(),
                                     std::numeric_limits<std::int64_t>::max(),
                                     std::int64_t{-1}}) {
        EXPECT_FALSE(check_settings({.top_k = value}, kServer)) << value;
        EXPECT_FALSE(check_settings({.max_tokens = value}, kServer)) << value;
        EXPECT_FALSE(check_settings({.thinking_budget = value}, kServer)) << value;
        EXPECT_FALSE(check_settings({.context_size = value}, kServer)) << value;
    }
    EXPECT_FALSE(check_settings({.system_prompt = std::string(20'000, 'a')}, kServer));
}

}  // namespace
}  // namespace notso::services
