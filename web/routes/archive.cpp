#include "web/routes/archive.hpp"

#include <fstream>
#include <ranges>

#include "web/http/multipart.hpp"
#include "web/pages/format.hpp"

namespace notso::web {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using services::ArchiveAction;
using services::ArchiveDesk;
using services::ArchiveOrder;

// More than a stream may hold back: each piece waits for its reader, however slow.
constexpr std::size_t kPieceBytes = std::size_t{512} * 1024;

/// Removed with this object.
struct TemporaryFile {
    explicit TemporaryFile(fs::path file) : path(std::move(file)) {}
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        std::error_code ignored;
        fs::remove(path, ignored);
    }
    const fs::path path;
};

Result<fs::path> temporary_file(const Pages& pages) {
    const ArchiveDesk* desk = pages.context().archive;
    if (desk == nullptr)
        return fail(ErrorCode::kUnsupported, "this server imports and exports nothing");
    return desk->temporary_file();
}

Awaitable<Result<std::string>> carry_out(const Pages& pages, ArchiveOrder order) {
    auto start = [&pages, &order](services::Completion<std::string> done) {
        pages.context().archive->carry_out(std::move(order), std::move(done));
    };
    co_return co_await wait_for<std::string>(start);
}

/// What was done, or what went wrong; before anything was done neither.
Awaitable<> archive_page(Exchange& exchange,
                         const Pages& pages,
                         std::optional<Result<std::string>> done) {
    const PageFrame frame =
        co_await pages.frame(exchange.request(), text_for(exchange.request(), "Import and export"));
    json::object view = frame_view(frame);
    json::array lines;
    std::string error;
    if (done && *done) {
        for (const auto line : std::views::split(**done, '\n'))
            lines.emplace_back(std::string_view(line.begin(), line.end()));
    } else if (done) {
        error = format_sentence(frame.language, done->error().detail);
    }
    view["plain"] = true;
    view["lines"] = std::move(lines);
    view["error"] = error;
    Response response;
    if (!error.empty()) response.status = 400;
    response.body = co_await pages.render(exchange.request(), "archive.html", std::move(view));
    co_await exchange.respond(std::move(response));
}

/// Reads of a file that was just written come from memory.
Awaitable<> send_file(Exchange& exchange, const fs::path& path, std::string_view name) {
    Response head;
    head.content_type = name.ends_with(".md") ? "text/markdown; charset=utf-8" : "application/json";
    head.headers.push_back(
        {"Content-Disposition", fmt::format("attachment; filename=\"{}\"", name)});
    const auto started = co_await exchange.start_stream(std::move(head));
    if (!started) co_return;
    std::ifstream file(path, std::ios::binary);
    std::string piece(kPieceBytes, '\0');
    while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) ||
           file.gcount() > 0) {
        const std::string_view bytes(piece.data(), static_cast<std::size_t>(file.gcount()));
        const auto written = co_await exchange.write(bytes);
        if (!written) co_return;
    }
    if (file.eof()) co_await exchange.finish();
}

Awaitable<> export_all(Exchange& exchange, const Pages& pages) {
    const auto given = exchange.request().query.find("format");
    const auto format = services::parse_archive_format(
        given == exchange.request().query.end() ? "json" : given->second);
    if (!format) {
        co_await pages.show_error(exchange, format.error());
        co_return;
    }
    ArchiveOrder order{ArchiveAction::kExport, {}, exchange.request().owner, *format};
    const bool markdown = *format == services::ArchiveFormat::kMarkdown;
    co_await send_export(
        exchange, pages, std::move(order), markdown ? "conversations.md" : "conversations.json");
}

Awaitable<> post_import(Exchange& exchange, const Pages& pages) {
    const Request& request = exchange.request();
    const auto range = find_upload(request.body_file, request.header("content-type"));
    if (!range) {
        co_await archive_page(exchange, pages, Result<std::string>(std::unexpected(range.error())));
        co_return;
    }
    ArchiveOrder order{
        .action = ArchiveAction::kImport, .path = request.body_file, .owner = request.owner};
    order.part = {range->begin, range->end};
    auto done = co_await carry_out(pages, std::move(order));
    co_await archive_page(exchange, pages, std::move(done));
}

}  // namespace

Awaitable<> send_export(Exchange& exchange,
                        const Pages& pages,
                        ArchiveOrder order,
                        std::string_view name) {
    const auto path = temporary_file(pages);
    if (!path) {
        co_await pages.show_error(exchange, path.error());
        co_return;
    }
    const TemporaryFile file(*path);
    order.path = file.path;
    const auto done = co_await carry_out(pages, std::move(order));
    if (!done) {
        co_await pages.show_error(exchange, done.error());
        co_return;
    }
    co_await send_file(exchange, file.path, name);
}

void add_archive_routes(std::vector<Route>& routes, const SharedPages& pages) {
    routes.push_back({Method::kGet, "/archive", [pages](Exchange& exchange) {
                          return archive_page(exchange, *pages, std::nullopt);
                      }});
    routes.push_back({Method::kGet, "/archive/export", [pages](Exchange& exchange) {
                          return export_all(exchange, *pages);
                      }});
    Route upload{Method::kPost,
                 "/archive/import",
                 [pages](Exchange& exchange) { return post_import(exchange, *pages); },
                 BodyLimit::kFile};
    upload.upload_path = [pages] { return temporary_file(*pages); };
    routes.push_back(std::move(upload));
}

}  // namespace notso::web
