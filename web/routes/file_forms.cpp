#include "web/routes/file_forms.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "web/http/form_data.hpp"
#include "web/http/url.hpp"
#include "web/pages/files_view.hpp"
#include "web/routes/fragments.hpp"
#include "web/routes/run_on.hpp"

namespace notso::web {
namespace {

using services::AttachedFile;
using services::AttachmentUse;
using services::ConversationKey;

constexpr std::string_view kFieldStart = "file-";

Awaitable<Result<AttachedFile>> take(const Pages& pages, services::NewAttachment file) {
    auto start = [&pages, &file](services::Completion<AttachedFile> done) {
        pages.context().files->add(std::move(file), std::move(done));
    };
    co_return co_await wait_for<AttachedFile>(start);
}

Awaitable<Result<FormData>> read_body(const Pages& pages, const Request& request) {
    std::move_only_function<Result<FormData>()> read = [&request] {
        return read_form_data(request.body_file, request.header("content-type"));
    };
    co_return co_await run_on<Result<FormData>>(pages.context().files->worker(), std::move(read));
}

int number_of(std::string_view text) {
    int number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

}  // namespace

Awaitable<Result<FilledForm>> form_with_files(Exchange& exchange, const Pages& pages) {
    const Request& request = exchange.request();
    FilledForm filled;
    if (request.body_file.empty()) {
        Result<Form> fields = request.form();
        if (!fields) co_return std::unexpected(fields.error());
        filled.fields = *std::move(fields);
        co_return filled;
    }
    Result<FormData> data = co_await read_body(pages, request);
    if (!data) co_return std::unexpected(data.error());
    filled.fields = std::move(data->fields);
    const ConversationKey composer = conversation_of(request);
    if (filled.fields.contains("temporary") && !data->files.empty()) {
        filled.files = fail(ErrorCode::kUnsupported,
                            "a temporary chat takes no files: nothing of it is stored");
        co_return filled;
    }
    std::size_t number = services::kMaxAttachments;  // behind those that lay there
    for (FormFile& file : data->files) {
        services::NewAttachment given{
            composer, std::move(file.name), request.body_file, file.begin, file.end};
        const auto taken = co_await take(pages, std::move(given));
        if (taken)
            filled.fields[std::string(kFieldStart) + taken->id.value] = std::to_string(++number);
        if (!taken && filled.files) filled.files = std::unexpected(taken.error());
    }
    co_return filled;
}

std::vector<AttachmentUse> files_of(const Form& form) {
    std::vector<std::pair<int, std::string>> named;
    for (const auto& [name, value] : form) {
        if (name.starts_with(kFieldStart))
            named.emplace_back(number_of(value), name.substr(kFieldStart.size()));
    }
    std::ranges::sort(named);
    std::vector<AttachmentUse> files;
    for (auto& [number, id] : named) files.push_back({{std::move(id)}});
    return files;
}

Route file_form_route(const SharedPages& pages, std::string pattern, Action action) {
    Route route = action_route(pages, std::move(pattern), action, BodyLimit::kForm);
    route.upload_path = [pages]() -> Result<std::filesystem::path> {
        const services::AttachmentDesk* desk = pages->context().files;
        if (desk == nullptr) return fail(ErrorCode::kUnsupported, "messages take no files here");
        return desk->temporary_file();
    };
    return route;
}

Awaitable<> add_composer_files(PageFrame& frame,
                               const Pages& pages,
                               const ConversationKey& composer) {
    services::AttachmentDesk* desk = pages.context().files;
    frame.takes_files = desk != nullptr;
    if (desk == nullptr) co_return;
    auto start = [desk, &composer](services::Completion<std::vector<AttachedFile>> done) {
        desk->composer_files(composer, std::move(done));
    };
    auto files = co_await wait_for<std::vector<AttachedFile>>(start);
    if (files) frame.files = *std::move(files);
}

Awaitable<std::string> composer_files_html(Exchange& exchange, const Pages& pages) {
    const Request& request = exchange.request();
    const ConversationKey key = conversation_of(request);
    PageFrame frame = pages.bare_frame(request, "");
    co_await add_composer_files(frame, pages, key);
    if (!frame.takes_files) co_return std::string();
    const std::string place = key.id.value.empty() ? "" : "/chat/" + key.id.value;
    const boost::json::object composer = {{"files_action", place + "/files"},
                                          {"files", files_view(frame.language, frame.files)}};
    co_return pages.renderer(request).render("partials/composer_files.html",
                                             {{"composer", composer}});
}

Awaitable<> show_composer(Exchange& exchange, const Pages& pages, std::string text) {
    const Request& request = exchange.request();
    const ConversationKey key = conversation_of(request);
    const Language& language = Language::of(request);
    PageFrame frame = co_await pages.frame(request, std::string(language.text("New chat")));
    co_await add_composer_files(frame, pages, key);
    boost::json::object page;
    if (key.id.value.empty()) {
        page = new_chat_view(frame, text);
    } else {
        const auto view = co_await open_conversation(pages, key);
        if (!view) {
            co_await pages.show_error(exchange, view.error(), std::move(text));
            co_return;
        }
        frame.title = title_of(language, view->conversation);
        frame.current = key.id.value;
        Pages::show_model(frame, view->conversation.model);
        page = chat_view(frame, *view, {.draft = text});
    }
    Response response;
    response.body = co_await pages.render(request, "chat.html", std::move(page));
    co_await exchange.respond(std::move(response));
}

}  // namespace notso::web
