// The command line: exit codes and one-line errors.
#include "app/cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace notso::app {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Outcome {
    int code;
    std::string out;
    std::string err;
};

Outcome run(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "notso");
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = run_cli(static_cast<int>(arguments.size()), arguments.data());
    std::string out = ::testing::internal::GetCapturedStdout();
    return {code, std::move(out), ::testing::internal::GetCapturedStderr()};
}

void expect_one_line(const std::string& err) {
    EXPECT_THAT(err, StartsWith("notso: "));
    EXPECT_THAT(err, EndsWith("\n"));
    EXPECT_EQ(std::ranges::count(err, '\n'), 1) << err;
}

TEST(Cli, WrongUseExits2WithOneLine) {
    for (const auto& arguments :
         std::vector<std::vector<const char*>>{{},
                                               {"frobnicate"},
                                               {"models", "--frobnicate"},
                                               {"models", "extra"},
                                               {"models", "--models-dir"}}) {
        const Outcome outcome = run(arguments);
        EXPECT_EQ(outcome.code, kExitUsage);
        expect_one_line(outcome.err);
        EXPECT_EQ(outcome.out, "");
    }
}

TEST(Cli, EveryCommandDeclaresItsOptions) {
    // An option that a command has and the settings have too is refused only when it is declared.
    for (const char* command : {"serve",
                                "chat",
                                "run",
                                "tokenize",
                                "detokenize",
                                "render",
                                "logits",
                                "perplexity",
                                "inspect",
                                "quantize",
                                "bench",
                                "doctor",
                                "models"}) {
        const Outcome outcome = run({command, "--help"});
        EXPECT_EQ(outcome.code, kExitOk) << outcome.err;
        EXPECT_THAT(outcome.out, HasSubstr("Usage: notso ")) << command;
    }
}

TEST(Cli, BadFlagValueExits2AndNamesTheFlag) {
    const Outcome outcome = run({"models", "--log", "loud"});
    EXPECT_EQ(outcome.code, kExitUsage);
    expect_one_line(outcome.err);
    EXPECT_THAT(outcome.err, HasSubstr("--log"));
}

TEST(Cli, AFlagTakesOneValueAndNoMore) {
    const Outcome outcome = run({"run", "--kv", "f16", "hello"});
    EXPECT_EQ(outcome.code, kExitUsage);
    EXPECT_THAT(outcome.err, HasSubstr("not expected: hello"));
}

TEST(Cli, MissingSettingsFileExits1) {
    const Outcome outcome = run({"models", "--config", "/no/such/notso.toml"});
    EXPECT_EQ(outcome.code, kExitFailed);
    expect_one_line(outcome.err);
}

TEST(Cli, HelpAndVersionExit0) {
    EXPECT_EQ(run({"--help"}).code, kExitOk);
    EXPECT_EQ(run({"models", "--help"}).code, kExitOk);
    EXPECT_THAT(run({"--version"}).out, StartsWith("notso "));
}

TEST(Cli, ErrorsStayOnOneLineWhateverTheDetail) {
    ::testing::internal::CaptureStderr();
    print_error("a\nb\r\nc");
    expect_one_line(::testing::internal::GetCapturedStderr());
}

TEST(Cli, EmptyModelsFolderIsNoError) {
    const Outcome outcome = run({"models", "--models-dir", "/no/such/folder"});
    EXPECT_EQ(outcome.code, kExitOk);
    EXPECT_EQ(run({"models", "--models-dir", "/no/such/folder", "--json"}).out, "[]\n");
}

}  // namespace
}  // namespace notso::app
