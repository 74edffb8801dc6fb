#include "web/routes/chat_forms.hpp"

#include "web/pages/format.hpp"
#include "web/routes/fragments.hpp"

namespace notso::web {

std::string field(const Form& form, const std::string& name) {
    const auto found = form.find(name);
    return found == form.end() ? std::string() : found->second;
}

std::string with_unix_lines(std::string text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
        out += text[i] == '\r' ? '\n' : text[i];
    }
    return out;
}

Result<> check_ready(const AppContext& context) {
    const services::Health health = context.backend.health();
    if (health.state == services::HealthState::kReady) return {};
    const bool remote = !context.backend.info().remote_host.empty();
    if (health.state == services::HealthState::kFailed) {
        return fail(ErrorCode::kUnavailable,
                    "{}: {}",
                    remote ? "the remote model can't be used" : "the model could not be loaded",
                    health.detail);
    }
    if (remote)
        return fail(ErrorCode::kUnavailable,
                    "the server is not ready yet: send it again in a moment");
    return fail(ErrorCode::kUnavailable,
                "the model is still loading ({:.0f} %): send it again in a moment",
                health.load_progress * 100);
}

Result<> check_room(AppContext& context) {
    if (context.backend.admit(services::ChatPriority::kInteractive)) return {};
    const services::Health health = context.backend.health();
    return fail(ErrorCode::kOverloaded,
                "{} others are waiting for an answer: send it again {}",
                health.waiting,
                health.wait_ms > 0
                    ? "in about " + format_duration(Language::english(), health.wait_ms)
                    : "later");
}

/// Of a conversation with a model of its own the backend decides when it is asked.
Awaitable<Result<>> check_ready(const Pages& pages, const services::ConversationKey& key) {
    Result<> ready = check_room(pages.context());
    if (!ready) co_return ready;
    ready = check_ready(pages.context());
    if (ready) co_return ready;
    const auto view = co_await open_conversation(pages, key);
    if (view && !view->conversation.model.empty()) ready = {};
    co_return ready;
}

std::string follow_path(const services::ConversationKey& key) {
    return fmt::format("/chat/{}?follow=1", key.id.value);
}

Route action_route(const SharedPages& pages, std::string pattern, Action action, BodyLimit body) {
    return {Method::kPost,
            std::move(pattern),
            [pages, action](Exchange& exchange) { return action(exchange, *pages); },
            body};
}

}  // namespace notso::web
