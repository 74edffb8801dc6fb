// ChatServiceImpl: messages that were sent while an answer runs. They stand in the store until it
// is their turn, so that the end of the process loses none; each is sent once, since what it
// becomes has its client_id.
#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"
#include "services/chat/chat_service_impl.hpp"
#include "services/chat/message_files.hpp"

namespace notso::services {
namespace {

constexpr std::size_t kMostWaiting = 20;  // in one conversation

/// What became of a message that should wait.
struct Lined {
    std::optional<SendPlan> sent = {};  ///< It was sent before.
    std::vector<WaitingMessage> line = {};
};

Result<Lined> line_up(SessionStore& store, const WaitingMessage& message) {
    Lined lined;
    NOTSO_TRY(lined.sent, find_repeated(store, message.key(), message.client_id));
    if (lined.sent) return lined;
    NOTSO_TRY(lined.line, store.waiting_messages(message.key()));
    if (std::ranges::find(lined.line, message.client_id, &WaitingMessage::client_id) !=
        lined.line.end())
        return lined;
    if (lined.line.size() >= kMostWaiting) {
        return fail(ErrorCode::kOverloaded,
                    "{} messages wait in this conversation: wait, or withdraw one",
                    lined.line.size());
    }
    NOTSO_CHECK(store.add_waiting(message));
    lined.line.push_back(message);
    return lined;
}

/// Sends a message that waited; without another one where that has been done.
Result<SendPlan> send_from_line(SessionStore& store, NewMessages messages) {
    const ConversationKey key(messages.owner, messages.user.conversation);
    const std::string client_id = messages.user.client_id;
    NOTSO_TRY(SendPlan plan, store_message(store, std::move(messages)));
    NOTSO_CHECK(store.remove_waiting(key, client_id));
    NOTSO_TRY(plan.waiting, store.waiting_messages(key));
    return plan;
}

}  // namespace

bool ChatServiceImpl::is_taken(const ConversationKey& key) const {
    return slots_.contains(key) || next_.contains(key);
}

bool ChatServiceImpl::has_line(const ConversationKey& key) const {
    return n_waiting_.contains(key);
}

void ChatServiceImpl::note_line(const ConversationKey& key, std::size_t n_waiting) {
    if (n_waiting == 0) {
        n_waiting_.erase(key);
    } else {
        n_waiting_[key] = n_waiting;
    }
}

void ChatServiceImpl::put_in_line(SendRequest request, Completion<SentMessage> done) {
    const WaitingMessage message{.owner = request.conversation.owner,
                                 .conversation = request.conversation.id,
                                 .client_id = std::move(request.client_id),
                                 .text = std::move(request.text),
                                 .thinking = request.thinking,
                                 .created_at = now_ms(),
                                 .files = std::move(request.files)};
    ++n_waiting_[message.key()];
    store_.call(
        alive_,
        [message](SessionStore& store) { return line_up(store, message); },
        [this, key = message.key(), done = std::move(done)](Result<Lined> lined) mutable {
            if (!lined || lined->sent) note_line(key, n_waiting_[key] - 1);
            if (!lined) return done(std::unexpected(std::move(lined).error()));
            if (lined->sent) {
                SendPlan& plan = *lined->sent;
                overlay(plan.answer);
                return done(SentMessage{plan.user, plan.answer, feed_of(plan.answer.id), true});
            }
            show_line(key, std::move(lined->line));
            if (!is_taken(key)) {  // it stood still
                next_.insert(key);
                send_next(key);
            }
            done(SentMessage{.user = {.id = {}, .conversation = key.id, .text = {}},
                             .answer = {.id = {}, .conversation = key.id, .text = {}},
                             .feed = running(key),
                             .waits = true});
        });
}

void ChatServiceImpl::withdraw(ConversationKey key,
                               std::string client_id,
                               Completion<WaitingMessage> done) {
    using Taken = std::pair<WaitingMessage, std::vector<WaitingMessage>>;
    store_.call(
        alive_,
        [key, client_id = std::move(client_id)](SessionStore& store) -> Result<Taken> {
            NOTSO_TRY(auto line, store.waiting_messages(key));
            const auto found = std::ranges::find(line, client_id, &WaitingMessage::client_id);
            NOTSO_CHECK(store.remove_waiting(key, client_id));
            Taken taken{*found, {}};
            line.erase(found);
            taken.second = std::move(line);
            return taken;
        },
        [this, key, done = std::move(done)](Result<Taken> taken) mutable {
            if (!taken) return done(std::unexpected(std::move(taken).error()));
            show_line(key, std::move(taken->second));
            done(std::move(taken->first));
        });
}

/// Tells the readers of the running answer who waits behind it.
void ChatServiceImpl::show_line(const ConversationKey& key, std::vector<WaitingMessage> line) {
    note_line(key, line.size());
    const auto feed = running(key);
    if (feed && !feed->ended()) feed->append(feed_event::Line{std::move(line)});
}

/// The conversation is free again: whoever waits longest is next.
void ChatServiceImpl::send_next(const ConversationKey& key) {
    if (closing_ || slots_.contains(key)) {
        next_.erase(key);
        return;
    }
    store_.call(
        alive_,
        [key](SessionStore& store) { return store.waiting_messages(key); },
        [this, key](Result<std::vector<WaitingMessage>> line) {
            next_.erase(key);
            if (closing_ || slots_.contains(key)) return;
            note_line(key, line ? line->size() : 0);
            if (line && !line->empty()) send_waiting(std::move(line->front()));
        });
}

void ChatServiceImpl::send_waiting(WaitingMessage message) {
    Message user{.id = {random_id()},
                 .conversation = message.conversation,
                 .role = MessageRole::kUser,
                 .text = message.text,
                 .client_id = message.client_id,
                 .created_at = now_ms(),
                 .files = files_to_use(message.files)};
    const Message answer = empty_answer(message.conversation, user.id);
    const ConversationKey key = message.key();
    begin_turn(
        {.conversation = key, .text = {}, .thinking = message.thinking},
        answer,
        [owner = key.owner, user = std::move(user), answer](SessionStore& store) mutable {
            return send_from_line(store, {owner, std::move(user), answer, {}});
        },
        [this, key](Result<SentMessage> sent) {
            if (sent && sent->repeated) return send_next(key);
            if (!sent) log::error("a waiting message was not sent: {}", sent.error().detail);
        });
}

}  // namespace notso::services
