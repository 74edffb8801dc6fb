#include "app/control.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>

#include "base/log.hpp"
#include "services/archive/json_reader.hpp"

namespace notso::app {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace json = boost::json;
using asio::local::stream_protocol;
using services::ArchiveAction;
using services::ArchiveOrder;

constexpr std::size_t kMaxLineBytes = std::size_t{16} << 10;
constexpr std::chrono::seconds kPatience{5};  // until the order is there
constexpr std::array<std::string_view, 3> kActionNames = {"import", "export", "backup"};
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

/// A folder that is open: names in it have a short path, whatever its own is. The longest name of a
/// socket has 107 bytes.
class OpenFolder {
  public:
    explicit OpenFolder(const fs::path& path)
        : fd_(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {}
    OpenFolder(const OpenFolder&) = delete;
    OpenFolder& operator=(const OpenFolder&) = delete;
    ~OpenFolder() {
        if (fd_ >= 0) ::close(fd_);
    }
    std::string socket() const { return fmt::format("/proc/self/fd/{}/notso.sock", fd_); }

  private:
    int fd_;
};

std::string to_line(const ArchiveOrder& order) {
    const json::object object = {
        {"action", kActionNames.at(static_cast<std::size_t>(order.action))},
        {"path", order.path.string()},
        {"format", order.format == services::ArchiveFormat::kJson ? "json" : "md"}};
    return json::serialize(object) + "\n";
}

Result<ArchiveOrder> parse_order(std::string_view line) {
    json::error_code error;
    const json::value value = json::parse(line, error);
    if (error || !value.is_object())
        return fail(ErrorCode::kInvalidArgument, "an order is one object of JSON in one line");
    const services::JsonReader in(value.get_object(), "");
    ArchiveOrder order;
    NOTSO_TRY(order.action, in.name<ArchiveAction>("action", kActionNames));
    NOTSO_TRY(const std::string path, in.text("path"));
    NOTSO_TRY(const std::string format, in.text("format"));
    NOTSO_TRY(order.format, services::parse_archive_format(format));
    order.path = path;
    order.owner = services::local_owner();
    if (!order.path.is_absolute())
        return fail(ErrorCode::kInvalidArgument, "path must be absolute");
    return order;
}

std::string to_line(const Result<std::string>& done) {
    json::object object;
    if (done) object["done"] = *done;
    if (!done) object["error"] = done.error().detail;
    return json::serialize(object) + "\n";
}

/// Whoever runs this server, or root.
bool is_owner(stream_protocol::socket& socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return false;
    return peer.uid == ::geteuid() || peer.uid == 0;
}

class Listener final : public ControlServer {
  public:
    Listener(asio::io_context& io, const fs::path& data_directory, services::ArchiveDesk& desk)
        : state_(std::make_shared<State>(io, data_directory, desk)) {}
    ~Listener() override {
        boost::system::error_code ignored;
        state_->acceptor.close(ignored);
        state_->gone = true;
        ::unlink(state_->folder.socket().c_str());
    }

    Result<> begin() {
        const std::string path = state_->folder.socket();
        ::unlink(path.c_str());  // of a process that died: the directory is ours now
        boost::system::error_code error;
        state_->acceptor.open(stream_protocol(), error);
        if (!error) state_->acceptor.bind(stream_protocol::endpoint(path), error);
        if (!error && ::chmod(path.c_str(), 0600) != 0)
            error.assign(errno, boost::system::system_category());
        if (!error) state_->acceptor.listen(8, error);
        if (error) return fail(ErrorCode::kIo, "notso.sock can't be made: {}", error.message());
        asio::co_spawn(state_->acceptor.get_executor(), accept(state_), asio::detached);
        return {};
    }

  private:
    struct State {
        State(asio::io_context& io, const fs::path& data_directory, services::ArchiveDesk& used)
            : folder(data_directory), acceptor(io), desk(used) {}
        OpenFolder folder;
        stream_protocol::acceptor acceptor;
        services::ArchiveDesk& desk;
        bool gone = false;
    };
    using SharedState = std::shared_ptr<State>;
    using SharedSocket = std::shared_ptr<stream_protocol::socket>;

    static asio::awaitable<void> accept(SharedState state) {
        while (!state->gone) {
            auto socket = std::make_shared<stream_protocol::socket>(state->acceptor.get_executor());
            const auto [error] = co_await state->acceptor.async_accept(*socket, kTuple);
            if (error == asio::error::operation_aborted) co_return;
            if (error) continue;
            if (is_owner(*socket))
                asio::co_spawn(
                    state->acceptor.get_executor(), serve(state, socket), asio::detached);
        }
    }

    static asio::awaitable<void> serve(SharedState state, SharedSocket socket) {
        asio::steady_timer timer(socket->get_executor(), kPatience);
        timer.async_wait([socket](boost::system::error_code cancelled) {
            boost::system::error_code ignored;
            if (!cancelled) socket->close(ignored);
        });
        std::string line;
        auto buffer = asio::dynamic_buffer(line, kMaxLineBytes);
        const auto [error, bytes] = co_await asio::async_read_until(*socket, buffer, '\n', kTuple);
        timer.cancel();
        if (error || state->gone) co_return;
        const auto order = parse_order(std::string_view(line).substr(0, bytes));
        if (!order) {
            reply(socket, std::unexpected(order.error()));
            co_return;
        }
        log::info("event=archive action={}",
                  kActionNames.at(static_cast<std::size_t>(order->action)));
        state->desk.carry_out(
            *order, [socket](Result<std::string> done) { reply(socket, std::move(done)); });
    }

    static void reply(const SharedSocket& socket, Result<std::string> done) {
        const auto text = std::make_shared<std::string>(to_line(done));
        asio::async_write(*socket,
                          asio::buffer(*text),
                          [socket, text](boost::system::error_code, std::size_t) {});
    }

    SharedState state_;
};

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::listen(asio::io_context& io,
                                                             const fs::path& data_directory,
                                                             services::ArchiveDesk& desk) {
    auto listener = std::make_unique<Listener>(io, data_directory, desk);
    NOTSO_CHECK(listener->begin());
    return listener;
}

Result<std::string> ask_server(const fs::path& data_directory, const ArchiveOrder& order) {
    const OpenFolder folder(data_directory);
    asio::io_context io;
    stream_protocol::socket socket(io);
    boost::system::error_code error;
    socket.connect(stream_protocol::endpoint(folder.socket()), error);
    if (error)
        return fail(ErrorCode::kUnavailable,
                    "the server does not answer at {}: {}",
                    (data_directory / "notso.sock").string(),
                    error.message());
    asio::write(socket, asio::buffer(to_line(order)), error);
    std::string line;
    if (!error) asio::read_until(socket, asio::dynamic_buffer(line), '\n', error);
    if (error)
        return fail(ErrorCode::kUnavailable,
                    "the server went away before it had answered: {}",
                    error.message());
    const json::value answer = json::parse(line, error);
    if (error || !answer.is_object())
        return fail(ErrorCode::kCorruptData, "the server's answer is no JSON");
    const services::JsonReader in(answer.get_object(), "");
    if (in.has("done")) return in.text("done");
    NOTSO_TRY(const std::string why, in.text("error"));
    return fail(ErrorCode::kInternal, "{}", why);
}

}  // namespace notso::app
