#include "services/chat/fork.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "base/random.hpp"
#include "services/chat/message_tree.hpp"
#include "services/session/new_ids.hpp"

namespace notso::services {
namespace {

Result<> copy_part(SessionStore& store,
                   const AttachedFile& from,
                   const AttachmentId& to,
                   AttachmentPart part) {
    const std::int64_t size = part == AttachmentPart::kFile ? from.bytes : from.text_bytes;
    constexpr auto kPiece = static_cast<std::int64_t>(kAttachmentPieceBytes);
    for (std::int64_t offset = 0; offset < size; offset += kPiece) {
        NOTSO_TRY(const std::string piece,
                  store.read_attachment(
                      from, part, offset, std::min<std::int64_t>(kPiece, size - offset)));
        NOTSO_CHECK(store.append_attachment(to, part, piece));
    }
    return {};
}

/// Makes the copies of a conversation's files, which add_whole() finishes; what fails leaves none
/// behind.
class FileCopier {
  public:
    FileCopier(SessionStore& store, OwnerId owner)
        : store_(store), composer_(std::move(owner), ConversationId{}) {}
    ~FileCopier() {
        if (kept_) return;
        for (const auto& [from, to] : copies_)
            static_cast<void>(store_.remove_attachment(composer_, {to}));
    }
    FileCopier(const FileCopier&) = delete;
    FileCopier& operator=(const FileCopier&) = delete;

    /// Versions of a message share their files, so a file may have been copied already.
    Result<> copy(AttachedFile& file) {
        const auto known = copies_.find(file.id.value);
        if (known == copies_.end()) {
            AttachedFile copied = file;
            copied.id = {random_id()};
            copied.prompt_bytes.reset();
            copied.text.clear();
            NOTSO_CHECK(store_.begin_attachment(composer_, copied));
            copies_[file.id.value] = copied.id.value;
            NOTSO_CHECK(copy_part(store_, file, copied.id, AttachmentPart::kFile));
            if (!file.text_is_file)
                NOTSO_CHECK(copy_part(store_, file, copied.id, AttachmentPart::kText));
        }
        file.id = {copies_[file.id.value]};
        return {};
    }
    /// Messages have them now.
    void keep() { kept_ = true; }

  private:
    SessionStore& store_;
    ConversationKey composer_;                   // of the next new conversation
    std::map<std::string, std::string> copies_;  // ids, from and to
    bool kept_ = false;
};

}  // namespace

Result<Conversation> fork_conversation(SessionStore& store,
                                       const ConversationKey& key,
                                       const MessageId& message) {
    WholeConversation whole{.conversation = {.id = key.id, .title = {}}, .messages = {}};
    NOTSO_TRY(whole.conversation, store.conversation(key));
    NOTSO_TRY(const auto all, store.messages(key));
    if (std::ranges::find(all, message, &Message::id) == all.end())
        return fail(ErrorCode::kNotFound, "no such message: it was deleted");
    whole.messages = path_to(all, message);
    NOTSO_TRY(whole.notes, store.notes(key));
    NOTSO_TRY(const auto summaries, store.summaries(key));

    Conversation& made = whole.conversation;
    made.created_at = made.updated_at = now_ms();
    made.pinned = made.archived = false;
    made.leaf = message;
    std::ranges::copy_if(summaries, std::back_inserter(whole.summaries), [&](const Summary& one) {
        return std::ranges::find(whole.messages, one.until, &Message::id) != whole.messages.end();
    });
    give_new_ids(whole);
    FileCopier copier(store, key.owner);
    for (Message& each : whole.messages) {
        for (AttachedFile& file : each.files) NOTSO_CHECK(copier.copy(file));
    }
    NOTSO_CHECK(store.add_whole(whole));
    copier.keep();
    return made;
}

}  // namespace notso::services
