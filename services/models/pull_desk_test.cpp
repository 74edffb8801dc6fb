// PullDesk: start, look, cancel, go on; one at a time; no addresses.
#include "services/models/pull_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "ml/model/golden_models.hpp"
#include "services/models/fake_hub.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

using State = PullStatus::State;
using ::testing::HasSubstr;

struct PullDeskTest : ::testing::Test {
    PullDeskTest() {
        std::ifstream in(ml::test::golden_model("tiny_llama"), std::ios::binary);
        hub.change([&] { hub.data = (std::ostringstream() << in.rdbuf()).str(); });
        options.folder = folder.path() / "models";
        options.hub = hub.source().url.substr(0, hub.source().url.find("/o/r/"));
        options.on_installed = [this] { ++installed; };
        options.pull.retry_delay = std::chrono::milliseconds(0);
        options.pull.tries = 2;
        options.pull.room = {
            [](const auto&) { return Result<std::uint64_t>(std::uint64_t{1} << 40); },
            [] { return std::uint64_t{1} << 40; }};
    }

    bool wait_for(PullDesk& desk, State state) {
        for (int i = 0; i < 10'000 && desk.status().state != state; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return desk.status().state == state;
    }

    TempDirectory folder;
    FakeHub hub{""};
    PullDeskOptions options;
    std::atomic<int> installed = 0;
};

TEST_F(PullDeskTest, FetchesAndTells) {
    PullDesk desk(options);
    EXPECT_EQ(desk.status().state, State::kNone);
    EXPECT_EQ(desk.room().disk_bytes, std::uint64_t{1} << 40) << "before the folder is there";
    ASSERT_TRUE(desk.start("o/r/tiny.gguf"));
    ASSERT_TRUE(wait_for(desk, State::kInstalled)) << desk.status().error.detail;
    EXPECT_EQ(desk.status().file_name, "tiny.gguf");
    EXPECT_EQ(installed, 1);
    EXPECT_TRUE(std::filesystem::exists(options.folder / "tiny.gguf"));
}

TEST_F(PullDeskTest, CancelKeepsWhatCameAndStartGoesOn) {
    PullDesk desk(options);
    std::promise<void> reached;
    std::promise<void> go_on;
    hub.change([&] {
        hub.half_way = [&, waiting = go_on.get_future().share()] {
            reached.set_value();
            waiting.wait();
        };
    });
    ASSERT_TRUE(desk.start("o/r/tiny.gguf"));
    reached.get_future().wait();
    for (int i = 0; i < 10'000 && desk.status().progress.done == 0; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(desk.status().progress.total, hub.data.size());
    const auto second = desk.start("smollm3");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kBusy);
    desk.cancel();
    ASSERT_TRUE(wait_for(desk, State::kCancelled));
    EXPECT_THAT(desk.status().error.detail, HasSubstr("it is kept"));
    EXPECT_TRUE(std::filesystem::exists(options.folder / "tiny.gguf.part"));
    EXPECT_EQ(installed, 0);
    go_on.set_value();
    hub.change([&] { hub.half_way = {}; });
    ASSERT_TRUE(desk.start("o/r/tiny.gguf"));
    ASSERT_TRUE(wait_for(desk, State::kInstalled)) << desk.status().error.detail;
    EXPECT_GT(hub.starts().back(), 0U) << "it went on";
}

TEST_F(PullDeskTest, FailuresAreKeptUntilTheNextStart) {
    PullDesk desk(options);
    ASSERT_TRUE(desk.start("o/r/tiny.gguf"));
    ASSERT_TRUE(wait_for(desk, State::kInstalled));
    hub.change([&] { hub.faults = {{.status = 403}}; });
    ASSERT_TRUE(desk.start("o/r/other.gguf"));
    ASSERT_TRUE(wait_for(desk, State::kFailed));
    EXPECT_THAT(desk.status().error.detail, HasSubstr("403"));
    EXPECT_EQ(desk.status().file_name, "other.gguf");
}

TEST_F(PullDeskTest, AddressesAndNonsenseAreRefused) {
    PullDesk desk(options);
    for (const char* what : {"http://127.0.0.1:1/x.gguf", "https://h/x.gguf", "nonsense", ""})
        EXPECT_FALSE(desk.start(what)) << what;
    EXPECT_EQ(desk.status().state, State::kNone);
}

TEST_F(PullDeskTest, ItsEndStopsWhatRuns) {
    std::promise<void> reached;
    std::promise<void> go_on;
    hub.change([&] {
        hub.half_way = [&, waiting = go_on.get_future().share()] {
            reached.set_value();
            waiting.wait();
        };
    });
    {
        PullDesk desk(options);
        ASSERT_TRUE(desk.start("o/r/tiny.gguf"));
        reached.get_future().wait();
    }
    EXPECT_EQ(installed, 0);
    EXPECT_FALSE(std::filesystem::exists(options.folder / "tiny.gguf"));
    go_on.set_value();
}

}  // namespace
}  // namespace notso::services
