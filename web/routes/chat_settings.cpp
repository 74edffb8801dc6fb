// The settings of one conversation.
#include <algorithm>

#include "services/settings/owner_presets.hpp"
#include "web/middleware/error_mapping.hpp"
#include "web/routes/chat_forms.hpp"
#include "web/routes/fragments.hpp"
#include "web/routes/settings.hpp"
#include "web/routes/settings_forms.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;
using services::ChatSettings;
using services::Conversation;
using services::ConversationKey;
using services::OwnerSettings;

/// Whose values these are, as far as anybody knows.
std::string origin_of(const Language& language,
                      const ChatSettings& values,
                      const OwnerSettings& own) {
    const auto preset = std::ranges::find(own.presets, values, &services::Preset::values);
    if (preset != own.presets.end())
        return language.fill("These are the values of the preset “{}”.", preset->name);
    if (values == starting_values(own))
        return std::string(language.text("These are the values that new chats begin with."));
    return std::string(language.text("This chat has values of its own."));
}

std::string chat_path(const ConversationKey& key) { return fmt::format("/chat/{}", key.id.value); }

Awaitable<Result<>> store_settings(const Pages& pages, ConversationKey key, ChatSettings values) {
    auto start = [&pages, &key, &values](services::Completion<Conversation> done) {
        pages.context().chat.set_settings(key, values, std::move(done));
    };
    const auto changed = co_await wait_for<Conversation>(start);
    if (!changed) co_return std::unexpected(changed.error());
    co_return Result<>{};
}

/// @param typed  Null: the form shows the values of the chat.
Awaitable<> show_chat_settings(Exchange& exchange, const Pages& pages, const SettingsForm* typed) {
    const ConversationKey key = conversation_of(exchange.request());
    const auto chat = co_await open_conversation(pages, key);
    if (!chat) {
        co_await pages.show_error(exchange, chat.error());
        co_return;
    }
    const auto own = co_await read_owner_settings(pages, key.owner);
    if (!own) {
        co_await pages.show_error(exchange, own.error());
        co_return;
    }
    PageFrame frame = co_await pages.frame(exchange.request(),
                                           text_for(exchange.request(), "Settings of this chat"));
    frame.current = key.id.value;
    Pages::show_model(frame, chat->conversation.model);
    const ChatSettings& values = chat->conversation.settings;
    json::object view = frame_view(frame);
    view["plain"] = true;
    json::object settings = settings_view(frame.language,
                                          typed != nullptr ? *typed : shown_form(values),
                                          pages.context().chat.setting_limits());
    const bool saved = exchange.request().query.contains("done");
    settings["chat"] = chat_path(key);
    settings["chat_title"] = title_of(frame.language, chat->conversation);
    settings["action"] = chat_path(key) + "/settings";
    settings["told"] =
        saved ? frame.language.text("Saved. It counts from the next answer on.") : "";
    settings["editing"] = false;
    settings["themes"] = json::array{};
    settings["origin"] = origin_of(frame.language, values, *own);
    settings["presets"] = presets_view(frame.language, *own);
    view["settings"] = std::move(settings);
    Response response;
    if (typed != nullptr) response.status = http_status(ErrorCode::kInvalidArgument);
    response.body = co_await pages.render(exchange.request(), "settings.html", std::move(view));
    co_await exchange.respond(std::move(response));
}

Awaitable<> get_chat_settings(Exchange& exchange, const Pages& pages) {
    co_await show_chat_settings(exchange, pages, nullptr);
}

/// The values of a preset, or those that new chats begin with.
Awaitable<Result<ChatSettings>> values_to_take(const Pages& pages,
                                               services::OwnerId owner,
                                               std::string preset) {
    const auto own = co_await read_owner_settings(pages, std::move(owner));
    if (!own) co_return std::unexpected(own.error());
    if (preset.empty()) co_return starting_values(*own);
    co_return preset_values(*own, preset);
}

Awaitable<> post_chat_settings(Exchange& exchange, const Pages& pages) {
    const ConversationKey key = conversation_of(exchange.request());
    const Result<Form> fields = exchange.request().form();
    Result<ChatSettings> values = ChatSettings{};
    if (!fields) values = std::unexpected(fields.error());
    if (fields && fields->contains("take")) {
        values = co_await values_to_take(pages, key.owner, field(*fields, "take"));
    } else if (fields) {
        const SettingsForm form = read_form(*fields, pages.context().chat.setting_limits());
        if (!form.errors.empty()) {
            co_await show_chat_settings(exchange, pages, &form);
            co_return;
        }
        values = form.values;
    }
    Result<> changed;
    if (!values) changed = std::unexpected(values.error());
    if (values) changed = co_await store_settings(pages, key, *values);
    if (!changed) {
        co_await pages.show_error(exchange, changed.error());
        co_return;
    }
    Response response = see_other(chat_path(key) + "/settings?done=saved");
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_chat_settings_routes(std::vector<Route>& routes, const SharedPages& pages) {
    routes.push_back({Method::kGet, "/chat/{id}/settings", [pages](Exchange& exchange) {
                          return get_chat_settings(exchange, *pages);
                      }});
    routes.push_back(
        action_route(pages, "/chat/{id}/settings", post_chat_settings, BodyLimit::kSmall));
}

}  // namespace notso::web
