#include "app/shutdown.hpp"

#include <sys/time.h>

#include <csignal>
#include <cstdlib>

#include "base/log.hpp"

namespace notso::app {
namespace {

using std::chrono::milliseconds;

// Answers get this long to end by themselves; the rest of the promised 30 s is for storing what is
// left.
constexpr milliseconds kGrace{27'000};
constexpr milliseconds kStoreTime{2'000};
constexpr milliseconds kAll{29'500};
constexpr milliseconds kHurry{900};
constexpr milliseconds kPoll{20};

}  // namespace

void end_process_after(milliseconds limit) {
    // SIGALRM's default action ends the process, whatever its threads do.
    std::signal(SIGALRM, [](int) { std::_Exit(0); });
    const itimerval timer{{0, 0}, {limit.count() / 1000, (limit.count() % 1000) * 1000}};
    ::setitimer(ITIMER_REAL, &timer, nullptr);
}

Shutdown::Shutdown(boost::asio::io_context& io, services::ChatService& chat, web::Server& server)
    : io_(io), chat_(chat), server_(server), signals_(io, SIGINT, SIGTERM), timer_(io) {
    wait_for_signal();
}

void Shutdown::wait_for_signal() {
    signals_.async_wait([this](boost::system::error_code failed, int) {
        if (failed) return;
        begun_ ? hurry() : begin();
        wait_for_signal();
    });
}

void Shutdown::begin() {
    begun_ = true;
    log::info("event=shutdown state=begun connections={}", server_.connections());
    server_.close();
    deadline_ = SteadyClock::now() + kGrace + kStoreTime;
    end_process_after(kAll);
    chat_.shut_down(kGrace.count(), [this](Result<>) { answers_stored_ = true; });
    check();
}

void Shutdown::hurry() {
    log::info("event=shutdown state=hurried connections={}", server_.connections());
    end_process_after(kHurry);
    deadline_ = SteadyClock::now() + kHurry / 3;
    chat_.shut_down(0, [this](Result<>) { answers_stored_ = true; });
    server_.abort();
}

void Shutdown::check() {
    const bool done = answers_stored_ && server_.connections() == 0;
    if (done || SteadyClock::now() >= deadline_) {
        log::info("event=shutdown state=done stored={} connections={}",
                  answers_stored_,
                  server_.connections());
        server_.abort();
        io_.stop();
        return;
    }
    timer_.expires_after(kPoll);
    timer_.async_wait([this](boost::system::error_code failed) {
        if (!failed) check();
    });
}

}  // namespace notso::app
