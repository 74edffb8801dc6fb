#include "services/process/child.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <semaphore>
#include <thread>

namespace notso::services {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ChildOptions shell(std::string script) {
    return {.program = "sh", .arguments = {"-c", std::move(script)}};
}

RunLimits within(std::chrono::milliseconds time = std::chrono::seconds(30)) {
    return {.max_output_bytes = 100'000, .deadline = SteadyClock::now() + time};
}

TEST(ChildTest, RunsAProgramWithoutAShell) {
    const auto out = run_to_end({.program = "echo", .arguments = {"a b", "$HOME;`x`"}}, within());
    ASSERT_TRUE(out.has_value()) << out.error().detail;
    EXPECT_EQ(out->output, "a b $HOME;`x`\n");
    EXPECT_EQ(out->status, 0);
    const auto failed = run_to_end(shell("echo oops >&2; exit 3"), within());
    ASSERT_TRUE(failed.has_value());
    EXPECT_EQ(failed->status, 3);
    EXPECT_EQ(failed->error, "oops\n");
}

TEST(ChildTest, InheritsNothing) {
    const int open_file = ::open("/dev/null", O_RDONLY);  // not close-on-exec
    ASSERT_GE(open_file, 3);
    ::setenv("NOTSO_API_KEY", "s3cret", 1);
    auto options = shell("ls /proc/self/fd | wc -l; env");
    options.environment = {"GIVEN=yes"};
    const auto out = run_to_end(options, within());
    ::unsetenv("NOTSO_API_KEY");
    ::close(open_file);
    ASSERT_TRUE(out.has_value());
    EXPECT_THAT(out->output, HasSubstr("4\n")) << "three streams, and the one that ls opened";
    EXPECT_THAT(out->output, HasSubstr("GIVEN=yes"));
    EXPECT_THAT(out->output, Not(HasSubstr("s3cret")));
}

TEST(ChildTest, SaysWhatCantBeStarted) {
    const auto missing = run_to_end({.program = "no-such-program"}, within());
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
    EXPECT_FALSE(run_to_end({.program = "/etc"}, within()).has_value());
}

TEST(ChildTest, EndsWhatTakesTooMuch) {
    const auto code = [](const Result<ChildOutput>& out) {
        return out ? ErrorCode::kInternal : out.error().code;
    };
    EXPECT_EQ(code(run_to_end(shell("sleep 1000"), within(std::chrono::milliseconds(50)))),
              ErrorCode::kTimeout);
    EXPECT_EQ(code(run_to_end(shell("yes"), within())), ErrorCode::kTooLarge);
    std::stop_source stop;
    stop.request_stop();
    RunLimits stopped = within();
    stopped.stop = stop.get_token();
    EXPECT_EQ(code(run_to_end(shell("sleep 1000"), stopped)), ErrorCode::kCancelled);
    const auto quiet = run_to_end(shell("yes | head -c 1000000 >&2; echo done"), within());
    ASSERT_TRUE(quiet.has_value());
    EXPECT_LE(quiet->error.size(), 4096U);
    auto small = shell("head -c 300000000 /dev/zero | tail -c 200000000 | wc -c");
    small.max_memory_bytes = 64 << 20;
    const auto starved = run_to_end(small, within());
    ASSERT_TRUE(starved.has_value());
    EXPECT_THAT(starved->output, Not(HasSubstr("200000000")));
}

TEST(ChildTest, ConfinedItWritesNoFilesAndHasNoNetworkWhereThatCanBeTaken) {
    const auto probe =
        run_to_end({.program = "unshare", .arguments = {"-U", "-n", "true"}}, within());
    const bool can_be_taken = probe && probe->status == 0;
    // As in the server, one more thread. Only a process of one thread gets a network of its own,
    // and ThreadSanitizer starts a thread in the child of a program that has a single one.
    std::binary_semaphore done(0);
    const std::jthread other([&] { done.acquire(); });
    const std::string path = testing::TempDir() + fmt::format("confined-{}", ::getpid());
    auto options = shell("readlink /proc/self/ns/net; echo x > " + path + "; wc -c < " + path);
    const auto free = run_to_end(options, within());
    options.confined = true;
    const auto confined = run_to_end(options, within());
    done.release();
    ::unlink(path.c_str());
    ASSERT_TRUE(free.has_value() && confined.has_value());
    EXPECT_THAT(free->output, HasSubstr("\n2\n"));
    EXPECT_THAT(confined->output, Not(HasSubstr("\n2\n")));
    const auto network = [](const ChildOutput& out) {
        return out.output.substr(0, out.output.find('\n'));
    };
    EXPECT_THAT(network(*confined), HasSubstr("net:["));
    EXPECT_EQ(network(*confined) != network(*free), can_be_taken);
}

TEST(ChildTest, KillsTheWholeGroup) {
    pid_t grandchild = 0;
    {
        auto child = ChildProcess::start(shell("sleep 1000 & echo $!; wait"));
        ASSERT_TRUE(child.has_value());
        std::string text;
        while (!text.ends_with('\n')) {
            char c = 0;
            if (::read(child->output_fd(), &c, 1) == 1) text += c;
        }
        grandchild = std::stoi(text);
        EXPECT_EQ(::kill(grandchild, 0), 0);
    }
    // Killed; whoever adopts orphans collects it in its own time.
    const auto is_running = [&] {
        const auto state =
            run_to_end(shell(fmt::format("cat /proc/{}/stat", grandchild)), within());
        return state && !state->output.empty() && state->output.find(") Z ") == std::string::npos;
    };
    while (is_running()) continue;
}

}  // namespace
}  // namespace notso::services
