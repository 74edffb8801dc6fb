// For tests of routes: the real routes and services over the scripted stub, on a real socket.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <future>
#include <memory>
#include <string>

#include "base/random.hpp"
#include "base/serial_worker.hpp"
#include "services/backend/stub.hpp"
#include "services/chat/chat_service.hpp"
#include "services/session/memory_store.hpp"
#include "web/http/test_server.hpp"
#include "web/routes/context.hpp"

namespace notso::web {

/// The io thread as the services see it.
class TestExecutor final : public Executor {
  public:
    explicit TestExecutor(boost::asio::io_context& io) : io_(io) {}
    void post(Task task) override { boost::asio::post(io_, std::move(task)); }

  private:
    boost::asio::io_context& io_;
};

class AppFixture : public testing::Test {
  protected:
    void SetUp() override { start({}); }
    void TearDown() override {
        std::promise<void> done;
        boost::asio::post(server_->io(), [&] {
            chat_.reset();
            logins_.reset();
            settings_.reset();
            done.set_value();
        });
        done.get_future().wait();
        server_->stop();
        compute_.reset();
        database_.reset();
        archive_.reset();
        files_.reset();
        backend_.reset();
    }

    /// Starts everything; once per test.
    void start(services::StubOptions stub) { start_with(services::make_stub_backend(stub)); }
    void start_with(std::unique_ptr<services::ChatBackend> backend, ServerOptions options = {}) {
        backend_ = std::make_unique<services::MeteredBackend>(std::move(backend));
        server_ = std::make_unique<TestServer>();
        executor_ = std::make_unique<TestExecutor>(server_->io());
        compute_ = std::make_unique<SerialWorker>("test-compute");
        database_ = std::make_unique<SerialWorker>("test-db");
        chat_ = services::ChatService::create(
            {*backend_, store_, *executor_, *database_, *compute_, background_, tools_});
        context_ = std::make_unique<AppContext>(AppContext{*chat_, *backend_, *compute_, "test"});
        if (accounts_ != nullptr) {
            logins_ = std::make_unique<services::LoginDesk>(
                services::LoginDeps{*accounts_, *executor_, *database_, *compute_},
                *services::load_logins(*accounts_));
            context_->logins = options.logins = logins_.get();
            context_->https = options.public_url.starts_with("https://");
        }
        archive_ = std::make_unique<services::ArchiveDesk>(
            store_,
            *database_,
            *executor_,
            std::filesystem::temp_directory_path() / ("notso-routes-" + random_id()));
        context_->archive = archive_.get();
        settings_ = std::make_unique<services::SettingsDesk>(store_, *database_, *executor_);
        context_->settings = settings_.get();
        files_ = std::make_unique<services::AttachmentDesk>(services::AttachmentDeskDeps{
            .store = store_,
            .database = *database_,
            .io = *executor_,
            .folder = std::filesystem::temp_directory_path() / ("notso-files-" + random_id())});
        context_->files = files_.get();
        std::promise<void> swept;  // of what is left from before, which tests are not
        database_->post([&swept] { swept.set_value(); });
        swept.get_future().wait();
        server_->start(make_routes(*context_), std::move(options));
    }

    RawResponse post(std::string_view path, std::string_view body) {
        return RawClient(server_->port()).ask(post_request(path, body));
    }
    /// @param headers  Whole lines, each with its end.
    RawResponse post_form(std::string_view path,
                          std::string_view fields,
                          std::string_view headers = "") {
        return RawClient(server_->port())
            .ask(fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                             "application/x-www-form-urlencoded\r\nContent-Length: "
                             "{}\r\n{}\r\n{}",
                             path,
                             fields.size(),
                             headers,
                             fields));
    }
    RawResponse get(std::string_view path) {
        return RawClient(server_->port()).ask(get_request(path));
    }
    /// A chat request with one user message and `more` members.
    static std::string chat_body(std::string_view text, std::string_view more = "") {
        return fmt::format(R"({{"messages":[{{"role":"user","content":"{}"}}]{}{}}})",
                           text,
                           more.empty() ? "" : ",",
                           more);
    }
    /// Looks at the store on its own thread: nobody else may while answers are being written.
    template <class Look>
    auto in_store(Look look) {
        std::promise<decltype(look(store_))> seen;
        database_->post([&] { seen.set_value(look(store_)); });
        return seen.get_future().get();
    }
    /// Waits until the backend has nothing to do; false after 5 s.
    bool wait_idle() {
        for (int i = 0; i < 1000; ++i) {
            const auto health = backend_->health();
            if (health.running == 0 && health.waiting == 0) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return false;
    }

    bool background_ = false;                     ///< Of what start() starts.
    services::ToolDesk tools_ = {};               ///< The same.
    services::AccountStore* accounts_ = nullptr;  ///< The same; null: nobody has an account.
    services::MemoryStore store_;
    std::unique_ptr<services::MeteredBackend> backend_;
    std::unique_ptr<TestServer> server_;
    std::unique_ptr<TestExecutor> executor_;
    std::unique_ptr<SerialWorker> compute_;
    std::unique_ptr<SerialWorker> database_;
    std::unique_ptr<services::LoginDesk> logins_;
    std::unique_ptr<services::ChatService> chat_;
    std::unique_ptr<services::ArchiveDesk> archive_;
    std::unique_ptr<services::SettingsDesk> settings_;
    std::unique_ptr<services::AttachmentDesk> files_;
    std::unique_ptr<AppContext> context_;
};

}  // namespace notso::web
