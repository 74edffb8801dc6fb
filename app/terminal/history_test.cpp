// What was typed is there again in the next run, in a file that is bounded and private.
#include "app/terminal/history.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "services/session/temp_directory.hpp"

namespace notso::app {
namespace {

namespace fs = std::filesystem;

class HistoryTest : public testing::Test {
  protected:
    std::vector<std::string> load() {
        auto loaded = History(path_).load();
        EXPECT_TRUE(loaded) << loaded.error().detail;
        return loaded.value_or(std::vector<std::string>());
    }
    void write(const std::string& text) {
        fs::create_directories(path_.parent_path());
        std::ofstream(path_) << text;
    }

    services::TempDirectory directory_;
    const fs::path path_ = directory_.path() / "data" / "terminal_history";
};

TEST_F(HistoryTest, ComesBackInItsOrder) {
    EXPECT_TRUE(load().empty());
    const std::vector<std::string> typed = {
        "hello", "two\nlines", "a \\ and \\n", "naïve 日本", "ends in \\", "/new"};
    History history(path_);
    for (const std::string& entry : typed) EXPECT_TRUE(history.add(entry));
    EXPECT_TRUE(history.add("/new"));
    EXPECT_TRUE(history.add(""));
    EXPECT_EQ(load(), typed);
    struct stat about{};
    ASSERT_EQ(::stat(path_.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0600U);
    ASSERT_EQ(::stat(path_.parent_path().c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0700U);
}

TEST_F(HistoryTest, TwoProgramsAddToIt) {
    History one(path_);
    History two(path_);
    EXPECT_TRUE(one.add("first"));
    EXPECT_TRUE(two.add("second"));
    EXPECT_TRUE(one.add("third"));
    EXPECT_EQ(load(), (std::vector<std::string>{"first", "second", "third"}));
}

TEST_F(HistoryTest, IsBounded) {
    History history(path_);
    EXPECT_TRUE(history.add(std::string(History::kMaxEntryBytes + 1, 'a')));
    EXPECT_FALSE(fs::exists(path_));
    std::string text;
    for (int i = 0; i < 60'000; ++i) text += "entry number " + std::to_string(i) + "\n";
    ASSERT_GT(text.size(), History::kMaxFileBytes);
    write(text);
    auto entries = load();
    EXPECT_EQ(entries.size(), History::kMaxEntries);
    EXPECT_EQ(entries.back(), "entry number 59999");
    EXPECT_LE(fs::file_size(path_), History::kMaxFileBytes / 2);
    EXPECT_EQ(load(), entries);
    EXPECT_EQ(std::distance(fs::directory_iterator(path_.parent_path()), {}), 1);
}

TEST_F(HistoryTest, HostileFilesHarmNobody) {
    write("\x1b[31mred\x1b[0m\n\n\xff\xfe\nlast \\");
    EXPECT_EQ(load(), (std::vector<std::string>{"[31mred[0m"}));
    write(std::string(3 << 20, 'x'));
    EXPECT_TRUE(load().empty());
    fs::remove(path_);
    const fs::path other = directory_.path() / "other";
    std::ofstream(other) << "secret\n";
    fs::create_symlink(other, path_);
    History history(path_);
    const auto loaded = history.load();
    ASSERT_FALSE(loaded);
    EXPECT_TRUE(loaded.error().detail.contains(path_.string())) << loaded.error().detail;
    EXPECT_TRUE(loaded.error().detail.contains("--no-history"));
    EXPECT_TRUE(history.add("typed")) << "said once";
    EXPECT_EQ(fs::file_size(other), 7U);
}

TEST_F(HistoryTest, WhatCantBeWrittenIsSaidOnce) {
    std::ofstream(directory_.path() / "data") << "a file in the way";
    History history(path_);
    EXPECT_FALSE(history.add("one"));
    EXPECT_TRUE(history.add("two"));
}

}  // namespace
}  // namespace notso::app
