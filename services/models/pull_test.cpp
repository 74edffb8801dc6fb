// pull_model against a hub with every fault that networks have. Whatever happens: what is installed
// is the whole, right file, and nothing else ever takes its name.
#include "services/models/pull.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "base/bytes.hpp"
#include "ml/model/golden_models.hpp"
#include "services/models/fake_hub.hpp"
#include "services/models/part_file.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string content(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return (std::ostringstream() << in.rdbuf()).str();
}

const std::string& tiny_model() {
    static const std::string kModel = content(ml::test::golden_model("tiny_llama"));
    return kModel;
}

struct PullTest : ::testing::Test {
    PullTest() {
        options.retry_delay = std::chrono::milliseconds(0);
        options.tries = 4;
        options.room = {[](const auto&) { return Result<std::uint64_t>(std::uint64_t{1} << 40); },
                        [] { return std::uint64_t{1} << 40; }};
        hooks.on_note = [this](const std::string& line) { notes += line + "\n"; };
    }

    Result<PulledModel> pull(bool pointer = true) {
        PullRequest request{hub.source(pointer), folder.path()};
        request.sha256 = sha256;
        request.force = force;
        return pull_model(request, hooks, options);
    }
    /// The error of a pull that must fail.
    Error refused(bool pointer = true) {
        const auto result = pull(pointer);
        EXPECT_FALSE(result);
        EXPECT_FALSE(fs::exists(target)) << "a file that is not right took the name";
        return result ? Error{} : result.error();
    }
    void expect_installed(const Result<PulledModel>& result, const std::string& what) {
        ASSERT_TRUE(result) << result.error().detail;
        EXPECT_EQ(content(target), what);
        EXPECT_EQ(result->sha256, sha256_of(what));
        EXPECT_FALSE(fs::exists(part)) << "nothing is left beside it";
        EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
    }

    TempDirectory folder;
    fs::path target = folder.path() / "tiny.gguf";
    fs::path part = folder.path() / "tiny.gguf.part";
    FakeHub hub{tiny_model()};
    PullOptions options;
    PullHooks hooks;
    std::string notes;
    std::string sha256;
    bool force = false;
};

TEST_F(PullTest, FetchesChecksInstalls) {
    std::vector<PullProgress> seen;
    hooks.on_progress = [&](const PullProgress& progress) { seen.push_back(progress); };
    const auto result = pull();
    expect_installed(result, tiny_model());
    EXPECT_TRUE(result->verified);
    EXPECT_FALSE(result->was_there);
    EXPECT_EQ(seen.front().stage, PullStage::kAsking);
    EXPECT_EQ(seen.back().stage, PullStage::kChecking);
    EXPECT_EQ(seen.back().done, tiny_model().size());
    EXPECT_EQ(seen.back().total, tiny_model().size());
    EXPECT_THAT(notes, HasSubstr("in memory: weights"));
}

TEST_F(PullTest, ASecondTimeFetchesNothing) {
    ASSERT_TRUE(pull());
    const auto again = pull();
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_TRUE(again->was_there);
    EXPECT_THAT(hub.starts(), ElementsAre(0));
}

TEST_F(PullTest, AnotherFileOfThatNameStays) {
    std::ofstream(target) << "mine";
    const auto result = pull();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kAlreadyExists);
    EXPECT_THAT(result.error().detail, HasSubstr(sha256_of("mine")));
    EXPECT_THAT(result.error().detail, HasSubstr(sha256_of(tiny_model())));
    EXPECT_EQ(content(target), "mine");
    EXPECT_EQ(pull(false).error().code, ErrorCode::kAlreadyExists) << "also without a hash";
    EXPECT_EQ(content(target), "mine");
    EXPECT_TRUE(hub.starts().empty());
}

TEST_F(PullTest, GoesOnWhereverItWasCut) {
    for (std::size_t cut = 0; cut < tiny_model().size(); cut += 7919) {
        fs::remove(target);
        const std::size_t before = hub.starts().size();
        hub.change([&] { hub.faults = {{.cut = cut}, {.cut = 1}}; });
        expect_installed(pull(), tiny_model());
        const auto starts = hub.starts();
        EXPECT_EQ(starts.at(before), 0U);
        EXPECT_EQ(starts.at(before + 1), cut);
        EXPECT_EQ(starts.at(before + 2), cut + 1);
    }
}

TEST_F(PullTest, AnotherRunGoesOnAndSoDoesOneWithoutAPointer) {
    for (const bool pointer : {true, false}) {
        fs::remove(target);
        options.tries = 1;
        hub.change([&] { hub.faults = {{.cut = 5000}}; });
        EXPECT_EQ(refused(pointer).code, ErrorCode::kUnavailable);
        EXPECT_EQ(fs::file_size(part), 5000U);
        const auto result = pull(pointer);
        expect_installed(result, tiny_model());
        EXPECT_EQ(result->verified, pointer);
        EXPECT_EQ(hub.starts().back(), 5000U);
    }
    EXPECT_THAT(hub.requests().back(), HasSubstr("If-Range: \"v1\"\r\n"));
}

TEST_F(PullTest, AChangedFileIsBegunAgain) {
    const std::string other = content(ml::test::golden_model("tiny_qwen2"));
    for (const bool heeds : {true, false}) {
        fs::remove(target);
        hub.change([&] {
            hub.data = tiny_model();
            hub.etag = "\"v1\"";
            hub.heeds_if_range = heeds;
            hub.faults = {{.cut = 5000}};
        });
        options.tries = 1;
        EXPECT_EQ(refused(false).code, ErrorCode::kUnavailable);
        hub.change([&] {
            hub.data = other;
            hub.etag = "\"v2\"";
        });
        options.tries = 4;
        expect_installed(pull(false), other);
    }
}

TEST_F(PullTest, AServerWithoutRangesSendsAllAgain) {
    hub.ranges = false;
    hub.faults = {{.cut = 5000}};
    expect_installed(pull(), tiny_model());
    EXPECT_THAT(hub.starts(), ElementsAre(0, 5000)) << "asked for the rest, got all";
}

TEST_F(PullTest, WithoutETagOnlyAKnownHashLetsItGoOn) {
    hub.etag = "";
    hub.faults = {{.cut = 5000}, {.cut = 5000}};
    expect_installed(pull(), tiny_model());
    EXPECT_THAT(hub.starts(), ElementsAre(0, 5000, 10000));
    fs::remove(target);
    hub.change([&] { hub.faults = {{.cut = 5000}}; });
    expect_installed(pull(false), tiny_model());
    EXPECT_EQ(hub.starts().back(), 0U);
}

TEST_F(PullTest, ContradictingRangesAreBegunAgain) {
    for (const char* range : {"Content-Range: bytes 4999-94975/94976\r\n",
                              "Content-Range: bytes 5000-94975/94977\r\n",
                              "Content-Range: bytes 5000-94974/94976\r\n",
                              "Content-Range: bytes */94976\r\n",
                              "X: y\r\n"}) {
        fs::remove(target);
        hub.change([&] { hub.faults = {{.cut = 5000}, {.content_range = range}}; });
        expect_installed(pull(), tiny_model());
        EXPECT_EQ(hub.starts().back(), 0U) << range;
    }
    EXPECT_EQ(tiny_model().size(), 94976U) << "the ranges above are about this file";
}

TEST_F(PullTest, AWrongHashLeavesNothing) {
    sha256 = std::string(64, '0');
    for (int run = 0; run < 2; ++run) {
        const Error error = refused(false);
        EXPECT_EQ(error.code, ErrorCode::kCorruptData);
        EXPECT_THAT(error.detail, HasSubstr(sha256));
        EXPECT_THAT(error.detail, HasSubstr(sha256_of(tiny_model())));
        EXPECT_TRUE(fs::is_empty(folder.path()));
    }
}

TEST_F(PullTest, ATamperedRestIsSeen) {
    options.tries = 1;
    hub.faults = {{.cut = 50'000}};
    EXPECT_EQ(refused().code, ErrorCode::kUnavailable);
    sha256 = sha256_of(tiny_model());
    hub.change([&] { hub.data[60'000] ^= 1; });
    EXPECT_EQ(refused().code, ErrorCode::kCorruptData);
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST_F(PullTest, AWebPageIsRefusedAtItsFirstBytes) {
    hub.data = "<!DOCTYPE html><title>Sign in</title>" + std::string(2'000'000, ' ');
    const Error error = refused(false);
    EXPECT_EQ(error.code, ErrorCode::kCorruptData);
    EXPECT_THAT(error.detail, HasSubstr("<!DOCTYPE html>"));
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST_F(PullTest, AHalfModelIsNoModel) {
    hub.data = tiny_model().substr(0, tiny_model().size() / 2);
    EXPECT_EQ(refused().code, ErrorCode::kCorruptData) << "though its hash is right";
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST_F(PullTest, PointersThatAreNone) {
    for (const std::string& text : {std::string("<html>sign in</html>"),
                                    std::string("oid sha256:zz\nsize 5\n"),
                                    "oid sha256:" + std::string(64, '0'),
                                    std::string("size 5\n"),
                                    std::string(9000, 'x')}) {
        hub.change([&] { hub.pointer = text; });
        EXPECT_EQ(refused().code, ErrorCode::kCorruptData) << text.substr(0, 80);
    }
    hub.change(
        [&] { hub.pointer = fmt::format("oid sha256:{}\nsize 17\n", sha256_of(tiny_model())); });
    const Error error = refused();
    EXPECT_THAT(error.detail, HasSubstr("has 94976 bytes, the hub's pointer names 17"));
}

TEST_F(PullTest, StatusesThatPassAndThoseThatDont) {
    hub.faults = {{.status = 503}, {.status = 429}};
    expect_installed(pull(), tiny_model());
    fs::remove(target);
    for (const int status : {404, 403, 410, 204}) {
        hub.change([&] { hub.faults = {{.status = status}}; });
        const std::size_t before = hub.starts().size();
        EXPECT_THAT(refused().detail, HasSubstr(std::to_string(status)));
        EXPECT_EQ(hub.starts().size(), before + 1);
    }
    hub.change([&] { hub.faults = {{}, {}}; });
}

TEST_F(PullTest, GivesUpAndKeepsWhatCame) {
    hub.faults = {{.cut = 300}, {.cut = 300}, {.cut = 300}, {.cut = 300}, {.cut = 300}};
    const Error error = refused();
    EXPECT_EQ(error.code, ErrorCode::kUnavailable);
    EXPECT_THAT(error.detail, HasSubstr("start again to go on"));
    EXPECT_EQ(fs::file_size(part), 1200U) << "four tries";
}

TEST_F(PullTest, StopKeepsThePartAndSaysHowToGoOn) {
    std::stop_source stop;
    hooks.stop = stop.get_token();
    hub.half_way = [&] { stop.request_stop(); };
    const Error error = refused();
    EXPECT_EQ(error.code, ErrorCode::kCancelled);
    hub.change([&] { hub.half_way = {}; });
    hooks.stop = {};
    expect_installed(pull(), tiny_model());
}

TEST_F(PullTest, ALengthMustBeKnown) {
    hub.length = false;
    expect_installed(pull(), tiny_model());
    fs::remove(target);
    EXPECT_EQ(refused(false).code, ErrorCode::kUnsupported);
}

TEST_F(PullTest, RoomIsCheckedBeforeAnythingIsWritten) {
    const MachineRoom enough = options.room;
    options.room.disk_bytes = [](const auto&) { return Result<std::uint64_t>(100 * kMiB); };
    EXPECT_EQ(refused().code, ErrorCode::kTooLarge);
    options.room = enough;
    options.room.memory_bytes = [] { return std::uint64_t{1000}; };
    EXPECT_EQ(refused().code, ErrorCode::kOutOfMemory) << "by its size";
    options.room.memory_bytes = [] { return 5 * kMiB; };
    EXPECT_EQ(refused().code, ErrorCode::kOutOfMemory) << "by its header";
    EXPECT_TRUE(fs::is_empty(folder.path()));
    force = true;
    expect_installed(pull(), tiny_model());
}

TEST_F(PullTest, AFullDiskKeepsWhatFitted) {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    rlimit small = before;
    small.rlim_cur = 20'000;
    ::setrlimit(RLIMIT_FSIZE, &small);
    const auto result = pull();
    ::setrlimit(RLIMIT_FSIZE, &before);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kIo);
    EXPECT_EQ(fs::file_size(part), 20'000U);
    EXPECT_FALSE(fs::exists(target));
    expect_installed(pull(), tiny_model());
    EXPECT_THAT(hub.starts(), ElementsAre(0, 20'000));
}

TEST_F(PullTest, OneAtATime) {
    const auto held = PartFile::open(target);
    ASSERT_TRUE(held);
    EXPECT_EQ(refused().code, ErrorCode::kBusy);
}

TEST_F(PullTest, AForeignPartIsNotUsed) {
    std::ofstream(part) << std::string(5000, 'x');
    expect_installed(pull(), tiny_model());
    EXPECT_THAT(hub.starts(), ElementsAre(0));
}

}  // namespace
}  // namespace notso::services
