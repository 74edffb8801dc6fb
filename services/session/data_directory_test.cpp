#include "services/session/data_directory.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

namespace fs = std::filesystem;

unsigned mode_of(const fs::path& path) {
    struct stat info{};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 0777U;
}

TEST(DataDirectory, IsMadeForItsOwnerOnly) {
    const TempDirectory temp;
    const fs::path path = temp.path() / "a" / "b";
    const auto directory = DataDirectory::open(path);
    ASSERT_TRUE(directory) << directory.error().detail;
    EXPECT_EQ(mode_of(path), 0700U);
    const auto store = directory->open_store();
    ASSERT_TRUE(store) << store.error().detail;
    EXPECT_EQ(mode_of(path / "notso.db"), 0600U);
    EXPECT_EQ(mode_of(path / "notso.db-wal"), 0600U);
    EXPECT_EQ(mode_of(path / "notso.lock"), 0600U);
}

TEST(DataDirectory, RefusesASecondOwnerAndNamesTheFirst) {
    const TempDirectory temp;
    {
        const auto first = DataDirectory::open(temp.path());
        ASSERT_TRUE(first);
        const auto second = DataDirectory::open(temp.path());
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, ErrorCode::kBusy);
        EXPECT_NE(second.error().detail.find(std::to_string(getpid())), std::string::npos);
        EXPECT_NE(second.error().detail.find(temp.path().string()), std::string::npos);
        EXPECT_NE(second.error().detail.find("--data-dir"), std::string::npos);
    }
    EXPECT_TRUE(DataDirectory::open(temp.path())) << "free again";
}

TEST(DataDirectory, IsFreeAgainWhenItsOwnerDies) {
    const TempDirectory temp;
    const pid_t child = fork();
    if (child == 0) {
        const auto held = DataDirectory::open(temp.path());
        _exit(held ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    EXPECT_TRUE(DataDirectory::open(temp.path()));
}

TEST(DataDirectory, SaysWhenAFileStandsInTheWay) {
    const TempDirectory temp;
    std::ofstream(temp.path() / "file") << "x";
    for (const fs::path& path : {temp.path() / "file", temp.path() / "file" / "below"}) {
        const auto directory = DataDirectory::open(path);
        ASSERT_FALSE(directory);
        EXPECT_EQ(directory.error().code, ErrorCode::kInvalidArgument) << directory.error().detail;
        EXPECT_NE(directory.error().detail.find(path.string()), std::string::npos);
    }
}

TEST(DataDirectory, SaysWhenItCannotBeMade) {
    const auto directory = DataDirectory::open("/proc/notso-data");  // not even root may
    ASSERT_FALSE(directory);
    EXPECT_NE(directory.error().detail.find("/proc/notso-data"), std::string::npos);
}

TEST(DataDirectory, ReadOnlyIsDenied) {
    const TempDirectory temp;
    ASSERT_EQ(::chmod(temp.path().c_str(), 0555), 0);
    const pid_t child = fork();
    if (child == 0) {
        // Permissions do not bind root, so the child becomes somebody else first.
        constexpr uid_t kNobody = 65534;
        if (geteuid() == 0 && setuid(kNobody) != 0) _exit(2);
        const auto directory = DataDirectory::open(temp.path());
        const bool denied = !directory && directory.error().code == ErrorCode::kPermissionDenied;
        _exit(denied ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace notso::services
