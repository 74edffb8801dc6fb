#include "app/secret_input.hpp"

#include <termios.h>
#include <unistd.h>

#include <iostream>

namespace notso::app {
namespace {

/// Nothing that is typed is shown while it lives.
class Silence {
  public:
    Silence() {
        quiet_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
        if (!quiet_) return;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    ~Silence() {
        if (quiet_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

  private:
    termios before_{};
    bool quiet_ = false;
};

}  // namespace

Result<std::string> read_secret(const std::string& prompt) {
    const bool terminal = ::isatty(STDIN_FILENO) != 0;
    if (terminal) std::cerr << prompt << std::flush;
    std::string line;
    bool read = false;
    {
        const Silence silence;
        read = static_cast<bool>(std::getline(std::cin, line));
    }
    if (terminal) std::cerr << '\n';
    if (!read)
        return fail(ErrorCode::kInvalidArgument, "no password came: type it, or pipe it to stdin");
    return line;
}

}  // namespace notso::app
