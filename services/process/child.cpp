// Started with fork and exec rather than posix_spawn: limits and the closing of every other file
// have to happen in the child. Between the two only functions that are safe there are called.
#include "services/process/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/log.hpp"

namespace notso::services {
namespace {

void close_fd(int& fd) {
    if (fd >= 0) ::close(std::exchange(fd, -1));
}

/// Both ends of three pipes and of the one that tells of a failed exec.
struct Pipes {
    int ends[4][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};

    Pipes() = default;
    Pipes(const Pipes&) = delete;
    Pipes& operator=(const Pipes&) = delete;
    ~Pipes() {
        for (auto& pair : ends) {
            close_fd(pair[0]);
            close_fd(pair[1]);
        }
    }
    bool open() {
        return std::ranges::all_of(ends, [](auto& pair) { return ::pipe2(pair, O_CLOEXEC) == 0; });
    }
};

/// The first file of this name in PATH that can be run.
std::optional<std::string> find_program(const std::string& name) {
    if (name.find('/') != std::string::npos)
        return ::access(name.c_str(), X_OK) == 0 ? std::optional(name) : std::nullopt;
    const char* from = std::getenv("PATH");
    std::string_view path = from == nullptr ? "/usr/bin:/bin" : from;
    while (!path.empty()) {
        const auto colon = path.find(':');
        const std::string candidate = std::string(path.substr(0, colon)) + "/" + name;
        if (candidate.front() == '/' && ::access(candidate.c_str(), X_OK) == 0) return candidate;
        path.remove_prefix(colon == std::string_view::npos ? path.size() : colon + 1);
    }
    return std::nullopt;
}

std::vector<std::string> environment_of(const ChildOptions& options) {
    std::vector<std::string> out = options.environment;
    for (const char* name : {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR"}) {
        const std::string start = std::string(name) + "=";
        const bool given = std::ranges::any_of(
            options.environment, [&](const std::string& each) { return each.starts_with(start); });
        if (const char* value = std::getenv(name); value != nullptr && !given)
            out.push_back(start + value);
    }
    return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

void limit(int which, std::uint64_t most) {
    if (most == 0) return;
    const rlimit bound{most, most};
    ::setrlimit(static_cast<__rlimit_resource>(which), &bound);
}

/// A network of its own has nothing in it. Some systems allow that to nobody: then it goes without.
void confine() {
    std::ignore = ::unshare(CLONE_NEWUSER | CLONE_NEWNET);
    const rlimit no_files{0, 0};
    ::setrlimit(RLIMIT_FSIZE, &no_files);
}

/// In the child, after fork: async-signal-safe calls only. Tells errno over the pipe on failure.
[[noreturn]] void become(const ChildOptions& options,
                         Pipes& pipes,
                         const char* program,
                         char* const* arguments,
                         char* const* environment) {
    ::setpgid(0, 0);
    // Lifted over the places of the standard streams first: dup2 would overwrite them.
    const int streams[3] = {::fcntl(pipes.ends[0][0], F_DUPFD_CLOEXEC, 10),
                            ::fcntl(pipes.ends[1][1], F_DUPFD_CLOEXEC, 10),
                            ::fcntl(pipes.ends[2][1], F_DUPFD_CLOEXEC, 10)};
    const int failure = ::fcntl(pipes.ends[3][1], F_DUPFD_CLOEXEC, 10);
    for (int i = 0; i < 3; ++i) ::dup2(streams[i], i);
    ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    for (int number = 1; number < 32; ++number) ::signal(number, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    limit(RLIMIT_AS, options.max_memory_bytes);
    limit(RLIMIT_CPU, static_cast<std::uint64_t>(options.max_cpu_s));
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    if (options.confined) confine();
    ::execve(program, arguments, environment);
    const int error = errno;
    std::ignore = ::write(failure, &error, sizeof error);
    ::_exit(127);
}

void set_non_blocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

}  // namespace

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      input_(std::exchange(other.input_, -1)),
      output_(std::exchange(other.output_, -1)),
      error_(std::exchange(other.error_, -1)) {}

ChildProcess::~ChildProcess() {
    close_fd(input_);
    close_fd(output_);
    close_fd(error_);
    if (pid_ <= 0) return;
    kill();
    wait();
}

Result<ChildProcess> ChildProcess::start(const ChildOptions& options) {
    const auto program = find_program(options.program);
    if (!program) {
        return fail(ErrorCode::kNotFound,
                    "there is no program {}; install it, or give its path",
                    log::field(options.program));
    }
    Pipes pipes;
    if (!pipes.open()) return fail(ErrorCode::kIo, "no pipes: {}", std::strerror(errno));
    std::vector<std::string> arguments = options.arguments;
    arguments.insert(arguments.begin(), options.program);
    std::vector<std::string> environment = environment_of(options);
    const std::vector<char*> argv = pointers(arguments);
    const std::vector<char*> envp = pointers(environment);
    const pid_t pid = ::fork();
    if (pid < 0) return fail(ErrorCode::kIo, "no new process: {}", std::strerror(errno));
    if (pid == 0) become(options, pipes, program->c_str(), argv.data(), envp.data());
    ::setpgid(pid, pid);  // also here: whoever comes first
    ChildProcess child;
    child.pid_ = pid;
    child.input_ = std::exchange(pipes.ends[0][1], -1);
    child.output_ = std::exchange(pipes.ends[1][0], -1);
    child.error_ = std::exchange(pipes.ends[2][0], -1);
    for (int* end : {&pipes.ends[0][0], &pipes.ends[1][1], &pipes.ends[2][1], &pipes.ends[3][1]})
        close_fd(*end);
    int error = 0;
    ssize_t got = 0;
    do got = ::read(pipes.ends[3][0], &error, sizeof error);
    while (got < 0 && errno == EINTR);
    if (got == sizeof error) {
        return fail(ErrorCode::kIo,
                    "{} can't be started: {}",
                    log::field(options.program),
                    std::strerror(error));
    }
    for (const int fd : {child.input_, child.output_, child.error_}) set_non_blocking(fd);
    return child;
}

void ChildProcess::close_input() { close_fd(input_); }

void ChildProcess::kill() const {
    if (pid_ > 0) ::kill(-pid_, SIGKILL);
}

int ChildProcess::wait() {
    if (pid_ <= 0) return 0;
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
    ::kill(-pid_, SIGKILL);  // what it started and left
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

namespace {

/// Reads what is there. False at the end of the stream.
bool drain(int fd, std::string& into, std::size_t most) {
    std::array<char, 16 * 1024> bytes;
    for (;;) {
        const ssize_t got = ::read(fd, bytes.data(), bytes.size());
        if (got < 0) return errno == EAGAIN || errno == EINTR;
        if (got == 0) return false;
        const std::size_t room = most - std::min(most, into.size());
        into.append(bytes.data(), std::min(room, static_cast<std::size_t>(got)));
        if (into.size() >= most) return true;  // the caller decides
    }
}

}  // namespace

Result<ChildOutput> run_to_end(const ChildOptions& options, const RunLimits& limits) {
    constexpr std::size_t kMostError = 4096;
    NOTSO_TRY(ChildProcess child, ChildProcess::start(options));
    child.close_input();
    ChildOutput out;
    bool open = true;
    bool error_open = true;
    while (open) {
        if (limits.stop.stop_requested()) return fail(ErrorCode::kCancelled, "cancelled");
        if (SteadyClock::now() >= limits.deadline) {
            return fail(
                ErrorCode::kTimeout, "{} was not ready in time and was stopped", options.program);
        }
        constexpr int kStepMs = 50;  // how soon a stop is noticed
        pollfd fds[2] = {{child.output_fd(), POLLIN, 0},
                         {error_open ? child.error_fd() : -1, POLLIN, 0}};
        ::poll(fds, 2, kStepMs);
        if (fds[0].revents != 0)
            open = drain(child.output_fd(), out.output, limits.max_output_bytes);
        if (out.output.size() >= limits.max_output_bytes && limits.max_output_bytes > 0) {
            return fail(ErrorCode::kTooLarge,
                        "{} wrote more than {} bytes",
                        options.program,
                        limits.max_output_bytes);
        }
        std::string rest;
        if (fds[1].revents != 0) error_open = drain(child.error_fd(), rest, kMostError);
        out.error.append(rest, 0, kMostError - std::min(kMostError, out.error.size()));
    }
    out.status = child.wait();
    return out;
}

}  // namespace notso::services
