#include "services/archive/import.hpp"

#include <utility>

#include "base/utf8.hpp"
#include "services/archive/archive_files.hpp"
#include "services/archive/archive_json.hpp"
#include "services/archive/foreign_chats.hpp"
#include "services/session/new_ids.hpp"

namespace notso::services {
namespace {

constexpr std::size_t kMaxReasons = 20;

std::string counted(std::int64_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

/// What the database and the page rely on, whoever wrote the file. JSON's parser has seen to it
/// that texts are UTF-8.
Result<WholeConversation> read(const boost::json::object& object, const OwnerId& owner) {
    NOTSO_TRY(WholeConversation whole, from_any(object));
    if (whole.messages.empty()) return fail(ErrorCode::kInvalidArgument, "it has no messages");
    give_new_ids(whole);
    whole.conversation.owner = owner;
    for (WaitingMessage& message : whole.waiting) message.owner = owner;
    return whole;
}

Result<> add(SessionStore& store, const WholeConversation& whole, const ImportOwner& owner) {
    NOTSO_CHECK(check_new_conversation(store, owner.owner, owner.quota));
    NOTSO_CHECK(check_stored_bytes(store, owner.owner, owner.quota));
    return store.add_whole(whole);
}

}  // namespace

std::string to_text(const ImportReport& report) {
    std::string text = fmt::format("{} with {} imported",
                                   counted(report.conversations, "conversation"),
                                   counted(report.messages, "message"));
    if (report.refused > 0) text += fmt::format(", {} refused", report.refused);
    for (const std::string& reason : report.reasons) text += "\n" + reason;
    return text;
}

Result<ImportReport> import_file(StoreGate& gate,
                                 const ImportOwner& owner,
                                 const std::filesystem::path& path,
                                 FilePart part) {
    NOTSO_TRY(ElementReader reader, ElementReader::open(path, part));
    ImportReport report;
    ImportedFiles files(gate, owner.owner, owner.quota);
    while (true) {
        auto object = reader.next();
        if (!object) {
            return fail(object.error().code,
                        "{}; imported before it: {}",
                        object.error().detail,
                        counted(report.conversations, "conversation"));
        }
        if (!*object) return report;
        if (ImportedFiles::is_one(**object)) {
            const Result<> taken = files.take(**object);
            if (taken) continue;
            return fail(taken.error().code,
                        "{} (byte {}); imported before it: {}",
                        taken.error().detail,
                        reader.offset(),
                        counted(report.conversations, "conversation"));
        }
        Result<WholeConversation> whole = read(**object, owner.owner);
        object->reset();
        if (whole) {
            const Result<> found = files.resolve(*whole);
            if (!found) whole = std::unexpected(found.error());
        }
        Result<> added;
        if (!whole) added = std::unexpected(whole.error());
        if (whole) added = gate.run([&](SessionStore& store) { return add(store, *whole, owner); });
        if (!added && whole) {  // the store's: so would others
            return fail(added.error().code,
                        "{}; imported before it: {}",
                        added.error().detail,
                        counted(report.conversations, "conversation"));
        }
        if (added) {
            files.give_away(*whole);
            ++report.conversations;
            report.messages += std::ssize(whole->messages);
            continue;
        }
        ++report.refused;
        if (report.reasons.size() < kMaxReasons)
            report.reasons.push_back(fmt::format("conversation {} (byte {}): {}",
                                                 reader.number(),
                                                 reader.offset(),
                                                 added.error().detail));
    }
}

}  // namespace notso::services
