// ChatServiceImpl: making, reading, changing and emptying conversations. What the list of
// them offers is in list_ops.cpp.
#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/utf8.hpp"
#include "services/chat/chat_service_impl.hpp"
#include "services/chat/message_checks.hpp"
#include "services/chat/title.hpp"
#include "services/settings/owner_presets.hpp"

namespace notso::services {
namespace {

constexpr std::int64_t kMaxListed = 1000;
constexpr std::size_t kMaxTitleCharacters = 200;
constexpr double kMaxTemperature = 2.0;

std::string local_date_time(UnixMs at) {
    const std::time_t seconds = at / 1000;
    std::tm parts{};
    localtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    return std::string(text.data(), size);
}

Conversation new_conversation(OwnerId owner) {
    const UnixMs now = now_ms();
    return {.id = {random_id()},
            .title = "",
            .date = local_date_time(now),
            .created_at = now,
            .updated_at = now,
            .owner = std::move(owner)};
}

/// A conversation as it was found.
struct Opened {
    ConversationView view;
    std::vector<Summary> summaries;
};

std::size_t count_code_points(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

// Saves ends of answers that the store refused before; those that went in, or whose conversation is
// gone.
std::vector<MessageId> save_again(SessionStore& store, const std::vector<Message>& messages) {
    std::vector<MessageId> settled;
    for (const Message& message : messages) {
        const Result<> saved = store.update_message(message);
        if (saved || saved.error().code == ErrorCode::kNotFound) settled.push_back(message.id);
    }
    return settled;
}

}  // namespace

void ChatServiceImpl::create_conversation(OwnerId owner, Completion<Conversation> done) {
    create(new_conversation(std::move(owner)), std::move(done));
}

void ChatServiceImpl::create_temporary(OwnerId owner, Completion<Conversation> done) {
    Conversation conversation = new_conversation(std::move(owner));
    conversation.temporary = true;
    create(std::move(conversation), std::move(done));
}

void ChatServiceImpl::create(Conversation conversation, Completion<Conversation> done) {
    store_.call(
        alive_,
        [conversation = std::move(conversation),
         quota = deps_.quota](SessionStore& store) mutable -> Result<Conversation> {
            NOTSO_CHECK(check_new_conversation(store, conversation.owner, quota));
            NOTSO_TRY(const OwnerSettings chosen, store.owner_settings(conversation.owner));
            conversation.settings = starting_values(chosen);
            NOTSO_CHECK(store.create_conversation(conversation));
            return conversation;
        },
        std::move(done));
}

void ChatServiceImpl::list_conversations(OwnerId owner,
                                         Completion<std::vector<Conversation>> done) {
    store_.call(
        alive_,
        [owner = std::move(owner)](SessionStore& store) {
            return store.list_conversations(owner, kMaxListed);
        },
        std::move(done));
}

void ChatServiceImpl::open(ConversationKey key, Completion<ConversationView> done) {
    save_leftovers(key);
    store_.call(
        alive_,
        [key](SessionStore& store) -> Result<Opened> {
            NOTSO_TRY(ShownConversation shown, load_shown(store, key));
            Opened opened;
            opened.view.versions = versions_of(shown.all, shown.path);
            opened.view.conversation = std::move(shown.conversation);
            opened.view.messages = std::move(shown.path);
            opened.summaries = std::move(shown.summaries);
            NOTSO_TRY(opened.view.waiting, store.waiting_messages(key));
            return opened;
        },
        [this, done = std::move(done)](Result<Opened> found) mutable {
            if (!found) return done(std::unexpected(std::move(found).error()));
            ConversationView* view = &found->view;
            const ConversationKey opened = view->conversation.key();
            const auto current = running(opened);
            view->follow_ups = background_.follow_ups(opened);
            view->more_follows = background_.runs(opened);
            for (Message& message : view->messages) {
                overlay(message);
                if (current && message.id == current->answer()) view->running = current;
            }
            const bool cut = !view->messages.empty() && is_cut(view->messages.back());
            view->can_continue = cut && !current && may_continue(view->conversation.model);
            view->context = use_of(*view, found->summaries);
            done(std::move(*view));
        });
}

// The store may lag behind what was shown, or have refused the end: the newest state known here
// wins.
void ChatServiceImpl::overlay(Message& message) const {
    if (message.state != MessageState::kRunning) return;
    const auto unsaved = unsaved_.find(message.id.value);
    const auto feed = feed_of(message.id);
    if (feed && feed->ended()) {
        message = *feed->snapshot().ended;
    } else if (unsaved != unsaved_.end()) {
        message = unsaved->second;
    } else if (feed) {
        const FeedSnapshot& shown = feed->snapshot();
        message.text = shown.text;
        message.thinking = shown.thinking;
    } else {
        message.state = MessageState::kInterrupted;
    }
}

// Ends of answers that did not reach the disk are tried again whenever their conversation is used.
void ChatServiceImpl::save_leftovers(const ConversationKey& key) {
    std::vector<Message> waiting;
    for (const auto& [message_id, message] : unsaved_) {
        if (message.conversation == key.id) waiting.push_back(message);
    }
    if (waiting.empty()) return;
    store_.call(
        alive_,
        [waiting = std::move(waiting)](SessionStore& store) { return save_again(store, waiting); },
        [this](const std::vector<MessageId>& settled) {
            for (const MessageId& message : settled) unsaved_.erase(message.value);
        });
}

void ChatServiceImpl::change(ConversationKey key,
                             std::move_only_function<void(Conversation&)> edit,
                             Completion<Conversation> done) {
    store_.call(
        alive_,
        [key = std::move(key),
         edit = std::move(edit)](SessionStore& store) mutable -> Result<Conversation> {
            NOTSO_TRY(auto conversation, store.conversation(key));
            edit(conversation);
            NOTSO_CHECK(store.update_conversation(conversation));
            return conversation;
        },
        std::move(done));
}

void ChatServiceImpl::rename(ConversationKey key, std::string title, Completion<> done) {
    const bool valid = is_valid_utf8(title);
    std::string line = valid ? single_line(title) : "";
    if (line.empty() || count_code_points(line) > kMaxTitleCharacters) {
        return fail_later(
            std::move(done),
            Error{ErrorCode::kInvalidArgument,
                  fmt::format("a title has 1 to {} characters of UTF-8", kMaxTitleCharacters)});
    }
    change(
        std::move(key),
        [line = std::move(line)](Conversation& conversation) { conversation.title = line; },
        [done = std::move(done)](Result<Conversation> changed) mutable {
            if (!changed) return done(std::unexpected(std::move(changed).error()));
            done({});
        });
}

void ChatServiceImpl::set_thinking(ConversationKey key, bool on, Completion<Conversation> done) {
    change(
        std::move(key),
        [on](Conversation& conversation) { conversation.thinking = on; },
        std::move(done));
}

void ChatServiceImpl::set_thinking_budget(ConversationKey key,
                                          std::optional<std::int64_t> tokens,
                                          Completion<Conversation> done) {
    if (const Result<> ok = check_thinking_budget(tokens); !ok)
        return fail_later(std::move(done), ok.error());
    change(
        std::move(key),
        [tokens](Conversation& conversation) { conversation.settings.thinking_budget = tokens; },
        std::move(done));
}

SettingLimits ChatServiceImpl::setting_limits() const {
    SettingLimits limits;
    for (const ModelEntry& model : deps_.backend.models())
        limits.context = std::max(limits.context, model.info.context_length);
    return limits;
}

void ChatServiceImpl::set_settings(ConversationKey key,
                                   ChatSettings settings,
                                   Completion<Conversation> done) {
    if (const Result<> ok = check_settings(settings, setting_limits()); !ok)
        return fail_later(std::move(done), ok.error());
    change(
        std::move(key),
        [settings = std::move(settings)](Conversation& conversation) {
            conversation.settings = settings;
        },
        std::move(done));
}

void ChatServiceImpl::set_temperature(ConversationKey key,
                                      double value,
                                      Completion<Conversation> done) {
    if (!(value >= 0 && value <= kMaxTemperature)) {
        return fail_later(
            std::move(done),
            Error{
                ErrorCode::kInvalidArgument,
                fmt::format("temperature is {}; it must be from 0 to {}", value, kMaxTemperature)});
    }
    change(
        std::move(key),
        [value](Conversation& conversation) { conversation.settings.temperature = value; },
        std::move(done));
}

void ChatServiceImpl::set_model(ConversationKey key,
                                std::string model,
                                Completion<Conversation> done) {
    if (const auto found = deps_.backend.find_model(model); !found)
        return fail_later(std::move(done), found.error());
    change(
        std::move(key),
        [model = std::move(model)](Conversation& conversation) { conversation.model = model; },
        std::move(done));
}

void ChatServiceImpl::clear(ConversationKey key, Completion<> done) {
    after_turn(key, [this, key, done = std::move(done)]() mutable {
        forget(key);
        store_.call(
            alive_,
            [key](SessionStore& store) { return store.clear_messages(key); },
            std::move(done));
    });
}

/// What is remembered or made for its messages.
void ChatServiceImpl::forget(const ConversationKey& key) {
    ended_.drop(key);
    drafts_.drop(key);
    background_.abandon(key);
    end_compaction(key, fail(ErrorCode::kNotFound, "the messages were deleted meanwhile"));
}

}  // namespace notso::services
