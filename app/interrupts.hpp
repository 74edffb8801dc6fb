// SIGINT and SIGTERM for the terminal commands: taken by a thread of their own, so that Ctrl-C can
// end an answer, a loading model or the prompt, whichever is there. The server has its own way
// (composition.cpp). SIGWINCH and SIGCONT wait until somebody looks for them.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

namespace notso::app {

/// What Ctrl-\ (SIGQUIT) does.
enum class QuitKey { kEnds, kAsks };

/// Create it before any other thread, so that all threads inherit the blocked signals.
class Interrupts {
  public:
    /// @param quit  kAsks: SIGQUIT is taken, too, for handle(); else it ends the program as usual.
    explicit Interrupts(QuitKey quit = QuitKey::kEnds);
    ~Interrupts();
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;

    /// Calls `on_signal` on the signal thread for each signal; empty = signals stay pending for
    /// take(). When it returns no call runs any more.
    /// @param on_quit  The same for SIGQUIT, which means nothing where this is empty.
    void handle(std::function<void()> on_signal, std::function<void()> on_quit = {});

    /// Readable (poll) while a signal is pending.
    int fd() const noexcept { return pending_fd_; }
    /// Takes one pending signal; false when there is none.
    bool take();
    /// SIGTERM was among them: nobody wants to be asked again.
    bool terminated() const noexcept { return terminated_; }

    /// Readable when the terminal's window has changed, or the program goes on after it was
    /// stopped.
    int window_fd() const noexcept { return window_fd_; }
    /// Takes all of that; false when there was nothing.
    bool take_window();

  private:
    void run();

    int signal_fd_ = -1;
    int stop_fd_ = -1;
    int pending_fd_ = -1;
    int window_fd_ = -1;
    std::mutex mutex_;
    std::function<void()> on_signal_;
    std::function<void()> on_quit_;
    std::atomic<bool> terminated_ = false;
    std::thread thread_;
};

}  // namespace notso::app
