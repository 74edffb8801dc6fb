// Export and import: nothing is lost between two databases, and a file that is broken half-way adds
// whole conversations or none.
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "base/random.hpp"
#include "base/serial_worker.hpp"
#include "services/archive/archive_json.hpp"
#include "services/archive/export.hpp"
#include "services/archive/import.hpp"
#include "services/session/memory_store.hpp"
#include "services/session/sqlite_store.hpp"
#include "services/session/temp_directory.hpp"
#include "services/settings/setting_fields.hpp"

namespace notso::services {
namespace {

namespace fs = std::filesystem;
const OwnerId kOwner = local_owner();
using namespace std::string_literals;

std::string read_all(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// With every field set to something that could get lost.
ToolUse denied_use(std::string output) {
    return {.id = "call-1",
            .name = "calculator",
            .arguments = "{\"x\": 1e999}",
            .state = ToolUseState::kDenied,
            .output = std::move(output),
            .round = 2,
            .text_offset = 1,
            .sends_to = "example.org"};
}

/// What belongs to a conversation beside its messages.
void add_rest(WholeConversation& whole, const auto& text) {
    whole.summaries = {{whole.messages[3].id, text(), 12, 34}};
    whole.notes = {{2, text()}, {5, text()}};
    whole.waiting = {{kOwner, whole.conversation.id, "w1", text(), true, 40},
                     {kOwner, whole.conversation.id, "w2", text(), std::nullopt, 41}};
}

WholeConversation make_whole(int seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    const auto pick = [&](std::size_t n) { return random() % n; };
    const auto text = [&] {
        static constexpr std::array<std::string_view, 8> kPieces = {
            "word ", "é", "日本", "🙂", "\n", "\"\\/", "\x01\x7F", "</script>"};
        std::string made = "t\0"s;
        for (auto i = pick(40); i > 0; --i) made += kPieces[pick(kPieces.size())];
        return made;
    };
    WholeConversation whole{.conversation = {.id = {random_id()},
                                             .title = text(),
                                             .thinking = pick(2) == 0,
                                             .date = "2026-11-23T09:00:00",
                                             .created_at = 1'700'000'000'123 + seed,
                                             .updated_at = 1'700'000'100'456 + seed,
                                             .model = "m",
                                             .pinned = pick(2) == 0,
                                             .owner = kOwner,
                                             .settings = {text(), pick(2) * 0.7},
                                             .archived = pick(2) == 0},
                            .messages = {}};
    ChatSettings& set = whole.conversation.settings;
    if (pick(2) == 0) set = {text(), 0.1, 0.9, 40, 0.05, 1.1, 512, 0, 4096};
    for (int i = 0; i < 8; ++i) {
        Message message{.id = {random_id()},
                        .conversation = whole.conversation.id,
                        .role = i % 2 == 0 ? MessageRole::kUser : MessageRole::kAssistant,
                        .state = i % 3 == 0 ? MessageState::kStopped : MessageState::kComplete,
                        .text = text(),
                        .thinking = text(),
                        .error = text(),
                        .stats = {.prompt_tokens = 7,
                                  .cached_tokens = 6,
                                  .completion_tokens = 5,
                                  .reasoning_tokens = 4,
                                  .draft_tokens = 3,
                                  .accepted_tokens = 2,
                                  .first_token_ms = 0.1 + i,
                                  .tokens_per_second = 1.0 / 3.0,
                                  .thinking_ms = 1e-7,
                                  .thinking_end = ThinkingEndReason::kLoop,
                                  .model = text()},
                        .client_id = "c" + std::to_string(i),
                        .created_at = 1'700'000'000'123 + i};
        if (i > 0) message.parent = whole.messages[pick(static_cast<std::size_t>(i))].id;
        if (i % 4 == 1) message.tool_uses = {denied_use(text())};
        whole.messages.push_back(std::move(message));
    }
    whole.conversation.leaf = whole.messages[5].id;
    add_rest(whole, text);
    return whole;
}

/// Without the ids, which are new ones: references are places.
std::string without_ids(const WholeConversation& whole) {
    std::string text = boost::json::serialize(to_archive(whole));
    const auto replace = [&](const std::string& id, const std::string& name) {
        for (std::size_t at = text.find(id); at != std::string::npos; at = text.find(id))
            text.replace(at, id.size(), name);
    };
    replace(whole.conversation.id.value, "conversation");
    for (std::size_t i = 0; i < whole.messages.size(); ++i)
        replace(whole.messages[i].id.value, "message-" + std::to_string(i));
    return text;
}

class ArchiveTest : public testing::Test {
  protected:
    /// Archived ones too.
    static std::size_t count(SessionStore& store, const OwnerId& owner) {
        return store.list_conversations(owner, 1000)->size() +
               store.archived_conversations(owner, 1000)->size();
    }
    std::unique_ptr<SqliteStore> store(const char* name) {
        return *SqliteStore::open(temp_.path() / name);
    }
    static std::vector<std::string> contents(SessionStore& store) {
        std::vector<std::string> all;
        for (const auto& listed :
             {store.list_conversations(kOwner, 1000), store.archived_conversations(kOwner, 1000)}) {
            for (const Conversation& one : *listed)
                all.push_back(without_ids(*load_whole(store, one.key())));
        }
        return all;
    }
    Result<ImportReport> import_text(SessionStore& store, std::string_view text) {
        const fs::path path = temp_.path() / "given.json";
        std::ofstream(path, std::ios::binary) << text;
        DirectGate gate(store);
        return import_file(gate, {kOwner}, path);
    }

    const TempDirectory temp_;
    const fs::path file_ = temp_.path() / "export.json";
};

TEST_F(ArchiveTest, NothingIsLostBetweenTwoDatabases) {
    const auto from = store("from.db");
    for (int seed = 0; seed < 25; ++seed) {
        WholeConversation whole = make_whole(seed);
        if (seed % 2 == 0) whole.conversation.settings.thinking_budget = 512 + seed;
        ASSERT_TRUE(from->add_whole(whole));
    }
    DirectGate gate(*from);
    ASSERT_EQ(export_file(gate, kOwner, file_, ArchiveFormat::kJson), 25);
    EXPECT_EQ(fs::status(file_).permissions() & fs::perms::others_all, fs::perms::none);
    const auto to = store("to.db");
    DirectGate into(*to);
    const auto report = import_file(into, {kOwner}, file_);
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_EQ(report->conversations, 25);
    EXPECT_EQ(report->messages, 25 * 8);
    EXPECT_EQ(report->refused, 0) << to_text(*report);
    EXPECT_EQ(contents(*to), contents(*from));
    EXPECT_TRUE(import_file(into, {kOwner}, file_)) << "once more: beside the others";
    EXPECT_EQ(count(*to, kOwner), 50U);
    const OwnerId other{"somebody"};
    const auto too_many = import_file(into, {other, {.conversations = 3}}, file_);
    ASSERT_FALSE(too_many) << "a quota holds for imports, too";
    EXPECT_EQ(too_many.error().code, ErrorCode::kPermissionDenied);
    EXPECT_EQ(count(*to, other), 3U);
    const OwnerId third{"a third"};
    EXPECT_FALSE(import_file(into, {third, {.bytes = 1000}}, file_));
    EXPECT_EQ(export_file(into, {"nobody"}, temp_.path() / "none.json", ArchiveFormat::kJson), 0);
    ASSERT_TRUE(import_file(into, {other}, file_));
    EXPECT_EQ(count(*to, kOwner), 50U) << "nobody else has it";
    EXPECT_FALSE(to->search(kOwner, "word", 10)->empty()) << "what was imported is found";
}

TEST_F(ArchiveTest, BothStoresKeepTheSame) {
    const auto sqlite = store("a.db");
    MemoryStore memory;
    for (int seed = 0; seed < 5; ++seed) {
        const WholeConversation whole = make_whole(seed);
        ASSERT_TRUE(sqlite->add_whole(whole));
        ASSERT_TRUE(memory.add_whole(whole));
        EXPECT_EQ(without_ids(*load_whole(*sqlite, whole.conversation.key())), without_ids(whole));
        EXPECT_EQ(sqlite->add_whole(whole).error().code, ErrorCode::kAlreadyExists);
        EXPECT_EQ(memory.add_whole(whole).error().code, ErrorCode::kAlreadyExists);
    }
    EXPECT_EQ(contents(memory), contents(*sqlite));
}

TEST_F(ArchiveTest, AConversationIsAddedWholeOrNotAtAll) {
    const auto into = store("into.db");
    WholeConversation twice = make_whole(1);
    twice.messages[4].client_id = twice.messages[2].client_id;
    EXPECT_EQ(into->add_whole(twice).error().code, ErrorCode::kAlreadyExists);
    EXPECT_EQ(count(*into, kOwner), 0U);
    boost::json::object bad = to_archive(make_whole(2));
    bad["messages"].as_array()[3].as_object()["role"] = "god";
    const std::string good = boost::json::serialize(to_archive(make_whole(3)));
    const auto report =
        import_text(*into, "[" + good + "," + boost::json::serialize(bad) + "," + good + "]");
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_EQ(report->conversations, 2);
    EXPECT_EQ(report->refused, 1);
    ASSERT_EQ(report->reasons.size(), 1U);
    EXPECT_TRUE(report->reasons[0].starts_with("conversation 2 (byte "));
    EXPECT_TRUE(report->reasons[0].contains("messages[3].role")) << report->reasons[0];
    EXPECT_EQ(count(*into, kOwner), 2U);
    const auto cut = import_text(*into, "[" + good + "," + good.substr(0, 100));
    ASSERT_FALSE(cut);
    EXPECT_TRUE(cut.error().detail.contains("imported before it: 1 conversation"));
    EXPECT_EQ(count(*into, kOwner), 3U);
}

TEST_F(ArchiveTest, EveryMemberIsChecked) {
    const boost::json::object whole = to_archive(make_whole(1));
    for (const auto& member : whole) {
        boost::json::object broken = whole;
        broken[member.key()] = boost::json::array{boost::json::array{}};
        const auto read = from_archive(broken);
        ASSERT_FALSE(read) << member.key();
        EXPECT_TRUE(read.error().detail.contains(std::string(member.key()))) << read.error().detail;
        broken.erase(member.key());
        const std::string_view name = member.key();
        const bool may_be_absent =
            find_number_setting(name) != nullptr || name == "archived" || name == "waiting";
        if (may_be_absent) continue;
        EXPECT_FALSE(from_archive(broken)) << member.key();
    }
    boost::json::object newer = whole;
    newer[kArchiveMark] = 2;
    EXPECT_EQ(from_archive(newer).error().code, ErrorCode::kUnsupported);
    boost::json::object circle = whole;
    auto& messages = circle["messages"].as_array();
    messages[1].as_object()["parent"] = messages[2].as_object()["id"];
    EXPECT_FALSE(from_archive(circle)) << "a parent stands before its child";
}

TEST_F(ArchiveTest, MarkdownHasWhatIsShown) {
    const auto from = store("from.db");
    WholeConversation whole = make_whole(1);
    for (std::size_t i = 0; i < whole.messages.size(); ++i)
        whole.messages[i].text = "text-" + std::to_string(i) + "-end";
    for (std::size_t i = 1; i < 6; ++i) whole.messages[i].parent = whole.messages[i - 1].id;
    ASSERT_TRUE(from->add_whole(whole));
    DirectGate gate(*from);
    ASSERT_EQ(export_file(gate, kOwner, file_, ArchiveFormat::kMarkdown), 1);
    const std::string text = read_all(file_);
    for (int i = 0; i < 6; ++i)
        EXPECT_TRUE(text.contains("text-" + std::to_string(i) + "-end")) << i;
    EXPECT_FALSE(text.contains("text-7-end"));
}

TEST_F(ArchiveTest, OverwritesNothingAndLeavesNothingHalf) {
    const auto from = store("from.db");
    DirectGate gate(*from);
    std::ofstream(file_) << "mine";
    EXPECT_EQ(export_file(gate, kOwner, file_, ArchiveFormat::kJson).error().code,
              ErrorCode::kAlreadyExists);
    EXPECT_EQ(read_all(file_), "mine");
    EXPECT_EQ(
        export_file(gate, kOwner, temp_.path() / "no" / "where", ArchiveFormat::kJson).error().code,
        ErrorCode::kIo);
    const fs::path empty = temp_.path() / "empty.json";
    ASSERT_EQ(export_file(gate, kOwner, empty, ArchiveFormat::kJson), 0);
    EXPECT_EQ(read_all(empty), "[\n]\n");
    EXPECT_EQ(import_file(gate, {kOwner}, empty)->conversations, 0);
}

TEST_F(ArchiveTest, AGateThatIsClosedGivesAnError) {
    MemoryStore memory;
    auto database = std::make_unique<SerialWorker>("test-db");
    ExecutorGate gate(memory, *database);
    EXPECT_EQ(
        gate.run([](SessionStore& store) { return store.list_conversations(kOwner, 1); })->size(),
        0U);
    database->stop();
    const auto closed =
        gate.run([](SessionStore& store) { return store.list_conversations(kOwner, 1); });
    ASSERT_FALSE(closed);
    EXPECT_EQ(closed.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace notso::services
