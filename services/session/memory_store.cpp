// The in-memory store. Each change checks everything first, so that a refused one leaves nothing
// behind.
#include "services/session/memory_store.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>

#include "base/log.hpp"
#include "services/session/search_hits.hpp"

namespace notso::services {

namespace {

std::unexpected<Error> nothing_to_restore(const ConversationId& id) {
    return fail(ErrorCode::kNotFound,
                "conversation {} can't be restored: it was deleted for good",
                log::field(id.value));
}

}  // namespace

Result<Conversation*> MemoryStore::find(const ConversationId& id) {
    const auto found = std::ranges::find(conversations_, id, &Conversation::id);
    if (found == conversations_.end() || is_trashed(id)) {
        return fail(
            ErrorCode::kNotFound, "no conversation {}: it was deleted", log::field(id.value));
    }
    return &*found;
}

Result<Message*> MemoryStore::find(const MessageId& id) {
    const auto found = std::ranges::find(messages_, id, &Message::id);
    if (found == messages_.end()) {
        return fail(ErrorCode::kNotFound, "no message {}: it was deleted", log::field(id.value));
    }
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
    if (find(conversation.id) || is_trashed(conversation.id)) {
        return fail(
            ErrorCode::kAlreadyExists, "conversation {} is there already", conversation.id.value);
    }
    conversations_.push_back(conversation);
    return {};
}

Result<std::vector<Conversation>> MemoryStore::list_conversations(std::int64_t limit) {
    std::vector<Conversation> all(conversations_.rbegin(), conversations_.rend());
    std::erase_if(all, [this](const Conversation& other) { return is_trashed(other.id); });
    std::ranges::stable_sort(all, std::ranges::greater{}, [](const Conversation& conversation) {
        return std::pair(conversation.pinned, conversation.updated_at);
    });
    if (limit < std::ssize(all)) {
        all.resize(static_cast<std::size_t>(std::max<std::int64_t>(limit, 0)));
    }
    return all;
}

Result<Conversation> MemoryStore::conversation(const ConversationId& id) {
    NOTSO_TRY(const Conversation* found, find(id));
    return *found;
}

Result<> MemoryStore::update_conversation(const Conversation& conversation) {
    NOTSO_TRY(Conversation * found, find(conversation.id));
    *found = conversation;
    return {};
}

Result<> MemoryStore::delete_conversation(const ConversationId& id) {
    std::erase_if(trash_, [&](const TrashedConversation& other) { return other.id == id; });
    NOTSO_CHECK(clear_messages(id));
    std::erase_if(conversations_, [&](const Conversation& other) { return other.id == id; });
    notes_.erase(id.value);
    return {};
}

bool MemoryStore::is_trashed(const ConversationId& id) const {
    return std::ranges::find(trash_, id, &TrashedConversation::id) != trash_.end();
}

Result<> MemoryStore::trash_conversation(const ConversationId& id, UnixMs at) {
    NOTSO_CHECK(find(id));
    trash_.push_back({id, at});
    return {};
}

Result<> MemoryStore::restore_conversation(const ConversationId& id) {
    const auto restored =
        std::erase_if(trash_, [&](const TrashedConversation& other) { return other.id == id; });
    if (restored == 0) return nothing_to_restore(id);
    return {};
}

Result<std::vector<TrashedConversation>> MemoryStore::trashed_conversations() {
    auto trash = trash_;
    std::ranges::stable_sort(trash, {}, &TrashedConversation::at);
    return trash;
}

Result<std::vector<SearchHit>> MemoryStore::search(const std::string& query, std::int64_t limit) {
    SearchHits hits(query, limit);
    std::vector<Conversation> all(conversations_.rbegin(), conversations_.rend());
    std::erase_if(all, [this](const Conversation& other) { return is_trashed(other.id); });
    std::ranges::stable_sort(all, std::ranges::greater{}, &Conversation::updated_at);
    for (const Conversation& conversation : all) hits.try_title(conversation);
    for (const Message& message : messages_ | std::views::reverse) {
        const auto owner = find(message.conversation);
        if (!owner || message.state == MessageState::kRunning) continue;
        if (hits.wants(message.conversation) && hits.matches(message.text))
            hits.add(**owner, message.id, message.text);
    }
    return std::move(hits).take();
}

Result<std::vector<Message>> MemoryStore::messages(const ConversationId& id) {
    NOTSO_CHECK(find(id));
    std::vector<Message> found;
    std::ranges::copy_if(messages_, std::back_inserter(found), [&](const Message& message) {
        return message.conversation == id;
    });
    for (Message& message : found) message.journal.reset();
    return found;
}

Result<> MemoryStore::append_messages(const std::vector<Message>& messages) {
    const std::size_t before = messages_.size();
    for (const Message& message : messages) {
        const auto owner = find(message.conversation);
        const bool refused = !owner || taken(message);
        if (!refused) {
            messages_.push_back(message);
            continue;
        }
        messages_.resize(before);
        if (!owner) return std::unexpected(owner.error());
        return fail(ErrorCode::kAlreadyExists, "message {} is there already", message.id.value);
    }
    for (const Message& message : messages) {
        Conversation* owner = *find(message.conversation);
        owner->updated_at = std::max(owner->updated_at, message.created_at);
        owner->leaf = message.id;
    }
    return {};
}

Result<> MemoryStore::delete_messages(const std::vector<MessageId>& ids) {
    for (const MessageId& id : ids) {
        NOTSO_TRY(const Message* message, find(id));
        NOTSO_CHECK(find(message->conversation));
    }
    for (const MessageId& id : ids) {
        const Message removed = **find(id);
        for (Message& message : messages_) {
            const bool follows =
                message.parent == id && message.conversation == removed.conversation;
            if (follows) message.parent = removed.parent;
        }
        Conversation* owner = *find(removed.conversation);
        if (owner->leaf == id) owner->leaf = removed.parent.value_or(MessageId{});
        std::erase_if(messages_, [&](const Message& message) { return message.id == id; });
    }
    return {};
}

Result<std::optional<Message>> MemoryStore::find_by_client_id(const ConversationId& id,
                                                              const std::string& client_id) {
    if (is_trashed(id)) return std::nullopt;
    const auto found = std::ranges::find_if(messages_, [&](const Message& message) {
        return message.conversation == id && !client_id.empty() && message.client_id == client_id;
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

Result<std::vector<Message>> MemoryStore::running_messages() {
    std::vector<Message> running;
    for (const Message& message : messages_) {
        if (message.state == MessageState::kRunning) running.push_back(message);
    }
    return running;
}

Result<> MemoryStore::add_waiting(const WaitingMessage& message) {
    NOTSO_CHECK(find(message.conversation));
    const bool is_there = std::ranges::any_of(waiting_, [&](const WaitingMessage& other) {
        return other.conversation == message.conversation && other.client_id == message.client_id;
    });
    if (is_there) return fail(ErrorCode::kAlreadyExists, "that message waits already");
    waiting_.push_back(message);
    return {};
}

Result<std::vector<WaitingMessage>> MemoryStore::waiting_messages(const ConversationId& id) {
    NOTSO_CHECK(find(id));
    std::vector<WaitingMessage> found;
    std::ranges::copy_if(waiting_, std::back_inserter(found), [&](const WaitingMessage& message) {
        return message.conversation == id;
    });
    return found;
}

Result<> MemoryStore::remove_waiting(const ConversationId& id, const std::string& client_id) {
    const auto removed = std::erase_if(waiting_, [&](const WaitingMessage& message) {
        return message.conversation == id && message.client_id == client_id;
    });
    if (removed == 0) return fail(ErrorCode::kNotFound, "that message does not wait any more");
    return {};
}

Result<std::vector<ConversationId>> MemoryStore::conversations_with_waiting() {
    std::vector<ConversationId> found;
    for (const WaitingMessage& message : waiting_) {
        const bool is_new = std::ranges::find(found, message.conversation) == found.end();
        if (is_new && find(message.conversation)) found.push_back(message.conversation);
    }
    return found;
}

Result<std::vector<std::string>> MemoryStore::allowed_tools() { return allowed_tools_; }

Result<> MemoryStore::allow_tool(const std::string& name) {
    if (std::ranges::find(allowed_tools_, name) == allowed_tools_.end())
        allowed_tools_.push_back(name);
    return {};
}

Result<std::vector<StoredNote>> MemoryStore::notes(const ConversationId& id) {
    NOTSO_CHECK(find(id));
    return notes_[id.value].kept;
}

Result<StoredNote> MemoryStore::add_note(const ConversationId& id, const std::string& text) {
    NOTSO_CHECK(find(id));
    Notes& notes = notes_[id.value];
    notes.kept.push_back({++notes.last, text});
    return notes.kept.back();
}

Result<> MemoryStore::remove_note(const ConversationId& id, std::int64_t number) {
    NOTSO_CHECK(find(id));
    const auto removed = std::erase_if(
        notes_[id.value].kept, [&](const StoredNote& note) { return note.number == number; });
    if (removed == 0) return fail(ErrorCode::kNotFound, "there is no note {}", number);
    return {};
}

Result<> MemoryStore::clear_messages(const ConversationId& id) {
    NOTSO_CHECK(find(id));
    std::erase_if(messages_, [&](const Message& message) { return message.conversation == id; });
    std::erase_if(waiting_,
                  [&](const WaitingMessage& message) { return message.conversation == id; });
    return {};
}

}  // namespace notso::services
