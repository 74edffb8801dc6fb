#include "web/routes/pages.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "services/settings/owner_presets.hpp"
#include "services/template/markdown.hpp"
#include "web/middleware/error_mapping.hpp"
#include "web/pages/answer_painter.hpp"
#include "web/pages/format.hpp"
#include "web/routes/run_on.hpp"

namespace notso::web {
namespace {

Trouble trouble_of(const Request& request, int status, const Error& error) {
    const Language& language = Language::of(request);
    Trouble trouble{.heading = std::string(language.text("That did not work")),
                    .text = format_sentence(language, error.detail)};
    if (status == 404) {
        trouble.heading = language.text("Nothing here");
        trouble.icon = "logo";
        if (request.path.starts_with("/chat/")) {
            trouble.text = language.text("This conversation does not exist, or it was deleted.");
            if (request.owner_is_one_person && request.account.empty())
                trouble.text += fmt::format(
                    " {}",
                    language.text(
                        "Conversations that were begun in another browser are only there."));
        }
    } else if (status == 413) {
        trouble.heading = language.text("Too long");
    } else if (status == 409) {
        trouble.heading = language.text("One moment");
    } else if (status >= 500) {
        trouble.heading = language.text(status == 503 ? "Not ready yet" : "Something broke here");
        if (error.code == ErrorCode::kOverloaded)
            trouble.heading = language.text("Too many at once");
    }
    if (const auto id = request.params.find("id"); id != request.params.end() && status != 404) {
        trouble.back = "/chat/" + id->second;
    }
    return trouble;
}

/// One for each language; the templates are the same for every server in the process.
const std::vector<std::unique_ptr<const PageRenderer>>& renderers() {
    static const auto kAll = [] {
        std::vector<std::unique_ptr<const PageRenderer>> made;
        for (const Language* language : Language::all())
            made.push_back(std::make_unique<const PageRenderer>(*language));
        return made;
    }();
    return kAll;
}

Response alert_response(const Language& language, int status, const Error& error) {
    Response response;
    response.status = status;
    response.body = partial(
        "alert",
        "innerHTML",
        fmt::format("<p>{}</p>", services::escape_html(format_sentence(language, error.detail))));
    return response;
}

}  // namespace

PageFrame Pages::bare_frame(const Request& request, std::string title) const {
    PageFrame frame{.language = Language::of(request),
                    .title = std::move(title),
                    .theme = theme_of(request),
                    .account = request.account,
                    .own_space = request.owner_is_one_person,
                    .model = context_.backend.info(),
                    .health = context_.backend.health(),
                    .reads_drafts = context_.chat.reads_drafts(),
                    .thinking_budget = context_.chat.thinking_budget(),
                    .storage_error = context_.storage_error,
                    .models = context_.backend.models()};
    frame.on_disk = !frame.models.empty() && frame.models.front().info.id == frame.model.id &&
                    frame.models.front().place == services::ModelPlace::kOnDisk;
    return frame;
}

void Pages::show_model(PageFrame& frame, const std::string& id) {
    const auto entry = std::ranges::find(
        frame.models, id, [](const services::ModelEntry& model) { return model.info.id; });
    if (id.empty() || frame.models.size() == 1) return;  // a single model answers for all
    frame.chosen = id;
    frame.on_disk = entry != frame.models.end() && entry->place == services::ModelPlace::kOnDisk;
    frame.health = {};
    if (entry == frame.models.end()) {
        frame.model = {};
        frame.model.id = frame.model.name = id;
        frame.health.state = services::HealthState::kFailed;
        frame.health.detail =
            "the model " + id + " is not installed any more: choose another one for this chat";
        return;
    }
    frame.model = entry->info;
    frame.health.load_progress = entry->load_progress;
    frame.health.detail = entry->detail;
    frame.health.state =
        entry->place == services::ModelPlace::kLoading  ? services::HealthState::kLoading
        : entry->place == services::ModelPlace::kFailed ? services::HealthState::kFailed
                                                        : services::HealthState::kReady;
}

Awaitable<PageFrame> Pages::frame(const Request& request, std::string title) const {
    PageFrame frame = bare_frame(request, std::move(title));
    auto list = [this, &request](services::Completion<std::vector<services::Conversation>> done) {
        context_.chat.list_conversations(request.owner, std::move(done));
    };
    auto listed = co_await wait_for<std::vector<services::Conversation>>(list);
    if (listed) {
        frame.conversations = *std::move(listed);
    } else if (frame.storage_error.empty()) {
        frame.storage_error = format_sentence(frame.language, listed.error().detail);
    }
    if (context_.settings == nullptr) co_return frame;
    auto get = [this, &request](services::Completion<services::OwnerSettings> done) {
        context_.settings->get(request.owner, std::move(done));
    };
    const auto own = co_await wait_for<services::OwnerSettings>(get);
    if (!own) co_return frame;
    frame.new_budget = services::starting_values(*own).thinking_budget;
    const bool here = !request.cookie("theme").empty();  // chosen in this browser
    if (!here && own->theme != services::Theme::kSystem) frame.theme = name_of(own->theme);
    co_return frame;
}

const PageRenderer& Pages::renderer(const Request& request) const {
    const Language& wanted = Language::of(request);
    return **std::ranges::find(
        renderers(), &wanted, [](const auto& each) { return &each->language(); });
}

Awaitable<std::string> Pages::render(const Request& request,
                                     std::string name,
                                     boost::json::object variables) const {
    std::move_only_function<std::string()> draw = [&drawn = renderer(request), &name, &variables] {
        return drawn.render(name, variables);
    };
    co_return co_await run_on<std::string>(context_.compute, std::move(draw));
}

Awaitable<> Pages::show_error(Exchange& exchange, const Error& error, std::string kept) const {
    const Request& request = exchange.request();
    const int status = http_status(error.code);
    if (request.is_htmx()) {
        Response alert = alert_response(Language::of(request), status, error);
        add_retry_after(alert, error);
        co_await exchange.respond(std::move(alert));
        co_return;
    }
    Trouble trouble = trouble_of(request, status, error);
    trouble.kept = std::move(kept);
    const PageFrame frame = co_await this->frame(request, trouble.heading);
    Response response;
    response.status = status;
    response.body = co_await render(request, "message.html", trouble_view(frame, trouble));
    add_retry_after(response, error);
    co_await exchange.respond(std::move(response));
}

void Pages::add_retry_after(Response& response, const Error& error) const {
    if (response.status != 503) return;
    response.headers.push_back(retry_after(error.code, context_.backend.health().wait_ms));
}

Response Pages::error_page(const Request& request, int status, const Error& error) const {
    if (request.is_htmx()) return alert_response(Language::of(request), status, error);
    const Trouble trouble = trouble_of(request, status, error);
    Response response;
    response.status = status;
    response.body = renderer(request).render(
        "message.html", trouble_view(bare_frame(request, trouble.heading), trouble));
    return response;
}

std::string text_for(const Request& request, std::string_view english) {
    return std::string(Language::of(request).text(english));
}

Response see_other(std::string path) {
    Response response;
    response.status = 303;
    response.headers.push_back({"Location", std::move(path)});
    return response;
}

std::string safe_path(const std::string& path) {
    const bool is_path = path.starts_with('/') && !path.starts_with("//") &&
                         path.find_first_of("\\\r\n\t") == std::string::npos;
    return is_path ? path : "/";
}

services::ConversationKey conversation_of(const Request& request) {
    const auto id = request.params.find("id");
    return {request.owner, {id == request.params.end() ? std::string() : id->second}};
}

}  // namespace notso::web
