#include "app/interrupts.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <initializer_list>
#include <utility>

#include "base/assert.hpp"

namespace notso::app {
namespace {

sigset_t signals(std::initializer_list<int> numbers) {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : numbers) sigaddset(&set, number);
    return set;
}

}  // namespace

Interrupts::Interrupts(QuitKey quit) {
    sigset_t ends = signals({SIGINT, SIGTERM});
    if (quit == QuitKey::kAsks) sigaddset(&ends, SIGQUIT);
    const sigset_t window = signals({SIGWINCH, SIGCONT});
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    pthread_sigmask(SIG_BLOCK, &window, nullptr);
    signal_fd_ = ::signalfd(-1, &ends, SFD_CLOEXEC);
    window_fd_ = ::signalfd(-1, &window, SFD_CLOEXEC | SFD_NONBLOCK);
    stop_fd_ = ::eventfd(0, EFD_CLOEXEC);
    pending_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
    NOTSO_ASSERT(signal_fd_ >= 0 && stop_fd_ >= 0 && pending_fd_ >= 0 && window_fd_ >= 0,
                 "signalfd and eventfd need four descriptors");
    thread_ = std::thread([this] { run(); });
}

Interrupts::~Interrupts() {
    ::eventfd_write(stop_fd_, 1);
    thread_.join();
    ::close(signal_fd_);
    ::close(stop_fd_);
    ::close(pending_fd_);
    ::close(window_fd_);
}

void Interrupts::handle(std::function<void()> on_signal, std::function<void()> on_quit) {
    const std::lock_guard lock(mutex_);
    on_signal_ = std::move(on_signal);
    on_quit_ = std::move(on_quit);
}

bool Interrupts::take() {
    eventfd_t value = 0;
    return ::eventfd_read(pending_fd_, &value) == 0;
}

bool Interrupts::take_window() {
    signalfd_siginfo info{};
    bool any = false;
    while (::read(window_fd_, &info, sizeof info) == sizeof info) any = true;
    return any;
}

void Interrupts::run() {
    std::array<pollfd, 2> watched{{{signal_fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}}};
    while (true) {
        if (::poll(watched.data(), watched.size(), -1) < 0) continue;
        if ((watched[1].revents & POLLIN) != 0) return;
        signalfd_siginfo info{};
        if (::read(signal_fd_, &info, sizeof info) != sizeof info) continue;
        if (info.ssi_signo == SIGTERM) terminated_ = true;
        const std::lock_guard lock(mutex_);
        if (info.ssi_signo == SIGQUIT) {
            if (on_quit_) on_quit_();
        } else if (on_signal_) {
            on_signal_();
        } else {
            ::eventfd_write(pending_fd_, 1);
        }
    }
}

}  // namespace notso::app
