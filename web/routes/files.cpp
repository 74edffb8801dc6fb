#include "web/routes/files.hpp"

#include <algorithm>

#include "web/http/url.hpp"
#include "web/pages/format.hpp"
#include "web/routes/file_forms.hpp"
#include "web/routes/fragments.hpp"

namespace notso::web {
namespace {

using services::AttachedFile;
using services::ConversationKey;

/// A conversation that is not there has no composer; that of the next one always is.
Awaitable<Result<>> check_composer(const Pages& pages, const ConversationKey& key) {
    if (key.id.value.empty()) co_return Result<>{};
    const auto view = co_await open_conversation(pages, key);
    if (!view) co_return std::unexpected(view.error());
    co_return Result<>{};
}

/// What lies there now, or what went wrong.
Awaitable<> answer_composer(Exchange& exchange,
                            const Pages& pages,
                            const Form& fields,
                            Result<> changed) {
    const std::string text = field(fields, "message");
    if (!changed) {
        co_await pages.show_error(exchange, changed.error(), text);
        co_return;
    }
    if (!exchange.request().is_htmx()) {
        co_await show_composer(exchange, pages, with_unix_lines(text));
        co_return;
    }
    Response response;
    response.body = co_await composer_files_html(exchange, pages);
    co_await exchange.respond(std::move(response));
}

Awaitable<> get_files(Exchange& exchange, const Pages& pages) {
    const Result<> there = co_await check_composer(pages, conversation_of(exchange.request()));
    co_await answer_composer(exchange, pages, {}, there);
}

Awaitable<> post_files(Exchange& exchange, const Pages& pages) {
    const Result<> there = co_await check_composer(pages, conversation_of(exchange.request()));
    Result<FilledForm> form = std::unexpected(there ? Error{} : there.error());
    if (there) form = co_await form_with_files(exchange, pages);
    if (!form) {
        co_await pages.show_error(exchange, form.error());
        co_return;
    }
    co_await answer_composer(exchange, pages, form->fields, form->files);
}

Awaitable<> post_remove(Exchange& exchange, const Pages& pages) {
    const Result<FilledForm> form = co_await form_with_files(exchange, pages);
    if (!form) {
        co_await pages.show_error(exchange, form.error());
        co_return;
    }
    services::AttachmentDesk* desk = pages.context().files;
    const ConversationKey key = conversation_of(exchange.request());
    const services::AttachmentId id{field(form->fields, "file")};
    auto start = [desk, &key, &id](services::Completion<> done) {
        desk->remove(key, id, std::move(done));
    };
    const Result<> removed = co_await wait_for<void>(start);
    co_await answer_composer(exchange, pages, form->fields, removed);
}

/// For browsers that know no filename*, and nothing else in it that a header could trip over.
std::string plain_name(std::string_view name) {
    std::string plain(name);
    std::ranges::replace_if(
        plain,
        [](char c) {
            const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            return !letter && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_';
        },
        '_');
    return plain;
}

/// It is saved; were it shown all the same, then as a page that may do nothing and is nobody's.
Response head_of(const AttachedFile& file) {
    Response head;
    head.content_type = file.media_type == "application/pdf" ? file.media_type : "text/plain";
    head.headers.push_back({"Content-Disposition",
                            fmt::format("attachment; filename=\"{}\"; filename*=UTF-8''{}",
                                        plain_name(file.name),
                                        percent_encode(file.name))});
    head.headers.push_back({"Content-Security-Policy",
                            "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; "
                            "frame-ancestors 'none'"});
    return head;
}

Awaitable<Result<AttachedFile>> find_file(const Pages& pages, const Request& request) {
    services::AttachmentDesk* desk = pages.context().files;
    if (desk == nullptr) co_return fail(ErrorCode::kNotFound, "messages have no files here");
    auto start = [desk, &request](services::Completion<AttachedFile> done) {
        desk->find(conversation_of(request), {request.params.at("file")}, std::move(done));
    };
    co_return co_await wait_for<AttachedFile>(start);
}

Awaitable<> get_file(Exchange& exchange, const Pages& pages) {
    const auto file = co_await find_file(pages, exchange.request());
    if (!file) {
        co_await pages.show_error(exchange, file.error());
        co_return;
    }
    const auto started = co_await exchange.start_stream(head_of(*file));
    if (!started) co_return;
    std::int64_t sent = 0;
    auto start = [&pages, &file, &sent](services::Completion<std::string> done) {
        pages.context().files->read(*file, sent, std::move(done));
    };
    while (sent < file->bytes) {
        const auto piece = co_await wait_for<std::string>(start);
        if (!piece || piece->empty()) co_return;  // deleted meanwhile: it looks cut, and is
        const auto written = co_await exchange.write(*piece);
        if (!written) co_return;
        sent += std::ssize(*piece);
    }
    co_await exchange.finish();
}

}  // namespace

void add_file_routes(std::vector<Route>& routes, const SharedPages& pages) {
    if (pages->context().files == nullptr) return;
    for (const std::string place : {"", "/chat/{id}"}) {
        routes.push_back(file_form_route(pages, place + "/files", post_files));
        routes.push_back(file_form_route(pages, place + "/files/remove", post_remove));
    }
    routes.push_back({Method::kGet, "/chat/{id}/files", [pages](Exchange& exchange) {
                          return get_files(exchange, *pages);
                      }});
    routes.push_back({Method::kGet, "/chat/{id}/files/{file}", [pages](Exchange& exchange) {
                          return get_file(exchange, *pages);
                      }});
}

}  // namespace notso::web
