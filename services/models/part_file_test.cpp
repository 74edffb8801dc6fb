// PartFile: what another run finds, the lock, and that a name is only given away whole.
#include "services/models/part_file.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

namespace fs = std::filesystem;

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string content(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return (std::ostringstream() << in.rdbuf()).str();
}

struct PartFileTest : ::testing::Test {
    PartFile open() {
        auto part = PartFile::open(target);
        EXPECT_TRUE(part) << part.error().detail;
        return *std::move(part);
    }
    TempDirectory folder;
    fs::path target = folder.path() / "m.gguf";
    fs::path part_path = folder.path() / "m.gguf.part";
    fs::path state_path = folder.path() / "m.gguf.part.json";
    PartState state{"http://h/m.gguf", "\"v\\1\"", 10};
};

TEST_F(PartFileTest, AnotherRunFindsBytesAndState) {
    {
        PartFile part = open();
        ASSERT_TRUE(part.begin(state));
        ASSERT_TRUE(part.append(bytes("0123")));
    }
    PartFile part = open();
    EXPECT_EQ(part.bytes(), 4U);
    EXPECT_EQ(part.state(), state);
    ASSERT_TRUE(part.append(bytes("456789")));
    EXPECT_EQ(part.read_start(5), "01234");
    EXPECT_EQ(part.read_start(99), "0123456789");
    ASSERT_TRUE(part.install());
    EXPECT_EQ(content(target), "0123456789");
    EXPECT_FALSE(fs::exists(part_path));
    EXPECT_FALSE(fs::exists(state_path));
}

TEST_F(PartFileTest, BeginDropsWhatWasThere) {
    PartFile part = open();
    ASSERT_TRUE(part.begin(state));
    ASSERT_TRUE(part.append(bytes("old")));
    ASSERT_TRUE(part.begin({"http://h/other", "", 3}));
    EXPECT_EQ(part.bytes(), 0U);
    ASSERT_TRUE(part.append(bytes("new")));
    EXPECT_EQ(content(part_path), "new");
}

TEST_F(PartFileTest, AStateThatCantBeReadBelongsToNothing) {
    const std::string good = R"({"url":"u","etag":"\"e\"","size":10})";
    for (const std::string& text : {std::string(),
                                    std::string("{"),
                                    std::string("[]"),
                                    good.substr(0, good.size() - 1),
                                    std::string(R"({"url":"u","etag":"e","size":-1})"),
                                    std::string(R"({"url":"u","etag":"e","size":0})"),
                                    std::string(R"({"url":"u","etag":"e","size":1.5})"),
                                    std::string(R"({"url":"u","etag":5,"size":10})"),
                                    std::string(R"({"url":"u","size":10})"),
                                    std::string(R"({"url":"u","etag":"e","size":2})"),
                                    std::string(20'000, ' ') + good}) {
        std::ofstream(part_path) << "0123";
        std::ofstream(state_path) << text;
        PartFile part = open();
        EXPECT_EQ(part.state(), PartState()) << text.substr(0, 50);
        EXPECT_EQ(part.bytes(), 4U);
    }
    std::ofstream(state_path) << good;
    EXPECT_EQ(open().state(), (PartState{"u", "\"e\"", 10}));
}

TEST_F(PartFileTest, OneAtATime) {
    {
        PartFile part = open();
        const auto second = PartFile::open(target);
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, ErrorCode::kBusy);
        ASSERT_TRUE(part.begin(state));
        ASSERT_TRUE(part.append(bytes("x")));
    }
    EXPECT_EQ(open().bytes(), 1U);
}

TEST_F(PartFileTest, AnEmptyPartLeavesNothing) {
    {
        PartFile part = open();
        ASSERT_TRUE(part.begin(state));
    }
    EXPECT_TRUE(fs::is_empty(folder.path()));
    PartFile part = open();
    part.discard();
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST_F(PartFileTest, NeverOverAFileThatIsThere) {
    PartFile part = open();
    ASSERT_TRUE(part.begin(state));
    ASSERT_TRUE(part.append(bytes("new")));
    std::ofstream(target) << "installed";
    const auto installed = part.install();
    ASSERT_FALSE(installed);
    EXPECT_EQ(installed.error().code, ErrorCode::kAlreadyExists);
    EXPECT_EQ(content(target), "installed");
}

TEST_F(PartFileTest, LinksAndFoldersAreRefused) {
    fs::create_symlink(folder.path() / "elsewhere", part_path);
    EXPECT_FALSE(PartFile::open(target));
    EXPECT_FALSE(fs::exists(folder.path() / "elsewhere"));
    fs::remove(part_path);
    fs::create_directory(part_path);
    EXPECT_FALSE(PartFile::open(target));
    EXPECT_FALSE(PartFile::open(folder.path() / "none" / "m.gguf"));
}

}  // namespace
}  // namespace notso::services
