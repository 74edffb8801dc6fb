#include "app/composition.hpp"

#include <malloc.h>
#include <openssl/crypto.h>
#include <sqlite3.h>

#include <boost/asio/io_context.hpp>
#include <boost/version.hpp>

#include "app/control.hpp"
#include "app/io_executor.hpp"
#include "app/model_shelf.hpp"
#include "app/shutdown.hpp"
#include "app/tools.hpp"
#include "base/log.hpp"
#include "base/serial_worker.hpp"
#include "services/archive/archive_desk.hpp"
#include "services/attachments/attachment_desk.hpp"
#include "services/chat/chat_service.hpp"
#include "services/models/pull_desk.hpp"
#include "services/session/data_directory.hpp"
#include "services/session/temporary_chats.hpp"
#include "services/tools/time/time_zone.hpp"
#include "web/http/server.hpp"
#include "web/routes/context.hpp"

namespace notso::app {
namespace {

bool is_loopback(std::string_view host) {
    return host == "localhost" || host.starts_with("127.") || host == "::1" || host == "[::1]";
}

/// Where only this machine reaches the server, all its browsers are one person's.
bool has_spaces(const Settings& settings) {
    const bool reached_by_others = !is_loopback(settings.host) || !settings.public_url.empty() ||
                                   !settings.trusted_proxies.empty();
    return settings.spaces.value_or(reached_by_others);
}

web::ServerOptions server_options(const Settings& settings) {
    web::ServerOptions options;
    options.host = settings.host;
    options.port = settings.port;
    options.api_key = settings.api_key;
    options.allowed_hosts = settings.allowed_hosts;
    options.public_url = settings.public_url;
    options.trusted_proxies = settings.trusted_proxies;
    options.spaces = has_spaces(settings);
    return options;
}

/// Work that nobody asked for: a remote model may cost money, and scripted answers stay as they
/// are.
bool background(const Settings& settings) {
    return settings.background.value_or(settings.backend == BackendKind::kLocal);
}

void log_start(const Settings& settings) {
    log::info("event=start version={} sqlite={} boost={} openssl={}",
              NOTSO_VERSION,
              sqlite3_libversion(),
              BOOST_LIB_VERSION,
              log::field(OpenSSL_version(OPENSSL_VERSION)));
    log::info(
        "event=settings host={} port={} data_dir={} models_dir={} backend={} threads={} ctx={} "
        "kv={} precision={} background={} spaces={} api_key={} remote_host={} remote_key={}",
        log::field(settings.host),
        settings.port,
        log::field(settings.data_dir.string()),
        log::field(settings.models_dir.string()),
        kBackendNames[static_cast<std::size_t>(settings.backend)],
        settings.threads,
        settings.context,
        ml::kv_traits(settings.kv).name,
        ml::kPrecisionNames[static_cast<std::size_t>(settings.precision)],
        background(settings) ? "on" : "off",
        has_spaces(settings) ? "on" : "off",
        settings.api_key.empty() ? "none" : "set",
        settings.remote_url ? log::field(settings.remote_url->host_label()) : "none",
        settings.remote_key.empty() ? "none" : "set");
}

/// What an unloaded model had must go back to the system. With a heap per thread, ten MiB and more
/// of each would stay; one heap is enough, since nothing that is quick allocates.
void use_one_heap() {
    constexpr int kTrimBytes = 256 << 10;
    ::mallopt(M_ARENA_MAX, 1);
    ::mallopt(M_TRIM_THRESHOLD, kTrimBytes);
}

/// Members in order of construction; destruction is the reverse.
class Root final : public Composition {
  public:
    Root(const Settings& settings,
         services::DataDirectory directory,
         std::unique_ptr<services::SqliteStore> store,
         services::LoginRecords logins)
        : io_executor_(io_),
          directory_(std::move(directory)),
          store_(std::move(store)),
          chats_(*store_),
          tools_(make_tools(settings)),
          database_("notso-db"),
          compute_("notso-compute"),
          backend_(std::make_unique<services::MeteredBackend>(make_server_backend(settings))),
          logins_({store_->accounts(), io_executor_, database_, compute_}, std::move(logins)),
          chat_(services::ChatService::create(
              {.backend = *backend_,
               .store = chats_,
               .io = io_executor_,
               .database = database_,
               .compute = compute_,
               .background = background(settings),
               .tools = {.box = tools_.box.get(), .time_zone = services::TimeZone::local_name()},
               .quota = settings.quota,
               .thinking_budget = settings.thinking_budget,
               .continue_unfinished = settings.continue_unfinished})),
          pulls_({.folder = settings.models_dir,
                  .hub = settings.hub,
                  .on_installed = [this] { backend_->refresh(); }}),
          settings_(*store_, database_, io_executor_),
          archive_(*store_, database_, io_executor_, directory_.path() / "tmp"),
          files_({.store = *store_,
                  .database = database_,
                  .io = io_executor_,
                  .folder = directory_.path() / "uploads",
                  .quota = settings.quota}),
          context_{*chat_, *backend_, compute_, NOTSO_VERSION} {
        if (settings.backend == BackendKind::kLocal) context_.pulls = &pulls_;
        context_.logins = &logins_;
        context_.https = settings.public_url.starts_with("https://");
        context_.mcp = tools_.servers.get();
        archive_.limit_imports(settings.quota);
        context_.archive = &archive_;
        context_.settings = &settings_;
        context_.files = &files_;
    }

    ~Root() override {
        // Completions of the workers are posted to the io_context, which no longer runs: join them
        // before the parts that their tasks use go away. Then let the connections' coroutines
        // unwind: they hold running answers, which must end before the backend does.
        server_.reset();
        compute_.stop();
        database_.stop();
        archive_.stop();
        files_.stop();
        control_.reset();
        io_.restart();
        io_.poll();
    }

    Result<> listen(const Settings& settings) {
        web::ServerOptions options = server_options(settings);
        options.error_page = web::make_error_page(context_);
        options.logins = &logins_;
        NOTSO_TRY(server_,
                  web::Server::listen(io_, std::move(options), web::make_routes(context_)));
        shutdown_ = std::make_unique<Shutdown>(io_, *chat_, *server_);
        auto control = ControlServer::listen(io_, directory_.path(), archive_);
        if (control) control_ = *std::move(control);
        if (!control) log::warn("commands can't reach this server: {}", control.error().detail);
        fmt::print("http://localhost:{}\n", server_->port());
        std::fflush(stdout);
        return {};
    }

    void run() override { io_.run(); }

  private:
    boost::asio::io_context io_{1};
    IoExecutor io_executor_;
    services::DataDirectory directory_;
    std::unique_ptr<services::SqliteStore> store_;
    services::TemporaryChats chats_;
    Tools tools_;
    SerialWorker database_;
    SerialWorker compute_;
    std::unique_ptr<services::MeteredBackend> backend_;
    services::LoginDesk logins_;
    std::unique_ptr<services::ChatService> chat_;
    services::PullDesk pulls_;
    services::SettingsDesk settings_;
    services::ArchiveDesk archive_;
    services::AttachmentDesk files_;
    web::AppContext context_;
    std::unique_ptr<web::Server> server_;
    std::unique_ptr<Shutdown> shutdown_;
    std::unique_ptr<ControlServer> control_;
};

}  // namespace

Result<std::unique_ptr<Composition>> Composition::create(const Settings& settings) {
    use_one_heap();  // before the first thread
    log_start(settings);
    NOTSO_TRY(services::DataDirectory directory, services::DataDirectory::open(settings.data_dir));
    NOTSO_TRY(auto store, directory.open_store());
    NOTSO_TRY(services::LoginRecords logins, services::load_logins(store->accounts()));
    auto root =
        std::make_unique<Root>(settings, std::move(directory), std::move(store), std::move(logins));
    NOTSO_CHECK(root->listen(settings));
    return root;
}

}  // namespace notso::app
