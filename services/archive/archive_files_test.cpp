// Files travel with their conversations, byte for byte; a file that is not what it says takes its
// conversation with it.
#include "services/archive/archive_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <set>

#include "base/random.hpp"
#include "services/archive/base64.hpp"
#include "services/archive/export.hpp"
#include "services/archive/import.hpp"
#include "services/attachments/attachment_desk.hpp"
#include "services/session/sqlite_store.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using namespace std::string_literals;

const OwnerId kOwner = local_owner();
const ConversationKey kNext(kOwner, {});

TEST(Base64, GoesBothWaysForAnyBytes) {
    EXPECT_EQ(to_base64(""), "");
    EXPECT_EQ(to_base64("f"), "Zg==");
    EXPECT_EQ(to_base64("fo"), "Zm8=");
    EXPECT_EQ(to_base64("foo"), "Zm9v");
    EXPECT_EQ(to_base64("\xFB\xFF\0"s), "+/8A");
    std::mt19937 random(7);
    for (std::size_t size = 0; size < 200; ++size) {
        std::string bytes;
        for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(random());
        EXPECT_EQ(*from_base64(to_base64(bytes)), bytes);
    }
    for (const char* text : {"Z", "Zg", "Zg=", "Z===", "====", "Zm9v!", "Zm 9", "Zg==Zg==", "Zm-_"})
        EXPECT_FALSE(from_base64(text)) << text;
}

class ArchiveFiles : public testing::Test {
  protected:
    std::unique_ptr<SqliteStore> store(const char* name) {
        return *SqliteStore::open(temp_.path() / name);
    }
    AttachedFile attach(SessionStore& store, std::string_view bytes) {
        const fs::path path = temp_.path() / random_id();
        std::ofstream(path, std::ios::binary) << bytes;
        DirectGate gate(store);
        auto file = take_attachment(
            gate, {kNext, "a.txt", path, 0, bytes.size()}, {}, temp_.path() / "scratch");
        EXPECT_TRUE(file) << file.error().detail;
        return *file;
    }
    static Conversation add(SessionStore& store, std::vector<std::vector<AttachedFile>> files) {
        const Conversation conversation{.id = {random_id()}, .title = "t", .owner = kOwner};
        EXPECT_TRUE(store.create_conversation(conversation));
        for (auto& each : files)
            EXPECT_TRUE(store.append_messages(kOwner,
                                              {{.id = {random_id()},
                                                .conversation = conversation.id,
                                                .text = "look",
                                                .files = std::move(each)}}));
        return conversation;
    }
    /// Bytes, text, and what else is known of every file of every message.
    static std::vector<std::string> contents(SessionStore& store) {
        std::vector<std::string> all;
        const auto listed = store.list_conversations(kOwner, 100);
        for (const Conversation& one : *listed) {
            const auto messages = store.messages(one.key());
            for (const Message& message : *messages) {
                for (const AttachedFile& file : message.files)
                    all.push_back(fmt::format(
                        "{} {} {} {} {} {}",
                        file.name,
                        file.media_type,
                        file.sha256,
                        file.prompt_bytes.value_or(-1),
                        *store.read_attachment(file, AttachmentPart::kFile, 0, kMaxAttachmentBytes),
                        *store.read_attachment(
                            file, AttachmentPart::kText, 0, kMaxAttachmentBytes)));
            }
        }
        std::ranges::sort(all);
        return all;
    }
    std::string exported(SessionStore& store) {
        const fs::path path = temp_.path() / random_id();
        DirectGate gate(store);
        EXPECT_TRUE(export_file(gate, kOwner, path, ArchiveFormat::kJson));
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    Result<ImportReport> import_text(SessionStore& store, std::string_view text, Quota quota = {}) {
        const fs::path path = temp_.path() / random_id();
        std::ofstream(path, std::ios::binary) << text;
        DirectGate gate(store);
        return import_file(gate, {quota.bytes > 0 ? OwnerId{"anna"} : kOwner, quota}, path);
    }
    std::string why_not(const std::string& text) {
        const auto into = store((random_id() + ".db").c_str());
        const auto report = import_text(*into, text);
        EXPECT_TRUE(into->list_conversations(kOwner, 10)->empty());
        EXPECT_EQ(into->stored_amount(kOwner)->bytes, 0) << "nothing is left over";
        if (!report) return report.error().detail;
        return report->reasons.empty() ? "imported" : report->reasons[0];
    }

    const TempDirectory temp_;
};

TEST_F(ArchiveFiles, NothingOfThemIsLost) {
    const auto from = store("from.db");
    std::string large;
    for (int i = 0; large.size() < 2'500'000; ++i) large += fmt::format("line {}\n", i);
    const AttachedFile shared = attach(*from, "shared");
    AttachedFile cut = attach(*from, large);
    cut.prompt_bytes = 100;
    add(*from, {{shared, cut}, {shared}});
    add(*from,
        {{attach(*from,
                 "Gr\xFC\xDF"
                 "e")}});
    const Conversation empty = add(*from, {{}});
    ASSERT_TRUE(from->add_waiting({.owner = kOwner,
                                   .conversation = empty.id,
                                   .client_id = "c",
                                   .text = "later",
                                   .files = {{attach(*from, "waits").id, 3}}}));
    ASSERT_EQ(contents(*from).size(), 4U);
    const std::string text = exported(*from);
    const auto to = store("to.db");
    const auto report = import_text(*to, text);
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_EQ(report->conversations, 3);
    EXPECT_TRUE(contents(*to) == contents(*from));
    EXPECT_TRUE(to->composer_files(kNext)->empty());
    const auto waiting = to->conversations_with_waiting();
    ASSERT_EQ(waiting->size(), 1U);
    const auto later = to->waiting_messages(waiting->at(0));
    ASSERT_EQ(later->at(0).files.size(), 1U);
    EXPECT_EQ(later->at(0).files[0].prompt_bytes, 3);
    EXPECT_EQ(*to->read_attachment(*to->attachment(waiting->at(0), later->at(0).files[0].id),
                                   AttachmentPart::kFile,
                                   0,
                                   100),
              "waits");
    EXPECT_EQ(*to->remove_unsent(now_ms() + 1, now_ms() + 1), 0) << "nothing is left over";
    EXPECT_EQ(to->stored_amount(kOwner)->bytes, from->stored_amount(kOwner)->bytes)
        << "a file of two messages is there once";
    ASSERT_TRUE(import_text(*to, text)) << "once more: beside the others";
    EXPECT_EQ(contents(*to).size(), 8U);
}

TEST_F(ArchiveFiles, OneConversationIsExportedAlone) {
    const auto from = store("from.db");
    add(*from, {{attach(*from, "other")}});
    const Conversation one = add(*from, {{attach(*from, "mine")}});
    const fs::path path = temp_.path() / "one.json";
    DirectGate gate(*from);
    ASSERT_TRUE(export_conversation(gate, one.key(), path));
    const auto to = store("to.db");
    DirectGate into(*to);
    EXPECT_EQ(import_file(into, {kOwner}, path)->conversations, 1);
    ASSERT_EQ(contents(*to).size(), 1U);
    EXPECT_THAT(contents(*to)[0], HasSubstr("mine"));
    EXPECT_EQ(export_conversation(gate, {{"bert"}, one.id}, temp_.path() / "x").error().code,
              ErrorCode::kNotFound);
}

TEST_F(ArchiveFiles, WhatIsWrongWithThemIsSaidAndNothingStays) {
    const auto from = store("from.db");
    add(*from, {{attach(*from, "content")}});
    const std::string good = exported(*from);
    const auto with = [&](std::string_view what, std::string_view instead) {
        std::string text = good;
        const std::size_t at = text.find(what);
        EXPECT_NE(at, std::string::npos) << what;
        text.replace(at, what.size(), instead);
        return why_not(text);
    };
    const std::string data = to_base64("content");
    EXPECT_THAT(with(data, to_base64("c0ntent")), HasSubstr("SHA-256 is another one"));
    EXPECT_THAT(with(data, "!!!!"), HasSubstr("data is no base64"));
    EXPECT_THAT(with(data, to_base64("content and more")), HasSubstr("more bytes than"));
    EXPECT_THAT(with(data, to_base64("cont")), HasSubstr("SHA-256"));
    EXPECT_THAT(with("\"bytes\":7", "\"bytes\":8"), HasSubstr("not as long as it says"));
    EXPECT_THAT(with("\"bytes\":7", "\"bytes\":20971521"), HasSubstr("more than 20 MiB"));
    EXPECT_THAT(with("\"bytes\":7", "\"bytes\":-1"), HasSubstr("more than 20 MiB"));
    EXPECT_THAT(with("\"part\":\"file\"", "\"part\":\"x\""), HasSubstr("neither file nor text"));
    EXPECT_THAT(with("notso_file_part\":\"", "notso_file_part\":\"x"),
                HasSubstr("no file before it"));
    EXPECT_THAT(with("\"files\":[{\"id\":\"", "\"files\":[{\"id\":\"x"),
                HasSubstr("does not stand before it"));
    EXPECT_THAT(with("\"sha256\":\"", "\"sha256\":\"x"), HasSubstr("SHA-256"));
    EXPECT_EQ(why_not(good.substr(0, good.rfind(",\n{\"notso_conversation")) + "]"), "imported")
        << "files without a conversation are nobody's";
}

TEST_F(ArchiveFiles, AHostileNameIsCleanAfterwards) {
    const auto from = store("from.db");
    add(*from, {{attach(*from, "content")}});
    std::string text = exported(*from);
    text.replace(text.find("a.txt"), 5, "../../\\u202Eetc/pass\\u0000wd");
    const auto to = store("to.db");
    ASSERT_TRUE(import_text(*to, text));
    EXPECT_THAT(contents(*to).at(0), ::testing::StartsWith("passwd text/plain"));
}

TEST_F(ArchiveFiles, AQuotaHoldsForThem) {
    const auto from = store("from.db");
    add(*from, {{attach(*from, std::string(3 << 20, 'x'))}});
    const auto to = store("to.db");
    const auto refused = import_text(*to, exported(*from), {.bytes = 1 << 20});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
    EXPECT_EQ(to->stored_amount({"anna"})->bytes, 0);
}

}  // namespace
}  // namespace notso::services
