// ChatServiceImpl: what the list of conversations offers: searching, pinning, deleting with undo,
// and all there is of one.
#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.hpp"
#include "base/utf8.hpp"
#include "services/chat/chat_service_impl.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services {
namespace {

constexpr std::size_t kMaxQueryCharacters = 400;
constexpr std::int64_t kMaxHits = 50;
constexpr std::int64_t kMaxArchived = 1000;

/// Deletes what was put into the trash until then; when the first of the rest was.
Result<std::optional<UnixMs>> erase_trash(SessionStore& store, UnixMs until) {
    NOTSO_TRY(const auto trash, store.trashed_conversations());
    std::vector<ConversationKey> due;
    std::optional<UnixMs> next;
    for (const TrashedConversation& trashed : trash) {
        if (trashed.at > until) {
            next = trashed.at;
            break;
        }
        due.push_back(trashed.key);
    }
    NOTSO_CHECK(store.delete_conversations(due));
    return next;
}

}  // namespace

void ChatServiceImpl::search(OwnerId owner,
                             std::string query,
                             Completion<std::vector<SearchHit>> done) {
    if (!is_valid_utf8(query) || unicode::count_code_points(query) > kMaxQueryCharacters) {
        return fail_later(
            std::move(done),
            Error{ErrorCode::kInvalidArgument,
                  fmt::format("a search has at most {} characters of UTF-8: shorten it",
                              kMaxQueryCharacters)});
    }
    store_.call(
        alive_,
        [owner = std::move(owner),
         query = std::string(unicode::strip(query, unicode::Side::kBoth))](SessionStore& store) {
            return store.search(owner, query, kMaxHits);
        },
        std::move(done));
}

void ChatServiceImpl::all_messages(ConversationKey key, Completion<std::vector<Message>> done) {
    store_.call(
        alive_,
        [key = std::move(key)](SessionStore& store) { return store.messages(key); },
        [this, done = std::move(done)](Result<std::vector<Message>> all) mutable {
            if (!all) return done(std::move(all));
            for (Message& message : *all) overlay(message);
            done(std::move(all));
        });
}

void ChatServiceImpl::set_pinned(ConversationKey key, bool on, Completion<Conversation> done) {
    change(
        std::move(key),
        [on](Conversation& conversation) { conversation.pinned = on; },
        std::move(done));
}

void ChatServiceImpl::set_archived(ConversationKey key, bool on, Completion<Conversation> done) {
    change(
        std::move(key),
        [on](Conversation& conversation) { conversation.archived = on; },
        std::move(done));
}

void ChatServiceImpl::list_archived(OwnerId owner, Completion<std::vector<Conversation>> done) {
    store_.call(
        alive_,
        [owner = std::move(owner)](SessionStore& store) {
            return store.archived_conversations(owner, kMaxArchived);
        },
        std::move(done));
}

void ChatServiceImpl::remove(ConversationKey key, Completion<> done) {
    after_turn(key, [this, key, done = std::move(done)]() mutable {
        forget(key);
        store_.call(
            alive_,
            [key](SessionStore& store) { return store.trash_conversation(key, now_ms()); },
            [this, done = std::move(done)](Result<> removed) mutable {
                if (removed) empty_trash_later(deps_.undo_ms);
                done(std::move(removed));
            });
    });
}

void ChatServiceImpl::restore(ConversationKey key, Completion<Conversation> done) {
    store_.call(
        alive_,
        [key = std::move(key)](SessionStore& store) -> Result<Conversation> {
            NOTSO_CHECK(store.restore_conversation(key));
            return store.conversation(key);
        },
        std::move(done));
}

void ChatServiceImpl::erase(ConversationKey key, Completion<> done) {
    after_turn(key, [this, key, done = std::move(done)]() mutable {
        forget(key);
        store_.call(
            alive_,
            [key](SessionStore& store) { return store.delete_conversation(key); },
            std::move(done));
    });
}

// One timer for all: when it has rung, it is set again for what is left.
void ChatServiceImpl::empty_trash_later(std::int64_t delay_ms) {
    if (trash_timer_) return;
    trash_timer_ = std::make_unique<GraceTimer>(
        std::chrono::milliseconds(delay_ms), deps_.io, [this, alive = std::weak_ptr(alive_)] {
            if (!alive.expired()) empty_trash(now_ms() - deps_.undo_ms);
        });
}

void ChatServiceImpl::empty_trash(UnixMs until) {
    store_.call(
        alive_,
        [until](SessionStore& store) { return erase_trash(store, until); },
        [this](const Result<std::optional<UnixMs>>& next) {
            trash_timer_.reset();
            if (!next) {
                return log::error(
                    "deleted conversations could not be erased, the next start tries "
                    "again: {}",
                    next.error().detail);
            }
            if (!*next) return;
            const std::int64_t left = **next + deps_.undo_ms - now_ms();
            empty_trash_later(std::clamp<std::int64_t>(left, 1, deps_.undo_ms));
        });
}

}  // namespace notso::services
