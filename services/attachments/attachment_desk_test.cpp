// Files on their way into the store: bounded, named, whole or not there at all.
#include "services/attachments/attachment_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/random.hpp"
#include "services/attachments/small_pdf.hpp"
#include "services/session/data_directory.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

using ::testing::HasSubstr;

constexpr auto kMost = static_cast<std::size_t>(kMaxAttachmentBytes);
const ConversationKey kNext(local_owner(), {});

class AttachmentDeskTest : public testing::Test {
  protected:
    /// The file stands between other bytes, as in a form.
    NewAttachment given(std::string_view bytes,
                        std::string name = "a.txt",
                        const ConversationKey& composer = kNext) {
        const std::filesystem::path path = temp_.path() / random_id();
        std::ofstream(path, std::ios::binary) << "before" << bytes << "after";
        return {composer, std::move(name), path, 6, 6 + bytes.size()};
    }
    Result<AttachedFile> take(const NewAttachment& file, Quota quota = {}) {
        DirectGate gate(*store_);
        return take_attachment(gate, file, quota, temp_.path() / "scratch");
    }
    std::string refusal(const NewAttachment& file, ErrorCode code, Quota quota = {}) {
        const auto taken = take(file, quota);
        if (taken) return "taken";
        EXPECT_EQ(taken.error().code, code) << taken.error().detail;
        return taken.error().detail;
    }
    std::size_t n_stored() { return store_->composer_files(kNext)->size(); }

    const TempDirectory temp_;
    const DataDirectory directory_ = *DataDirectory::open(temp_.path() / "data");
    std::unique_ptr<SqliteStore> store_ = *directory_.open_store();
};

TEST_F(AttachmentDeskTest, KeepsTheBytesAndWhatTheySay) {
    const auto file =
        take(given("Gr\xFC\xDF"
                   "e",
                   "../a.txt"));
    ASSERT_TRUE(file) << file.error().detail;
    EXPECT_EQ(file->name, "a.txt");
    EXPECT_EQ(file->bytes, 5);
    EXPECT_EQ(file->sha256, "ffe1279f72b07bb67a4f98840ec659bfef3610810a3c54faced3a14c45b1cdf7");
    EXPECT_EQ(*store_->composer_files(kNext), std::vector{*file});
    EXPECT_EQ(*store_->read_attachment(*file, AttachmentPart::kFile, 0, 100),
              "Gr\xFC\xDF"
              "e");
    EXPECT_EQ(*store_->read_attachment(*file, AttachmentPart::kText, 0, 100), "Grüße");
    const std::string pdf = small_pdf(1);
    const auto second = take(given(pdf, "a.pdf"));
    ASSERT_TRUE(second);
    EXPECT_EQ(*store_->read_attachment(*second, AttachmentPart::kFile, 0, 100'000), pdf);
    EXPECT_THAT(*store_->read_attachment(*second, AttachmentPart::kText, 0, 100),
                HasSubstr("Page 1 says hello"));
}

TEST_F(AttachmentDeskTest, ALargeFileGoesInPieces) {
    std::string bytes;
    for (int i = 0; bytes.size() < kMost; ++i) bytes += fmt::format("line {}\n", i);
    bytes.resize(kMost);
    const auto file = take(given(bytes));
    ASSERT_TRUE(file) << file.error().detail;
    std::string read;
    for (std::int64_t at = 0; at < file->bytes; at = std::ssize(read))
        read += *store_->read_attachment(*file, AttachmentPart::kFile, at, 3'000'000);
    EXPECT_TRUE(read == bytes);
    bytes += "x";
    EXPECT_THAT(refusal(given(bytes), ErrorCode::kTooLarge),
                HasSubstr("\"a.txt\" was not attached: it has 20.0 MiB"));
    NewAttachment declared = given("x");
    declared.end = declared.begin + kMost * 1000;
    EXPECT_THAT(refusal(declared, ErrorCode::kTooLarge), HasSubstr("20000.0 MiB"));
    declared.end = 0;
    EXPECT_FALSE(take(declared));
    EXPECT_EQ(n_stored(), 1U);
}

TEST_F(AttachmentDeskTest, WhatIsRefusedIsNamedAndLeavesNothing) {
    EXPECT_THAT(refusal(given("\x89PNG\x01\x02", "cat.png"), ErrorCode::kUnsupported),
                HasSubstr("\"cat.png\" was not attached: it is neither text nor a PDF"));
    EXPECT_THAT(refusal(given("", "no.txt"), ErrorCode::kUnsupported),
                HasSubstr("\"no.txt\" was not attached: it is empty"));
    const ConversationKey gone(local_owner(), {random_id()});
    EXPECT_THAT(refusal(given("x", "a", gone), ErrorCode::kNotFound), HasSubstr("no conversation"));
    NewAttachment vanished = given("x");
    std::filesystem::remove(vanished.path);
    EXPECT_THAT(refusal(vanished, ErrorCode::kIo), HasSubstr("send it again"));
    EXPECT_EQ(n_stored(), 0U);
}

TEST_F(AttachmentDeskTest, AMessageTakesTen) {
    for (std::size_t i = 0; i < kMaxAttachments; ++i) ASSERT_TRUE(take(given("x")));
    EXPECT_THAT(refusal(given("x"), ErrorCode::kInvalidArgument), HasSubstr("at most 10 files"));
    EXPECT_EQ(n_stored(), kMaxAttachments);
}

TEST_F(AttachmentDeskTest, FilesCountForTheQuota) {
    const ConversationKey annas({"anna"}, {});
    const Quota quota{.bytes = 3 << 20};
    const std::string large(2 << 20, 'x');
    ASSERT_TRUE(take(given(large, "a.txt", annas), quota));
    EXPECT_THAT(refusal(given(large, "b.txt", annas), ErrorCode::kPermissionDenied, quota),
                HasSubstr("\"b.txt\" was not attached: it takes 2.0 MiB, and of the 3 MiB that "
                          "this server allows you, "
                          "2.0 are used"));
    EXPECT_TRUE(take(given(large), quota)) << "none on one's own machine";
}

TEST_F(AttachmentDeskTest, AFullDiskSaysSoAndLeavesNothing) {
    store_ = *directory_.open_store({.max_bytes = 3'000'000});
    const std::string large(5 << 20, 'x');
    EXPECT_THAT(refusal(given(large), ErrorCode::kIo), HasSubstr("full"));
    EXPECT_EQ(store_->stored_amount(local_owner())->bytes, 0);
    EXPECT_TRUE(take(given("small")));
    EXPECT_TRUE(store_->check_integrity());
}

TEST_F(AttachmentDeskTest, CleansUpAfterAProcessThatDied) {
    const AttachedFile begun{
        .id = {random_id()}, .name = "a", .media_type = {}, .sha256 = {}, .created_at = now_ms()};
    AttachedFile old = begun;
    old.id = {random_id()};
    old.created_at = now_ms() - 25LL * 60 * 60 * 1000;
    AttachedFile fresh = old;
    fresh.id = {random_id()};
    fresh.created_at += 2LL * 60 * 60 * 1000;
    for (const AttachedFile& file : {begun, old, fresh})
        ASSERT_TRUE(store_->begin_attachment(kNext, file));
    ASSERT_TRUE(store_->finish_attachment(old.id));
    ASSERT_TRUE(store_->finish_attachment(fresh.id));
    const auto folder = temp_.path() / "uploads";
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "half") << "half";

    RunLoop loop;
    SerialWorker database("test-db");
    AttachmentDesk desk({*store_, database, loop, folder});
    EXPECT_FALSE(std::filesystem::exists(folder));
    std::optional<Result<std::vector<AttachedFile>>> left;
    desk.composer_files(kNext, [&](auto files) { left.emplace(std::move(files)); });
    loop.run_until([&] { return left.has_value(); });
    EXPECT_EQ(**left, std::vector{fresh}) << "sent within a day, or not at all";
    database.stop();
    EXPECT_FALSE(store_->append_attachment(begun.id, AttachmentPart::kFile, "x"));
}

TEST_F(AttachmentDeskTest, LooksForUnsentFilesAgainAndAgain) {
    RunLoop loop;
    SerialWorker database("test-db");
    AttachmentDesk desk({.store = *store_,
                         .database = database,
                         .io = loop,
                         .folder = temp_.path() / "uploads",
                         .sweep_ms = 1});
    std::optional<Result<AttachedFile>> added;
    desk.add(given("x"), [&](auto file) { added.emplace(std::move(file)); });
    loop.run_until([&] { return added.has_value(); });
    ASSERT_TRUE(*added) << added->error().detail;
    database.post([&] {
        const AttachedFile old{.id = {"old"}, .name = "a", .media_type = {}, .sha256 = {}};
        EXPECT_TRUE(store_->begin_attachment(kNext, old));
        EXPECT_TRUE(store_->finish_attachment(old.id));
    });
    std::size_t n_left = 0;
    const std::function<void(Result<std::vector<AttachedFile>>)> look = [&](auto files) {
        n_left = files->size();
        if (n_left != 1) desk.composer_files(kNext, look);
    };
    database.post([&] { loop.post([&] { desk.composer_files(kNext, look); }); });
    loop.run_until([&] { return n_left == 1; });
    EXPECT_EQ(n_left, 1U) << "the old one is gone, the new one stays";
    desk.stop();
    database.stop();
}

}  // namespace
}  // namespace notso::services
