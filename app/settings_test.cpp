// Settings: which source wins, and what messages name.
#include "app/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace notso::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SettingsTest : public ::testing::Test {
  protected:
    void SetUp() override {
        file_ = std::filesystem::temp_directory_path() /
                ("notso_settings_" + std::to_string(::getpid()) + ".toml");
        write_file("");
    }
    void TearDown() override { std::filesystem::remove(file_); }

    void write_file(const std::string& text) { std::ofstream(file_) << text; }

    Result<Settings> resolve() const {
        Environment environment = [this](const char* name) -> std::optional<std::string> {
            const auto found = environment_.find(name);
            return found == environment_.end() ? std::nullopt : std::optional(found->second);
        };
        return resolve_settings({flags_, environment, file_});
    }
    std::string error_of() const {
        const auto settings = resolve();
        return settings ? "no error" : settings.error().detail;
    }

    std::filesystem::path file_;
    std::map<std::string, std::string> environment_;
    SettingValues flags_;
};

TEST_F(SettingsTest, DefaultsAreLoopbackAndPort3000) {
    const auto settings = resolve();
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->host, "127.0.0.1");
    EXPECT_EQ(settings->port, 3000);
    EXPECT_FALSE(settings->model.has_value());
}

TEST_F(SettingsTest, FlagBeatsEnvironmentBeatsFile) {
    write_file("port = 1001\n");
    EXPECT_EQ(resolve()->port, 1001);
    environment_["PORT"] = "1002";
    EXPECT_EQ(resolve()->port, 1002);
    environment_["NOTSO_PORT"] = "1003";
    EXPECT_EQ(resolve()->port, 1003);
    flags_["port"] = {{"1004"}, "--port"};
    EXPECT_EQ(resolve()->port, 1004);
}

TEST_F(SettingsTest, OlderVariablesKeepWorking) {
    environment_["MODEL_PATH"] = "/m/a.gguf";
    environment_["TOKENIZER_PATH"] = "/m/tokenizer.json";
    environment_["RUST_LOG"] = "tower_http=trace,notso=debug";
    const auto settings = resolve();
    ASSERT_TRUE(settings) << settings.error().detail;
    EXPECT_EQ(settings->model, "/m/a.gguf");
    EXPECT_EQ(settings->tokenizer_json, "/m/tokenizer.json");
    EXPECT_EQ(settings->log, "tower_http=trace,notso=debug");
}

TEST_F(SettingsTest, EmptyVariableCountsAsUnset) {
    environment_["PORT"] = "";
    EXPECT_EQ(resolve()->port, 3000);
}

TEST_F(SettingsTest, ListsComeFromCommasAndFromArrays) {
    environment_["NOTSO_ALLOWED_HOSTS"] = "a.example,b.example";
    write_file("trusted_proxies = ['10.0.0.1', '10.0.0.2']\n");
    const auto settings = resolve();
    ASSERT_TRUE(settings) << settings.error().detail;
    EXPECT_THAT(settings->allowed_hosts, ElementsAre("a.example", "b.example"));
    EXPECT_THAT(settings->trusted_proxies, ElementsAre("10.0.0.1", "10.0.0.2"));
}

TEST_F(SettingsTest, BadNumbersNameTheirSourceAndTheRange) {
    for (const std::string bad :
         {"abc", "-1", "65536", "3000x", "1e3", " 80", "99999999999999999999"}) {
        environment_["PORT"] = bad;
        EXPECT_THAT(error_of(),
                    HasSubstr("PORT: \"" + bad + "\" is not a whole number from 0 to 65535"));
    }
}

TEST_F(SettingsTest, UnknownKeyIsRefusedWithItsLine) {
    write_file("host = '127.0.0.1'\n\nprot = 3000\n");
    EXPECT_THAT(error_of(),
                HasSubstr(file_.string() + ":3: unknown setting \"prot\"; known are model, "));
}

TEST_F(SettingsTest, FileErrorsNameFileAndLine) {
    write_file("host = 'x'\nport = \n");
    EXPECT_THAT(error_of(), HasSubstr(file_.string() + ":2: "));
    write_file("port = 3.5\n");
    EXPECT_THAT(error_of(),
                HasSubstr(file_.string() + ":1: port takes a string or a whole number"));
    write_file("\nport = 70000\n");
    EXPECT_THAT(error_of(), HasSubstr(file_.string() + ":2: \"70000\" is not"));
    write_file("[port]\nx = 1\n");
    EXPECT_THAT(error_of(), HasSubstr("port takes"));
}

TEST_F(SettingsTest, MissingSettingsFileThatWasNamedIsAnError) {
    std::filesystem::remove(file_);
    EXPECT_THAT(error_of(), HasSubstr("no such settings file"));
}

TEST_F(SettingsTest, BackendAndLogTakeOnlyKnownWords) {
    flags_["backend"] = {{"cloud"}, "--backend"};
    EXPECT_THAT(error_of(), HasSubstr("--backend: \"cloud\" is not one of local, remote, stub"));
    flags_.clear();
    environment_["NOTSO_LOG"] = "loud";
    EXPECT_THAT(error_of(), HasSubstr("NOTSO_LOG: log level \"loud\""));
}

TEST_F(SettingsTest, ARemoteBackendNeedsAPlainAddress) {
    flags_["backend"] = {{"remote"}, "--backend"};
    EXPECT_THAT(error_of(), HasSubstr("--remote-url"));
    environment_["NOTSO_REMOTE_URL"] = "https://gpu.example:8443/v1";
    EXPECT_EQ(resolve()->remote_url->host_label(), "gpu.example:8443");
    EXPECT_EQ(resolve()->backend, BackendKind::kRemote);
    for (const std::string bad : {"https://ada:p4ss@gpu.example/v1",
                                  "file:///p4ss",
                                  "gpu.example",
                                  "https://gpu.example/v1?key=p4ss"}) {
        environment_["NOTSO_REMOTE_URL"] = bad;
        EXPECT_THAT(error_of(), HasSubstr("NOTSO_REMOTE_URL: the address"));
        EXPECT_THAT(error_of(), ::testing::Not(HasSubstr("p4ss")));
    }
}

TEST_F(SettingsTest, KvTypeComesFromEverySourceAndTakesOnlyItsTypes) {
    EXPECT_EQ(resolve()->kv, ml::KvType::kF16);
    write_file("kv = 'q8_0'\n");
    EXPECT_EQ(resolve()->kv, ml::KvType::kQ8_0);
    environment_["NOTSO_KV"] = "f32";
    EXPECT_EQ(resolve()->kv, ml::KvType::kF32);
    flags_["kv"] = {{"f16"}, "--kv"};
    EXPECT_EQ(resolve()->kv, ml::KvType::kF16);
    flags_["kv"] = {{"q4_0"}, "--kv"};
    EXPECT_THAT(error_of(), HasSubstr("--kv: \"q4_0\" is not one of f16, f32, q8_0"));
}

TEST_F(SettingsTest, PrecisionIsExactUnlessFastIsAskedFor) {
    EXPECT_EQ(resolve()->precision, ml::Precision::kExact);
    write_file("precision = 'fast'\n");
    EXPECT_EQ(resolve()->precision, ml::Precision::kFast);
    environment_["NOTSO_PRECISION"] = "exact";
    EXPECT_EQ(resolve()->precision, ml::Precision::kExact);
    flags_["kv_memory"] = {{"300"}, "--kv-memory"};
    flags_["draft"] = {{"0"}, "--draft"};
    EXPECT_EQ(resolve()->kv_memory_mb, 300);
    EXPECT_EQ(resolve()->max_draft, 0);
    flags_["draft"] = {{"64"}, "--draft"};
    EXPECT_THAT(error_of(), HasSubstr("--draft: \"64\" is not a whole number from 0 to 63"));
    flags_.erase("draft");
    flags_["precision"] = {{"faster"}, "--precision"};
    EXPECT_THAT(error_of(), HasSubstr("--precision: \"faster\" is not one of exact, fast"));
}

TEST_F(SettingsTest, BackgroundIsOnOrOff) {
    EXPECT_EQ(resolve()->background, std::nullopt) << "the backend decides";
    environment_["NOTSO_BACKGROUND"] = "off";
    EXPECT_EQ(resolve()->background, false);
    flags_["background"] = {{"on"}, "--background"};
    EXPECT_EQ(resolve()->background, true);
    flags_["background"] = {{"yes"}, "--background"};
    EXPECT_THAT(error_of(), HasSubstr("--background: \"yes\" is not one of on, off"));
}

TEST_F(SettingsTest, CutAnswersGoOnUnlessTheyShallBeMarked) {
    EXPECT_TRUE(resolve()->continue_unfinished);
    flags_["unfinished"] = {{"mark"}, "--unfinished"};
    EXPECT_FALSE(resolve()->continue_unfinished);
    flags_["unfinished"] = {{"stop"}, "--unfinished"};
    EXPECT_THAT(error_of(), HasSubstr("--unfinished: \"stop\" is not one of continue, mark"));
}

TEST_F(SettingsTest, AThinkingBudgetIsANumberOfTokens) {
    EXPECT_EQ(resolve()->thinking_budget, 0);
    flags_["thinking_budget"] = {{"2048"}, "--thinking-budget"};
    EXPECT_EQ(resolve()->thinking_budget, 2048);
    flags_["thinking_budget"] = {{"131073"}, "--thinking-budget"};
    EXPECT_THAT(resolve().error().detail, HasSubstr("--thinking-budget: \"131073\""));
}

TEST_F(SettingsTest, ToolsAreNamedOrNone) {
    EXPECT_EQ(resolve()->tools, std::nullopt) << "the usual ones";
    write_file("tools = [\"calculator\"]\n");
    EXPECT_EQ(resolve()->tools, std::vector<std::string>{"calculator"});
    flags_["tools"] = {{"none"}, "--tools"};
    EXPECT_EQ(resolve()->tools, std::vector<std::string>{});
    flags_["tools"] = {{"calculator,abacus"}, "--tools"};
    EXPECT_THAT(error_of(), HasSubstr("--tools: \"abacus\" is not a tool; there are: calculator"));
}

TEST_F(SettingsTest, DataFolderFollowsXdg) {
    environment_["HOME"] = "/home/ada";
    EXPECT_EQ(resolve()->data_dir, "/home/ada/.local/share/notso");
    environment_["XDG_DATA_HOME"] = "/data";
    EXPECT_EQ(resolve()->data_dir, "/data/notso");
    environment_["XDG_DATA_HOME"] = "relative";
    EXPECT_EQ(resolve()->data_dir, "/home/ada/.local/share/notso");
}

TEST(SettingTable, KeysFlagsAndVariablesAreUnique) {
    std::map<std::string, int> seen;
    for (const SettingRow& row : setting_table()) {
        EXPECT_EQ(seen[row.key]++, 0) << row.key;
        EXPECT_EQ(seen[row.flag]++, 0) << row.flag;
        for (const char* name : row.environment) EXPECT_EQ(seen[name]++, 0) << name;
    }
}

}  // namespace
}  // namespace notso::app
