// The in-memory store. Each change checks everything first, so that a refused one leaves nothing
// behind.
#include "services/session/memory_store.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>

#include "base/log.hpp"
#include "services/session/search_hits.hpp"
#include "services/session/store_errors.hpp"

namespace notso::services {
namespace {

std::vector<Conversation> first_of(std::vector<Conversation> all, std::int64_t limit) {
    const std::int64_t count = std::clamp<std::int64_t>(limit, 0, std::ssize(all));
    all.resize(static_cast<std::size_t>(count));
    return all;
}

}  // namespace

Result<Conversation*> MemoryStore::find(const ConversationKey& key) {
    const auto found = std::ranges::find(conversations_, key, &Conversation::key);
    if (found == conversations_.end() || is_trashed(key.id)) return no_conversation(key.id);
    return &*found;
}

Result<Message*> MemoryStore::find(const MessageId& id) {
    const auto found = std::ranges::find(messages_, id, &Message::id);
    if (found == messages_.end()) return no_message(id);
    return &*found;
}

bool MemoryStore::taken(const Message& message) const {
    return std::ranges::any_of(messages_, [&](const Message& other) {
        const bool same_client = !message.client_id.empty() &&
                                 other.client_id == message.client_id &&
                                 other.conversation == message.conversation;
        return same_client || other.id == message.id;
    });
}

Result<> MemoryStore::create_conversation(const Conversation& conversation) {
    if (conversation.owner == OwnerId{}) return no_owner();
    if (std::ranges::find(conversations_, conversation.id, &Conversation::id) !=
        conversations_.end()) {
        return fail(
            ErrorCode::kAlreadyExists, "conversation {} is there already", conversation.id.value);
    }
    conversations_.push_back(conversation);
    return {};
}

Result<std::vector<Conversation>> MemoryStore::list_conversations(const OwnerId& owner,
                                                                  std::int64_t limit) {
    std::vector<Conversation> all = conversations_of(owner);
    std::erase_if(all, &Conversation::archived);
    std::ranges::stable_sort(all, std::ranges::greater{}, [](const Conversation& conversation) {
        return std::pair(conversation.pinned, conversation.updated_at);
    });
    return first_of(std::move(all), limit);
}

Result<std::vector<Conversation>> MemoryStore::archived_conversations(const OwnerId& owner,
                                                                      std::int64_t limit) {
    std::vector<Conversation> all = conversations_of(owner);
    std::erase_if(all, [](const Conversation& each) { return !each.archived; });
    std::ranges::stable_sort(all, std::ranges::greater{}, &Conversation::updated_at);
    return first_of(std::move(all), limit);
}

/// Those that are not in the trash, newest first.
std::vector<Conversation> MemoryStore::conversations_of(const OwnerId& owner) const {
    std::vector<Conversation> all(conversations_.rbegin(), conversations_.rend());
    std::erase_if(all, [&](const Conversation& other) {
        return other.owner != owner || is_trashed(other.id);
    });
    return all;
}

Result<Conversation> MemoryStore::conversation(const ConversationKey& key) {
    NOTSO_TRY(const Conversation* found, find(key));
    return *found;
}

Result<> MemoryStore::update_conversation(const Conversation& conversation) {
    NOTSO_TRY(Conversation * found, find(conversation.key()));
    *found = conversation;
    return {};
}

Result<> MemoryStore::delete_conversation(const ConversationKey& key) {
    std::erase_if(trash_, [&](const TrashedConversation& other) { return other.key == key; });
    NOTSO_CHECK(clear_messages(key));
    std::erase_if(conversations_, [&](const Conversation& other) { return other.id == key.id; });
    std::erase_if(files_, [&](const StoredFile& file) { return file.place == key; });
    notes_.erase(key.id.value);
    return {};
}

bool MemoryStore::is_trashed(const ConversationId& id) const {
    return std::ranges::any_of(
        trash_, [&](const TrashedConversation& other) { return other.key.id == id; });
}

Result<> MemoryStore::trash_conversation(const ConversationKey& key, UnixMs at) {
    NOTSO_CHECK(find(key));
    trash_.push_back({key, at});
    return {};
}

Result<> MemoryStore::restore_conversation(const ConversationKey& key) {
    const auto restored =
        std::erase_if(trash_, [&](const TrashedConversation& other) { return other.key == key; });
    if (restored == 0) return nothing_to_restore(key.id);
    return {};
}

Result<std::vector<TrashedConversation>> MemoryStore::trashed_conversations() {
    auto trash = trash_;
    std::ranges::stable_sort(trash, {}, &TrashedConversation::at);
    return trash;
}

Result<std::vector<SearchHit>> MemoryStore::search(const OwnerId& owner,
                                                   const std::string& query,
                                                   std::int64_t limit) {
    SearchHits hits(query, limit);
    std::vector<Conversation> all = conversations_of(owner);
    std::ranges::stable_sort(all, std::ranges::greater{}, &Conversation::updated_at);
    for (const Conversation& conversation : all) hits.try_title(conversation);
    for (const Message& message : messages_ | std::views::reverse) {
        const auto place = find({owner, message.conversation});
        if (!place || message.state == MessageState::kRunning) continue;
        if (hits.wants(message.conversation) && hits.matches(message.text))
            hits.add(**place, message.id, message.text);
    }
    return std::move(hits).take();
}

Result<StoredAmount> MemoryStore::stored_amount(const OwnerId& owner) {
    StoredAmount amount;
    for (const Conversation& conversation : conversations_) {
        if (conversation.owner != owner) continue;
        ++amount.conversations;
        for (const Message& message : messages_) {
            if (message.conversation == conversation.id)
                amount.bytes += std::ssize(message.text) + std::ssize(message.thinking);
        }
    }
    for (const StoredFile& one : files_) {
        if (one.place.owner != owner) continue;
        amount.bytes += one.file.bytes + (one.file.text_is_file ? 0 : one.file.text_bytes);
    }
    return amount;
}

Result<std::vector<Message>> MemoryStore::messages(const ConversationKey& key) {
    NOTSO_CHECK(find(key));
    std::vector<Message> found;
    std::ranges::copy_if(messages_, std::back_inserter(found), [&](const Message& message) {
        return message.conversation == key.id;
    });
    for (Message& message : found) message.journal.reset();
    return found;
}

Result<> MemoryStore::append_messages(const OwnerId& owner, const std::vector<Message>& messages) {
    const std::size_t before = messages_.size();
    for (const Message& message : messages) {
        const auto place = find({owner, message.conversation});
        const bool refused = !place || taken(message);
        Message added = message;
        const Result<> files = refused ? Result<>() : take_files(owner, added);
        if (!refused && files) {
            messages_.push_back(std::move(added));
            continue;
        }
        messages_.resize(before);
        if (!files) return files;
        if (!place) return std::unexpected(place.error());
        return fail(ErrorCode::kAlreadyExists, "message {} is there already", message.id.value);
    }
    for (const Message& message : messages) {
        Conversation* place = *find({owner, message.conversation});
        place->updated_at = std::max(place->updated_at, message.created_at);
        place->leaf = message.id;
    }
    return {};
}

Result<> MemoryStore::delete_messages(const ConversationKey& key,
                                      const std::vector<MessageId>& ids) {
    NOTSO_TRY(Conversation * place, find(key));
    for (const MessageId& id : ids) {
        NOTSO_TRY(const Message* message, find(id));
        if (message->conversation != key.id) return no_message(id);
    }
    for (const MessageId& id : ids) {
        const Message removed = **find(id);
        for (Message& message : messages_) {
            const bool follows =
                message.parent == id && message.conversation == removed.conversation;
            if (follows) message.parent = removed.parent;
        }
        if (place->leaf == id) place->leaf = removed.parent.value_or(MessageId{});
        summaries_.erase(key.id.value);
        std::erase_if(messages_, [&](const Message& message) { return message.id == id; });
    }
    drop_unused();
    return {};
}

Result<std::optional<Message>> MemoryStore::find_by_client_id(const ConversationKey& key,
                                                              const std::string& client_id) {
    if (!find(key)) return std::nullopt;
    const auto found = std::ranges::find_if(messages_, [&](const Message& message) {
        return message.conversation == key.id && !client_id.empty() &&
               message.client_id == client_id;
    });
    if (found == messages_.end()) return std::nullopt;
    return *found;
}

Result<> MemoryStore::update_message(const Message& message) {
    NOTSO_TRY(Message * found, find(message.id));
    found->state = message.state;
    found->text = message.text;
    found->thinking = message.thinking;
    found->error = message.error;
    found->stats = message.stats;
    found->journal = message.journal;
    return {};
}

Result<> MemoryStore::append_text(const MessageId& id, const AnswerPiece& piece) {
    NOTSO_TRY(Message * found, find(id));
    found->thinking += piece.thinking;
    found->text += piece.text;
    if (found->journal) {
        auto& tokens = found->journal->tokens;
        tokens.insert(tokens.end(), piece.tokens.begin(), piece.tokens.end());
    }
    return {};
}

Result<std::optional<AnswerJournal>> MemoryStore::journal(const MessageId& id) {
    NOTSO_TRY(const Message* found, find(id));
    return found->journal;
}

Result<> MemoryStore::put_tool_uses(const MessageId& id, const std::vector<ToolUse>& uses) {
    NOTSO_TRY(Message * found, find(id));
    for (const ToolUse& use : uses) {
        const auto old = std::ranges::find(found->tool_uses, use.id, &ToolUse::id);
        if (old == found->tool_uses.end()) {
            found->tool_uses.push_back(use);
        } else {
            old->state = use.state;
            old->output = use.output;
        }
    }
    return {};
}

Result<> MemoryStore::add_whole(const WholeConversation& whole) {
    const ConversationId& id = whole.conversation.id;
    NOTSO_CHECK(create_conversation(whole.conversation));
    Result<> added;
    for (const AttachmentId& file : attachments_of(whole))
        if (added) added = finish_attachment(file);
    if (added) added = append_messages(whole.conversation.owner, whole.messages);
    if (!added) {
        std::erase_if(conversations_, [&](const Conversation& other) { return other.id == id; });
        return added;
    }
    *(*find(whole.conversation.key())) = whole.conversation;
    summaries_[id.value] = whole.summaries;
    Notes& notes = notes_[id.value];
    notes.kept = whole.notes;
    for (const StoredNote& note : whole.notes) notes.last = std::max(notes.last, note.number);
    for (const WaitingMessage& message : whole.waiting) NOTSO_CHECK(add_waiting(message));
    return {};
}

Result<std::unique_ptr<StoreBackup>> MemoryStore::begin_backup(const std::filesystem::path&) {
    return fail(ErrorCode::kUnsupported, "nothing is stored on disk, so there is nothing to copy");
}

Result<std::vector<RunningAnswer>> MemoryStore::running_messages() {
    std::vector<RunningAnswer> running;
    for (const Message& message : messages_) {
        if (message.state != MessageState::kRunning) continue;
        const auto place =
            std::ranges::find(conversations_, message.conversation, &Conversation::id);
        running.push_back({place->owner, message});
    }
    return running;
}

Result<std::vector<std::string>> MemoryStore::allowed_tools(const OwnerId& owner) {
    std::vector<std::string> names;
    for (const auto& [whose, name] : allowed_tools_) {
        if (whose == owner) names.push_back(name);
    }
    return names;
}

Result<> MemoryStore::allow_tool(const OwnerId& owner, const std::string& name) {
    const std::pair allowed(owner, name);
    if (std::ranges::find(allowed_tools_, allowed) == allowed_tools_.end())
        allowed_tools_.push_back(allowed);
    return {};
}

Result<> MemoryStore::disallow_tool(const OwnerId& owner, const std::string& name) {
    if (std::erase(allowed_tools_, std::pair(owner, name)) > 0) return {};
    return fail(ErrorCode::kNotFound, "{} is not always allowed", log::field(name));
}

Result<std::vector<StoredNote>> MemoryStore::notes(const ConversationKey& key) {
    NOTSO_CHECK(find(key));
    return notes_[key.id.value].kept;
}

Result<StoredNote> MemoryStore::add_note(const ConversationKey& key, const std::string& text) {
    NOTSO_CHECK(find(key));
    Notes& notes = notes_[key.id.value];
    notes.kept.push_back({++notes.last, text});
    return notes.kept.back();
}

Result<> MemoryStore::remove_note(const ConversationKey& key, std::int64_t number) {
    NOTSO_CHECK(find(key));
    const auto removed = std::erase_if(
        notes_[key.id.value].kept, [&](const StoredNote& note) { return note.number == number; });
    if (removed == 0) return fail(ErrorCode::kNotFound, "there is no note {}", number);
    return {};
}

Result<> MemoryStore::clear_messages(const ConversationKey& key) {
    NOTSO_CHECK(find(key));
    std::erase_if(messages_,
                  [&](const Message& message) { return message.conversation == key.id; });
    for (const WaitingMessage& message : waiting_) {
        if (message.conversation != key.id) continue;
        for (const AttachmentUse& use : message.files) sent_.push_back(use.id);
    }
    std::erase_if(waiting_,
                  [&](const WaitingMessage& message) { return message.conversation == key.id; });
    drop_unused();
    summaries_.erase(key.id.value);
    return {};
}

Result<std::vector<Summary>> MemoryStore::summaries(const ConversationKey& key) {
    NOTSO_CHECK(find(key));
    std::vector<Summary> found;
    for (const Message& message : messages_) {
        for (const Summary& summary : summaries_[key.id.value]) {
            if (summary.until == message.id) found.push_back(summary);
        }
    }
    return found;
}

Result<> MemoryStore::put_summary(const ConversationKey& key, const Summary& summary) {
    NOTSO_CHECK(find(key));
    NOTSO_TRY(const Message* message, find(summary.until));
    if (message->conversation != key.id)
        return fail(ErrorCode::kNotFound, "no message {}: it was deleted", message->id.value);
    std::vector<Summary>& all = summaries_[key.id.value];
    std::erase_if(all, [&](const Summary& other) { return other.until == summary.until; });
    all.push_back(summary);
    return {};
}

}  // namespace notso::services
